package apps_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard/apps"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/manage"
)

// TestApplicationsAreCalledWhatThePageCallsThem walks from the menu to a client's pair,
// with each contract's words.
func TestApplicationsAreCalledWhatThePageCallsThem(t *testing.T) {
	for _, c := range []struct {
		example, title, create, id, secret string
		sort                               string
	}{
		{"cohera-api", "OAuth Applications", "Create Application", "client_id", "client_secret", "machine"},
		{"cohera-sdk", "Developer Console", "Register Application", "Client ID", "Client Secret", "web"},
		{"coherence", "OAuth", "Create Application", "Client ID", "Client secret", "web"},
		{"cohera", "OAuth Applications", "Create Application", "client_id", "client_secret", "machine"},
	} {
		t.Run(c.example, func(t *testing.T) {
			w := example(t, c.example)
			b := w.As(w.One, cardea.RoleAdmin)
			want(t, b.Get("/dashboard/applications"), http.StatusOK, c.title, c.create)
			not(t, w.As(w.One, cardea.RoleDeveloper).Get("/dashboard/applications"), c.create)
			want(t, b.Get("/dashboard/applications/new"), http.StatusOK, c.create, "Production")
			scope := w.Contract().Scopes()[0].Name
			a := b.Post("/dashboard/applications", form("name", "Nightly", "type", c.sort, "environment", "live", "scopes", scope, "redirect_uris", "https://yourapp.com/callback\r\nhttps://yourapp.com/other\r\n"))
			want(t, a, http.StatusOK, c.id, c.secret)
			id, secret := value(t, a, "client-id"), value(t, a, "client-secret")
			made, err := w.Manage.Client(t.Context(), dashtest.Operator, manage.ID{ID: id})
			if err != nil || !slices.Equal(made.Scopes, []string{scope}) || !strings.HasPrefix(secret, "cs_") {
				t.Errorf("%+v %v", made, err)
			}
			if c.sort == "web" && !slices.Equal(made.RedirectURIs, []string{"https://yourapp.com/callback", "https://yourapp.com/other"}) {
				t.Errorf("redirect URIs: %q", made.RedirectURIs)
			}
			want(t, b.Get("/dashboard/applications"), http.StatusOK, "Nightly", id)
			page := b.Get("/dashboard/applications/" + id)
			want(t, page, http.StatusOK, c.id, c.secret, made.Hint)
			not(t, page, secret)
		})
	}
}

// TestSecretsAreShownOnce holds that a secret leaves as the answer to the form that made
// it, that nothing keeps that answer, and that no page of any address shows it again.
func TestSecretsAreShownOnce(t *testing.T) {
	w := example(t, "cohera-api")
	b := w.As(w.One, cardea.RoleOwner)
	a := b.Post("/dashboard/applications", form("name", "Robot", "type", "machine", "environment", "live", "scopes", "entities:read"))
	want(t, a, http.StatusOK, "grant_type=client_credentials", "https://auth.cohera.io/oauth/token")
	secret, id := value(t, a, "client-secret"), value(t, a, "client-id")
	seen := func(a dashtest.Answer) {
		t.Helper()
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Encoding") != "" || a.Location() != "" {
			t.Errorf("headers %v", a.Header)
		}
	}
	seen(a)
	again := b.Post("/dashboard/applications/"+id+"/rotate", form("overlap_seconds", "3600"))
	want(t, again, http.StatusOK, "The old secret works until")
	seen(again)
	last := b.Post("/dashboard/applications/"+id+"/regenerate", nil)
	seen(last)
	secrets := []string{secret, value(t, again, "client-secret"), value(t, last, "client-secret")}
	if secrets[0] == secrets[1] || secrets[1] == secrets[2] {
		t.Error("the secret is not a new one")
	}
	for _, route := range apps.Area().Routes {
		if pattern, isGet := strings.CutPrefix(route.Pattern, "GET "); isGet {
			not(t, b.Get("/dashboard"+strings.ReplaceAll(pattern, "{client}", id)), secrets...)
		}
	}
	// It is not kept, so it cannot be shown again.
	not(t, b.Post("/dashboard/applications/"+id+"/reveal", nil), secrets...)
	for _, action := range []string{"reveal", "enable"} {
		if a := b.Get("/dashboard/applications/" + id + "/" + action); a.Status != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d", action, a.Status)
		}
	}
}

