//go:build unix

package authz

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// rs256 is the contract of the tests with the algorithm that most use.
var rs256 = strings.Replace(issuing, "tokens: {access: {format: jwt, algorithm: ES256", "tokens: {access: {format: jwt, algorithm: RS256", 1)

// newBench returns a world whose clock runs, without limits that end a benchmark.
func newBench(b testing.TB, contract, algorithm string) (*issuer, token.PrivateKey) {
	i := newIssuer(b, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	i.use(contract)
	i.organization.Limits = &store.Limits{PerMinute: 1 << 40, Burst: 1 << 30}
	i.change(func(tx *store.Tx) error { return tx.UpdateOrganization(b.Context(), i.organization) })
	k, err := i.keys.Current(b.Context(), "live", algorithm)
	if err != nil {
		b.Fatal(err)
	}
	k.Type, k.KeyID = "at+jwt", true
	return i, k
}

// Guarantee: an allowed request with a token seen before allocates nothing, whatever the
// token's origin.
func TestCachedTokenDoesNotAllocate(t *testing.T) {
	i, _ := newBench(t, issuing, "ES256")
	i.both(func(c *store.Credential) { c.Limits = &store.Limits{PerMinute: 1 << 40} })
	requests := map[string]*cardea.Request{}
	i.one()
	for origin, text := range i.texts {
		requests[origin] = withToken(text)
	}
	for name, r := range requests {
		i.allow(r)
		ctx := t.Context()
		if n := testing.AllocsPerRun(1000, func() {
			if d, err := i.Authorize(ctx, r); err != nil || !d.Allowed {
				t.Fatal(d.Reason, err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	i.use(opaqueTokens)
	i.one()
	r := withToken(i.texts["opaque"])
	i.allow(r)
	if n := testing.AllocsPerRun(1000, func() { i.ask(r) }); n != 0 {
		t.Errorf("opaque: %v allocations", n)
	}
}

// timed runs a benchmark and reports the processor's time for one operation beside the
// clock's: what a loaded machine leaves of a figure.
func timed(b *testing.B, op func()) {
	b.ReportAllocs()
	cpu := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := cpu()
	for b.Loop() {
		op()
	}
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkSeen is a decision about a credential in the cache: what a signed token costs
// more than a key.
func BenchmarkSeen(b *testing.B) {
	i, k := newBench(b, rs256, "RS256")
	ctx := context.Background()
	i.texts = map[string]string{
		"key":   i.world.key(i.organization, "api_key", "live").Reveal(),
		"RS256": i.sign(k, i.machine()), "RS256 of a user": i.sign(k, i.user()),
		"account": i.sign(i.accountKey, i.self()), "partner": i.sign(i.partner.key(), i.foreign()),
	}
	for _, name := range []string{"key", "RS256", "RS256 of a user", "account", "partner"} {
		r := withToken(i.texts[name])
		b.Run(fmt.Sprintf("%s/%dB", name, len(i.texts[name])), func(b *testing.B) { timed(b, func() { i.pass(b, ctx, r) }) })
	}
	i.use(opaqueTokens)
	_, text := i.opaque()
	r := withToken(text)
	b.Run("at_", func(b *testing.B) { timed(b, func() { i.pass(b, ctx, r) }) })
}

// pass judges a request that must be allowed.
func (i *issuer) pass(b *testing.B, ctx context.Context, r *cardea.Request) {
	if d, err := i.Authorize(ctx, r); err != nil || !d.Allowed {
		b.Fatal(d.Reason, err)
	}
}

// BenchmarkNew is the first request with a credential: for a key one query to SQLite and
// a fill, for a signed token its verification and one query. Verification alone, by this
// package's means and by crypto/rsa, is the yardstick.
func BenchmarkNew(b *testing.B) {
	i, k := newBench(b, rs256, "RS256")
	ctx := context.Background()
	secret := i.world.key(i.organization, "api_key", "live")
	signed := i.sign(k, i.machine())
	for name, text := range map[string]string{"key": secret.Reveal(), "RS256": signed, "ES256 of an account": i.sign(i.accountKey, i.self())} {
		r := withToken(text)
		hash, place := secret.Hash(), i.tokenHash(text, nil)
		v := i.current()
		b.Run(name, func(b *testing.B) {
			timed(b, func() {
				i.Authorizer.mu.Lock()
				v.table.remove(&hash)
				v.tokens.remove(&place)
				i.Authorizer.mu.Unlock()
				i.pass(b, ctx, r)
			})
		})
	}
	b.Run("yardstick/principal", func(b *testing.B) {
		timed(b, func() {
			if _, err := i.db.LookupPrincipal(ctx, store.PrincipalQuery{Credential: i.client.ID, TokenID: "x", Environment: "live"}); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("yardstick/token.Verify", func(b *testing.B) {
		keys, _ := i.keys.Verification(ctx)
		timed(b, func() {
			if _, err := token.Verify(signed, keys.Find, token.Expect{
				Issuer: "https://auth.acme.test", Audience: "https://api.acme.test", Now: i.now(),
			}); err != nil {
				b.Fatal(err)
			}
		})
	})
	b.Run("yardstick/crypto.rsa", func(b *testing.B) {
		at := strings.LastIndexByte(signed, '.')
		signature, _ := base64.RawURLEncoding.DecodeString(signed[at+1:])
		public := k.Signer.Public().(*rsa.PublicKey)
		timed(b, func() {
			sum := sha256.Sum256([]byte(signed[:at]))
			if rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], signature) != nil {
				b.Fatal("not verified")
			}
		})
	})
}

// BenchmarkForged is the cost of junk in the shape of a token: with a kid of ours, with a
// kid of nobody's, and the same junk again.
func BenchmarkForged(b *testing.B) {
	i, k := newBench(b, rs256, "RS256")
	good := i.sign(k, i.machine())
	head := good[:len(good)-8]
	unknown := encode(`{"alg":"RS256","kid":"key-x"}`) + "." + payload(good) + "." + good[strings.LastIndexByte(good, '.')+1:len(good)-8]
	for name, head := range map[string]string{"our kid": head, "unknown kid": unknown} {
		n := 0
		b.Run(name, func(b *testing.B) {
			timed(b, func() {
				n++
				if d, err := i.Authorize(context.Background(), withToken(head+fmt.Sprintf("%07dA", n))); err != nil || d.Allowed {
					b.Fatal(d.Reason, err)
				}
			})
		})
	}
	r := withToken(head + "0000000A")
	b.Run("repeated", func(b *testing.B) {
		timed(b, func() {
			if d, err := i.Authorize(context.Background(), r); err != nil || d.Allowed {
				b.Fatal(d.Reason, err)
			}
		})
	})
}
