package manage_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
)

// rolesOf says, for every change of [changes], the roles that may make it in their own
// organization, by first letter.
var rolesOf = map[string]string{
	"CreateOrganization": "", "UpdateOrganization": "", "SuspendOrganization": "", "ResumeOrganization": "", "OffboardOrganization": "",
	"CreateMember": "o", "UpdateMember": "oa", "DisableMember": "oa", "EnableMember": "oa",
	"CreateKey": "oa", "UpdateKey": "oad", "RotateKey": "oad", "RegenerateKey": "oad", "FinishKeyRotation": "oad",
	"RevokeKey": "oad", "DisableKey": "oad", "EnableKey": "oad", "RevealKey": "oad",
	"SetAddressList": "oa", "AddAddresses": "oa", "RemoveAddresses": "oa",
	"CreateManagementToken": "", "RevokeManagementToken": "", "Backup": "",
	"CreateClient": "oa", "UpdateClient": "oa", "RotateClientSecret": "oa", "RegenerateClientSecret": "oa", "FinishClientRotation": "oa",
	"RevealClientSecret": "oa", "RevokeClient": "oa", "DisableClient": "oa", "EnableClient": "oa",
	"CreateServiceAccount": "oa", "UpdateServiceAccount": "oa", "RevokeServiceAccount": "oa", "DisableServiceAccount": "oa",
	"EnableServiceAccount": "oa", "CreateServiceAccountKey": "oa", "RevokeServiceAccountKey": "oa",
	"RevokeToken": "", "RevokeTokens": "oa", "RevokeGrant": "oa", "WithdrawConsent": "oa",
	"SetPassword": "", "CreateInvitation": "oa", "CreateResetLink": "", "EndSession": "oa", "EndOtherSessions": "oa", "EndSessions": "oa",
	"SetConnection": "o", "DeleteConnection": "o", "SetOrganizationIssuer": "oa",
	"CreateHandoff": "", "CreateSetupLink": "", "SetUp": "", "RevokeKeys": "oad", "RevokeAll": "oa",
	"ReportLeak": "", "RevealHookSecret": "", "RotateSigningKeys": "", "RevokeSigningKey": "",
}

// as makes a call of [changes] or [looks] as somebody else.
func as(actor cardea.Actor, call func() error) error {
	usual := operator
	operator = actor
	defer func() { operator = usual }()
	return call()
}

// Every change, in every role: allowed where the table says so, and refused without
// changing anything everywhere else.
func TestEveryChangeIsForItsRoles(t *testing.T) {
	var methods []string
	for _, c := range changes {
		methods = append(methods, c.method)
	}
	slices.Sort(methods)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(rolesOf)), methods); diff != "" {
		t.Fatalf("changes without a line in the table (-table +changes):\n%s", diff)
	}
	w := sqlite(t)
	var s *scene
	var actors map[cardea.Role]cardea.Actor
	var before string
	for _, c := range changes {
		for _, role := range []cardea.Role{cardea.RoleViewer, cardea.RoleDeveloper, cardea.RoleAdmin, cardea.RoleOwner} {
			if s == nil {
				s, actors = newScene(w), map[cardea.Role]cardea.Actor{}
				for _, r := range []cardea.Role{cardea.RoleViewer, cardea.RoleDeveloper, cardea.RoleAdmin, cardea.RoleOwner} {
					actors[r] = actorOf(w.member(s.org.ID, string(r)+"@example.com", r))
				}
				before = s.snapshot()
			}
			err := as(actors[role], func() error { return second2(c.call(s)) })
			switch {
			case strings.Contains(rolesOf[c.method], string(role[0])):
				if err != nil {
					t.Errorf("%s by %s: %v", c.method, role, err)
				}
				s = nil // it changed
			case cardea.KindOf(err) != cardea.KindForbidden && c.method != "ResumeOrganization": // that one is of another's
				t.Errorf("%s by %s: %v", c.method, role, err)
			case s.snapshot() != before:
				t.Errorf("%s by %s was refused and changed something", c.method, role)
			}
		}
	}
}

