package people_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/store"
)

func TestRightPasswordStartsASessionThatOnlyItsHashIsKeptOf(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		token, s := w.signIn("ada@one.test")
		if s.Member.ID != "usr_ada" || s.Organization.ID != "org_one" || s.Method != people.MethodPassword || !s.AuthTime.Equal(start) {
			t.Errorf("session %+v", s)
		}
		got, ok, err := w.Session(w.ctx, token)
		if err != nil || !ok || got.ID != s.ID || got.Address != "203.0.113.7" {
			t.Fatalf("Session: %+v, %v, %v", got, ok, err)
		}
		for _, table := range []string{"session", "audit_event", "password"} {
			if text := w.dump(table); strings.Contains(text, token) || strings.Contains(text, goodPassword) {
				t.Errorf("table %s holds the token or the password", table)
			}
		}
		if again, _ := w.signIn("ada@one.test"); again == token {
			t.Error("a second sign-in got the same token")
		}
	})
}

// Guarantee: whoever an attempt names, and whatever is wrong with it, the answer is the
// same (ASVS 6.3.8).
func TestAnswerDoesNotTellWhoHasAnAccount(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		w.organization("org_two", "Two Corp")
		w.member("org_one", "usr_bob", "bob@one.test", "")
		w.member("org_one", "usr_eve", "both@x.test", goodPassword)
		w.member("org_two", "usr_eve2", "both@x.test", goodPassword)
		gone := w.member("org_one", "usr_gone", "gone@one.test", goodPassword)
		w.organization("org_off", "Off Corp")
		w.member("org_off", "usr_off", "off@off.test", goodPassword)
		w.change(func(tx *store.Tx) error {
			gone.DisabledAt = tx.Now()
			return errors.Join(tx.UpdateMember(w.ctx, gone),
				tx.UpdateOrganization(w.ctx, store.Organization{ID: "org_off", Name: "Off Corp", SuspendedAt: tx.Now()}))
		})
		var first error
		for name, a := range map[string]people.Attempt{
			"wrong password":      {Email: "ada@one.test", Password: "wrong"},
			"no password typed":   {Email: "ada@one.test"},
			"nobody":              {Email: "nobody@one.test", Password: goodPassword},
			"no address":          {Password: goodPassword},
			"has no password":     {Email: "bob@one.test", Password: goodPassword},
			"disabled":            {Email: "gone@one.test", Password: goodPassword},
			"suspended":           {Email: "off@off.test", Password: goodPassword},
			"several, none named": {Email: "both@x.test", Password: goodPassword},
			"no organization":     {Organization: "Nowhere", Email: "ada@one.test", Password: goodPassword},
			"other organization":  {Organization: "Two Corp", Email: "ada@one.test", Password: goodPassword},
			"NUL":                 {Email: "ada@one.test\x00", Password: goodPassword},
			"NUL in organization": {Organization: "org_one\x00", Email: "ada@one.test", Password: goodPassword},
			"half a character":    {Organization: "\xff", Email: "\xff\xfe", Password: "\xff"},
			"wildcards":           {Organization: "%", Email: "%", Password: goodPassword},
		} {
			_, _, err := w.SignIn(w.ctx, a)
			wantKind(t, err, cardea.KindUnauthorized)
			if first == nil {
				first = err
			}
			if err.Error() != first.Error() {
				t.Errorf("%s: error %q, others get %q", name, err, first)
			}
		}
		if failures := len(w.actions()); failures != 14 {
			t.Errorf("%d of 14 attempts were recorded: some did less than others", failures)
		}
	})
}

