package browser

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A grant is the answer of a token endpoint.
type grant struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Scope   string `json:"scope"`
}

// token asks a token endpoint, as a program would.
func (w *world) token(t testing.TB, endpoint string, form url.Values) (status int, g grant) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body := w.send(t, req)
	if status == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &g); err != nil {
			t.Fatal(err)
		}
	}
	return status, g
}

// stored says that a secret is stored, and leaves the page.
func (b *tab) stored() { b.t.Helper(); b.follow("I have stored it") }

// confirms answers a question that wants the name of what ends.
func (b *tab) confirms(button, name string) {
	b.t.Helper()
	b.sees("type its name")
	b.fill("To go on, type its name: "+name, name)
	b.submit(button)
}

// authorize sends a person to an application's authorization request, where they allow it,
// and returns the code that the application gets.
func (b *tab) authorize(endpoint, client, redirect, scope string) string {
	b.t.Helper()
	b.visit(endpoint + "?" + url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {redirect}, "scope": {scope}, "state": {"state-1"},
	}.Encode())
	if b.has("button", "Sign in") { // at another host than the dashboard
		b.fill("Email address", b.world.user(b.t, "owner").Email)
		b.fill("Password", b.world.user(b.t, "owner").Password)
		b.click("button", "Sign in")
	}
	b.sees("wants to access your")
	b.allow("yourapp.com") // which is nobody here
	b.find("button", "Allow").press()
	var back *url.URL
	b.await("the answer does not go to the application", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, r := range b.requests {
			if _, address, _ := strings.Cut(r, " "); strings.HasPrefix(address, redirect+"?") {
				back, _ = url.Parse(address)
			}
		}
		b.requests = nil
		return back != nil
	})
	b.settle()
	if got := back.Query().Get("state"); got != "state-1" {
		b.t.Errorf("%s: the state came back as %q", b.world.name, got)
	}
	return back.Query().Get("code")
}

// C0-12, C0-13, C0-14: Settings > OAuth Applications, Create Application, note the
// client_id and client_secret; they get tokens.
func TestCoheraAPIApplicationIsMadeAsThePageSays(t *testing.T) {
	t.Parallel()
	w := open(t, "cohera-api")
	b := enter(t, w, w.user(t, "owner"))
	b.menu("Settings", "OAuth Applications")
	b.inspect()
	b.follow("Create Application")
	b.fill("Name", "Nightly import")
	b.tick("Machine")
	b.inspect()
	b.tick("Read entity data")
	b.click("button", "Create Application")
	b.sees("client_id", "client_secret")
	id, secret := b.secret("client-id"), b.secret("client-secret")
	b.inspect()
	b.picture("application-secret")
	b.copies("client-secret", secret)
	const endpoint = "https://auth.cohera.io/oauth/token"
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}}
	status, g := w.token(t, endpoint, form)
	if status != http.StatusOK {
		t.Fatalf("the token endpoint says %d", status)
	}
	w.answers(t, http.StatusOK, g.Access)
	b.stored()
	b.sees("Nightly import")
	b.lacks(secret)

	b.follow("Regenerate")
	b.submit("Regenerate")
	next := b.secret("client-secret")
	b.inspect()
	b.copies("client-secret", next)
	b.stored()
	if status, _ := w.token(t, endpoint, form); status != http.StatusUnauthorized {
		t.Errorf("the old secret is answered %d", status)
	}
	form.Set("client_secret", next)
	if status, g = w.token(t, endpoint, form); status != http.StatusOK {
		t.Errorf("the new secret is answered %d", status)
	}
	b.follow("Revoke")
	b.confirms("Revoke", "Nightly import")
	b.sees("Revoked")
	if status, _ := w.token(t, endpoint, form); status != http.StatusUnauthorized {
		t.Errorf("a revoked application is answered %d", status)
	}
	w.answers(t, http.StatusUnauthorized, g.Access)
}

