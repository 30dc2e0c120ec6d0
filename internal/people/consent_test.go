package people_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// app makes an application that a member has let act for them, with a family of tokens
// and an opaque access token.
func (w *world) app(id, name, member string, details store.Client) store.Consent {
	w.t.Helper()
	details.Credential = store.Credential{
		ID: id, Kind: store.KindClient, Environment: "live", Organization: "org_one", Name: name, CreatedBy: "test",
	}
	details.Public = true
	c := store.Consent{ID: "grt_" + id, Member: member, Client: id, Organization: "org_one", Scopes: []string{"read"}}
	w.change(func(tx *store.Tx) error {
		if err := tx.InsertClient(w.ctx, details); err != nil {
			return err
		}
		if _, err := tx.SaveConsent(w.ctx, c); err != nil {
			return err
		}
		if err := tx.InsertFamily(w.ctx, store.Family{
			ID: "fam_" + id, Client: id, Member: member, Organization: "org_one", Environment: "live", Consent: c.ID, Scopes: c.Scopes,
		}); err != nil {
			return err
		}
		return tx.InsertAccessToken(w.ctx, store.AccessToken{
			Hash: secret.HashOf("at_" + id), ID: "tok_" + id, Family: "fam_" + id, Client: id, Member: member, Organization: "org_one",
			Environment: "live", Scopes: c.Scopes, ExpiresAt: tx.Now().Add(time.Hour),
		})
	})
	return c
}

// Guarantee: the person sees which applications act for them, and who vouches for their
// names (C1-16).
func TestApplicationsAreListed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		_, s := w.signIn("ada@one.test")
		w.app("client_a", "Reports", "usr_ada", store.Client{HomeURL: "https://reports.example/about"})
		w.advance(time.Second)
		w.app("client_b", "Agent", "usr_ada", store.Client{MetadataURL: "https://agent.example/client.json", HomeURL: "https://bank.example"})
		list, err := w.Consents(w.ctx, s)
		if err != nil || len(list) != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		if c := list[0]; c.Name != "Agent" || c.Host != "agent.example" || !c.Unverified {
			t.Errorf("an application that registered itself: %+v", c)
		}
		if c := list[1]; c.Name != "Reports" || c.Host != "reports.example" || c.Unverified || c.Scopes[0] != "read" {
			t.Errorf("an application: %+v", c)
		}
	})
}

// Guarantee: a withdrawn application has nothing left that works: no refresh token, no
// opaque token; and where tokens do not say whose they are, none of the person's
// (C1-16, ASVS 10.4.9, 10.7.3).
func TestWithdrawingTakesEverythingBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		_, s := w.signIn("ada@one.test")
		a := w.app("client_a", "Reports", "usr_ada", store.Client{})
		w.app("client_b", "Other", "usr_ada", store.Client{})
		w.advance(time.Minute)
		w.must(w.Withdraw(w.ctx, s, a.ID, home))

		family, err := w.store.Family(w.ctx, "fam_client_a")
		if err != nil || family.RevokedAt.IsZero() {
			t.Errorf("family %+v, %v", family, err)
		}
		token, err := w.store.AccessTokenByHash(w.ctx, secret.HashOf("at_client_a"))
		if err != nil || token.RevokedAt.IsZero() {
			t.Errorf("token %+v, %v", token, err)
		}
		other, err := w.store.AccessTokenByHash(w.ctx, secret.HashOf("at_client_b"))
		if err != nil || !other.RevokedAt.IsZero() {
			t.Errorf("the token of another application: %+v, %v", other, err)
		}
		member, err := w.store.Member(w.ctx, "usr_ada")
		if err != nil || !member.TokensNotBefore.IsZero() {
			t.Errorf("the tokens say whose they are, and yet the person's are all ended: %+v, %v", member, err)
		}
		if list, _ := w.Consents(w.ctx, s); len(list) != 1 || list[0].Name != "Other" {
			t.Errorf("listed afterwards: %+v", list)
		}
		if got := w.actions(); got[len(got)-1] != "consent.withdraw" {
			t.Errorf("actions %v", got)
		}
	})
}