// Guarantee: an attempt takes as long for nobody as for a member.
func TestTimeDoesNotTellWhoHasAnAccount(t *testing.T) {
	w := sqlite(t)
	hasher := password.New(password.Config{Params: password.Params{Memory: 8 << 10, Passes: 2, Lanes: 1}})
	w.hasher = hasher
	w.People = people.New(people.Config{Store: w.store, Sealer: w.sealer, Now: w.clock, Hasher: hasher, Contract: w.inForce})
	w.ada()
	took := func(email string) time.Duration {
		best := time.Hour
		for i := range 9 {
			a := attempt(email, "a wrong password")
			a.Address = netip.AddrFrom4([4]byte{198, 18, byte(i), 1})
			began := time.Now()
			_, _, err := w.SignIn(w.ctx, a)
			best = min(best, time.Since(began))
			wantKind(t, err, cardea.KindUnauthorized)
		}
		return best
	}
	member, nobody := took("ada@one.test"), took("nobody@one.test")
	if nobody < member*6/10 || member < nobody*6/10 {
		t.Errorf("an attempt takes %v for a member and %v for nobody", member, nobody)
	}
}

func TestOrganizationIsFoundByIDAndByNameInAnyCase(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.organization("org_one", "Björk & Söhne")
		w.organization("org_two", "Two Corp")
		w.member("org_one", "usr_one", "both@x.test", goodPassword)
		w.member("org_two", "usr_two", "both@x.test", "another password here")
		for organization, want := range map[string]string{
			"org_one": "usr_one", "Björk & Söhne": "usr_one", "  BJÖRK & SÖHNE ": "usr_one",
		} {
			a := attempt(" BOTH@x.test ", goodPassword)
			a.Organization = organization
			_, s, err := w.SignIn(w.ctx, a)
			if err != nil || s.Member.ID != want {
				t.Errorf("%q: %s, %v", organization, s.Member.ID, err)
			}
		}
	})
}

// Guarantee: where the contract asks for the organization first, an address alone gets
// nobody in.
func TestOrganizationFirstMeansThatOneMustBeNamed(t *testing.T) {
	w := sqlite(t)
	w.ada()
	w.with("sign_in: {", "sign_in: {organization_first: true, title: Enter your org name, ")
	_, _, err := w.SignIn(w.ctx, attempt("ada@one.test", goodPassword))
	wantKind(t, err, cardea.KindUnauthorized)
	a := attempt("ada@one.test", goodPassword)
	a.Organization = "one corp"
	if _, _, err := w.SignIn(w.ctx, a); err != nil {
		t.Error(err)
	}
}

func TestPasswordsAreNotTakenWhereTheContractOffersNone(t *testing.T) {
	w := sqlite(t)
	w.ada()
	w.with("methods: [password, passkey, sso]", "methods: [passkey]")
	_, _, err := w.SignIn(w.ctx, attempt("ada@one.test", goodPassword))
	wantKind(t, err, cardea.KindUnauthorized)
}

// wrong makes n attempts with a wrong password and returns how many were looked at.
func (w *world) wrong(n int, email string, address func(i int) string) (looked int) {
	w.t.Helper()
	for i := range n {
		a := attempt(email, "wrong wrong wrong")
		a.Address = netip.MustParseAddr(address(i))
		_, _, err := w.SignIn(w.ctx, a)
		if throttled := (*people.ThrottledError)(nil); errors.As(err, &throttled) {
			if throttled.Wait <= 0 || throttled.Wait > 15*time.Minute {
				w.t.Fatalf("wait of %v", throttled.Wait)
			}
			continue
		}
		wantKind(w.t, err, cardea.KindUnauthorized)
		looked++
	}
	return looked
}

// Guarantee: ten failures on an account from a neighbourhood are all there are in a
// window, however the account is spelled; from elsewhere its owner gets in, and after
// the window from there too. Accounts that do not exist run out alike.
func TestGuessingIsBoundedPerAccountAndNeighbourhood(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		spellings := []string{"ada@one.test", "ADA@one.test", " Ada@One.Test "}
		looked := 0
		for i := range 30 {
			looked += w.wrong(1, spellings[i%3], func(int) string { return fmt.Sprintf("198.51.100.%d", i) })
		}
		nobody := w.wrong(30, "nobody@one.test", func(i int) string { return fmt.Sprintf("192.0.2.%d", i) })
		if looked != 10 || nobody != 10 {
			t.Errorf("%d attempts on a member and %d on nobody were looked at, want 10", looked, nobody)
		}
		a := attempt("ada@one.test", goodPassword)
		a.Address = netip.MustParseAddr("198.51.100.200")
		if _, _, err := w.SignIn(w.ctx, a); err == nil || !strings.Contains(err.Error(), "too many") {
			t.Errorf("the neighbourhood that guessed: %v", err)
		}
		w.signIn("ada@one.test")
		w.advance(15 * time.Minute)
		if _, _, err := w.SignIn(w.ctx, a); err != nil {
			t.Errorf("after the window: %v", err)
		}
	})
}

