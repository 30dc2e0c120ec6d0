package token_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/token"
)

// issuer is somebody else's server: it publishes what it was told to and counts.
type issuer struct {
	t       *testing.T
	cache   *token.Cache
	source  token.Source
	fetches atomic.Int64
	asked   chan struct{} // receives when it was asked
	clock   atomic.Int64  // Unix microseconds

	mu     sync.Mutex
	answer http.HandlerFunc
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	w := &issuer{t: t, asked: make(chan struct{}, 1000)}
	w.clock.Store(now.UnixMicro())
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.fetches.Add(1)
		w.asked <- struct{}{}
		w.mu.Lock()
		answer := w.answer
		w.mu.Unlock()
		answer(rw, r)
	}))
	client := fetch.New(fetch.Config{})
	t.Cleanup(func() {
		client.CloseIdleConnections()
		server.Close()
	})
	w.cache = token.NewCache(token.CacheConfig{Fetch: client, Now: w.now})
	w.source = token.Source{URL: server.URL + "/jwks.json", Algorithms: []string{"ES256"}, AllowPrivate: true}
	w.publish("a")
	return w
}

func (w *issuer) now() time.Time           { return time.UnixMicro(w.clock.Load()).UTC() }
func (w *issuer) pass(d time.Duration)     { w.clock.Add(d.Microseconds()) }
func (w *issuer) serve(h http.HandlerFunc) { w.mu.Lock(); defer w.mu.Unlock(); w.answer = h }

// say makes the issuer answer with a text.
func (w *issuer) say(status int, text string) {
	w.serve(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(status)
		_, _ = io.WriteString(rw, text)
	})
}

// publish makes it publish keys with these names.
func (w *issuer) publish(kids ...string) {
	var keys []string
	for _, kid := range kids {
		text, err := token.PublicJWK(token.Key{ID: kid, Algorithm: "ES256", Public: privates("ES256/" + kid).Public()})
		if err != nil {
			w.t.Fatal(err)
		}
		keys = append(keys, string(text))
	}
	w.say(http.StatusOK, document(keys...))
}

// down makes it fail.
func (w *issuer) down() { w.say(http.StatusInternalServerError, "no") }

// keys returns the kids that the cache trusts when it is asked for one.
func (w *issuer) keys(kid string) []string {
	w.t.Helper()
	set, err := w.cache.Keys(w.t.Context(), w.source, kid)
	if err != nil {
		w.t.Fatal(err)
	}
	return kidsOf(set)
}

func kidsOf(set *token.KeySet) []string {
	var out []string
	for _, k := range set.Keys() {
		out = append(out, k.ID)
	}
	return out
}

// A stranger who makes up names of keys makes us fetch three times, and then once in
// ten seconds, however many names.
func TestMadeUpNamesDoNotMakeUsFetch(t *testing.T) {
	w := newIssuer(t)
	for round := range 3 {
		var all sync.WaitGroup
		for i := range 1000 {
			all.Go(func() { w.keys(fmt.Sprint("bogus-", round, "-", i)) })
		}
		all.Wait()
		if n := w.fetches.Load(); n > token.Burst+int64(round) {
			t.Errorf("after %d ten seconds and 1,000 names each, %d fetches", round, n)
		}
		w.pass(token.RefillEvery)
	}
	before := w.fetches.Load()
	w.pass(time.Hour)
	for i := range 1000 {
		w.keys(fmt.Sprint("later-", i))
	}
	if n := w.fetches.Load() - before; n > token.Burst {
		t.Errorf("after an hour, 1,000 names caused %d fetches", n)
	}
}

// A key that the issuer has just begun to use is found with its first token.
func TestANewKeyIsFoundAtOnce(t *testing.T) {
	w := newIssuer(t)
	if got := w.keys("a"); !slices.Equal(got, []string{"a"}) {
		t.Fatal(got)
	}
	w.publish("a", "b")
	if got := w.keys("b"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("got %q", got)
	}
	if w.fetches.Load() != 2 {
		t.Errorf("%d fetches", w.fetches.Load())
	}
}

// Of all who ask for a set that is not there, one fetches it.
func TestOneFetchServesAllWhoWait(t *testing.T) {
	w := newIssuer(t)
	good := w.answer
	release := make(chan struct{})
	w.serve(func(rw http.ResponseWriter, r *http.Request) {
		<-release
		good(rw, r)
	})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if got := w.keys("a"); len(got) != 1 {
				t.Errorf("got %q", got)
			}
		})
	}
	<-w.asked
	close(release)
	all.Wait()
	if w.fetches.Load() != 1 {
		t.Errorf("%d fetches", w.fetches.Load())
	}
}

