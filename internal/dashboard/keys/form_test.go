package keys_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/dashboard/keys"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
)

// A link fills in every field of the form; what it names that there is not is left out and
// told, and never more than a form: nothing is made by following it.
func TestALinkFillsInTheForm(t *testing.T) {
	w := dashtest.NewText(t, product, keys.Area())
	b := w.As(w.One, cardea.RoleOwner)
	q := url.Values{"name": {"Nightly import"}, "environment": {"test"}, "scope": {"write"}, "expires": {"2027-05-01"}, "address": {"203.0.113.7", "2001:db8::/32"}}
	says(t, b.Get("/dashboard/keys/new?"+q.Encode()), http.StatusOK,
		`value="Nightly import"`, `value="test" required checked`, `value="write" checked`, `value="2027-05-01"`, "203.0.113.7\n2001:db8::/32")
	says(t, b.Get("/dashboard/keys/new?expires=30d"), http.StatusOK, `value="2027-04-13"`)
	says(t, b.Get("/dashboard/keys/new?scope=read+write"), http.StatusOK, `value="read" checked`, `value="write" checked`)
	says(t, b.Get("/dashboard/keys/new"), http.StatusOK, `value="live" required checked`, `value="read" checked`) // the kind's default

	unknown := b.Get("/dashboard/keys/new?scope=read+root&environment=moon&expires=soon&kind=none")
	says(t, unknown, http.StatusOK, "The link asks for a kind and environment and scope and expiry that there is not here", `value="live" required checked`, `value="read" checked`)
	saysNot(t, unknown, "root", "moon", "soon")
	if list, err := w.Manage.Keys(t.Context(), dashtest.Operator, manage.KeyFilter{}); err != nil || len(list.Items) != 0 {
		t.Errorf("following a link made %d keys, %v", len(list.Items), err)
	}
}

// The form holds to the kind's maximum, and so does the server for whoever has no form.
func TestAKeyEndsWithinItsKindsMaximum(t *testing.T) {
	w := dashtest.NewText(t, product, keys.Area())
	b := w.As(w.One, cardea.RoleOwner)
	says(t, b.Get("/dashboard/keys/new"), http.StatusOK, `min="2027-03-14" max="2027-06-12"`, "At most 90 days", "2027-04-13", "2027-06-12")
	form := url.Values{"name": {"n"}, "environment": {"live"}, "scope": {"read"}}
	for date, want := range map[string]time.Time{
		"2027-03-14": time.Date(2027, 3, 14, 23, 59, 59, 0, time.UTC), // today, to its end
		"2027-06-12": dashtest.Start.AddDate(0, 0, 90),                // the last day, to the last moment allowed
		"":           dashtest.Start.AddDate(0, 0, 90),
	} {
		form.Set("expires", date)
		form.Set("name", "until ["+date+"]")
		says(t, b.Post("/dashboard/keys/new", form), http.StatusOK)
		list, err := w.Manage.Keys(t.Context(), dashtest.Operator, manage.KeyFilter{Narrow: manage.Narrow{Search: form.Get("name")}})
		if err != nil || len(list.Items) == 0 || !list.Items[0].ExpiresAt.Equal(want) {
			t.Errorf("%q: %+v, %v; want %v", date, list.Items, err, want)
		}
	}
	for date, text := range map[string]string{
		"2027-06-13": "This kind of key lives at most 90 days", "2027-03-13": "The date must be in the future", "tomorrow": "The date must be a date",
	} {
		form.Set("expires", date)
		says(t, b.Post("/dashboard/keys/new", form), http.StatusUnprocessableEntity, "Nothing was saved", text)
	}
	form.Set("expires", "")
	form.Set("never", "1") // which this kind's form does not have
	form.Set("name", "never")
	says(t, b.Post("/dashboard/keys/new", form), http.StatusOK)
	if list, err := w.Manage.Keys(t.Context(), dashtest.Operator, manage.KeyFilter{Narrow: manage.Narrow{Search: "never"}}); err != nil || list.Items[0].ExpiresAt.IsZero() {
		t.Errorf("a key without an end: %v", err)
	}
}

