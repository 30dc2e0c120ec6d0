package proxy

import (
	"bytes"
	"errors"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// errGarbage is what the upstream sent when it is not an HTTP/1 response that every
// reader understands the same way. Nothing of it is quoted.
var errGarbage = errors.New("proxy: malformed response")

// A head is a parsed response head (RFC 9112 §4 and §5).
type head struct {
	status int
	fields []field // canonical names; reused from response to response

	length    int64 // of the body; -1: not stated
	chunked   bool
	keepAlive bool
	announced []string // names in Trailer
	named     []string // names in Connection
}

// maxFields bounds the header lines of one response.
const maxFields = 256

// headEnd returns the length of the head at the start of b, its empty line included,
// or 0 when b does not hold all of it. from is where an earlier look stopped.
func headEnd(b []byte, from int) int {
	i := bytes.Index(b[max(0, from-3):], []byte("\r\n\r\n"))
	if i < 0 {
		return 0
	}
	return i + max(0, from-3) + 4
}

// parse reads a whole head. It is stricter than a client has to be: every line ends
// in CRLF, no line is folded, no name is followed by space, and the body's length is
// stated once and one way only. What is refused here becomes a 502.
func (h *head) parse(text string) error {
	*h = head{fields: h.fields[:0], length: -1}
	line, rest, ok := strings.Cut(text, "\r\n")
	if !ok || !h.parseStatus(line) {
		return errGarbage
	}
	for rest != "\r\n" {
		if line, rest, ok = strings.Cut(rest, "\r\n"); !ok {
			return errGarbage
		}
		f, ok := parseField(line)
		if !ok || len(h.fields) == maxFields {
			return errGarbage
		}
		h.fields = append(h.fields, f)
		if !h.framing(f) {
			return errGarbage
		}
	}
	if h.chunked && h.length >= 0 {
		return errGarbage // RFC 9112 §6.3: ought to be handled as an error
	}
	return nil
}

// parseStatus reads the status line: version, a status of three digits, and a reason
// that is dropped.
func (h *head) parseStatus(line string) bool {
	const version = "HTTP/1.1 "
	if len(line) < len(version)+3 || line[:7] != "HTTP/1." || line[8] != ' ' {
		return false
	}
	switch line[7] {
	case '1':
		h.keepAlive = true
	case '0':
	default:
		return false
	}
	for i := 9; i < 12; i++ {
		d := line[i] - '0'
		if d > 9 {
			return false
		}
		h.status = 10*h.status + int(d)
	}
	if len(line) > 12 && line[12] != ' ' || !validValue(line[12:]) {
		return false
	}
	return h.status >= 100 && h.status <= 599
}

// framing takes note of the fields that decide where the message ends and what
// becomes of the connection.
func (h *head) framing(f field) bool {
	switch f.name {
	case "Content-Length":
		n, ok := parseLength(f.value)
		if !ok || h.length >= 0 {
			return false // stated twice, even if alike
		}
		h.length = n
	case "Transfer-Encoding":
		// keepAlive still tells the version here: 1.0 has no transfer codings.
		if h.chunked || !h.keepAlive || !strings.EqualFold(f.value, "chunked") {
			return false
		}
		h.chunked = true
	case "Connection":
		h.named = append(h.named, f.value)
	case "Trailer":
		h.announced = append(h.announced, f.value)
	}
	return true
}

// parseLength reads a Content-Length: digits only, RFC 9110 §8.6.
func parseLength(s string) (int64, bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = 10*n + int64(d)
	}
	return n, true
}

// parseField reads one header line.
func parseField(line string) (field, bool) {
	i := strings.IndexByte(line, ':')
	if i <= 0 {
		return field{}, false
	}
	name, ok := canonical(line[:i])
	value := strings.Trim(line[i+1:], " \t")
	return field{name, value}, ok && validValue(value)
}

// validValue reports whether a value holds no control byte but a tab (RFC 9110 §5.5).
func validValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// canonical returns the canonical form of a header name. Common names come from a
// table, so that they cost no copy.
func canonical(name string) (string, bool) {
	if c, ok := canonicalNames[name]; ok {
		return c, true
	}
	if !validName(name) {
		return "", false
	}
	return textproto.CanonicalMIMEHeaderKey(name), true
}

// canonicalNames holds common response headers, as servers spell them.
var canonicalNames = func() map[string]string {
	names := make(map[string]string)
	for _, name := range []string{
		"Accept-Ranges", "Age", "Allow", "Alt-Svc", "Cache-Control", "Connection",
		"Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length",
		"Content-Location", "Content-Range", "Content-Security-Policy", "Content-Type",
		"Date", "Etag", "Expires", "Keep-Alive", "Last-Modified", "Link", "Location",
		"Pragma", "Referrer-Policy", "Retry-After", "Server", "Set-Cookie",
		"Strict-Transport-Security", "Trailer", "Transfer-Encoding", "Vary", "Via",
		"X-Content-Type-Options", "X-Frame-Options", "X-Powered-By", "X-Request-Id",
	} {
		names[name] = name
		names[strings.ToLower(name)] = name
	}
	names["ETag"] = "Etag"
	names["X-Request-ID"] = "X-Request-Id"
	return names
}()

// bodyless reports whether a response to the method has no body whatever its headers
// say (RFC 9112 §6.3).
func (h *head) bodyless(method string) bool {
	return method == http.MethodHead || h.status == http.StatusNoContent ||
		h.status == http.StatusNotModified || h.status < 200
}

// reusable reports whether the connection outlives the message.
func (h *head) reusable() bool {
	if h.status == http.StatusNoContent && (h.chunked || h.length > 0) {
		return false // there may be a body nobody may read
	}
	if len(h.named) == 0 {
		return h.keepAlive
	}
	if hasToken(h.named, "close") {
		return false
	}
	return h.keepAlive || hasToken(h.named, "keep-alive")
}

// apply copies the fields that pass into the header of the answer to the client. All
// values share one array.
func (h *head) apply(to http.Header, replies *nameSet) {
	var named []string
	if len(h.named) > 0 {
		named = connectionNames(h.named)
	}
	values := make([]string, len(h.fields))
	for i, f := range h.fields {
		if !replies.reply(f.name) || slices.Contains(named, f.name) {
			continue
		}
		values[i] = f.value
		if prior, ok := to[f.name]; ok {
			to[f.name] = append(prior, f.value)
		} else {
			to[f.name] = values[i : i+1 : i+1]
		}
	}
	if _, ok := to["Content-Type"]; !ok {
		to["Content-Type"] = nil // net/http is not to guess one
	}
}

// parseTrailers parses a trailer section, its empty line included (RFC 9112 §7.1.2).
func parseTrailers(text string) ([]field, error) {
	var fields []field
	for text != "\r\n" {
		line, rest, ok := strings.Cut(text, "\r\n")
		if !ok {
			return nil, errGarbage
		}
		f, ok := parseField(line)
		if !ok || len(fields) == maxFields {
			return nil, errGarbage
		}
		fields, text = append(fields, f), rest
	}
	return fields, nil
}
