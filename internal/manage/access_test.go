package manage_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
)

func readAll(r io.Reader) (string, error) {
	b, err := io.ReadAll(r)
	return string(b), err
}

// What a member may do ends at the organization's border: another's objects do not
// exist, whatever their ids, and lists are narrowed whatever filter is asked for.
func TestMembersCannotReachAnotherOrganization(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mine, other := w.organization("Mine"), w.organization("Other")
		me := actorOf(w.member(mine.ID, "me@example.com", cardea.RoleOwner))
		you := w.member(other.ID, "you@example.com", cardea.RoleOwner)
		key := w.key(other.ID, "k").Key
		list := manage.AddressListID{Organization: other.ID, Environment: "live"}
		for name, err := range map[string]error{
			"organization":  second2(w.Organization(w.ctx, me, manage.ID{ID: other.ID})),
			"rename":        second2(w.UpdateOrganization(w.ctx, me, manage.UpdateOrganization{ID: other.ID, Name: ptr("x")})),
			"member":        second2(w.Member(w.ctx, me, manage.ID{ID: you.ID})),
			"update member": second2(w.UpdateMember(w.ctx, me, manage.UpdateMember{ID: you.ID, Name: ptr("x")})),
			"disable":       second2(w.DisableMember(w.ctx, me, manage.ID{ID: you.ID})),
			"key":           second2(w.Key(w.ctx, me, manage.ID{ID: key.ID})),
			"update key":    second2(w.UpdateKey(w.ctx, me, manage.UpdateKey{ID: key.ID, Name: ptr("x")})),
			"rotate":        second2(w.RotateKey(w.ctx, me, manage.RotateKey{ID: key.ID})),
			"regenerate":    second2(w.RegenerateKey(w.ctx, me, manage.ID{ID: key.ID})),
			"finish":        second2(w.FinishKeyRotation(w.ctx, me, manage.ID{ID: key.ID})),
			"revoke":        second2(w.RevokeKey(w.ctx, me, manage.RevokeKey{ID: key.ID})),
			"reveal":        second2(w.RevealKey(w.ctx, me, manage.ID{ID: key.ID})),
			"list":          second2(w.AddressList(w.ctx, me, list)),
			"set list":      second2(w.SetAddressList(w.ctx, me, manage.Addresses{AddressListID: list, Addresses: []string{}})),
			"keys":          second2(w.Keys(w.ctx, me, manage.KeyFilter{Organization: other.ID})),
			"members":       second2(w.Members(w.ctx, me, manage.MemberFilter{Organization: other.ID})),
			"usage":         second2(w.Usage(w.ctx, me, insight.UsageQuery{Organization: other.ID})),
			"requests":      second2(w.Requests(w.ctx, me, insight.RequestFilter{Organization: other.ID})),
			"audit":         second2(w.AuditEvents(w.ctx, me, insight.AuditFilter{Organization: other.ID})),
		} {
			if cardea.KindOf(err) != cardea.KindNotFound {
				t.Errorf("%s of another organization: %v", name, err)
			}
		}
		_, err := w.CreateKey(w.ctx, me, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: other.ID, Name: "k"})
		wantField(t, err, "organization")
		_, err = w.CreateMember(w.ctx, me, manage.CreateMember{Organization: other.ID, Email: "x@example.com", Name: "x", Role: cardea.RoleViewer})
		wantField(t, err, "organization")
		if keys := must(w.Keys(w.ctx, me, manage.KeyFilter{}))(t).Items; len(keys) != 0 {
			t.Errorf("an unfiltered list shows %d keys of others", len(keys))
		}
		if members := must(w.Members(w.ctx, me, manage.MemberFilter{}))(t).Items; len(members) != 1 {
			t.Errorf("an unfiltered list shows %d members", len(members))
		}
	})
}