// What a product's page requires is required, whatever the API would do without it.
func TestThePagesRequiredFieldsAreRequired(t *testing.T) {
	w := dashtest.New(t, example("cohera-api"), keys.Area())
	b := w.As(w.One, cardea.RoleOwner)
	a := b.Post("/dashboard/keys/new", url.Values{"name": {"CI"}, "environment": {"live"}, "addresses": {"nonsense"}})
	says(t, a, http.StatusUnprocessableEntity, "Nothing was saved", `value="CI"`, "Choose at least one", "Choose a date.")
	a = b.Post("/dashboard/keys/new", url.Values{"environment": {"moon"}, "scope": {"entities:read", "root"}, "expires": {"2027-12-31"}})
	says(t, a, http.StatusUnprocessableEntity, "name is required", "Environment must be", "One of those chosen is none", `value="entities:read" checked`, `value="2027-12-31"`)
}

// Every problem of a form stands at its field, and what was typed is still there.
func TestProblemsStandAtTheirFields(t *testing.T) {
	w := dashtest.NewText(t, product, keys.Area())
	b := w.As(w.One, cardea.RoleOwner)
	a := b.Post("/dashboard/keys/new", url.Values{"name": {strings.Repeat("x", 300)}, "environment": {"live"}, "scope": {"read"}, "addresses": {"203.0.113.7\n203.0.113.9/24"}})
	says(t, a, http.StatusUnprocessableEntity, "Nothing was saved", `aria-invalid="true"`, "Name must", `value="read" checked`, "203.0.113.9/24", "Address 2 has host bits set")
}

// The list finds what people look for, in any combination and part by part, and an
// address that makes no sense is answered with the list.
func TestTheListIsNarrowedByItsAddress(t *testing.T) {
	w := dashtest.NewText(t, product, keys.Area())
	for _, in := range []manage.CreateKey{
		{Name: "Alpha import", Scopes: []string{"read"}}, {Name: "Beta import", Environment: "test", Scopes: []string{"write"}},
		{Name: "Gamma", Scopes: []string{"write"}, ExpiresAt: dashtest.Start.AddDate(0, 0, 3)}, {Name: "Delta"},
	} {
		in.Organization = w.One.ID
		if k := made(t, w, in).Key; in.Name == "Delta" {
			if _, err := w.Manage.DisableKey(t.Context(), dashtest.Operator, manage.ID{ID: k.ID}); err != nil {
				t.Fatal(err)
			}
		}
		w.Advance(time.Second)
	}
	w.Advance(2*24*time.Hour + 20*time.Hour)
	b := w.As(w.One, cardea.RoleOwner)
	for query, want := range map[string]string{
		"": "Delta Gamma Beta Alpha", "sort=name": "Alpha Beta Delta Gamma", "search=IMPORT": "Beta Alpha", "environment=test": "Beta",
		"search=import&scope=write": "Beta", "status=disabled": "Delta", "status=expiring": "Gamma", "sort=expires": "Gamma Alpha Beta Delta",
		"search=nothing+like+it": "", "status=nonsense&sort=up": "Delta Gamma Beta Alpha", "cursor=nonsense": "Delta Gamma Beta Alpha",
		"search=%01": "Delta Gamma Beta Alpha",
	} {
		for _, a := range []dashtest.Answer{b.Get("/dashboard/keys?" + query), b.Part("/dashboard/keys?" + query)} {
			var got []string
			for _, part := range strings.Split(a.Body, `<th scope="row">`)[1:] {
				_, name, _ := strings.Cut(part, ">")
				name, _, _ = strings.Cut(name, "<")
				got = append(got, strings.TrimSuffix(name, " import"))
			}
			if a.Status != http.StatusOK || strings.Join(got, " ") != want {
				t.Errorf("%q: status %d, %v; want %v", query, a.Status, got, want)
			}
		}
	}
	says(t, b.Get("/dashboard/keys"), http.StatusOK, "All <strong>4", "Active <strong>3", "Disabled <strong>1", "1 key expires within 7 days", "In 3 hours")
	says(t, b.Get("/dashboard/keys?search=nothing"), http.StatusOK, "Nothing matches", `href="/dashboard/keys"`)
	says(t, b.Get("/dashboard/keys?status=nonsense&scope=root"), http.StatusOK, "asks for a status and a scope that there is not, which is ignored")
	if a := b.Part("/dashboard/keys?search=import"); strings.Contains(a.Body, "<html") || !strings.Contains(a.Body, `id="table"`) {
		t.Errorf("a part of the list is not the part: %s", a.Body)
	}
}

