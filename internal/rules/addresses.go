package rules

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea"
)

// MaxAddresses bounds an address list: the decision walks it on every request.
const MaxAddresses = 100

// Addresses reads addresses ("203.0.113.7", "2001:db8::1") and networks in CIDR
// notation (RFC 4632, RFC 4291 §2.3) and returns them as networks: sorted, without
// duplicates, IPv4-mapped IPv6 as IPv4.
//
// A network with host bits set is refused rather than masked: "203.0.113.7/24" is as
// likely a slip for "/32", and masking would admit 255 strangers.
func Addresses(field string, texts []string) ([]netip.Prefix, *cardea.Error) {
	if len(texts) > MaxAddresses {
		return nil, cardea.Invalid(field, "must have at most %d entries", MaxAddresses)
	}
	prefixes := make([]netip.Prefix, 0, len(texts))
	for i, text := range texts {
		p, err := Address(fmt.Sprintf("%s[%d]", field, i), text)
		if err != nil {
			return nil, err
		}
		prefixes = append(prefixes, p)
	}
	slices.SortFunc(prefixes, ComparePrefixes)
	return slices.Compact(prefixes), nil
}

// Address reads one entry.
func Address(field, text string) (netip.Prefix, *cardea.Error) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, cardea.Invalid(field,
				"must be an IP address or a network, such as 203.0.113.7 or 2001:db8::/32")
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, cardea.Invalid(field,
			"must be an IP address or a network, such as 203.0.113.7 or 2001:db8::/32")
	}
	if a := p.Addr(); a.Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, cardea.Invalid(field, "mixes IPv4 and IPv6: name two networks instead")
		}
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	if masked := p.Masked(); masked != p {
		return netip.Prefix{}, cardea.Invalid(field,
			"has host bits set: write %s for the network or %s for the one address", masked, p.Addr())
	}
	return p, nil
}

// ComparePrefixes orders by address, then the wider network first.
func ComparePrefixes(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}

// ShowAddresses returns networks as people write them: a single address without
// "/32" or "/128".
func ShowAddresses(prefixes []netip.Prefix) []string {
	texts := make([]string, 0, len(prefixes))
	for _, p := range prefixes {
		if p.IsSingleIP() {
			texts = append(texts, p.Addr().String())
		} else {
			texts = append(texts, p.String())
		}
	}
	return texts
}
