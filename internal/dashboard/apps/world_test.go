package apps_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/dashboard/apps"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// examples are the contracts of the five pages, and the one that a new product begins
// with.
var examples = []string{"cohera-api", "cohera-sdk", "coherence", "codehooks", "coactive", "cohera"}

func example(t testing.TB, name string) *dashtest.World {
	t.Helper()
	return dashtest.New(t, "../../../examples/"+name+"/cardea.yaml", apps.Area())
}

// text returns what people read of a page: without markup, with single spaces.
func text(a dashtest.Answer) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(a.Body, " "))), " ")
}

var tags = regexp.MustCompile(`(?s)<script.*?</script>|<[^>]*>`)

// want holds that an answer has a status and says all of these.
func want(t testing.TB, a dashtest.Answer, status int, says ...string) {
	t.Helper()
	if a.Status != status {
		t.Fatalf("status %d, want %d: %s", a.Status, status, text(a))
	}
	read := text(a)
	for _, s := range says {
		if !strings.Contains(read, s) && !strings.Contains(a.Body, s) {
			t.Errorf("the page does not say %q:\n%s", s, read)
		}
	}
}

// not holds that an answer says none of these.
func not(t testing.TB, a dashtest.Answer, says ...string) {
	t.Helper()
	read := text(a)
	for _, s := range says {
		if strings.Contains(read, s) || strings.Contains(a.Body, s) {
			t.Errorf("the page says %q: %.300s", s, read)
		}
	}
}

// unmarked holds that none of these stands in the markup of an answer.
func unmarked(t testing.TB, a dashtest.Answer, markup ...string) {
	t.Helper()
	for _, m := range markup {
		if i := strings.Index(a.Body, m); i >= 0 {
			t.Errorf("the page holds %q: …%s…", m, a.Body[max(0, i-80):min(len(a.Body), i+80)])
		}
	}
}

// form returns the members of a form: name, value, name, value.
func form(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Add(pairs[i], pairs[i+1])
	}
	return f
}

// value returns the text of the element with an id.
func value(t testing.TB, a dashtest.Answer, id string) string {
	t.Helper()
	m := regexp.MustCompile(`id="` + id + `"[^>]*>([^<]*)<`).FindStringSubmatch(a.Body)
	if m == nil {
		t.Fatalf("there is no element %q:\n%s", id, text(a))
	}
	return html.UnescapeString(m[1])
}

// with sends a GET with cookies of its own beside the browser's session.
func with(b *dashtest.Browser, path string, cookies ...*http.Cookie) dashtest.Answer {
	r := httptest.NewRequest(http.MethodGet, "https://app.example.com"+path, nil)
	b.Sign(r)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return b.Do(r)
}

// A scene is a world in which both organizations have one of everything.
type scene struct {
	*dashtest.World
	one, two things
}

// things are the ids of what an organization has.
type things struct {
	client, public, machine, secret string
	account, accountKey             string
	consent, grant                  string // of the viewer, for client
	token, session                  string // the viewer's
}

// newScene returns the scene of the contract that has everything.
func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{World: dashtest.NewText(t, everything, apps.Area())}
	s.one, s.two = s.fill(t, s.One), s.fill(t, s.Two)
	return s
}

func (s *scene) fill(t testing.TB, o manage.Organization) (x things) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	viewer := s.Member(o, cardea.RoleViewer)
	client := func(in manage.CreateClient) manage.ClientSecret {
		in.Organization, in.Environment = o.ID, "live"
		made, err := s.Manage.CreateClient(ctx, dashtest.Operator, in)
		must(err)
		return made
	}
	uris := []string{"https://app.acme.test/callback"}
	made := client(manage.CreateClient{Name: "Website of " + o.Name, RedirectURIs: uris, Scopes: []string{"records:read", "mail:send"}})
	x.client, x.secret = made.Client.ID, made.Secret.Reveal()
	x.public = client(manage.CreateClient{Name: "Phone of " + o.Name, RedirectURIs: uris, Public: true}).Client.ID
	x.machine = client(manage.CreateClient{Name: "Robot of " + o.Name, Grants: []string{"client_credentials"}}).Client.ID
	account, err := s.Manage.CreateServiceAccount(ctx, dashtest.Operator, manage.CreateServiceAccount{
		Organization: o.ID, Environment: "live", Name: "Nightly of " + o.Name, Scopes: []string{"records:read"},
	})
	must(err)
	key, err := s.Manage.CreateServiceAccountKey(ctx, dashtest.Operator, manage.CreateServiceAccountKey{ServiceAccount: account.ID})
	must(err)
	x.account, x.accountKey = account.ID, key.Key.ID
	token, err := s.Manage.CreateKey(ctx, cardea.Actor{Type: "member", ID: viewer.ID}, manage.CreateKey{Kind: "personal_token", Member: viewer.ID, Name: "Mine"})
	must(err)
	x.token = token.Key.ID
	x.consent, x.grant = "con_"+o.ID, "fam_"+o.ID
	storetest.Change(t, s.Store, func(tx *store.Tx) error {
		c, err := tx.SaveConsent(ctx, store.Consent{ID: x.consent, Member: viewer.ID, Client: x.client, Organization: o.ID, Scopes: []string{"records:read"}})
		if err != nil {
			return err
		}
		return tx.InsertFamily(ctx, store.Family{
			ID: x.grant, Client: x.client, Member: viewer.ID, Organization: o.ID, Environment: "live", Consent: c.ID, Scopes: c.Scopes,
			ExpiresAt: s.Now().Add(24 * time.Hour),
		})
	})
	s.As(o, cardea.RoleViewer)
	sessions, err := s.Manage.Sessions(ctx, dashtest.Operator, manage.SessionFilter{Member: viewer.ID})
	must(err)
	x.session = sessions.Items[0].ID
	return x
}

// path fills the wildcards of a route in with the ids of things.
func (x things) path(pattern string) string {
	return strings.NewReplacer("{client}", x.client, "{account}", x.account, "{account_key}", x.accountKey, "{consent}", x.consent,
		"{grant}", x.grant, "{key}", x.token, "{session}", x.session).Replace(pattern)
}

// state describes what an organization has, so that a change of any of it shows.
func (s *scene) state(t testing.TB, o manage.Organization) string {
	t.Helper()
	events, err := s.Insight.AuditEvents(t.Context(), dashtest.Operator, insight.AuditFilter{Organization: o.ID, Page: manage.Page{Limit: access.MaxLimit}})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range events.Items {
		if e.Action != "session.start" { // by whoever tries
			b.WriteString(e.Action + " " + e.Target.ID + "\n")
		}
	}
	return b.String()
}

// crossSite returns a form that another site sends.
func crossSite(b *dashtest.Browser, path string, f url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "https://app.example.com"+path, strings.NewReader(f.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://evil.test")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	b.Sign(r)
	return r
}
