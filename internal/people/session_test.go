package people_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
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

// Guarantee: an unused session ends after the idle time, a used one after the absolute
// time, and the contract in force counts for sessions that began under another.
func TestSessionEndsWhenIdleAndWhenOld(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		idle, _ := w.signIn("ada@one.test")
		w.advance(12*time.Hour - time.Second)
		if !w.works(idle) {
			t.Error("ended a second before it was idle for twelve hours")
		}
		w.advance(12 * time.Hour)
		if w.works(idle) {
			t.Error("works after twelve idle hours")
		}
		used, _ := w.signIn("ada@one.test")
		began := w.clock()
		for w.clock().Add(11 * time.Hour).Before(began.Add(7 * 24 * time.Hour)) {
			w.advance(11 * time.Hour)
			if !w.works(used) {
				t.Fatalf("ended after %v although it was used", w.clock().Sub(began))
			}
		}
		w.advance(began.Add(7 * 24 * time.Hour).Sub(w.clock()))
		if w.works(used) {
			t.Error("works after seven days")
		}
		short, _ := w.signIn("ada@one.test")
		w.advance(20 * time.Minute)
		if !w.works(short) {
			t.Fatal("ended after 20 minutes")
		}
		w.with("idle: 12h, max: 7d", "idle: 10m, max: 15m")
		if w.works(short) {
			t.Error("works longer than the contract in force lets it")
		}
	})
}

// Guarantee: when a session was seen is written at most once a minute.
func TestSeenIsWrittenOnceAMinute(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		token, s := w.signIn("ada@one.test")
		seen := func() time.Time {
			row, err := w.store.Session(w.ctx, s.ID)
			if err != nil {
				t.Fatal(err)
			}
			return row.SeenAt
		}
		w.advance(59 * time.Second)
		w.works(token)
		if !seen().Equal(start) {
			t.Errorf("written after 59 seconds: %v", seen())
		}
		w.advance(time.Second)
		w.works(token)
		if !seen().Equal(start.Add(time.Minute)) {
			t.Errorf("not written after a minute: %v", seen())
		}
	})
}

// Guarantee: a session that was ended in any way is dead from that moment, and what ended
// it being undone does not bring it back to life. (A suspended organization ends none: its
// sessions wait.)
func TestEndedSessionIsDeadAtOnce(t *testing.T) {
	ends := map[string]func(*world, string, people.Session){
		"sign out": func(w *world, token string, _ people.Session) { w.must(w.SignOut(w.ctx, token, home)) },
		"ended in the list": func(w *world, _ string, s people.Session) {
			_, other := w.signIn("ada@one.test")
			w.must(w.EndSession(w.ctx, other, s.ID, home))
		},
		"signed out everywhere": func(w *world, _ string, _ people.Session) {
			_, other := w.signIn("ada@one.test")
			w.must(w.EndSessions(w.ctx, other, home))
		},
		"password changed": func(w *world, _ string, _ people.Session) {
			_, other := w.signIn("ada@one.test")
			w.must(w.SetPassword(w.ctx, other, goodPassword, "a different long one", home))
		},
		"password reset by link": func(w *world, _ string, _ people.Session) {
			_, _, err := w.UseLink(w.ctx, w.link(people.LinkReset, "usr_ada", time.Hour), "a different long one", home)
			w.must(err)
		},
		"member disabled": func(w *world, _ string, s people.Session) {
			s.Member.DisabledAt = w.clock()
			w.change(func(tx *store.Tx) error { return tx.UpdateMember(w.ctx, s.Member) })
		},
		"organization suspended": func(w *world, _ string, s people.Session) {
			s.Organization.SuspendedAt = w.clock()
			w.change(func(tx *store.Tx) error { return tx.UpdateOrganization(w.ctx, s.Organization) })
		},
	}
	each(t, func(t *testing.T, w *world) {
		w.ada()
		stored, err := w.store.Password(w.ctx, "usr_ada")
		w.must(err)
		for name, end := range ends {
			token, s := w.signIn("ada@one.test")
			if !w.works(token) {
				t.Fatalf("%s: the session does not work to begin with", name)
			}
			end(w, token, s)
			if w.works(token) {
				t.Errorf("%s: the session still works", name)
			}
			w.change(func(tx *store.Tx) error { // as it was before
				return errors.Join(tx.UpdateMember(w.ctx, s.Member), tx.UpdateOrganization(w.ctx, s.Organization), tx.SetPassword(w.ctx, stored))
			})
			if w.works(token) != (name == "organization suspended") {
				t.Errorf("%s: undone, the session works: %v", name, w.works(token))
			}
		}
	})
}

