package oauth

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// TestPeopleAreToldWhoAsksForWhat holds what a person must see before they can agree: who
// asks, for which of their rights, in which organization, for how long, and where the
// browser goes.
func TestPeopleAreToldWhoAsksForWhat(t *testing.T) {
	w := full(t)
	c := w.register(func(c *store.Client) {
		c.Credential.Name, c.HomeURL = "Certificate Robot", "https://robot.example.test/"
	})
	m := w.member()
	p := w.signedIn(m).get(authorizeURL(c, "scope", "read write")).asks()
	for _, want := range []string{
		"Certificate Robot", "Read data", "Create and change data", "Acme", m.Email, "app.example.test", "for 90 days", "https://robot.example.test/",
	} {
		if !strings.Contains(p.body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(p.body, "Remove data") || strings.Contains(p.body, "<script") {
		t.Error("the page says more than it should, or needs a script")
	}
}

// TestConsentIsRememberedAndAskedForMore holds who is asked when: once for what was
// agreed to, again for more, for prompt=consent, after a withdrawal and after its time.
func TestConsentIsRememberedAndAskedForMore(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := newWorldOn(t, acme(t), cfg)
		c, m := w.register(), w.member()
		b := w.signedIn(m)
		b.allow(b.get(authorizeURL(c, "scope", "read"))).goesTo(callback)
		b.get(authorizeURL(c, "scope", "read")).goesTo(callback)
		more := b.get(authorizeURL(c, "scope", "read delete")).asks()
		if !strings.Contains(more.body, "new") {
			t.Error("the page does not tell what is new")
		}
		b.allow(more).goesTo(callback)
		b.get(authorizeURL(c, "scope", "read")).goesTo(callback)   // still agreed to
		b.get(authorizeURL(c, "scope", "delete")).goesTo(callback) // and this
		b.get(authorizeURL(c, "scope", "delete", "prompt", "consent")).asks()
		b.get(authorizeURL(c, "scope", "delete", "prompt", "none")).goesTo(callback)
		b.get(authorizeURL(c, "scope", "write", "prompt", "none")).errs("consent_required")

		consent, err := w.db.Consent(t.Context(), m.ID, c.id())
		if err != nil || strings.Join(consent.Scopes, " ") != "read delete" {
			t.Fatalf("the consent is %v, %v", consent, err)
		}
		w.change(func(tx *store.Tx) error { return tx.RevokeConsent(t.Context(), consent.ID) })
		b.allow(b.get(authorizeURL(c, "scope", "read")).asks()).goesTo(callback)
		if consent, _ = w.db.Consent(t.Context(), m.ID, c.id()); strings.Join(consent.Scopes, " ") != "read" {
			t.Errorf("what was withdrawn came back: %v", consent.Scopes)
		}
		w.advance(90*24*time.Hour - time.Second)
		b.signIn(m)
		b.get(authorizeURL(c, "scope", "read")).goesTo(callback)
		w.advance(time.Second)
		b.get(authorizeURL(c, "scope", "read")).asks()

		other := w.register()
		b.get(authorizeURL(other, "scope", "read")).asks()
		w.signedIn(w.member()).get(authorizeURL(c, "scope", "read")).asks()
	})
}

// TestProgramsOnADeviceAlwaysAsk holds RFC 8252 §8.6: whoever listens on a loopback port
// or took an app's scheme may be somebody else, so a public client's answer goes there
// only when the person says so, each time.
func TestProgramsOnADeviceAlwaysAsk(t *testing.T) {
	w := full(t)
	uris := []string{"http://127.0.0.1/cb", "com.example.app:/cb", callback}
	c := w.register(public, func(c *store.Client) { c.RedirectURIs = uris })
	first := w.register(public, func(c *store.Client) { c.RedirectURIs, c.FirstParty = uris, true })
	b := w.signedIn(w.member())
	for range 2 {
		for _, uri := range uris[:2] {
			if p := b.allow(b.get(authorizeURL(c, "redirect_uri", uri)).asks()); !strings.HasPrefix(p.at.String(), uri+"?code=") {
				t.Errorf("goes to %s", p.at)
			}
			b.get(authorizeURL(first, "redirect_uri", uri)).asks()
			if q := b.get(authorizeURL(c, "redirect_uri", uri, "prompt", "none")); q.at == nil || q.at.Query().Get("error") != "consent_required" {
				t.Errorf("without asking: %v", q.at)
			}
		}
	}
	b.get(authorizeURL(c)).goesTo(callback) // a web address proves the client
	b.get(authorizeURL(first)).goesTo(callback)
}

