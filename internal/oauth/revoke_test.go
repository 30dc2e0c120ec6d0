package oauth

import (
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
)

// end revokes a token as a client.
func (w *world) endToken(c registered, text string, pairs ...string) answered {
	w.t.Helper()
	pairs = append([]string{"client_id", c.id(), "token", text}, pairs...)
	if !c.Public {
		pairs = append(pairs, "client_secret", c.secret.Reveal())
	}
	return w.post("/oauth/revoke", pairs...)
}

// formats are the two forms of access tokens, as changes of the contract.
var formats = map[string][]string{
	"jwt":    nil,
	"opaque": {"access: {format: jwt, lifetime: 1h, claims: {org_id: organization}}", "access: {format: opaque, lifetime: 1h}"},
}

// TestRevokedAccessTokenIsDead: at once, in either form, and the refresh token lives on
// (RFC 7009 §2.1).
func TestRevokedAccessTokenIsDead(t *testing.T) {
	for name, changes := range formats {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acme(t, changes...))
			for kind, c := range map[string]registered{"confidential": w.register(), "public": w.register(public)} {
				tokens := w.redeem(c, w.code(c, w.member())).want(200, "")
				if got := w.reason(tokens.text("access_token")); got != cardea.ReasonAllowed {
					t.Fatalf("%s: %v", kind, got)
				}
				a := w.endToken(c, tokens.text("access_token"), "token_type_hint", "refresh_token").want(200, "") // a wrong hint
				if a.body != "{}" {
					t.Errorf("body %q: some clients want JSON (threats D10)", a.body)
				}
				if got := w.reason(tokens.text("access_token")); got != cardea.ReasonRevoked {
					t.Errorf("%s: %v", kind, got)
				}
				w.endToken(c, tokens.text("access_token")).want(200, "") // again
				w.renew(c, tokens.text("refresh_token")).want(200, "")
			}
		})
	}
}

// TestRevokedRefreshTokenEndsItsFamily: a used one too.
func TestRevokedRefreshTokenEndsItsFamily(t *testing.T) {
	for name, changes := range formats {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acme(t, changes...))
			c, m := w.register(), w.member()
			first := w.redeem(c, w.code(c, m)).want(200, "")
			second := w.renew(c, first.text("refresh_token")).want(200, "")
			w.endToken(c, first.text("refresh_token")).want(200, "")
			for _, a := range []answered{first, second} {
				if got := w.reason(a.text("access_token")); got != cardea.ReasonRevoked {
					t.Errorf("the access token: %v", got)
				}
			}
			w.renew(c, second.text("refresh_token")).want(400, "invalid_grant")
			w.endToken(c, second.text("refresh_token")).want(200, "")
		})
	}
}

// TestRevocationIsForOnesOwn: what is another client's stays, and what does not exist is
// as good as ended.
func TestRevocationIsForOnesOwn(t *testing.T) {
	for name, changes := range formats {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acme(t, changes...))
			c, other, m := w.register(), w.register(), w.member()
			tokens := w.redeem(c, w.code(c, m)).want(200, "")
			machine := w.as(c, "grant_type", "client_credentials").want(200, "")
			for _, text := range []string{tokens.text("access_token"), tokens.text("refresh_token"), machine.text("access_token")} {
				w.endToken(other, text).want(400, "unauthorized_client")
			}
			if w.reason(tokens.text("access_token")) != cardea.ReasonAllowed || w.reason(machine.text("access_token")) != cardea.ReasonAllowed {
				t.Error("another client ended a token")
			}
			for _, text := range []string{"x", "a.b.c", secret.New(secret.ShapePrefix, "at_").Reveal(), secret.New(secret.ShapePrefix, "rt_").Reveal(), tokens.text("access_token") + "x"} {
				w.endToken(c, text).want(200, "")
			}
			w.endToken(c, "").want(400, "invalid_request")
			w.post("/oauth/revoke", "client_id", c.id(), "client_secret", "wrong", "token", machine.text("access_token")).want(401, "invalid_client")
			w.post("/oauth/revoke", "token", machine.text("access_token")).want(400, "invalid_request")
			w.endToken(c, machine.text("access_token")).want(200, "")
			if got := w.reason(machine.text("access_token")); got != cardea.ReasonRevoked {
				t.Errorf("the machine token: %v", got)
			}
		})
	}
}

// TestRevocationWithoutAClientClaim: on pages whose tokens name no client, a client ends
// the tokens of people who gave it some.
func TestRevocationWithoutAClientClaim(t *testing.T) {
	w := newWorld(t, example(t, "cohera-sdk"))
	c, other, m := w.register(), w.register(), w.member()
	tokens := w.redeem(c, w.code(c, m, sdkCode), "code_verifier", "").want(200, "")
	w.endToken(other, tokens.text("access_token")).want(400, "unauthorized_client")
	w.endToken(c, tokens.text("access_token")).want(200, "")
	if got := w.reason(tokens.text("access_token")); got != cardea.ReasonRevoked {
		t.Errorf("the token: %v", got)
	}
}
