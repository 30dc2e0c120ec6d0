package keys_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/dashboard/keys"
	"github.com/cardea-dev/cardea/internal/manage"
)

var example, says, saysNot = dashtest.Example, dashtest.Says, dashtest.SaysNot

// between returns what stands between two texts of a page.
func between(t *testing.T, a dashtest.Answer, before, after string) string {
	t.Helper()
	_, rest, found := strings.Cut(a.Body, before)
	text, _, ended := strings.Cut(rest, after)
	if !found || !ended {
		t.Fatalf("nothing between %q and %q:\n%s", before, after, a.Words())
	}
	return html.UnescapeString(text)
}

// secretOf returns the secret that a page shows.
func secretOf(t *testing.T, a dashtest.Answer) string {
	t.Helper()
	return between(t, a, `<code id="secret" class="copy-text" data-secret tabindex="0">`, "</code>")
}

// Each product's pages speak with that product's words: the titles, buttons, fields,
// environments and scopes of its own page.
func TestPagesSpeakTheContractsWords(t *testing.T) {
	for _, c := range []struct {
		name       string
		list, form []string
	}{
		{"cohera-api", []string{"<h1>API Keys</h1>", "Create API Key"}, []string{
			"<h1>Create API Key</h1>", "Production", "ck_live_…", "Sandbox", "ck_test_…", "Select the required scopes", "Read everything",
			"Entities", "entities:read", "Read entity data", "entities:delete", "Delete entities", "Quality events", "quality-events:read", "Read deviations, CAPAs, audits",
			"workflows:execute", "Trigger workflow transitions", "admin:write", "Manage organization settings",
			"Set an expiration date", `type="date"`, " required", `min="2027-03-14"`, `max="2028-03-14"`, "At most 1 year", "Plan Free: 60 requests a minute, bursts of 10",
		}},
		{"cohera-sdk", []string{"<h1>API Keys</h1>", "Create New Key"}, []string{
			"<h1>Create New Key</h1>", "Select the appropriate scopes", "Certificates", "read:certificates", "Read certificate data", "write:certificates",
			"Products", "write:products", "Everything", "admin", "Full access to all resources", "Set an expiration date", "Optional but recommended",
		}},
		{"coherence", []string{"<h1>API</h1>", "Create API Key"}, []string{
			"Production Integration", "Sandbox/Test", "Permissions", "Read", "View records and data", "Write", "Create and update records",
			"Delete", "Remove records", "Admin", "Manage settings and users", "Allowed IP addresses",
		}},
		{"codehooks", []string{"<h1>Tokens</h1>", "Add API token", "Space", `aria-current="page">dev</a>`, "prod", "API tokens", "Admin tokens"}, []string{
			"<h1>Add API token</h1>", "Space", "READ", "READWRITE", "Nothing", "Read data", "Change data",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := dashtest.New(t, example(c.name), keys.Area())
			b := w.As(w.One, cardea.RoleOwner)
			says(t, b.Get("/dashboard/keys"), http.StatusOK, c.list...)
			says(t, b.Get("/dashboard/keys/new"), http.StatusOK, c.form...)
		})
	}
	t.Run("coactive", func(t *testing.T) { // whose tokens are persons'
		w := dashtest.New(t, example("coactive"), keys.Area())
		says(t, w.As(w.One, cardea.RoleOwner).Get("/dashboard/keys"), http.StatusOK, "Keys are personal here", "/dashboard/credentials")
	})
}

