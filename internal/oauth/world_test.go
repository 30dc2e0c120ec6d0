package oauth

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/signing"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
	"github.com/cardea-dev/cardea/internal/token"
)

// home is where the requests of a world come from.
var home = netip.MustParseAddr("127.0.0.1")

// start is the time in a world: the beginning of a minute.
var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A world is a Server with a database, signing keys, a contract, an HTTP listener and a
// clock that stands still.
type world struct {
	*Server
	t        testing.TB
	db       *store.DB
	keys     *signing.Keys
	sealer   *secret.Sealer
	contract atomic.Pointer[contract.Contract]
	time     atomic.Pointer[time.Time]
	http     *httptest.Server
	org      store.Organization
	log      bytes.Buffer
	logging  sync.Mutex
}

// acme returns the contract that most tests run on, adjusted by replacing texts: old and
// new in turn.
func acme(t testing.TB, changes ...string) *contract.Contract {
	t.Helper()
	return loadContract(t, "testdata/acme.yaml", changes...)
}

// example returns the contract of a page, adjusted like acme.
func example(t testing.TB, name string, changes ...string) *contract.Contract {
	t.Helper()
	return loadContract(t, "../../examples/"+name+"/cardea.yaml", changes...)
}

// loadContract loads a contract after replacing texts. Every old one must be there.
func loadContract(t testing.TB, file string, changes ...string) *contract.Contract {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i+1 < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			t.Fatalf("%s has no %q", file, changes[i])
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	c, err := contract.Load(file, []byte(text))
	if err != nil {
		t.Fatalf("contract: %v", err)
	}
	return c
}

// newWorld returns a world with a contract and an organization, on SQLite.
func newWorld(t testing.TB, c *contract.Contract) *world {
	t.Helper()
	return newWorldOn(t, c, store.Config{Dir: t.TempDir()})
}

// newWorldOn is newWorld on a database of choice.
func newWorldOn(t testing.TB, c *contract.Contract, cfg store.Config) *world {
	t.Helper()
	w := &world{t: t}
	w.time.Store(&start)
	w.contract.Store(c)
	cfg.Now = w.now
	w.db = storetest.OpenConfig(t, cfg)
	var err error
	if w.sealer, err = secret.NewSealer(bytes.Repeat([]byte{7}, secret.MasterKeySize)); err != nil {
		t.Fatal(err)
	}
	w.keys = signing.New(signing.Config{Store: w.db, Sealer: w.sealer, Contract: w.contract.Load, Now: w.now})
	w.insertKeys()
	logger := slog.New(slog.NewTextHandler(w, nil))
	issuers := token.NewCache(token.CacheConfig{Fetch: fetch.New(fetch.Config{AllowPrivate: true, Roots: roots()}), Now: w.now})
	authorizer := authz.New(authz.Config{
		Contract: w.contract.Load, Store: w.db, Now: w.now, Keys: w.keys, Issuers: issuers, RefusedPerMinute: 50,
	})
	w.Server = New(Config{
		Store: w.db, Contract: w.contract.Load, Authorizer: authorizer, Keys: w.keys, Issuers: issuers, Sealer: w.sealer, Now: w.now,
		Logger: logger, AnyHost: true,
	})
	w.http = httptest.NewServer(w.Handler())
	t.Cleanup(w.http.Close)
	w.org = w.organization()
	return w
}

// Write takes what is logged.
func (w *world) Write(p []byte) (int, error) {
	w.logging.Lock()
	defer w.logging.Unlock()
	return w.log.Write(p)
}

// logged returns what was logged.
func (w *world) logged() string {
	w.logging.Lock()
	defer w.logging.Unlock()
	return w.log.String()
}

func (w *world) now() time.Time { return *w.time.Load() }

// advance moves the clock.
func (w *world) advance(d time.Duration) {
	at := w.now().Add(d)
	w.time.Store(&at)
}

// roots are the authorities of httptest's TLS servers, which share a certificate.
var roots = sync.OnceValue(func() *x509.CertPool {
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
})

// rsaKey is the RSA key of all worlds: making one takes long.
var rsaKey = sync.OnceValue(func() store.SigningKey {
	private, err := token.Generate("RS256")
	if err != nil {
		panic(err)
	}
	public, _ := token.MarshalPublic(private.Public())
	der, _ := token.MarshalPrivate(private)
	return store.SigningKey{Algorithm: "RS256", PublicKey: public, Sealed: der}
})

