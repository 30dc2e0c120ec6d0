// Package target reads the two things of a request that attackers spell in many
// ways: the request target ([Parse]) and the client's address ([Client]).
//
// Both refuse rather than repair. A target that has a second spelling is refused, so
// that the bytes a route was matched against are the bytes the upstream gets, and no
// decoding in between can make them mean something else. The package is pure: values
// in, values out, no allocation when the answer is yes.
package target

import (
	"errors"
	"unicode/utf8"
)

// MaxLength is the longest request target that [Parse] accepts, in bytes.
const MaxLength = 8192

// Parts are the pieces of a canonical request target. Both are substrings of the
// target, still encoded.
type Parts struct {
	// Path starts with "/" and holds no query.
	Path string

	// Query is what follows the first "?", without it; "" also when there is none.
	Query string

	// EncodedSlash reports that Path contains "%2F". Such a target is canonical only
	// for a route that says so: the caller MUST refuse it otherwise, because an
	// upstream that decodes before it routes sees one segment more.
	EncodedSlash bool

	// EncodedDelim reports that Path spells a delimiter which needs no encoding
	// ("%3A" for ":", "%40" for "@", and the like). Encoders of data write them, so
	// they cannot be refused in general, but they must not slip past a pattern whose
	// literal text holds that delimiter.
	EncodedDelim bool
}

// The refusals. They name what is wrong and never quote it.
var (
	ErrForm      = errors.New("target: not in origin form") // RFC 9112 §3.2.1
	ErrLength    = errors.New("target: too long")
	ErrByte      = errors.New("target: byte that does not belong in a target")
	ErrEscape    = errors.New("target: malformed percent escape")
	ErrEncoded   = errors.New("target: encoded byte that must not be encoded")
	ErrSegment   = errors.New("target: empty or dot segment")
	ErrCharacter = errors.New("target: escapes that are not UTF-8")
)

// Parse splits a raw request target into path and query, and accepts only the one
// canonical spelling of a path:
//
//   - origin form (RFC 9112 §3.2.1): absolute form, authority form and "*" are refused;
//   - bytes of RFC 3986's pchar and "/", without ";", which servers read as the start
//     of parameters;
//   - no empty segment ("//"), no "." or ".." segment;
//   - percent escapes of two hexadecimal digits of either case, never for unreserved
//     characters, controls, or any of / \ . % ; ? #, with "%2F" reported instead of
//     refused; together they decode to valid UTF-8.
//
// The query takes no part in any decision: it may hold any printable ASCII byte but
// "#", and its escapes must be well formed.
func Parse(raw string) (Parts, error) {
	if len(raw) > MaxLength {
		return Parts{}, ErrLength
	}
	if raw == "" || raw[0] != '/' {
		return Parts{}, ErrForm
	}
	var p Parts
	segment := 1 // where the current segment starts
	for i := 1; i < len(raw); i++ {
		switch classes[raw[i]] {
		case classPlain:
		case classSlash:
			if badSegment(raw[segment:i], false) {
				return Parts{}, ErrSegment
			}
			segment = i + 1
		case classPercent:
			n, err := p.escape(raw[i:])
			if err != nil {
				return Parts{}, err
			}
			i += n - 1
		case classQuery:
			if badSegment(raw[segment:i], true) {
				return Parts{}, ErrSegment
			}
			p.Path, p.Query = raw[:i], raw[i+1:]
			return p, checkQuery(&p)
		default:
			return Parts{}, ErrByte
		}
	}
	if badSegment(raw[segment:], true) {
		return Parts{}, ErrSegment
	}
	p.Path = raw
	return p, nil
}

// badSegment reports whether a path may not contain the segment. The last one may be
// empty: "/" and "/v1/" are canonical.
func badSegment(s string, last bool) bool {
	switch len(s) {
	case 0:
		return !last
	case 1:
		return s[0] == '.'
	case 2:
		return s[0] == '.' && s[1] == '.'
	}
	return false
}

// escape reads one character's escapes at the start of s, which begins with "%", and
// returns their length: 3 for an ASCII byte, up to 12 for a character of four bytes.
func (p *Parts) escape(s string) (int, error) {
	b, ok := unescape(s)
	if !ok {
		return 0, ErrEscape
	}
	if b >= utf8.RuneSelf {
		return escapedRune(s, b)
	}
	switch encodings[b] {
	case encodeForbidden:
		return 0, ErrEncoded
	case encodeSlash:
		p.EncodedSlash = true
	case encodeDelim:
		p.EncodedDelim = true
	}
	return 3, nil
}

// escapedRune reads the escapes of one non-ASCII character. Overlong forms ("%C0%AE"
// for ".") and halves of surrogates are not UTF-8 and so are refused.
func escapedRune(s string, first byte) (int, error) {
	buf := [utf8.UTFMax]byte{first}
	n := 1
	for ; n < utf8.UTFMax && !utf8.FullRune(buf[:n]); n++ {
		b, ok := unescape(s[min(3*n, len(s)):])
		if !ok {
			return 0, ErrCharacter
		}
		buf[n] = b
	}
	if r, size := utf8.DecodeRune(buf[:n]); r == utf8.RuneError && size <= 1 {
		return 0, ErrCharacter
	}
	return 3 * n, nil
}

// unescape decodes the percent escape at the start of s.
func unescape(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	hi, lo := hexDigits[s[1]], hexDigits[s[2]]
	return (hi-1)<<4 | (lo - 1), hi != 0 && lo != 0
}

// checkQuery checks the bytes of p's query, and empties p when they are refused.
func checkQuery(p *Parts) error {
	q := p.Query
	for i := 0; i < len(q); i++ {
		switch c := q[i]; {
		case c <= ' ' || c >= 0x7f || c == '#':
			*p = Parts{}
			return ErrByte
		case c == '%':
			if _, ok := unescape(q[i:]); !ok {
				*p = Parts{}
				return ErrEscape
			}
			i += 2
		}
	}
	return nil
}
