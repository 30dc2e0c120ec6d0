package token

import (
	"crypto"
	"crypto/rsa"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// MaxLeeway is how far the clocks of others may differ from ours.
const MaxLeeway = 60 * time.Second

// A Finder returns the keys that may have signed a token whose header has this kid
// ("" when it has none) and alg. [KeySet.Find] is one. Only keys whose Algorithm is alg
// are used.
type Finder func(kid, algorithm string) []Key

// Expect is what a token must say. The zero value admits no token: Issuer, and
// Audience or AnyAudience, must be set.
type Expect struct {
	Issuer string // iss, exactly

	Audience       string   // one of aud, exactly
	Audiences      []string // others that are as good
	SingleAudience bool     // aud must be one string (assertions, RFC 7523)
	AnyAudience    bool     // the caller looks at aud

	// Types are the header types to accept, "" standing for none; nil accepts every
	// type, which is for issuers that say nothing there. "application/" in front is
	// left out, and case does not matter (RFC 7515 §4.1.9).
	Types []string

	Now time.Time // required

	// Leeway is how far iat and nbf may lie ahead of Now, for clocks of others; at most
	// MaxLeeway. exp is always exact: a token is good for as long as it says.
	Leeway time.Duration

	// MaxLifetime is the longest time between iat (Now, when there is none) and exp;
	// 0 means no limit.
	MaxLifetime time.Duration

	RequireIssuedAt bool // iat must be there
	AnySubject      bool // sub may be missing
}

// Verify verifies a token: its spelling, its signature with one of the keys that find
// returns, and then what it says. The error is one of the Err values, the first that
// applies in the order spelling, type, key, signature, claims, and of the claims exp is
// the last: with ErrExpired the claims are returned, because everything else about the
// token was right. With any other error nothing is returned of it.
func Verify(text string, find Finder, e Expect) (Claims, error) {
	p, err := Parse(text)
	if err != nil {
		return Claims{}, err
	}
	return p.Verify(find, e)
}

// Verify is the function of this name for a token that was read already.
func (p *Parsed) Verify(find Finder, e Expect) (Claims, error) {
	if !typeIs(p.Header.Type, e.Types) {
		return Claims{}, ErrType
	}
	if err := verifySignature(p.text, p.Header, find); err != nil {
		return Claims{}, err
	}
	if err := e.check(&p.claims); err != nil {
		return Claims{}, err
	}
	if !e.Now.Before(p.claims.Expires) {
		return p.claims, ErrExpired
	}
	return p.claims, nil
}

// verifySignature verifies a token that passed the gate.
func verifySignature(text string, h Header, find Finder) error {
	alg := jose.SignatureAlgorithm(h.Algorithm)
	if !slices.Contains(algorithms, alg) {
		return ErrUnknownKey
	}
	keys := find(h.KeyID, h.Algorithm)
	if len(keys) == 0 {
		return ErrUnknownKey
	}
	signed, payload, err := remembered.open(text, alg)
	if err != nil {
		return err
	}
	if !verifies(signed, payload, keys, h.Algorithm) {
		return ErrSignature
	}
	remembered.keep(text, signed)
	return nil
}

// verifies reports whether one of the keys, used with its own algorithm and no other,
// made the signature.
func verifies(signed jose.JSONWebSignature, payload []byte, keys []Key, algorithm string) bool {
	return slices.ContainsFunc(keys, func(key Key) bool {
		return key.Algorithm == algorithm && fits(key.Public, algorithm) &&
			signed.DetachedVerify(payload, verificationKey(key)) == nil
	})
}

// verificationKey returns the key in the form that go-jose takes.
func verificationKey(key Key) any {
	if public, ok := key.Public.(*rsa.PublicKey); ok && strings.HasPrefix(key.Algorithm, "PS") {
		return pss{public}
	}
	return key.Public
}

// pss verifies RSASSA-PSS. go-jose accepts a salt of any length; RFC 7518 §3.5 wants
// the hash's.
type pss struct{ key *rsa.PublicKey }

// VerifyPayload is what go-jose calls with what was signed.
func (p pss) VerifyPayload(payload, signature []byte, alg jose.SignatureAlgorithm) error {
	hash := map[jose.SignatureAlgorithm]crypto.Hash{
		jose.PS256: crypto.SHA256, jose.PS384: crypto.SHA384, jose.PS512: crypto.SHA512,
	}[alg]
	if hash == 0 {
		return ErrSignature
	}
	h := hash.New()
	h.Write(payload)
	return rsa.VerifyPSS(p.key, hash, h.Sum(nil), signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
}

// typeIs reports whether a header's typ is one of those wanted.
func typeIs(typ string, want []string) bool {
	if want == nil {
		return true
	}
	const prefix = "application/"
	if len(typ) > len(prefix) && strings.EqualFold(typ[:len(prefix)], prefix) {
		typ = typ[len(prefix):]
	}
	return slices.ContainsFunc(want, func(w string) bool { return strings.EqualFold(w, typ) })
}

// check compares what a token says with what it must say.
func (e *Expect) check(c *Claims) error {
	switch {
	case e.Issuer == "" || c.Issuer != e.Issuer:
		return ErrIssuer
	case !e.audience(c):
		return ErrAudience
	case c.Subject == "" && !e.AnySubject:
		return ErrSubject
	}
	return e.times(c)
}

// audience reports whether the token is for whom it must be for.
func (e *Expect) audience(c *Claims) bool {
	if e.SingleAudience && !c.AudienceIsString {
		return false
	}
	if e.AnyAudience {
		return true
	}
	return slices.ContainsFunc(c.Audience, func(a string) bool {
		return a != "" && (a == e.Audience || slices.Contains(e.Audiences, a))
	})
}

// times checks nbf, iat and the time between iat and exp (RFC 7519 §4.1.4 to §4.1.6),
// and that there is an exp.
func (e *Expect) times(c *Claims) error {
	leeway := min(max(e.Leeway, 0), MaxLeeway)
	switch {
	case c.Expires.IsZero() || e.RequireIssuedAt && c.IssuedAt.IsZero():
		return ErrMalformed
	case c.NotBefore.After(e.Now.Add(leeway)) || c.IssuedAt.After(e.Now.Add(leeway)):
		return ErrNotYet
	}
	from := c.IssuedAt
	if from.IsZero() {
		from = e.Now
	}
	if e.MaxLifetime > 0 && c.Expires.Sub(from) > e.MaxLifetime {
		return ErrLifetime
	}
	return nil
}
