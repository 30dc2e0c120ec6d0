package manage_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
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
)

// acme has a key kind for every rule that managing keys knows.
const acme = `
cardea: 1
product: Acme
environments:
  live: {label: Production, upstream: "http://127.0.0.1:9000"}
  test: {label: Sandbox, upstream: "http://127.0.0.1:9001"}
ids: {request: req_, member: usr_, organization: org_}
scopes:
  read: {description: Read, aliases: ["records:read"]}
  write: {description: Write, implies: [read]}
  delete: Delete
  admin: {description: All, implies: ["*"]}
permissions:
  Read: {description: View, scopes: [read]}
  Write: {description: Change, scopes: [write]}
plans:
  standard: {label: Standard, per_minute: 300, burst: 50}
  pro: {label: Pro, per_minute: 600, per_day: 50000}
  enterprise: {label: Enterprise, custom: true, note: Contact sales}
default_plan: standard
ip_lists: {per: both}
keys:
  api_key:
    label: API key
    format: {prefix: {live: ck_live_, test: ck_test_}}
    present: [{header: Authorization, scheme: Bearer}]
    overlap: 24h
    scopes: [read, write, delete]
    default_scopes: [read]
  yearly:
    label: Yearly key
    format: {prefix: {live: yk_live_}}
    present: [{header: Authorization, scheme: Bearer}]
    expiry: {required: true, max: 1y}
  capped:
    label: Capped key
    format: {prefix: {live: cp_live_}}
    present: [{header: Authorization, scheme: Bearer}]
    expiry: {max: 1y}
  personal_token:
    label: Personal token
    owner: member
    format: {prefix: {live: pt_live_}}
    present: [{header: Authorization, scheme: Bearer}]
    expiry: {default: 3mo, max: 3mo, idle: 30d}
    created_by: [owner, admin, developer, viewer]
  space_token:
    label: Space token
    owner: environment
    format: uuid
    present: [{header: x-apikey}]
    max_per_owner: 2
  system:
    label: System credential
    format: {prefix: {live: sy_live_}}
    present: [{header: Authorization, scheme: Bearer}]
    reveal: always
    created_by: [owner, admin]
issuer: https://auth.acme.test
audience: https://api.acme.test
clients:
  grants: [authorization_code, refresh_token, client_credentials, device_code]
  authentication: [client_secret_post, client_secret_basic, private_key_jwt, none]
  public: true
  pkce: public_only
  dpop: optional
  scopes: [read, write]
  secret: {reveal: always}
  created_by: [owner, admin]
  max_per_owner: 9
service_accounts:
  max_lifetime: 1h
  algorithms: [ES256, EdDSA]
  scope_claim: scopes
  claims: {org_id: organization}
  scopes: [read, write]
tokens:
  access: {format: jwt, lifetime: 15m, algorithm: ES256, scope_claim: scope}
  refresh: {lifetime: 30d}
endpoints:
  token:
    - path: /oauth/token
      grants: {authorization_code: authorization_code, refresh_token: refresh_token, client_credentials: client_credentials,
        "urn:ietf:params:oauth:grant-type:device_code": device_code, "urn:ietf:params:oauth:grant-type:jwt-bearer": jwt_bearer}
  authorize: {path: /authorize}
  device: {path: /device/code}
organization_issuers: {per: environment, algorithms: [ES256], scopes: [read], default_scopes: [read]}
trusted_issuers:
  partner: {issuer: "https://id.partner.test", jwks_url: "https://id.partner.test/jwks", environments: [live], scopes: [read]}
hooks:
  - {match: "GET /v1/things", when: always, cel: 'credential.kind == "api_key"'}
  - {match: "POST /v1/things", when: no_credential, url: "http://127.0.0.1:1/ask", timeout: 1s}
routes:
  - {match: "GET /v1/things", scopes: [read]}
  - {match: "POST /v1/things", scopes: [write, delete]}
`

// operator is who acts unless a test says otherwise.
var operator = cardea.Actor{Type: "operator", ID: "mt_test", Address: "192.0.2.1", RequestID: "req_test"}

// A world is a Manager with a real store and a clock that the test moves.
type world struct {
	*manage.Manager
	*insight.Insight
	t     testing.TB
	ctx   context.Context
	cfg   store.Config
	store *store.DB

	signing *signing.Keys

	mu      sync.Mutex
	now     time.Time
	applied []store.Changes
}

// start is a day before a leap day, at an hour nobody shares.
var start = time.Date(2027, 11, 30, 10, 20, 30, 0, time.UTC)

// newWorld opens a world on the database of a configuration.
func newWorld(t testing.TB, cfg store.Config) *world { return newWorldOf(t, cfg, acme) }

