package oauth

import (
	"testing"

	"github.com/cardea-dev/cardea/internal/store"
)

// TestStrangersAreNotSentOn holds RFC 9700 §4.11.2: a link with a mistake in it, whoever
// made it, brings nobody from this host to an application's before they are signed in;
// only prompt=none is answered at once. Signing in does not mend the mistake.
func TestStrangersAreNotSentOn(t *testing.T) {
	w := full(t)
	m := w.member()
	c := w.register(func(c *store.Client) { c.FirstParty = true })
	machine := w.register(func(c *store.Client) { c.Grants = []string{"client_credentials"} })
	must := w.register(func(c *store.Client) { c.RequirePushed = true })
	for name, path := range map[string]string{
		"no response_type":  authorizeURL(c, "response_type", ""),
		"implicit":          authorizeURL(c, "response_type", "token"),
		"scope":             authorizeURL(c, "scope", "everything"),
		"plain":             authorizeURL(c, "code_challenge_method", "plain"),
		"resource":          authorizeURL(c, "resource", "https://evil.example"),
		"request object":    authorizeURL(c, "request", "x"),
		"grant not allowed": authorizeURL(machine),
		"not pushed":        authorizeURL(must),
		"max_age":           authorizeURL(c, "max_age", "-1"),
		"two scopes":        authorizeURL(c) + "&scope=write",
		"two states":        authorizeURL(c) + "&state=other",
		"nothing wrong":     authorizeURL(c),
	} {
		t.Run(name, func(t *testing.T) {
			b := w.stranger()
			p := b.get(path)
			if p.at == nil {
				p.refuses(400)
				return
			}
			q := p.goesTo("/signin")
			b.signIn(m)
			back := b.get(q.Get("continue")).goesTo(callback)
			if good := name == "nothing wrong"; (back.Get("code") != "") != good || (back.Get("error") == "") != good {
				t.Errorf("after signing in the client is told %v", back)
			}
		})
	}
	w.stranger().get(authorizeURL(c, "prompt", "none")).errs("login_required")
	w.stranger().get(authorizeURL(c, "prompt", "none", "scope", "everything")).errs("invalid_scope")
}
