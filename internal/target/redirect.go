package target

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxRedirect is the longest redirect URI that may be registered, in bytes.
const maxRedirect = 2048

// The refusals of [CheckRedirectURI]. They name what is wrong and never quote it.
var (
	ErrRedirectLength   = errors.New("a redirect URI has at most 2,048 characters")
	ErrRedirectByte     = errors.New("a redirect URI has a character that must be percent-encoded")
	ErrRedirectForm     = errors.New("a redirect URI is absolute: a scheme, and a host or a path")
	ErrRedirectFragment = errors.New("a redirect URI has no fragment")
	ErrRedirectUser     = errors.New("a redirect URI has no user name and no password")
	ErrRedirectHost     = errors.New("the host of a redirect URI is a host name in lower case or an IP address")
	ErrRedirectPath     = errors.New("the path of a redirect URI has no dot segments")
	ErrRedirectHTTP     = errors.New("a redirect URI without TLS goes to this device only: 127.0.0.1, [::1] or localhost")
	ErrRedirectScheme   = errors.New("the scheme of an app's redirect URI is a domain name in reverse, such as com.example.app")
)

// CheckRedirectURI says whether a text may be registered as the redirect URI of a
// client, by RFC 6749 §3.1.2, RFC 8252 §7 and RFC 9700 §2.6:
//
//   - https with a proper host, on any port;
//   - http only to 127.0.0.1, [::1] or localhost;
//   - a private-use scheme with a dot in it, as a domain in reverse has, which leaves
//     javascript:, data: and their like out.
//
// What browsers and parsers read in more than one way is refused: user names, fragments,
// backslashes, escapes in the host, dot segments, characters outside of RFC 3986.
func CheckRedirectURI(text string) error {
	if err := checkRedirectBytes(text); err != nil {
		return err
	}
	scheme, rest, found := strings.Cut(text, ":")
	if !found || !isScheme(scheme) || !strings.HasPrefix(rest, "/") {
		return ErrRedirectForm
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return ErrRedirectForm
	}
	switch {
	case u.User != nil || strings.Contains(authority(rest), "@"):
		return ErrRedirectUser
	case hasDotSegment(u.EscapedPath()):
		return ErrRedirectPath
	case scheme == "https":
		return checkRedirectHost(u, rest)
	case scheme == "http":
		if !isLoopbackName(u.Hostname()) {
			return ErrRedirectHTTP
		}
		return checkRedirectHost(u, rest)
	case !strings.Contains(scheme, "."):
		return ErrRedirectScheme
	}
	return nil
}

// checkRedirectBytes refuses what RFC 3986 does not allow in a URI, and fragments.
func checkRedirectBytes(text string) error {
	if len(text) > maxRedirect {
		return ErrRedirectLength
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '#':
			return ErrRedirectFragment
		case c == '%':
			if _, ok := unescape(text[i:]); !ok {
				return ErrRedirectByte
			}
			i += 2
		case c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			return ErrRedirectByte
		}
	}
	return nil
}

// isScheme reports whether s is a URI's scheme in lower case: RFC 3986 §3.1. The upper
// case is left out because redirect URIs are compared as they stand.
func isScheme(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != ""
}

// authority returns what stands between "//" and the path, "" when there is none.
func authority(rest string) string {
	after, found := strings.CutPrefix(rest, "//")
	if !found {
		return ""
	}
	if end := strings.IndexAny(after, "/?"); end >= 0 {
		return after[:end]
	}
	return after
}

// checkRedirectHost checks the authority of a web address: one spelling for each.
func checkRedirectHost(u *url.URL, rest string) error {
	host, port := u.Hostname(), u.Port()
	written := host
	if strings.Contains(host, ":") {
		written = "[" + host + "]"
	}
	if port != "" {
		written += ":" + port
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '0' {
			return ErrRedirectHost
		}
	}
	if written != authority(rest) || !isRedirectHost(host) {
		return ErrRedirectHost
	}
	return nil
}

// isRedirectHost reports whether s is an IP address in its canonical form, or a host
// name in lower case whose last label is not a number: browsers take such names for
// IPv4 addresses in one of many spellings.
func isRedirectHost(s string) bool {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Zone() == "" && a.String() == s
	}
	if s == "" || len(s) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
		last = label
	}
	return last[0] < '0' || last[0] > '9'
}

// isLoopbackName reports whether a host is this device by RFC 8252 §7.3 and §8.3.
func isLoopbackName(host string) bool {
	return host == "127.0.0.1" || host == "::1" || host == "localhost"
}

// hasDotSegment reports whether a path has a "." or ".." segment, encoded ones included.
func hasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".", "..":
			return true
		}
	}
	return false
}

// MatchRedirectURI reports whether a redirect URI of a request is the registered one:
// byte for byte, but for the port of a loopback IP address, which a program on the
// user's device is given by its system at the last moment (RFC 8252 §7.3, RFC 9700
// §4.1.3). "localhost" is compared as it stands: it may resolve to something else.
func MatchRedirectURI(registered, given string) bool {
	if registered == given {
		return true
	}
	for _, base := range []string{"http://127.0.0.1", "http://[::1]"} {
		if a, ok := afterPort(registered, base); ok {
			b, ok := afterPort(given, base)
			return ok && a == b
		}
	}
	return false
}

// afterPort returns what follows base and an optional port in a URI.
func afterPort(uri, base string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(uri, base)
	if !ok {
		return "", false
	}
	if port, found := strings.CutPrefix(rest, ":"); found {
		end := len(port)
		if i := strings.IndexAny(port, "/?"); i >= 0 {
			end = i
		}
		n, err := strconv.ParseUint(port[:end], 10, 16)
		if err != nil || n == 0 || port[0] == '0' {
			return "", false
		}
		rest = port[end:]
	}
	return rest, rest == "" || rest[0] == '/' || rest[0] == '?'
}

// RedirectOrigin returns the origin of a registered redirect URI as browsers write it
// (RFC 6454 §6.1), "" for one of an app's own scheme.
func RedirectOrigin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	host := u.Host
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// IsDeviceRedirect reports whether a registered redirect URI goes to a program on the
// user's device, a loopback address or an app's scheme, which any other program there
// may have taken: the client is not proved by it (RFC 8252 §8.6).
func IsDeviceRedirect(uri string) bool {
	u, err := url.Parse(uri)
	return err != nil || u.Scheme != "https"
}
