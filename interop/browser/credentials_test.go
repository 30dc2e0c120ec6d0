package browser

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// login exchanges a credential at Coactive's login, as its page shows, and returns the
// access token, "" when it is refused.
func (w *world) login(t testing.TB, id, secret string) string {
	t.Helper()
	grantType := "client_credentials"
	if id == "" {
		grantType = "refresh_token"
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://api.coactive.ai/api/v0/login", bytes.NewReader([]byte(`{"grant_type": "`+grantType+`"}`)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if id == "" {
		req.Header.Set("Authorization", "Bearer "+secret)
	} else {
		req.SetBasicAuth(id, secret)
	}
	status, body := w.send(t, req)
	if status != http.StatusOK {
		return ""
	}
	_, rest, _ := strings.Cut(body, `"access_token":"`)
	token, _, _ := strings.Cut(rest, `"`)
	return token
}

// settings goes the way that Coactive's page describes: the name at the top right, then
// Settings, then Credentials on the left. C4-06
func (b *tab) settings(name string) {
	b.t.Helper()
	b.visit("/dashboard")
	b.disclose(name)
	b.click("link", "Settings")
	b.find("navigation", "Pages").find("link", "Credentials").click()
}

// C4-02, C4-05, C4-06, C4-07, C4-08, C4-14, C4-15: any member signs in to their
// organization, goes to Credentials and gets a personal token, shown once; regenerating it
// ends the old one and what was made from it.
func TestCoactivePersonalTokenIsMadeByAnyMember(t *testing.T) {
	t.Parallel()
	w := open(t, "coactive")
	b := newTab(t, w)
	b.visit("/signin")
	b.sees("Enter your org name")
	b.enter(w.user(t, "viewer"))
	b.settings("Demo Viewer")
	b.sees("Personal Token", "System Credentials")
	b.inspect()
	b.picture("credentials-empty")
	b.follow("Create personal token")
	b.inspect()
	b.click("button", "Create personal token")
	b.sees("PERSONAL_TOKEN")
	secret := b.secret("secret")
	b.inspect()
	b.copies("secret", secret)
	b.stored()
	b.lacks(secret)
	b.sees("Ends at the latest", "Ends unused")
	b.inspect()
	b.picture("credentials")
	access := w.login(t, "", secret)
	w.answers(t, http.StatusOK, access)
	w.answers(t, http.StatusUnauthorized, secret) // it is good for the exchange alone

	b.follow("Regenerate")
	b.submit("Regenerate")
	next := b.secret("secret")
	b.copies("secret", next)
	b.stored()
	if w.login(t, "", secret) != "" {
		t.Error("the old token works")
	}
	w.answers(t, http.StatusUnauthorized, access)
	access = w.login(t, "", next)
	w.answers(t, http.StatusOK, access)
	b.click("link", "Revoke")
	b.submit("Revoke")
	b.await("it is still there", func() bool { return !b.has("link", "Revoke") })
	if w.login(t, "", next) != "" {
		t.Error("the revoked token works")
	}
}

// C4-04, C4-07, C4-09, C4-15: administrators get system credentials, which do not expire,
// can be seen again, and are regenerated when they are in wrong hands; others do not get
// them.
func TestCoactiveSystemCredentialsAreTheAdministrators(t *testing.T) {
	t.Parallel()
	w := open(t, "coactive")
	b := enter(t, w, w.user(t, "admin"))
	b.settings("Demo Admin")
	b.sees("do not expire", "CLIENT_ID", "CLIENT_SECRET")
	b.click("button", "Show")
	id, secret := b.secret("client-id"), b.secret("client-secret")
	b.inspect()
	if known := w.Clients["client_credentials"]; id != known.ID || secret != known.Secret {
		t.Error("what is shown is not what was made")
	}
	b.follow("Done")
	access := w.login(t, id, secret)
	w.answers(t, http.StatusOK, access)
	b.within("CLIENT_SECRET").find("link", "Regenerate").click()
	b.submit("Regenerate")
	next := b.secret("client-secret")
	b.follow("Done")
	if w.login(t, id, secret) != "" {
		t.Error("the old secret works")
	}
	w.answers(t, http.StatusUnauthorized, access)
	w.answers(t, http.StatusOK, w.login(t, id, next))

	developer := enter(t, w, w.user(t, "developer"))
	developer.settings("Demo Developer")
	developer.sees("System Credentials")
	if developer.has("button", "Show") {
		t.Error("a developer is offered the secret")
	}
	developer.inspect()
}