// The rights of each role over the things of its own organization.
func TestRolesAllowWhatTheySay(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	key := w.key(o.ID, "k").Key
	someone := w.member(o.ID, "s@example.com", cardea.RoleDeveloper)
	theirs := must(w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "personal_token", Member: someone.ID, Name: "t"}))(t).Key
	list := manage.AddressListID{Organization: o.ID, Environment: "live"}
	for _, c := range []struct {
		name    string
		allowed string // roles, by first letter
		call    func(a cardea.Actor) error
	}{
		{"see a key", "oadv", func(a cardea.Actor) error { return second2(w.Key(w.ctx, a, manage.ID{ID: key.ID})) }},
		{"see others' tokens", "oadv", func(a cardea.Actor) error { return second2(w.Key(w.ctx, a, manage.ID{ID: theirs.ID})) }},
		{"rename a key", "oad", func(a cardea.Actor) error {
			return second2(w.UpdateKey(w.ctx, a, manage.UpdateKey{ID: key.ID, Name: ptr(a.ID)}))
		}},
		{"raise a key's limits", "", func(a cardea.Actor) error {
			return second2(w.UpdateKey(w.ctx, a, manage.UpdateKey{ID: key.ID, InheritLimits: true}))
		}},
		{"make a key with limits of its own", "", func(a cardea.Actor) error {
			return second2(w.CreateKey(w.ctx, a, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "x", Limits: &manage.Limits{}}))
		}},
		{"disable others' tokens", "oa", func(a cardea.Actor) error { return second2(w.DisableKey(w.ctx, a, manage.ID{ID: theirs.ID})) }},
		{"get a secret in another's name", "", func(a cardea.Actor) error {
			return second2(w.RotateKey(w.ctx, a, manage.RotateKey{ID: theirs.ID}))
		}},
		{"make a token in another's name", "", func(a cardea.Actor) error {
			return second2(w.CreateKey(w.ctx, a, manage.CreateKey{Kind: "personal_token", Member: someone.ID, Name: "x"}))
		}},
		{"make a token of one's own", "oadv", func(a cardea.Actor) error {
			return second2(w.CreateKey(w.ctx, a, manage.CreateKey{Kind: "personal_token", Member: a.ID, Name: "x"}))
		}},
		{"make an API key", "oad", func(a cardea.Actor) error {
			return second2(w.CreateKey(w.ctx, a, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "x"}))
		}},
		{"make system credentials", "oa", func(a cardea.Actor) error {
			return second2(w.CreateKey(w.ctx, a, manage.CreateKey{Kind: "system", Environment: "live", Organization: o.ID, Name: "x"}))
		}},
		{"set an address list", "oa", func(a cardea.Actor) error {
			return second2(w.AddAddresses(w.ctx, a, manage.Addresses{AddressListID: list, Addresses: []string{"10.0.0.1"}}))
		}},
		{"rename the organization", "oa", func(a cardea.Actor) error {
			return second2(w.UpdateOrganization(w.ctx, a, manage.UpdateOrganization{ID: o.ID, Name: ptr("N")}))
		}},
		{"change the plan", "", func(a cardea.Actor) error {
			return second2(w.UpdateOrganization(w.ctx, a, manage.UpdateOrganization{ID: o.ID, Plan: ptr("pro")}))
		}},
		{"add a member", "oa", func(a cardea.Actor) error {
			return second2(w.CreateMember(w.ctx, a, manage.CreateMember{Organization: o.ID, Email: a.ID + "@example.com", Name: "x", Role: cardea.RoleAdmin}))
		}},
		{"make an owner", "o", func(a cardea.Actor) error {
			return second2(w.CreateMember(w.ctx, a, manage.CreateMember{Organization: o.ID, Email: a.ID + ".o@example.com", Name: "x", Role: cardea.RoleOwner}))
		}},
		{"suspend", "", func(a cardea.Actor) error { return second2(w.SuspendOrganization(w.ctx, a, manage.ID{ID: o.ID})) }},
		{"offboard", "", func(a cardea.Actor) error {
			return second2(w.OffboardOrganization(w.ctx, a, manage.Offboard{ID: o.ID}))
		}},
		{"list organizations", "", func(a cardea.Actor) error { return second2(w.Organizations(w.ctx, a, manage.OrganizationFilter{})) }},
		{"create an organization", "", func(a cardea.Actor) error {
			return second2(w.CreateOrganization(w.ctx, a, manage.CreateOrganization{Name: "x"}))
		}},
		{"make a management token", "", func(a cardea.Actor) error {
			return second2(w.CreateManagementToken(w.ctx, a, manage.CreateManagementToken{Name: "x"}))
		}},
		{"back up", "", func(a cardea.Actor) error { return second2(w.Backup(w.ctx, a)) }},
		{"sign a checkpoint", "", func(a cardea.Actor) error { return second2(w.AuditCheckpoint(w.ctx, a, manage.None{})) }},
		{"find keys by secret", "", func(a cardea.Actor) error { return second2(w.IdentifyKey(w.ctx, a, manage.IdentifyKey{Secret: "x"})) }},
	} {
		for _, role := range []cardea.Role{cardea.RoleOwner, cardea.RoleAdmin, cardea.RoleDeveloper, cardea.RoleViewer} {
			a := actorOf(w.member(o.ID, strings.ReplaceAll(c.name, " ", "-")+"."+string(role)+"@example.com", role))
			err := c.call(a)
			allowed := strings.Contains(c.allowed, string(role[0]))
			if allowed && err != nil {
				t.Errorf("%s may not %s: %v", role, c.name, err)
			}
			if !allowed && cardea.KindOf(err) != cardea.KindForbidden {
				t.Errorf("%s may %s: %v", role, c.name, err)
			}
		}
	}
}

