package browser

import (
	"net/url"
	"testing"
)

// enter opens a tab and signs somebody in.
func enter(t testing.TB, w *world, who person) *tab {
	t.Helper()
	b := newTab(t, w)
	b.enter(who)
	return b
}

// enter signs somebody in as the product's page says.
func (b *tab) enter(who person) {
	b.t.Helper()
	b.visit("/signin")
	if b.world.name == "coactive" {
		b.fill("Enter your org name", who.Organization)
		b.click("button", "Continue")
	}
	b.fill("Email address", who.Email)
	b.fill("Password", who.Password)
	b.click("button", "Sign in")
}

// Every page that people see before and beside the dashboard is accessible, fits on a
// phone and keeps to its policy, for each product.
func TestPagesOfSigningIn(t *testing.T) {
	for _, name := range products {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, name)
			b := newTab(t, w)
			b.visit("/signin")
			b.inspect()
			b.picture("signin")
			owner := w.user(t, "owner")
			if name == "coactive" {
				b.sees("Enter your org name")
				b.fill("Enter your org name", owner.Organization)
				b.click("button", "Continue")
				b.inspect()
			}
			b.fill("Email address", owner.Email)
			b.fill("Password", "not the password")
			b.click("button", "Sign in")
			b.sees("That")
			b.inspect()
			b.fill("Password", owner.Password)
			b.click("button", "Sign in")
			b.visit("/account")
			b.sees("Your account")
			b.inspect()
			b.picture("account")
		})
	}
}

// Somebody who is asked for consent sees what for, and both answers go back to the
// application.
func TestConsentPage(t *testing.T) {
	for _, name := range []string{"cohera-sdk", "coherence"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, name)
			client := w.Clients["authorization_code"]
			b := enter(t, w, w.user(t, "owner"))
			host := map[string]string{"cohera-sdk": "https://auth.cohera.io", "coherence": ""}[name]
			b.visit(host + "/oauth/authorize?" + url.Values{
				"response_type": {"code"}, "client_id": {client.ID}, "redirect_uri": {client.Redirect}, "state": {"s"},
			}.Encode())
			if b.has("button", "Sign in") {
				b.fill("Email address", w.user(t, "owner").Email)
				b.fill("Password", w.user(t, "owner").Password)
				b.click("button", "Sign in")
			}
			b.sees("wants to access your")
			b.inspect()
			b.picture("consent")
		})
	}
}
