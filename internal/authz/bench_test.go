package authz

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// warm fills the cache with n keys of n/100 organizations, through the path that
// look-ups take after their query, and returns Authorization values of some of them.
func warm(tb testing.TB, n, sample int) (w *world, values []string) {
	w = newWorld(tb, nil, func(c *Config) { c.Now = time.Now })
	w.contract.Store(load(tb, typical))
	v := w.current()
	var secrets []secret.Secret
	for i := range n {
		s := secret.New(secret.ShapePrefix, "ck_live_")
		l := lookupOf(s, fmt.Sprintf("org_%d", i%max(1, n/100)))
		hash := s.Hash()
		w.fill(v, &hash, &l, w.Authorizer.now())
		if i%(max(1, n/sample)) == 0 {
			secrets = append(secrets, s)
		}
	}
	for _, s := range secrets {
		// One in 150 gives way to others in a full set; the database is empty here.
		if hash := s.Hash(); v.table.get(&hash) != nil {
			values = append(values, "Bearer "+s.Reveal())
		}
	}
	return w, values
}

// lookupOf is what the store would find.
func lookupOf(s secret.Secret, organization string) store.Lookup {
	return store.Lookup{
		Found:  true,
		Secret: store.CredentialSecret{Hash: s.Hash()},
		Credential: store.Credential{
			ID: secret.NewID("key_"), Kind: "api_key", Environment: "live", Organization: organization,
			Scopes: []string{"read", "write"}, CreatedAt: time.Now(),
		},
		Organization: store.Organization{ID: organization, Plan: "standard", Limits: &store.Limits{PerMinute: 1 << 30, Burst: 1 << 28}},
	}
}

// typical is a contract as most are: two environments, one header.
const typical = `
cardea: 1
product: Acme
environments:
  live: {label: Production, upstream: "http://127.0.0.1:9000"}
  test: {label: Sandbox, upstream: "http://127.0.0.1:9001"}
scopes: {read: Read, write: Write}
plans:
  standard: {per_minute: 300, burst: 50}
keys:
  api_key:
    format: {prefix: {live: ck_live_, test: ck_test_}}
    present: [{header: Authorization, scheme: Bearer}]
routes:
  - {match: "GET /v1/records/{id}", scopes: [read]}
`

// typicalRequest is a request with the headers that programs send. What differs
// between keys is one text, which a server has just read when it asks for a decision.
func typicalRequest() *cardea.Request {
	return request("GET", "/v1/records/42", "Authorization", "", "User-Agent", "curl/8.5.0", "Accept", "*/*",
		"Accept-Encoding", "gzip", "Content-Type", "application/json")
}

func benchmarkCached(b *testing.B, keys int) {
	w, secrets := warm(b, keys, min(keys, 100_000))
	rand.Shuffle(len(secrets), func(i, j int) { secrets[i], secrets[j] = secrets[j], secrets[i] })
	ctx, r := context.Background(), typicalRequest()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		r.Header["Authorization"][0] = secrets[i]
		if i++; i == len(secrets) {
			i = 0
		}
		if d, err := w.Authorize(ctx, r); err != nil || !d.Allowed {
			b.Fatal(d.Reason, err)
		}
	}
}

// BenchmarkCachedKey is a decision about a key in the cache, a different one each
// time, in caches of several sizes.
func BenchmarkCachedKey(b *testing.B) {
	for _, n := range []int{1, 10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkCached(b, n) })
	}
}

// BenchmarkFloor is what no decision can do without, to compare machines by: one
// reading of the clock and one hash of a key.
func BenchmarkFloor(b *testing.B) {
	text := secret.New(secret.ShapePrefix, "ck_live_").Reveal()
	for b.Loop() {
		_ = time.Now()
		_ = secret.HashOf(text)
	}
}

func BenchmarkCachedKeyParallel(b *testing.B) {
	w, secrets := warm(b, 10_000, 10_000)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		ctx, r := context.Background(), typicalRequest()
		for i := rand.IntN(len(secrets)); pb.Next(); i++ {
			r.Header["Authorization"][0] = secrets[i%len(secrets)]
			if d, _ := w.Authorize(ctx, r); !d.Allowed {
				b.Error(d.Reason)
				return
			}
		}
	})
}

