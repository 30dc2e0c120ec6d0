package token

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
)

// ProofWindow is how far a proof's iat may lie from our clock, either way.
const ProofWindow = 60 * time.Second

// maxProofID bounds a proof's jti in bytes.
const maxProofID = 256

// A Proof is what a DPoP proof must be for (RFC 9449 §4.3).
type Proof struct {
	Method string    // of the request
	URL    string    // of the request as its sender wrote it, absolute; query and fragment do not count
	Now    time.Time // required

	// Algorithms a proof may be signed with; nil means ES256, EdDSA and RS256.
	Algorithms []string

	// AccessToken is the token that came along, "" when none did: the proof must hold
	// its hash (ath). Thumbprint is the key that the token is bound to (cnf.jkt), ""
	// when it is bound to none.
	AccessToken string
	Thumbprint  string

	// Nonce reports whether a nonce is one of ours and still good; nil asks for none
	// (§8).
	Nonce func(nonce string) bool

	// Seen remembers an id until a time and reports whether it was remembered already:
	// [Replays.Seen], or a store's. It is asked last, when everything else is right.
	// nil refuses every proof.
	Seen func(id string, until time.Time) bool
}

// ProofHeader returns the one proof of a request, "" when it has none. Several are
// ErrProof (RFC 9449 §4.3, check 1).
func ProofHeader(h http.Header) (string, error) {
	lines := h["Dpop"]
	switch len(lines) {
	case 0:
		return "", nil
	case 1:
		return lines[0], nil
	}
	return "", ErrProof
}

// VerifyProof makes checks 2 to 12 of RFC 9449 §4.3 and returns the thumbprint of the
// key that made the proof. The error is ErrProof, or ErrNonce when the nonce alone is
// wrong or missing, or ErrReplayed.
func VerifyProof(text string, p Proof) (thumbprint string, err error) {
	key, payload, err := p.open(text)
	if err != nil {
		return "", ErrProof
	}
	thumbprint, err = Thumbprint(key.Public)
	if err != nil {
		return "", ErrProof
	}
	c, err := readClaims(payload)
	if err != nil || !p.matches(&c) {
		return "", ErrProof
	}
	if p.Thumbprint != "" && subtle.ConstantTimeCompare([]byte(p.Thumbprint), []byte(thumbprint)) != 1 {
		return "", ErrProof
	}
	if p.Nonce != nil && !p.Nonce(c.Text("nonce")) {
		return "", ErrNonce
	}
	// A thumbprint has a fixed length, so no other key and id make the same text.
	if p.Seen == nil || p.Seen(thumbprint+"."+c.ID, c.IssuedAt.Add(ProofWindow)) {
		return "", ErrReplayed
	}
	return thumbprint, nil
}

// proofAlgorithms are those a proof may be signed with unless told.
var proofAlgorithms = []string{"ES256", "EdDSA", "RS256"}

// open returns a proof's key and claims after its signature was verified with
// that key: typ, an asymmetric algorithm, and a public key in the header.
func (p *Proof) open(text string) (Key, []byte, error) {
	h, payload, err := open(text)
	if err != nil || h.jwk == nil || !typeIs(h.Type, []string{"dpop+jwt"}) {
		return Key{}, nil, ErrProof
	}
	allowed := p.Algorithms
	if allowed == nil {
		allowed = proofAlgorithms
	}
	if !slices.Contains(allowed, h.Algorithm) {
		return Key{}, nil, ErrProof
	}
	key, err := proofKey(h)
	if err != nil {
		return Key{}, nil, err
	}
	// Every client has a header of its own, so none is remembered.
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(h.Algorithm)})
	if err != nil || !verifies(*signed, payload, []Key{key}, h.Algorithm) {
		return Key{}, nil, ErrProof
	}
	return key, payload, nil
}

// proofKey reads the key in a proof's header, for the header's algorithm.
func proofKey(h header) (Key, error) {
	var k jwk
	if json.Unmarshal(h.jwk, &k) != nil || k.private() {
		return Key{}, ErrProof
	}
	key, ok := k.usable([]string{h.Algorithm})
	if !ok {
		return Key{}, ErrProof
	}
	return key, nil
}

// matches reports whether a proof's claims are for the request.
func (p *Proof) matches(c *Claims) bool {
	if c.ID == "" || len(c.ID) > maxProofID || c.IssuedAt.IsZero() {
		return false
	}
	age := p.Now.Sub(c.IssuedAt)
	if age > ProofWindow || age < -ProofWindow || c.NotBefore.After(p.Now.Add(ProofWindow)) ||
		!c.Expires.IsZero() && !p.Now.Before(c.Expires.Add(ProofWindow)) {
		return false
	}
	return p.Method != "" && c.Text("htm") == p.Method && sameURL(c.Text("htu"), p.URL) && p.bound(c)
}

// bound reports whether the proof is for the access token that came along.
func (p *Proof) bound(c *Claims) bool {
	if p.AccessToken == "" {
		return true
	}
	sum := sha256.Sum256([]byte(p.AccessToken))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	return subtle.ConstantTimeCompare([]byte(c.Text("ath")), []byte(want)) == 1
}

// sameURL compares two URLs without query and fragment, after the normalisation that
// RFC 9449 §4.3 asks for: scheme and host without case, no default port, "/" for the
// empty path. Escapes in the path are compared as they are written.
func sameURL(a, b string) bool {
	first, ok := normalURL(a)
	second, ok2 := normalURL(b)
	return ok && ok2 && first == second
}

// normalURL returns a URL in the form in which it is compared.
func normalURL(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Opaque != "" || u.User != nil {
		return "", false
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	default:
		return "", false
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return u.Scheme + "://" + host + path, true
}