// TestTheProductsOwnClientsDoNotAsk holds that first-party clients skip the question, and
// that what they have is on the list of consents all the same.
func TestTheProductsOwnClientsDoNotAsk(t *testing.T) {
	w := full(t)
	c, m := w.register(func(c *store.Client) { c.FirstParty = true }), w.member()
	b := w.signedIn(m)
	b.get(authorizeURL(c, "scope", "read delete")).goesTo(callback)
	if consent, err := w.db.Consent(t.Context(), m.ID, c.id()); err != nil || len(consent.Scopes) != 2 {
		t.Errorf("%v, %v", consent, err)
	}
	b.get(authorizeURL(c, "prompt", "consent")).asks()
}

// TestNobodyGrantsMoreThanTheirRoleMay holds that a scope which the contract keeps to
// some roles cannot be given away by others.
func TestNobodyGrantsMoreThanTheirRoleMay(t *testing.T) {
	w := full(t, "delete: Remove data", "delete: {description: Remove data, granted_by: [owner, admin]}")
	c := w.register()
	m := w.member() // a developer
	b := w.signedIn(m)
	p := b.get(authorizeURL(c, "scope", "read delete")).asks()
	if strings.Contains(p.body, "Remove data") {
		t.Error("the page asks for what this person may not grant")
	}
	code := b.allow(p).goesTo(callback).Get("code")
	got := w.as(c, "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier).want(200, "")
	if got.text("scope") != "read" {
		t.Errorf("granted %q", got.text("scope"))
	}
	b.get(authorizeURL(c, "scope", "delete")).errs("access_denied")

	admin := w.member()
	admin.Role = cardea.RoleAdmin
	w.change(func(tx *store.Tx) error { return tx.UpdateMember(t.Context(), admin) })
	if p := w.signedIn(admin).get(authorizeURL(c, "scope", "delete")).asks(); !strings.Contains(p.body, "Remove data") {
		t.Error("an admin is not asked")
	}
	// The role counts when the answer comes, not when the question was asked.
	a := w.signedIn(admin)
	p = a.get(authorizeURL(c, "scope", "delete")).asks()
	admin.Role = cardea.RoleViewer
	w.change(func(tx *store.Tx) error { return tx.UpdateMember(t.Context(), admin) })
	a.allow(p).refuses(http.StatusBadRequest)
}

// TestAnAnswerIsOfWhoWasAsked holds what a forged answer runs into: it must come from a
// page of this host, in the session that was asked, unchanged, and once.
func TestAnAnswerIsOfWhoWasAsked(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	b := w.signedIn(m)
	ask := func() string { return b.get(authorizeURL(c, "prompt", "consent")).asks().field("request") }
	const decision = "/oauth/authorize/decision"

	t.Run("from another site", func(t *testing.T) {
		r := w.form(decision, "request", ask(), "decision", "allow")
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		b.send(r).refuses(http.StatusForbidden)
		r = w.form(decision, "request", ask(), "decision", "allow")
		r.Header.Set("Origin", "https://evil.example") // a browser without Sec-Fetch-Site
		b.send(r).refuses(http.StatusForbidden)
	})
	t.Run("in another session", func(t *testing.T) {
		mine := ask()
		w.signedIn(w.member()).submit(decision, "request", mine, "decision", "allow").refuses(http.StatusBadRequest)
		w.signedIn(m).submit(decision, "request", mine, "decision", "allow").refuses(http.StatusBadRequest)
		w.stranger().submit(decision, "request", mine, "decision", "allow").refuses(http.StatusBadRequest)
	})
	t.Run("changed", func(t *testing.T) {
		mine := []byte(ask())
		for _, i := range []int{0, len(mine) / 2, len(mine) - 2} {
			other := append([]byte{}, mine...)
			other[i] ^= 1
			b.submit(decision, "request", string(other), "decision", "allow").refuses(http.StatusBadRequest)
		}
		for _, text := range []string{"", "x", "AAAA", w.sealAgain(c.id(), w.now())} {
			b.submit(decision, "request", text, "decision", "allow").refuses(http.StatusBadRequest)
		}
	})
	t.Run("twice", func(t *testing.T) {
		mine := ask()
		b.submit(decision, "request", mine, "decision", "allow").goesTo(callback)
		b.submit(decision, "request", mine, "decision", "allow").refuses(http.StatusBadRequest)
		b.submit(decision, "request", mine, "decision", "deny").refuses(http.StatusBadRequest)
	})
	t.Run("neither yes nor no", func(t *testing.T) {
		mine := ask()
		b.submit(decision, "request", mine, "decision", "").refuses(http.StatusBadRequest)
		b.submit(decision, "request", mine, "decision", "allow", "decision", "deny").refuses(http.StatusBadRequest)
		b.submit(decision, "request", mine, "decision", "allow").goesTo(callback)
	})
	t.Run("by GET", func(t *testing.T) {
		if p := b.get(decision + "?request=" + ask() + "&decision=allow"); p.status != http.StatusMethodNotAllowed {
			t.Errorf("answered %d to %v", p.status, p.at)
		}
	})
	t.Run("after signing out", func(t *testing.T) {
		mine := ask()
		w.change(func(tx *store.Tx) error { return tx.EndSessions(t.Context(), m.ID, "") })
		b.submit(decision, "request", mine, "decision", "allow").refuses(http.StatusBadRequest)
	})
}

// TestWhatChangedWhileThePageWasOpen holds that an answer is judged by the world as it is
// when it comes.
func TestWhatChangedWhileThePageWasOpen(t *testing.T) {
	run := func(name string, status int, change func(tx *store.Tx, w *world, c registered, m store.Member) error) {
		t.Run(name, func(t *testing.T) {
			w := full(t)
			c, m := w.register(), w.member()
			b := w.signedIn(m)
			p := b.get(authorizeURL(c, "scope", "read write")).asks()
			w.change(func(tx *store.Tx) error { return change(tx, w, c, m) })
			b.allow(p).refuses(status)
			if n := w.events("code.issue"); n != 0 {
				t.Errorf("%d codes were issued", n)
			}
		})
	}
	run("the client was revoked", 400, func(tx *store.Tx, w *world, c registered, _ store.Member) error {
		c.Credential.RevokedAt = w.now()
		return tx.UpdateClient(t.Context(), c.Client)
	})
	run("its address was taken away", 400, func(tx *store.Tx, _ *world, c registered, _ store.Member) error {
		c.RedirectURIs = []string{"https://app.example.test/other"}
		return tx.UpdateClient(t.Context(), c.Client)
	})
	run("its scopes were", 400, func(tx *store.Tx, _ *world, c registered, _ store.Member) error {
		c.Credential.Scopes = []string{"read"}
		return tx.UpdateClient(t.Context(), c.Client)
	})
	run("its organization was suspended", 400, func(tx *store.Tx, w *world, _ registered, _ store.Member) error {
		w.org.SuspendedAt = w.now()
		return tx.UpdateOrganization(t.Context(), w.org)
	})
	run("the person was disabled", 400, func(tx *store.Tx, w *world, _ registered, m store.Member) error {
		m.DisabledAt = w.now()
		return tx.UpdateMember(t.Context(), m)
	})
}

// TestSayingNo holds RFC 6749 §4.1.2.1: the client is told, and the answer is in the
// audit log.
func TestSayingNo(t *testing.T) {
	w := full(t)
	c := w.register()
	b := w.signedIn(w.member())
	p := b.get(authorizeURL(c)).asks()
	q := b.submit("/oauth/authorize/decision", "request", p.field("request"), "decision", "deny").errs("access_denied")
	if q.Get("state") != "xyz" || q.Get("iss") == "" {
		t.Errorf("the client is told %v", q)
	}
	if w.events("consent.refuse") != 1 || w.events("code.issue") != 0 || w.events("consent.give") != 0 {
		t.Error("the audit log tells something else")
	}
	b.get(authorizeURL(c)).asks()
}

// TestOneQuestionOneCode holds that a question which is answered by sixteen requests at
// once brings one code under a slow store, on both engines.
func TestOneQuestionOneCode(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := newWorldOn(t, acme(t), storetest.Slow(cfg))
		c := w.register()
		b := w.signedIn(w.member())
		request := b.get(authorizeURL(c)).asks().field("request")
		var group sync.WaitGroup
		answers := make([]page, 16)
		for i := range answers {
			group.Go(func() {
				answers[i] = b.submit("/oauth/authorize/decision", "request", request, "decision", "allow")
			})
		}
		group.Wait()
		codes := 0
		for _, p := range answers {
			if p.at != nil && p.at.Query().Get("code") != "" {
				codes++
			}
		}
		if codes != 1 || w.events("code.issue") != 1 {
			t.Errorf("%d codes, %d in the audit log", codes, w.events("code.issue"))
		}
	})
}

