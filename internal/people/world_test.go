package people_test

import (
	"context"
	"database/sql"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// acme offers every way to sign in, and has applications.
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
sign_in: {methods: [password, passkey, sso], idle: 12h, max: 7d}
routes:
  - {match: "GET /v1/things", scopes: [read]}
`

// start is an hour nobody shares.
var start = time.Date(2027, 3, 14, 9, 26, 53, 0, time.UTC)

// goodPassword is a password that the policy takes.
const goodPassword = "violet tram at dusk"

// cheap costs next to nothing, for tests that are not about the cost.
var cheap = password.Params{Memory: 64, Passes: 1, Lanes: 1}

// A world is a People with a real store and a clock that the test moves.
type world struct {
	*people.People
	t      testing.TB
	ctx    context.Context
	cfg    store.Config
	store  *store.DB
	hasher *password.Hasher
	sealer *secret.Sealer

	mu       sync.Mutex
	now      time.Time
	contract *contract.Contract
}

func newWorld(t testing.TB, cfg store.Config) *world {
	t.Helper()
	w := &world{t: t, ctx: t.Context(), cfg: cfg, now: start}
	cfg.Now = w.clock
	w.store = storetest.OpenConfig(t, cfg)
	w.load(acme)
	var err error
	if w.sealer, err = secret.NewSealer(make([]byte, secret.MasterKeySize)); err != nil {
		t.Fatal(err)
	}
	w.hasher = password.New(password.Config{Parallel: 8, Params: cheap})
	w.People = people.New(people.Config{
		Store: w.store, Sealer: w.sealer, Now: w.clock, Hasher: w.hasher,
		Contract: w.inForce,
	})
	return w
}

// load puts another contract in force.
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

// with puts the contract in force with one piece of text replaced.
func (w *world) with(old, text string) {
	w.t.Helper()
	if !strings.Contains(acme, old) {
		w.t.Fatalf("the test's contract has no %q", old)
	}
	w.load(strings.Replace(acme, old, text, 1))
}

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

// home is where the people of these tests sit.
var home = people.From{Address: netip.MustParseAddr("203.0.113.7"), UserAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0", RequestID: "req_home"}

// from is somebody at an address.
func from(address string) people.From { return people.From{Address: netip.MustParseAddr(address)} }

// change makes a change to the store.
func (w *world) change(fn func(tx *store.Tx) error) {
	w.t.Helper()
	storetest.Change(w.t, w.store, fn)
}

// organization makes an organization.
func (w *world) organization(id, name string) store.Organization {
	w.t.Helper()
	o := store.Organization{ID: id, Name: name}
	w.change(func(tx *store.Tx) error { return tx.InsertOrganization(w.ctx, o) })
	return o
}

// member makes a member with a password; "" for none.
func (w *world) member(organization, id, email, text string) store.Member {
	w.t.Helper()
	m := store.Member{ID: id, Organization: organization, Email: email, Name: "Somebody", Role: cardea.RoleDeveloper}
	hash := ""
	if text != "" {
		var err error
		if hash, err = w.hasher.Hash(w.ctx, text); err != nil {
			w.t.Fatal(err)
		}
	}
	w.change(func(tx *store.Tx) error {
		if err := tx.InsertMember(w.ctx, m); err != nil || hash == "" {
			return err
		}
		return tx.SetPassword(w.ctx, store.Password{Member: m.ID, Hash: hash})
	})
	return m
}

// ada makes an organization with one member and returns her.
func (w *world) ada() store.Member {
	w.t.Helper()
	w.organization("org_one", "One Corp")
	return w.member("org_one", "usr_ada", "ada@one.test", goodPassword)
}

// attempt is an attempt to sign in from home.
func attempt(email, text string) people.Attempt {
	return people.Attempt{Email: email, Password: text, Address: home.Address, UserAgent: home.UserAgent, RequestID: home.RequestID}
}

// signIn signs somebody in.
func (w *world) signIn(email string) (token string, s people.Session) {
	w.t.Helper()
	text, s, err := w.SignIn(w.ctx, attempt(email, goodPassword))
	if err != nil {
		w.t.Fatalf("signing in: %v", err)
	}
	return text.Reveal(), s
}

// works reports whether a session's token is good.
func (w *world) works(token string) bool {
	w.t.Helper()
	_, ok, err := w.Session(w.ctx, token)
	if err != nil {
		w.t.Fatalf("Session: %v", err)
	}
	return ok
}

// wantKind fails the test unless err is of a kind.
func wantKind(t testing.TB, err error, kind cardea.Kind) {
	t.Helper()
	if err == nil || cardea.KindOf(err) != kind {
		t.Fatalf("error %v is of kind %d, want %d", err, cardea.KindOf(err), kind)
	}
}

// actions returns the actions of the audit log, oldest first, without those of the test
// itself.
func (w *world) actions() []string {
	w.t.Helper()
	var list []string
	for _, e := range w.events() {
		if e.Action != "test.change" {
			list = append(list, e.Action)
		}
	}
	return list
}

func (w *world) events() []store.AuditEvent {
	w.t.Helper()
	events, _, err := w.store.AuditEvents(w.ctx, store.AuditFilter{}, store.Page{Limit: 500})
	if err != nil {
		w.t.Fatal(err)
	}
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
	return events
}

// dump returns every value of a table as text, read behind the store's back.
func (w *world) dump(table string) string {
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
	rows, err := db.Query("SELECT * FROM " + table)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	var out strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(sql.RawBytes)
		}
		if err := rows.Scan(values...); err != nil {
			w.t.Fatal(err)
		}
		for _, v := range values {
			out.Write(*v.(*sql.RawBytes))
			out.WriteByte('\n')
		}
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return out.String()
}

// inForce returns the contract in force.
func (w *world) inForce() *contract.Contract {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.contract
}
