package token

import (
	"strings"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// maxEnvelopes bounds how many headers are remembered.
const maxEnvelopes = 256

// envelopes remembers what go-jose made of headers. All tokens of a key have the same
// one, and reading it again takes a third of what is done around the cryptography.
//
// What is kept depends on the header's text alone, so it does not matter who shares it.
// Only headers of tokens whose signature was good are taken in, and when there is no
// more room all are forgotten: strangers can neither fill it nor choose what is in it.
type envelopes struct {
	mu sync.RWMutex
	of map[string]jose.Signature // :: a token's first part → its signature, of any token
}

// remembered are the headers of tokens that were verified.
var remembered = envelopes{of: map[string]jose.Signature{}}

// open returns a token's payload and its envelope, with its own signature. The token
// has passed the gate; allowed is the algorithm that its header names.
func (e *envelopes) open(text string, allowed jose.SignatureAlgorithm) (jose.JSONWebSignature, []byte, error) {
	first, rest, _ := strings.Cut(text, ".")
	second, third, _ := strings.Cut(rest, ".")
	envelope, err := e.read(first, text, allowed)
	if err != nil {
		return jose.JSONWebSignature{}, nil, err
	}
	payload, err := decode(second)
	if err != nil {
		return jose.JSONWebSignature{}, nil, err
	}
	if envelope.Signature, err = decode(third); err != nil {
		return jose.JSONWebSignature{}, nil, err
	}
	return jose.JSONWebSignature{Signatures: []jose.Signature{envelope}}, payload, nil
}

// read returns what go-jose makes of a token's header.
func (e *envelopes) read(first, text string, allowed jose.SignatureAlgorithm) (jose.Signature, error) {
	e.mu.RLock()
	envelope, found := e.of[first]
	e.mu.RUnlock()
	if found {
		return envelope, nil
	}
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{allowed})
	if err != nil || len(signed.Signatures) != 1 {
		return jose.Signature{}, ErrMalformed
	}
	return signed.Signatures[0], nil
}

// keep remembers the header of a token whose signature was good.
func (e *envelopes) keep(text string, signed jose.JSONWebSignature) {
	first, _, _ := strings.Cut(text, ".")
	e.mu.RLock()
	_, found := e.of[first]
	e.mu.RUnlock()
	if found {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.of) >= maxEnvelopes {
		clear(e.of)
	}
	e.of[strings.Clone(first)] = signed.Signatures[0]
}