// TestBackButton holds that going back and answering anew is a new question.
func TestBackButton(t *testing.T) {
	w := full(t)
	c := w.register()
	b := w.signedIn(w.member())
	first, second := b.get(authorizeURL(c)).asks(), b.get(authorizeURL(c)).asks()
	if first.field("request") == second.field("request") {
		t.Fatal("two questions are one")
	}
	b.allow(first).goesTo(callback)
	b.allow(second).goesTo(callback)
}

// TestGrantingLooksAgain holds that the transaction which stores a consent does not trust
// what was read before it: the person may have been disabled, or their organization
// suspended, in between.
func TestGrantingLooksAgain(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := newWorldOn(t, acme(t), cfg)
		c, m := w.register(), w.member()
		b := w.signedIn(m)
		who, _, err := w.Server.people.Session(t.Context(), b.cookie)
		if err != nil {
			t.Fatal(err)
		}
		client, err := w.client(t.Context(), w.contract.Load(), c.id())
		if err != nil {
			t.Fatal(err)
		}
		g := granting{client: client, who: who, scopes: client.scopes, asked: true}
		grant := func() error {
			_, err := w.db.Update(t.Context(), storetest.Actor, func(tx *store.Tx) error {
				_, err := g.grant(t.Context(), tx, w.contract.Load())
				return err
			})
			return err
		}
		if err := grant(); err != nil {
			t.Fatal(err)
		}
		w.org.SuspendedAt = w.now()
		w.change(func(tx *store.Tx) error { return tx.UpdateOrganization(t.Context(), w.org) })
		if grant() == nil {
			t.Error("the organization is suspended")
		}
		w.org.SuspendedAt, m.DisabledAt = time.Time{}, w.now()
		w.change(func(tx *store.Tx) error {
			if err := tx.UpdateOrganization(t.Context(), w.org); err != nil {
				return err
			}
			return tx.UpdateMember(t.Context(), m)
		})
		if grant() == nil {
			t.Error("the person is disabled")
		}
	})
}

// TestAConsentLastsForWhatWasAsked holds that agreeing to one thing again does not prolong
// what the person agreed to before and was not asked about this time.
func TestAConsentLastsForWhatWasAsked(t *testing.T) {
	w := full(t)
	lifetime := w.contract.Load().Clients().ConsentLifetime
	if lifetime <= 0 {
		t.Fatal("the contract's consents last for ever")
	}
	c, m := w.register(), w.member()
	b := w.signedIn(m)
	b.code(c, "scope", "read write")
	w.advance(lifetime - time.Hour)
	b.signIn(m)
	b.allow(b.get(authorizeURL(c, "scope", "read", "prompt", "consent")).asks()).goesTo(callback)
	w.advance(2 * time.Hour)
	b.signIn(m)
	b.get(authorizeURL(c, "scope", "write")).asks()
	b.allow(b.get(authorizeURL(c, "scope", "read write", "prompt", "consent")).asks()).goesTo(callback)
	w.advance(lifetime - time.Hour)
	b.signIn(m)
	b.get(authorizeURL(c, "scope", "write")).goesTo(callback) // all of it was asked for: it lasts anew
}