func TestADisabledMemberMayDoNothing(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	m := w.member(o.ID, "a@example.com", cardea.RoleOwner)
	must(w.DisableMember(w.ctx, operator, manage.ID{ID: m.ID}))(t)
	for _, a := range []cardea.Actor{actorOf(m), {Type: "member", ID: "usr_none"}, {Type: "guest", ID: "x"}} {
		_, err := w.Organization(w.ctx, a, manage.ID{ID: o.ID})
		wantKind(t, err, cardea.KindForbidden)
		_, err = w.Keys(w.ctx, a, manage.KeyFilter{})
		wantKind(t, err, cardea.KindForbidden)
	}
}

// An owner cannot be pushed out by somebody with less.
func TestOnlyOwnersTouchOwners(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	owner := w.member(o.ID, "o@example.com", cardea.RoleOwner)
	admin := actorOf(w.member(o.ID, "a@example.com", cardea.RoleAdmin))
	_, err := w.DisableMember(w.ctx, admin, manage.ID{ID: owner.ID})
	wantKind(t, err, cardea.KindForbidden)
	_, err = w.UpdateMember(w.ctx, admin, manage.UpdateMember{ID: admin.ID, Role: ptr(cardea.RoleOwner)})
	wantKind(t, err, cardea.KindForbidden)
	must(w.UpdateMember(w.ctx, actorOf(owner), manage.UpdateMember{ID: admin.ID, Role: ptr(cardea.RoleOwner)}))(t)
}

func TestOffboardingEndsEverythingAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := newScene(w)
		other := w.key(w.organization("Other").ID, "k").Key
		done := must(w.OffboardOrganization(w.ctx, operator, manage.Offboard{ID: s.org.ID, Reason: "left"}))(t)
		if done.KeysRevoked != 10 || done.MembersDisabled != 2 || done.Organization.Status != manage.OrganizationSuspended {
			t.Errorf("done: %+v", done)
		}
		for _, k := range must(w.Keys(w.ctx, operator, manage.KeyFilter{Organization: s.org.ID}))(t).Items {
			if k.Status != manage.StatusRevoked || k.RevokedReason != "left" {
				t.Errorf("key %s is %s", k.Name, k.Status)
			}
		}
		for id, action := range map[string]string{s.key.Key.ID: "key.revoke", s.admin.ID: "member.disable"} {
			e := must(w.AuditEvents(w.ctx, operator, insight.AuditFilter{Target: id}))(t).Items[0]
			if e.Action != action || !strings.Contains(string(e.Detail), `"after"`) {
				t.Errorf("the last event of %s is %s %s", id, e.Action, e.Detail)
			}
		}
		again := must(w.OffboardOrganization(w.ctx, operator, manage.Offboard{ID: s.org.ID}))(t)
		if again.KeysRevoked+again.MembersDisabled != 0 {
			t.Errorf("again: %+v", again)
		}
		if k := must(w.Key(w.ctx, operator, manage.ID{ID: other.ID}))(t); k.Status != manage.StatusActive {
			t.Errorf("a key of another organization is %s", k.Status)
		}
	})
}

