package contract

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cardea-dev/cardea/internal/strictyaml"
)

// A pattern is a parsed route: a method and a path in the syntax of
// [net/http.ServeMux], without a host.
type pattern struct {
	method   string // "" for any
	segments []segment
}

// A segment is one part of a path between slashes.
type segment struct {
	text  string // the literal, or the wildcard's name
	wild  bool   // matches any one segment that is not empty
	multi bool   // matches everything that is left, nothing included; always last
	end   bool   // {$}: matches only the slash at the end; always last
}

// maxSegments bounds a pattern, and with it how deep matching recurses.
const maxSegments = 32

// parsePattern reads a pattern. Its errors are for the author of the contract.
func parsePattern(s string) (pattern, error) {
	var p pattern
	path := s
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		p.method, path = s[:i], strings.TrimLeft(s[i:], " \t")
		if err := checkMethod(p.method); err != nil {
			return p, err
		}
	}
	if !strings.HasPrefix(path, "/") {
		return p, errors.New("a route is a path that begins with \"/\", optionally after a method")
	}
	parts := strings.Split(path[1:], "/")
	if len(parts) > maxSegments {
		return p, fmt.Errorf("a route has at most %d segments", maxSegments)
	}
	names := map[string]bool{}
	for i, part := range parts {
		last := i == len(parts)-1
		if part == "" && last { // a slash at the end stands for everything below it
			p.segments = append(p.segments, segment{wild: true, multi: true})
			continue
		}
		seg, err := parseSegment(part, last)
		if err != nil {
			return p, err
		}
		if seg.wild && names[seg.text] {
			return p, fmt.Errorf("the wildcard {%s} is there twice", strictyaml.PrintableText(seg.text))
		}
		names[seg.text] = names[seg.text] || seg.wild
		p.segments = append(p.segments, seg)
	}
	return p, nil
}

// parseSegment reads one part between slashes.
func parseSegment(part string, last bool) (segment, error) {
	if !strings.ContainsAny(part, "{}") {
		return segment{text: part}, checkLiteral(part)
	}
	name, ok := strings.CutPrefix(part, "{")
	if ok {
		name, ok = strings.CutSuffix(name, "}")
	}
	if !ok || strings.ContainsAny(name, "{}") {
		return segment{}, errors.New("a wildcard fills a whole segment: /{name}/")
	}
	if name == "$" {
		if !last {
			return segment{}, errors.New("{$} stands at the end only")
		}
		return segment{end: true}, nil
	}
	name, multi := strings.CutSuffix(name, "...")
	switch {
	case !isIdentifier(name):
		return segment{}, errors.New("a wildcard's name has letters, digits and \"_\" only")
	case multi && !last:
		return segment{}, errors.New("{name...} stands at the end only")
	}
	return segment{text: name, wild: true, multi: multi}, nil
}

// checkMethod takes the methods a proxy can pass on: any token in upper case except
// those that are about the proxy itself.
func checkMethod(m string) error {
	switch {
	case m == "CONNECT" || m == "TRACE":
		return fmt.Errorf("%s is never passed on", m)
	case !isToken(m) || strings.ToUpper(m) != m:
		return errors.New("a method is written in capitals: GET, POST")
	}
	return nil
}

// checkLiteral takes the bytes that a canonical path holds as they are: RFC 3986
// unreserved, sub-delims without ";", ":" and "@".
func checkLiteral(s string) error {
	switch s {
	case "":
		return errors.New("a route has no empty segments")
	case ".", "..":
		return errors.New("a route has no dot segments")
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("-._~!$&'()*+,=:@", c) >= 0:
		case c == '%':
			return errors.New("a route is written without percent-encoding")
		default:
			return errors.New("a route holds only letters, digits and -._~!$&'()*+,=:@")
		}
	}
	return nil
}

// isIdentifier reports whether s can name a wildcard.
func isIdentifier(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// String returns the pattern in its normal spelling.
func (p pattern) String() string {
	var b strings.Builder
	if p.method != "" {
		b.WriteString(p.method + " ")
	}
	for _, s := range p.segments {
		switch {
		case s.end:
			b.WriteString("/{$}")
		case s.multi && s.text == "":
			b.WriteString("/")
		case s.multi:
			b.WriteString("/{" + s.text + "...}")
		case s.wild:
			b.WriteString("/{" + s.text + "}")
		default:
			b.WriteString("/" + s.text)
		}
	}
	return b.String()
}

// A relation says how what two patterns match compares.
type relation uint8

const (
	equivalent   relation = iota // both match the same requests
	moreGeneral                  // the first matches all that the second does, and more
	moreSpecific                 // the other way round
	disjoint                     // nothing matches both
	overlaps                     // some requests match both, and neither contains the other
)

// compare relates two patterns; the rules are those of [net/http.ServeMux].
func (p pattern) compare(q pattern) relation {
	methods := compareMethods(p.method, q.method)
	if methods == disjoint {
		return disjoint
	}
	return combine(methods, comparePaths(p.segments, q.segments))
}

// compareMethods relates two methods; "" is any.
func compareMethods(a, b string) relation {
	switch {
	case a == b:
		return equivalent
	case a == "", a == "GET" && b == "HEAD": // GET answers HEAD
		return moreGeneral
	case b == "", b == "GET" && a == "HEAD":
		return moreSpecific
	}
	return disjoint
}

// comparePaths relates two paths segment by segment.
func comparePaths(a, b []segment) relation {
	result := equivalent
	for i := 0; i < len(a) && i < len(b); i++ {
		result = combine(result, compareSegments(a[i], b[i]))
		if result == disjoint || a[i].multi || b[i].multi {
			// A part that matches all the rest ends the comparison: what follows in
			// the other only narrows it.
			return result
		}
	}
	if len(a) != len(b) {
		return disjoint // "/a" against "/a/{rest...}": the slash is missing
	}
	return result
}

// compareSegments relates two parts at the same place.
func compareSegments(a, b segment) relation {
	switch {
	case a.multi && b.multi:
		return equivalent
	case a.multi:
		return moreGeneral
	case b.multi:
		return moreSpecific
	case a.end && b.end:
		return equivalent
	case a.end || b.end: // a wildcard needs at least one character
		return disjoint
	case a.wild && b.wild:
		return equivalent
	case a.wild:
		return moreGeneral
	case b.wild:
		return moreSpecific
	case a.text == b.text:
		return equivalent
	}
	return disjoint
}

// combine merges the relations of two parts of a pattern into that of the whole.
func combine(a, b relation) relation {
	switch {
	case a == disjoint || b == disjoint:
		return disjoint
	case a == equivalent:
		return b
	case b == equivalent || a == b:
		return a
	}
	return overlaps
}
