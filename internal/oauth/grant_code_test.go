package oauth

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
)

// reason returns what the API says of an access token.
func (w *world) reason(text string) cardea.Reason {
	w.t.Helper()
	_, reason, err := w.cfg.Authorizer.Token(w.t.Context(), text, home)
	if err != nil {
		w.t.Fatal(err)
	}
	return reason
}

// redeem exchanges a code with everything right; pairs are changed parameters, "" removes
// one.
func (w *world) redeem(c registered, code string, pairs ...string) answered {
	w.t.Helper()
	all := map[string]string{"grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": verifier}
	for i := 0; i+1 < len(pairs); i += 2 {
		all[pairs[i]] = pairs[i+1]
	}
	var list []string
	for name, value := range all {
		if value != "" {
			list = append(list, name, value)
		}
	}
	return w.as(c, list...)
}

// TestCodeIsBoundToEverything: client, redirect URI, challenge and time; one wrong thing is
// enough to refuse, and does not spoil the code for its owner (RFC 6749 §4.1.3, RFC 7636
// §4.6, CVE-2026-43983: not "and" for "or").
func TestCodeIsBoundToEverything(t *testing.T) {
	w := newWorld(t, acme(t))
	c, other, m := w.register(), w.register(), w.member()
	code := w.code(c, m)
	w.redeem(other, code).want(400, "invalid_grant")
	w.redeem(c, code, "redirect_uri", callback+"/").want(400, "invalid_grant")
	w.redeem(c, code, "redirect_uri", strings.ToUpper(callback)).want(400, "invalid_grant")
	w.redeem(c, code, "code_verifier", "").want(400, "invalid_grant")
	w.redeem(c, code, "code_verifier", strings.Repeat("a", 43)).want(400, "invalid_grant")
	w.redeem(c, code, "code_verifier", challenge).want(400, "invalid_grant") // "plain"
	w.redeem(c, code+"x").want(400, "invalid_grant")
	w.redeem(c, "", "code", "").want(400, "invalid_request")
	w.redeem(c, code).want(200, "")

	unchallenged := w.code(c, m, func(c *store.Code) { c.Challenge = "" })
	w.redeem(c, unchallenged).want(400, "invalid_grant") // a verifier, and no challenge: a downgrade
	w.redeem(c, unchallenged, "code_verifier", "", "redirect_uri", "").want(400, "invalid_request")
	w.redeem(c, unchallenged, "code_verifier", "").want(200, "")

	w.redeem(c, w.code(c, m), "redirect_uri", "").want(200, "") // OAuth 2.1 §10.2
	unsent := w.code(c, m, func(c *store.Code) { c.RedirectURI = "" })
	w.redeem(c, unsent).want(400, "invalid_grant")
	w.redeem(c, unsent, "redirect_uri", "").want(200, "")

	late := w.code(c, m)
	w.advance(time.Minute)
	w.redeem(c, late).want(400, "invalid_grant")
}

// TestPublicClientNeedsAChallenge: whoever has its code would have its tokens.
func TestPublicClientNeedsAChallenge(t *testing.T) {
	w := newWorld(t, acme(t))
	p, m := w.register(public), w.member()
	w.redeem(p, w.code(p, m, func(c *store.Code) { c.Challenge = "" }), "code_verifier", "").want(400, "invalid_grant")
	w.redeem(p, w.code(p, m)).want(200, "")
}

// TestCodeUsedTwiceEndsItsTokens: RFC 6749 §4.1.2. Somebody else has the code, so nobody
// keeps what came of it: refresh token, access token, the JWT too.
func TestCodeUsedTwiceEndsItsTokens(t *testing.T) {
	for _, format := range []string{"jwt", "opaque"} {
		t.Run(format, func(t *testing.T) {
			w := newWorld(t, acme(t, "access: {format: jwt, lifetime: 1h, claims: {org_id: organization}}", map[string]string{
				"jwt": "access: {format: jwt, lifetime: 1h}", "opaque": "access: {format: opaque, lifetime: 1h}",
			}[format]))
			c, m := w.register(), w.member()
			bystander := w.redeem(c, w.code(c, m)).want(200, "")
			code := w.code(c, m)
			first := w.redeem(c, code).want(200, "")
			if got := w.reason(first.text("access_token")); got != cardea.ReasonAllowed {
				t.Fatalf("the token: %v", got)
			}
			w.redeem(w.register(), code).want(400, "invalid_grant") // another client's replay is no replay
			if got := w.reason(first.text("access_token")); got != cardea.ReasonAllowed {
				t.Fatalf("the token after a stranger's try: %v", got)
			}
			w.redeem(c, code).want(400, "invalid_grant")
			if got := w.reason(first.text("access_token")); got != cardea.ReasonRevoked {
				t.Errorf("the access token of a code used twice: %v", got)
			}
			w.as(c, "grant_type", "refresh_token", "refresh_token", first.text("refresh_token")).want(400, "invalid_grant")
			if got := w.reason(bystander.text("access_token")); got != cardea.ReasonAllowed {
				t.Errorf("the token of another code: %v", got)
			}
			if w.events("grant.revoke") != 1 {
				t.Errorf("%d audit events, want one", w.events("grant.revoke"))
			}
		})
	}
}

