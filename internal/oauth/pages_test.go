package oauth

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
)

// The tests in this file hold what the products' pages print about tokens, row by row of
// the acceptance table. They send what the pages' commands send.

// TestPageClientCredentials replays C0-15 to C0-28 and C0-33: the form with a raw space,
// the four members of the answer, and a JWT with seven claims and nothing more.
func TestPageClientCredentials(t *testing.T) {
	w := newWorld(t, example(t, "cohera-api"))
	w.advance(700 * time.Millisecond) // lifetimes are whole seconds all the same
	c := w.register()
	body := "grant_type=client_credentials&client_id=" + c.id() + "&client_secret=" + c.secret.Reveal() + "&scope=entities:read entities:write"
	a := w.do(w.raw("/oauth/token", formType, body)).want(200, "")
	if diff := cmp.Diff([]string{"access_token", "token_type", "expires_in", "scope"}, a.members()); diff != "" {
		t.Errorf("members: %s", diff)
	}
	if a.text("token_type") != "Bearer" || a.json["expires_in"] != float64(3600) || a.text("scope") != "entities:read entities:write" {
		t.Errorf("answer %s", a.body)
	}
	jwt := a.text("access_token")
	if !strings.HasPrefix(jwt, "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.") { // C0-19
		t.Errorf("the header is %s", part(t, jwt, 0))
	}
	want := `{"iss":"https://auth.cohera.io","sub":"` + c.id() + `","aud":"https://api.cohera.io","exp":1795352400,"iat":1795348800,` +
		`"scope":"entities:read entities:write","org_id":"` + w.org.ID + `"}`
	if got := part(t, jwt, 1); got != want {
		t.Errorf("claims %s\nwant   %s", got, want)
	}
	// C0-33: without scope, everything the client has.
	again := w.as(c, "grant_type", "client_credentials").want(200, "")
	if got, want := again.text("scope"), strings.Join(c.Credential.Scopes, " "); got != want {
		t.Errorf("scope %q, want %q", got, want)
	}
	// The order is the request's.
	reverse := w.as(c, "grant_type", "client_credentials", "scope", "entities:write entities:read")
	if reverse.text("scope") != "entities:write entities:read" {
		t.Errorf("scope %q", reverse.text("scope"))
	}
}

// TestPageUserToken replays C0-03 and C0-21 to C0-23: a token in a user's context lives
// for 15 minutes, names the user, and has a kid.
func TestPageUserToken(t *testing.T) {
	w := newWorld(t, example(t, "cohera"))
	c, m := w.register(), w.member()
	code := w.code(c, m, func(c *store.Code) { c.Challenge, c.Scopes = "", []string{"entities:read"} })
	a := w.as(c, "grant_type", "authorization_code", "code", code, "redirect_uri", callback).want(200, "")
	if !strings.HasPrefix(m.ID, "user_") || !strings.Contains(part(t, a.text("access_token"), 1), `"sub":"`+m.ID+`"`) {
		t.Errorf("claims %s", part(t, a.text("access_token"), 1))
	}
	if a.json["expires_in"] != float64(900) || !strings.Contains(part(t, a.text("access_token"), 0), `"kid":"key-live"`) {
		t.Errorf("expires_in %v, header %s", a.json["expires_in"], part(t, a.text("access_token"), 0))
	}
}

// TestPageRefreshEarly replays C0-34: a token fetched a minute before the old one ends is
// another one, and asking is no harm to the old one.
func TestPageRefreshEarly(t *testing.T) {
	w := newWorld(t, example(t, "cohera-api"))
	c := w.register()
	first := w.as(c, "grant_type", "client_credentials").want(200, "")
	w.advance(time.Hour - time.Minute)
	second := w.as(c, "grant_type", "client_credentials").want(200, "")
	if first.text("access_token") == second.text("access_token") {
		t.Error("the same token twice")
	}
	for name, a := range map[string]answered{"old": first, "new": second} {
		if _, reason, err := w.cfg.Authorizer.Token(t.Context(), a.text("access_token"), home); reason != cardea.ReasonAllowed || err != nil {
			t.Errorf("the %s token: %v, %v", name, reason, err)
		}
	}
	w.advance(time.Minute - time.Second) // C0-02: accepted at 3599 s
	if _, reason, _ := w.cfg.Authorizer.Token(t.Context(), first.text("access_token"), home); reason != cardea.ReasonAllowed {
		t.Errorf("after 3599 s: %v", reason)
	}
	w.advance(time.Second)
	if _, reason, _ := w.cfg.Authorizer.Token(t.Context(), first.text("access_token"), home); reason != cardea.ReasonExpired {
		t.Errorf("after 3600 s: %v", reason)
	}
}