// A withdrawn key is trusted until the next refresh and no longer: the set is read
// again in the background when it is used at five minutes of age, and before it is used
// at ten.
func TestAWithdrawnKeyIsTrustedNoLonger(t *testing.T) {
	w := newIssuer(t)
	w.publish("a", "b")
	w.keys("a")
	w.publish("b")
	w.pass(token.RefreshAfter)
	if got := w.keys("a"); len(got) != 2 || w.fetches.Load() != 1 {
		t.Errorf("within its time: %q after %d fetches", got, w.fetches.Load())
	}
	<-w.asked
	w.pass(time.Second)
	w.keys("b") // begins a fetch and does not wait for it
	<-w.asked
	w.keys("?") // does
	if got := w.keys("b"); !slices.Equal(got, []string{"b"}) {
		t.Errorf("after the refresh: %q", got)
	}
	w.publish("c")
	w.pass(token.RecheckAfter + time.Second)
	if got := w.keys("b"); !slices.Equal(got, []string{"c"}) {
		t.Errorf("not used for long: %q", got)
	}
	w.publish()
	w.pass(token.RecheckAfter + time.Second)
	if got := w.keys("c"); len(got) != 0 {
		t.Errorf("after all were withdrawn: %q", got)
	}
}

// An issuer that is down, slow or says nonsense keeps the keys it had, for a day.
func TestAnOutageKeepsTheKeysForADay(t *testing.T) {
	for name, fail := range map[string]func(*issuer){
		"down":       (*issuer).down,
		"not found":  func(w *issuer) { w.say(http.StatusNotFound, document()) },
		"redirected": func(w *issuer) { w.serve(http.RedirectHandler("/other", http.StatusFound).ServeHTTP) },
		"nonsense":   func(w *issuer) { w.say(http.StatusOK, "<html>") },
		"too large":  func(w *issuer) { w.say(http.StatusOK, document()+strings.Repeat(" ", token.MaxKeySetBytes)) },
		"unsound":    func(w *issuer) { w.say(http.StatusOK, document(jwk(t, "ES256", map[string]any{"d": "AAAA"}))) },
		"cut off": func(w *issuer) {
			w.serve(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Length", "1000")
				_, _ = io.WriteString(rw, `{"keys":[`)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newIssuer(t)
			w.keys("a")
			fail(w)
			w.pass(token.MaxStale)
			if got := w.keys("a"); !slices.Equal(got, []string{"a"}) {
				t.Errorf("within the day: %q", got)
			}
			if s := w.cache.Status(w.source); s.Failed == nil || !s.Fetched.Equal(now) || !s.Checked.Equal(w.now()) || len(s.Keys) != 1 {
				t.Errorf("status %+v", s)
			}
			w.pass(time.Minute)
			if set, err := w.cache.Keys(t.Context(), w.source, "a"); !errors.Is(err, token.ErrFetch) || set != nil {
				t.Errorf("after the day: %v, %v", set, err)
			}
			w.publish("a", "b")
			w.pass(time.Minute)
			if got := w.keys("a"); len(got) != 2 {
				t.Errorf("when it is back: %q", got)
			}
			if s := w.cache.Status(w.source); s.Failed != nil {
				t.Errorf("status %+v", s)
			}
		})
	}
}

