package token

import (
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of a key set.
const (
	MaxKeys        = 64      // keys in a set
	MaxKeySetBytes = 1 << 20 // bytes of its document
)

// maxTries is how many keys are tried for a token without kid.
const maxTries = 8

// A KeySet is an immutable set of keys that verify tokens. Whoever holds one may use
// it at any time. The zero value has no keys.
type KeySet struct {
	keys []Key            // sorted by algorithm
	byID map[string][]Key // :: kid → the key, alone
}

// NewKeySet checks keys and makes a set of them: every kid but "" once, every key of
// the sort and size that its algorithm needs, at most MaxKeys. The error is ErrKeySet.
func NewKeySet(keys []Key) (*KeySet, error) {
	if len(keys) > MaxKeys {
		return nil, ErrKeySet
	}
	s := &KeySet{keys: slices.Clone(keys), byID: make(map[string][]Key, len(keys))}
	slices.SortStableFunc(s.keys, func(a, b Key) int {
		switch {
		case a.Algorithm < b.Algorithm:
			return -1
		case a.Algorithm > b.Algorithm:
			return 1
		}
		return 0
	})
	for i, key := range s.keys {
		if !fits(key.Public, key.Algorithm) || weak(key.Public) {
			return nil, ErrKeySet
		}
		if key.ID == "" {
			continue
		}
		if s.byID[key.ID] != nil {
			return nil, ErrKeySet
		}
		s.byID[key.ID] = s.keys[i : i+1 : i+1]
	}
	return s, nil
}

// Keys returns all keys of the set. The caller must not change them.
func (s *KeySet) Keys() []Key {
	if s == nil {
		return nil
	}
	return s.keys
}

// Has reports whether the set has a key with the kid.
func (s *KeySet) Has(kid string) bool { return s != nil && s.byID[kid] != nil }

// Find returns the keys that may have signed a token whose header has this kid and
// alg: with a kid the one key of that name, if its algorithm is alg; without, the keys
// of that algorithm, eight at most. It is what Verify takes. The caller must not change
// what it returns.
func (s *KeySet) Find(kid, algorithm string) []Key {
	if s == nil {
		return nil
	}
	if kid != "" {
		if found := s.byID[kid]; len(found) == 1 && found[0].Algorithm == algorithm {
			return found
		}
		return nil
	}
	start := slices.IndexFunc(s.keys, func(k Key) bool { return k.Algorithm == algorithm })
	if start < 0 {
		return nil
	}
	end := start
	for end < len(s.keys) && end-start < maxTries && s.keys[end].Algorithm == algorithm {
		end++
	}
	return s.keys[start:end]
}

// equal reports whether two sets hold the same keys.
func (s *KeySet) equal(other *KeySet) bool {
	return slices.EqualFunc(s.keys, other.keys, func(a, b Key) bool {
		return a.ID == b.ID && a.Algorithm == b.Algorithm && samePublic(a.Public, b.Public)
	})
}

// jwk is a key of a document (RFC 7517 §4) as far as it is looked at. Private members
// are only known to be there.
type jwk struct {
	Type       string   `json:"kty"`
	ID         string   `json:"kid"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
	Algorithm  string   `json:"alg"`

	Curve string `json:"crv"`
	N     string `json:"n"`
	E     string `json:"e"`
	X     string `json:"x"`
	Y     string `json:"y"`

	D  jsontext.Value `json:"d"`
	P  jsontext.Value `json:"p"`
	Q  jsontext.Value `json:"q"`
	DP jsontext.Value `json:"dp"`
	DQ jsontext.Value `json:"dq"`
	QI jsontext.Value `json:"qi"`
	O  jsontext.Value `json:"oth"`
	K  jsontext.Value `json:"k"`
}

// private reports whether the key holds what its owner must keep to itself.
func (k *jwk) private() bool {
	for _, v := range []jsontext.Value{k.D, k.P, k.Q, k.DP, k.DQ, k.QI, k.O, k.K} {
		if v != nil {
			return true
		}
	}
	return false
}

// verifies reports whether the key is meant for verifying signatures.
func (k *jwk) verifies() bool {
	return (k.Use == "" || k.Use == "sig") && (k.Operations == nil || slices.Contains(k.Operations, "verify"))
}

// public is the part of a key that its thumbprint is made of, and all that is handed
// to go-jose: certificates, which it would parse, are not.
type public struct {
	Type  string `json:"kty"`
	Curve string `json:"crv,omitzero"`
	N     string `json:"n,omitzero"`
	E     string `json:"e,omitzero"`
	X     string `json:"x,omitzero"`
	Y     string `json:"y,omitzero"`
}

// parse returns the public key. The error is ErrKey.
func (k *jwk) parse() (any, error) {
	part := public{Type: k.Type}
	switch k.Type {
	case "RSA":
		part.N, part.E = k.N, k.E
	case "EC":
		part.Curve, part.X, part.Y = k.Curve, k.X, k.Y
	case "OKP":
		part.Curve, part.X = k.Curve, k.X
	default:
		return nil, ErrKey
	}
	for _, digits := range []string{part.N, part.E, part.X, part.Y} {
		if digits != "" && !base64url(digits) {
			return nil, ErrKey
		}
	}
	text, err := json.Marshal(&part)
	if err != nil {
		return nil, ErrKey
	}
	var key jose.JSONWebKey
	if key.UnmarshalJSON(text) != nil || !key.Valid() || !key.IsPublic() {
		return nil, ErrKey
	}
	return key.Key, nil
}

// ParseKeySet reads a key set document (RFC 7517 §5) of somebody else's, keeping the
// keys that verify with one of the given algorithms. A key that says no alg gets the
// first of them that it fits, and then no other.
//
// Keys are left out that are of another type, use or algorithm, symmetric, or of a size
// that is not used: documents may hold more than what concerns us. The whole document is
// refused, with ErrKeySet, when it is too large, not strict JSON, shows a private
// asymmetric key, or names two keys alike: then its owner does not have it under
// control, or it cannot be told which key is meant.
func ParseKeySet(text []byte, allowed []string) (*KeySet, error) {
	if len(text) > MaxKeySetBytes || !shallow(text) {
		return nil, ErrKeySet
	}
	var document struct {
		Keys []jwk `json:"keys"`
	}
	if json.Unmarshal(text, &document) != nil || document.Keys == nil || len(document.Keys) > MaxKeys {
		return nil, ErrKeySet
	}
	var keys []Key
	named := map[string]bool{}
	for i := range document.Keys {
		k := &document.Keys[i]
		if k.ID != "" && named[k.ID] || k.private() && k.Type != "oct" {
			return nil, ErrKeySet
		}
		named[k.ID] = true
		if key, ok := k.usable(allowed); ok {
			keys = append(keys, key)
		}
	}
	return NewKeySet(keys)
}

// usable returns the key when it may verify tokens with one of the allowed algorithms.
func (k *jwk) usable(allowed []string) (Key, bool) {
	if !k.verifies() {
		return Key{}, false
	}
	parsed, err := k.parse()
	if err != nil || weak(parsed) {
		return Key{}, false
	}
	for _, algorithm := range allowed {
		if (k.Algorithm == "" || k.Algorithm == algorithm) && fits(parsed, algorithm) {
			return Key{ID: k.ID, Algorithm: algorithm, Public: parsed}, true
		}
	}
	return Key{}, false
}

// PublicJWK returns a key as a member of a key set document: public members, kid, use
// and alg. The error is ErrKey.
func PublicJWK(k Key) (jsontext.Value, error) {
	if !fits(k.Public, k.Algorithm) {
		return nil, ErrKey
	}
	text, err := jose.JSONWebKey{Key: k.Public, KeyID: k.ID, Algorithm: k.Algorithm, Use: "sig"}.MarshalJSON()
	if err != nil {
		return nil, ErrKey
	}
	return text, nil
}

// PublicJWKS returns the key set document of keys, in their order. The error is ErrKey.
func PublicJWKS(keys []Key) ([]byte, error) {
	document := struct {
		Keys []jsontext.Value `json:"keys"`
	}{Keys: make([]jsontext.Value, len(keys))}
	for i, k := range keys {
		one, err := PublicJWK(k)
		if err != nil {
			return nil, err
		}
		document.Keys[i] = one
	}
	return json.Marshal(&document)
}