// A key's whole life, without JavaScript: made, shown once, used as a reader would, changed,
// disabled and enabled, rotated with an overlap, revoked by its name.
func TestTheLifeOfAKey(t *testing.T) {
	w := dashtest.New(t, example("coherence"), keys.Area())
	b := w.As(w.One, cardea.RoleDeveloper)
	made := b.Post("/dashboard/keys/new", url.Values{
		"kind": {"api_key"}, "name": {"Production Integration"}, "environment": {"test"}, "scope": {"read", "write"},
		"expires": {"2027-06-30"}, "addresses": {"203.0.113.7\r\n\r\n2001:db8::/32\r\n"},
	})
	text := secretOf(t, made)
	says(t, made, http.StatusOK, "It is not shown again", "I have copied it",
		`curl "https://app.example.com/v1/users/me" -H "Authorization: Bearer `+text+`"`, "COHERENCE_API_KEY="+text,
		"it opens no real data", "requests.get(", "Bearer "+text, "http.NewRequest(", "Bearer "+text)
	if !strings.HasPrefix(text, "ck_test_") || made.Header.Get("Cache-Control") != "no-store" || strings.Contains(made.Body, "<nav") {
		t.Errorf("the page of the secret: %q, %v", text, made.Header)
	}
	all, err := w.Manage.Keys(t.Context(), dashtest.Operator, manage.KeyFilter{Organization: w.One.ID})
	if err != nil || len(all.Items) != 1 {
		t.Fatal(all, err)
	}
	k := all.Items[0]
	if k.ExpiresAt.Format("2006-01-02 15:04:05") != "2027-06-30 23:59:59" || len(k.Addresses) != 2 {
		t.Errorf("the key is %+v", k)
	}
	path := "/dashboard/keys/" + k.ID
	says(t, b.Get("/dashboard/keys"), http.StatusOK, "Production Integration", k.Hint, "Sandbox/Test", "Read", "Write", "One Corp", "by you", "In 3 months", "Active", "Make your first request", "YOUR_KEY")
	says(t, b.Get(path), http.StatusOK, "Production Integration", k.Hint, "203.0.113.7", "View records and data", "It has not been used yet", "/dashboard/audit?target="+k.ID, "Created", "by you")

	says(t, b.Get(path+"/edit"), http.StatusOK, `value="read" checked`, `value="2027-06-30"`, "203.0.113.7")
	says(t, b.Follow(b.Post(path+"/edit", url.Values{"name": {"Renamed"}, "scope": {"read"}, "expires": {"2027-06-30"}, "addresses": {""}})), http.StatusOK, "Saved.", "Renamed")
	if k, _ = w.Manage.Key(t.Context(), dashtest.Operator, manage.ID{ID: k.ID}); k.Name != "Renamed" || len(k.Addresses) != 0 || len(k.Scopes) != 1 {
		t.Errorf("the changed key is %+v", k)
	}

	says(t, b.Get(path+"/disable"), http.StatusOK, "Disabling can be undone. Revoking cannot")
	says(t, b.Follow(b.Post(path+"/disable", nil)), http.StatusOK, "Enable", "Disabled since")
	says(t, b.Follow(b.Post(path+"/enable", nil)), http.StatusOK, "works again")

	says(t, b.Get(path+"/rotate"), http.StatusOK, "It stops at once", "It works for another 24 hours", "New expiration date")
	turned := b.Post(path+"/rotate", url.Values{"overlap": {"86400"}})
	if next := secretOf(t, turned); next == text || !strings.HasPrefix(next, "ck_test_") {
		t.Error("rotating gave no new secret")
	}
	says(t, turned, http.StatusOK, "The old secret", k.Hint, "goes on working until")
	says(t, b.Get(path), http.StatusOK, "Two secrets work now", k.Hint, "Finish now")
	says(t, b.Part(path+"/rotation"), http.StatusOK, `id="rotation" data-poll="5"`, "Nobody has used it")
	says(t, b.Follow(b.Post(path+"/finish", nil)), http.StatusOK, "Only the new one does now")
	says(t, b.Part(path+"/rotation"), http.StatusOK, "The rotation is over")

	says(t, b.Get(path+"/revoke"), http.StatusOK, "Type its name", `data-expect="Renamed"`)
	says(t, b.Post(path+"/revoke", url.Values{"confirm": {"renamed"}}), http.StatusUnprocessableEntity, "This is not its name")
	gone := b.Follow(b.Post(path+"/revoke", url.Values{"confirm": {"Renamed"}, "reason": {"left the company"}}))
	says(t, gone, http.StatusOK, "Revoked by you", "Reason: left the company")
	saysNot(t, gone, "/rotate", "/edit", "/disable")
	for _, page := range []string{"/dashboard/keys", path, path + "/edit"} {
		saysNot(t, b.Get(page), text)
	}
}
