package token

import (
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

// Peek reads a token's header and whom it claims to be from and about, without
// verifying anything. It refuses what [Gate] refuses and headers that bring their own
// keys or extensions. The error is ErrMalformed.
func Peek(text string) (Header, Unverified, error) {
	h, payload, err := open(text)
	if err != nil {
		return Header{}, Unverified{}, err
	}
	c, err := readClaims(payload)
	if err != nil {
		return Header{}, Unverified{}, err
	}
	return h.Header, Unverified{Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience}, nil
}

// open passes a token through the gate and decodes its first two parts.
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
	if h.jwk != nil {
		return header{}, nil, ErrMalformed
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
	return members(dec, func(name string, value jsontext.Value) error {
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

// members calls fn with the members of the object that comes next. The decoder refuses
// names that occur twice. value is only good during the call.
func members(dec *jsontext.Decoder, fn func(name string, value jsontext.Value) error) error {
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
		if err := fn(text, value); err != nil {
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
	if plain := v[1 : len(v)-1]; !strings.Contains(string(plain), `\`) {
		return string(plain), nil
	}
	out, err := jsontext.AppendUnquote(nil, v)
	return string(out), err
}