// TestPageExchangeWithoutChallenge replays C1-23, C1-24, C1-26 and C1-30: the SDK's code
// exchange runs in another process than the one that sent the user away, so it has no
// verifier; refreshing gives new tokens; scopes are an array.
func TestPageExchangeWithoutChallenge(t *testing.T) {
	w := newWorld(t, example(t, "cohera-sdk"))
	c, m := w.register(), w.member()
	code := w.code(c, m, func(c *store.Code) { c.Challenge, c.Scopes = "", []string{"read:certificates", "read:suppliers"} })
	first := w.as(c, "grant_type", "authorization_code", "code", code, "redirect_uri", callback).want(200, "")
	if first.text("refresh_token") == "" || !strings.Contains(part(t, first.text("access_token"), 1), `"scopes":["read:certificates","read:suppliers"],"org_id":`) {
		t.Errorf("answer %s, claims %s", first.body, part(t, first.text("access_token"), 1))
	}
	w.advance(time.Hour)
	second := w.as(c, "grant_type", "refresh_token", "refresh_token", first.text("refresh_token")).want(200, "")
	if second.text("refresh_token") == first.text("refresh_token") || second.text("access_token") == first.text("access_token") {
		t.Error("refreshing gave the same tokens")
	}
}

// TestPageOpaqueTokens replays C2-16, C2-17 and C2-19: form with client_id and
// client_secret, opaque tokens, this member order, an hour, and refreshing.
func TestPageOpaqueTokens(t *testing.T) {
	w := newWorld(t, example(t, "coherence"))
	c, m := w.register(), w.member()
	code := w.code(c, m, func(c *store.Code) { c.Challenge = "" })
	first := w.as(c, "grant_type", "authorization_code", "code", code, "redirect_uri", callback).want(200, "")
	if diff := cmp.Diff([]string{"access_token", "refresh_token", "token_type", "expires_in", "scope"}, first.members()); diff != "" {
		t.Errorf("members: %s", diff)
	}
	if !strings.HasPrefix(first.text("access_token"), "at_") || !strings.HasPrefix(first.text("refresh_token"), "rt_") ||
		first.text("token_type") != "Bearer" || first.json["expires_in"] != float64(3600) || first.text("scope") != "read write" {
		t.Errorf("answer %s", first.body)
	}
	info, reason, err := w.cfg.Authorizer.Token(t.Context(), first.text("access_token"), home) // C2-18
	if err != nil || reason != cardea.ReasonAllowed || info.Member != m.ID || info.Client != c.id() {
		t.Errorf("the token: %v, %v, %+v", reason, err, info)
	}
	w.advance(time.Hour)
	if _, reason, _ := w.cfg.Authorizer.Token(t.Context(), first.text("access_token"), home); reason != cardea.ReasonExpired {
		t.Errorf("after an hour: %v", reason)
	}
	second := w.as(c, "grant_type", "refresh_token", "refresh_token", first.text("refresh_token")).want(200, "")
	if _, reason, _ := w.cfg.Authorizer.Token(t.Context(), second.text("access_token"), home); reason != cardea.ReasonAllowed {
		t.Errorf("the new token: %v", reason)
	}
}

// TestPageLogin replays C4-10 to C4-13: a personal token in the header and JSON in the
// body, system credentials by Basic, three members and no more.
func TestPageLogin(t *testing.T) {
	w := newWorld(t, example(t, "coactive"))
	m := w.member()
	key, text := w.key("personal_token", m.ID, "api")
	login := func(authorization, body string) answered {
		r := w.raw("/api/v0/login", "application/json", body)
		r.Header.Set("Authorization", authorization)
		return w.do(r)
	}
	three := []string{"access_token", "token_type", "expires_in"}
	a := login("Bearer "+text.Reveal(), `{"grant_type": "refresh_token"}`).want(200, "")
	if diff := cmp.Diff(three, a.members()); diff != "" || a.json["expires_in"] != float64(3600) {
		t.Errorf("members: %s; %s", diff, a.body)
	}
	info, reason, err := w.cfg.Authorizer.Token(t.Context(), a.text("access_token"), home)
	if err != nil || reason != cardea.ReasonAllowed || info.Member != m.ID || info.Organization != w.org.ID {
		t.Errorf("the token of a personal token: %v, %v, %+v", reason, err, info)
	}
	c := w.register()
	b := login(basic(c.id(), c.secret.Reveal()), `{"grant_type": "client_credentials"}`).want(200, "")
	if diff := cmp.Diff(three, b.members()); diff != "" {
		t.Errorf("members: %s", diff)
	}
	// What is not meant for each other.
	login("Bearer "+text.Reveal(), `{"grant_type": "client_credentials"}`).want(400, "unauthorized_client")
	login(basic(c.id(), c.secret.Reveal()), `{"grant_type": "refresh_token"}`).want(400, "unauthorized_client")
	login("Bearer "+a.text("access_token"), `{"grant_type": "refresh_token"}`).want(401, "invalid_client")
	login("Bearer "+c.secret.Reveal(), `{"grant_type": "refresh_token"}`).want(401, "invalid_client")
	login("Bearer "+text.Reveal(), `{"grant_type": "password"}`).want(400, "unsupported_grant_type")
	login("Bearer "+text.Reveal(), `{}`).want(400, "invalid_request")
	r := w.form("/api/v0/login", "grant_type", "refresh_token")
	r.Header.Set("Authorization", "Bearer "+text.Reveal())
	w.do(r).want(400, "invalid_request") // JSON only

	// C4-15: revoking the personal token ends what was made from it.
	w.change(func(tx *store.Tx) error {
		key.RevokedAt = w.now()
		if err := tx.UpdateCredential(t.Context(), key); err != nil {
			return err
		}
		if err := tx.EndTokens(t.Context(), key.ID); err != nil {
			return err
		}
		return tx.EndMemberTokens(t.Context(), m.ID)
	})
	login("Bearer "+text.Reveal(), `{"grant_type": "refresh_token"}`).want(401, "invalid_client")
	if _, reason, _ := w.cfg.Authorizer.Token(t.Context(), a.text("access_token"), home); reason == cardea.ReasonAllowed {
		t.Error("the access token outlived the personal token")
	}
	// A new personal token, in the same second, makes tokens that work.
	_, next := w.key("personal_token", m.ID, "api")
	n := login("Bearer "+next.Reveal(), `{"grant_type": "refresh_token"}`).want(200, "")
	if _, reason, _ := w.cfg.Authorizer.Token(t.Context(), n.text("access_token"), home); reason != cardea.ReasonAllowed {
		t.Errorf("a token made after the change: %v", reason)
	}
}