// newWorldOf opens a world with another contract.
func newWorldOf(t testing.TB, cfg store.Config, text string) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), cfg: cfg, now: start}
	cfg.Now = w.clock
	w.store = storetest.OpenConfig(t, cfg)
	c, err := contract.Load("cardea.yaml", []byte(text))
	if err != nil {
		t.Fatalf("the test's contract: %v", err)
	}
	sealer, err := secret.NewSealer(make([]byte, secret.MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	current := func() *contract.Contract { return c }
	apply := func(changes store.Changes) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.applied = append(w.applied, changes)
	}
	client := fetch.New(fetch.Config{})
	w.signing = signing.New(signing.Config{Store: w.store, Sealer: sealer, Contract: current, Now: w.clock, Apply: apply})
	w.Manager = manage.New(manage.Config{
		Store: w.store, Contract: current, Sealer: sealer, Now: w.clock, Apply: apply, Keys: w.signing,
		Hasher: password.New(password.Config{}), Issuers: token.NewCache(token.CacheConfig{Fetch: client, Now: w.clock}),
		Hooks: hook.New(hook.Config{Fetch: client, Sign: make([]byte, 32), Now: w.clock}), PrivateIssuers: true,
		Origin: func() string { return "http://127.0.0.1:8080" },
	})
	w.Insight = insight.New(insight.Config{Store: w.store, Contract: current, Manager: w.Manager, Now: w.clock})
	return w
}

// sqlite opens a world on SQLite.
func sqlite(t testing.TB) *world {
	t.Helper()
	return newWorld(t, store.Config{Dir: t.TempDir()})
}

// each runs a test in a new world on every engine.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) { test(t, newWorld(t, cfg)) })
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// advance moves the clock.
func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// evicted returns the ids that were evicted since the last call.
func (w *world) evicted() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for _, changes := range w.applied {
		for _, c := range changes {
			ids = append(ids, c.Target)
		}
	}
	w.applied = nil
	return ids
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

// organization creates an organization.
func (w *world) organization(name string) manage.Organization {
	w.t.Helper()
	return must(w.CreateOrganization(w.ctx, operator, manage.CreateOrganization{Name: name}))(w.t)
}

// member creates a member.
func (w *world) member(organization, email string, role cardea.Role) manage.Member {
	w.t.Helper()
	return must(w.CreateMember(w.ctx, operator, manage.CreateMember{
		Organization: organization, Email: email, Name: "Somebody", Role: role,
	}))(w.t)
}

// key creates an API key.
func (w *world) key(organization, name string) manage.KeySecret {
	w.t.Helper()
	return must(w.CreateKey(w.ctx, operator, manage.CreateKey{
		Kind: "api_key", Environment: "live", Organization: organization, Name: name,
	}))(w.t)
}

// client creates a client that people use.
func (w *world) client(organization, name string) manage.ClientSecret {
	w.t.Helper()
	return must(w.CreateClient(w.ctx, operator, manage.CreateClient{
		Environment: "live", Organization: organization, Name: name, RedirectURIs: []string{"https://app.example.com/callback"},
	}))(w.t)
}

// account creates a service account.
func (w *world) account(organization, name string) manage.ServiceAccount {
	w.t.Helper()
	return must(w.CreateServiceAccount(w.ctx, operator, manage.CreateServiceAccount{
		Environment: "live", Organization: organization, Name: name, Scopes: []string{"read"},
	}))(w.t)
}

// memberPassword is one that nothing is wrong with.
const memberPassword = "seven ducks on a pond"

// write changes the store as other parts of Cardea do.
func (w *world) write(fn func(tx *store.Tx) error) {
	w.t.Helper()
	_, err := w.store.Update(w.ctx, cardea.Actor{Type: "system", ID: "test"}, func(tx *store.Tx) error {
		tx.Audit(store.Event{Action: "test.write", TargetType: "test", TargetID: "test"})
		return fn(tx)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// provider starts an identity provider: metadata and a key set.
func provider(t testing.TB) *httptest.Server {
	t.Helper()
	private, err := token.Generate("ES256")
	if err != nil {
		t.Fatal(err)
	}
	set, err := token.PublicJWKS([]token.Key{{ID: "k1", Algorithm: "ES256", Public: private.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, server.URL, server.URL+"/.well-known/jwks.json")
	})
	mux.HandleFunc("/.well-known/jwks.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) })
	mux.HandleFunc("/bare/jwks.json", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) })
	return server
}

// actorOf returns the actor that a member is.
func actorOf(m manage.Member) cardea.Actor { return cardea.Actor{Type: "member", ID: m.ID} }

// raw runs a statement on the database behind the store's back.
func (w *world) raw(statement string) {
	w.t.Helper()
	driver, source := "sqlite", "file:"+filepath.Join(w.cfg.Dir, "cardea.db")
	if w.cfg.DSN != "" {
		driver, source = "pgx", w.cfg.DSN
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		w.t.Fatalf("%s: %v", statement, err)
	}
}

// wantKind fails the test unless err is of a kind.
func wantKind(t testing.TB, err error, kind cardea.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want kind %d", kind)
	}
	if got := cardea.KindOf(err); got != kind {
		t.Fatalf("error %q is of kind %d, want %d", err, got, kind)
	}
}

// wantField fails the test unless one of err's problems is about a field.
func wantField(t testing.TB, err error, field string) {
	t.Helper()
	wantKind(t, err, cardea.KindInvalid)
	for _, p := range manage.Problems(err) {
		if p.Field == field {
			return
		}
	}
	t.Fatalf("error %q is not about %s", err, field)
}

func ptr[T any](v T) *T { return &v }

// eachOf runs a test in a new world with another contract on every engine.
func eachOf(t *testing.T, text string, test func(t *testing.T, w *world)) {
	t.Helper()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) { test(t, newWorldOf(t, cfg, text)) })
}