// TestTwoSecretsWorkForAWhile holds that a rotation shows both with their ends, and can be
// finished early.
func TestTwoSecretsWorkForAWhile(t *testing.T) {
	s := newScene(t)
	b := s.As(s.One, cardea.RoleOwner)
	path := "/dashboard/applications/" + s.one.client
	want(t, b.Get(path+"/rotate"), http.StatusOK, "1 day", "7 days", "Not at all")
	want(t, b.Post(path+"/rotate", form("overlap_seconds", "86400")), http.StatusOK)
	want(t, b.Get(path), http.StatusOK, "Old", "15 Mar 2027, 09:26 UTC", "End the old one now")
	want(t, b.Post(path+"/rotate", form("overlap_seconds", "86400")), http.StatusUnprocessableEntity, "rotation is under way")
	want(t, b.Post(path+"/rotate", form("overlap_seconds", "x")), http.StatusUnprocessableEntity, "Choose how long")
	want(t, b.Get(path+"/finish"), http.StatusOK, "stops working now")
	want(t, b.Follow(b.Post(path+"/finish", nil)), http.StatusOK, "Only the new secret works now.")
	not(t, b.Get(path), "End the old one now")
}

// TestApplicationsEndByTheirName holds that revoking takes the typed name, is final, and
// that disabling is not.
func TestApplicationsEndByTheirName(t *testing.T) {
	s := newScene(t)
	b := s.As(s.One, cardea.RoleOwner)
	path := "/dashboard/applications/" + s.one.client
	want(t, b.Follow(b.Post(path+"/disable", nil)), http.StatusOK, "Disabled", "Enable")
	want(t, b.Follow(b.Post(path+"/enable", nil)), http.StatusOK, "Active")
	want(t, b.Post(path+"/revoke", form("confirm", "website of One Corp")), http.StatusUnprocessableEntity, "That is not the name")
	want(t, b.Get(path), http.StatusOK, "Active")
	want(t, b.Follow(b.Post(path+"/revoke", form("confirm", "Website of One Corp", "reason", "no longer used"))), http.StatusOK, "Revoked", "no longer used")
	not(t, b.Get(path), "Disable", "Regenerate", "Edit")
	want(t, b.Post(path+"/enable", nil), http.StatusConflict, "final")
}

// TestEditsKeepWhatTheyDoNotShow holds that a form changes its own fields and no other.
func TestEditsKeepWhatTheyDoNotShow(t *testing.T) {
	s := newScene(t)
	b := s.As(s.One, cardea.RoleOwner)
	path := "/dashboard/applications/" + s.one.client
	page := b.Get(path + "/edit")
	want(t, page, http.StatusOK, "Website of One Corp", "https://app.acme.test/callback")
	a := b.Post(path+"/edit", form("name", "Renamed", "redirect_uris", "https://app.acme.test/callback\nhttps://app.acme.test/two", "scopes", "records:read",
		"grants", "authorization_code", "grants", "refresh_token", "home_url", "https://acme.test/", "expires_at", "2027-06-30"))
	want(t, b.Follow(a), http.StatusOK, "Saved.", "Renamed", "https://app.acme.test/two", "30 Jun 2027, 23:59 UTC")
	before, err := s.Manage.Client(t.Context(), dashtest.Operator, manage.ID{ID: s.one.client})
	if err != nil {
		t.Fatal(err)
	}
	a = b.Post(path+"/edit", form("name", "Renamed", "redirect_uris", strings.Join(before.RedirectURIs, "\n"), "scopes", "records:read",
		"grants", "authorization_code", "grants", "refresh_token", "home_url", "https://acme.test/", "expires_at", "2027-06-30"))
	want(t, b.Follow(a), http.StatusOK)
	after, err := s.Manage.Client(t.Context(), dashtest.Operator, manage.ID{ID: s.one.client})
	if err != nil || !after.ExpiresAt.Equal(before.ExpiresAt) || after.FirstParty || after.Public {
		t.Errorf("%+v\n%+v %v", before, after, err)
	}
	// Only operators may say that nobody is asked.
	want(t, b.Post(path+"/edit", form("name", "X", "redirect_uris", "https://app.acme.test/callback", "grants", "authorization_code", "first_party", "1")), http.StatusSeeOther)
	if after, _ = s.Manage.Client(t.Context(), dashtest.Operator, manage.ID{ID: s.one.client}); after.FirstParty {
		t.Error("a member made an application first-party")
	}
	want(t, b.Post(path+"/edit", form("name", "", "expires_at", "tomorrow")), http.StatusUnprocessableEntity, "This is not a date")
}