// looks are calls of the reading methods about the scene's organization.
var looks = map[string]func(s *scene) error{
	"Organization": func(s *scene) error { return second2(s.Organization(s.ctx, operator, manage.ID{ID: s.org.ID})) },
	"Member":       func(s *scene) error { return second2(s.Member(s.ctx, operator, manage.ID{ID: s.admin.ID})) },
	"Members": func(s *scene) error {
		return second2(s.Members(s.ctx, operator, manage.MemberFilter{Organization: s.org.ID}))
	},
	"Key": func(s *scene) error { return second2(s.Key(s.ctx, operator, manage.ID{ID: s.key.Key.ID})) },
	"KeyCounts": func(s *scene) error {
		return second2(s.KeyCounts(s.ctx, operator, manage.KeyFilter{Organization: s.org.ID}))
	},
	"Keys": func(s *scene) error {
		return second2(s.Keys(s.ctx, operator, manage.KeyFilter{Organization: s.org.ID}))
	},
	"AddressList": func(s *scene) error { return second2(s.AddressList(s.ctx, operator, s.lists)) },
	"Credential":  func(s *scene) error { return second2(s.Credential(s.ctx, operator, manage.ID{ID: s.clientID()})) },
	"Client":      func(s *scene) error { return second2(s.Client(s.ctx, operator, manage.ID{ID: s.clientID()})) },
	"Clients": func(s *scene) error {
		return second2(s.Clients(s.ctx, operator, manage.ClientFilter{Organization: s.org.ID}))
	},
	"ServiceAccount": func(s *scene) error { return second2(s.ServiceAccount(s.ctx, operator, manage.ID{ID: s.accountID()})) },
	"ServiceAccounts": func(s *scene) error {
		return second2(s.ServiceAccounts(s.ctx, operator, manage.ClientFilter{Organization: s.org.ID}))
	},
	"ServiceAccountKeys": func(s *scene) error {
		return second2(s.ServiceAccountKeys(s.ctx, operator, manage.ServiceAccountKeyFilter{ServiceAccount: s.accountID()}))
	},
	"Grants": func(s *scene) error {
		return second2(s.Grants(s.ctx, operator, manage.GrantFilter{Organization: s.org.ID}))
	},
	"Consents": func(s *scene) error {
		return second2(s.Consents(s.ctx, operator, manage.GrantFilter{Organization: s.org.ID}))
	},
	"Sessions": func(s *scene) error {
		return second2(s.Sessions(s.ctx, operator, manage.SessionFilter{Member: s.admin.ID}))
	},
	"Connection": func(s *scene) error {
		return second2(s.Connection(s.ctx, operator, manage.ConnectionID{Organization: s.org.ID}))
	},
	"OrganizationIssuers": func(s *scene) error {
		return second2(s.OrganizationIssuers(s.ctx, operator, manage.IssuerFilter{Organization: s.org.ID}))
	},
	"Environment": func(s *scene) error { return second2(s.Environment(s.ctx, operator, s.lists)) },
}

// notAbout are the reading methods that are about no organization, and whether members
// may call them.
var notAbout = map[string]bool{
	"Plans": true, "ContractInfo": true, "TrustedIssuers": true,
	"Organizations": false, "IdentifyKey": false, "ManagementTokens": false,
	"Hooks": false, "TestHook": false, "SigningKeys": false,
	"Authenticate": true, "Healthy": true, "Actor": true, // those have no actor
}

