package browser

import (
	"testing"

	"github.com/chromedp/cdproto/webauthn"
)

// authenticator gives a tab a device with a screen lock, which its owner has just opened.
func (b *tab) authenticator() {
	b.t.Helper()
	call(b, webauthn.Enable, webauthn.EnableParams{})
	call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
}

// Somebody adds a passkey to their account, signs out, and signs in with it alone.
func TestPasskeySignsIn(t *testing.T) {
	t.Parallel()
	w := open(t, "coherence")
	b := enter(t, w, w.user(t, "owner"))
	b.authenticator()
	b.visit("/account")
	b.fill("Name of the new passkey", "My laptop")
	b.click("button", "Add a passkey")
	b.sees("My laptop")
	b.inspect()
	b.visit("/account")
	b.disclose(w.ownerName())
	b.click("button", "Sign out")
	b.visit("/signin")
	b.click("button", "Sign in with a passkey")
	b.visit("/account")
	b.sees("Your account", "by passkey")
}
