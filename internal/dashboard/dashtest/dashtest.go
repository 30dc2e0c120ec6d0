// Package dashtest sets up everything that is behind the dashboard for tests of its pages:
// a store, the use cases, people who signed in, and a browser without JavaScript for each.
package dashtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/hook"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/limit"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/record"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/signing"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
	"github.com/cardea-dev/cardea/internal/token"
	"github.com/cardea-dev/cardea/internal/web"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// Start is the time at which a world begins.
var Start = time.Date(2027, 3, 14, 9, 26, 53, 0, time.UTC)

// Password is everybody's password.
const Password = "violet tram at dusk"

// Operator is the actor that tests prepare things with.
var Operator = cardea.Actor{Type: "operator", ID: "mt_test"}

// A World is a dashboard and everything behind it. Its clock stands still until
// [World.Advance].
type World struct {
	Store    *store.DB
	Manage   *manage.Manager
	Insight  *insight.Insight
	Webhooks *webhook.Webhooks
	People   *people.People
	Recorder *record.Recorder

	// Authorizer decides about requests to the product's API, and counts them.
	Authorizer *authz.Authorizer
	Portal     *web.Portal

	// One and Two are two customers. Each has a member of every role.
	One, Two manage.Organization

	t        testing.TB
	mu       sync.Mutex
	now      time.Time
	contract *contract.Contract
	hash     string
	members  map[string]store.Member // :: organization id + role → member
}

// New returns the world of a contract, which is the name of a file, and of some areas.
// There are two organizations with a member of each role, and staff.
func New(t testing.TB, contractFile string, areas ...web.Area) *World {
	t.Helper()
	text, err := os.ReadFile(contractFile)
	if err != nil {
		t.Fatal(err)
	}
	return NewText(t, string(text), areas...)
}

