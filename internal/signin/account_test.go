package signin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// Guarantee: signing out ends the session itself, not only the browser's memory of it
// (ASVS 7.4.1).
func TestSignOutEndsTheSession(t *testing.T) {
	w := newWorld(t, nil)
	w.signIn("ada@one.test")
	token := w.cookie("__Host-session")
	w.get("/signout").want(t, 200, "Sign out?")
	if a := w.post("/signout"); a.location() != "/signin?out=1" || !strings.Contains(a.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("to %q, cookie %q", a.location(), a.Header.Get("Set-Cookie"))
	}
	w.get("/signout").want(t, 200, "You are signed out")
	w.get("/signin?out=1").want(t, 200, "You are signed out", `role="status"`, `type="password"`)
	w.get("/signin?lost=1").want(t, 200, "do it again", `role="alert"`, `type="password"`)
	if a := w.browserless(token); a.StatusCode == 200 {
		t.Error("the session still works")
	}
}

// Guarantee (ASVS 7.5.2): people see their sessions, end one, and end all.
func TestSessionsAreSeenAndEnded(t *testing.T) {
	w := newWorld(t, nil)
	w.signIn("ada@one.test")
	here := w.Client
	w.Client = w.browser()
	w.signIn("ada@one.test")
	there := w.Client
	rows, err := w.store.Sessions(t.Context(), "usr_ada")
	if err != nil || len(rows) != 2 {
		t.Fatalf("%+v, %v", rows, err)
	}
	w.Client = here
	token := secret.HashOf(w.cookie("__Host-session"))
	other := rows[0]
	if other.Hash.Equal(&token) {
		other = rows[1]
	}
	w.get("/account").want(t, 200, `value="`+other.ID+`"`)
	a := w.post("/account/sessions/end", "id", other.ID)
	w.get(a.location()).want(t, 200, "That session is ended.")
	w.Client = there
	if w.signedIn() {
		t.Error("the ended session still works")
	}
	w.signIn("ada@one.test")
	w.Client = here
	if a := w.post("/account/sessions/end-all"); a.location() != "/signin?out=1" {
		t.Errorf("to %q", a.location())
	}
	for _, browser := range []*http.Client{here, there} {
		if w.Client = browser; w.signedIn() {
			t.Error("somebody is still signed in")
		}
	}
}

// Guarantee: what belongs to somebody else is answered like what does not exist, at every
// path that takes an id (ASVS 8.4.1).
func TestThingsOfOthersDoNotExist(t *testing.T) {
	w := newWorld(t, nil)
	w.signIn("ada@one.test")
	ctx := t.Context()
	storetest.Change(t, w.store, func(tx *store.Tx) error {
		if err := tx.InsertClient(ctx, store.Client{Public: true, Credential: store.Credential{
			ID: "client_x", Kind: store.KindClient, Environment: "live", Organization: "org_one", Name: "Reports", CreatedBy: "test",
		}}); err != nil {
			return err
		}
		if _, err := tx.SaveConsent(ctx, store.Consent{ID: "grt_x", Member: "usr_ada", Client: "client_x", Organization: "org_one", Scopes: []string{"read"}}); err != nil {
			return err
		}
		return tx.InsertPasskey(ctx, store.Passkey{ID: []byte{1, 2, 3}, Member: "usr_ada", Name: "Hers", Data: []byte("{}")})
	})
	rows, err := w.store.Sessions(ctx, "usr_ada")
	if err != nil || len(rows) != 1 {
		t.Fatal(err)
	}
	hers := w.Client
	w.get("/account").want(t, 200, "Reports", "Read your records", "Hers")
	w.Client = w.browser()
	w.signIn("bob@two.test")
	for path, ids := range map[string][2]string{
		"/account/sessions/end":    {"id", rows[0].ID},
		"/account/apps/withdraw":   {"consent", "grt_x"},
		"/account/passkeys/rename": {"id", "AQID"},
		"/account/passkeys/remove": {"id", "AQID"},
	} {
		theirs := w.post(path, ids[0], ids[1], "name", "mine").want(t, 404)
		nobodys := w.post(path, ids[0], "AAAA", "name", "mine").want(t, 404)
		if theirs.text != nobodys.text {
			t.Errorf("%s tells that somebody has it", path)
		}
	}
	w.Client = hers
	w.get("/account").want(t, 200, "Reports", "Hers")
	a := w.post("/account/apps/withdraw", "consent", "grt_x")
	w.get(a.location()).want(t, 200, "The application has no access any more.", "No application acts for you")
}