// TestRedirectURIsExplainThemselves holds that the page says why one is not accepted.
func TestRedirectURIsExplainThemselves(t *testing.T) {
	s := newScene(t)
	b := s.As(s.One, cardea.RoleViewer)
	for uri, says := range map[string]string{
		"https://app.acme.test/callback": "Yes. It is registered", "https://app.acme.test/callback/": "Only the slash",
		"https://app.acme.test:8443/callback": "The port differs", "https://app.acme.test/callback?a=b": "What follows the question mark",
		"https://app.acme.test/Callback": "Upper and lower case", "https://www.app.acme.test/callback": "www.", "https://app.acme.test/other": "The path differs",
		"https://evil.test/": "None of the registered", "http://app.acme.test/callback": "without TLS", "http://localhost/callback": "None of the registered",
	} {
		a := b.Part("/dashboard/applications/" + s.one.client + "?redirect_uri=" + url.QueryEscape(uri))
		want(t, a, http.StatusOK, says)
		if strings.Contains(a.Body, "<html") {
			t.Error("htmx gets the whole page")
		}
	}
}

// TestKeyFilesLeaveOnce holds that a key file is an attachment under the contract's name
// that nothing keeps, whose public half is registered, and that no GET gives it.
func TestKeyFilesLeaveOnce(t *testing.T) {
	s := newScene(t)
	b := s.As(s.One, cardea.RoleAdmin)
	path := "/dashboard/service-accounts/" + s.one.account
	want(t, b.Get(path+"/keys/new"), http.StatusOK, "acme-account.json", "once", "ServiceAccount.from_file")
	a := b.Post(path+"/keys", form("algorithm", "EdDSA"))
	if a.Status != http.StatusOK || a.Header.Get("Content-Disposition") != "attachment; filename=acme-account.json" ||
		a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("%d %v", a.Status, a.Header)
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(a.Body), &members); err != nil || members["client_id"] != s.one.account || !strings.Contains(a.Body, "BEGIN PRIVATE KEY") || members["algorithm"] != "EdDSA" {
		t.Fatalf("%v %v", members, err)
	}
	kid, _ := members["key_id"].(string)
	page := b.Get(path)
	want(t, page, http.StatusOK, kid, s.one.accountKey)
	not(t, page, "PRIVATE KEY")
	for _, p := range []string{path + "/keys", path + "/keys/" + kid} {
		if a := b.Get(p); a.Status == http.StatusOK {
			t.Errorf("GET %s: %d", p, a.Status)
		}
	}
	want(t, b.Follow(b.Post(path+"/keys/"+kid+"/revoke", nil)), http.StatusOK, "That key is revoked")
	want(t, b.Post(path+"/keys", form("algorithm", "HS256")), http.StatusUnprocessableEntity, "must be one of these")
	want(t, b.Post(path+"/keys", form("algorithm", "ES256", "expires_at", "2020-01-01")), http.StatusUnprocessableEntity, "in the future")
	want(t, b.Post(path+"/revoke", form("confirm", "x")), http.StatusUnprocessableEntity, "That is not the name")
	want(t, b.Follow(b.Post(path+"/revoke", form("confirm", "Nightly of One Corp"))), http.StatusOK, "Revoked")
}

