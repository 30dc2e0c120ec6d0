package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"strconv"
)

// MasterKeySize is the size of the server's master key in bytes.
const MasterKeySize = 32

// Layout of a sealed text: version, fingerprint of the master key, nonce and
// ciphertext with its tag.
const (
	sealVersion     = 1
	fingerprintSize = 8
)

// HKDF labels (RFC 5869 "info"): one key per purpose.
const (
	sealLabel        = "cardea/seal/v1"
	fingerprintLabel = "cardea/fingerprint/v1"
)

// Errors of [Sealer.Open] and [NewSealer]. None says anything about the plaintext.
var (
	// ErrMasterKey: the key has the wrong size.
	ErrMasterKey = errors.New("the master key must be 32 bytes")
	// ErrForeignKey: sealed with another master key than the server was given.
	ErrForeignKey = errors.New("sealed with another master key")
	// ErrSealed: not a sealed text, changed since, or moved to another row.
	ErrSealed = errors.New("the sealed text is damaged or belongs elsewhere")
)

// A Sealer encrypts the few secrets that must be readable again, with AES-256-GCM
// under a key derived from the server's master key. It is safe for concurrent use.
//
// Nonces are 96 random bits, which is good for 2^32 sealings under one key (NIST SP
// 800-38D §8.3): far more than there are secrets.
type Sealer struct {
	aead        cipher.AEAD
	fingerprint [fingerprintSize]byte
}

// NewSealer returns the Sealer of a master key, or ErrMasterKey.
func NewSealer(masterKey []byte) (*Sealer, error) {
	if len(masterKey) != MasterKeySize {
		return nil, ErrMasterKey
	}
	key, err := hkdf.Key(sha256.New, masterKey, nil, sealLabel, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	mark, err := hkdf.Key(sha256.New, masterKey, nil, fingerprintLabel, fingerprintSize)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead, fingerprint: [fingerprintSize]byte(mark)}, nil
}

// Fingerprint identifies the master key without revealing it: 16 hexadecimal digits.
// A database remembers it, so that a server with another key refuses to start.
func (s *Sealer) Fingerprint() string { return hex.EncodeToString(s.fingerprint[:]) }

// AAD returns the additional data that ties a sealed text to its place, so that it
// cannot be copied into another row.
func AAD(table, id string, version int) string {
	return table + "|" + id + "|" + strconv.Itoa(version)
}

// Seal encrypts plaintext for the place that aad names.
func (s *Sealer) Seal(aad string, plaintext []byte) []byte {
	out := make([]byte, 0, 1+fingerprintSize+len(plaintext)+s.aead.Overhead())
	out = append(out, sealVersion)
	out = append(out, s.fingerprint[:]...)
	return s.aead.Seal(out, nil, plaintext, []byte(aad))
}

// Open decrypts what Seal returned for the same aad. The error is ErrForeignKey or
// ErrSealed.
func (s *Sealer) Open(aad string, sealed []byte) ([]byte, error) {
	if len(sealed) < 1+fingerprintSize || sealed[0] != sealVersion {
		return nil, ErrSealed
	}
	mark, body := sealed[1:1+fingerprintSize], sealed[1+fingerprintSize:]
	if subtle.ConstantTimeCompare(mark, s.fingerprint[:]) != 1 {
		return nil, ErrForeignKey
	}
	plaintext, err := s.aead.Open(nil, nil, body, []byte(aad))
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}
