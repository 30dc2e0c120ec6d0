package oauth

import (
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// renew refreshes; pairs are further parameters.
func (w *world) renew(c registered, refresh string, pairs ...string) answered {
	w.t.Helper()
	return w.as(c, append([]string{"grant_type", "refresh_token", "refresh_token", refresh}, pairs...)...)
}

// TestRefreshRotates: each token is good once, and the chain goes on.
func TestRefreshRotates(t *testing.T) {
	w := newWorld(t, acme(t))
	c, m := w.register(), w.member()
	last := w.redeem(c, w.code(c, m)).want(200, "")
	for range 3 {
		w.advance(10 * time.Minute)
		next := w.renew(c, last.text("refresh_token")).want(200, "")
		if next.text("refresh_token") == last.text("refresh_token") || w.reason(next.text("access_token")) != cardea.ReasonAllowed {
			t.Fatalf("answer %s", next.body)
		}
		last = next
	}
	w.renew(w.register(), last.text("refresh_token")).want(400, "invalid_grant") // another client's
	w.renew(c, last.text("refresh_token")+"x").want(400, "invalid_grant")
	w.renew(c, last.text("access_token")).want(400, "invalid_grant")
	w.renew(c, "").want(400, "invalid_request")
	w.renew(c, last.text("refresh_token")).want(200, "")
}

// TestRefreshGraceGivesTheSameSuccessor: a client whose answer was lost asks again and
// gets what it would have got, to the letter; nothing is issued twice.
func TestRefreshGraceGivesTheSameSuccessor(t *testing.T) {
	w := newWorld(t, acme(t))
	c, m := w.register(), w.member()
	first := w.redeem(c, w.code(c, m)).want(200, "")
	second := w.renew(c, first.text("refresh_token")).want(200, "")
	w.advance(10 * time.Second)
	issued := w.events("token.issue")
	again := w.renew(c, first.text("refresh_token")).want(200, "")
	if again.text("refresh_token") != second.text("refresh_token") || again.text("access_token") != second.text("access_token") {
		t.Errorf("first %s\nagain %s", second.body, again.body)
	}
	if again.json["expires_in"] != second.json["expires_in"].(float64)-10 {
		t.Errorf("expires_in %v after ten seconds of %v", again.json["expires_in"], second.json["expires_in"])
	}
	if w.events("token.issue") != issued {
		t.Error("a token was issued for the repetition")
	}
	w.renew(c, first.text("refresh_token"), "scope", "read").want(400, "invalid_scope") // not the same request
	w.renew(c, second.text("refresh_token")).want(200, "")
}

// TestReuseEndsTheFamily: RFC 9700 §4.14.2. After the grace, or once the successor was
// used, a used token means that two parties have it.
func TestReuseEndsTheFamily(t *testing.T) {
	for name, wait := range map[string]func(w *world, c registered, successor string){
		"after the grace":              func(w *world, _ registered, _ string) { w.advance(10*time.Second + time.Microsecond) },
		"after the successor was used": func(w *world, c registered, successor string) { w.renew(c, successor).want(200, "") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acme(t))
			c, m := w.register(), w.member()
			bystander := w.redeem(c, w.code(c, m)).want(200, "")
			first := w.redeem(c, w.code(c, m)).want(200, "")
			second := w.renew(c, first.text("refresh_token")).want(200, "")
			wait(w, c, second.text("refresh_token"))
			w.renew(w.register(), first.text("refresh_token")).want(400, "invalid_grant") // a stranger ends nothing
			if got := w.reason(second.text("access_token")); got != cardea.ReasonAllowed {
				t.Fatalf("after a stranger's try: %v", got)
			}
			w.renew(c, first.text("refresh_token")).want(400, "invalid_grant")
			w.renew(c, second.text("refresh_token")).want(400, "invalid_grant")
			for name, a := range map[string]answered{"first": first, "second": second} {
				if got := w.reason(a.text("access_token")); got != cardea.ReasonRevoked {
					t.Errorf("the %s access token: %v", name, got)
				}
			}
			w.renew(c, bystander.text("refresh_token")).want(200, "")
		})
	}
}

