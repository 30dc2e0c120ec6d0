package signin_test

import (
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// oneTime stores a one-time link and returns its text.
func (w *world) oneTime(l store.OneTimeLink, lasts time.Duration) string {
	w.t.Helper()
	text := secret.New(secret.ShapePrefix, "cardea_link_")
	l.Hash, l.ExpiresAt = text.Hash(), w.clock().Add(lasts)
	storetest.Change(w.t, w.store, func(tx *store.Tx) error { return tx.InsertLink(w.t.Context(), l) })
	return text.Reveal()
}

// handoff is a hand-off of a member.
func handoff(member string) store.OneTimeLink {
	return store.OneTimeLink{Purpose: "handoff", Member: member, Onward: "/dashboard/keys?status=expired"}
}

// employ makes usr_op one of the company's own people.
func (w *world) employ() {
	w.t.Helper()
	ctx := w.t.Context()
	storetest.Change(w.t, w.store, func(tx *store.Tx) error {
		if err := tx.InsertOrganization(ctx, store.Organization{ID: "org_staff", Name: "Acme staff", Staff: true}); err != nil {
			return err
		}
		return tx.InsertMember(ctx, store.Member{ID: "usr_op", Organization: "org_staff", Email: "op@acme.test", Name: "Op", Role: cardea.RoleOwner})
	})
}

// Guarantee: a hand-off signs its member in once, with a session of its own that ends a
// day later whatever they do, and looking at it does not use it up.
func TestHandoffSignsInOnceForADay(t *testing.T) {
	w := newWorld(t, nil)
	text := w.oneTime(handoff("usr_ada"), 15*time.Minute)
	for range 3 {
		w.get("/handoff/"+text).want(t, 200, "ada@one.test", "One Corp", "Continue as Ada Lovelace", `method="post" action="/handoff"`)
	}
	w.signIn("bob@two.test")
	before := w.cookie("__Host-session")
	w.get("/handoff/"+text).want(t, 200, "You are signed in as bob@two.test now")
	a := w.post("/handoff", "token", text).want(t, http.StatusSeeOther)
	if a.location() != "/dashboard/keys?status=expired" {
		t.Errorf("on to %q", a.location())
	}
	if w.cookie("__Host-session") == before {
		t.Error("the session that was there is used")
	}
	w.get("/account").want(t, 200, "ada@one.test", "link of an application")
	if s, ok, err := w.people.Session(t.Context(), before); ok || err != nil {
		t.Errorf("the session before still works: %+v, %v", s, err)
	}
	w.post("/handoff", "token", text).want(t, 404, "not good any more")
	w.get("/handoff/"+text).want(t, 404)
	for range 26 { // never idle
		w.advance(55 * time.Minute)
		w.get("/account").want(t, 200)
	}
	w.advance(11 * time.Minute)
	if w.signedIn() {
		t.Error("the session goes on after a day")
	}
}

// Guarantee: who was handed off proved nothing here, and can leave nothing behind with
// which to come back after the day: no password, no passkey, no command line.
func TestHandoffChangesNothingAboutSigningIn(t *testing.T) {
	w := newWorld(t, nil)
	storetest.Change(t, w.store, func(tx *store.Tx) error {
		return tx.InsertMember(t.Context(), store.Member{ID: "usr_new", Organization: "org_one", Email: "new@one.test", Name: "New", Role: cardea.RoleViewer})
	})
	w.post("/handoff", "token", w.oneTime(handoff("usr_new"), time.Minute)).want(t, http.StatusSeeOther)
	again := "/signin?continue=%2Faccount&again=1"
	if a := w.post("/account/password", "password", "a good long password"); a.location() != again {
		t.Errorf("a password: status %d, to %q", a.StatusCode, a.location())
	}
	b := w.send(http.MethodPost, app+"/account/passkeys/begin", "{}", func(r *http.Request) { r.Header.Set("Content-Type", "application/json") })
	if b.StatusCode == 200 {
		t.Errorf("a passkey: %s", b.text)
	}
	code := w.send(http.MethodPost, app+"/signin/device", "client_id=cardea-cli", func(r *http.Request) { r.Header.Del("Sec-Fetch-Site") })
	user := regexp.MustCompile(`"user_code":"([^"]+)"`).FindStringSubmatch(code.text)
	if user == nil {
		t.Fatalf("no user code: %d %s", code.StatusCode, code.text)
	}
	w.post("/signin/device/answer", "user_code", user[1], "decision", "allow").want(t, 403, "Sign in again")
}

// Guarantee: a hand-off is good for nobody who may not come in, makes no operator, and is
// no other link; and no other link is one.
func TestHandoffsThatAreNotGood(t *testing.T) {
	w := newWorld(t, nil)
	w.employ()
	disabled, suspended := w.oneTime(handoff("usr_ada"), time.Hour), w.oneTime(handoff("usr_bob"), time.Hour)
	links := map[string]string{
		"staff":      w.oneTime(handoff("usr_op"), time.Hour),
		"expired":    w.oneTime(handoff("usr_ada"), -time.Second),
		"reset":      w.oneTime(store.OneTimeLink{Purpose: "reset", Member: "usr_ada"}, time.Hour),
		"unknown":    secret.New(secret.ShapePrefix, "cardea_link_").Reveal(),
		"nobody":     w.oneTime(store.OneTimeLink{Purpose: "handoff"}, time.Hour),
		"no purpose": w.oneTime(store.OneTimeLink{Member: "usr_ada"}, time.Hour),
		"disabled":   disabled,
		"suspended":  suspended,
		"empty":      "",
		"10 kB":      strings.Repeat("x", 10<<10),
	}
	storetest.Change(t, w.store, func(tx *store.Tx) error {
		ctx := t.Context()
		m, err := tx.Member(ctx, "usr_ada")
		if err != nil {
			return err
		}
		m.DisabledAt = tx.Now()
		if err := tx.UpdateMember(ctx, m); err != nil {
			return err
		}
		o, err := tx.Organization(ctx, "org_two")
		if err != nil {
			return err
		}
		o.SuspendedAt = tx.Now()
		return tx.UpdateOrganization(ctx, o)
	})
	want := ""
	for name, text := range links {
		a := w.post("/handoff", "token", text)
		refs := regexp.MustCompile(`req_\w+`).ReplaceAllString(a.text, "")
		if a.StatusCode != 404 || want != "" && refs != want {
			t.Errorf("%s: status %d\n%s", name, a.StatusCode, a.text)
		}
		want = refs
		if w.signedIn() {
			t.Fatalf("%s: signed in", name)
		}
	}
	// A hand-off gives nobody a password.
	text := w.oneTime(handoff("usr_ada"), time.Hour)
	w.post("/invite", "token", text, "password", goodPassword, "again", goodPassword).want(t, 404)
	w.send(http.MethodPost, app+"/handoff", "token="+text, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }).want(t, 403)
}

