package token_test

import (
	"crypto/rsa"
	"fmt"
	"testing"

	"github.com/cardea-dev/cardea/internal/token"
)

// The bare cryptography is measured beside what is made of it: the difference is ours.
func BenchmarkSign(b *testing.B) {
	members := []token.Member{
		{Name: "iss", Value: "https://auth.acme.example"}, {Name: "sub", Value: "usr_0000000000000000000000"},
		{Name: "aud", Value: "https://api.acme.example"}, {Name: "org_id", Value: "org_0000000000000000000000"},
		{Name: "scope", Value: "entities:read entities:write"}, {Name: "iat", Value: now.Unix()}, {Name: "exp", Value: now.Unix() + 3600},
	}
	payload, err := token.MarshalClaims(members)
	if err != nil {
		b.Fatal(err)
	}
	input := []byte(b64(header("RS256")) + "." + b64(string(payload)))
	signer := token.NewSigner(0, 0)
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		key := token.PrivateKey{ID: "key-1", Algorithm: algorithm, Type: "at+jwt", KeyID: true, Signer: private(b, algorithm)}
		b.Run(algorithm+"/bare", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sign(key.Signer, input, algorithm); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(algorithm+"/token", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := signer.Sign(b.Context(), key, members); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	set := keySet(b, "RS256", "ES256", "EdDSA")
	e := expect()
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		text := forge(b, header(algorithm), claims(`"scope":"entities:read entities:write"`, `"org_id":"org_1"`), algorithm)
		b.Run(algorithm, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := token.Verify(text, set.Find, e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	public := private(b, "RS256").Public().(*rsa.PublicKey)
	input := []byte(b64(header("RS256")) + "." + b64(claims()))
	signed, err := sign(private(b, "RS256"), input, "RS256")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("bareRS256", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			hash, sum := digest(input, "RS256")
			if err := rsa.VerifyPKCS1v15(public, hash, sum, signed); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkGate(b *testing.B) {
	text := forge(b, header("RS256"), claims(), "RS256")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if token.Gate(text) != nil {
			b.Fatal("refused")
		}
	}
}

func BenchmarkPeek(b *testing.B) {
	text := forge(b, header("RS256"), claims(), "RS256")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := token.Peek(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	var keys []token.Key
	for i := range token.MaxKeys {
		keys = append(keys, token.Key{ID: fmt.Sprint(i), Algorithm: "ES256", Public: private(b, "ES256").Public()})
	}
	set, err := token.NewKeySet(keys)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(set.Find("17", "ES256")) != 1 {
			b.Fatal("not found")
		}
	}
}

// The gate and the lookup are on every request's path.
func TestGateAndFindDoNotAllocate(t *testing.T) {
	text := forge(t, header("ES256"), claims(), "ES256")
	set := keySet(t, "ES256", "RS256")
	if n := testing.AllocsPerRun(100, func() {
		if token.Gate(text) != nil || len(set.Find("RS256", "RS256")) != 1 || len(set.Find("", "ES256")) != 1 {
			t.Error("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
