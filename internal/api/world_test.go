package api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/api"
	"github.com/cardea-dev/cardea/internal/api/apitest"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/hook"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/signing"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
	"github.com/cardea-dev/cardea/internal/token"
	"github.com/cardea-dev/cardea/internal/webhook"
)

const acme = `
cardea: 1
product: Acme
environments:
  live: {label: Production, upstream: "http://127.0.0.1:9000"}
  test: {label: Sandbox, upstream: "http://127.0.0.1:9001"}
scopes:
  read: {description: Read, aliases: ["records:read"]}
  write: Write
permissions:
  Read: {description: View, scopes: [read]}
plans:
  standard: {label: Standard, per_minute: 300, burst: 50}
  pro: {label: Pro, per_minute: 600}
ip_lists: {per: both}
keys:
  api_key:
    label: API key
    format: {prefix: {live: ck_live_, test: ck_test_}}
    present: [{header: Authorization, scheme: Bearer}]
    expiry: {max: 1y, idle: 30d}
    overlap: 1h
    default_scopes: [read]
  system:
    label: System credential
    owner: member
    format: {prefix: {live: sy_live_}}
    present: [{header: Authorization, scheme: Bearer}]
    reveal: always
issuer: https://auth.acme.test
audience: https://api.acme.test
clients:
  grants: [authorization_code, refresh_token, client_credentials]
  authentication: [client_secret_post, client_secret_basic, private_key_jwt, none]
  public: true
  dpop: optional
  secret: {reveal: always}
service_accounts: {max_lifetime: 1h, algorithms: [ES256], scope_claim: scopes, claims: {org_id: organization}}
tokens:
  access: {format: jwt, lifetime: 15m, algorithm: ES256, scope_claim: scope}
  refresh: {lifetime: 30d}
endpoints:
  token:
    - path: /oauth/token
      grants: {authorization_code: authorization_code, refresh_token: refresh_token, client_credentials: client_credentials,
        "urn:ietf:params:oauth:grant-type:jwt-bearer": jwt_bearer}
  authorize: {path: /authorize}
organization_issuers: {per: environment, algorithms: [ES256], scopes: [read]}
trusted_issuers:
  partner: {issuer: "https://id.partner.test", jwks_url: "https://id.partner.test/jwks", scopes: [read]}
hooks:
  - {match: "GET /v1/hooked", when: always, cel: 'credential.kind == "api_key"'}
routes:
  - {match: "GET /v1/things", scopes: [read]}
`

// A world is a management API over real HTTP with a real store behind it.
type world struct {
	t       *testing.T
	manager *manage.Manager
	insight *insight.Insight
	config  api.Config // of handler
	handler *api.Handler
	store   *store.DB
	url     string
	own     string // of a handler for members only
	token   string
	signed  map[string]cardea.Actor // :: token of a signed-in person → who
	traffic *apitest.Transport
	client  *admin.Client
	log     *logBuffer

	mu  sync.Mutex
	now time.Time
}

// logBuffer collects the log.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), log: &logBuffer{}}
	w.store = storetest.OpenConfig(t, store.Config{Dir: t.TempDir(), Now: w.clock})
	c, err := contract.Load("cardea.yaml", []byte(acme))
	if err != nil {
		t.Fatalf("the test's contract: %v", err)
	}
	sealer, err := secret.NewSealer(make([]byte, secret.MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	current := func() *contract.Contract { return c }
	client := fetch.New(fetch.Config{})
	w.manager = manage.New(manage.Config{
		Store: w.store, Contract: current, Sealer: sealer, Now: w.clock, LoadedAt: w.clock,
		Keys:   signing.New(signing.Config{Store: w.store, Sealer: sealer, Contract: current, Now: w.clock}),
		Hasher: password.New(password.Config{}), Issuers: token.NewCache(token.CacheConfig{Fetch: client, Now: w.clock}), PrivateIssuers: true,
		Hooks: hook.New(hook.Config{Fetch: client, Sign: make([]byte, 32), Now: w.clock}),
	})
	logger := slog.New(slog.NewTextHandler(w.log, nil))
	w.insight = insight.New(insight.Config{Store: w.store, Contract: current, Manager: w.manager, Now: w.clock})
	webhooks := webhook.New(webhook.Config{Store: w.store, Sealer: sealer, Fetch: client, Now: w.clock})
	w.config = api.Config{Manager: w.manager, Insight: w.insight, Webhooks: webhooks, Logger: logger, Member: w.session}
	w.handler = api.New(w.config)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	w.url = server.URL
	own := httptest.NewServer(api.New(api.Config{Manager: w.manager, Insight: w.insight, Webhooks: webhooks, Logger: logger, Member: w.session, MembersOnly: true}))
	t.Cleanup(own.Close)
	w.own = own.URL
	token, err := w.manager.CreateManagementToken(t.Context(), cardea.Actor{Type: "system", ID: "test"}, manage.CreateManagementToken{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	w.token = token.Secret.Reveal()
	w.traffic = apitest.Load(t, api.Document()).Transport(t, server.Client().Transport)
	w.client = w.dial(w.token)
	return w
}

// session stands for the sessions of people.
func (w *world) session(_ context.Context, token string) (cardea.Actor, bool, error) {
	if token == "broken" {
		return cardea.Actor{}, false, errors.New("the store is gone")
	}
	actor, ok := w.signed[token]
	return actor, ok, nil
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// dial returns a client with a token.
func (w *world) dial(token string) *admin.Client {
	w.t.Helper()
	client, err := admin.New(admin.Config{URL: w.url, Token: token, HTTPClient: &http.Client{Transport: w.traffic}})
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

// An answer is what came back for a raw request.
type answer struct {
	status int
	header http.Header
	body   string
	problem
}

// A problem is the body of an error.
type problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail"`
	RequestID string `json:"request_id"`
	Errors    []struct {
		Field  string `json:"field"`
		Detail string `json:"detail"`
	} `json:"errors"`
}

// send sends a raw request with the token, unless change takes it away.
func (w *world) send(method, path, body string, change func(*http.Request)) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if body == "" {
		r.Body = http.NoBody
	}
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("Content-Type", "application/json")
	if change != nil {
		change(r)
	}
	client := &http.Client{Transport: w.traffic, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(text)}
	if resp.StatusCode >= 400 {
		if err := json.Unmarshal(text, &a.problem); err != nil {
			w.t.Errorf("%s %s: the error is no problem document: %v", method, path, err)
		}
		if a.RequestID != resp.Header.Get("X-Request-Id") || a.Status != a.status {
			w.t.Errorf("%s %s: the problem contradicts its response", method, path)
		}
	}
	return a
}

// must fails the test on an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatalf("unexpected error: %v", err)
		}
		return v
	}
}
