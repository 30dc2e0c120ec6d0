package fetch

import (
	"net/netip"
	"slices"
	"syscall"
)

// global6 is the part of IPv6 that is handed out for use on the internet (RFC 4291
// §2.4, IANA "IPv6 Global Unicast Address Space"). What lies outside of it is refused
// without a list: unique local and link-local addresses, multicast, the unspecified
// and the loopback address, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), and what is to come.
var global6 = netip.MustParsePrefix("2000::/3")

// special are the blocks that reach something else than one host on the internet:
// IANA's special-purpose registries (RFC 6890), IPv6 as far as it lies in global6.
var special = prefixes(
	"0.0.0.0/8",       // "this network": 0.0.0.0 is this machine
	"10.0.0.0/8",      // private
	"100.64.0.0/10",   // carrier-grade NAT
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local, where clouds keep their metadata
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // IETF protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // 6to4 relays
	"192.168.0.0/16",  // private
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, and broadcast
	"2001::/23",       // IETF protocol assignments: Teredo holds an IPv4 address
	"2001:db8::/32",   // documentation
	"2002::/16",       // 6to4 holds an IPv4 address
	"3fff::/20",       // documentation
)

// private are the blocks that a caller may allow: this machine and its own network.
var private = prefixes(
	"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7",
)

// metadata are services of cloud providers inside private blocks that hand out the
// machine's own credentials. Nothing allows them.
var metadata = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("fd00:ec2::254"),
	netip.MustParseAddr("fd20:ce::254"),
}

// prefixes parses a list of blocks.
func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// Admits reports whether a request may go to the address: one host on the internet,
// or, with allowPrivate, on this machine or its network. Link-local addresses and the
// metadata services of clouds are never admitted. An IPv4 address in IPv6 clothes
// ("::ffff:127.0.0.1") counts as what it is.
func Admits(addr netip.Addr, allowPrivate bool) bool {
	zoned := addr.Zone() != ""
	addr = addr.Unmap()
	switch {
	case !addr.IsValid() || zoned || slices.Contains(metadata, addr):
		return false
	case within(private, addr):
		return allowPrivate
	case within(special, addr):
		return false
	}
	return addr.Is4() || global6.Contains(addr)
}

// within reports whether one of the blocks holds the address.
func within(blocks []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(blocks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// control returns the hook that a dialer calls with the address a name resolved to,
// before it connects.
func control(allowPrivate bool) func(network, address string, c syscall.RawConn) error {
	return func(network, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || network != "tcp4" && network != "tcp6" || !Admits(to.Addr(), allowPrivate) {
			return ErrAddress
		}
		return nil
	}
}
