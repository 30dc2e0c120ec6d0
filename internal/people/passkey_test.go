package people_test

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

const appHost, appOrigin = "app.acme.test", "https://app.acme.test"

// addPasskey gives a signed-in person a passkey.
func (w *world) addPasskey(s people.Session) *authenticator {
	w.t.Helper()
	a := newAuthenticator(w.t, appHost)
	c, err := w.BeginRegistration(w.ctx, s, appOrigin)
	w.must(err)
	w.must(w.FinishRegistration(w.ctx, s, appOrigin, c.Ticket, a.register(c.Options), "My laptop", home))
	return a
}

// login signs in with a passkey.
func (w *world) login(a *authenticator) (string, people.Session, error) {
	w.t.Helper()
	c, err := w.BeginLogin(appOrigin)
	w.must(err)
	token, s, err := w.FinishLogin(w.ctx, appOrigin, c.Ticket, a.login(c.Options), home)
	return token.Reveal(), s, err
}

func TestPasskeySignsItsOwnerIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		_, s := w.signIn("ada@one.test")
		a := w.addPasskey(s)
		if string(a.user) != "usr_ada" {
			t.Errorf("the handle is %q, a fact about the person", a.user)
		}
		token, got, err := w.login(a)
		if err != nil || got.Member.ID != "usr_ada" || got.Method != people.MethodPasskey || !w.works(token) {
			t.Fatalf("session %+v, %v", got, err)
		}
		list, err := w.Passkeys(w.ctx, s)
		if err != nil || len(list) != 1 || list[0].Name != "My laptop" || !list[0].LastUsedAt.Equal(start) {
			t.Errorf("%+v, %v", list, err)
		}
		if again, err := w.BeginLoginAgain(w.ctx, got, appOrigin); err != nil {
			t.Error(err)
		} else if _, _, err := w.FinishLogin(w.ctx, appOrigin, again.Ticket, a.login(again.Options), home); err != nil {
			t.Errorf("proving it again: %v", err)
		}
	})
}