func TestPasswordIsChangedOnThePage(t *testing.T) {
	w := newWorld(t, nil)
	w.signIn("ada@one.test")
	w.post("/account/password", "current", "wrong", "password", "a different long one").want(t, 422, "The current password is not right.", `role="alert"`)
	w.post("/account/password", "current", goodPassword, "password", "short").want(t, 422, "at least 10 characters")
	a := w.post("/account/password", "current", goodPassword, "password", "a different long one")
	w.get(a.location()).want(t, 200, "The password is changed")
	w.Client = w.browser()
	w.post("/signin", "email", "ada@one.test", "password", goodPassword).want(t, 403)
	w.post("/signin", "email", "ada@one.test", "password", "a different long one").want(t, 303)
}

// Guarantee: an invitation is not used up by programs that look at links, is used once,
// and its page names whom it is for.
func TestInvitation(t *testing.T) {
	w := newWorld(t, nil)
	text := w.link("invite", "usr_bob")
	for range 2 {
		w.get("/invite/"+text).want(t, 200, "Welcome to Acme", "Two Corp", "bob@two.test", `autocomplete="new-password"`)
	}
	w.post("/invite", "token", text, "password", "one long password", "again", "another long one").want(t, 422, "not the same", text)
	w.post("/invite", "token", text, "password", "short", "again", "short").want(t, 422, "at least 10 characters")
	a := w.post("/invite", "token", text, "password", "one long password", "again", "one long password").want(t, 303)
	if a.location() != "/dashboard" {
		t.Errorf("on to %q", a.location())
	}
	w.get("/account").want(t, 200, "bob@two.test")
	for _, dead := range []string{text, "made-up", strings.Repeat("x", 150)} {
		w.get("/invite/"+dead).want(t, 404, "not good any more")
		w.post("/invite", "token", dead, "password", "one long password", "again", "one long password").want(t, 404, "not good any more")
	}
	w.load(strings.Replace(acme, "methods: [password, passkey, sso]", "methods: [passkey]", 1))
	reset := w.link("reset", "usr_bob")
	w.get("/reset/"+reset).want(t, 200, "Choose a new password", "Sign in")
	w.post("/invite", "token", reset).want(t, 303)
}

// link makes a one-time link.
func (w *world) link(purpose, member string) string {
	w.t.Helper()
	text := secret.New(secret.ShapePrefix, "cardea_link_")
	storetest.Change(w.t, w.store, func(tx *store.Tx) error {
		return tx.InsertLink(w.t.Context(), store.OneTimeLink{Hash: text.Hash(), Purpose: purpose, Member: member, ExpiresAt: tx.Now().Add(time.Hour)})
	})
	return text.Reveal()
}

// tool posts a form as a command line does: without cookies and without a browser's
// headers.
func (w *world) tool(path string, members ...string) (int, map[string]any) {
	w.t.Helper()
	jar := w.Jar
	w.Jar = nil
	defer func() { w.Jar = jar }()
	form := url.Values{}
	for i := 0; i < len(members); i += 2 {
		form.Set(members[i], members[i+1])
	}
	a := w.send(http.MethodPost, app+path, form.Encode(), func(r *http.Request) {
		r.Header.Del("Sec-Fetch-Site")
		r.Header.Set("User-Agent", "cardea/1.0 linux/amd64")
	})
	if a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Cache-Control") != "no-store" {
		w.t.Errorf("%s: headers %v", path, a.Header)
	}
	var out map[string]any
	if err := json.Unmarshal([]byte(a.text), &out); err != nil {
		w.t.Fatalf("%s: %v\n%s", path, err, a.text)
	}
	return a.StatusCode, out
}

