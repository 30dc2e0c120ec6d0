package target

import (
	"errors"
	"net/http"
	"net/netip"
	"strings"
)

// ErrForwarded is the refusal of an X-Forwarded-For entry that is no address. A
// trusted proxy does not write one, so somebody else did.
var ErrForwarded = errors.New("target: X-Forwarded-For entry is not an address")

// forwardedFor is the only header a client address is read from, in its canonical
// spelling.
const forwardedFor = "X-Forwarded-For"

// Client returns the address of the client that a request came from. It is the peer's,
// unless the peer is one of the trusted proxies: then it is the rightmost entry of
// X-Forwarded-For, over all lines of that header, that is not itself a trusted proxy.
// Entries further left were written by whoever that is and prove nothing.
//
// When every entry is a trusted proxy the leftmost is returned, and when there is no
// entry, the peer. An entry that is no address, and that is reached before the answer
// is known, is an error: guessing would let a client choose its address. Entries may
// carry a port and brackets; zones are refused. Addresses are returned unmapped and
// without zone, because an IPv4 prefix does not contain "::ffff:192.0.2.1".
//
// An invalid peer is returned as it is: no IP list admits it.
func Client(peer netip.Addr, h http.Header, trusted []netip.Prefix) (netip.Addr, error) {
	client := peer.Unmap().WithZone("")
	if len(trusted) == 0 || !contains(trusted, client) {
		return client, nil
	}
	lines := h[forwardedFor]
	for i := len(lines) - 1; i >= 0; i-- {
		for rest, more := lines[i], true; more; {
			var entry string
			rest, entry, more = cutLast(rest)
			addr, ok := parseEntry(entry)
			if !ok {
				return netip.Addr{}, ErrForwarded
			}
			client = addr
			if !contains(trusted, addr) {
				return client, nil
			}
		}
	}
	return client, nil
}

// IsTrusted reports whether the peer is one of the trusted proxies, so that what it
// says about the client's connection may be believed.
func IsTrusted(peer netip.Addr, trusted []netip.Prefix) bool {
	return len(trusted) > 0 && contains(trusted, peer.Unmap().WithZone(""))
}

// Scheme returns the scheme that the client used, "https" or "http": what a trusted proxy
// says in X-Forwarded-Proto, or what the connection here is. A proxy that says it twice, or
// something else, is not believed.
func Scheme(peer netip.Addr, h http.Header, overTLS bool, trusted []netip.Prefix) string {
	if v := h["X-Forwarded-Proto"]; len(v) == 1 && (v[0] == "https" || v[0] == "http") && IsTrusted(peer, trusted) {
		return v[0]
	}
	if overTLS {
		return "https"
	}
	return "http"
}

// contains reports whether one of the prefixes contains the address.
func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, p := range prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// cutLast cuts the last entry off a comma-separated list; more says whether entries
// are left in rest.
func cutLast(list string) (rest, entry string, more bool) {
	i := strings.LastIndexByte(list, ',')
	if i < 0 {
		return "", strings.Trim(list, " \t"), false
	}
	return list[:i], strings.Trim(list[i+1:], " \t"), true
}

// parseEntry reads an address, "[address]", or either with a port.
func parseEntry(s string) (netip.Addr, bool) {
	if s == "" || len(s) > 64 {
		return netip.Addr{}, false
	}
	if s[0] == '[' && s[len(s)-1] == ']' {
		addr, err := netip.ParseAddr(s[1 : len(s)-1])
		return addr.Unmap(), err == nil && addr.Is6() && addr.Zone() == ""
	}
	// A lone IPv6 address has two colons or more; with a port it must have brackets.
	if s[0] == '[' || strings.Count(s, ":") == 1 {
		ap, err := netip.ParseAddrPort(s)
		return ap.Addr().Unmap(), err == nil && ap.Addr().Zone() == ""
	}
	addr, err := netip.ParseAddr(s)
	return addr.Unmap(), err == nil && addr.Zone() == ""
}