// TestPageLoginResetsTheIdleClock replays C4-03: 30 days without a login end a personal
// token, and each login counts.
func TestPageLoginResetsTheIdleClock(t *testing.T) {
	w := newWorld(t, example(t, "coactive"))
	m := w.member()
	_, text := w.key("personal_token", m.ID, "api")
	login := func() answered {
		r := w.raw("/api/v0/login", "application/json", `{"grant_type": "refresh_token"}`)
		r.Header.Set("Authorization", "Bearer "+text.Reveal())
		return w.do(r)
	}
	for range 3 {
		w.advance(29 * 24 * time.Hour)
		login().want(200, "")
	}
	w.advance(30*24*time.Hour + time.Second)
	login().want(401, "invalid_client")
}

// TestPageBothGuides holds that the merged contract takes the scopes of either guide and
// names them in the answer as they were asked for; the token has the contract's names.
func TestPageBothGuides(t *testing.T) {
	w := newWorld(t, example(t, "cohera"))
	c := w.register()
	a := w.as(c, "grant_type", "client_credentials", "scope", "read:certificates certificates:read suppliers:read").want(200, "")
	if a.text("scope") != "read:certificates suppliers:read" {
		t.Errorf("scope %q", a.text("scope"))
	}
	if !strings.Contains(part(t, a.text("access_token"), 1), `"scope":"certificates:read suppliers:read"`) {
		t.Errorf("claims %s", part(t, a.text("access_token"), 1))
	}
}

// TestNoProductsTokenIsMade holds that nothing is issued where the contract has no token
// endpoint: the table of endpoints is the contract's.
func TestNoProductsTokenIsMade(t *testing.T) {
	w := newWorld(t, example(t, "codehooks"))
	for _, path := range []string{"/oauth/token", "/api/v0/login", "/oauth/revoke", "/oauth/introspect"} {
		if a := w.post(path, "grant_type", "client_credentials"); a.status != 404 {
			t.Errorf("%s answers %d", path, a.status)
		}
	}
}

// TestEndpointsAreAtTheirHosts replays C2-15 and C2-16: authorize and token endpoints are
// on different hosts, and neither is on the other's.
func TestEndpointsAreAtTheirHosts(t *testing.T) {
	c := example(t, "coherence")
	s := New(Config{Contract: func() *contract.Contract { return c }})
	for _, one := range []struct {
		host, path string
		want       bool
	}{
		{"api.getcoherence.io", "/oauth/token", true},
		{"API.getcoherence.io.", "/oauth/token", true},
		{"api.getcoherence.io:443", "/oauth/token", true},
		{"app.getcoherence.io", "/oauth/token", false},
		{"app.getcoherence.io", "/oauth/authorize", true},
		{"api.getcoherence.io", "/oauth/authorize", false},
		{"api.getcoherence.io", "/oauth/token/", false},
		{"api.getcoherence.io", "/oauth//token", false},
		{"api.getcoherence.io", "/oauth/%74oken", false},
		{"api.getcoherence.io", "/OAuth/token", false},
		{"evil.test", "/oauth/token", false},
		{"", "/oauth/token", false},
	} {
		if _, found := s.Find(one.host, "POST", one.path); found != one.want {
			t.Errorf("%s%s: found %v", one.host, one.path, found)
		}
	}
	s.cfg.AnyHost = true
	if _, found := s.Find("127.0.0.1:8080", "POST", "/oauth/token"); !found {
		t.Error("AnyHost does not find the endpoint")
	}
}