// C1-18, C1-19, C1-20, C1-16: the Developer Console, redirect URIs, Client ID and Client
// Secret; an application acts for a person who allowed it, until they withdraw that.
func TestCoheraSDKApplicationActsForPeople(t *testing.T) {
	t.Parallel()
	w := open(t, "cohera-sdk")
	b := enter(t, w, w.user(t, "owner"))
	b.menu("Developer Console")
	b.follow("Register Application")
	b.fill("Name", "Shop")
	b.fill("Redirect URIs", "https://yourapp.com/callback\nhttps://yourapp.com/second")
	b.tick("Read product data")
	b.click("button", "Register Application")
	b.sees("Client ID", "Client Secret")
	id, secret := b.secret("client-id"), b.secret("client-secret")
	b.copies("client-secret", secret)
	b.stored()
	b.sees("https://yourapp.com/callback", "https://yourapp.com/second")
	// C1-19: exactly those.
	b.fill("Would this one be accepted?", "https://yourapp.com/callback/")
	b.click("button", "Check")
	b.sees("No")
	const authorize, endpoint = "https://auth.cohera.io/oauth/authorize", "https://auth.cohera.io/oauth/token"
	wrong := newTab(t, w)
	wrong.visit(authorize + "?" + url.Values{"response_type": {"code"}, "client_id": {id}, "redirect_uri": {"https://yourapp.com/callback/"}}.Encode())
	wrong.lacks("Sign in to")
	for _, redirect := range []string{"https://yourapp.com/callback", "https://yourapp.com/second"} {
		code := b.authorize(authorize, id, redirect, "read:products")
		status, g := w.token(t, endpoint, url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "client_id": {id}, "client_secret": {secret},
		})
		if status != http.StatusOK {
			t.Fatalf("the code is answered %d", status)
		}
		w.answers(t, http.StatusOK, g.Access)
		b.visit("/dashboard")
		b.disclose(w.ownerName())
		b.click("link", "Authorized applications")
		b.sees("Shop", "Read product data")
		b.inspect()
		b.picture("authorized-one")
		b.within("Shop").find("link", "Withdraw access of Shop").click()
		b.sees("Withdraw")
		b.submit("Withdraw access")
		b.await("the application is still there", func() bool {
			text, err := evaluate[string](b, "document.querySelector('main').innerText")
			return err == nil && !strings.Contains(text, "Read product data")
		})
		w.answers(t, http.StatusUnauthorized, g.Access)
		if status, _ := w.token(t, endpoint, url.Values{
			"grant_type": {"refresh_token"}, "refresh_token": {g.Refresh}, "client_id": {id}, "client_secret": {secret},
		}); status == http.StatusOK {
			t.Error("a withdrawn application refreshes its token")
		}
	}
}

// C2-20, C2-21, C2-22, C2-23, C2-24, C2-25, C2-26: each scope of the page is one that an
// application can be given, is asked for in its words, and opens its routes and no other.
func TestCoherenceApplicationGetsTheScopesThatWereAllowed(t *testing.T) {
	t.Parallel()
	w := open(t, "coherence")
	b := enter(t, w, w.user(t, "owner"))
	b.menu("Settings", "OAuth")
	b.follow("Create Application")
	b.fill("Name", "Mail reader")
	b.fill("Redirect URIs", "https://yourapp.com/callback")
	scopes := [][4]string{
		{"read", "Read all accessible data", "GET", "/v1/modules/crm/records"},
		{"write", "Create and update records", "POST", "/v1/modules/crm/records"},
		{"delete", "Delete records", "DELETE", "/v1/modules/crm/records/1"},
		{"email:read", "Read email data", "GET", "/v1/emails"},
		{"email:send", "Send email on behalf of user", "POST", "/v1/emails"},
		{"users:read", "Read user information", "GET", "/v1/users"},
		{"admin", "Administrative access", "GET", "/v1/settings"},
	}
	for _, s := range scopes {
		b.tick(s[1])
	}
	b.click("button", "Create Application")
	id, secret := b.secret("client-id"), b.secret("client-secret")
	b.copies("client-secret", secret)
	b.stored()
	for i, s := range scopes {
		b.visit("/dashboard/authorized")
		if b.has("link", "Withdraw access of Mail reader") {
			b.click("link", "Withdraw access of Mail reader")
			b.submit("Withdraw access")
		}
		code := b.authorize(w.url("/oauth/authorize"), id, "https://yourapp.com/callback", s[0])
		status, g := w.token(t, "https://api.getcoherence.io/oauth/token", url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://yourapp.com/callback"}, "client_id": {id}, "client_secret": {secret},
		})
		if status != http.StatusOK || g.Scope != s[0] {
			t.Fatalf("%s: the code is answered %d with scope %q", s[0], status, g.Scope)
		}
		if status, body := w.request(t, s[2], s[3], g.Access); status >= 400 && status != http.StatusNotFound {
			t.Errorf("with %s, %s %s says %d: %.200s", s[0], s[2], s[3], status, body)
		}
		next := scopes[(i+1)%len(scopes)]
		if status, _ := w.request(t, next[2], next[3], g.Access); s[0] != "admin" && status != http.StatusForbidden {
			t.Errorf("with %s, %s %s says %d", s[0], next[2], next[3], status)
		}
	}
}

// "Try it" runs an application's flow from its page: the consent screen is asked and the
// code comes back to the dashboard.
func TestApplicationIsTriedFromItsPage(t *testing.T) {
	t.Parallel()
	w := open(t, "coherence")
	b := enter(t, w, w.user(t, "owner"))
	b.visit("/dashboard/applications/" + w.Clients["authorization_code"].ID + "/try")
	b.click("button", "Add this address")
	b.click("button", "Prepare the request")
	b.inspect()
	b.follow("Open the consent screen")
	b.click("button", "Allow")
	b.sees("Exchange it for tokens")
	b.inspect()
	b.picture("application-tried")
	if !strings.HasPrefix(b.path(), "/dashboard/applications/") {
		t.Errorf("the answer comes to %s", b.path())
	}
}
