package token_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea/internal/token"
)

// now is the time in these tests.
var now = time.Unix(1_800_000_000, 0).UTC()

// private returns a key for an algorithm, the same one each time.
func private(t testing.TB, algorithm string) crypto.Signer {
	t.Helper()
	return privates(algorithm + "/1")
}

// privates makes keys, one for each name "algorithm/n".
var privates = func() func(string) crypto.Signer {
	var mu sync.Mutex
	made := map[string]crypto.Signer{}
	return func(name string) crypto.Signer {
		mu.Lock()
		defer mu.Unlock()
		if made[name] == nil {
			algorithm, _, _ := strings.Cut(name, "/")
			key, err := token.Generate(algorithm)
			if err != nil {
				panic(err)
			}
			made[name] = key
		}
		return made[name]
	}
}()

// keySet returns a set of one key for each algorithm, whose kid is the algorithm's name.
func keySet(t testing.TB, algorithms ...string) *token.KeySet {
	t.Helper()
	var keys []token.Key
	for _, a := range algorithms {
		keys = append(keys, token.Key{ID: a, Algorithm: a, Public: private(t, a).Public()})
	}
	set, err := token.NewKeySet(keys)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// forge signs a header and a payload, which may be anything, with the key and in the
// way of an algorithm. It is written on the standard library alone, so that what it
// makes does not depend on what is tested.
func forge(t testing.TB, header, payload, algorithm string) string {
	t.Helper()
	input := b64(header) + "." + b64(payload)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature(t, input, algorithm))
}

// signature signs a text.
func signature(t testing.TB, input, algorithm string) []byte {
	t.Helper()
	if algorithm == "HS256" {
		// The secret of an algorithm confusion: the public key everybody knows.
		der, err := token.MarshalPublic(private(t, "RS256").Public())
		if err != nil {
			t.Fatal(err)
		}
		h := hmac.New(sha256.New, der)
		h.Write([]byte(input))
		return h.Sum(nil)
	}
	signed, err := sign(private(t, algorithm), []byte(input), algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// sign signs bytes in the way of an algorithm.
func sign(key crypto.Signer, input []byte, algorithm string) ([]byte, error) {
	hash, sum := digest(input, algorithm)
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if strings.HasPrefix(algorithm, "PS") {
			return rsa.SignPSS(rand.Reader, key, hash, sum, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(rand.Reader, key, hash, sum)
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, sum)
		if err != nil {
			return nil, err
		}
		size := (key.Curve.Params().BitSize + 7) / 8
		out := make([]byte, 2*size)
		r.FillBytes(out[:size])
		s.FillBytes(out[size:])
		return out, nil
	case ed25519.PrivateKey:
		return ed25519.Sign(key, input), nil
	}
	return nil, fmt.Errorf("no key for %s", algorithm)
}

func digest(input []byte, algorithm string) (crypto.Hash, []byte) {
	switch algorithm[len(algorithm)-3:] {
	case "384":
		sum := sha512.Sum384(input)
		return crypto.SHA384, sum[:]
	case "512":
		sum := sha512.Sum512(input)
		return crypto.SHA512, sum[:]
	}
	sum := sha256.Sum256(input)
	return crypto.SHA256, sum[:]
}

// header returns a plain header for an algorithm.
func header(algorithm string) string {
	return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, algorithm, algorithm)
}

// claims returns a good payload, with further members if given.
func claims(more ...string) string {
	base := fmt.Sprintf(`{"iss":"https://issuer.example","sub":"user","aud":"api","exp":%d,"iat":%d`, now.Unix()+3600, now.Unix())
	for _, m := range more {
		base += "," + m
	}
	return base + "}"
}

// expect is what a good token says.
func expect() token.Expect {
	return token.Expect{Issuer: "https://issuer.example", Audience: "api", Types: []string{"JWT"}, Now: now}
}

// jsonText returns a value as JSON.
func jsonText(v any) (string, error) {
	out, err := json.Marshal(v)
	return string(out), err
}
