package dashboard_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/dashboard"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
	"github.com/cardea-dev/cardea/internal/web"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// The tests in this file attack every route of the dashboard, as many as there are: they
// send the forms that the pages of one organization show, as somebody who must not.

// everythingOn is the contract with every page that there is, secrets that can be shown
// again included.
func everythingOn(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/conformance/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(
		"    label: API key\n", "    label: API key\n    reveal: always\n    overlap: 24h\n",
		"    label: Personal token\n", "    label: Personal token\n    reveal: always\n",
		"  label: Application\n", "  label: Application\n  secret: {reveal: always}\n",
		"hooks:\n", "hooks:\n  - {match: \"GET /v1/asked\", when: always, url: \"http://127.0.0.1:9100/auth\", timeout: 1s}\n",
	).Replace(string(text))
}

// must ends the test for an error of what prepares it.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// furnish gives an organization one of everything, in every state that has forms of its
// own.
func furnish(t *testing.T, w *dashtest.World, o manage.Organization) {
	t.Helper()
	ctx, owner := t.Context(), w.Member(o, cardea.RoleOwner).ID
	actor := cardea.Actor{Type: access.TypeMember, ID: owner}
	c := w.Contract()
	first := c.Environments()[0].Name
	for _, kind := range c.Kinds() {
		in := manage.CreateKey{Kind: kind.Name, Environment: first, Organization: o.ID, Name: kind.Label + " of " + o.Name}
		if kind.Owner == contract.OwnerMember {
			in.Member = owner
		}
		must[manage.KeySecret](t)(w.Manage.CreateKey(ctx, actor, in))
		if kind.MaxPerOwner == 1 {
			continue
		}
		off := must[manage.KeySecret](t)(w.Manage.CreateKey(ctx, actor, in))
		must[manage.Key](t)(w.Manage.DisableKey(ctx, actor, manage.ID{ID: off.Key.ID}))
		turned := must[manage.KeySecret](t)(w.Manage.CreateKey(ctx, actor, in))
		must[manage.KeySecret](t)(w.Manage.RotateKey(ctx, actor, manage.RotateKey{ID: turned.Key.ID}))
	}
	furnishClients(t, w, o, actor)
	if c.ServiceAccounts() != nil {
		in := manage.CreateServiceAccount{Environment: first, Organization: o.ID, Name: "Account of " + o.Name, Scopes: []string{"read"}}
		account := must[manage.ServiceAccount](t)(w.Manage.CreateServiceAccount(ctx, actor, in))
		must[manage.ServiceAccountKeyFile](t)(w.Manage.CreateServiceAccountKey(ctx, actor, manage.CreateServiceAccountKey{ServiceAccount: account.ID}))
		off := must[manage.ServiceAccount](t)(w.Manage.CreateServiceAccount(ctx, actor, in))
		must[manage.ServiceAccount](t)(w.Manage.DisableServiceAccount(ctx, actor, manage.ID{ID: off.ID}))
	}
	if c.IPListPer() == contract.IPListPerBoth {
		for environment, list := range map[string][]string{"live": {"192.0.2.0/24", "198.51.100.7"}, "test": {"192.0.2.0/24"}} {
			id := manage.AddressListID{Organization: o.ID, Environment: environment}
			must[manage.AddressList](t)(w.Manage.AddAddresses(ctx, actor, manage.Addresses{AddressListID: id, Addresses: list}))
		}
	}
	if c.OrganizationIssuers() != nil {
		storetest.Change(t, w.Store, func(tx *store.Tx) error {
			_, err := tx.SaveIssuer(ctx, store.OrganizationIssuer{
				ID: secret.NewID("iss_"), Organization: o.ID, Environment: first, Issuer: "https://idp.example/" + o.ID,
				JWKSURL: "https://idp.example/jwks.json", Audience: "https://" + o.ID + ".example",
			})
			return err
		})
	}
	if slices.Contains(c.SignIn().Methods, people.MethodSSO) {
		must[manage.Connection](t)(w.Manage.SetConnection(ctx, actor, manage.SetConnection{Organization: o.ID, Issuer: "https://idp.example", ClientID: "dashboard"}))
	}
	must[manage.Member](t)(w.Manage.DisableMember(ctx, actor, manage.ID{ID: w.Member(o, cardea.RoleAdmin).ID}))
	w.As(o, cardea.RoleDeveloper) // somebody else who has signed in
	w.As(o, cardea.RoleOwner)     // and the owner, on another device
	furnishWebhooks(t, w, o.ID, actor)
}

