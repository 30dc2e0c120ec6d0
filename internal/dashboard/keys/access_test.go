package keys_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/dashboard/keys"
	"github.com/cardea-dev/cardea/internal/manage"
)

// product is a contract with one of everything that the pages treat in a way of its own.
const product = `
cardea: 1
product: Acme
hosts: {api: api.acme.example, app: app.acme.example}
environments:
  live: {label: Production, upstream: "http://127.0.0.1:9000"}
  test: {label: Sandbox, upstream: "http://127.0.0.1:9001", test_credentials: true}
scopes: {read: Read data, write: {description: Change data, implies: [read]}}
plans: {free: {label: Free, per_minute: 60}}
default_plan: free
ip_lists: {per: credential}
keys:
  api_key:
    label: API key
    owner: organization
    format: {prefix: {live: ak_live_, test: ak_test_}}
    present: [{header: Authorization, scheme: Bearer}]
    expiry: {max: 90d}
    default_scopes: [read]
  system_key:
    label: System key
    owner: organization
    format: {prefix: {live: sy_live_, test: sy_test_}}
    present: [{header: X-System-Key}]
    reveal: always
    expiry: {default: 30d}
    created_by: [owner, admin]
errors: {body: {error: $message}}
routes:
  - {match: "GET /v1/things", scopes: [read]}
  - {match: "POST /v1/things", scopes: [write]}
  - {match: "GET /v1/ping", public: true}
`