func TestWithdrawingWhereTokensDoNotSayWhoseTheyAre(t *testing.T) {
	w := sqlite(t)
	w.ada()
	w.with("access: {format: jwt, lifetime: 15m}", "access: {format: jwt, lifetime: 15m, typ: JWT}")
	_, s := w.signIn("ada@one.test")
	a := w.app("client_a", "Reports", "usr_ada", store.Client{})
	w.must(w.Withdraw(w.ctx, s, a.ID, home))
	member, err := w.store.Member(w.ctx, "usr_ada")
	if err != nil || !member.TokensNotBefore.Equal(start) {
		t.Errorf("tokens of the person are good after %v, %v", member.TokensNotBefore, err)
	}
}

// Guarantee: nobody withdraws what is somebody else's.
func TestConsentsOfOthersAreOutOfReach(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		w.member("org_one", "usr_bob", "bob@one.test", goodPassword)
		_, his := w.signIn("bob@one.test")
		a := w.app("client_a", "Reports", "usr_ada", store.Client{})
		wantKind(t, w.Withdraw(w.ctx, his, a.ID, home), cardea.KindNotFound)
		wantKind(t, w.Withdraw(w.ctx, his, "grt_nothing", home), cardea.KindNotFound)
		wantKind(t, w.Withdraw(w.ctx, his, "\x00", home), cardea.KindNotFound)
		if list, err := w.Consents(w.ctx, his); err != nil || len(list) != 0 {
			t.Errorf("his list: %+v, %v", list, err)
		}
		if c, err := w.store.ConsentByID(w.ctx, a.ID); err != nil || !c.RevokedAt.IsZero() {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestConsentThatHasRunOutIsNotListed(t *testing.T) {
	w := sqlite(t)
	w.ada()
	_, s := w.signIn("ada@one.test")
	c := w.app("client_a", "Reports", "usr_ada", store.Client{})
	c.ExpiresAt = start.Add(time.Hour)
	w.change(func(tx *store.Tx) error { _, err := tx.SaveConsent(w.ctx, c); return err })
	if list, _ := w.Consents(w.ctx, s); len(list) != 1 {
		t.Fatalf("%+v", list)
	}
	w.advance(time.Hour)
	if list, _ := w.Consents(w.ctx, s); len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

// Guarantee: a command line is signed in by a person who has seen its code, once, and in
// no other way.
func TestCommandLineIsSignedInByAPerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		_, s := w.signIn("ada@one.test")
		asker := from("198.51.100.9")
		asker.UserAgent = "cardea/1.0 linux"
		d, err := w.BeginDevice(w.ctx, asker)
		w.must(err)
		poll := func() (string, error) {
			w.advance(6 * time.Second)
			token, _, err := w.PollDevice(w.ctx, d.DeviceCode.Reveal(), asker)
			return token.Reveal(), err
		}
		if _, err := poll(); !errors.Is(err, people.DevicePending) {
			t.Fatalf("before anybody has looked: %v", err)
		}
		if _, _, err := w.PollDevice(w.ctx, d.DeviceCode.Reveal(), asker); !errors.Is(err, people.DeviceSlowDown) {
			t.Errorf("polled at once again: %v", err)
		}
		w.advance(10 * time.Second)
		seen, err := w.Device(w.ctx, s, " "+d.UserCode[:4]+" "+d.UserCode[5:], home)
		if err != nil || seen.Address != "198.51.100.9" || seen.Agent != "cardea/1.0 linux" || seen.UserCode != d.UserCode {
			t.Fatalf("Device: %+v, %v", seen, err)
		}
		w.must(w.DecideDevice(w.ctx, s, d.UserCode, true, home))
		w.advance(10 * time.Second)
		token, err := poll()
		w.must(err)
		session, ok, err := w.Session(w.ctx, token)
		if err != nil || !ok || session.Member.ID != "usr_ada" || session.Method != people.MethodDevice || !session.AuthTime.Equal(s.AuthTime) {
			t.Errorf("session %+v, %v, %v", session, ok, err)
		}
		if _, err := poll(); !errors.Is(err, people.DeviceUnknown) {
			t.Errorf("a second session from one code: %v", err)
		}
	})
}