// TestServiceAccountsAreMadeStepByStep holds that a new account leads to its first key.
func TestServiceAccountsAreMadeStepByStep(t *testing.T) {
	w := example(t, "cohera-sdk")
	b := w.As(w.One, cardea.RoleAdmin)
	want(t, b.Get("/dashboard/service-accounts"), http.StatusOK, "service-account.json", "Create service account")
	want(t, b.Post("/dashboard/service-accounts", form("name", "Nightly", "environment", "live")), http.StatusUnprocessableEntity, "This is required: what the service account may do")
	a := b.Follow(b.Post("/dashboard/service-accounts", form("name", "Nightly", "environment", "test", "scopes", "read:certificates")))
	want(t, a, http.StatusOK, "Create key and download service-account.json", `sa = ServiceAccount.from_file("service-account.json")`, "from cohera.auth import ServiceAccount", "expires_in=3600")
	not(t, w.As(w.One, cardea.RoleDeveloper).Get("/dashboard/service-accounts"), "Create service account")
}

// TestPersonalTokensShowBothClocks holds what the page of credentials says of a person's
// token, and that regenerating ends the old one.
func TestPersonalTokensShowBothClocks(t *testing.T) {
	w := example(t, "coactive")
	b := w.As(w.One, cardea.RoleViewer) // "all users can obtain"
	want(t, b.Get("/dashboard/credentials"), http.StatusOK, "Credentials", "Personal Tokens", "System Credentials", "Create personal token", "owners and admins")
	want(t, b.Get("/dashboard/credentials/new"), http.StatusOK, "3 months", "30 days")
	a := b.Post("/dashboard/credentials", form("kind", "personal_token", "name", "Mine"))
	want(t, a, http.StatusOK, "PERSONAL_TOKEN", "/api/v0/login", `"grant_type": "refresh_token"`)
	old := value(t, a, "secret")
	page := b.Get("/dashboard/credentials")
	want(t, page, http.StatusOK, "Regenerate", "14 Jun 2027, 09:26 UTC", "13 Apr 2027, 09:26 UTC", "Ends unused", "3 months after it was made")
	not(t, page, old, "Create personal token")
	list, err := w.Manage.Keys(t.Context(), dashtest.Operator, manage.KeyFilter{Member: b.Member.ID})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	path := "/dashboard/credentials/" + list.Items[0].ID
	want(t, b.Get(path+"/regenerate"), http.StatusOK, "refused from the moment you do this", "every access token that was made from it")
	a = b.Post(path+"/regenerate", nil)
	want(t, a, http.StatusOK, "PERSONAL_TOKEN")
	if fresh := value(t, a, "secret"); fresh == old {
		t.Error("it is the old one")
	}
	if _, err := w.Manage.IdentifyKey(t.Context(), dashtest.Operator, manage.IdentifyKey{Secret: old}); err != nil {
		t.Error(err)
	}
	// Another person's token is not an owner's to renew or to see, but to end.
	owner := w.As(w.One, cardea.RoleOwner)
	want(t, owner.Get("/dashboard/credentials"), http.StatusOK, "Of other members", "Viewer Person")
	want(t, owner.Post(path+"/regenerate", nil), http.StatusForbidden)
	want(t, w.As(w.One, cardea.RoleDeveloper).Post(path+"/revoke", nil), http.StatusForbidden)
	want(t, owner.Follow(owner.Post(path+"/revoke", nil)), http.StatusOK, "Personal Token revoked")
}

