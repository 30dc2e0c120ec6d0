package rules

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/target"
)

// names reports entries of a list that are not among the allowed ones, or twice.
func names(p *Problems, field string, given, allowed []string) {
	for i, name := range given {
		if !slices.Contains(allowed, name) || slices.Index(given, name) != i {
			p.Add(cardea.Invalid(fmt.Sprintf("%s[%d]", field, min(i, MaxNames)), "must be one of these, once: %s", OrNone(allowed)))
			return
		}
	}
}

// Each reports the first entry of a list that check refuses or that is there twice.
func Each(p *Problems, field string, given []string, check func(string) error) {
	if len(given) > MaxURIs {
		p.Add(cardea.Invalid(field, "must have at most %d entries", MaxURIs))
		return
	}
	for i, text := range given {
		err := check(text)
		if slices.Index(given, text) != i {
			err = errTwice
		}
		if err != nil {
			p.Add(cardea.Invalid(fmt.Sprintf("%s[%d]", field, i), "%s", err.Error()))
			return
		}
	}
}

// errTwice: a list has an entry twice.
var errTwice = cardea.Errorf(cardea.KindInvalid, "is in the list already")

// errOrigin: no web page has such an origin.
var errOrigin = cardea.Errorf(cardea.KindInvalid,
	"must be the origin of web pages as browsers write it, such as https://app.example.com: no path, no default port, https except on this device")

// checkOrigin reports a text that is no origin (RFC 6454 §6.2) of pages that came over
// TLS, or from the device itself.
func checkOrigin(text string) error {
	u, err := url.Parse(text)
	if err != nil || len(text) > MaxURL || u.Host == "" || text != u.Scheme+"://"+u.Host || text != strings.ToLower(text) {
		return errOrigin
	}
	addr, _ := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || addr.IsLoopback()
	switch {
	case u.Scheme == "https" && u.Port() != "443", u.Scheme == "http" && local && u.Port() != "80":
		if target.CheckRedirectURI(text+"/") == nil { // its rules for hosts are the same
			return nil
		}
	}
	return errOrigin
}

// IsHTTPS reports whether a text is a URL that people may be shown or that Cardea may
// fetch.
func IsHTTPS(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= MaxURL && u.Scheme == "https" && u.Host != "" && u.User == nil && u.Fragment == "" &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// errDomain: a text is no domain of e-mail addresses.
var errDomain = cardea.Errorf(cardea.KindInvalid, "must be a domain in lower case, such as example.com")

// Domain reports a text that is no domain name of two labels or more.
func Domain(text string) error {
	labels := strings.Split(text, ".")
	bad := func(label string) bool {
		return label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" ||
			strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-")
	}
	if len(text) > 253 || len(labels) < 2 || slices.ContainsFunc(labels, bad) {
		return errDomain
	}
	return nil
}
