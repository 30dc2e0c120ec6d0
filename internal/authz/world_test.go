package authz

import (
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/limit"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// acme is a contract with every kind of secret and rule that the decision knows.
const acme = `
cardea: 1
product: Acme
environments:
  live: {label: Production, upstream: "http://127.0.0.1:9000"}
  test: {label: Sandbox, upstream: "http://127.0.0.1:9001"}
  eu: {label: Europe, upstream: "http://127.0.0.1:9002", host: eu.acme.test}
ids: {request: req_, member: usr_, organization: org_}
scopes:
  read: {description: Read, aliases: ["records:read"]}
  write: {description: Write, implies: [read]}
  delete: Delete
  admin: {description: All, implies: ["*"]}
plans:
  standard: {label: Standard, per_minute: 300, burst: 50}
  small: {label: Small, per_minute: 60, per_day: 100}
  custom: {label: Custom, custom: true}
default_plan: standard
keys:
  api_key:
    label: API key
    format: {prefix: {live: ck_live_, test: ck_test_}}
    present: [{header: Authorization, scheme: Bearer}]
    scopes: [read, write, delete, admin]
  personal:
    label: Personal token
    owner: member
    format: {prefix: {live: pt_live_}}
    present: [{header: Authorization, scheme: Bearer}]
    expiry: {idle: 30d}
  exchange:
    label: Exchange token
    format: {prefix: {live: xt_live_}}
    present: [{header: Authorization, scheme: Bearer}]
    exchange_only: true
  space:
    label: Space token
    format: uuid
    present: [{header: x-apikey}, {header: x-api-key}]
    refuse_browsers: true
  admin_token:
    label: Admin token
    format: hex-32-12
    present: [{header: x-admintoken}]
    environments: [live]
tokens: {access: {format: opaque, prefix: at_, lifetime: 1h}}
endpoints:
  token:
    - {host: api, path: /login, grants: {token: exchange}, authentication: [bearer], respond: [access_token]}
errors:
  body: {error: {code: $code, message: $message}}
routes:
  - {match: "GET /v1/public", public: true}
  - {match: "GET /v1/open/{rest...}", public: true, environments: [test]}
  - {match: "GET /v1/me"}
  - {match: "GET /v1/records", scopes: [read]}
  - {match: "GET /v1/records/{id}", scopes: [read]}
  - {match: "POST /v1/records", scopes: [write]}
  - {match: "POST /v1/records/{id}", scopes: [write]}
  - {match: "POST /v1/records/@bulk", scopes: [admin]}
  - {match: "DELETE /v1/records/{id}", scopes: [delete]}
  - {match: "GET /v1/live", environments: [live]}
  - {match: "GET /{environment}/data", scopes: [read]}
  - {match: "GET /v1/files/{name}", allow_encoded_slash: true}
  - match: "GET /v1/users/me"
    answer: {data: {id: $member.id, email: $member.email, name: $member.name, key: $credential.name, org: $organization.name}}
  - match: "PUT /v1/shared"
    cors: {origins: ["https://app.acme.test"], headers: [Authorization]}
`

// load compiles a contract.
func load(t testing.TB, text string) *contract.Contract {
	t.Helper()
	c, err := contract.Load("acme.yaml", []byte(text))
	if err != nil {
		t.Fatalf("contract: %v", err)
	}
	return c
}

// start is the time in a world: the beginning of a minute.
var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// client is the address of a world's requests.
var client = netip.MustParseAddr("203.0.113.7")

// A world is an Authorizer with a database, a contract and a clock that stands still.
type world struct {
	*Authorizer
	t        testing.TB
	db       *store.DB
	contract atomic.Pointer[contract.Contract]
	time     atomic.Pointer[time.Time]
	secretAt time.Time // when the next key's secret was made; zero: now
}

// newWorld returns a world on a database; nil means SQLite in a temporary directory.
func newWorld(t testing.TB, db *store.DB, adjust ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, db: db}
	w.time.Store(&start)
	if w.db == nil {
		w.db = storetest.OpenConfig(t, store.Config{Dir: t.TempDir(), Now: w.now})
	}
	w.contract.Store(load(t, acme))
	cfg := Config{Contract: w.contract.Load, Store: w.db, Limits: limit.NewTable(0), Now: w.now}
	for _, f := range adjust {
		f(&cfg)
	}
	w.Authorizer = New(cfg)
	return w
}

