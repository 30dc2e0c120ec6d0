package oauth

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
)

// info asks the userinfo endpoint with an Authorization header.
func (w *world) info(authorization string) page {
	w.t.Helper()
	b := w.stranger()
	if authorization != "" {
		b.header.Set("Authorization", authorization)
	}
	return b.get("/oauth/userinfo")
}

// TestUserInfo holds OpenID Connect Core §5.3: the person of the ID token, with the
// claims that the granted scopes open and no more.
func TestUserInfo(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	b := w.signedIn(m)
	exchange := func(scope string) answered {
		return w.as(c, "grant_type", "authorization_code", "code", b.code(c, "scope", scope), "redirect_uri", callback, "code_verifier", verifier).want(200, "")
	}
	for scope, want := range map[string][]string{
		"openid": {"sub"}, "openid profile": {"sub", "name", "updated_at"}, "openid email": {"sub", "email"},
		"openid profile email read": {"sub", "name", "updated_at", "email"},
	} {
		got := exchange(scope)
		p := w.info("Bearer " + got.text("access_token"))
		p.want(http.StatusOK, "")
		if strings.Join(p.members(), " ") != strings.Join(want, " ") {
			t.Errorf("%s: %s", scope, p.body)
		}
		if sub := parseObject(t, part(t, got.text("id_token"), 1))["sub"]; p.json["sub"] != sub || sub != m.ID {
			t.Errorf("sub is %v, and %v in the ID token", p.json["sub"], sub)
		}
	}
	r := w.form("/oauth/userinfo")
	r.Header.Set("Authorization", "Bearer "+exchange("openid").text("access_token"))
	w.do(r).want(http.StatusOK, "")

	p := w.info("Bearer " + exchange("read").text("access_token"))
	p.want(http.StatusForbidden, "insufficient_scope")
	if c := p.header.Values("WWW-Authenticate"); !strings.Contains(strings.Join(c, ","), `scope="openid"`) {
		t.Errorf("challenge %q", c)
	}
}

// TestUserInfoRefuses holds RFC 6750 §3.1 and RFC 9449 §7: one token, in the header, that
// is good at the API; never an ID token, and never one that is bound to a key without
// that key's proof.
func TestUserInfoRefuses(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	b := w.signedIn(m)
	got := w.as(c, "grant_type", "authorization_code", "code", b.code(c, "scope", "openid"), "redirect_uri", callback, "code_verifier", verifier).want(200, "")
	access := got.text("access_token")

	p := w.info("")
	p.want(http.StatusUnauthorized, "invalid_request")
	if lines := p.header.Values("WWW-Authenticate"); len(lines) != 2 || strings.Contains(lines[0], "error") || !strings.HasPrefix(lines[0], "Bearer") ||
		!strings.HasPrefix(lines[1], "DPoP") {
		t.Errorf("challenges %q", lines)
	}
	for name, one := range map[string]struct {
		header string
		status int
		code   string
	}{
		"ID token":        {"Bearer " + got.text("id_token"), 401, "invalid_token"},
		"refresh token":   {"Bearer " + got.text("refresh_token"), 401, "invalid_token"},
		"truncated":       {"Bearer " + access[:len(access)-1], 401, "invalid_token"},
		"bearer as DPoP":  {"DPoP " + access, 401, "invalid_token"},
		"Basic":           {"Basic eDp5", 401, "invalid_request"},
		"nothing":         {"Bearer ", 400, "invalid_request"},
		"two in a header": {"Bearer " + access + ", Bearer " + access, 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.info(one.header)
			p.want(one.status, one.code)
			if one.code == "invalid_token" && !strings.Contains(p.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
				t.Errorf("challenge %q", p.header.Values("WWW-Authenticate"))
			}
		})
	}
	if p := w.stranger().get("/oauth/userinfo?access_token=" + access); p.status != 401 {
		t.Errorf("a token in the address is answered %d", p.status)
	}
	r := w.form("/oauth/userinfo", "access_token", access)
	w.do(r).want(401, "invalid_request")

	machine := w.as(c, "grant_type", "client_credentials", "scope", "openid").want(200, "")
	w.info("Bearer "+machine.text("access_token")).want(401, "invalid_token")

	w.advance(15*time.Minute + time.Second)
	w.info("Bearer "+access).want(401, "invalid_token")
}

// TestUserInfoFollowsThePerson holds that a token dies with what it stands on.
func TestUserInfoFollowsThePerson(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	b := w.signedIn(m)
	got := w.as(c, "grant_type", "authorization_code", "code", b.code(c, "scope", "openid"), "redirect_uri", callback, "code_verifier", verifier).want(200, "")
	access := "Bearer " + got.text("access_token")
	w.info(access).want(200, "")
	consent, err := w.db.Consent(t.Context(), m.ID, c.id())
	if err != nil {
		t.Fatal(err)
	}
	w.change(func(tx *store.Tx) error { return tx.RevokeConsent(t.Context(), consent.ID) })
	w.info(access).want(401, "invalid_token")
}