// A long list goes on where it stopped, with what it was narrowed by.
func TestALongListGoesOn(t *testing.T) {
	w := dashtest.NewText(t, product, keys.Area())
	b := w.As(w.One, cardea.RoleOwner)
	for i := range 53 {
		made(t, w, manage.CreateKey{Organization: w.One.ID, Name: fmt.Sprintf("import %02d", i)})
	}
	first := b.Get("/dashboard/keys?search=import&sort=name")
	says(t, first, http.StatusOK, "import 00", "import 49", "Next page")
	next := between(t, first, `<a class="button secondary" href="`, `" rel="next"`)
	second := b.Get(next)
	says(t, second, http.StatusOK, "import 50", "import 52")
	saysNot(t, second, "import 49", "Next page")
}

// Several keys end in one act, after a page that names them.
func TestSeveralKeysEndInOneAct(t *testing.T) {
	w := dashtest.NewText(t, product, keys.Area())
	b := w.As(w.One, cardea.RoleDeveloper)
	one := made(t, w, manage.CreateKey{Organization: w.One.ID, Name: "One"}).Key
	two := made(t, w, manage.CreateKey{Organization: w.One.ID, Name: "Two"}).Key
	kept := made(t, w, manage.CreateKey{Organization: w.One.ID, Name: "Kept"}).Key
	foreign := made(t, w, manage.CreateKey{Organization: w.Two.ID, Name: "Foreign"}).Key
	list := b.Get("/dashboard/keys")
	says(t, list, http.StatusOK, `action="/dashboard/keys/revoke"`, `name="key" value="`+kept.ID)
	ask := b.Get("/dashboard/keys/revoke?key=" + one.ID + "&key=" + two.ID + "&key=" + foreign.ID)
	says(t, ask, http.StatusOK, "Revoke 2 keys?", "1 other of those chosen cannot be revoked", "Revoke all 2")
	saysNot(t, ask, "Kept", "Foreign")
	says(t, b.Post("/dashboard/keys/revoke", url.Values{"key": {one.ID, two.ID}, "reason": {"a\nb"}}), http.StatusUnprocessableEntity, "Revoke 2 keys?", "The reason")
	says(t, b.Follow(b.Post("/dashboard/keys/revoke", url.Values{"key": {one.ID, two.ID, foreign.ID}, "reason": {"spring cleaning"}})), http.StatusOK, "2 keys revoked. 1 key could not be")
	says(t, b.Get("/dashboard/keys/"+one.ID), http.StatusOK, "Revoked by you", "Reason: spring cleaning")
	after := b.Get("/dashboard/keys")
	says(t, after, http.StatusOK, `name="key" value="`+kept.ID, "/dashboard/keys/"+kept.ID+"/revoke")
	saysNot(t, after, `value="`+one.ID, "/dashboard/keys/"+one.ID+"/revoke")
	if now(t, w, kept.ID).Status != manage.StatusActive || now(t, w, foreign.ID).Status != manage.StatusActive || now(t, w, two.ID).Status != manage.StatusRevoked {
		t.Error("the wrong keys were revoked")
	}
	says(t, b.Post("/dashboard/keys/revoke", url.Values{}), http.StatusUnprocessableEntity, "Nothing is chosen")
}

