package manage_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
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
routes:
  - {match: "GET /v1/things", scopes: [read]}
  - {match: "POST /v1/things", scopes: [write, delete]}
`

// operator is who acts unless a test says otherwise.
var operator = cardea.Actor{Type: "operator", ID: "mt_test", Address: "192.0.2.1", RequestID: "req_test"}

// A world is a Manager with a real store and a clock that the test moves.
type world struct {
	*manage.Manager
	t     testing.TB
	ctx   context.Context
	cfg   store.Config
	store *store.DB

	mu      sync.Mutex
	now     time.Time
	applied []store.Changes
}

// start is a day before a leap day, at an hour nobody shares.
var start = time.Date(2027, 11, 30, 10, 20, 30, 0, time.UTC)

// newWorld opens a world on the database of a configuration.
func newWorld(t testing.TB, cfg store.Config) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), cfg: cfg, now: start}
	cfg.Now = w.clock
	w.store = storetest.OpenConfig(t, cfg)
	c, err := contract.Load("cardea.yaml", []byte(acme))
	if err != nil {
		t.Fatalf("the test's contract: %v", err)
	}
	sealer, err := secret.NewSealer(make([]byte, secret.MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	w.Manager = manage.New(manage.Config{
		Store: w.store, Contract: func() *contract.Contract { return c }, Sealer: sealer, Now: w.clock,
		Apply: func(changes store.Changes) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.applied = append(w.applied, changes)
		},
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