// furnishClients gives an organization clients, and people who let them act for them.
func furnishClients(t *testing.T, w *dashtest.World, o manage.Organization, actor cardea.Actor) {
	t.Helper()
	ctx, c := t.Context(), w.Contract()
	if c.Clients().MaxPerOwner == 1 {
		return // the page offers to make it
	}
	in := manage.CreateClient{Environment: c.Environments()[0].Name, Organization: o.ID, Name: "Client of " + o.Name}
	in.RedirectURIs = []string{"https://client.example/callback", "https://app.example.com/dashboard/applications/try"}
	client := must[manage.ClientSecret](t)(w.Manage.CreateClient(ctx, actor, in))
	hour := int64(3600)
	must[manage.ClientSecret](t)(w.Manage.RotateClientSecret(ctx, actor, manage.RotateKey{ID: client.Client.ID, OverlapSeconds: &hour}))
	in.RedirectURIs = in.RedirectURIs[:1]
	must[manage.ClientSecret](t)(w.Manage.CreateClient(ctx, actor, in))
	off := must[manage.ClientSecret](t)(w.Manage.CreateClient(ctx, actor, in))
	must[manage.Client](t)(w.Manage.DisableClient(ctx, actor, manage.ID{ID: off.Client.ID}))
	storetest.Change(t, w.Store, func(tx *store.Tx) error {
		consent, err := tx.SaveConsent(ctx, store.Consent{ID: secret.NewID("consent_"), Member: actor.ID, Client: client.Client.ID, Organization: o.ID, Scopes: []string{"read"}})
		if err != nil {
			return err
		}
		return tx.InsertFamily(ctx, store.Family{
			ID: secret.NewID("grant_"), Client: client.Client.ID, Member: actor.ID, Organization: o.ID, Environment: in.Environment,
			Consent: consent.ID, Scopes: []string{"read"}, CreatedAt: tx.Now(),
		})
	})
}

// furnishWebhooks makes an endpoint that is on, with a message, and one that is off.
func furnishWebhooks(t *testing.T, w *dashtest.World, organization string, actor cardea.Actor) {
	t.Helper()
	ctx := t.Context()
	in := webhook.CreateEndpoint{Organization: organization, URL: "https://hooks.example/cardea"}
	on := must[webhook.EndpointSecret](t)(w.Webhooks.CreateEndpoint(ctx, actor, in))
	must[webhook.Delivery](t)(w.Webhooks.Test(ctx, actor, access.ID{ID: on.Endpoint.ID}))
	off, yes := must[webhook.EndpointSecret](t)(w.Webhooks.CreateEndpoint(ctx, actor, in)), true
	must[webhook.Endpoint](t)(w.Webhooks.UpdateEndpoint(ctx, actor, webhook.UpdateEndpoint{ID: off.Endpoint.ID, Disabled: &yes}))
}

// furnishConsole gives operators something to do.
func furnishConsole(t *testing.T, w *dashtest.World) {
	t.Helper()
	ctx := t.Context()
	o := must[manage.Organization](t)(w.Manage.CreateOrganization(ctx, dashtest.Operator, manage.CreateOrganization{Name: "Suspended Corp"}))
	must[manage.Organization](t)(w.Manage.SuspendOrganization(ctx, dashtest.Operator, manage.ID{ID: o.ID}))
	must[manage.ManagementTokenSecret](t)(w.Manage.CreateManagementToken(ctx, dashtest.Operator, manage.CreateManagementToken{Name: "deploy"}))
	must[manage.Member](t)(w.Manage.DisableMember(ctx, dashtest.Operator, manage.ID{ID: "usr_developer_stafftest"}))
	must[manage.List[manage.SigningKey]](t)(w.Manage.RotateSigningKeys(ctx, dashtest.Operator, manage.RotateSigningKeys{}))
	furnishWebhooks(t, w, "", dashtest.Operator)
}

