package token

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Header is what a token's protected header says (RFC 7515 §4). None of it is
// verified.
type Header struct {
	Algorithm string // alg
	KeyID     string // kid, "" when there is none
	Type      string // typ, "" when there is none
}

// Unverified is what a token claims about itself before its signature was looked at:
// good for finding out whose keys to ask, and for nothing else.
type Unverified struct {
	Issuer, Subject string
	Audience        []string
}

// A Parsed is a token that was read and not verified yet: for callers that look at it
// to find out whose keys to ask, and then verify it without reading it again.
type Parsed struct {
	Header     Header
	Unverified Unverified

	text   string
	claims Claims
}

// Parse reads a token without verifying anything. It refuses what [Gate] refuses,
// headers that bring their own keys or extensions, and claims of a wrong type. The
// error is ErrMalformed.
func Parse(text string) (Parsed, error) {
	h, payload, err := open(text)
	if err != nil || h.jwk != nil {
		return Parsed{}, ErrMalformed
	}
	c, err := readClaims(payload)
	if err != nil {
		return Parsed{}, err
	}
	says := Unverified{Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience}
	return Parsed{Header: h.Header, Unverified: says, text: text, claims: c}, nil
}

// Peek is Parse for callers that want to look only.
func Peek(text string) (Header, Unverified, error) {
	p, err := Parse(text)
	return p.Header, p.Unverified, err
}

// open passes a token through the gate, reads its header and decodes its payload.
func open(text string) (header, []byte, error) {
	if err := Gate(text); err != nil {
		return header{}, nil, err
	}
	first, rest, _ := strings.Cut(text, ".")
	second, _, _ := strings.Cut(rest, ".")
	h, err := readHeader(first)
	if err != nil {
		return header{}, nil, err
	}
	payload, err := decode(second)
	return h, payload, err
}

// decode decodes base64url digits that passed the gate.
func decode(part string) ([]byte, error) {
	out, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, ErrMalformed
	}
	return out, nil
}

// header is a header with the key it brings along, which only a proof may (RFC 9449
// §4.2).
type header struct {
	Header
	jwk jsontext.Value
}

// readHeader decodes a header part.
func readHeader(part string) (header, error) {
	text, err := decode(part)
	if err != nil {
		return header{}, err
	}
	var h header
	if !shallow(text) || json.Unmarshal(text, &h) != nil || h.Algorithm == "" {
		return header{}, ErrMalformed
	}
	return h, nil
}

// UnmarshalJSONFrom reads a header's members. Those that would change what is verified,
// or with what, are errors: jku, x5u and x5c name or bring a key, crit, b64 and zip
// change how the rest is read, enc is an encrypted token's.
func (h *header) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	return members(dec, func(name string, value jsontext.Value, _ int64) error {
		var err error
		switch name {
		case "alg":
			h.Algorithm, err = stringValue(value)
		case "kid":
			h.KeyID, err = stringValue(value)
		case "typ":
			h.Type, err = stringValue(value)
		case "jwk":
			h.jwk = value.Clone()
		case "crit", "jku", "x5u", "x5c", "b64", "zip", "enc":
			err = ErrMalformed
		}
		return err
	})
}

// members calls fn with the members of the object that comes next, and with where in
// the input each value ends. The decoder refuses names that occur twice. value is only
// good during the call.
func members(dec *jsontext.Decoder, fn func(name string, value jsontext.Value, end int64) error) error {
	if dec.PeekKind() != '{' {
		return ErrMalformed
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		text := name.String()
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if err := fn(text, value, dec.InputOffset()); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// stringValue returns a JSON string's text; any other value is an error, null too.
func stringValue(v jsontext.Value) (string, error) {
	if v.Kind() != '"' {
		return "", ErrMalformed
	}
	if plain := v[1 : len(v)-1]; bytes.IndexByte(plain, '\\') < 0 {
		return string(plain), nil
	}
	out, err := jsontext.AppendUnquote(nil, v)
	return string(out), err
}
