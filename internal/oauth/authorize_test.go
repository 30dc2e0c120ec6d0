package oauth

import (
	"testing"

	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// TestAuthorizationCodeFlow walks RFC 6749 §4.1 from the first address to the token, on
// both engines: sign-in, question, code, token; and the second time nobody is asked.
func TestAuthorizationCodeFlow(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := newWorldOn(t, acme(t), cfg)
		c, m := w.register(), w.member()
		b := w.stranger()
		if q := b.get(authorizeURL(c)).goesTo("/signin"); q.Get("continue") == "" {
			t.Fatal("the sign-in page does not know where to go afterwards")
		}
		b.signIn(m)
		p := b.get(authorizeURL(c)).asks()
		back := b.allow(p).goesTo(callback)
		if back.Get("state") != "xyz" || back.Get("iss") != "https://auth.example.test" {
			t.Errorf("the client is told %v", back)
		}
		got := w.as(c, "grant_type", "authorization_code", "code", back.Get("code"), "redirect_uri", callback,
			"code_verifier", verifier).want(200, "")
		if got.text("access_token") == "" || got.text("scope") != "read" {
			t.Errorf("the token endpoint answers %s", got.body)
		}
		again := b.get(authorizeURL(c)).goesTo(callback)
		if again.Get("code") == "" || again.Get("code") == back.Get("code") {
			t.Errorf("the second time the client is told %v", again)
		}
		if n := w.events("code.issue"); n != 2 {
			t.Errorf("%d codes are in the audit log, want 2", n)
		}
		if n := w.events("consent.give"); n != 1 {
			t.Errorf("%d consents are in the audit log, want 1", n)
		}
	})
}