// must fails the test on an error.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// Guarantee: nobody ends, or sees, the sessions of somebody else (ASVS 8.4.1).
func TestSessionsOfOthersAreOutOfReach(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		w.member("org_one", "usr_bob", "bob@one.test", goodPassword)
		token, hers := w.signIn("ada@one.test")
		_, his := w.signIn("bob@one.test")
		missing := w.EndSession(w.ctx, his, "ses_nothing", home)
		wantKind(t, missing, cardea.KindNotFound)
		if err := w.EndSession(w.ctx, his, hers.ID, home); err == nil || err.Error() != missing.Error() {
			t.Errorf("ending her session: %v", err)
		}
		wantKind(t, w.EndSession(w.ctx, his, "\x00", home), cardea.KindNotFound)
		if !w.works(token) {
			t.Error("her session was ended")
		}
		list, err := w.Sessions(w.ctx, his)
		if err != nil || len(list) != 1 || list[0].ID != his.ID {
			t.Errorf("his sessions: %+v, %v", list, err)
		}
	})
}

func TestSessionsAreListedWhileTheyLive(t *testing.T) {
	w := sqlite(t)
	w.ada()
	_, old := w.signIn("ada@one.test")
	w.advance(13 * time.Hour)
	_, first := w.signIn("ada@one.test")
	w.advance(time.Minute)
	_, second := w.signIn("ada@one.test")
	list, err := w.Sessions(w.ctx, second)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	if want := []string{second.ID, first.ID}; !slices.Equal(ids, want) {
		t.Errorf("sessions %v, want %v without %s", ids, want, old.ID)
	}
}

func TestTextsThatAreNoTokensAreNoSessions(t *testing.T) {
	w := sqlite(t)
	w.ada()
	token, s := w.signIn("ada@one.test")
	for _, text := range []string{"", s.ID, "cst_", token + "x", strings.ToUpper(token), "cst_\x00", secret.New(secret.ShapePrefix, "cst_").Reveal()} {
		if w.works(text) {
			t.Errorf("%q is a session", text)
		}
	}
}

// Guarantee: a password that was changed while it was being checked gets nobody in.
func TestPasswordChangedDuringTheCheckGetsNobodyIn(t *testing.T) {
	w := sqlite(t)
	w.ada()
	_, other := w.signIn("ada@one.test")
	stored, err := w.store.Password(w.ctx, "usr_ada")
	w.must(err)
	w.must(w.SetPassword(w.ctx, other, goodPassword, "a different long one", home))
	_, _, err = people.Enter(w.People, w.ctx, attempt("ada@one.test", goodPassword), "usr_ada", stored.Hash)
	wantKind(t, err, cardea.KindUnauthorized)
}

func TestPasswordIsChangedByWhoKnowsIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		token, s := w.signIn("ada@one.test")
		wantKind(t, w.SetPassword(w.ctx, s, "wrong", "a different long one", home), cardea.KindInvalid)
		wantKind(t, w.SetPassword(w.ctx, s, goodPassword, "short", home), cardea.KindInvalid)
		wantKind(t, w.SetPassword(w.ctx, s, goodPassword, "ada@one.test", home), cardea.KindInvalid)
		w.must(w.SetPassword(w.ctx, s, goodPassword, "a different long one", home))
		if !w.works(token) {
			t.Error("the session that changed the password was ended")
		}
		_, _, err := w.SignIn(w.ctx, attempt("ada@one.test", goodPassword))
		wantKind(t, err, cardea.KindUnauthorized)
		_, _, err = w.SignIn(w.ctx, attempt("ada@one.test", "a different long one"))
		w.must(err)
	})
}

// Guarantee: whoever finds an open browser cannot guess the password in it.
func TestGuessingTheCurrentPasswordIsBounded(t *testing.T) {
	w := sqlite(t)
	w.ada()
	_, s := w.signIn("ada@one.test")
	for i := range 12 {
		f := home
		f.Address = netip.AddrFrom4([4]byte{10, byte(i), 0, 1})
		err := w.SetPassword(w.ctx, s, "wrong", "a different long one", f)
		if _, throttled := err.(*people.ThrottledError); throttled != (i >= 10) {
			t.Errorf("attempt %d: %v", i+1, err)
		}
	}
}

// Guarantee: who has no password sets one only shortly after proving who they are.
func TestFirstPasswordTakesAFreshProof(t *testing.T) {
	w := sqlite(t)
	w.ada()
	_, s := w.signIn("ada@one.test")
	w.change(func(tx *store.Tx) error { return tx.DeletePassword(w.ctx, "usr_ada") })
	w.advance(16 * time.Minute)
	if err := w.SetPassword(w.ctx, s, "", "a different long one", home); err != error(people.ErrProveAgain) {
		t.Errorf("after 16 minutes: %v", err)
	}
	s.AuthTime = w.clock()
	w.must(w.SetPassword(w.ctx, s, "", "a different long one", home))
}