// While a rotation lasts its page tells who still comes with the old secret, and the list
// when, from where and for what a key was last used.
func TestUseIsSeen(t *testing.T) {
	w := dashtest.NewText(t, product, keys.Area())
	b := w.As(w.One, cardea.RoleOwner)
	k := made(t, w, manage.CreateKey{Organization: w.One.ID, Name: "Busy"}).Key
	path := "/dashboard/keys/" + k.ID
	says(t, b.Post(path+"/rotate", url.Values{"overlap": {"3600"}, "expires": {"2027-04-01"}}), http.StatusOK, k.Hint, "goes on working until")
	says(t, b.Get(path+"/rotate"), http.StatusOK, "A rotation is under way")
	says(t, b.Post(path+"/rotate", url.Values{"overlap": {"3600"}}), http.StatusUnprocessableEntity, "rotation is under way")
	w.Advance(time.Minute)
	var rows []store.RequestRow
	for i, from := range []string{"203.0.113.7", "203.0.113.7", "198.51.100.9"} {
		rows = append(rows, store.RequestRow{
			At: w.Now(), RequestID: fmt.Sprintf("req_%d", i), Credential: k.ID, Organization: w.One.ID, Environment: "live", Method: "GET",
			Path: "/v1/things", Route: "GET /v1/things", Status: 200, Reason: cardea.ReasonAllowed, Client: netip.MustParseAddr(from), OldSecret: from != "198.51.100.9",
		})
	}
	if err := w.Store.AppendRequests(t.Context(), rows, nil); err != nil {
		t.Fatal(err)
	}
	use := store.Use{At: w.Now(), From: netip.MustParseAddr("203.0.113.7"), Route: "GET /v1/things"}
	if err := w.Store.Touch(t.Context(), &store.Touch{Credentials: map[string]store.Use{k.ID: use}}); err != nil {
		t.Fatal(err)
	}
	live := b.Part(path + "/rotation")
	says(t, live, http.StatusOK, "Two secrets work now", "Who still uses the old secret", "203.0.113.7", "GET /v1/things", ">2<")
	saysNot(t, live, "198.51.100.9", "<html")
	says(t, b.Get("/dashboard/keys"), http.StatusOK, "to the minute", "Busy", "203.0.113.7", "GET /v1/things", "Rotating")
	says(t, b.Get(path), http.StatusOK, "203.0.113.7", "Finish now", "Exact to the minute", "In 18 days")
}

// Spaces have lists of their own: a switch leads from one to the other, and what is made
// belongs to the one that is open.
func TestSpacesAreSwitched(t *testing.T) {
	w := dashtest.New(t, example("codehooks"), keys.Area())
	b := w.As(w.One, cardea.RoleOwner)
	made(t, w, manage.CreateKey{Kind: "api_token", Organization: w.One.ID, Environment: "dev", Name: "Of dev", Scopes: []string{"READ", "WRITE"}})
	made(t, w, manage.CreateKey{Kind: "api_token", Organization: w.One.ID, Environment: "prod", Name: "Of prod", Scopes: []string{"READ"}})
	made(t, w, manage.CreateKey{Kind: "admin_token", Organization: w.One.ID, Environment: "dev", Name: "Of an admin"})
	dev := b.Get("/dashboard/keys")
	says(t, dev, http.StatusOK, "Of dev", ">READWRITE<", "Space dev")
	saysNot(t, dev, "Of prod", "Of an admin", ">READ</li>")
	prod := b.Get(between(t, dev, `aria-current="page">dev</a><a href="`, `"`))
	says(t, prod, http.StatusOK, `/dashboard/keys/new?environment=prod`, "Of prod", ">READ</li>")
	says(t, b.Get("/dashboard/keys?kind=admin_token"), http.StatusOK, "Create admin token", "Of an admin")
	says(t, b.Get("/dashboard/keys/new?environment=prod"), http.StatusOK, `value="prod" required checked`)
	text := secretOf(t, b.Post("/dashboard/keys/new", url.Values{"kind": {"api_token"}, "name": {"CI"}, "environment": {"prod"}, "scope": {"READ"}}))
	if list, err := w.Manage.Keys(t.Context(), dashtest.Operator, manage.KeyFilter{Environment: "prod"}); err != nil || len(list.Items) != 2 || len(text) != 36 {
		t.Errorf("%d tokens of prod, %v", len(list.Items), err)
	}
}
