package insight_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// acme has something of everything that an insight is about.
const acme = `
cardea: 1
product: Acme
environments:
  live: {label: Production, upstream: "http://127.0.0.1:9000"}
  test: {label: Sandbox, upstream: "http://127.0.0.1:9001"}
scopes:
  read: {description: Read, aliases: ["records:read"]}
  write: {description: Write, implies: [read]}
  delete: Delete
plans:
  standard: {label: Standard, per_minute: 300, burst: 50}
  pro: {label: Pro, per_minute: 600, per_day: 50000}
default_plan: standard
ip_lists: {per: both}
keys:
  api_key:
    label: API key
    format: {prefix: {live: ck_live_, test: ck_test_}}
    present: [{header: Authorization, scheme: Bearer}]
    expiry: {max: 1y}
    overlap: 24h
    scopes: [read, write, delete]
    default_scopes: [read]
  personal_token:
    label: Personal token
    owner: member
    format: {prefix: {live: pt_live_}}
    present: [{header: Authorization, scheme: Bearer}]
    expiry: {default: 3mo, max: 3mo, idle: 30d}
issuer: https://auth.acme.test
audience: https://api.acme.test
clients:
  grants: [authorization_code, refresh_token, client_credentials]
  authentication: [client_secret_post, client_secret_basic]
  scopes: [read, write]
tokens:
  access: {format: jwt, lifetime: 15m, algorithm: ES256, scope_claim: scope}
  refresh: {lifetime: 30d}
endpoints:
  token:
    - path: /oauth/token
      grants: {authorization_code: authorization_code, refresh_token: refresh_token, client_credentials: client_credentials}
  authorize: {path: /authorize}
routes:
  - {match: "GET /v1/things", scopes: [read]}
  - {match: "POST /v1/things", scopes: [write, delete]}
`

// operator is who asks unless a test says otherwise.
var operator = cardea.Actor{Type: "operator", ID: "mt_test", Address: "192.0.2.1", RequestID: "req_test"}

// observer is one of the company's own people who may look at everything.
var observer = cardea.Actor{Type: "observer", ID: "usr_staff"}

// A world is an Insight with a real store and a clock that the test moves.
type world struct {
	*insight.Insight
	manager *manage.Manager
	authz   *authz.Authorizer
	t       testing.TB
	ctx     context.Context
	cfg     store.Config
	store   *store.DB

	mu  sync.Mutex
	now time.Time
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
	w.authz = authz.New(authz.Config{Contract: current, Store: w.store, Now: w.clock})
	w.manager = manage.New(manage.Config{Store: w.store, Contract: current, Sealer: sealer, Now: w.clock, Apply: w.authz.Apply})
	w.Insight = insight.New(insight.Config{
		Store: w.store, Contract: current, ContractText: func() []byte { return []byte(text) }, Manager: w.manager,
		Authorizer: w.authz, Now: w.clock,
	})
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

// second2 returns the error of a call.
func second2(_ any, err error) error { return err }

// organization creates an organization.
func (w *world) organization(name string) manage.Organization {
	w.t.Helper()
	return must(w.manager.CreateOrganization(w.ctx, operator, manage.CreateOrganization{Name: name}))(w.t)
}

// member creates a member and returns who they are.
func (w *world) member(organization, email string, role cardea.Role) cardea.Actor {
	w.t.Helper()
	m := must(w.manager.CreateMember(w.ctx, operator, manage.CreateMember{
		Organization: organization, Email: email, Name: "Somebody", Role: role,
	}))(w.t)
	return cardea.Actor{Type: "member", ID: m.ID}
}

// key creates an API key.
func (w *world) key(organization, name string) manage.KeySecret {
	w.t.Helper()
	return must(w.manager.CreateKey(w.ctx, operator, manage.CreateKey{
		Kind: "api_key", Environment: "live", Organization: organization, Name: name,
	}))(w.t)
}

// client creates a client that people use.
func (w *world) client(organization, name string) manage.ClientSecret {
	w.t.Helper()
	return must(w.manager.CreateClient(w.ctx, operator, manage.CreateClient{
		Environment: "live", Organization: organization, Name: name, RedirectURIs: []string{"https://app.example.com/callback"},
	}))(w.t)
}

// log stores a request in the request log: now, and GET /v1/things where the test does
// not say.
func (w *world) log(r store.RequestRow) {
	w.t.Helper()
	r.At = w.clock()
	if r.Method == "" {
		r.Method = "GET"
	}
	if r.Path == "" {
		r.Path = "/v1/things"
	}
	if r.Environment == "" {
		r.Environment = "live"
	}
	if err := w.store.AppendRequests(w.ctx, []store.RequestRow{r}, nil); err != nil {
		w.t.Fatal(err)
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
	for _, p := range rules.Split(err) {
		if p.Field == field {
			return
		}
	}
	t.Fatalf("error %q is not about %s", err, field)
}

func itoa(n int) string { return strconv.Itoa(n) }
