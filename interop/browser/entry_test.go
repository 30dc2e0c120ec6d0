package browser

import (
	"strings"
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

// member returns the id of a member of the demo organization.
func (w *world) member(t testing.TB, email string) string {
	t.Helper()
	var list struct {
		Items []struct{ ID, Email string }
	}
	w.read(t, "/v1/members?organization="+w.Organization, &list)
	for _, m := range list.Items {
		if m.Email == email {
			return m.ID
		}
	}
	t.Fatalf("there is no member %s", email)
	return ""
}

// The product's own application asks for a link and sends its user there: one button, and
// they are in the portal. The link works once, and opening it does not use it up.
func TestHandOffLandsInThePortal(t *testing.T) {
	t.Parallel()
	w := open(t, "coherence")
	made := w.manage(t, "/v1/members/"+w.member(t, "developer@demo.example")+"/handoff", map[string]any{"continue": "/dashboard/keys"})
	link := made["url"].(string)
	for range 2 { // a scanner of mails opens it first
		b := newTab(t, w)
		b.visit(link)
		b.inspect()
	}
	b := newTab(t, w)
	b.visit(link)
	b.picture("handoff")
	b.click("button", "Continue as Demo Developer")
	if got := b.path(); got != "/dashboard/keys" {
		t.Errorf("the hand-off leads to %s", got)
	}
	b.sees("Demo Developer")
	again := newTab(t, w)
	if status := again.visit(link); status != 404 {
		t.Errorf("the link works twice: %d", status)
	}
	again.inspect()
}

// Somebody who is invited chooses a password and is in, with the role that they were given.
func TestInvitationLetsSomebodyIn(t *testing.T) {
	t.Parallel()
	w := open(t, "cohera-sdk")
	b := enter(t, w, w.user(t, "owner"))
	b.menu("Organization", "Members")
	b.follow("Invite a member")
	b.fill("E-mail address", "grace@demo.example")
	b.fill("Name", "Grace")
	b.tick("Developer")
	b.inspect()
	b.click("button", "Create the invitation")
	link := b.secret("link")
	b.inspect()
	b.picture("members-invited")
	guest := newTab(t, w)
	guest.visit(link)
	guest.inspect()
	guest.fill("New password", "violet tram at dusk")
	guest.fill("The same again", "violet tram at dusk")
	guest.click("button", "Join Demo")
	guest.sees("Grace")
	if !strings.HasPrefix(guest.path(), "/dashboard") {
		t.Errorf("the invitation leads to %s", guest.path())
	}
	b.allow("beforeunload")
}
