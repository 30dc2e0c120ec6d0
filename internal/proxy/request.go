package proxy

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/cardea-dev/cardea/internal/people"
)

var (
	errSpecial = errors.New("proxy: the request asks for the standard path")
	errHead    = errors.New("proxy: a header value that would break framing")
)

// appendRequest appends the request's head as the upstream gets it. It returns errSpecial, and an unusable buffer, when a header asks for what
// only the standard path does.
func (p *passage) appendRequest(b []byte) ([]byte, error) {
	r := p.r
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, p.up.prefix...)
	b = append(b, p.target...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, p.host()...)
	b = append(b, "\r\n"...)
	lines := 2
	b, n, err := p.appendPassing(b)
	if err != nil {
		return b, err
	}
	lines += n
	for i := range p.own {
		b = appendField(b, p.own[i].name, p.own[i].value)
	}
	lines += len(p.own)
	if r.ContentLength > 0 || wantsLength(r.Method) {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, r.ContentLength, 10)
		b = append(b, "\r\n"...)
		lines++
	}
	b = append(b, "\r\n"...)
	lines++
	// Whatever the checks before this one missed, no value adds a line.
	if bytes.Count(b, []byte{'\n'}) != lines || bytes.Count(b, []byte{'\r'}) != lines ||
		bytes.IndexByte(b, 0) >= 0 {
		return b, errHead
	}
	return b, nil
}

// appendPassing appends the client's headers that pass, and counts the lines.
func (p *passage) appendPassing(b []byte) ([]byte, int, error) {
	var named []string // made hop-by-hop by the client's Connection header
	if values, ok := p.r.Header["Connection"]; ok {
		named = connectionNames(values)
	}
	lines := 0
	for name, values := range p.r.Header {
		switch p.names.request(name) {
		case fateDrop:
			continue
		case fateSpecial:
			return b, 0, errSpecial
		}
		if named != nil && slices.Contains(named, name) {
			continue
		}
		for _, v := range passing(name, values) {
			b = appendField(b, name, v)
			lines++
		}
	}
	return b, lines, nil
}

// passing returns the values of a header that pass. A person's session is not the API's
// business.
func passing(name string, values []string) []string {
	if name == "Cookie" {
		return people.WithoutSession(values)
	}
	return values
}

// host returns the Host header for the upstream: the client's own, so that the API
// sees the name it was asked under.
func (p *passage) host() string {
	if p.r.Host == "" {
		return p.up.host
	}
	return p.r.Host
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, ": "...)
	b = append(b, value...)
	return append(b, "\r\n"...)
}

// wantsLength reports whether a request without a body says so (RFC 9110 §8.6).
func wantsLength(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}