// Guarantee: every answer that is not the owner's, for this ceremony, on this host, with
// the person verified, is refused with one and the same error.
func TestStrangeAnswersOfAuthenticatorsAreRefused(t *testing.T) {
	w := sqlite(t)
	w.ada()
	w.member("org_one", "usr_bob", "bob@one.test", goodPassword)
	_, s := w.signIn("ada@one.test")
	good := w.addPasskey(s)
	other, err := w.BeginLogin(appOrigin)
	w.must(err)
	elsewhere, err := w.BeginLogin("https://auth.acme.test")
	w.must(err)
	registration, err := w.BeginRegistration(w.ctx, s, appOrigin)
	w.must(err)

	stranger := newAuthenticator(t, appHost)
	var first error
	for name, spoil := range map[string]func(a *authenticator, ticket *string, answer *func([]byte) []byte){
		"another site's page": func(a *authenticator, _ *string, _ *func([]byte) []byte) {
			a.origin = "https://app.acme.test.evil.example"
		},
		"another site's key": func(a *authenticator, _ *string, _ *func([]byte) []byte) { a.rpID = "evil.example" },
		"in a frame":         func(a *authenticator, _ *string, _ *func([]byte) []byte) { a.crossed = true },
		"plain http":         func(a *authenticator, _ *string, _ *func([]byte) []byte) { a.origin = "http://app.acme.test" },
		"other challenge": func(a *authenticator, _ *string, _ *func([]byte) []byte) {
			a.challenge = a.read(other.Options).PublicKey.Challenge
		},
		"empty challenge":     func(a *authenticator, _ *string, _ *func([]byte) []byte) { a.challenge = "AAAA" },
		"person not verified": func(a *authenticator, _ *string, _ *func([]byte) []byte) { a.unverified = true },
		"another key":         func(a *authenticator, _ *string, _ *func([]byte) []byte) { a.key = stranger.key },
		"unknown credential":  func(a *authenticator, _ *string, _ *func([]byte) []byte) { a.id = stranger.id },
		"another's handle":    func(a *authenticator, _ *string, _ *func([]byte) []byte) { a.user = []byte("usr_bob") },
		"no handle":           func(a *authenticator, _ *string, _ *func([]byte) []byte) { a.user = nil },
		"another ticket":      func(_ *authenticator, ticket *string, _ *func([]byte) []byte) { *ticket = other.Ticket },
		"ticket of elsewhere": func(_ *authenticator, ticket *string, _ *func([]byte) []byte) { *ticket = elsewhere.Ticket },
		"ticket of another":   func(_ *authenticator, ticket *string, _ *func([]byte) []byte) { *ticket = registration.Ticket },
		"no ticket":           func(_ *authenticator, ticket *string, _ *func([]byte) []byte) { *ticket = "" },
		"damaged ticket":      func(_ *authenticator, ticket *string, _ *func([]byte) []byte) { *ticket = "B" + (*ticket)[1:] },
		"not JSON": func(_ *authenticator, _ *string, answer *func([]byte) []byte) {
			*answer = func([]byte) []byte { return []byte("{") }
		},
		"a registration": func(a *authenticator, _ *string, answer *func([]byte) []byte) { *answer = a.register },
		"duplicated members": func(a *authenticator, _ *string, answer *func([]byte) []byte) {
			*answer = func(o []byte) []byte {
				return bytes.Replace(a.login(o), []byte(`"type":`), []byte(`"type":"public-key","type":`), 1)
			}
		},
	} {
		a := *good
		c, err := w.BeginLogin(appOrigin)
		w.must(err)
		ticket, answer := c.Ticket, (&a).login
		spoil(&a, &ticket, &answer)
		_, _, err = w.FinishLogin(w.ctx, appOrigin, ticket, answer(c.Options), home)
		if err == nil || cardea.KindOf(err) != cardea.KindUnauthorized {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if first == nil {
			first = err
		}
		if err.Error() != first.Error() {
			t.Errorf("%s: %q, others %q", name, err, first)
		}
	}
	if _, _, err := w.login(good); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

// Guarantee: what was sealed for one step opens for no other.
func TestTicketIsForItsPurpose(t *testing.T) {
	w := sqlite(t)
	w.ada()
	_, s := w.signIn("ada@one.test")
	login, err := w.BeginLogin(appOrigin)
	w.must(err)
	registration, err := w.BeginRegistration(w.ctx, s, appOrigin)
	w.must(err)
	if !people.Opens(w.People, login.Ticket) || people.Opens(w.People, registration.Ticket) {
		t.Error("a ticket for adding a passkey opens where one for signing in is asked for")
	}
}

// Guarantee: a ceremony signs in once and for five minutes, also for sixteen at once.
func TestCeremonyIsUsedOnce(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := newWorld(t, storetest.Slow(cfg))
		w.ada()
		_, s := w.signIn("ada@one.test")
		a := w.addPasskey(s)
		c, err := w.BeginLogin(appOrigin)
		w.must(err)
		answer := a.login(c.Options)
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if _, _, err := w.FinishLogin(w.ctx, appOrigin, c.Ticket, answer, home); err == nil {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of 16 signed in with one ceremony", won.Load())
		}
		late, err := w.BeginLogin(appOrigin)
		w.must(err)
		w.advance(5 * time.Minute)
		_, _, err = w.FinishLogin(w.ctx, appOrigin, late.Ticket, a.login(late.Options), home)
		wantKind(t, err, cardea.KindUnauthorized)
	})
}

// Guarantee: an authenticator whose counter goes back has a twin, and neither gets in.
func TestCopiedAuthenticatorIsRefused(t *testing.T) {
	w := sqlite(t)
	w.ada()
	_, s := w.signIn("ada@one.test")
	a := w.addPasskey(s)
	a.count = 7
	if _, _, err := w.login(a); err != nil {
		t.Fatal(err)
	}
	a.count = 7
	if _, _, err := w.login(a); cardea.KindOf(err) != cardea.KindUnauthorized {
		t.Errorf("the same count again: %v", err)
	}
}

// Guarantee: somebody who may not come in does not with a passkey either.
func TestPasskeyOfSomebodyShutOutDoesNotWork(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.ada()
		_, s := w.signIn("ada@one.test")
		a := w.addPasskey(s)
		m.DisabledAt = w.clock()
		w.change(func(tx *store.Tx) error { return tx.UpdateMember(w.ctx, m) })
		_, _, err := w.login(a)
		wantKind(t, err, cardea.KindUnauthorized)
	})
}