// last returns the number of the latest audit event of an organization, "" for all of
// them: nothing changes without one.
func last(t *testing.T, w *dashtest.World, organization string) int64 {
	t.Helper()
	events, _, err := w.Store.AuditEvents(t.Context(), store.AuditFilter{Organization: organization}, store.Page{Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(events) == 0 {
		return 0
	}
	return events[0].Seq
}

// id is a part of a path that names one thing.
var id = regexp.MustCompile(`/[a-z]+_[0-9A-Za-z_]{6,}`)

// harvest opens every page that somebody can reach, each shape of path a few times, and
// returns the pages and the forms that change something, once each by action and fields.
func harvest(t *testing.T, b *dashtest.Browser, from string) (pages []string, forms []*form) {
	t.Helper()
	queue, seen, shapes, known := []string{from}, map[string]string{from: "the test"}, map[string]int{}, map[string]bool{}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		a := b.Get(path)
		if to := a.Location(); a.Status == http.StatusSeeOther && strings.HasPrefix(to, "/dashboard") {
			if seen[to] == "" {
				seen[to] = path
				queue = append(queue, to)
			}
			continue
		}
		if a.Status != http.StatusOK {
			t.Errorf("%s leads to %s, which answers %d", seen[path], path, a.Status)
			continue
		}
		pages = append(pages, path)
		found, links := read(path, a.Body)
		for _, f := range found {
			key := f.action + "?" + strings.Join(slices.Sorted(maps.Keys(f.fields)), "&")
			switch {
			case !strings.HasPrefix(f.action, "/dashboard"):
			case f.method != http.MethodPost && f.ticks: // asks about what was chosen
				links = append(links, f.action+"?"+f.fields.Encode())
			case f.method != http.MethodPost: // narrows a list
			case !known[key]:
				known[key] = true
				forms = append(forms, f)
			}
		}
		for _, link := range links {
			bare, _, _ := strings.Cut(link, "?")
			shape := id.ReplaceAllString(bare, "/…")
			most := 4
			if strings.HasPrefix(link, web.Prefix+"/as/") {
				most = 2 // members have the same pages
			}
			if seen[link] == "" && shapes[shape] < most {
				seen[link] = path
				shapes[shape]++
				queue = append(queue, link)
			}
		}
	}
	return pages, forms
}

// table answers which route of the dashboard a request has.
type table struct{ mux *http.ServeMux }

func newTable(routes []web.Route) table {
	mux := http.NewServeMux()
	for _, r := range routes {
		method, path, _ := strings.Cut(r.Pattern, " ")
		path = strings.TrimSuffix(path, "/")
		if r.Console {
			mux.HandleFunc(method+" /dashboard/console"+path, http.NotFound)
			continue
		}
		mux.HandleFunc(method+" /dashboard"+path, http.NotFound)
		mux.HandleFunc(method+" /dashboard/as/{organization}"+path, http.NotFound)
	}
	return table{mux}
}

// route returns the pattern of a request, without where it is mounted.
func (t table) route(method, path string) string {
	_, pattern := t.mux.Handler(httptest.NewRequest(method, path, nil))
	return strings.Replace(pattern, "/dashboard/as/{organization}", "/dashboard", 1)
}

// An attacker sends forms of others.
type attacker struct {
	name   string
	send   func(f *form) dashtest.Answer
	may    func(route string) bool // what is no attack; nil: everything is one
	victim string                  // the organization to which nothing may happen; "": all
	want   []int                   // statuses; nil: any, since it is their own that changes
}

// cross sends a form as another site would have a browser do it.
func cross(b *dashtest.Browser, f *form) dashtest.Answer {
	r := httptest.NewRequest(http.MethodPost, "https://app.example.com"+f.action, strings.NewReader(f.fields.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	b.Sign(r)
	return b.Do(r)
}

// furnished returns the worlds in which every form of the dashboard is on some page: that
// of a contract with everything switched on, and that of a product with a page of
// credentials.
func furnished(t *testing.T) []*dashtest.World {
	t.Helper()
	credentials, err := os.ReadFile("../../examples/coactive/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var worlds []*dashtest.World
	for _, text := range []string{everythingOn(t), string(credentials)} {
		w := dashtest.NewText(t, text, dashboard.Areas()...)
		furnish(t, w, w.One)
		furnish(t, w, w.Two)
		furnishConsole(t, w)
		worlds = append(worlds, w)
	}
	return worlds
}

// own are the routes by which a viewer changes what is theirs alone, and of trying what an
// application would do with them. Forms about single things of the owner are not among
// them.
var own = []string{"POST /dashboard/credentials", "POST /dashboard/sessions/end", "POST /dashboard/applications/{client}/try"}

// Guarantee: every form of the dashboard, sent by somebody who is not signed in, by another
// site, by a viewer, by the owner of another organization or by staff who only look, is
// refused and changes nothing. A route that takes a form which no page shows fails: then
// nobody would have tried.
func TestNobodyElsesFormsAreAccepted(t *testing.T) {
	worlds := furnished(t)
	covered := attackConsole(t, worlds[0])
	for _, w := range worlds {
		maps.Copy(covered, attackPortal(t, w))
	}
	for _, r := range worlds[0].Portal.Routes() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		where := "POST " + web.Prefix
		if r.Console {
			where = "POST " + web.ConsolePrefix
		}
		if method == http.MethodPost && !covered[where+strings.TrimSuffix(path, "/")] {
			t.Errorf("no page has a form for %s", r.Pattern)
		}
	}
}

// attackPortal attacks the forms of one organization's pages and returns their routes.
func attackPortal(t *testing.T, w *dashtest.World) map[string]bool {
	t.Helper()
	routes := newTable(w.Portal.Routes())
	owner := w.As(w.Two, cardea.RoleOwner)
	before := last(t, w, "")
	pages, forms := harvest(t, owner, web.Prefix)
	if now := last(t, w, ""); now != before {
		t.Error("looking at pages changed something")
	}
	other := w.As(w.One, cardea.RoleOwner)
	viewer := w.As(w.Two, cardea.RoleViewer)
	attackers := []attacker{
		{name: "nobody", send: func(f *form) dashtest.Answer { return w.Nobody().Post(f.action, f.fields) }, want: []int{http.StatusSeeOther}},
		{name: "another site", send: func(f *form) dashtest.Answer { return cross(owner, f) }, want: []int{http.StatusForbidden}},
		{
			name: "a viewer", send: func(f *form) dashtest.Answer { return viewer.Post(f.action, f.fields) },
			may:  func(route string) bool { return slices.Contains(own, route) },
			want: []int{http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity},
		},
		{
			name: "the owner of another organization", send: func(f *form) dashtest.Answer { return other.Post(f.action, f.fields) },
			may:  func(route string) bool { return !strings.Contains(route, "{") }, // see below
			want: []int{http.StatusNotFound, http.StatusForbidden},
		},
		{
			name: "the owner of another organization, on their own pages", send: func(f *form) dashtest.Answer { return other.Post(f.action, f.fields) },
			may:    func(route string) bool { return strings.Contains(route, "{") },
			victim: w.Two.ID, // ids among the fields are those of this one
		},
		{
			name: "a member by the operator's way", send: func(f *form) dashtest.Answer {
				return other.Post(strings.Replace(f.action, "/dashboard", "/dashboard/as/"+w.Two.ID, 1), f.fields)
			},
			want: []int{http.StatusNotFound},
		},
	}
	covered := attack(t, w, routes, forms, attackers)
	t.Logf("portal: %d pages, %d forms", len(pages), len(forms))
	for _, path := range pages {
		if a := w.Nobody().Get(path); a.Status != http.StatusSeeOther {
			t.Errorf("nobody gets %s: %d", path, a.Status)
		}
		if a := other.Get(path); id.MatchString(path) && a.Status != http.StatusNotFound {
			t.Errorf("the owner of another organization gets %s: %d", path, a.Status)
		}
	}
	return covered
}

// attackConsole attacks the forms of the operator's console and of an operator's view of a
// customer, and returns their routes.
func attackConsole(t *testing.T, w *dashtest.World) map[string]bool {
	t.Helper()
	routes := newTable(w.Portal.Routes())
	operator := w.AsStaff(cardea.RoleOwner)
	before := last(t, w, "")
	pages, forms := harvest(t, operator, web.ConsolePrefix)
	if now := last(t, w, ""); now != before {
		t.Error("looking at pages changed something")
	}
	t.Logf("console: %d pages, %d forms", len(pages), len(forms))
	member, observer := w.As(w.One, cardea.RoleOwner), w.AsStaff(cardea.RoleViewer)
	return attack(t, w, routes, forms, []attacker{
		{name: "nobody", send: func(f *form) dashtest.Answer { return w.Nobody().Post(f.action, f.fields) }, want: []int{http.StatusSeeOther}},
		{name: "another site", send: func(f *form) dashtest.Answer { return cross(operator, f) }, want: []int{http.StatusForbidden}},
		{name: "a member", send: func(f *form) dashtest.Answer { return member.Post(f.action, f.fields) }, want: []int{http.StatusNotFound}},
		{
			name: "an observer", send: func(f *form) dashtest.Answer { return observer.Post(f.action, f.fields) },
			want: []int{http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity},
		},
	})
}

// attack sends every form as every attacker and returns the routes that were attacked.
func attack(t *testing.T, w *dashtest.World, routes table, forms []*form, attackers []attacker) map[string]bool {
	t.Helper()
	covered := map[string]bool{}
	for _, f := range forms {
		path, _, _ := strings.Cut(f.action, "?")
		route := routes.route(http.MethodPost, path)
		if route == "" {
			t.Errorf("%s has a form for %s, which is no route", f.page, f.action)
			continue
		}
		covered[route] = true
		for _, who := range attackers {
			if who.may != nil && who.may(route) {
				continue
			}
			before := last(t, w, who.victim)
			a := who.send(f)
			if now := last(t, w, who.victim); now != before {
				t.Errorf("%s changed something by %s (form of %s)", who.name, route, f.page)
			}
			if who.want != nil && !slices.Contains(who.want, a.Status) {
				t.Errorf("%s is answered %d by %s (form of %s): %.80q", who.name, a.Status, route, f.page, a.Location())
			}
		}
	}
	return covered
}