// TestRefreshNarrowsAndNeverWidens: RFC 6749 §6.
func TestRefreshNarrowsAndNeverWidens(t *testing.T) {
	w := newWorld(t, acme(t))
	c, m := w.register(), w.member()
	first := w.redeem(c, w.code(c, m)).want(200, "")
	w.renew(c, first.text("refresh_token"), "scope", "read write delete").want(400, "invalid_scope")
	w.renew(c, first.text("refresh_token"), "scope", "nonsense").want(400, "invalid_scope")
	narrow := w.renew(c, first.text("refresh_token"), "scope", "read").want(200, "")
	if narrow.text("scope") != "read" {
		t.Errorf("scope %q", narrow.text("scope"))
	}
	// What was narrowed once may be asked for again, since the person agreed to it.
	wide := w.renew(c, narrow.text("refresh_token")).want(200, "")
	if wide.text("scope") != "read write" {
		t.Errorf("scope %q", wide.text("scope"))
	}
	// A client that lost a scope loses it in the next token.
	w.change(func(tx *store.Tx) error {
		c.Credential.Scopes = []string{"read"}
		return tx.UpdateCredential(t.Context(), c.Credential)
	})
	if a := w.renew(c, wide.text("refresh_token")).want(200, ""); a.text("scope") != "read" {
		t.Errorf("scope %q after the client lost write", a.text("scope"))
	}
}

// TestRefreshTokensEnd: one that nobody used, and a family that is renewed for too long.
func TestRefreshTokensEnd(t *testing.T) {
	w := newWorld(t, acme(t, "refresh: {lifetime: 30d}", "refresh: {lifetime: 30d, max: 60d}"))
	c, m := w.register(), w.member()
	const day = 24 * time.Hour
	idle := w.redeem(c, w.code(c, m)).want(200, "")
	busy := w.redeem(c, w.code(c, m)).want(200, "")
	w.advance(29 * day)
	busy = w.renew(c, busy.text("refresh_token")).want(200, "")
	w.advance(day)
	w.renew(c, idle.text("refresh_token")).want(400, "invalid_grant")
	w.advance(28 * day)
	busy = w.renew(c, busy.text("refresh_token")).want(200, "")
	w.advance(2 * day)
	w.renew(c, busy.text("refresh_token")).want(400, "invalid_grant")
}

// TestRefreshWithoutRotation: the contract may say that a refresh token stays as it is;
// revoking it still ends the access tokens.
func TestRefreshWithoutRotation(t *testing.T) {
	w := newWorld(t, example(t, "cohera", "rotate: true", "rotate: false"))
	c, m := w.register(), w.member()
	code := w.code(c, m, func(c *store.Code) { c.Challenge, c.Scopes = "", []string{"entities:read"} })
	first := w.redeem(c, code, "code_verifier", "").want(200, "")
	w.advance(time.Minute)
	second := w.renew(c, first.text("refresh_token")).want(200, "")
	if second.text("refresh_token") != first.text("refresh_token") {
		t.Errorf("another refresh token: %s", second.body)
	}
	w.post("/oauth/revoke", "client_id", c.id(), "client_secret", c.secret.Reveal(), "token", first.text("refresh_token")).want(200, "")
	w.renew(c, first.text("refresh_token")).want(400, "invalid_grant")
	for name, a := range map[string]answered{"first": first, "second": second} {
		if got := w.reason(a.text("access_token")); got != cardea.ReasonRevoked {
			t.Errorf("the %s access token: %v", name, got)
		}
	}
}

// TestSealOpensWithTheTokenAlone: who reads the database has no successor.
func TestSealOpensWithTheTokenAlone(t *testing.T) {
	text := secret.New(secret.ShapePrefix, "rt_").Reveal()
	data := seal(text, &ticket{scopes: grantedScopes{text: "read"}}, &issued{access: "a", refresh: "r", id: "i", issuedAt: start, expires: start})
	if a := unseal(text, data); a == nil || a.Access != "a" || a.Refresh != "r" || a.Scope != "read" {
		t.Errorf("opened as %+v", a)
	}
	for name, other := range map[string]string{"another token": text + "x", "the hash": string(data), "nothing": ""} {
		if unseal(other, data) != nil {
			t.Errorf("%s opens it", name)
		}
	}
	data[len(data)-1]++
	if unseal(text, data) != nil || unseal(text, nil) != nil {
		t.Error("a damaged seal opens")
	}
}
