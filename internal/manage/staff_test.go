package manage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
)

// employ sets Cardea up and returns the first of staff as who they are to the use cases.
func (w *world) employ() (manage.Member, cardea.Actor) {
	w.t.Helper()
	first := must(w.SetUp(w.ctx, operator, manage.SetUp{Name: "Op", Email: "op@acme.example", Password: memberPassword}))(w.t)
	return first, w.actor(first.ID)
}

// actor returns who a member is to the use cases when they are signed in.
func (w *world) actor(id string) cardea.Actor {
	w.t.Helper()
	m := must(w.store.Member(w.ctx, id))(w.t)
	return must(w.Actor(w.ctx, m, must(w.store.Organization(w.ctx, m.Organization))(w.t)))(w.t)
}

// What one of the company's own people is follows from their role there and from nothing
// else; who is shut out is nobody.
func TestActorsOfStaffAreOperatorsOrObservers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, actor := w.employ()
		if actor.Type != "operator" || actor.ID != first.ID {
			t.Errorf("the first is %+v", actor)
		}
		customer := w.organization("Customer")
		for role, want := range map[cardea.Role]string{
			cardea.RoleOwner: "operator", cardea.RoleAdmin: "operator", cardea.RoleDeveloper: "observer", cardea.RoleViewer: "observer",
		} {
			m := w.member(first.Organization, string(role)+"@acme.example", role)
			if got := w.actor(m.ID); got.Type != want || got.ID != m.ID {
				t.Errorf("%s of staff is %+v", role, got)
			}
			if got := w.actor(w.member(customer.ID, string(role)+"@example.com", role).ID); got.Type != "member" {
				t.Errorf("%s of a customer is %+v", role, got)
			}
		}
		staff := must(w.store.Staff(w.ctx))(t)
		m := must(w.store.Member(w.ctx, first.ID))(t)
		disabled, suspended, odd := m, staff, m
		disabled.DisabledAt, suspended.SuspendedAt, odd.Role = w.clock(), w.clock(), "root"
		for name, c := range map[string]struct {
			m store.Member
			o store.Organization
		}{
			"disabled": {disabled, staff}, "suspended": {m, suspended}, "another organization's": {m, store.Organization{ID: customer.ID}},
			"nobody": {store.Member{}, store.Organization{}}, "another role": {odd, staff},
		} {
			if got, err := w.Actor(w.ctx, c.m, c.o); cardea.KindOf(err) != cardea.KindForbidden || got != (cardea.Actor{}) {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
	})
}

// An observer reads what operators read and changes nothing; an actor of a type that
// nobody thought of does nothing at all.
func TestObserversChangeNothingAndStrangersDoNothing(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	first, _ := w.employ()
	observer := w.actor(w.member(first.Organization, "look@acme.example", cardea.RoleDeveloper).ID)
	before := s.snapshot()
	for _, c := range changes {
		err := as(observer, func() error { return second2(c.call(s)) })
		if cardea.KindOf(err) != cardea.KindForbidden {
			t.Errorf("%s by an observer: %v", c.method, err)
		}
		for _, kind := range []string{"", "root", "Operator", "observers", "staff"} {
			if err := as(cardea.Actor{Type: kind, ID: s.admin.ID}, func() error { return second2(c.call(s)) }); err == nil {
				t.Errorf("%s by %q: done", c.method, kind)
			}
		}
		if s.snapshot() != before {
			t.Fatalf("%s by an observer changed something", c.method)
		}
	}
	for name, look := range looks {
		err := as(observer, func() error { return look(s) })
		if err != nil && !(name == "Explain" && cardea.KindOf(err) == cardea.KindNotFound) { // there is no such request
			t.Errorf("%s by an observer: %v", name, err)
		}
		if err := as(cardea.Actor{Type: "root", ID: s.admin.ID}, func() error { return look(s) }); err == nil {
			t.Errorf("%s by a stranger: done", name)
		}
	}
	for name, read := range map[string]func() error{
		"Organizations": func() error { return second2(w.Organizations(w.ctx, observer, manage.OrganizationFilter{})) },
		"Tokens":        func() error { return second2(w.ManagementTokens(w.ctx, observer, manage.Page{})) },
		"Hooks":         func() error { return second2(w.Hooks(w.ctx, observer, manage.None{})) },
		"SigningKeys":   func() error { return second2(w.SigningKeys(w.ctx, observer, manage.None{})) },
	} {
		if err := read(); err != nil {
			t.Errorf("%s by an observer: %v", name, err)
		}
	}
}