// Guarantee: a command line is signed in with a person's approval on a page that says
// who asks, and signed out by its token (RFC 8628, RFC 7009).
func TestCommandLineSignsInAndOut(t *testing.T) {
	w := newWorld(t, nil)
	status, d := w.tool("/signin/device", "client_id", "cardea-cli")
	if status != 200 || d["verification_uri"] != app+"/signin/device" || d["interval"] != 5.0 || d["expires_in"] != 600.0 {
		t.Fatalf("%d, %v", status, d)
	}
	code, typed := d["device_code"].(string), d["user_code"].(string)
	poll := func() (int, map[string]any) {
		w.advance(6 * time.Second)
		return w.tool("/signin/token", "client_id", "cardea-cli", "device_code", code, "grant_type", "urn:ietf:params:oauth:grant-type:device_code")
	}
	if status, got := poll(); status != 400 || got["error"] != "authorization_pending" {
		t.Errorf("%d, %v", status, got)
	}
	w.signIn("ada@one.test")
	w.get(strings.TrimPrefix(d["verification_uri_complete"].(string), app)).want(t, 200, typed)
	w.post("/signin/device/answer", "user_code", "XXXX-XXXX").want(t, 422, "This code is not right")
	w.post("/signin/device/answer", "user_code", strings.ToLower(typed)).want(t, 200, typed, "Acme command line", "cardea/1.0 linux/amd64", "127.0.0.1", "ada@one.test")
	if status, got := poll(); status != 400 || got["error"] != "authorization_pending" {
		t.Errorf("looking at it approved it: %d, %v", status, got)
	}
	a := w.post("/signin/device/answer", "user_code", typed, "decision", "allow")
	w.get(a.location()).want(t, 200, "The command line is signed in.")
	status, got := poll()
	token, _ := got["access_token"].(string)
	if status != 200 || got["token_type"] != "Bearer" || got["expires_in"] != 604800.0 || !strings.HasPrefix(token, "cst_") {
		t.Fatalf("%d, %v", status, got)
	}
	if s, ok, err := w.people.Session(t.Context(), token); err != nil || !ok || s.Member.ID != "usr_ada" {
		t.Errorf("%+v, %v, %v", s, ok, err)
	}
	if status, got := poll(); status != 400 || got["error"] != "invalid_grant" {
		t.Errorf("twice: %d, %v", status, got)
	}
	for range 2 {
		if status, _ := w.tool("/signin/revoke", "token", token); status != 200 {
			t.Errorf("revoke: %d", status)
		}
	}
	if _, ok, _ := w.people.Session(t.Context(), token); ok {
		t.Error("the session outlives its end")
	}
	if status, got := w.tool("/signin/device", "client_id", "somebody"); status != 400 || got["error"] != "invalid_client" {
		t.Errorf("%d, %v", status, got)
	}
	if status, got := w.tool("/signin/token", "client_id", "cardea-cli", "grant_type", "password"); status != 400 || got["error"] != "unsupported_grant_type" {
		t.Errorf("%d, %v", status, got)
	}
}

func TestCommandLineThatIsDenied(t *testing.T) {
	w := newWorld(t, nil)
	_, d := w.tool("/signin/device", "client_id", "cardea-cli")
	w.signIn("ada@one.test")
	a := w.post("/signin/device/answer", "user_code", d["user_code"].(string), "decision", "deny")
	w.get(a.location()).want(t, 200, "was not let in")
	status, got := w.tool("/signin/token", "client_id", "cardea-cli", "device_code", d["device_code"].(string), "grant_type", "urn:ietf:params:oauth:grant-type:device_code")
	if status != 400 || got["error"] != "access_denied" {
		t.Errorf("%d, %v", status, got)
	}
}

// Guarantee: the ceremony's ticket is in a cookie that only this host gets back, and a
// page without a host name offers no passkeys.
func TestPasskeyCeremonyBegins(t *testing.T) {
	w := newWorld(t, nil)
	asJSON := func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }
	a := w.send(http.MethodPost, app+"/signin/passkey/begin", "{}", asJSON).want(t, 200, `"rpId":"app.acme.test"`, `"userVerification":"required"`)
	if cookie := a.Header.Get("Set-Cookie"); !strings.HasPrefix(cookie, "__Host-passkey=") || !strings.Contains(cookie, "HttpOnly; Secure; SameSite=Lax") {
		t.Errorf("cookie %q", cookie)
	}
	w.signIn("ada@one.test")
	w.send(http.MethodPost, app+"/account/passkeys/begin", "{}", asJSON).want(t, 200, `"residentKey":"required"`, `"name":"ada@one.test"`)
	w.advance(16 * time.Minute)
	w.send(http.MethodPost, app+"/account/passkeys/begin", "{}", asJSON).want(t, 403, `"go":"/signin?continue=%2Faccount\u0026again=1"`)
	if a := w.post("/account/passkeys/remove", "id", "AQID"); a.location() != "/signin?continue=%2Faccount&again=1" {
		t.Errorf("to %q", a.location())
	}
}

func TestCompanySignInLeavesByAPage(t *testing.T) {
	w := newWorld(t, nil)
	w.get("/signin/sso?continue=/signin/device").want(t, 200, `action="/signin/sso"`, `value="/signin/device"`)
	one := w.post("/signin/sso", "organization", "One Corp").want(t, 403, `role="alert"`)
	none := w.post("/signin/sso", "organization", "No Such Corp").want(t, 403)
	if strings.ReplaceAll(one.text, "One Corp", "") != strings.ReplaceAll(none.text, "No Such Corp", "") {
		t.Error("the page tells which organizations exist")
	}
	w.get("/signin/sso/callback?code=x&state=y").want(t, 403, "did not work")
}
