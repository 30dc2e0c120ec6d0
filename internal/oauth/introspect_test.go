package oauth

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// sdkCode makes a code of the SDK's page: no challenge, scopes spelled its way.
func sdkCode(c *store.Code) { c.Challenge, c.Scopes = "", []string{"read:certificates"} }

// ask introspects a token as a client.
func (w *world) ask(c registered, text string) answered {
	w.t.Helper()
	return w.post("/oauth/introspect", "client_id", c.id(), "client_secret", c.secret.Reveal(), "token", text)
}

// TestIntrospectionTellsTheTruth: what is active is what the API would take.
func TestIntrospectionTellsTheTruth(t *testing.T) {
	for name, changes := range formats {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acme(t, changes...))
			c, m := w.register(), w.member()
			tokens := w.redeem(c, w.code(c, m)).want(200, "")
			a := w.ask(c, tokens.text("access_token")).want(200, "")
			if a.json["active"] != true || a.text("sub") != m.ID || a.text("client_id") != c.id() || a.text("scope") != "read write" ||
				a.text("token_type") != "Bearer" || a.text("iss") != "https://auth.example.test" || a.text("aud") != "https://api.example.test" ||
				a.json["iat"] != float64(w.now().Unix()) || a.json["exp"] != float64(w.now().Add(15*time.Minute).Unix()) || a.text("jti") == "" {
				t.Errorf("answer %s", a.body)
			}
			r := w.ask(c, tokens.text("refresh_token")).want(200, "")
			if diff := cmp.Diff([]string{"active", "scope", "client_id", "exp", "iat", "sub"}, r.members()); diff != "" || r.json["active"] != true {
				t.Errorf("%s; %s", diff, r.body)
			}
			w.renew(c, tokens.text("refresh_token")).want(200, "")
			w.inactive(c, tokens.text("refresh_token"))
			w.advance(15 * time.Minute)
			w.inactive(c, tokens.text("access_token"))
			machine := w.as(c, "grant_type", "client_credentials").want(200, "")
			if a := w.ask(c, machine.text("access_token")).want(200, ""); a.json["active"] != true || a.text("sub") != c.id() {
				t.Errorf("answer %s", a.body)
			}
			w.endToken(c, machine.text("access_token")).want(200, "")
			w.inactive(c, machine.text("access_token"))
		})
	}
}

// inactive expects an answer that says nothing else.
func (w *world) inactive(c registered, text string) {
	w.t.Helper()
	if a := w.ask(c, text).want(200, ""); a.body != `{"active":false}` {
		w.t.Errorf("answer %s", a.body)
	}
}

// TestIntrospectionIsCutToTheCaller: strangers learn nothing, not even that a token
// exists; callers of the same organization, whose API it is, learn what they need; public
// clients may not ask at all.
func TestIntrospectionIsCutToTheCaller(t *testing.T) {
	w := newWorld(t, acme(t))
	c, m := w.register(), w.member()
	tokens := w.redeem(c, w.code(c, m)).want(200, "")
	sister := w.register()
	if a := w.ask(sister, tokens.text("access_token")).want(200, ""); a.json["active"] != true {
		t.Errorf("the organization's own: %s", a.body)
	}
	w.inactive(sister, tokens.text("refresh_token")) // is of use to its client alone
	elsewhere := w.organization()
	stranger := w.register(func(c *store.Client) { c.Credential.Organization = elsewhere.ID })
	w.inactive(stranger, tokens.text("access_token"))
	w.inactive(stranger, tokens.text("refresh_token"))
	for _, text := range []string{"x", "a.b.c", c.secret.Reveal(), secret.New(secret.ShapePrefix, "at_").Reveal(), tokens.text("access_token") + "A"} {
		w.inactive(c, text)
	}
	p := w.register(public)
	w.post("/oauth/introspect", "client_id", p.id(), "token", tokens.text("access_token")).want(401, "invalid_client")
	w.post("/oauth/introspect", "token", tokens.text("access_token")).want(400, "invalid_request")
	w.post("/oauth/introspect", "client_id", c.id(), "client_secret", "wrong", "token", tokens.text("access_token")).want(401, "invalid_client")
	w.ask(c, "").want(400, "invalid_request")
	for range 60 { // bad tokens are the doing of others: they are not held against the caller
		w.inactive(c, secret.New(secret.ShapePrefix, "at_").Reveal())
	}
}

// TestIntrospectionKeepsEnvironmentsApart: a resource server of the live environment that
// asks about a token of the test environment hears that it is not active: the answer says
// nothing of environments, so it would let the test token open live data.
func TestIntrospectionKeepsEnvironmentsApart(t *testing.T) {
	for name, changes := range formats {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acme(t, changes...))
			live := w.register()
			other := w.register(func(c *store.Client) { c.Credential.Environment = "test" })
			for _, pair := range [][2]registered{{live, other}, {other, live}} {
				tokens := w.as(pair[1], "grant_type", "client_credentials").want(200, "")
				if a := w.ask(pair[1], tokens.text("access_token")).want(200, ""); a.json["active"] != true {
					t.Errorf("its own: %s", a.body)
				}
				w.inactive(pair[0], tokens.text("access_token"))
			}
		})
	}
}