// setUp is what the first of staff types.
func setUp(text, password string) []string {
	return []string{"token", text, "name", "Op Erator", "email", "op@acme.test", "password", password, "again", password}
}

// Guarantee: the set-up link makes the first of the company's own people, an owner who is
// signed in and can sign in again; what was chosen badly does not use it up.
func TestSetupMakesTheFirstOfStaff(t *testing.T) {
	w := newWorld(t, nil)
	text := w.oneTime(store.OneTimeLink{Purpose: "setup"}, time.Hour)
	w.get("/setup/"+text).want(t, 200, "Set up Acme", `autocomplete="new-password"`, `method="post" action="/setup"`)
	for name, members := range map[string][]string{
		"two passwords": {"token", text, "name", "Op", "email", "op@acme.test", "password", "violet tram at dusk", "again", "violet tram at dawn"},
		"weak":          setUp(text, "op@acme.test"),
		"no name":       {"token", text, "name", " ", "email", "op@acme.test", "password", goodPassword, "again", goodPassword},
		"no address":    {"token", text, "name", "Op", "email", "op", "password", goodPassword, "again", goodPassword},
		"line break":    {"token", text, "name", "Op\nErator", "email", "op@acme.test", "password", goodPassword, "again", goodPassword},
	} {
		if a := w.post("/setup", members...); a.StatusCode != 422 || !strings.Contains(a.text, `role="alert"`) {
			t.Errorf("%s: status %d\n%s", name, a.StatusCode, a.text)
		}
	}
	if a := w.post("/setup", setUp(text, goodPassword)...).want(t, http.StatusSeeOther); a.location() != "/dashboard" {
		t.Errorf("on to %q", a.location())
	}
	w.get("/account").want(t, 200, "Op Erator", "Acme staff", "owner")
	w.post("/signout")
	w.signIn("op@acme.test")
	o, err := w.store.Staff(t.Context())
	if err != nil || !o.Staff {
		t.Errorf("staff: %+v, %v", o, err)
	}
}