// NewText is [New] for the text of a contract.
func NewText(t testing.TB, text string, areas ...web.Area) *World {
	t.Helper()
	w := &World{t: t, now: Start, members: map[string]store.Member{}}
	w.Load(text)
	w.Store = storetest.OpenConfig(t, store.Config{Dir: t.TempDir(), Now: w.Now})
	sealer, err := secret.NewSealer(make([]byte, secret.MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	hasher := password.New(password.Config{Params: password.Params{Memory: 64, Passes: 1, Lanes: 1}})
	if w.hash, err = hasher.Hash(t.Context(), Password); err != nil {
		t.Fatal(err)
	}
	limits := limit.NewTable(0)
	w.Recorder = record.New(record.Config{Store: w.Store, Limits: limits, Now: w.Now})
	keys := signing.New(signing.Config{Store: w.Store, Contract: w.Contract, Sealer: sealer, Now: w.Now})
	client := fetch.New(fetch.Config{AllowPrivate: true})
	issuers := token.NewCache(token.CacheConfig{Fetch: client, Now: w.Now})
	authorizer := authz.New(authz.Config{Contract: w.Contract, Store: w.Store, Limits: limits, Now: w.Now, Keys: keys, Issuers: issuers})
	w.Authorizer = authorizer
	forget := func(c store.Changes) { authorizer.Apply(c) }
	w.People = people.New(people.Config{Store: w.Store, Contract: w.Contract, Sealer: sealer, Now: w.Now, Hasher: hasher, Fetch: client, Apply: forget})
	w.Manage = manage.New(manage.Config{
		Store: w.Store, Contract: w.Contract, Sealer: sealer, Now: w.Now, Hasher: hasher, Keys: keys, Issuers: issuers,
		PrivateIssuers: true, Apply: forget, LoadedAt: func() time.Time { return Start },
		Origin: func() string { return "https://app.example.com" },
		Hooks:  hook.New(hook.Config{Fetch: client, Sign: make([]byte, 32), Now: w.Now}),
	})
	w.Insight = insight.New(insight.Config{
		Store: w.Store, Contract: w.Contract, Manager: w.Manage, Authorizer: authorizer, Recorder: w.Recorder, Now: w.Now,
		ContractText: func() []byte { return []byte(text) },
	})
	w.Webhooks = webhook.New(webhook.Config{Store: w.Store, Sealer: sealer, Fetch: client, Private: true, Now: w.Now})
	w.Portal = web.New(web.Config{Manage: w.Manage, Insight: w.Insight, Webhooks: w.Webhooks, People: w.People, Contract: w.Contract, Now: w.Now, AnyHost: true}, areas...)
	w.One, w.Two = w.organization("One Corp"), w.organization("Two Corp")
	w.staff()
	return w
}

// Now returns the world's time.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Advance moves the clock.
func (w *World) Advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// Contract returns the contract in force.
func (w *World) Contract() *contract.Contract {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.contract
}

// Load brings another contract into force.
func (w *World) Load(text string) {
	w.t.Helper()
	c, err := contract.Load("cardea.yaml", []byte(text))
	if err != nil {
		w.t.Fatalf("the test's contract: %v", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.contract = c
}

// roles are the roles there are.
var roles = []cardea.Role{cardea.RoleOwner, cardea.RoleAdmin, cardea.RoleDeveloper, cardea.RoleViewer}

// organization makes a customer with a member of each role: "owner@one-corp.test".
func (w *World) organization(name string) manage.Organization {
	w.t.Helper()
	o, err := w.Manage.CreateOrganization(w.t.Context(), Operator, manage.CreateOrganization{Name: name})
	if err != nil {
		w.t.Fatal(err)
	}
	w.people(o.ID, strings.ToLower(strings.ReplaceAll(name, " ", "-"))+".test")
	return o
}

// staff makes the company's own organization.
func (w *World) staff() {
	w.t.Helper()
	id := "org_staff"
	storetest.Change(w.t, w.Store, func(tx *store.Tx) error {
		return tx.InsertOrganization(w.t.Context(), store.Organization{ID: id, Name: "Staff", Staff: true})
	})
	w.people(id, "staff.test")
}

// people makes a member of each role.
func (w *World) people(organization, domain string) {
	w.t.Helper()
	storetest.Change(w.t, w.Store, func(tx *store.Tx) error {
		for _, role := range roles {
			m := store.Member{
				ID: "usr_" + string(role) + "_" + strings.NewReplacer("-", "", ".", "").Replace(domain), Organization: organization,
				Email: string(role) + "@" + domain, Name: strings.ToUpper(string(role[:1])) + string(role[1:]) + " Person", Role: role,
			}
			if err := tx.InsertMember(w.t.Context(), m); err != nil {
				return err
			}
			if err := tx.SetPassword(w.t.Context(), store.Password{Member: m.ID, Hash: w.hash}); err != nil {
				return err
			}
			w.members[organization+string(role)] = m
		}
		return nil
	})
}

// Member returns the member of an organization with a role.
func (w *World) Member(organization manage.Organization, role cardea.Role) store.Member {
	w.t.Helper()
	m, ok := w.members[organization.ID+string(role)]
	if !ok {
		w.t.Fatalf("no %s in %s", role, organization.ID)
	}
	return m
}

// As returns the browser of the member of an organization with a role, signed in.
func (w *World) As(organization manage.Organization, role cardea.Role) *Browser {
	w.t.Helper()
	return w.signIn(w.Member(organization, role))
}

// AsStaff returns the browser of one of the company's own people, signed in: owner and
// admin are operators, developer and viewer only look.
func (w *World) AsStaff(role cardea.Role) *Browser {
	w.t.Helper()
	return w.signIn(w.Member(manage.Organization{ID: "org_staff"}, role))
}

// Nobody returns a browser that is not signed in.
func (w *World) Nobody() *Browser { return &Browser{world: w} }

func (w *World) signIn(m store.Member) *Browser {
	w.t.Helper()
	token, _, err := w.People.SignIn(w.t.Context(), people.Attempt{
		Organization: m.Organization, Email: m.Email, Password: Password,
		Address: netip.MustParseAddr("192.0.2.7"), UserAgent: "dashtest",
	})
	if err != nil {
		w.t.Fatalf("signing in as %s: %v", m.Email, err)
	}
	return &Browser{world: w, Member: m, session: token.Reveal()}
}

// A Browser visits pages as somebody. It has no JavaScript.
type Browser struct {
	Member store.Member

	world   *World
	session string
	notice  *http.Cookie
}

// An Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Location returns where the answer leads, "" for nowhere.
func (a Answer) Location() string { return a.Header.Get("Location") }

// Get visits a path of the dashboard: "/dashboard/keys".
func (b *Browser) Get(path string) Answer { return b.Do(b.request(http.MethodGet, path, nil)) }

// Post sends a form: from the same site.
func (b *Browser) Post(path string, form url.Values) Answer {
	return b.Do(b.request(http.MethodPost, path, form))
}

// Part visits a path as htmx does.
func (b *Browser) Part(path string) Answer {
	r := b.request(http.MethodGet, path, nil)
	r.Header.Set("HX-Request", "true")
	r.Header.Set("HX-Request-Type", "partial")
	return b.Do(r)
}

// request returns a request with the browser's session.
func (b *Browser) request(method, path string, form url.Values) *http.Request {
	b.world.t.Helper()
	var body strings.Reader
	if form != nil {
		body = *strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(context.WithoutCancel(b.world.t.Context()), method, "https://app.example.com"+path, &body)
	if form != nil || method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://app.example.com")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	b.Sign(r)
	if b.notice != nil {
		r.AddCookie(b.notice)
		b.notice = nil
	}
	return r
}

// Sign gives a request that was made by hand the browser's session.
func (b *Browser) Sign(r *http.Request) {
	if b.session != "" {
		r.AddCookie(&http.Cookie{Name: "__Host-session", Value: b.session})
	}
}

// Do sends a request that was made by hand.
func (b *Browser) Do(r *http.Request) Answer {
	b.world.t.Helper()
	h, ok := b.world.Portal.Find(r.Host, r.Method, r.URL.EscapedPath())
	if !ok {
		b.world.t.Fatalf("%s %s is none of the dashboard's", r.Method, r.URL.Path)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.Name == "__Host-notice" && c.MaxAge > 0 {
			b.notice = &http.Cookie{Name: c.Name, Value: c.Value}
		}
	}
	return Answer{Status: w.Code, Header: w.Result().Header, Body: w.Body.String()}
}

// Follow visits where an answer leads.
func (b *Browser) Follow(a Answer) Answer {
	b.world.t.Helper()
	if a.Status != http.StatusSeeOther {
		b.world.t.Fatalf("the answer leads nowhere: %d %s", a.Status, a.Body)
	}
	return b.Get(a.Location())
}
