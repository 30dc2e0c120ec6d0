package people

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// The names of the session cookie. The prefix makes browsers refuse a cookie of that
// name that another host or a plain connection tries to set (RFC 6265bis §4.1.3.2).
const (
	secureCookie = "__Host-session"
	plainCookie  = "session"
)

// SetCookie gives the browser its session. Over TLS, here or at the proxy in front, the
// cookie is bound to this host; without TLS there is one on loopback addresses only, and
// false is returned anywhere else: a session must not travel in the clear.
func SetCookie(w http.ResponseWriter, r *http.Request, secure bool, token secret.Secret, expires time.Time) bool {
	name, ok := cookieName(r, secure)
	if !ok {
		return false
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: token.Reveal(), Path: "/", Expires: expires.UTC(),
		Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return true
}

// ClearCookie takes the session from the browser.
func ClearCookie(w http.ResponseWriter, r *http.Request, secure bool) {
	name, ok := cookieName(r, secure)
	if !ok {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Path: "/", MaxAge: -1, Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// ReadCookie returns the session token that the browser sent, "" when there is none or
// more than one, which is somebody's attempt to slip in theirs.
func ReadCookie(r *http.Request, secure bool) string {
	name, ok := cookieName(r, secure)
	if !ok {
		return ""
	}
	cookies := r.CookiesNamed(name)
	if len(cookies) != 1 {
		return ""
	}
	return cookies[0].Value
}

// MayHaveCookie reports whether a request's host can have a session at all: over TLS, or
// on this computer.
func MayHaveCookie(r *http.Request, secure bool) bool {
	_, ok := cookieName(r, secure)
	return ok
}

// WithoutSession returns the values of a Cookie header as an API behind Cardea may see
// them: without the session, which a browser sends along wherever API and pages share a
// host, and whoever has it is the person. Values without one are returned as they are.
func WithoutSession(values []string) []string {
	if !slices.ContainsFunc(values, func(v string) bool { return strings.Contains(v, sessionToken) }) {
		return values
	}
	var out []string
	for _, value := range values {
		var kept []string
		for pair := range strings.SplitSeq(value, ";") {
			if !strings.Contains(pair, sessionToken) {
				kept = append(kept, strings.TrimSpace(pair))
			}
		}
		if len(kept) > 0 {
			out = append(out, strings.Join(kept, "; "))
		}
	}
	return out
}

// cookieName returns the name of the session cookie for a request; ok is false where
// there must be none.
func cookieName(r *http.Request, secure bool) (name string, ok bool) {
	if secure {
		return secureCookie, true
	}
	return plainCookie, isLoopback(r.Host)
}

// isLoopback reports whether a Host names this computer.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
