package authz

import "testing"

// Guarantee: a token is its subject's, whoever acted for whom before (RFC 8693 §4.1):
// what an act claim says opens nothing.
func TestActorsGrantNothing(t *testing.T) {
	i := newIssuer(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	act := claims{"act": map[string]any{"sub": i.member.ID, "scope": "admin", "act": map[string]any{"sub": "root", "scope": "admin"}}}
	for name, text := range map[string]string{
		"our own":   i.sign(i.ourKey("live"), i.machine().with(act)),
		"account's": i.sign(i.accountKey, i.self().with(act)),
		"partner's": i.sign(i.partner.key(), i.foreign().with(act)),
	} {
		r := withToken(text)
		d := i.allow(r)
		if got, _ := d.Principal(); got.Subject == i.member.ID || got.Subject == "root" {
			t.Errorf("%s: the principal is %+v", name, got)
		}
		all := withToken(text)
		all.Method, all.Target = "DELETE", "/v1/records/1"
		if d := i.ask(all); d.Allowed {
			t.Errorf("%s: an actor's scopes are granted", name)
		}
	}
}