// insertKeys gives every environment the RSA key, under a kid of its own.
func (w *world) insertKeys() {
	for _, env := range w.contract.Load().Environments() {
		key := rsaKey()
		key.ID, key.Environment = "key-"+env.Name, env.Name
		key.Sealed = w.sealer.Seal(secret.AAD("signing_key", key.ID, 1), key.Sealed)
		key.CreatedAt, key.SignsAt = start.Add(-time.Hour), start.Add(-time.Hour)
		storetest.Change(w.t, w.db, func(tx *store.Tx) error { return tx.InsertSigningKey(w.t.Context(), key) })
	}
}

// change commits and applies, as management does.
func (w *world) change(fn func(tx *store.Tx) error) {
	w.t.Helper()
	changes := storetest.Change(w.t, w.db, fn)
	w.keys.Applied(changes)
	w.apply(changes)
}

// organization makes one.
func (w *world) organization() store.Organization {
	w.t.Helper()
	o := store.Organization{ID: secret.NewID("org_"), Name: "Acme"}
	if plan := w.contract.Load().DefaultPlan(); plan != nil {
		o.Plan = plan.Name
	}
	w.change(func(tx *store.Tx) error { return tx.InsertOrganization(w.t.Context(), o) })
	return o
}

// member makes a member of the world's organization.
func (w *world) member() store.Member {
	w.t.Helper()
	id := secret.NewID(w.contract.Load().IDPrefix(contract.IDMember))
	m := store.Member{ID: id, Organization: w.org.ID, Email: id + "@example.test", Name: "Ada", Role: cardea.RoleDeveloper}
	w.change(func(tx *store.Tx) error { return tx.InsertMember(w.t.Context(), m) })
	return m
}

// A registered is a client with its secret.
type registered struct {
	store.Client
	secret secret.Secret
}

func (c registered) id() string { return c.Credential.ID }

// register makes a client of the world's organization that may do everything the contract
// lets clients do; adjust changes it before it is stored.
func (w *world) register(adjust ...func(*store.Client)) registered {
	w.t.Helper()
	c := w.contract.Load()
	env := c.Environments()[0]
	row := store.Client{
		Credential: store.Credential{
			ID: secret.NewID(c.IDPrefix(contract.IDClient)), Environment: env.Name, Organization: w.org.ID, Name: "App",
			Scopes: c.ScopeNames(c.Clients().Scopes), CreatedBy: "test", CreatedAt: w.now(),
		},
		RedirectURIs: []string{"https://app.example.test/callback"},
	}
	for _, f := range adjust {
		f(&row)
	}
	out := registered{Client: row}
	w.change(func(tx *store.Tx) error {
		if err := tx.InsertClient(w.t.Context(), row); err != nil || row.Public {
			return err
		}
		out.secret = secret.New(secret.ShapePrefix, c.Clients().SecretPrefixes[env.Index])
		return tx.InsertSecret(w.t.Context(), store.CredentialSecret{
			Hash: out.secret.Hash(), Credential: row.Credential.ID, Hint: out.secret.Hint(), CreatedAt: w.now(),
		})
	})
	return out
}

// public makes a client without a secret.
func public(c *store.Client) { c.Public = true }

// key makes a key of a kind with its secret.
func (w *world) key(kind string, member string, scopes ...string) (store.Credential, secret.Secret) {
	w.t.Helper()
	c := w.contract.Load()
	env := c.Environments()[0]
	row := store.Credential{
		ID: secret.NewID("key_"), Kind: kind, Environment: env.Name, Organization: w.org.ID, Member: member,
		Name: "key", Scopes: scopes, CreatedBy: "test", CreatedAt: w.now(),
	}
	text := secret.New(secret.ShapePrefix, c.Kind(kind).Prefixes[env.Index])
	w.change(func(tx *store.Tx) error {
		if err := tx.InsertCredential(w.t.Context(), row); err != nil {
			return err
		}
		return tx.InsertSecret(w.t.Context(), store.CredentialSecret{
			Hash: text.Hash(), Credential: row.ID, Hint: text.Hint(), CreatedAt: w.now(),
		})
	})
	return row, text
}