// TestCodeNeedsItsConsentAndPerson: what was true when the person agreed is looked at
// again (threats D14).
func TestCodeNeedsItsConsentAndPerson(t *testing.T) {
	for name, spoil := range map[string]func(w *world, c *registered, m *store.Member, tx *store.Tx) error{
		"consent withdrawn": func(w *world, c *registered, m *store.Member, tx *store.Tx) error {
			consent, err := tx.Consent(w.t.Context(), m.ID, c.id())
			if err != nil {
				return err
			}
			return tx.RevokeConsent(w.t.Context(), consent.ID)
		},
		"member disabled": func(w *world, _ *registered, m *store.Member, tx *store.Tx) error {
			m.DisabledAt = w.now()
			return tx.UpdateMember(w.t.Context(), *m)
		},
		"organization suspended": func(w *world, _ *registered, _ *store.Member, tx *store.Tx) error {
			w.org.SuspendedAt = w.now()
			return tx.UpdateOrganization(w.t.Context(), w.org)
		},
		"client revoked": func(w *world, c *registered, _ *store.Member, tx *store.Tx) error {
			c.Credential.RevokedAt = w.now()
			return tx.UpdateCredential(w.t.Context(), c.Credential)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, acme(t))
			c, m := w.register(), w.member()
			tokens := w.redeem(c, w.code(c, m)).want(200, "")
			code := w.code(c, m)
			w.change(func(tx *store.Tx) error { return spoil(w, &c, &m, tx) })
			if a := w.redeem(c, code); a.status == 200 {
				t.Errorf("the code was exchanged: %s", a.body)
			}
			if a := w.as(c, "grant_type", "refresh_token", "refresh_token", tokens.text("refresh_token")); a.status == 200 {
				t.Errorf("the refresh token was exchanged: %s", a.body)
			}
			if got := w.reason(tokens.text("access_token")); got == cardea.ReasonAllowed {
				t.Error("the access token is still good")
			}
		})
	}
}

// TestCodeTakenAwayWhileItIsExchanged: a consent withdrawn between looking at the code and
// using it up takes the code with it; that is a refusal, not a failure.
func TestCodeTakenAwayWhileItIsExchanged(t *testing.T) {
	w := newWorld(t, acme(t))
	c, m := w.register(), w.member()
	hr := w.form("/oauth/token", "grant_type", "authorization_code", "code", w.code(c, m), "redirect_uri", callback,
		"code_verifier", verifier, "client_id", c.id(), "client_secret", c.secret.Reveal())
	b := w.current().paths["/oauth/token"][0]
	r := &request{Request: hr, contract: w.contract.Load(), binding: b, now: w.now(), address: home, origin: w.http.URL}
	var err error
	if r.params, err = readParams(hr, false); err != nil {
		t.Fatal(err)
	}
	if err := w.authenticate(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	g, err := r.grant()
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := g.find(w.Server, t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	w.change(func(tx *store.Tx) error {
		consent, err := tx.Consent(t.Context(), m.ID, c.id())
		if err != nil {
			return err
		}
		return tx.RevokeConsent(t.Context(), consent.ID)
	})
	if body, err := w.issue(t.Context(), r, ticket); !errors.Is(err, errCode) {
		t.Errorf("%s, %v; want a refusal", body, err)
	}
}

// TestConsentIsNeededUnlessTheClientIsOurs: a code without a consent is good for
// first-party clients only.
func TestConsentIsNeededUnlessTheClientIsOurs(t *testing.T) {
	w := newWorld(t, acme(t))
	m := w.member()
	ours := w.register(func(c *store.Client) { c.FirstParty = true })
	w.redeem(ours, w.code(ours, m)).want(200, "")
	theirs := w.register(func(c *store.Client) { c.FirstParty = true })
	code := w.code(theirs, m)
	w.change(func(tx *store.Tx) error {
		theirs.FirstParty = false
		return tx.UpdateClient(t.Context(), theirs.Client)
	})
	w.redeem(theirs, code).want(400, "invalid_grant")

	// One that was withdrawn, is for somebody else, or has run out, is none.
	c, other := w.register(), w.register()
	consent := w.consent(c, m, "read")
	with := func(id string) func(*store.Code) { return func(c *store.Code) { c.Consent = id } }
	w.redeem(c, w.code(c, m, with(consent.ID))).want(200, "")
	w.redeem(other, w.code(other, m, with(consent.ID))).want(400, "invalid_grant")
	w.redeem(c, w.code(c, w.member(), with(consent.ID))).want(400, "invalid_grant")
	w.change(func(tx *store.Tx) error { return tx.RevokeConsent(t.Context(), consent.ID) })
	w.redeem(c, w.code(c, m, with(consent.ID))).want(400, "invalid_grant")
	w.change(func(tx *store.Tx) error {
		consent.ExpiresAt = w.now().Add(time.Hour)
		_, err := tx.SaveConsent(t.Context(), consent)
		return err
	})
	tokens := w.redeem(c, w.code(c, m, with(consent.ID))).want(200, "")
	w.advance(time.Hour)
	w.renew(c, tokens.text("refresh_token")).want(400, "invalid_grant")
}

// TestNobodyGrantsMoreThanTheyMay: a member who lost a role takes away what only that role
// could grant.
func TestNobodyGrantsMoreThanTheyMay(t *testing.T) {
	w := newWorld(t, acme(t, "delete: Remove data", "delete: {description: Remove data, granted_by: [owner]}"))
	c, m := w.register(), w.member()
	m.Role = cardea.RoleOwner
	w.change(func(tx *store.Tx) error { return tx.UpdateMember(t.Context(), m) })
	first := w.redeem(c, w.code(c, m, func(c *store.Code) { c.Scopes = []string{"read", "delete"} })).want(200, "")
	if first.text("scope") != "read delete" {
		t.Fatalf("scope %q", first.text("scope"))
	}
	m.Role = cardea.RoleDeveloper
	w.change(func(tx *store.Tx) error { return tx.UpdateMember(t.Context(), m) })
	second := w.as(c, "grant_type", "refresh_token", "refresh_token", first.text("refresh_token")).want(200, "")
	if second.text("scope") != "read" {
		t.Errorf("scope %q after losing the role", second.text("scope"))
	}
}