func TestAddressListsOfEnvironments(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		id := manage.AddressListID{Organization: o.ID, Environment: "live"}
		set := func(f func() (manage.AddressList, error), want ...string) {
			t.Helper()
			if got := must(f())(t).Addresses; strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("list %v, want %v", got, want)
			}
		}
		in := func(a ...string) manage.Addresses {
			return manage.Addresses{AddressListID: id, Addresses: append([]string{}, a...)}
		}
		set(func() (manage.AddressList, error) { return w.AddressList(w.ctx, operator, id) })
		set(func() (manage.AddressList, error) {
			return w.AddAddresses(w.ctx, operator, in("10.0.0.2", "::ffff:10.0.0.1"))
		}, "10.0.0.1", "10.0.0.2")
		set(func() (manage.AddressList, error) { return w.AddAddresses(w.ctx, operator, in("10.0.0.2")) }, "10.0.0.1", "10.0.0.2")
		set(func() (manage.AddressList, error) {
			return w.RemoveAddresses(w.ctx, operator, in("10.0.0.2/32", "10.0.0.9"))
		}, "10.0.0.1")
		// Removing the last address must not open the door.
		_, err := w.RemoveAddresses(w.ctx, operator, in("10.0.0.1"))
		wantKind(t, err, cardea.KindConflict)
		set(func() (manage.AddressList, error) { return w.SetAddressList(w.ctx, operator, in()) })
		_, err = w.store.AddressList(w.ctx, o.ID, "live")
		wantKind(t, err, cardea.KindNotFound) // none, rather than one that admits nobody
		_, err = w.SetAddressList(w.ctx, operator, manage.Addresses{AddressListID: id})
		wantField(t, err, "addresses")
		_, err = w.SetAddressList(w.ctx, operator, manage.Addresses{AddressListID: manage.AddressListID{Organization: o.ID, Environment: "nope"}, Addresses: []string{}})
		wantKind(t, err, cardea.KindNotFound)
	})
}

func TestPlansCountTheirOrganizations(t *testing.T) {
	w := sqlite(t)
	w.organization("A")
	b := w.organization("B")
	must(w.UpdateOrganization(w.ctx, operator, manage.UpdateOrganization{ID: b.ID, Plan: ptr("enterprise"), Limits: &manage.Limits{PerMinute: 5000}}))(t)
	var got []string
	for _, p := range must(w.Plans(w.ctx, operator, manage.None{}))(t).Items {
		got = append(got, p.Name+"="+strings.Repeat("*", p.Organizations))
	}
	if strings.Join(got, " ") != "standard=* pro= enterprise=*" {
		t.Errorf("plans %v", got)
	}
	_, err := w.UpdateOrganization(w.ctx, operator, manage.UpdateOrganization{ID: b.ID, Plan: ptr("gold")})
	wantField(t, err, "plan")
	if o := must(w.UpdateOrganization(w.ctx, operator, manage.UpdateOrganization{ID: b.ID, InheritLimits: true}))(t); o.Limits != nil {
		t.Errorf("limits %v", o.Limits)
	}
}

func TestStoreErrorsKeepTheirKind(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	w.member(o.ID, "a@example.com", cardea.RoleOwner)
	_, err := w.CreateMember(w.ctx, operator, manage.CreateMember{Organization: o.ID, Email: "a@example.com", Name: "x", Role: cardea.RoleOwner})
	wantKind(t, err, cardea.KindConflict)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = w.Organization(w.ctx, operator, manage.ID{ID: o.ID})
	if err == nil || cardea.KindOf(err) == cardea.KindNotFound {
		t.Errorf("a closed store says %v", err)
	}
	if errors.Is(err, store.ErrAuditDamaged) {
		t.Errorf("a closed store is no damaged one")
	}
}
