package pages

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// SetHeaders sets what every page is sent with, its Content-Security-Policy among it. A page is nobody's to frame, to keep, to
// guess the type of, or to tell others the address of.
func SetHeaders(h http.Header, csp string) {
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers older than frame-ancestors
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("Cache-Control", "no-store")
}

// policy returns a page's Content-Security-Policy: nothing but our own stylesheet,
// pictures, the host of the one picture that is not ours and, where a page has a use for
// it, our own script.
func policy(script bool, redirectsTo, picture string) string {
	pictures := "'self' data:"
	if isPicture(picture) {
		pictures += " " + formSource(picture)
	}
	csp := "default-src 'none'; style-src 'self'; img-src " + pictures + "; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
	if source := formSource(redirectsTo); source != "" {
		csp += " " + source
	}
	if script {
		csp += "; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'"
	}
	return csp
}

// isPicture reports whether an address may be shown a picture from: of a proper host, over
// TLS.
func isPicture(address string) bool {
	return strings.HasPrefix(address, "https://") && strings.HasPrefix(formSource(address), "https://")
}

// formSource returns the source expression (CSP 3 §2.3.1) that covers a redirect URI, ""
// for none. A text that is no absolute URI, or would end the directive, covers nothing.
func formSource(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || !isScheme(u.Scheme) {
		return ""
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return u.Scheme + ":" // an application's own scheme (RFC 8252 §7.1)
	}
	host := u.Hostname()
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		return u.Scheme + ":" // the grammar of host sources has no IPv6 addresses
	}
	for i := range len(u.Host) {
		switch c := u.Host[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == ':':
		default:
			return ""
		}
	}
	if host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// isScheme reports whether text is a scheme (RFC 3986 §3.1) that may be sent to.
func isScheme(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', i > 0 && ('0' <= c && c <= '9' || c == '.' || c == '-' || c == '+'):
		default:
			return false
		}
	}
	switch strings.ToLower(text) {
	case "javascript", "data", "vbscript", "blob", "filesystem", "about", "file":
		return false
	}
	return text != ""
}