// consent makes a member's consent for a client.
func (w *world) consent(c registered, m store.Member, scopes ...string) store.Consent {
	w.t.Helper()
	consent := store.Consent{ID: secret.NewID("grt_"), Member: m.ID, Client: c.id(), Organization: m.Organization, Scopes: scopes}
	w.change(func(tx *store.Tx) (err error) {
		consent, err = tx.SaveConsent(w.t.Context(), consent)
		return err
	})
	return consent
}

// verifier is a code verifier, challenge its challenge: RFC 7636 appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// callback is the redirect URI of worlds' clients.
const callback = "https://app.example.test/callback"

// code makes an authorization code that a member agreed to; adjust changes it before it
// is stored.
func (w *world) code(c registered, m store.Member, adjust ...func(*store.Code)) string {
	w.t.Helper()
	text := secret.New(secret.ShapePrefix, "ac_").Reveal()
	row := store.Code{
		Hash: secret.HashOf(text), Client: c.id(), Member: m.ID, Organization: m.Organization,
		Environment: c.Credential.Environment, RedirectURI: callback, Scopes: []string{"read", "write"},
		Challenge: challenge, AuthTime: w.now(), ExpiresAt: w.now().Add(time.Minute),
	}
	for _, f := range adjust {
		f(&row)
	}
	if row.Consent == "" && !c.FirstParty {
		row.Consent = w.consent(c, m, row.Scopes...).ID
	}
	w.change(func(tx *store.Tx) error { return tx.InsertCode(w.t.Context(), row) })
	return text
}

// An answered is a response.
type answered struct {
	t      testing.TB
	status int
	header http.Header
	body   string
	json   map[string]any
}

// text returns a member of the body that is a string.
func (a answered) text(name string) string { s, _ := a.json[name].(string); return s }

// want checks status and error code; code "" wants none.
func (a answered) want(status int, code string) answered {
	a.t.Helper()
	if a.status != status || a.text("error") != code {
		a.t.Errorf("answered %d %s, want %d %q", a.status, a.body, status, code)
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Content-Type") != "application/json" {
		a.t.Errorf("Cache-Control %q, Content-Type %q", a.header.Get("Cache-Control"), a.header.Get("Content-Type"))
	}
	return a
}

// members returns the names of the body's members, in order.
func (a answered) members() []string {
	d := json.NewDecoder(strings.NewReader(a.body))
	var names []string
	depth := 0
	for name := true; ; {
		tok, err := d.Token()
		if err != nil {
			return names
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			name = true
			continue
		case string:
			if depth == 1 && name {
				names = append(names, v)
				name = false
				continue
			}
		}
		name = true
	}
}

// do sends a request to the world's server.
func (w *world) do(r *http.Request) answered {
	w.t.Helper()
	response, err := w.http.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answered{t: w.t, status: response.StatusCode, header: response.Header, body: string(body)}
	_ = json.Unmarshal(body, &a.json) // what is no JSON has no members
	return a
}

// form builds a POST with form parameters: name and value in turn.
func (w *world) form(path string, pairs ...string) *http.Request {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return w.raw(path, "application/x-www-form-urlencoded", values.Encode())
}

// raw builds a POST.
func (w *world) raw(path, kind, body string) *http.Request {
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.http.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	return r
}

// post sends form parameters.
func (w *world) post(path string, pairs ...string) answered {
	w.t.Helper()
	return w.do(w.form(path, pairs...))
}

// as posts to the token endpoint as a client with a secret.
func (w *world) as(c registered, pairs ...string) answered {
	w.t.Helper()
	pairs = append([]string{"client_id", c.id()}, pairs...)
	if !c.Public {
		pairs = append(pairs, "client_secret", c.secret.Reveal())
	}
	return w.post("/oauth/token", pairs...)
}

// part decodes a part of a JWT: 0 is the header, 1 the payload.
func part(t testing.TB, jwt string, n int) string {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("no JWT: %d parts", len(parts))
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[n])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// events returns how many audit events there are of an action.
func (w *world) events(action string) int {
	w.t.Helper()
	events, _, err := w.db.AuditEvents(w.t.Context(), store.AuditFilter{Action: action}, store.Page{Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(events)
}