func (w *world) now() time.Time { return *w.time.Load() }

// advance moves the clock.
func (w *world) advance(d time.Duration) {
	at := w.now().Add(d)
	w.time.Store(&at)
}

// change commits and applies, as management does.
func (w *world) change(fn func(tx *store.Tx) error) {
	w.t.Helper()
	w.Apply(storetest.Change(w.t, w.db, fn))
}

// organization makes one on a plan.
func (w *world) organization(plan string) store.Organization {
	w.t.Helper()
	o := store.Organization{ID: secret.NewID("org_"), Name: "Acme", Plan: plan}
	w.change(func(tx *store.Tx) error { return tx.InsertOrganization(w.t.Context(), o) })
	return o
}

// A key is a credential with its secret.
type key struct {
	store.Credential
	secret.Secret
}

// prefixes of the kinds in acme.
var prefixes = map[string]string{"api_key": "ck_", "personal": "pt_", "exchange": "xt_"}

// key makes a credential of a kind; adjust changes it before it is stored.
func (w *world) key(o store.Organization, kind, env string, adjust ...func(*store.Credential)) key {
	w.t.Helper()
	c := store.Credential{
		ID: secret.NewID("key_"), Kind: kind, Environment: env, Organization: o.ID,
		Name: "key", Scopes: []string{"read"}, CreatedBy: "test", CreatedAt: w.now(),
	}
	for _, f := range adjust {
		f(&c)
	}
	shape, prefix := secret.ShapePrefix, prefixes[kind]+env+"_"
	switch kind {
	case "space":
		shape, prefix = secret.ShapeUUID, ""
	case "admin_token":
		shape, prefix = secret.ShapeHex, ""
	}
	s := secret.New(shape, prefix)
	made := w.now()
	if !w.secretAt.IsZero() {
		made, w.secretAt = w.secretAt, time.Time{}
	}
	w.change(func(tx *store.Tx) error {
		if err := tx.InsertCredential(w.t.Context(), c); err != nil {
			return err
		}
		return tx.InsertSecret(w.t.Context(), store.CredentialSecret{Hash: s.Hash(), Credential: c.ID, Hint: s.Hint(), CreatedAt: made})
	})
	return key{c, s}
}

// update changes a credential.
func (w *world) update(k *key, f func(*store.Credential)) {
	w.t.Helper()
	f(&k.Credential)
	w.change(func(tx *store.Tx) error { return tx.UpdateCredential(w.t.Context(), k.Credential) })
}

// request builds one; headers are name and value in turn.
func request(method, target string, headers ...string) *cardea.Request {
	r := &cardea.Request{ID: "req_1", Method: method, Host: "api.acme.test", Target: target, Header: http.Header{}, Peer: client}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// bearer is a request with a key.
func bearer(method, target string, k key) *cardea.Request {
	return request(method, target, "Authorization", "Bearer "+k.Reveal())
}

// ask judges a request and fails the test when no decision is possible.
func (w *world) ask(r *cardea.Request) Decision {
	w.t.Helper()
	d, err := w.Authorize(w.t.Context(), r)
	if err != nil {
		w.t.Fatalf("Authorize: %v", err)
	}
	return d
}

// expect judges a request and compares step and reason.
func (w *world) expect(r *cardea.Request, step cardea.Step, reason cardea.Reason) Decision {
	w.t.Helper()
	d := w.ask(r)
	if d.Reason != reason || d.Step != step {
		w.t.Errorf("%s %s: %v at %v, want %v at %v", r.Method, r.Target, d.Reason, d.Step, reason, step)
	}
	if d.Allowed != (d.Reason == cardea.ReasonAllowed) || d.Allowed != (d.Denial == nil) {
		w.t.Errorf("%s %s: half a decision: allowed %v, reason %v, denial %v", r.Method, r.Target, d.Allowed, d.Reason, d.Denial != nil)
	}
	return d
}

// allow expects a request to pass.
func (w *world) allow(r *cardea.Request) Decision {
	w.t.Helper()
	return w.expect(r, cardea.StepLimit, cardea.ReasonAllowed)
}
