package contract

import (
	"net/netip"
	"net/url"
	"strings"
)

// Checks of names that several parts of a contract share.

// name reports a key that cannot name something: names end up in logs, URLs and flags.
func (k *compiler) name(key text, what string) {
	if len(key.value) > 64 || !isName(key.value) {
		k.r.Errorf(key.pos, "%s cannot name %s", quote(key.value), what).
			Suggest("use lower-case letters, digits, %s and %s, beginning with a letter", quote("_"), quote("-"))
	}
}

// isName reports whether s is a word for logs, URLs and flags alike.
func isName(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '_' && c != '-') {
			return false
		}
	}
	return s != ""
}

// host returns a host name in lower case, reporting what is not one.
func (k *compiler) host(t text) string {
	if !t.given {
		return ""
	}
	host := strings.ToLower(t.value)
	switch {
	case strings.Contains(host, "://"):
		k.r.Errorf(t.pos, "%s is a URL; a host name is needed", quote(t.value)).Suggest("leave the scheme out")
	case strings.Contains(host, "/"):
		k.r.Errorf(t.pos, "a host name has no path").Suggest("write %s", quote(before(host, "/")))
	case strings.Contains(host, ":"):
		k.r.Errorf(t.pos, "a host name has no port").Suggest("write %s", quote(before(host, ":")))
	case !isHost(host):
		k.r.Errorf(t.pos, "%s is not a host name", quote(t.value))
	}
	return host
}

// before returns what stands before sep.
func before(s, sep string) string { b, _, _ := strings.Cut(s, sep); return b }

// isHost reports whether s is a host name in lower case (RFC 1123 §2.1).
func isHost(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

// isToken reports whether s is a token: RFC 9110 §5.6.2.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// upstreams compiles an upstream setting into a base URL for each environment.
func (k *compiler) upstreams(v perEnvironment) []string {
	out := make([]string, len(k.c.environments))
	seen := map[pos]string{}
	for i, t := range k.spread(v) {
		if !t.given {
			continue
		}
		base, done := seen[t.pos]
		if !done {
			base = k.upstream(t)
			seen[t.pos] = base
		}
		out[i] = base
	}
	return out
}

// upstream checks one base URL and returns it without a trailing slash.
func (k *compiler) upstream(t text) string {
	u := k.httpURL(t)
	if u == nil {
		return ""
	}
	switch {
	case u.RawQuery != "" || u.Fragment != "":
		k.r.Errorf(t.pos, "an upstream has no query and no fragment")
	case strings.Contains(u.EscapedPath(), "%") || strings.Contains(u.Path, "//") || strings.Contains(u.Path+"/", "/../"):
		k.r.Errorf(t.pos, "the path of an upstream must be plain")
	case u.Scheme == "http" && !private(u.Hostname()) && !k.d.Insecure.value:
		k.r.Errorf(t.pos, "requests would travel to %s unencrypted", quote(u.Hostname())).
			Suggest("use https://, or set insecure_http_upstream: true")
	}
	return strings.TrimSuffix(u.Scheme+"://"+u.Host+u.Path, "/")
}

// httpURL parses an absolute http or https URL, reporting what is not one.
func (k *compiler) httpURL(t text) *url.URL {
	if !t.given {
		return nil
	}
	u, err := url.Parse(t.value)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https":
		p := k.r.Errorf(t.pos, "this is not an http:// or https:// URL")
		if !strings.Contains(t.value, "://") {
			p.Suggest("write the scheme too: http:// or https://")
		}
	case u.User != nil:
		k.r.Errorf(t.pos, "a URL in a contract carries no user or password")
	case u.Hostname() == "" || u.Opaque != "" || !isHostOrAddress(u.Hostname()):
		k.r.Errorf(t.pos, "this URL has no proper host")
	default:
		return u
	}
	return nil
}

// isHostOrAddress reports whether s can be the host of a URL.
func isHostOrAddress(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	// Names of containers and services use "_" too.
	return isHost(strings.ReplaceAll(strings.ToLower(s), "_", "a"))
}

// private reports whether a host is this machine or on a private network, as far as
// its spelling tells: a name is never looked up. Single-label names are those of
// containers and services of one cluster.
func private(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
	}
	host = strings.ToLower(host)
	if !strings.Contains(host, ".") {
		return true
	}
	for _, suffix := range []string{".localhost", ".local", ".internal", ".svc", ".cluster.local", ".home.arpa"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// loopback reports whether a host is this machine by its spelling.
func loopback(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().IsLoopback()
	}
	return strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost")
}