// made makes a key and returns it with its secret.
func made(t *testing.T, w *dashtest.World, in manage.CreateKey) manage.KeySecret {
	t.Helper()
	if in.Kind == "" {
		in.Kind = "api_key"
	}
	if in.Environment == "" {
		in.Environment = "live"
	}
	k, err := w.Manage.CreateKey(t.Context(), dashtest.Operator, in)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// now returns a key as it is.
func now(t *testing.T, w *dashtest.World, id string) manage.Key {
	t.Helper()
	k, err := w.Manage.Key(t.Context(), dashtest.Operator, manage.ID{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// deeds are the forms that change a key, as somebody without the page may send them.
var deeds = map[string]url.Values{
	"/edit": {"name": {"Stolen"}, "scope": {"write"}}, "/disable": nil, "/enable": nil, "/rotate": {"overlap": {"0"}}, "/finish": nil,
	"/revoke": {"confirm": {"Ours"}}, "/reveal": nil,
}

// Whoever may not change a key is refused, and sees no button that would; a key of another
// organization is not there, whatever is asked about it and by whom.
func TestNobodyReachesWhatIsNotTheirs(t *testing.T) {
	w := dashtest.NewText(t, product, keys.Area())
	ours := made(t, w, manage.CreateKey{Organization: w.One.ID, Name: "Ours"}).Key
	t.Run("a viewer", func(t *testing.T) {
		b := w.As(w.One, cardea.RoleViewer)
		list := b.Get("/dashboard/keys")
		says(t, list, http.StatusOK, "Ours")
		saysNot(t, list, "/keys/new", `name="key"`, "Revoke those chosen")
		page := b.Get("/dashboard/keys/" + ours.ID)
		saysNot(t, page, "/edit", "/rotate", "/disable", "/revoke", "<button>")
		says(t, b.Get("/dashboard/keys/new"), http.StatusForbidden, "Your role looks at keys and does not make them")
		for path, form := range deeds {
			says(t, b.Post("/dashboard/keys/"+ours.ID+path, form), http.StatusForbidden)
		}
		says(t, b.Post("/dashboard/keys/new", url.Values{"name": {"n"}, "environment": {"live"}, "scope": {"read"}}), http.StatusForbidden)
		says(t, b.Post("/dashboard/keys/revoke", url.Values{"key": {ours.ID}}), http.StatusForbidden)
	})
	t.Run("another organization", func(t *testing.T) {
		b := w.As(w.Two, cardea.RoleOwner)
		saysNot(t, b.Get("/dashboard/keys"), "Ours")
		for _, path := range []string{"", "/edit", "/disable", "/rotate", "/rotation", "/revoke"} {
			a := b.Get("/dashboard/keys/" + ours.ID + path)
			says(t, a, http.StatusNotFound)
			saysNot(t, a, "Ours")
		}
		for path, form := range deeds {
			says(t, b.Post("/dashboard/keys/"+ours.ID+path, form), http.StatusNotFound)
		}
		says(t, b.Get("/dashboard/keys/revoke?key="+ours.ID), http.StatusOK, "Nothing is chosen")
		says(t, b.Post("/dashboard/keys/revoke", url.Values{"key": {ours.ID}}), http.StatusUnprocessableEntity, "Nothing is chosen")
		says(t, b.Get("/dashboard/as/"+w.One.ID+"/keys"), http.StatusNotFound)
	})
	t.Run("an operator in the wrong organization", func(t *testing.T) {
		b := w.AsStaff(cardea.RoleOwner)
		says(t, b.Get("/dashboard/as/"+w.One.ID+"/keys/"+ours.ID), http.StatusOK, "Ours")
		says(t, b.Get("/dashboard/as/"+w.Two.ID+"/keys/"+ours.ID), http.StatusNotFound)
		says(t, b.Get("/dashboard/as/"+w.Two.ID+"/keys/revoke?key="+ours.ID), http.StatusOK, "Nothing is chosen")
		says(t, b.Post("/dashboard/as/"+w.Two.ID+"/keys/revoke", url.Values{"key": {ours.ID}}), http.StatusUnprocessableEntity, "Nothing is chosen")
		for path, form := range deeds {
			says(t, b.Post("/dashboard/as/"+w.Two.ID+"/keys/"+ours.ID+path, form), http.StatusNotFound)
		}
	})
	t.Run("an observer", func(t *testing.T) {
		b := w.AsStaff(cardea.RoleDeveloper)
		says(t, b.Get("/dashboard/as/"+w.One.ID+"/keys/"+ours.ID), http.StatusOK, "Ours")
		for path, form := range deeds {
			says(t, b.Post("/dashboard/as/"+w.One.ID+"/keys/"+ours.ID+path, form), http.StatusForbidden)
		}
	})
	if k := now(t, w, ours.ID); k.Name != "Ours" || k.Status != manage.StatusActive || k.Hint != ours.Hint || k.UpdatedAt != ours.UpdatedAt {
		t.Errorf("the key was changed: %+v", k)
	}
}

// A developer may have kinds of key that only admins make; the page offers what may be
// made, and the server holds to it.
func TestKindsAreMadeByThoseTheContractNames(t *testing.T) {
	w := dashtest.NewText(t, product, keys.Area())
	developer, owner := w.As(w.One, cardea.RoleDeveloper), w.As(w.One, cardea.RoleOwner)
	saysNot(t, developer.Get("/dashboard/keys?kind=system_key"), "/keys/new")
	saysNot(t, developer.Get("/dashboard/keys/new?kind=system_key"), "Create System key", "system_key")
	a := developer.Post("/dashboard/keys/new", url.Values{"kind": {"system_key"}, "name": {"n"}, "environment": {"live"}, "scope": {"read"}})
	if list, _ := w.Manage.Keys(t.Context(), dashtest.Operator, manage.KeyFilter{Kind: "system_key"}); len(list.Items) != 0 {
		t.Errorf("a developer made one: %d", a.Status)
	}
	says(t, owner.Get("/dashboard/keys/new?kind=system_key"), http.StatusOK, "Create system key", "An empty date means 30 days", "No expiry")
}

// Limits of its own are for operators to give a key.
func TestOnlyOperatorsGiveAKeyLimits(t *testing.T) {
	w := dashtest.NewText(t, product, keys.Area())
	form := url.Values{"name": {"n"}, "environment": {"live"}, "scope": {"read"}, "per_minute": {"1000000"}}
	b := w.As(w.One, cardea.RoleOwner)
	saysNot(t, b.Get("/dashboard/keys/new"), "per_minute")
	says(t, b.Post("/dashboard/keys/new", form), http.StatusOK)
	operator := w.AsStaff(cardea.RoleOwner)
	says(t, operator.Get("/dashboard/as/"+w.One.ID+"/keys/new"), http.StatusOK, "Limits of its own", `name="per_minute"`)
	form.Set("per_minute", "10")
	says(t, operator.Post("/dashboard/as/"+w.One.ID+"/keys/new", form), http.StatusOK)
	list, err := w.Manage.Keys(t.Context(), dashtest.Operator, manage.KeyFilter{Organization: w.One.ID})
	if err != nil || len(list.Items) != 2 {
		t.Fatal(list, err)
	}
	for _, k := range list.Items {
		switch operators := strings.HasPrefix(k.CreatedBy, "operator:"); {
		case operators && (k.Limits == nil || k.Limits.PerMinute != 10):
			t.Errorf("the operator's limits were lost: %+v", k.Limits)
		case !operators && k.Limits != nil:
			t.Errorf("a member gave a key limits: %+v", k.Limits)
		}
	}
}

// A secret is on no page that can be opened by its address, and the pages that show one
// are kept by nobody.
func TestSecretsAreOnlyInAnswersToForms(t *testing.T) {
	w := dashtest.NewText(t, product, keys.Area())
	b := w.As(w.One, cardea.RoleOwner)
	k := made(t, w, manage.CreateKey{Kind: "system_key", Organization: w.One.ID, Name: "Viewable", Scopes: []string{"read"}})
	path := "/dashboard/keys/" + k.Key.ID
	for _, get := range []string{"/dashboard/keys?kind=system_key", path, path + "/edit", path + "/rotate", path + "/revoke", path + "/disable"} {
		a := b.Get(get)
		says(t, a, http.StatusOK, "Viewable")
		saysNot(t, a, k.Secret.Reveal())
	}
	says(t, b.Get(path+"/reveal"), http.StatusMethodNotAllowed)
	shown := b.Post(path+"/reveal", nil)
	if got := secretOf(t, shown); got != k.Secret.Reveal() {
		t.Errorf("the secret that is shown again is another one")
	}
	says(t, shown, http.StatusOK, "Whoever has it can do what the key may do", `curl "https://app.example.com/v1/things" -H "x-system-key: sy_live_`)
	saysNot(t, shown, "It is not shown again")
	if got := shown.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control: %s", got)
	}
	if shown.Header.Get("Content-Encoding") != "" {
		t.Errorf("a page with a secret is compressed, next to what others can choose")
	}
}

// hostile is a text that would be code where a text is not escaped.
const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`

// Whatever people write is shown as what they wrote.
func TestWordsOfPeopleAreNeverMarkup(t *testing.T) {
	w := dashtest.NewText(t, product, keys.Area())
	b := w.As(w.One, cardea.RoleOwner)
	k := made(t, w, manage.CreateKey{Organization: w.One.ID, Name: hostile}).Key
	gone := made(t, w, manage.CreateKey{Organization: w.One.ID, Name: "Gone"}).Key
	if _, err := w.Manage.RevokeKey(t.Context(), dashtest.Operator, manage.RevokeKey{ID: gone.ID, Reason: hostile}); err != nil {
		t.Fatal(err)
	}
	q := url.Values{"search": {hostile}, "name": {hostile}, "address": {hostile}, "scope": {hostile}, "expires": {hostile}, "kind": {hostile}, "environment": {hostile}, "status": {hostile}, "sort": {hostile}, "cursor": {hostile}, "per_minute": {hostile}}
	path := "/dashboard/keys/" + k.ID
	for _, a := range []dashtest.Answer{
		b.Get("/dashboard/keys"), b.Get("/dashboard/keys?" + q.Encode()), b.Part("/dashboard/keys?" + q.Encode()), b.Get("/dashboard/keys/new?" + q.Encode()),
		b.Get(path), b.Get(path + "/edit"), b.Get(path + "/disable"), b.Get(path + "/rotate"), b.Get(path + "/revoke"),
		b.Get("/dashboard/keys/revoke?key=" + k.ID), b.Get("/dashboard/keys/" + gone.ID),
		b.Post(path+"/revoke", url.Values{"confirm": {hostile + "x"}, "reason": {hostile}}),
		b.Post(path+"/edit", url.Values{"name": {hostile + "\x01"}, "scope": {hostile}, "addresses": {hostile}, "expires": {hostile}}),
		b.Post(path+"/rotate", url.Values{"overlap": {hostile}, "expires": {hostile}}),
		b.Post("/dashboard/keys/new", url.Values{"name": {""}, "kind": {hostile}, "environment": {hostile}, "scope": {hostile}, "addresses": {hostile}, "expires": {hostile}}),
		b.Post("/dashboard/keys/new", url.Values{"name": {hostile}, "environment": {"live"}, "scope": {"read"}}),
	} {
		if strings.Contains(a.Body, "<script>alert") || strings.Contains(a.Body, "<img src=x") {
			t.Errorf("status %d: what somebody wrote is markup:\n%s", a.Status, a.Words())
		}
		if a.Status >= http.StatusInternalServerError {
			t.Errorf("status %d: %s", a.Status, a.Words())
		}
	}
}