// While an issuer hangs, those whose key is known wait once and not again.
func TestASlowIssuerDoesNotHoldUpKnownKeys(t *testing.T) {
	w := newIssuer(t)
	w.keys("a")
	w.down()
	w.pass(token.RecheckAfter + time.Second)
	w.keys("a") // finds that the issuer is down
	release := make(chan struct{})
	w.serve(func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	for range 100 {
		w.pass(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if set, err := w.cache.Keys(ctx, w.source, "a"); err != nil || !set.Has("a") {
			t.Fatalf("a known key waits: %v", err)
		}
		cancel()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.cache.Keys(ctx, w.source, "bogus"); !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up: %v", err)
	}
}

// A set that comes back the same stays the one it was; one that changed is another.
func TestTheSameKeysAreTheSameSet(t *testing.T) {
	w := newIssuer(t)
	get := func() *token.KeySet {
		set, err := w.cache.Keys(t.Context(), w.source, "")
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	first, generation := get(), w.cache.Generation()
	w.pass(token.RecheckAfter + time.Second)
	if get() != first || w.cache.Generation() != generation || w.fetches.Load() != 2 {
		t.Errorf("the same keys made another set after %d fetches", w.fetches.Load())
	}
	text, err := token.PublicJWK(token.Key{ID: "a", Algorithm: "ES256", Public: privates("ES256/z").Public()})
	if err != nil {
		t.Fatal(err)
	}
	w.say(http.StatusOK, document(string(text)))
	w.pass(token.RecheckAfter + time.Second)
	if get() == first || w.cache.Generation() == generation {
		t.Error("another key of the same name went unnoticed")
	}
}

// Sources share nothing: not keys, not what they may do, not the right to be private.
func TestSourcesAreApart(t *testing.T) {
	w := newIssuer(t)
	w.keys("a")
	other := w.source
	other.Algorithms = []string{"RS256"}
	if set, err := w.cache.Keys(t.Context(), other, "a"); err != nil || len(set.Keys()) != 0 {
		t.Errorf("with another algorithm: %v, %v", kidsOf(set), err)
	}
	other = w.source
	other.AllowPrivate = false
	if set, err := w.cache.Keys(t.Context(), other, "a"); !errors.Is(err, token.ErrFetch) || set != nil {
		t.Errorf("private addresses are open to who may not reach them: %v", err)
	}
	other.URL = "https" + strings.TrimPrefix(other.URL, "http")
	if set, err := w.cache.Keys(t.Context(), other, "a"); !errors.Is(err, token.ErrFetch) || set != nil {
		t.Errorf("... by https: %v", err)
	}
	if s := w.cache.Status(token.Source{URL: "https://never.example"}); !s.Checked.IsZero() || s.Keys != nil {
		t.Errorf("a source never asked for: %+v", s)
	}
}

// Discovery believes a document that names exactly the issuer that was asked.
func TestDiscovery(t *testing.T) {
	var origin string
	documents := map[string]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := documents[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, strings.ReplaceAll(text, "ORIGIN", origin))
	}))
	t.Cleanup(server.Close)
	origin = server.URL
	client := fetch.New(fetch.Config{})
	t.Cleanup(client.CloseIdleConnections)
	cache := token.NewCache(token.CacheConfig{Fetch: client})

	documents["/.well-known/openid-configuration"] = `{"issuer":"ORIGIN","jwks_uri":"ORIGIN/keys","x":[1]}`
	documents["/tenant/.well-known/openid-configuration"] = `{"issuer":"ORIGIN/tenant","jwks_uri":"ORIGIN/tenant/keys"}`
	documents["/.well-known/oauth-authorization-server/rfc"] = `{"issuer":"ORIGIN/rfc","jwks_uri":"ORIGIN/rfc/keys"}`
	documents["/liar/.well-known/openid-configuration"] = `{"issuer":"ORIGIN","jwks_uri":"ORIGIN/keys"}`
	documents["/slash/.well-known/openid-configuration"] = `{"issuer":"ORIGIN/slash","jwks_uri":"ORIGIN/keys"}`
	documents["/twice/.well-known/openid-configuration"] = `{"issuer":"ORIGIN/liar","issuer":"ORIGIN/twice","jwks_uri":"ORIGIN/keys"}`
	documents["/case/.well-known/openid-configuration"] = `{"Issuer":"ORIGIN/case","jwks_uri":"ORIGIN/keys"}`
	documents["/file/.well-known/openid-configuration"] = `{"issuer":"ORIGIN/file","jwks_uri":"file:///etc/passwd"}`
	documents["/none/.well-known/openid-configuration"] = `{"issuer":"ORIGIN/none"}`
	documents["/html/.well-known/openid-configuration"] = `<html>`
	for path, want := range map[string]string{
		"": "/keys", "/tenant": "/tenant/keys", "/rfc": "/rfc/keys",
		"/liar": "", "/slash/": "", "/twice": "", "/case": "", "/file": "", "/none": "", "/html": "", "/missing": "", "?a=b": "", "#x": "",
	} {
		url, issuer, err := cache.Discover(t.Context(), origin+path, true)
		switch {
		case want == "" && (err == nil || url != ""):
			t.Errorf("%s: believed: %s", path, url)
		case want != "" && (err != nil || url != origin+want || issuer != origin+path):
			t.Errorf("%s: got %s of %s, %v", path, url, issuer, err)
		}
	}
	if _, _, err := cache.Discover(t.Context(), origin+"/liar", true); !errors.Is(err, token.ErrIssuer) {
		t.Errorf("another's document: %v", err)
	}
	for _, url := range []string{origin, "https" + strings.TrimPrefix(origin, "http"), "", "issuer"} {
		if _, _, err := cache.Discover(t.Context(), url, false); !errors.Is(err, token.ErrFetch) {
			t.Errorf("%s: got %v, want ErrFetch", url, err)
		}
	}
}
