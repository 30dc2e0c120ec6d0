package token_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea/internal/token"
)

// jwk returns the public key of an algorithm as a JWK, with members changed: "" takes
// one away.
func jwk(t testing.TB, algorithm string, change map[string]any) string {
	t.Helper()
	text, err := token.PublicJWK(token.Key{ID: algorithm, Algorithm: algorithm, Public: private(t, algorithm).Public()})
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]any{}
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	for name, value := range change {
		if members[name] = value; value == "" {
			delete(members, name)
		}
	}
	out, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func document(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// names describes the keys of a set.
func names(s *token.KeySet) []string {
	var out []string
	for _, k := range s.Keys() {
		out = append(out, k.ID+" "+k.Algorithm)
	}
	return out
}

// A key of somebody else's set is used for one algorithm, one that was allowed, and is
// left out when it is not for signatures or not strong enough.
func TestOnlyFitKeysAreUsed(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	n := func(key *big.Int) string { return base64.RawURLEncoding.EncodeToString(key.Bytes()) }
	huge := new(big.Int).Lsh(big.NewInt(1), 8191)
	huge.SetBit(huge, 0, 1)
	good := private(t, "RS256").Public().(*rsa.PublicKey)
	type change = map[string]any
	for _, test := range []struct {
		name, key string
		want      []string
	}{
		{"as it is", jwk(t, "RS256", nil), []string{"RS256 RS256"}},
		{"no alg", jwk(t, "RS256", change{"alg": ""}), []string{"RS256 RS256"}},
		{"no use", jwk(t, "RS256", change{"use": ""}), []string{"RS256 RS256"}},
		{"no kid", jwk(t, "RS256", change{"kid": ""}), []string{" RS256"}},
		{"key_ops verify", jwk(t, "RS256", change{"use": "", "key_ops": []string{"verify"}}), []string{"RS256 RS256"}},
		{"key_ops of others", jwk(t, "RS256", change{"key_ops": []string{"encrypt", "wrapKey"}}), nil},
		{"key_ops empty", jwk(t, "RS256", change{"key_ops": []string{}}), nil},
		{"use enc", jwk(t, "RS256", change{"use": "enc"}), nil},
		{"alg that is not allowed", jwk(t, "RS256", change{"alg": "RS512"}), nil},
		{"alg of another sort", jwk(t, "RS256", change{"alg": "ES256"}), nil},
		{"alg of encryption", jwk(t, "RS256", change{"alg": "RSA-OAEP"}), nil},
		{"alg HS256", jwk(t, "RS256", change{"alg": "HS256"}), nil},
		{"alg none", jwk(t, "RS256", change{"alg": "none"}), nil},
		{"1024 bits", jwk(t, "RS256", change{"n": n(small.N)}), nil},
		{"8192 bits", jwk(t, "RS256", change{"n": n(huge)}), nil},
		{"an even modulus", jwk(t, "RS256", change{"n": n(new(big.Int).Lsh(good.N, 1))}), nil},
		{"exponent 1", jwk(t, "RS256", change{"e": "AQ"}), nil},
		{"exponent 2", jwk(t, "RS256", change{"e": "Ag"}), nil},
		{"exponent even", jwk(t, "RS256", change{"e": n(big.NewInt(65536))}), nil},
		{"exponent huge", jwk(t, "RS256", change{"e": n(new(big.Int).Lsh(big.NewInt(1), 40))}), nil},
		{"n padded", jwk(t, "RS256", change{"n": n(good.N) + "="}), nil},
		{"n with a line break", jwk(t, "RS256", change{"n": n(good.N)[:40] + "\n" + n(good.N)[40:]}), nil},
		{"n with stray bits", jwk(t, "RS256", change{"e": "AQAC_"}), nil},
		{"no n", jwk(t, "RS256", change{"n": ""}), nil},
		{"kty oct", `{"kty":"oct","kid":"a","k":"AAAA"}`, nil},
		{"kty unknown", jwk(t, "RS256", change{"kty": "XYZ"}), nil},
		{"kty in lower case", jwk(t, "RS256", change{"kty": "rsa"}), nil},
		{"certificates are not read", jwk(t, "RS256", change{"x5c": []string{"garbage"}, "x5u": ":", "x5t": "!"}), []string{"RS256 RS256"}},
		{"EC", jwk(t, "ES256", nil), []string{"ES256 ES256"}},
		{"EC, no alg", jwk(t, "ES256", change{"alg": ""}), []string{"ES256 ES256"}},
		{"EC of another curve", jwk(t, "ES384", change{"alg": ""}), nil},
		{"EC not on its curve", jwk(t, "ES256", change{"x": jwkMember(t, "ES256", "y")}), nil},
		{"EC with another's name", jwk(t, "ES256", change{"crv": "P-384"}), nil},
		{"Ed25519", jwk(t, "EdDSA", nil), []string{"EdDSA EdDSA"}},
		{"Ed25519 cut", jwk(t, "EdDSA", change{"x": "AAAA"}), nil},
		{"X25519", jwk(t, "EdDSA", change{"crv": "X25519"}), nil},
	} {
		set, err := token.ParseKeySet([]byte(document(test.key)), []string{"RS256", "PS256", "ES256", "EdDSA"})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if diff := cmp.Diff(test.want, names(set)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func jwkMember(t testing.TB, algorithm, name string) string {
	t.Helper()
	members := map[string]any{}
	if err := json.Unmarshal([]byte(jwk(t, algorithm, nil)), &members); err != nil {
		t.Fatal(err)
	}
	return members[name].(string)
}

// A set whose owner does not have it under control is refused whole.
func TestUnsoundSetsAreRefused(t *testing.T) {
	many := make([]string, token.MaxKeys+1)
	for i := range many {
		many[i] = jwk(t, "ES256", map[string]any{"kid": fmt.Sprint(i)})
	}
	rs, es := jwk(t, "RS256", nil), jwk(t, "ES256", nil)
	for name, text := range map[string]string{
		"nothing":                   ``,
		"no JSON":                   `<html>`,
		"a list":                    `[` + rs + `]`,
		"null":                      `null`,
		"no keys":                   `{}`,
		"keys null":                 `{"keys":null}`,
		"keys an object":            `{"keys":{}}`,
		"Keys for keys":             `{"Keys":[` + rs + `]}`,
		"keys twice":                `{"keys":[],"keys":[` + rs + `]}`,
		"a member twice":            document(`{"kty":"RSA","kty":"RSA"}`),
		"a kid twice":               document(rs, jwk(t, "ES256", map[string]any{"kid": "RS256"})),
		"a kid twice, one left out": document(rs, jwk(t, "ES256", map[string]any{"kid": "RS256", "use": "enc"})),
		"a kid twice, one is oct":   document(rs, `{"kty":"oct","kid":"RS256","k":"AAAA"}`),
		"private d":                 document(rs, jwk(t, "ES256", map[string]any{"d": "AAAA"})),
		"private p":                 document(jwk(t, "RS256", map[string]any{"p": "AAAA"})),
		"private of no use":         document(rs, `{"kty":"EC","use":"enc","d":"AAAA"}`),
		"too many":                  document(many...),
		"too deep":                  document(`{"x":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}`),
		"too large":                 document(rs) + strings.Repeat(" ", token.MaxKeySetBytes),
		"something behind":          document(rs) + document(es),
		"cut":                       document(rs)[:100],
	} {
		if set, err := token.ParseKeySet([]byte(text), token.All()); !errors.Is(err, token.ErrKeySet) || set != nil {
			t.Errorf("%s: got %v, %v", name, names(set), err)
		}
	}
	if set, err := token.ParseKeySet([]byte(document(many[:token.MaxKeys]...)), token.All()); err != nil || len(set.Keys()) != token.MaxKeys {
		t.Errorf("as many as allowed: %d, %v", len(set.Keys()), err)
	}
	if set, err := token.ParseKeySet([]byte(`{"keys":[]}`), token.All()); err != nil || len(set.Keys()) != 0 {
		t.Errorf("an empty set, all keys withdrawn: %v", err)
	}
}

// A kid names one key, and a token without one may be of any key of its algorithm.
func TestFind(t *testing.T) {
	keys := []token.Key{
		{ID: "a", Algorithm: "ES256", Public: privates("ES256/1").Public()},
		{ID: "b", Algorithm: "EdDSA", Public: privates("EdDSA/1").Public()},
		{ID: "c", Algorithm: "ES256", Public: privates("ES256/2").Public()},
		{ID: "", Algorithm: "ES256", Public: privates("ES256/3").Public()},
	}
	set, err := token.NewKeySet(keys)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		kid, algorithm string
		want           int
	}{
		{"a", "ES256", 1}, {"c", "ES256", 1}, {"b", "EdDSA", 1}, {"a", "EdDSA", 0}, {"b", "ES256", 0}, {"d", "ES256", 0},
		{"", "ES256", 3}, {"", "EdDSA", 1}, {"", "RS256", 0}, {"", "", 0}, {"a", "", 0},
	} {
		if got := len(set.Find(test.kid, test.algorithm)); got != test.want {
			t.Errorf("Find(%q, %q) has %d keys, want %d", test.kid, test.algorithm, got, test.want)
		}
	}
	if !set.Has("a") || set.Has("") || set.Has("x") || (*token.KeySet)(nil).Has("a") {
		t.Error("Has is wrong")
	}
	huge := new(big.Int).Lsh(big.NewInt(1), 8191)
	huge.SetBit(huge, 0, 1)
	var none *token.KeySet
	if none.Find("a", "ES256") != nil || none.Keys() != nil {
		t.Error("no set has keys")
	}
	for _, bad := range [][]token.Key{
		{keys[0], keys[0]},
		{{ID: "x", Algorithm: "RS256", Public: keys[0].Public}},
		{{ID: "x", Algorithm: "HS256", Public: keys[0].Public}},
		{{ID: "x", Algorithm: "ES256"}},
		{{ID: "x", Algorithm: "ES256", Public: (*ecdsa.PublicKey)(nil)}},
		{{ID: "x", Algorithm: "RS256", Public: (*rsa.PublicKey)(nil)}},
		{{ID: "x", Algorithm: "RS256", Public: &rsa.PublicKey{N: huge, E: 65537}}},
		{{ID: "x", Algorithm: "EdDSA", Public: ed25519.PublicKey("short")}},
		{{ID: "x", Algorithm: "ES256", Public: []byte("secret")}},
	} {
		if _, err := token.NewKeySet(bad); !errors.Is(err, token.ErrKeySet) {
			t.Errorf("%v: got %v", bad, err)
		}
	}
}

// The set that we publish shows public members alone, and others read it as we do.
func TestPublishedSetsArePublic(t *testing.T) {
	var keys []token.Key
	for _, a := range []string{"RS256", "ES256", "EdDSA"} {
		keys = append(keys, token.Key{ID: "key-" + a, Algorithm: a, Public: private(t, a).Public()})
	}
	text, err := token.PublicJWKS(keys)
	if err != nil {
		t.Fatal(err)
	}
	var raw struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	public := map[string]bool{"kty": true, "kid": true, "use": true, "alg": true, "n": true, "e": true, "crv": true, "x": true, "y": true}
	for i, key := range raw.Keys {
		for name := range key {
			if !public[name] {
				t.Errorf("%s is published", name)
			}
		}
		if key["kid"] != keys[i].ID || key["alg"] != keys[i].Algorithm || key["use"] != "sig" {
			t.Errorf("got kid %v, alg %v, use %v", key["kid"], key["alg"], key["use"])
		}
	}
	var other jose.JSONWebKeySet
	if err := json.Unmarshal(text, &other); err != nil || len(other.Keys) != 3 {
		t.Errorf("another reader: %d keys, %v", len(other.Keys), err)
	}
	set, err := token.ParseKeySet(text, token.All())
	if err != nil || len(set.Keys()) != 3 {
		t.Errorf("our own reader: %v, %v", names(set), err)
	}
	empty, err := token.PublicJWKS(nil)
	if err != nil || string(empty) != `{"keys":[]}` {
		t.Errorf("without keys: %s, %v", empty, err)
	}
	if _, err := token.PublicJWKS([]token.Key{{ID: "a", Algorithm: "RS256", Public: private(t, "RS256")}}); err == nil {
		t.Error("a private key was published")
	}
}

func TestKeysSurviveStorage(t *testing.T) {
	for _, a := range token.All() {
		signer, err := token.Generate(a)
		if err != nil {
			t.Fatal(err)
		}
		der, err := token.MarshalPrivate(signer)
		if err != nil {
			t.Fatal(err)
		}
		again, err := token.UnmarshalPrivate(der)
		if err != nil || !samePublic(again.Public(), signer.Public()) {
			t.Errorf("%s: another key came back: %v", a, err)
		}
		spki, err := token.MarshalPublic(signer.Public())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := token.UnmarshalPublic(spki, a); err != nil {
			t.Errorf("%s: %v", a, err)
		}
		other := "ES256"
		if a == other {
			other = "RS256"
		}
		if _, err := token.UnmarshalPublic(spki, other); !errors.Is(err, token.ErrKey) {
			t.Errorf("%s: read as a key of another algorithm: %v", a, err)
		}
		if _, err := token.UnmarshalPublic(der, a); !errors.Is(err, token.ErrKey) {
			t.Errorf("%s: a private key was read as a public one: %v", a, err)
		}
	}
	for _, a := range []string{"", "HS256", "none", "rs256", "ES512"} {
		if _, err := token.Generate(a); !errors.Is(err, token.ErrKey) {
			t.Errorf("%q: got %v", a, err)
		}
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := token.NewKeySet([]token.Key{{Algorithm: "ES256", Public: p521.Public()}}); err == nil {
		t.Error("a key of another curve")
	}
	if _, err := token.UnmarshalPrivate([]byte("garbage")); !errors.Is(err, token.ErrKey) {
		t.Errorf("garbage: %v", err)
	}
}

func samePublic(a, b any) bool {
	one, err := token.MarshalPublic(a)
	two, err2 := token.MarshalPublic(b)
	return err == nil && err2 == nil && string(one) == string(two)
}

// The thumbprint of RFC 7638 §3.1.
func TestThumbprint(t *testing.T) {
	const n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs" +
		"tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI" +
		"SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	set, err := token.ParseKeySet([]byte(`{"keys":[{"kty":"RSA","n":"`+n+`","e":"AQAB","alg":"RS256","kid":"2011-04-29"}]}`), []string{"RS256"})
	if err != nil || len(set.Keys()) != 1 {
		t.Fatal(names(set), err)
	}
	got, err := token.Thumbprint(set.Keys()[0].Public)
	if want := "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; got != want || err != nil {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if _, err := token.Thumbprint("text"); !errors.Is(err, token.ErrKey) {
		t.Errorf("no key at all: %v", err)
	}
}

// No document makes the reader panic, and what it keeps may be used.
func FuzzParseKeySet(f *testing.F) {
	f.Add([]byte(document(jwk(f, "RS256", nil), jwk(f, "ES256", nil), jwk(f, "EdDSA", nil))))
	f.Add([]byte(document(jwk(f, "ES256", map[string]any{"d": "AAAA"}))))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := token.ParseKeySet(text, token.All())
		if err != nil {
			if !errors.Is(err, token.ErrKeySet) || set != nil {
				t.Errorf("got %v, %v", set, err)
			}
			return
		}
		again, err := token.PublicJWKS(set.Keys())
		if err != nil {
			t.Fatalf("a key that was kept cannot be published: %v", err)
		}
		copied, err := token.ParseKeySet(again, token.All())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(names(set), names(copied)); diff != "" {
			t.Errorf("published and read again (-want +got):\n%s", diff)
		}
	})
}