// Guarantee: there is one set-up. A link is worthless when there is somebody, also to
// those who use it, or another one, at the same time.
func TestThereIsOneSetup(t *testing.T) {
	w := newWorld(t, nil)
	one, two := w.oneTime(store.OneTimeLink{Purpose: "setup"}, time.Hour), w.oneTime(store.OneTimeLink{Purpose: "setup"}, time.Hour)
	var wait sync.WaitGroup
	var mu sync.Mutex
	first := 0
	for i := range 8 {
		wait.Go(func() {
			browser := &world{t: t, Client: w.browser()}
			if browser.post("/setup", setUp([]string{one, two}[i%2], goodPassword)...).StatusCode == http.StatusSeeOther {
				mu.Lock()
				first++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if first != 1 {
		t.Errorf("%d were the first", first)
	}
	for _, text := range []string{one, two, w.oneTime(store.OneTimeLink{Purpose: "setup"}, time.Hour)} {
		w.get("/setup/"+text).want(t, 404)
		w.post("/setup", setUp(text, goodPassword)...).want(t, 404)
	}
}

// Guarantee: set-up links end by themselves, and other links set nothing up.
func TestSetupLinksThatAreNotGood(t *testing.T) {
	w := newWorld(t, nil)
	for name, text := range map[string]string{
		"expired": w.oneTime(store.OneTimeLink{Purpose: "setup"}, -time.Second),
		"handoff": w.oneTime(handoff("usr_ada"), time.Hour),
		"invite":  w.oneTime(store.OneTimeLink{Purpose: "invite", Member: "usr_ada"}, time.Hour),
		"unknown": secret.New(secret.ShapePrefix, "cardea_link_").Reveal(),
	} {
		if a := w.post("/setup", setUp(text, goodPassword)...); a.StatusCode != 404 {
			t.Errorf("%s: status %d", name, a.StatusCode)
		}
	}
	if _, err := w.store.Staff(t.Context()); cardea.KindOf(err) != cardea.KindNotFound {
		t.Errorf("there is staff: %v", err)
	}
}

// Guarantee: a customer that takes the staff's name does not shut them out.
func TestNobodyTakesTheNameOfStaff(t *testing.T) {
	w := newWorld(t, nil)
	w.post("/setup", setUp(w.oneTime(store.OneTimeLink{Purpose: "setup"}, time.Hour), goodPassword)...).want(t, http.StatusSeeOther)
	storetest.Change(t, w.store, func(tx *store.Tx) error {
		return tx.InsertOrganization(t.Context(), store.Organization{ID: "org_thief", Name: "ACME Staff"})
	})
	w.Client = w.browser()
	w.post("/signin", "organization", "acme staff", "email", "op@acme.test", "password", goodPassword).want(t, http.StatusSeeOther)
}