// Guarantee: an approved code is one session, also for sixteen polls at the same moment on
// a slow store.
func TestApprovedCodeIsUsedOnce(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := newWorld(t, storetest.Slow(cfg))
		w.ada()
		_, s := w.signIn("ada@one.test")
		d, err := w.BeginDevice(w.ctx, home)
		w.must(err)
		w.must(w.DecideDevice(w.ctx, s, d.UserCode, true, home))
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if _, _, err := w.PollDevice(w.ctx, d.DeviceCode.Reveal(), home); err == nil {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of 16 polls got a session", won.Load())
		}
	})
}

func TestCommandLineThatWasDeniedOrIsLateGetsNothing(t *testing.T) {
	w := sqlite(t)
	w.ada()
	_, s := w.signIn("ada@one.test")
	d, err := w.BeginDevice(w.ctx, home)
	w.must(err)
	w.must(w.DecideDevice(w.ctx, s, d.UserCode, false, home))
	w.advance(time.Minute)
	if _, _, err := w.PollDevice(w.ctx, d.DeviceCode.Reveal(), home); !errors.Is(err, people.DeviceDenied) {
		t.Errorf("denied: %v", err)
	}
	late, err := w.BeginDevice(w.ctx, home)
	w.must(err)
	w.advance(10 * time.Minute)
	if _, _, err := w.PollDevice(w.ctx, late.DeviceCode.Reveal(), home); !errors.Is(err, people.DeviceExpired) {
		t.Errorf("late: %v", err)
	}
	wantKind(t, w.DecideDevice(w.ctx, s, late.UserCode, true, home), cardea.KindInvalid)
	gone, err := w.BeginDevice(w.ctx, home)
	w.must(err)
	w.must(w.DecideDevice(w.ctx, s, gone.UserCode, true, home))
	m := s.Member
	m.DisabledAt = w.clock()
	w.change(func(tx *store.Tx) error { return tx.UpdateMember(w.ctx, m) })
	if _, _, err := w.PollDevice(w.ctx, gone.DeviceCode.Reveal(), home); !errors.Is(err, people.DeviceDenied) {
		t.Errorf("of a member disabled since: %v", err)
	}
	for _, text := range []string{"", "cdc_", "x"} {
		if _, _, err := w.PollDevice(w.ctx, text, home); !errors.Is(err, people.DeviceUnknown) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Guarantee: user codes are guessed a few times, not until one is found; codes of OAuth
// devices are none of the command line's.
func TestGuessingUserCodesIsBounded(t *testing.T) {
	w := sqlite(t)
	w.ada()
	_, s := w.signIn("ada@one.test")
	w.change(func(tx *store.Tx) error {
		return tx.InsertDevice(w.ctx, store.DeviceCode{
			Hash: secret.HashOf("x"), UserCode: "BBBBBBBB", Client: "client_a", Environment: "live", Interval: 5, ExpiresAt: tx.Now().Add(time.Hour),
		})
	})
	if _, err := w.Device(w.ctx, s, "BBBB-BBBB", home); cardea.KindOf(err) != cardea.KindInvalid {
		t.Errorf("the code of an OAuth device: %v", err)
	}
	for i := range 12 {
		_, err := w.Device(w.ctx, s, "CCCC-CCCC", home)
		if _, throttled := err.(*people.ThrottledError); throttled != (i >= 9) {
			t.Errorf("guess %d: %v", i+1, err)
		}
	}
}