// There is one staff organization, which has nothing that customers have and cannot be
// shut out.
func TestStaffIsNoCustomer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, me := w.employ()
		for name, err := range map[string]error{
			"set up again":  second2(w.SetUp(w.ctx, operator, manage.SetUp{Name: "Op", Email: "op2@acme.example", Password: memberPassword})),
			"another link":  second2(w.CreateSetupLink(w.ctx, operator, manage.None{})),
			"suspend":       second2(w.SuspendOrganization(w.ctx, operator, manage.ID{ID: first.Organization})),
			"offboard":      second2(w.OffboardOrganization(w.ctx, operator, manage.Offboard{ID: first.Organization})),
			"a key":         second2(w.CreateKey(w.ctx, me, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: first.Organization, Name: "k"})),
			"a token":       second2(w.CreateKey(w.ctx, me, manage.CreateKey{Kind: "personal_token", Member: first.ID, Name: "k"})),
			"a client":      second2(w.CreateClient(w.ctx, me, manage.CreateClient{Environment: "live", Organization: first.Organization, Name: "c", Grants: []string{"client_credentials"}})),
			"an account":    second2(w.CreateServiceAccount(w.ctx, me, manage.CreateServiceAccount{Environment: "live", Organization: first.Organization, Name: "a", Scopes: []string{}})),
			"an issuer":     second2(w.SetOrganizationIssuer(w.ctx, me, manage.SetOrganizationIssuer{Organization: first.Organization, Environment: "live", URL: ptr(provider(t).URL)})),
			"a hand-off":    second2(w.CreateHandoff(w.ctx, operator, manage.CreateHandoff{Member: first.ID})),
			"demote":        second2(w.UpdateMember(w.ctx, operator, manage.UpdateMember{ID: first.ID, Role: ptr(cardea.RoleAdmin)})),
			"demote myself": second2(w.UpdateMember(w.ctx, me, manage.UpdateMember{ID: first.ID, Role: ptr(cardea.RoleViewer)})),
			"disable":       second2(w.DisableMember(w.ctx, operator, manage.ID{ID: first.ID})),
			"shut out":      second2(w.RevokeAll(w.ctx, me, manage.RevokeAll{Member: first.ID, Disable: true})),
		} {
			if cardea.KindOf(err) != cardea.KindConflict {
				t.Errorf("%s: %v", name, err)
			}
		}
		// The database holds it too.
		_, err := w.store.Update(w.ctx, operator, func(tx *store.Tx) error {
			tx.Audit(store.Event{Action: "test.write", TargetType: "test", TargetID: "test"})
			return tx.InsertOrganization(w.ctx, store.Organization{ID: "org_second", Name: "Second", Staff: true})
		})
		wantKind(t, err, cardea.KindConflict)
		made := w.organization("New")
		if made.Staff {
			t.Errorf("an organization is made staff: %+v", made)
		}
		second := w.member(first.Organization, "second@acme.example", cardea.RoleOwner)
		must(w.UpdateMember(w.ctx, me, manage.UpdateMember{ID: first.ID, Role: ptr(cardea.RoleViewer)}))(t)
		if w.actor(first.ID).Type != "observer" || w.actor(second.ID).Type != "operator" {
			t.Errorf("after the first stepped down there is no operator, or two")
		}
	})
}