// Guarantee: guessing from everywhere at once runs out too, and does not shut out the
// owner where they have a session.
func TestGuessingFromEverywhereDoesNotShutOutTheOwner(t *testing.T) {
	w := sqlite(t)
	w.ada()
	w.signIn("ada@one.test")
	if looked := w.wrong(150, "ada@one.test", func(i int) string { return fmt.Sprintf("10.%d.0.1", i) }); looked != 100 {
		t.Errorf("%d attempts from everywhere were looked at, want 100", looked)
	}
	stranger := attempt("ada@one.test", goodPassword)
	stranger.Address = netip.MustParseAddr("192.0.2.1")
	if _, _, err := w.SignIn(w.ctx, stranger); err == nil {
		t.Error("a stranger's attempt was looked at after a hundred")
	}
	near := attempt("ada@one.test", goodPassword)
	near.Address = netip.MustParseAddr("203.0.113.99")
	if _, _, err := w.SignIn(w.ctx, near); err != nil {
		t.Errorf("the owner, at home: %v", err)
	}
}

// Guarantee: one address runs out whomever it asks about; what works does not count.
func TestGuessingIsBoundedPerAddress(t *testing.T) {
	w := sqlite(t)
	w.ada()
	for range 80 {
		w.signIn("ada@one.test")
	}
	looked := 0
	for i := range 100 {
		looked += w.wrong(1, fmt.Sprintf("somebody%d@one.test", i), func(int) string { return home.Address.String() })
	}
	if looked != 60 {
		t.Errorf("%d attempts from one address were looked at, want 60", looked)
	}
	six := w.wrong(100, "x@one.test", func(i int) string { return fmt.Sprintf("2001:db8:1:%x::%x", i%3, i) })
	if six != 10 {
		t.Errorf("%d attempts from an IPv6 network were looked at, want 10", six)
	}
}

// Guarantee: many attempts at once are not looked at because none has failed yet.
func TestAttemptsAtOnceAreCountedBeforeTheyAreLookedAt(t *testing.T) {
	w := sqlite(t)
	w.ada()
	var looked atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, _, err := w.SignIn(w.ctx, attempt("ada@one.test", "wrong wrong"))
			if cardea.KindOf(err) == cardea.KindUnauthorized {
				looked.Add(1)
			}
		})
	}
	wg.Wait()
	if looked.Load() > 10 {
		t.Errorf("%d of 50 attempts at once were looked at, want at most 10", looked.Load())
	}
}

// Guarantee: too many hashes at once are refused for everybody alike and count as no
// attempt.
func TestBusyHasherIsUnavailableNotWrong(t *testing.T) {
	w := sqlite(t)
	w.ada()
	slow := password.New(password.Config{Parallel: 1, Queue: 1, Params: password.Params{Memory: 64 << 10, Passes: 6, Lanes: 1}})
	w.People = people.New(people.Config{Store: w.store, Sealer: w.sealer, Now: w.clock, Hasher: slow, Contract: w.inForce})
	var busy atomic.Int64
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			email := []string{"ada@one.test", "nobody@one.test"}[i%2]
			a := attempt(email, "wrong wrong")
			a.Address = netip.AddrFrom4([4]byte{10, 0, byte(i), 1})
			_, _, err := w.SignIn(w.ctx, a)
			switch cardea.KindOf(err) {
			case cardea.KindUnavailable:
				busy.Add(1)
			case cardea.KindUnauthorized:
			default:
				t.Errorf("error %v", err)
			}
		})
	}
	wg.Wait()
	if busy.Load() == 0 {
		t.Error("nobody was told that it is busy")
	}
}