// link makes a one-time link and returns its text.
func (w *world) link(purpose, member string, lifetime time.Duration) string {
	w.t.Helper()
	text := secret.New(secret.ShapePrefix, "cardea_link_")
	w.change(func(tx *store.Tx) error {
		return tx.InsertLink(w.ctx, store.OneTimeLink{Hash: text.Hash(), Purpose: purpose, Member: member, ExpiresAt: tx.Now().Add(lifetime)})
	})
	return text.Reveal()
}

// Guarantee: a link is used once, also by sixteen at the same moment on a slow store.
func TestLinkIsUsedOnce(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := newWorld(t, storetest.Slow(cfg))
		w.ada()
		text := w.link(people.LinkInvite, "usr_ada", time.Hour)
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				switch _, _, err := w.UseLink(w.ctx, text, "a different long one", home); cardea.KindOf(err) {
				case cardea.KindNotFound, cardea.KindUnavailable:
				default:
					if err != nil {
						t.Error(err)
					}
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of 16 used the link", won.Load())
		}
	})
}

func TestLinkIsGoodForItsMemberItsTimeAndItsPurposes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := w.ada()
		text := w.link(people.LinkReset, "usr_ada", time.Hour)
		link, ok, err := w.Link(w.ctx, text, home)
		if err != nil || !ok || link.Member.ID != "usr_ada" || link.Purpose != people.LinkReset {
			t.Fatalf("Link: %+v, %v, %v", link, ok, err)
		}
		_, _, err = w.UseLink(w.ctx, text, "short", home)
		wantKind(t, err, cardea.KindInvalid)
		token, s, err := w.UseLink(w.ctx, text, "a different long one", home)
		if err != nil || s.Method != people.MethodLink || !w.works(token.Reveal()) {
			t.Fatalf("after a password that was refused the link is spent: %v", err)
		}
		if _, ok, _ := w.Link(w.ctx, text, home); ok {
			t.Error("a used link is shown")
		}
		late := w.link(people.LinkReset, "usr_ada", time.Hour)
		strange := w.link("handoff", "usr_ada", time.Hour)
		w.advance(time.Hour)
		if _, ok, err := w.Link(w.ctx, late, home); ok || err != nil {
			t.Errorf("a late link is shown: %v", err)
		}
		_, _, err = w.UseLink(w.ctx, late, "a different long one", home)
		wantKind(t, err, cardea.KindNotFound)
		disabled := w.link(people.LinkInvite, "usr_ada", time.Hour)
		m.DisabledAt = w.clock()
		w.change(func(tx *store.Tx) error { return tx.UpdateMember(w.ctx, m) })
		for name, text := range map[string]string{
			"late": late, "of another purpose": strange, "of a disabled member": disabled, "made up": "cardea_link_x", "empty": "",
		} {
			if _, ok, err := w.Link(w.ctx, text, home); ok || err != nil {
				t.Errorf("a link %s is shown: %v", name, err)
			}
			_, _, err := w.UseLink(w.ctx, text, "a different long one", home)
			wantKind(t, err, cardea.KindNotFound)
		}
	})
}

// Guarantee: setting another password makes links that lie around worthless, whether the
// person does it or a link does.
func TestChangedPasswordEndsLinks(t *testing.T) {
	w := sqlite(t)
	w.ada()
	_, s := w.signIn("ada@one.test")
	linger := func(by string, change func()) {
		t.Helper()
		texts := map[string]string{}
		for _, purpose := range []string{people.LinkReset, people.LinkHandoff} {
			texts[purpose] = w.link(purpose, "usr_ada", time.Hour)
		}
		change()
		for purpose, text := range texts {
			if _, ok, _ := w.Link(w.ctx, text, home); ok {
				t.Errorf("after %s, the %s link still works", by, purpose)
			}
		}
	}
	linger("the person", func() { w.must(w.SetPassword(w.ctx, s, goodPassword, "a different long one", home)) })
	reset := w.link(people.LinkReset, "usr_ada", time.Hour)
	linger("a link", func() {
		_, _, err := w.UseLink(w.ctx, reset, "one more that is long", home)
		w.must(err)
	})
}

// Guarantee: an invitation is nobody's any more once its person has come in another way:
// whoever made it would become them with it.
func TestInvitationEndsWhenItsPersonHasCome(t *testing.T) {
	w := sqlite(t)
	w.ada()
	text := w.link(people.LinkInvite, "usr_ada", time.Hour)
	if _, ok, err := w.Link(w.ctx, text, home); !ok || err != nil {
		t.Fatalf("a fresh invitation is not good: %v", err)
	}
	w.signIn("ada@one.test")
	if _, ok, _ := w.Link(w.ctx, text, home); ok {
		t.Error("it is still shown")
	}
	_, _, err := w.UseLink(w.ctx, text, "a different long one", home)
	wantKind(t, err, cardea.KindNotFound)
}
