package proxy

import (
	"net/textproto"
	"strings"
)

// A field is one header line, its name spelled exactly as it goes over the wire.
type field struct{ name, value string }

// fate is what becomes of a header on its way through.
type fate uint8

const (
	fatePass fate = iota
	fateDrop
	fateSpecial // asks for something that only the standard path does
)

// hopByHop are the headers that speak about one connection (RFC 9110 §7.6.1), and
// those that the sender of a message writes itself. No side's copy reaches the other.
var hopByHop = []string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate",
	"Proxy-Authorization", "Proxy-Authentication-Info", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "Content-Length", "Http2-Settings",
	"Host", // HTTP/2 lets one stand beside :authority, and net/http leaves it there
}

// claims are the headers by which requests claim what only a gateway may say: where
// they come from, which URL or method they are really about, and who the caller is
// (threats T1, T2; the lists of published bypasses).
var claims = []string{
	"Forwarded", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Originating-Ip",
	"X-Remote-Ip", "X-Remote-Addr", "X-Remote-User", "Remote-User", "Remote-Addr",
	"True-Client-Ip", "Client-Ip", "Cf-Connecting-Ip", "Cf-Connecting-Ipv6", "Fastly-Client-Ip",
	"X-Appengine-User-Ip", "X-Azure-Clientip", "X-Envoy-External-Address", "X-Proxyuser-Ip",
	"X-Original-Url", "X-Original-Uri", "X-Original-Host", "X-Original-Method",
	"X-Original-Path", "X-Rewrite-Url", "X-Override-Url", "X-Http-Destinationurl",
	"X-Http-Method-Override", "X-Http-Method", "X-Method-Override", "X-Host",
	"X-Http-Host-Override", "X-Forward-For", "X-Scheme", "X-Url-Scheme", "Front-End-Https",
	"X-Arr-Ssl", "X-Arr-Clientcert", "X-Ssl-Client-Cert", "Ssl-Client-Cert", "Client-Cert",
	"Client-Cert-Chain", "X-Authenticated-User", "X-Webauth-User",
}

// claimPrefixes are whole families of such names.
var claimPrefixes = []string{"x-forwarded-", "x-cardea-", "proxy-", "x-envoy-", "x-amzn-oidc-"}

// special are the request headers that ask for what the fast path does not do.
var special = []string{"Te", "Upgrade", "Expect", "Trailer"}

// ordinary are request headers so common that judging their names each time would be
// waste. The table only saves work: every name outside it is judged.
var ordinary = []string{
	"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization",
	"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language",
	"Content-Type", "Cookie", "Date", "Dnt", "Etag", "From", "Idempotency-Key", "If-Match",
	"If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since",
	"Last-Event-Id", "Origin", "Pragma", "Prefer", "Priority", "Range", "Referer",
	"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Websocket-Extensions",
	"Sec-Websocket-Key", "Sec-Websocket-Protocol", "Sec-Websocket-Version",
	"Traceparent", "Tracestate", "User-Agent", "Via", "X-Requested-With",
}

// A nameSet says what becomes of the headers of a message, by canonical name. It is
// immutable once made.
type nameSet struct {
	known map[string]fate
	own   map[string]bool // folded names that only Cardea may write
}

// requestNames returns the rules for request headers: own are the names Cardea may
// set, credentials the headers credentials arrive in. None of them passes.
func requestNames(own, credentials []string) *nameSet {
	s := &nameSet{known: make(map[string]fate), own: make(map[string]bool)}
	s.put(fatePass, ordinary)
	s.put(fateDrop, claims)
	s.put(fateDrop, hopByHop)
	s.put(fateSpecial, special)
	s.put(fateDrop, credentials)
	s.put(fateDrop, own)
	for _, list := range [][]string{claims, own, credentials} {
		for _, name := range list {
			s.own[fold(name)] = true
		}
	}
	return s
}

// replyNames returns the rules for response headers: own are the names that only
// Cardea may set.
func replyNames(own []string) *nameSet {
	s := &nameSet{known: make(map[string]fate), own: make(map[string]bool)}
	s.put(fateDrop, hopByHop)
	delete(s.known, "Content-Length") // the reader of the response has checked it
	s.put(fateDrop, own)
	return s
}

func (s *nameSet) put(f fate, names []string) {
	for _, name := range names {
		s.known[textproto.CanonicalMIMEHeaderKey(name)] = f
	}
}

// request returns what becomes of a request header. Besides the listed names it drops
// whatever could be read as one of them: servers of the CGI family cannot tell "_"
// from "-", so a name with "_" never passes.
func (s *nameSet) request(name string) fate {
	if f, known := s.known[name]; known {
		return f
	}
	if !validName(name) || strings.IndexByte(name, '_') >= 0 {
		return fateDrop
	}
	folded := fold(name)
	if s.own[folded] {
		return fateDrop
	}
	for _, prefix := range claimPrefixes {
		if strings.HasPrefix(folded, prefix) {
			return fateDrop
		}
	}
	return fatePass
}

// reply reports whether a response header of the upstream passes.
func (s *nameSet) reply(name string) bool {
	return s.known[name] == fatePass
}

// fold returns the form in which two names are the same to a careless reader: one that
// makes variables of headers, where only letters and digits keep their difference.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
}

// isTokenByte holds the bytes of RFC 9110 §5.6.2's tchar.
var isTokenByte = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()

// validName reports whether a header name is a token.
func validName(name string) bool {
	for i := range len(name) {
		if !isTokenByte[name[i]] {
			return false
		}
	}
	return name != ""
}

// connectionNames returns the headers that a Connection header makes hop-by-hop, in
// canonical form, without the options that name no header.
func connectionNames(values []string) []string {
	var names []string
	for _, v := range values {
		for option := range strings.SplitSeq(v, ",") {
			option = strings.Trim(option, " \t")
			switch {
			case option == "", strings.EqualFold(option, "close"),
				strings.EqualFold(option, "keep-alive"), strings.EqualFold(option, "upgrade"):
			default:
				names = append(names, textproto.CanonicalMIMEHeaderKey(option))
			}
		}
	}
	return names
}

// hasToken reports whether a comma-separated header holds the token, in any case.
func hasToken(values []string, token string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.Trim(part, " \t"), token) {
				return true
			}
		}
	}
	return false
}
