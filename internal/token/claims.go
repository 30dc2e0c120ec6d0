package token

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds the nesting of claims.
const maxDepth = 32

// Claims are what a verified token says (RFC 7519 §4). Claims of another type than the
// standard gives them make the token malformed, so what is here has the right one.
type Claims struct {
	Issuer, Subject, ID string

	Audience         []string
	AudienceIsString bool // aud was one string and not an array

	// Whole seconds, or what a fraction of one says; zero when the token has none.
	Expires, IssuedAt, NotBefore time.Time

	payload []byte // what members point into
	members []member
}

// member is one claim as it stands in the token.
type member struct {
	name  string
	value jsontext.Value
}

// Names returns the names of all claims, in the token's order.
func (c *Claims) Names() []string {
	out := make([]string, len(c.members))
	for i, m := range c.members {
		out[i] = m.name
	}
	return out
}

// Has reports whether the token has the claim.
func (c *Claims) Has(name string) bool { return c.find(name) != nil }

// find returns a claim's JSON, nil when there is none.
func (c *Claims) find(name string) jsontext.Value {
	for i := range c.members {
		if c.members[i].name == name {
			return c.members[i].value
		}
	}
	return nil
}

// Text returns a claim that is a string, and "" for any other and for none.
func (c *Claims) Text(name string) string {
	text, err := stringValue(c.find(name))
	if err != nil {
		return ""
	}
	return text
}

// Get returns a claim as JSON's Go value: nil, bool, float64, string, []any or
// map[string]any. It is nil when there is none.
func (c *Claims) Get(name string) any {
	var out any
	if v := c.find(name); v == nil || json.Unmarshal(v, &out) != nil {
		return nil
	}
	return out
}

// Decode reads a claim into target, with exact case and no duplicates. The error is
// ErrMalformed, also when the token has no such claim.
func (c *Claims) Decode(name string, target any) error {
	if v := c.find(name); v == nil || json.Unmarshal(v, target) != nil {
		return ErrMalformed
	}
	return nil
}

// Scopes returns the scopes in a claim, in its order: a string of words with single
// spaces between them (RFC 6749 §3.3), or an array of such words. present says whether
// the token has the claim at all. The error is ErrMalformed, for any other type too.
func (c *Claims) Scopes(name string) (scopes []string, present bool, err error) {
	v := c.find(name)
	switch {
	case v == nil:
		return nil, false, nil
	case v.Kind() == '"':
		text, err := stringValue(v)
		if err != nil || text == "" {
			return nil, true, err
		}
		scopes = strings.Split(text, " ")
	case v.Kind() == '[':
		if json.Unmarshal(v, &scopes) != nil {
			return nil, true, ErrMalformed
		}
	default:
		return nil, true, ErrMalformed
	}
	if slices.ContainsFunc(scopes, func(s string) bool { return !isScope(s) }) {
		return nil, true, ErrMalformed
	}
	return scopes, true, nil
}

// isScope reports whether s is a scope-token of RFC 6749 §3.3.
func isScope(s string) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return false
		}
	}
	return s != ""
}

// readClaims decodes a payload. The error is ErrMalformed.
func readClaims(payload []byte) (Claims, error) {
	if !shallow(payload) {
		return Claims{}, ErrMalformed
	}
	c := Claims{payload: payload, members: make([]member, 0, 12)}
	if json.Unmarshal(payload, (*reader)(&c)) != nil {
		return Claims{}, ErrMalformed
	}
	return c, nil
}

// reader reads claims out of the payload that they point into.
type reader Claims

// UnmarshalJSONFrom is what go-json-experiment's Unmarshal calls.
func (r *reader) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	c := (*Claims)(r)
	return members(dec, func(name string, value jsontext.Value, end int64) error {
		value = c.payload[end-int64(len(value)) : end]
		c.members = append(c.members, member{name, value})
		var err error
		switch name {
		case "iss":
			c.Issuer, err = stringValue(value)
		case "sub":
			c.Subject, err = stringValue(value)
		case "jti":
			c.ID, err = stringValue(value)
		case "aud":
			err = c.audience(value)
		case "exp":
			c.Expires, err = numericDate(value)
		case "iat":
			c.IssuedAt, err = numericDate(value)
		case "nbf":
			c.NotBefore, err = numericDate(value)
		}
		return err
	})
}

// audience reads aud: a string or an array of strings (RFC 7519 §4.1.3).
func (c *Claims) audience(value jsontext.Value) error {
	if value.Kind() == '"' {
		one, err := stringValue(value)
		c.Audience, c.AudienceIsString = []string{one}, true
		return err
	}
	var list []jsontext.Value
	if value.Kind() != '[' || json.Unmarshal(value, &list) != nil {
		return ErrMalformed
	}
	c.Audience = make([]string, len(list))
	for i, v := range list {
		one, err := stringValue(v)
		if err != nil {
			return err
		}
		c.Audience[i] = one
	}
	return nil
}

// maxDate is the last second of the year 9999; later dates do not print.
const maxDate = 253402300799

// numericDate reads a NumericDate (RFC 7519 §2): a number of seconds since 1970, which
// may have a fraction. Anything else, a number in a string included, is an error.
func numericDate(v jsontext.Value) (time.Time, error) {
	if v.Kind() != '0' {
		return time.Time{}, ErrMalformed
	}
	if seconds, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		if seconds < 0 || seconds > maxDate {
			return time.Time{}, ErrMalformed
		}
		return time.Unix(seconds, 0).UTC(), nil
	}
	seconds, err := strconv.ParseFloat(string(v), 64)
	if err != nil || !(seconds >= 0 && seconds <= maxDate) {
		return time.Time{}, ErrMalformed
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), nil
}

// shallow reports whether brackets nest no deeper than maxDepth. It looks at bytes
// alone, before a parser that would have to follow them.
func shallow(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return false
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return true
}