// BenchmarkRefused is the cost of saying no, answer included.
func BenchmarkRefused(b *testing.B) {
	w := newWorld(b, nil, func(c *Config) { c.Now, c.RefusedPerMinute = time.Now, -1 })
	k := w.key(w.organization("standard"), "api_key", "live")
	live := k.Reveal()
	dead := secret.New(secret.ShapePrefix, "ck_live_").Reveal()
	for name, r := range map[string]*cardea.Request{
		"typo":     request("GET", "/v1/records", "Authorization", "Bearer "+live[:12]+string(rot(live[12]))+live[13:]),
		"repeated": request("GET", "/v1/records", "Authorization", "Bearer "+dead),
		"scope":    bearer("POST", "/v1/records", k),
		"no route": bearer("GET", "/v1/nothing", k),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if d, err := w.Authorize(context.Background(), r); err != nil || d.Allowed {
					b.Fatal(d.Reason, err)
				}
			}
		})
	}
	b.Run("unknown", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			r := request("GET", "/v1/records", "Authorization", "Bearer "+secret.New(secret.ShapePrefix, "ck_live_").Reveal())
			b.StartTimer()
			if d, err := w.Authorize(context.Background(), r); err != nil || d.Reason != cardea.ReasonInvalidCredential {
				b.Fatal(d.Reason, err)
			}
		}
	})
}

// BenchmarkMiss is the first request with a key: one query to SQLite and a fill.
func BenchmarkMiss(b *testing.B) {
	w := newWorld(b, nil, func(c *Config) { c.Now = time.Now })
	k := w.key(w.organization("standard"), "api_key", "live")
	r, hash := bearer("GET", "/v1/me", k), k.Hash()
	v := w.current()
	b.ReportAllocs()
	for b.Loop() {
		w.mu.Lock()
		v.table.remove(&hash)
		w.mu.Unlock()
		if d, err := w.Authorize(context.Background(), r); err != nil || d.Reason == cardea.ReasonInvalidCredential {
			b.Fatal(d.Reason, err)
		}
	}
}

// BenchmarkMemory prints what a warm key costs in memory, everything of the cache
// included.
func BenchmarkMemory(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		before := heap()
		w, _ := warm(b, n, 1)
		b.ReportMetric(float64(heap()-before)/n, "B/key")
		b.ReportMetric(float64(heap()-before)/(1<<20), "MiB")
		b.ReportMetric(100*float64(w.Stats().Entries)/n, "%kept")
		runtime.KeepAlive(w)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Guarantee: an allowed request with a cached key allocates nothing.
func TestCachedKeyDoesNotAllocate(t *testing.T) {
	w := newWorld(t, nil, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	o := w.organization("standard")
	o.Limits = &store.Limits{PerMinute: 1 << 40, Burst: 1 << 20, PerDay: 1 << 40}
	w.change(func(tx *store.Tx) error { return tx.UpdateOrganization(t.Context(), o) })
	k := w.key(o, "api_key", "live", func(c *store.Credential) {
		c.Addresses = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
		c.Limits = &store.Limits{PerMinute: 1 << 40}
	})
	direct, proxied := bearer("GET", "/v1/records/42?a=b", k), bearer("GET", "/v1/records/42", k)
	proxied.Peer = netip.MustParseAddr("10.0.0.1")
	proxied.Header["X-Forwarded-For"] = []string{"203.0.113.9"}
	space := request("GET", "/v1/me", "X-Apikey", w.key(o, "space", "live").Reveal())
	for name, r := range map[string]*cardea.Request{"direct": direct, "proxied": proxied, "uuid": space} {
		w.allow(r)
		ctx := t.Context()
		if n := testing.AllocsPerRun(1000, func() {
			if d, err := w.Authorize(ctx, r); err != nil || !d.Allowed {
				t.Fatal(d.Reason, err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
