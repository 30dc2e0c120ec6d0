package fetch_test

import (
	"net/netip"
	"testing"

	"github.com/cardea-dev/cardea/internal/fetch"
)

// A request never goes to this machine, its network, or an address that hides one of
// them, unless the caller allows private addresses; and never to where clouds hand out
// a machine's own credentials.
func TestOnlyHostsOnTheInternetAreAdmitted(t *testing.T) {
	const never, private, public = "never", "private", "public"
	for address, want := range map[string]string{
		"8.8.8.8": public, "1.1.1.1": public, "100.63.255.255": public, "100.128.0.0": public,
		"172.15.255.255": public, "172.32.0.0": public, "192.167.255.255": public, "198.17.255.255": public,
		"223.255.255.255": public, "11.0.0.1": public, "128.0.0.1": public,
		"2606:4700:4700::1111": public, "2a00:1450:4001::1": public, "::ffff:8.8.8.8": public,

		"127.0.0.1": private, "127.255.255.254": private, "10.0.0.1": private, "10.255.255.255": private,
		"172.16.0.1": private, "172.31.255.255": private, "192.168.0.1": private, "100.64.0.1": private,
		"100.127.255.255": private, "::1": private, "fc00::1": private, "fdff::1": private,
		"::ffff:127.0.0.1": private, "::ffff:10.0.0.1": private, "::ffff:192.168.1.1": private,

		"0.0.0.0": never, "0.1.2.3": never, "169.254.0.1": never, "169.254.169.254": never,
		"::ffff:169.254.169.254": never, "100.100.100.200": never, "::ffff:100.100.100.200": never,
		"fd00:ec2::254": never, "fd20:ce::254": never,
		"192.0.0.1": never, "192.0.0.170": never, "192.0.2.1": never, "192.88.99.1": never,
		"198.18.0.1": never, "198.19.255.255": never, "198.51.100.1": never, "203.0.113.1": never,
		"224.0.0.1": never, "239.255.255.255": never, "240.0.0.1": never, "255.255.255.255": never,
		"::": never, "fe80::1": never, "fe80::1%eth0": never, "fec0::1": never, "ff02::1": never, "ff0e::1": never,
		"64:ff9b::7f00:1": never, "64:ff9b::a9fe:a9fe": never, "64:ff9b:1::1": never, // NAT64
		"2002:7f00:1::": never, "2002:a00:1::1": never, // 6to4
		"2001::1": never, "2001:0:7f00:1::": never, "2001:2::1": never, "2001:10::1": never, // Teredo, benchmarks, ORCHID
		"2001:db8::1": never, "3fff::1": never, // documentation
		"100::1": never, "5f00::1": never, "4000::1": never, "e000::1": never,
		"::127.0.0.1": never, "::ffff:0:127.0.0.1": never, // IPv4-compatible, IPv4-translated
	} {
		addr := netip.MustParseAddr(address)
		got := never
		switch {
		case fetch.Admits(addr, false):
			got = public
		case fetch.Admits(addr, true):
			got = private
		}
		if got != want {
			t.Errorf("%s counts as %s, want %s", address, got, want)
		}
		if fetch.Admits(addr, false) && !fetch.Admits(addr, true) {
			t.Errorf("%s: what is admitted for all is refused to who may do more", address)
		}
	}
	if fetch.Admits(netip.Addr{}, true) {
		t.Error("no address at all is admitted")
	}
}

// What is allowed as private never covers an address that is refused to everybody, and
// no IPv4 address is admitted in one spelling and refused in another.
func FuzzAdmits(f *testing.F) {
	f.Add([]byte{127, 0, 0, 1})
	f.Add(netip.MustParseAddr("64:ff9b::1").AsSlice())
	f.Fuzz(func(t *testing.T, b []byte) {
		addr, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		if fetch.Admits(addr, false) && (addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() ||
			addr.IsMulticast() || addr.IsUnspecified()) {
			t.Errorf("%s is admitted", addr)
		}
		if addr.Is4() {
			mapped := netip.AddrFrom16(addr.As16())
			for _, private := range []bool{false, true} {
				if fetch.Admits(addr, private) != fetch.Admits(mapped, private) {
					t.Errorf("%s and %s are told apart", addr, mapped)
				}
			}
		}
	})
}
