package authz

import (
	"strings"

	"github.com/cardea-dev/cardea/contract"
)

// method returns the method to find a route for. For a CORS preflight (Fetch standard,
// "CORS-preflight request") it is the one that the page wants to use, and preflight is
// true.
func (j *judgement) method() (method string, preflight bool) {
	if j.req.Method != "OPTIONS" {
		return j.req.Method, false
	}
	wanted := j.req.Header["Access-Control-Request-Method"]
	if len(wanted) != 1 || len(j.req.Header["Origin"]) != 1 {
		return j.req.Method, false
	}
	return wanted[0], true
}

// delims are what [target.Parts.EncodedDelim] is about.
const delims = "!$&'()*+,=:@"

// ambiguous reports whether the path, with its delimiters decoded as the upstream may
// decode them, belongs to another route: then the request could be judged by one
// route's rules and served by the other.
func (j *judgement) ambiguous(method string, route *contract.Route) bool {
	return j.view.contract.Match(method, decodeDelims(j.path)).Route != route
}

// decodeDelims replaces the escapes of delimiters by what they stand for. The path is
// canonical: its escapes are well formed.
func decodeDelims(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '%' && i+2 < len(path) {
			c := unhex(path[i+1])<<4 | unhex(path[i+2])
			if strings.IndexByte(delims, c) >= 0 {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}

// equalFold compares two texts of the same length without regard to the case of ASCII
// letters. (strings.EqualFold would also take "K" for the Kelvin sign.)
func equalFold(a, b string) bool {
	for i := range len(a) {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x |= 0x20; x != y|0x20 || x < 'a' || x > 'z' {
			return false
		}
	}
	return true
}

func hasComma(s string) bool { return strings.IndexByte(s, ',') >= 0 }