// Guarantee: a hash of another cost is replaced when its password is at hand, and the
// password goes on working.
func TestPasswordIsHashedAgainWhenTheCostChanges(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		before, err := w.store.Password(w.ctx, "usr_ada")
		if err != nil {
			t.Fatal(err)
		}
		dearer := password.New(password.Config{Params: password.Params{Memory: 128, Passes: 2, Lanes: 1}})
		w.People = people.New(people.Config{Store: w.store, Sealer: w.sealer, Now: w.clock, Hasher: dearer, Contract: w.inForce})
		w.signIn("ada@one.test")
		after, err := w.store.Password(w.ctx, "usr_ada")
		if err != nil || after.Hash == before.Hash || !strings.Contains(after.Hash, "m=128,t=2") || !after.ChangedAt.Equal(before.ChangedAt) {
			t.Errorf("before %+v, after %+v, %v", before, after, err)
		}
		w.signIn("ada@one.test")
	})
}

// Guarantee: sign-ins and failures are in the audit log with who and from where, without
// what was typed, and an attacker does not decide how much of it there is.
func TestSignInsAreAuditedWithinBounds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.ada()
		w.signIn("ada@one.test")
		w.wrong(1, "ada@one.test", func(int) string { return "198.51.100.1" })
		if got, want := w.actions(), []string{"session.start", "signin.fail"}; !slices.Equal(got, want) {
			t.Fatalf("actions %v, want %v", got, want)
		}
		events := w.events()
		failed := events[len(events)-1]
		if failed.TargetID != "usr_ada" || failed.Organization != "org_one" || failed.Actor.Address != "198.51.100.1" || failed.Actor.Type != "system" {
			t.Errorf("failure recorded as %+v", failed)
		}
		for i := range 200 {
			w.wrong(1, fmt.Sprintf("tell-nobody-%d@one.test", i), func(int) string { return fmt.Sprintf("10.1.%d.1", i) })
		}
		if n := len(w.actions()); n > 2+30 {
			t.Errorf("%d events after 200 failures in a minute", n)
		}
		w.advance(time.Minute)
		w.wrong(1, "x@one.test", func(int) string { return "10.9.9.9" })
		events = w.events()
		if detail := string(events[len(events)-1].Detail); !strings.Contains(detail, `"others_not_recorded":171`) {
			t.Errorf("the failure after it says %s", detail)
		}
		if text := w.dump("audit_event"); strings.Contains(text, "tell-nobody") || strings.Contains(text, "wrong wrong") {
			t.Error("the audit log holds what was typed")
		}
	})
}

// Guarantee: no customer shuts the company's own people out by inviting their addresses, in
// any spelling. Where a customer is named, their member is meant.
func TestCustomersDoNotShutStaffOut(t *testing.T) {
	w := sqlite(t)
	w.change(func(tx *store.Tx) error {
		return tx.InsertOrganization(w.ctx, store.Organization{ID: "org_staff", Name: "Acme staff", Staff: true})
	})
	w.member("org_staff", "usr_op", "op@acme.test", goodPassword)
	w.organization("org_one", "One Corp")
	w.member("org_one", "usr_same", "op@acme.test", "a password of their own")
	w.member("org_one", "usr_case", "Op@acme.test", "a password of their own")
	for _, email := range []string{"op@acme.test", "Op@acme.test", "OP@ACME.TEST"} {
		if _, s, err := w.SignIn(w.ctx, attempt(email, goodPassword)); err != nil || s.Member.ID != "usr_op" {
			t.Errorf("%s: %s, %v", email, s.Member.ID, err)
		}
	}
	there := attempt("op@acme.test", "a password of their own")
	there.Organization = "One Corp"
	if _, s, err := w.SignIn(w.ctx, there); err != nil || s.Member.ID != "usr_same" {
		t.Errorf("with the customer's name: %s, %v", s.Member.ID, err)
	}
}
