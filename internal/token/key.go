package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"

	"github.com/go-jose/go-jose/v4"
)

// Sizes of RSA moduli that are used, in bits. Larger ones let a key's owner choose how
// long a verification takes (4096 bits: 0.3 ms).
const (
	minRSABits = 2048
	maxRSABits = 4096
	newRSABits = 2048
)

// algorithms are the signature algorithms that tokens are verified with: asymmetric
// ones only. Every list of allowed algorithms is a part of it.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.EdDSA,
}

// A Key is a public key that verifies tokens with one algorithm.
type Key struct {
	ID        string // kid; "" for a key that its owner gave no name
	Algorithm string // alg, the only one it is used with
	Public    crypto.PublicKey
}

// fits reports whether a public key is of the sort that an algorithm signs with, and
// of a size that is used.
func fits(public crypto.PublicKey, algorithm string) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return isRSA(algorithm) && sane(key)
	case *ecdsa.PublicKey:
		return key != nil && (algorithm == "ES256" && key.Curve == elliptic.P256() ||
			algorithm == "ES384" && key.Curve == elliptic.P384())
	case ed25519.PublicKey:
		return algorithm == "EdDSA" && len(key) == ed25519.PublicKeySize
	}
	return false
}

// samePublic reports whether two public keys are the same.
func samePublic(a, b crypto.PublicKey) bool {
	switch a := a.(type) {
	case *rsa.PublicKey:
		return a.Equal(b)
	case *ecdsa.PublicKey:
		return a.Equal(b)
	case ed25519.PublicKey:
		return a.Equal(b)
	}
	return false
}

// isRSA reports whether an algorithm is one of the six of RSA.
func isRSA(algorithm string) bool {
	switch algorithm {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
		return true
	}
	return false
}

// sane reports whether an RSA key has a size and an exponent that real keys have.
func sane(key *rsa.PublicKey) bool {
	if key == nil || key.N == nil || key.N.Bit(0) == 0 {
		return false
	}
	bits := key.N.BitLen()
	return bits >= minRSABits && bits <= maxRSABits && key.E >= 3 && key.E%2 == 1 && key.E <= 1<<31-1
}

// A PrivateKey signs tokens. Type and KeyID say what the header of a token holds
// besides alg; whoever signs sets them.
type PrivateKey struct {
	ID        string // kid
	Algorithm string // alg
	Type      string // typ; "" means none
	KeyID     bool   // whether the header has kid
	Signer    crypto.Signer
}

// Public returns the key that verifies what p signs.
func (p PrivateKey) Public() Key {
	return Key{ID: p.ID, Algorithm: p.Algorithm, Public: p.Signer.Public()}
}

// Generate makes a private key for an algorithm. RSA keys have 2048 bits, which takes
// a tenth of a second or more. The error is ErrKey for an algorithm that is not known.
func Generate(algorithm string) (crypto.Signer, error) {
	switch {
	case isRSA(algorithm):
		return rsa.GenerateKey(rand.Reader, newRSABits)
	case algorithm == "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case algorithm == "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case algorithm == "EdDSA":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, ErrKey
}

// MarshalPrivate returns a private key in PKCS #8 form, DER. It is a secret.
func MarshalPrivate(key crypto.Signer) ([]byte, error) { return x509.MarshalPKCS8PrivateKey(key) }

// UnmarshalPrivate reads what [MarshalPrivate] wrote. The error is ErrKey.
func UnmarshalPrivate(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if signer, ok := key.(crypto.Signer); ok && err == nil {
		return signer, nil
	}
	return nil, ErrKey
}

// MarshalPublic returns a public key as SubjectPublicKeyInfo, DER.
func MarshalPublic(key crypto.PublicKey) ([]byte, error) { return x509.MarshalPKIXPublicKey(key) }

// UnmarshalPublic reads what [MarshalPublic] wrote, for use with an algorithm. The
// error is ErrKey, also when the key is none for the algorithm.
func UnmarshalPublic(der []byte, algorithm string) (crypto.PublicKey, error) {
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil || !fits(key, algorithm) || weak(key) {
		return nil, ErrKey
	}
	return key, nil
}

// Thumbprint returns the SHA-256 thumbprint of a public key (RFC 7638) in base64url.
// The error is ErrKey.
func Thumbprint(key crypto.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return "", ErrKey
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// ID returns the id under which a verified token can be revoked: its claim named
// idClaim, or, when it has none, one made of its signature. The latter is good because
// the gate leaves a signature one spelling, and go-jose verifies one length only.
func ID(text, idClaim string, c Claims) string {
	if id := c.Text(idClaim); idClaim != "" && id != "" {
		return id
	}
	return signatureID(text)
}

// signatureIDLength is how many base64url digits of the hash an id has: 132 bits.
const signatureIDLength = 22

// signatureID makes an id of a token's last part.
func signatureID(text string) string {
	signature := text
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] == '.' {
			signature = text[i+1:]
			break
		}
	}
	sum := sha256.Sum256([]byte(signature))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:signatureIDLength]
}