// Whatever a member asks about another organization, it does not exist; and nothing in it
// changes.
func TestNoMethodReachesAnotherOrganization(t *testing.T) {
	known := slices.Concat(slices.Collect(maps.Keys(looks)), slices.Collect(maps.Keys(notAbout)))
	slices.Sort(known)
	if diff := cmp.Diff(known, slices.Sorted(slices.Values(reads))); diff != "" {
		t.Fatalf("reading methods that this test does not know (-known +methods):\n%s", diff)
	}
	w := sqlite(t)
	stranger := actorOf(w.member(w.organization("Other").ID, "s@example.com", cardea.RoleOwner))
	s := newScene(w)
	before := s.snapshot()
	for name, look := range looks {
		if err := as(stranger, func() error { return look(s) }); cardea.KindOf(err) != cardea.KindNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range changes {
		err := as(stranger, func() error { return second2(c.call(s)) })
		missing := cardea.KindOf(err) == cardea.KindNotFound || cardea.KindOf(err) == cardea.KindInvalid && strings.Contains(err.Error(), "does not exist")
		if rolesOf[c.method] == "" {
			missing = missing || cardea.KindOf(err) == cardea.KindForbidden
		}
		if !missing {
			t.Errorf("%s: %v", c.method, err)
		}
	}
	if s.snapshot() != before {
		t.Errorf("a stranger changed something")
	}
}

// Unfiltered lists show members what is their organization's, and of what is personal
// their own.
func TestListsOfMembersAreNarrowed(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	other := w.organization("Other")
	w.client(other.ID, "app")
	w.account(other.ID, "robot")
	count := func(actor cardea.Actor) (n [4]int) {
		n[0] = len(must(w.Clients(w.ctx, actor, manage.ClientFilter{}))(t).Items)
		n[1] = len(must(w.ServiceAccounts(w.ctx, actor, manage.ClientFilter{}))(t).Items)
		n[2] = len(must(w.Consents(w.ctx, actor, manage.GrantFilter{}))(t).Items)
		n[3] = len(must(w.Grants(w.ctx, actor, manage.GrantFilter{}))(t).Items)
		return n
	}
	viewer := actorOf(w.member(s.org.ID, "v@example.com", cardea.RoleViewer))
	for _, c := range []struct {
		who   string
		actor cardea.Actor
		want  [4]int
	}{
		{"operator", operator, [4]int{4, 3, 1, 1}},
		{"admin", actorOf(s.admin), [4]int{3, 2, 1, 1}},
		{"viewer", viewer, [4]int{3, 2, 0, 0}},
		{"stranger", actorOf(w.member(other.ID, "s@example.com", cardea.RoleOwner)), [4]int{1, 1, 0, 0}},
	} {
		if got := count(c.actor); got != c.want {
			t.Errorf("%s sees %v, want %v", c.who, got, c.want)
		}
	}
	_, err := w.Consents(w.ctx, viewer, manage.GrantFilter{Member: s.admin.ID})
	wantKind(t, err, cardea.KindForbidden)
	_, err = w.Sessions(w.ctx, viewer, manage.SessionFilter{Member: s.admin.ID})
	wantKind(t, err, cardea.KindForbidden)
}

// What is one's own is one's own in any role: sessions, consents, grants, tokens.
func TestPeopleManageWhatIsTheirs(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	must(w.UpdateMember(w.ctx, operator, manage.UpdateMember{ID: s.admin.ID, Role: ptr(cardea.RoleViewer)}))(t)
	me := actorOf(s.admin)
	must(w.Sessions(w.ctx, me, manage.SessionFilter{Member: me.ID}))(t)
	must(w.EndSession(w.ctx, me, manage.ID{ID: s.session.ID}))(t)
	must(w.EndSessions(w.ctx, me, manage.ID{ID: me.ID}))(t)
	must(w.WithdrawConsent(w.ctx, me, manage.ID{ID: s.consent.ID}))(t)
	must(w.RevokeTokens(w.ctx, me, manage.RevokeTokens{Member: me.ID}))(t)
	f := store.Family{ID: "fam_2", Client: s.clientID(), Member: me.ID, Organization: s.org.ID, Environment: "live"}
	w.write(func(tx *store.Tx) error { return tx.InsertFamily(w.ctx, f) })
	must(w.RevokeGrant(w.ctx, me, manage.RevokeKey{ID: f.ID}))(t)
	must(w.RegenerateKey(w.ctx, me, manage.ID{ID: s.personal.Key.ID}))(t)
	for name, err := range map[string]error{
		"a client's tokens": second2(w.RevokeTokens(w.ctx, me, manage.RevokeTokens{Credential: s.clientID()})),
		"a client":          second2(w.RevokeClient(w.ctx, me, manage.RevokeKey{ID: s.clientID()})),
		"first party":       second2(w.CreateClient(w.ctx, me, manage.CreateClient{FirstParty: true})),
	} {
		if cardea.KindOf(err) != cardea.KindForbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	owner := actorOf(w.member(s.org.ID, "o@example.com", cardea.RoleOwner))
	_, err := w.UpdateClient(w.ctx, owner, manage.UpdateClient{ID: s.clientID(), FirstParty: ptr(true)})
	wantKind(t, err, cardea.KindForbidden) // nobody exempts themselves from consent
	_, err = w.SetConnection(w.ctx, owner, manage.SetConnection{Organization: s.org.ID, Issuer: "http://10.0.0.1", ClientID: "x", Insecure: true})
	wantKind(t, err, cardea.KindForbidden)
}
