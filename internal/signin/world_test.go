package signin_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/signin"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

const acme = `
cardea: 1
product: Acme
hosts: {api: api.acme.test, app: app.acme.test}
environments:
  live: {label: Production, upstream: "http://127.0.0.1:9000"}
scopes: {read: Read your records, write: Change your records}
ids: {member: usr_, organization: org_}
keys:
  api_key:
    label: API key
    format: {prefix: ck_}
    present: [{header: Authorization, scheme: Bearer}]
clients:
  label: Application
  grants: [authorization_code, refresh_token]
  authentication: [client_secret_post]
  scopes: [read, write]
issuer: https://api.acme.test
audience: https://api.acme.test
tokens:
  access: {format: jwt, lifetime: 15m}
  refresh: {lifetime: 30d}
endpoints:
  token:
    - {host: api, path: /oauth/token, authentication: [client_secret_post], grants: {authorization_code: authorization_code, refresh_token: refresh_token}, respond: [access_token, token_type, expires_in, refresh_token]}
  authorize: {host: app, path: /oauth/authorize}
  jwks: {host: api, path: /.well-known/jwks.json}
sign_in: {methods: [password, passkey, sso]}
routes:
  - {match: "GET /v1/things", scopes: [read]}
`

const (
	app          = "https://app.acme.test"
	goodPassword = "violet tram at dusk"
)

var start = time.Date(2027, 3, 14, 9, 26, 53, 0, time.UTC)

// A world is the door over real HTTP with TLS, a real store behind it, and a browser of
// sorts: a client with a cookie jar that follows no redirects.
type world struct {
	*http.Client
	t      testing.TB
	store  *store.DB
	people *people.People
	server *signin.Server
	listen string // of the TLS server
	plain  string // of one without TLS

	mu       sync.Mutex
	now      time.Time
	contract *contract.Contract
}

func newWorld(t testing.TB, change func(*signin.Config)) *world {
	t.Helper()
	w := &world{t: t, now: start}
	w.store = storetest.OpenConfig(t, store.Config{Dir: t.TempDir(), Now: w.clock})
	w.load(acme)
	sealer, err := secret.NewSealer(make([]byte, secret.MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	hasher := password.New(password.Config{Params: password.Params{Memory: 64, Passes: 1, Lanes: 1}})
	w.people = people.New(people.Config{Store: w.store, Contract: w.inForce, Sealer: sealer, Now: w.clock, Hasher: hasher})
	cfg := signin.Config{People: w.people, Contract: w.inForce, Now: w.clock}
	if change != nil {
		change(&cfg)
	}
	w.server = signin.New(cfg)
	door := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if h, ok := w.server.Find(r.Host, r.Method, r.URL.Path); ok {
			h.ServeHTTP(rw, r)
			return
		}
		http.Error(rw, "not here", http.StatusTeapot)
	})
	secure, plain := httptest.NewTLSServer(door), httptest.NewServer(door)
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	w.listen, w.plain = secure.Listener.Addr().String(), plain.Listener.Addr().String()
	w.Client = w.browser()
	w.seed(hash(t, hasher))
	return w
}

func hash(t testing.TB, h *password.Hasher) string {
	t.Helper()
	text, err := h.Hash(t.Context(), goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// seed makes two organizations with a member each, who have the same password.
func (w *world) seed(hash string) {
	w.t.Helper()
	ctx := w.t.Context()
	storetest.Change(w.t, w.store, func(tx *store.Tx) error {
		for _, m := range []store.Member{
			{ID: "usr_ada", Organization: "org_one", Email: "ada@one.test", Name: "Ada Lovelace", Role: cardea.RoleOwner},
			{ID: "usr_bob", Organization: "org_two", Email: "bob@two.test", Name: "Bob", Role: cardea.RoleViewer},
		} {
			name := map[string]string{"org_one": "One Corp", "org_two": "Two Corp"}[m.Organization]
			if err := tx.InsertOrganization(ctx, store.Organization{ID: m.Organization, Name: name}); err != nil {
				return err
			}
			if err := tx.InsertMember(ctx, m); err != nil {
				return err
			}
			if err := tx.SetPassword(ctx, store.Password{Member: m.ID, Hash: hash}); err != nil {
				return err
			}
		}
		return nil
	})
}

// browser returns a client of its own that reaches the server by any name.
func (w *world) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		to := w.listen
		if strings.HasSuffix(address, ":80") {
			to = w.plain
		}
		return new(net.Dialer).DialContext(ctx, network, to)
	}
	transport := &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // the test's own server
	w.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (w *world) load(text string) {
	w.t.Helper()
	c, err := contract.Load("cardea.yaml", []byte(text))
	if err != nil {
		w.t.Fatalf("the test's contract: %v", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.contract = c
}

func (w *world) inForce() *contract.Contract {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.contract
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// An answer is a response with its body read.
type answer struct {
	*http.Response
	text string
}

// location returns where a redirect leads.
func (a answer) location() string { return a.Header.Get("Location") }

// send sends a request that change has had a look at.
func (w *world) send(method, to, body string, change func(*http.Request)) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, to, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if change != nil {
		change(r)
	}
	res, err := w.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{res, string(text)}
}

func (w *world) get(path string) answer {
	w.t.Helper()
	return w.send(http.MethodGet, app+path, "", nil)
}

// post sends a form.
func (w *world) post(path string, members ...string) answer {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(members); i += 2 {
		form.Set(members[i], members[i+1])
	}
	return w.send(http.MethodPost, app+path, form.Encode(), nil)
}

// signIn signs the browser in.
func (w *world) signIn(email string) {
	w.t.Helper()
	if a := w.post("/signin", "email", email, "password", goodPassword); a.StatusCode != http.StatusSeeOther {
		w.t.Fatalf("signing in: %d\n%s", a.StatusCode, a.text)
	}
}

// cookie returns the value of a cookie in the browser.
func (w *world) cookie(name string) string {
	w.t.Helper()
	u, _ := url.Parse(app)
	for _, c := range w.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// signedIn reports whether the browser is.
func (w *world) signedIn() bool { return w.get("/account").StatusCode == http.StatusOK }

// want fails the test unless an answer has a status and its text each piece.
func (a answer) want(t testing.TB, status int, pieces ...string) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: status %d, want %d\n%s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.text)
	}
	for _, piece := range pieces {
		if !strings.Contains(a.text, piece) {
			t.Errorf("%s %s: the page lacks %q\n%s", a.Request.Method, a.Request.URL.Path, piece, a.text)
		}
	}
	return a
}

var proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