// Nobody takes the last enabled owner from their own organization, alone or at the same
// time as another; an operator may.
func TestTheLastOwnerStays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		one, two := w.member(o.ID, "one@example.com", cardea.RoleOwner), w.member(o.ID, "two@example.com", cardea.RoleOwner)
		must(w.DisableMember(w.ctx, operator, manage.ID{ID: two.ID}))(t)
		me := actorOf(one)
		for name, err := range map[string]error{
			"demote":   second2(w.UpdateMember(w.ctx, me, manage.UpdateMember{ID: one.ID, Role: ptr(cardea.RoleAdmin)})),
			"disable":  second2(w.DisableMember(w.ctx, me, manage.ID{ID: one.ID})),
			"shut out": second2(w.RevokeAll(w.ctx, me, manage.RevokeAll{Member: one.ID, Disable: true})),
		} {
			if cardea.KindOf(err) != cardea.KindConflict {
				t.Errorf("%s: %v", name, err)
			}
		}
		must(w.UpdateMember(w.ctx, me, manage.UpdateMember{ID: one.ID, Name: ptr("Still here")}))(t)
		must(w.EnableMember(w.ctx, me, manage.ID{ID: two.ID}))(t)
		done := make(chan error, 2)
		for _, m := range []manage.Member{one, two} {
			go func() {
				_, err := w.UpdateMember(w.ctx, actorOf(m), manage.UpdateMember{ID: m.ID, Role: ptr(cardea.RoleViewer)})
				done <- err
			}()
		}
		if a, b := <-done, <-done; (a == nil) == (b == nil) {
			t.Errorf("both owners stepped down, or none: %v, %v", a, b)
		}
		for _, m := range []manage.Member{one, two} {
			must(w.DisableMember(w.ctx, operator, manage.ID{ID: m.ID}))(t)
		}
	})
}

// A hand-off leads nowhere but to the dashboard, is for nobody who may not come in, and
// only operators ask for one.
func TestHandoffs(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	m := w.member(o.ID, "jo@example.com", cardea.RoleViewer)
	for _, bad := range []string{
		"/", "/account", "dashboard", "//evil.example/dashboard", "https://evil.example/dashboard", "/dashboardx", "/dashboard/../account",
		"/dashboard//evil.example", `/dashboard\evil`, "/dashboard/%2e%2e/account", "/dashboard#x", "/dashboard/\nx", "/dashboard?%zz",
		"/dashboard/" + strings.Repeat("x", 10<<10),
	} {
		_, err := w.CreateHandoff(w.ctx, operator, manage.CreateHandoff{Member: m.ID, Continue: bad})
		wantField(t, err, "continue")
	}
	for _, good := range []string{"", "/dashboard", "/dashboard/keys?status=expired&q=%2F"} {
		link := must(w.CreateHandoff(w.ctx, operator, manage.CreateHandoff{Member: m.ID, Continue: good}))(t)
		if want := "http://127.0.0.1:8080/handoff/" + link.Secret.Reveal(); link.URL.Reveal() != want || strings.Contains(link.URL.String(), link.Secret.Reveal()) {
			t.Errorf("the link is %v", link)
		}
		if link.ExpiresAt.Sub(w.clock()) != 15*time.Minute {
			t.Errorf("it lasts until %v", link.ExpiresAt)
		}
	}
	_, err := w.CreateHandoff(w.ctx, operator, manage.CreateHandoff{Member: "usr_none"})
	wantField(t, err, "member")
	must(w.DisableMember(w.ctx, operator, manage.ID{ID: m.ID}))(t)
	_, err = w.CreateHandoff(w.ctx, operator, manage.CreateHandoff{Member: m.ID})
	wantKind(t, err, cardea.KindConflict)
	must(w.EnableMember(w.ctx, operator, manage.ID{ID: m.ID}))(t)
	must(w.SuspendOrganization(w.ctx, operator, manage.ID{ID: o.ID}))(t)
	_, err = w.CreateHandoff(w.ctx, operator, manage.CreateHandoff{Member: m.ID})
	wantKind(t, err, cardea.KindConflict)
}
