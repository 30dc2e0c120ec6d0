package oauth

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// cpu reports the processor time that the process took for each run of a benchmark from
// here on, which a busy machine does not change.
func cpu(b *testing.B) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	b.Cleanup(func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") })
}

// serve answers a request without a network.
func (w *world) serve(r *http.Request) *httptest.ResponseRecorder {
	out := httptest.NewRecorder()
	h, ok := w.Find(r.Host, r.Method, r.URL.Path)
	if !ok {
		w.t.Fatal("no such endpoint")
	}
	h.ServeHTTP(out, r)
	return out
}

// machineRequest builds a client credentials request.
func machineRequest(c registered) func() *http.Request {
	body := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.id()}, "client_secret": {c.secret.Reveal()}}.Encode()
	return func() *http.Request {
		r := httptest.NewRequest(http.MethodPost, "http://auth.example.test/oauth/token", strings.NewReader(body))
		r.Header.Set("Content-Type", formType)
		r.RemoteAddr = "127.0.0.1:1000"
		return r
	}
}

// BenchmarkBareSignature is what no token can be cheaper than: one RS256 signature.
func BenchmarkBareSignature(b *testing.B) {
	for _, algorithm := range []string{"RS256", "ES256"} {
		b.Run(algorithm, func(b *testing.B) {
			private, err := token.Generate(algorithm)
			if err != nil {
				b.Fatal(err)
			}
			sum := sha256.Sum256([]byte("claims"))
			cpu(b)
			for b.Loop() {
				if _, err := private.Sign(rand.Reader, sum[:], crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkFirstToken makes a new machine token with every request.
func BenchmarkFirstToken(b *testing.B) {
	for name, changes := range map[string][]string{
		"RS256": nil,
		"ES256": {"access: {format: jwt,", "access: {format: jwt, algorithm: ES256,"},
	} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, acme(b, changes...))
			build := machineRequest(w.register())
			w.serve(build())
			cpu(b)
			for b.Loop() {
				w.advance(time.Second)
				if out := w.serve(build()); out.Code != 200 {
					b.Fatal(out.Body)
				}
			}
		})
	}
}

// BenchmarkFirstTokens is the same for 32 clients at once, whose transactions share their
// commits.
func BenchmarkFirstTokens(b *testing.B) {
	w := newWorld(b, acme(b))
	clients := make(chan registered, 64)
	for range cap(clients) {
		clients <- w.register()
	}
	b.SetParallelism(16) // for each of two processors
	cpu(b)
	b.RunParallel(func(pb *testing.PB) {
		build := machineRequest(<-clients)
		for pb.Next() {
			w.memo.forget(store.Changes{{}})
			if out := w.serve(build()); out.Code != 200 {
				b.Error(out.Body)
				return
			}
		}
	})
}

// BenchmarkRememberedToken asks for the same machine token again and again.
func BenchmarkRememberedToken(b *testing.B) {
	w := newWorld(b, acme(b))
	build := machineRequest(w.register())
	w.serve(build())
	b.ReportAllocs()
	cpu(b)
	for b.Loop() {
		if out := w.serve(build()); out.Code != 200 {
			b.Fatal(out.Body)
		}
	}
}

// BenchmarkRefresh renews a user's tokens, RS256.
func BenchmarkRefresh(b *testing.B) {
	w := newWorld(b, acme(b, "refresh: {lifetime: 30d}", "refresh: {lifetime: 30d, max: 3650d}"))
	c, m := w.register(), w.member()
	last := w.redeem(c, w.code(c, m)).text("refresh_token")
	cpu(b)
	for b.Loop() {
		body := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {last}, "client_id": {c.id()}, "client_secret": {c.secret.Reveal()}}.Encode()
		r := httptest.NewRequest(http.MethodPost, "http://auth.example.test/oauth/token", strings.NewReader(body))
		r.Header.Set("Content-Type", formType)
		r.RemoteAddr = "127.0.0.1:1000"
		out := w.serve(r)
		_, rest, ok := strings.Cut(out.Body.String(), `"refresh_token":"`)
		if !ok {
			b.Fatal(out.Body)
		}
		last, _, _ = strings.Cut(rest, `"`)
	}
}

// BenchmarkAuditOnly is the part of issuing that the database takes: one transaction with
// one audit event.
func BenchmarkAuditOnly(b *testing.B) {
	w := newWorld(b, acme(b))
	cpu(b)
	for b.Loop() {
		_, err := w.db.Update(context.Background(), (&request{}).actor(actorClient, "c"), func(tx *store.Tx) error {
			tx.Audit(store.Event{Action: "token.issue", TargetType: "token", TargetID: "tok_x"})
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