// TestSystemCredentialsStayViewable holds that the pair is for the contract's roles, that
// its secret is shown again to them by a form, and that regenerating gives another.
func TestSystemCredentialsStayViewable(t *testing.T) {
	w := example(t, "coactive")
	admin, developer := w.As(w.One, cardea.RoleAdmin), w.As(w.One, cardea.RoleDeveloper)
	not(t, developer.Get("/dashboard/credentials"), "Create system credentials")
	want(t, developer.Post("/dashboard/credentials/system", form("name", "Ours")), http.StatusForbidden)
	want(t, admin.Get("/dashboard/credentials"), http.StatusOK, "Create system credentials", "do not expire")
	a := admin.Post("/dashboard/credentials/system", form("name", "Ours"))
	want(t, a, http.StatusOK, "CLIENT_ID", "CLIENT_SECRET")
	id, secret := value(t, a, "client-id"), value(t, a, "client-secret")
	page := admin.Get("/dashboard/credentials")
	want(t, page, http.StatusOK, "CLIENT_ID", "CLIENT_SECRET", id, "Show", "Regenerate")
	not(t, page, secret, "Create system credentials") // one pair for each organization
	want(t, admin.Post("/dashboard/credentials/system", form("name", "Second")), http.StatusUnprocessableEntity, "which is the most")
	shown := admin.Post("/dashboard/applications/"+id+"/reveal", nil)
	want(t, shown, http.StatusOK, secret)
	if shown.Header.Get("Cache-Control") != "no-store" {
		t.Error("the secret may be kept")
	}
	want(t, developer.Post("/dashboard/applications/"+id+"/reveal", nil), http.StatusForbidden)
	want(t, w.AsStaff(cardea.RoleDeveloper).Post("/dashboard/as/"+w.One.ID+"/applications/"+id+"/reveal", nil), http.StatusForbidden)
	fresh := admin.Post("/dashboard/applications/"+id+"/regenerate", nil)
	want(t, fresh, http.StatusOK, "CLIENT_SECRET")
	not(t, fresh, secret)
}

// TestPeopleTakeBackWhatTheyAllowed holds that somebody sees what they allowed, in words,
// and takes it back; nobody else's.
func TestPeopleTakeBackWhatTheyAllowed(t *testing.T) {
	s := newScene(t)
	b := s.As(s.One, cardea.RoleViewer)
	want(t, b.Get("/dashboard/authorized"), http.StatusOK, "Website of One Corp", "Read records", "Made by One Corp", "Last got a token 14 Mar 2027, 09:26 UTC")
	owner := s.As(s.One, cardea.RoleOwner)
	want(t, owner.Get("/dashboard/authorized"), http.StatusOK, "No program acts for you")
	want(t, owner.Get("/dashboard/applications/"+s.one.client), http.StatusOK, "Viewer Person")
	want(t, s.As(s.One, cardea.RoleDeveloper).Get("/dashboard/applications/"+s.one.client), http.StatusOK, "as far as you may see")
	want(t, owner.Post("/dashboard/authorized/"+s.one.consent+"/withdraw", nil), http.StatusNotFound)
	want(t, b.Get("/dashboard/authorized/"+s.one.consent+"/withdraw"), http.StatusOK, "It may ask you again")
	want(t, b.Follow(b.Post("/dashboard/authorized/"+s.one.consent+"/withdraw", nil)), http.StatusOK, "Withdrawn.", "No program acts for you")
}

// TestSessionsEnd holds that somebody sees where they are signed in, which one is this,
// and signs out one other or all others.
func TestSessionsEnd(t *testing.T) {
	w := example(t, "coherence")
	here, there, third := w.As(w.One, cardea.RoleViewer), w.As(w.One, cardea.RoleViewer), w.As(w.One, cardea.RoleViewer)
	page := here.Get("/dashboard/sessions")
	want(t, page, http.StatusOK, "This one", "192.0.2.7", "/account", "Sign out everywhere else")
	ids := regexp.MustCompile(`/sessions/(ses_[^/"]+)/end`).FindAllStringSubmatch(page.Body, -1)
	if len(ids) != 2 {
		t.Fatalf("%d sessions can be ended", len(ids))
	}
	want(t, w.As(w.One, cardea.RoleOwner).Post("/dashboard/sessions/"+ids[0][1]+"/end", nil), http.StatusNotFound)
	want(t, here.Follow(here.Post("/dashboard/sessions/"+ids[0][1]+"/end", nil)), http.StatusOK, "is signed out")
	want(t, here.Follow(here.Post("/dashboard/sessions/end", nil)), http.StatusOK, "You are signed in here only.")
	for _, b := range []*dashtest.Browser{there, third} {
		if a := b.Get("/dashboard/sessions"); a.Status != http.StatusSeeOther || !strings.HasPrefix(a.Location(), "/signin") {
			t.Errorf("%d %s", a.Status, a.Location())
		}
	}
	w.Advance(time.Hour)
	want(t, here.Get("/dashboard/sessions"), http.StatusOK, "This one")
}