func TestPasskeysAreTheirOwnersToRenameAndRemove(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		w.member("org_one", "usr_bob", "bob@one.test", goodPassword)
		_, hers := w.signIn("ada@one.test")
		_, his := w.signIn("bob@one.test")
		a := w.addPasskey(hers)
		wantKind(t, w.RenamePasskey(w.ctx, his, a.id, "mine", home), cardea.KindNotFound)
		wantKind(t, w.RemovePasskey(w.ctx, his, a.id, home), cardea.KindNotFound)
		wantKind(t, w.RemovePasskey(w.ctx, hers, nil, home), cardea.KindNotFound)
		wantKind(t, w.RenamePasskey(w.ctx, hers, a.id, " \x00 ", home), cardea.KindInvalid)
		w.must(w.RenamePasskey(w.ctx, hers, a.id, "Work key", home))
		if list, _ := w.Passkeys(w.ctx, hers); len(list) != 1 || list[0].Name != "Work key" {
			t.Errorf("%+v", list)
		}
		w.must(w.RemovePasskey(w.ctx, hers, a.id, home))
		_, _, err := w.login(a)
		wantKind(t, err, cardea.KindUnauthorized)
	})
}

// Guarantee: an open browser is not enough to add or remove a passkey.
func TestChangingPasskeysTakesAFreshProof(t *testing.T) {
	w := sqlite(t)
	w.ada()
	_, s := w.signIn("ada@one.test")
	a := w.addPasskey(s)
	c, err := w.BeginRegistration(w.ctx, s, appOrigin)
	w.must(err)
	w.advance(15*time.Minute + time.Second)
	b := newAuthenticator(t, appHost)
	for name, err := range map[string]error{
		"begin":  func() error { _, err := w.BeginRegistration(w.ctx, s, appOrigin); return err }(),
		"finish": w.FinishRegistration(w.ctx, s, appOrigin, c.Ticket, b.register(c.Options), "x", home),
		"remove": w.RemovePasskey(w.ctx, s, a.id, home),
	} {
		if !errors.Is(err, people.ErrProveAgain) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Guarantee: an id that somebody has cannot be taken over by registering it again.
func TestCredentialOfAnotherCannotBeRegistered(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		w.member("org_one", "usr_bob", "bob@one.test", goodPassword)
		_, hers := w.signIn("ada@one.test")
		_, his := w.signIn("bob@one.test")
		a := w.addPasskey(hers)
		b := newAuthenticator(t, appHost)
		b.id = a.id
		c, err := w.BeginRegistration(w.ctx, his, appOrigin)
		w.must(err)
		if err := w.FinishRegistration(w.ctx, his, appOrigin, c.Ticket, b.register(c.Options), "x", home); cardea.KindOf(err) != cardea.KindUnauthorized {
			t.Errorf("registering her id: %v", err)
		}
		if _, got, err := w.login(a); err != nil || got.Member.ID != "usr_ada" {
			t.Errorf("hers: %+v, %v", got, err)
		}
		// A ticket of hers is of no use to him either.
		c, err = w.BeginRegistration(w.ctx, hers, appOrigin)
		w.must(err)
		d := newAuthenticator(t, appHost)
		wantKind(t, w.FinishRegistration(w.ctx, his, appOrigin, c.Ticket, d.register(c.Options), "x", home), cardea.KindUnauthorized)
	})
}

func TestPasskeysAreOfferedOnHostNamesOnly(t *testing.T) {
	w := sqlite(t)
	for origin, want := range map[string]bool{
		"https://app.acme.test": true, "https://app.acme.test:8443": true, "http://localhost:8080": true,
		"http://app.acme.test": false, "https://127.0.0.1:8443": false, "https://[::1]": false, "": false, "https://": false,
	} {
		if got := w.PasskeysAt(origin); got != want {
			t.Errorf("%s: %v", origin, got)
		}
	}
	w.with("methods: [password, passkey, sso]", "methods: [password]")
	if w.PasskeysAt(appOrigin) {
		t.Error("offered although the contract does not")
	}
	if _, err := w.BeginLogin(appOrigin); err == nil {
		t.Error("begun although the contract does not")
	}
}
