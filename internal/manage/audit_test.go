package manage_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// A scene is what changes are tried on: one of everything, prepared so that each change
// changes something.
type scene struct {
	*world
	org, suspended     manage.Organization
	admin, disabled    manage.Member
	invited            manage.Member // has never come
	key, off, rotating manage.KeySecret
	system, personal   manage.KeySecret
	token              manage.ManagementTokenSecret
	client, rotated    manage.ClientSecret
	offClient          manage.Client
	account, off2      manage.ServiceAccount
	file               manage.ServiceAccountKeyFile
	consent            store.Consent
	family             store.Family
	session            store.Session
	kid                string          // of the signing key in force
	secrets            []secret.Secret // every secret of the scene
	lists              manage.AddressListID
}

func newScene(w *world) *scene {
	s := &scene{world: w}
	s.org, s.suspended = w.organization("Acme"), w.organization("Late")
	s.lists = manage.AddressListID{Organization: s.org.ID, Environment: "live"}
	must(w.SuspendOrganization(w.ctx, operator, manage.ID{ID: s.suspended.ID}))(w.t)
	s.admin = w.member(s.org.ID, "ada@example.com", cardea.RoleAdmin)
	s.disabled = w.member(s.org.ID, "bob@example.com", cardea.RoleViewer)
	must(w.DisableMember(w.ctx, operator, manage.ID{ID: s.disabled.ID}))(w.t)
	s.invited = w.member(s.org.ID, "cy@example.com", cardea.RoleViewer)
	s.key, s.off, s.rotating = w.key(s.org.ID, "one"), w.key(s.org.ID, "two"), w.key(s.org.ID, "three")
	must(w.DisableKey(w.ctx, operator, manage.ID{ID: s.off.Key.ID}))(w.t)
	again := must(w.RotateKey(w.ctx, operator, manage.RotateKey{ID: s.rotating.Key.ID}))(w.t)
	s.system = must(w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "system", Environment: "live", Organization: s.org.ID, Name: "four"}))(w.t)
	s.personal = must(w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "personal_token", Member: s.admin.ID, Name: "five"}))(w.t)
	must(w.SetAddressList(w.ctx, operator, manage.Addresses{AddressListID: s.lists, Addresses: []string{"10.0.0.1", "10.0.0.2"}}))(w.t)
	s.token = must(w.CreateManagementToken(w.ctx, operator, manage.CreateManagementToken{Name: "ci"}))(w.t)
	for _, k := range []manage.KeySecret{s.key, s.off, s.rotating, s.system, s.personal, again} {
		s.secrets = append(s.secrets, k.Secret)
	}
	s.secrets = append(s.secrets, s.token.Secret)
	s.addPrograms()
	s.addPeople()
	return s
}

// addPrograms adds clients and service accounts.
func (s *scene) addPrograms() {
	w := s.world
	s.client, s.rotated = w.client(s.org.ID, "app"), w.client(s.org.ID, "rotating app")
	again := must(w.RotateClientSecret(w.ctx, operator, manage.RotateKey{ID: s.rotated.Client.ID, OverlapSeconds: ptr[int64](3600)}))(w.t)
	off := w.client(s.org.ID, "off")
	s.offClient = must(w.DisableClient(w.ctx, operator, manage.ID{ID: off.Client.ID}))(w.t)
	s.account = w.account(s.org.ID, "robot")
	s.off2 = must(w.DisableServiceAccount(w.ctx, operator, manage.ID{ID: w.account(s.org.ID, "off").ID}))(w.t)
	s.file = must(w.CreateServiceAccountKey(w.ctx, operator, manage.CreateServiceAccountKey{ServiceAccount: s.account.ID}))(w.t)
	s.kid = must(w.signing.Current(w.ctx, "live", "ES256"))(w.t).ID
	s.secrets = append(s.secrets, s.client.Secret, s.rotated.Secret, again.Secret, off.Secret, s.file.File.PrivateKey)
}

// addPeople adds what members have and gave: the sign-in and the token endpoint write
// these.
func (s *scene) addPeople() {
	w := s.world
	s.consent = store.Consent{ID: secret.NewID("grt_"), Member: s.admin.ID, Client: s.client.Client.ID, Organization: s.org.ID, Scopes: []string{"read"}}
	s.family = store.Family{ID: secret.NewID("fam_"), Client: s.client.Client.ID, Member: s.admin.ID, Organization: s.org.ID, Environment: "live"}
	s.session = store.Session{Hash: secret.HashOf(secret.NewID("")), ID: secret.NewID("ses_"), Member: s.admin.ID, Organization: s.org.ID,
		Method: "password", UserAgent: "curl", ExpiresAt: w.clock().Add(time.Hour)}
	w.write(func(tx *store.Tx) error {
		var err error
		if s.consent, err = tx.SaveConsent(w.ctx, s.consent); err != nil {
			return err
		}
		s.family.Consent = s.consent.ID
		return errors.Join(tx.InsertFamily(w.ctx, s.family), tx.InsertSession(w.ctx, s.session))
	})
	must(w.SetConnection(w.ctx, operator, manage.SetConnection{Organization: s.org.ID, Issuer: "https://id.example.com", ClientID: "cardea",
		ClientSecret: connectionSecret}))(w.t)
}

// connectionSecret is the secret of the scene's connection.
const connectionSecret = "a-secret-of-somebody-else"

// A change is one call of a method that changes something, and the audit event that it
// must leave.
type change struct {
	method, action string
	target         func(*scene) string // "": the object is created by the call
	call           func(*scene) (any, error)
}

// changes lists every method that changes something. TestEveryMethodIsEitherReadOrChange
// holds it complete.
var changes = []change{
	{"CreateOrganization", "organization.create", nil, func(s *scene) (any, error) {
		return s.CreateOrganization(s.ctx, operator, manage.CreateOrganization{Name: "New"})
	}},
	{"UpdateOrganization", "organization.update", (*scene).orgID, func(s *scene) (any, error) {
		return s.UpdateOrganization(s.ctx, operator, manage.UpdateOrganization{ID: s.org.ID, Plan: ptr("pro")})
	}},
	{"SuspendOrganization", "organization.suspend", (*scene).orgID, func(s *scene) (any, error) {
		return s.SuspendOrganization(s.ctx, operator, manage.ID{ID: s.org.ID})
	}},
	{"ResumeOrganization", "organization.resume", func(s *scene) string { return s.suspended.ID }, func(s *scene) (any, error) {
		return s.ResumeOrganization(s.ctx, operator, manage.ID{ID: s.suspended.ID})
	}},
	{"OffboardOrganization", "organization.offboard", (*scene).orgID, func(s *scene) (any, error) {
		return s.OffboardOrganization(s.ctx, operator, manage.Offboard{ID: s.org.ID, Reason: "left"})
	}},
	{"CreateMember", "member.create", nil, func(s *scene) (any, error) {
		return s.CreateMember(s.ctx, operator, manage.CreateMember{
			Organization: s.org.ID, Email: "eve@example.com", Name: "Eve", Role: cardea.RoleOwner})
	}},
	{"UpdateMember", "member.update", (*scene).adminID, func(s *scene) (any, error) {
		return s.UpdateMember(s.ctx, operator, manage.UpdateMember{ID: s.admin.ID, Role: ptr(cardea.RoleViewer)})
	}},
	{"DisableMember", "member.disable", (*scene).adminID, func(s *scene) (any, error) {
		return s.DisableMember(s.ctx, operator, manage.ID{ID: s.admin.ID})
	}},
	{"EnableMember", "member.enable", func(s *scene) string { return s.disabled.ID }, func(s *scene) (any, error) {
		return s.EnableMember(s.ctx, operator, manage.ID{ID: s.disabled.ID})
	}},
	{"CreateKey", "key.create", nil, func(s *scene) (any, error) {
		return s.CreateKey(s.ctx, operator, manage.CreateKey{Kind: "system", Environment: "live", Organization: s.org.ID, Name: "six"})
	}},
	{"UpdateKey", "key.update", (*scene).keyID, func(s *scene) (any, error) {
		return s.UpdateKey(s.ctx, operator, manage.UpdateKey{ID: s.key.Key.ID, Name: ptr("renamed")})
	}},
	{"RotateKey", "key.rotate", (*scene).keyID, func(s *scene) (any, error) {
		return s.RotateKey(s.ctx, operator, manage.RotateKey{ID: s.key.Key.ID})
	}},
	{"RegenerateKey", "key.regenerate", (*scene).keyID, func(s *scene) (any, error) {
		return s.RegenerateKey(s.ctx, operator, manage.ID{ID: s.key.Key.ID})
	}},
	{"FinishKeyRotation", "key.finish_rotation", func(s *scene) string { return s.rotating.Key.ID }, func(s *scene) (any, error) {
		return s.FinishKeyRotation(s.ctx, operator, manage.ID{ID: s.rotating.Key.ID})
	}},
	{"RevokeKey", "key.revoke", (*scene).keyID, func(s *scene) (any, error) {
		return s.RevokeKey(s.ctx, operator, manage.RevokeKey{ID: s.key.Key.ID, Reason: "leaked"})
	}},
	{"DisableKey", "key.disable", (*scene).keyID, func(s *scene) (any, error) {
		return s.DisableKey(s.ctx, operator, manage.ID{ID: s.key.Key.ID})
	}},
	{"EnableKey", "key.enable", func(s *scene) string { return s.off.Key.ID }, func(s *scene) (any, error) {
		return s.EnableKey(s.ctx, operator, manage.ID{ID: s.off.Key.ID})
	}},
	{"RevealKey", "key.reveal", func(s *scene) string { return s.system.Key.ID }, func(s *scene) (any, error) {
		return s.RevealKey(s.ctx, operator, manage.ID{ID: s.system.Key.ID})
	}},
	{"SetAddressList", "address_list.update", (*scene).listID, func(s *scene) (any, error) {
		return s.SetAddressList(s.ctx, operator, manage.Addresses{AddressListID: s.lists, Addresses: []string{}})
	}},
	{"AddAddresses", "address_list.update", (*scene).listID, func(s *scene) (any, error) {
		return s.AddAddresses(s.ctx, operator, manage.Addresses{AddressListID: s.lists, Addresses: []string{"::1"}})
	}},
	{"RemoveAddresses", "address_list.update", (*scene).listID, func(s *scene) (any, error) {
		return s.RemoveAddresses(s.ctx, operator, manage.Addresses{AddressListID: s.lists, Addresses: []string{"10.0.0.1"}})
	}},
	{"CreateManagementToken", "management_token.create", nil, func(s *scene) (any, error) {
		return s.CreateManagementToken(s.ctx, operator, manage.CreateManagementToken{Name: "second"})
	}},
	{"RevokeManagementToken", "management_token.revoke", func(s *scene) string { return s.token.Token.ID }, func(s *scene) (any, error) {
		return s.RevokeManagementToken(s.ctx, operator, manage.ID{ID: s.token.Token.ID})
	}},
	{"CreateClient", "client.create", nil, func(s *scene) (any, error) {
		return s.CreateClient(s.ctx, operator, manage.CreateClient{Environment: "live", Organization: s.org.ID, Name: "new", Grants: []string{"client_credentials"}})
	}},
	{"UpdateClient", "client.update", (*scene).clientID, func(s *scene) (any, error) {
		return s.UpdateClient(s.ctx, operator, manage.UpdateClient{ID: s.client.Client.ID, RedirectURIs: []string{"https://app.example.com/other"}})
	}},
	{"RotateClientSecret", "client.rotate", (*scene).clientID, func(s *scene) (any, error) {
		return s.RotateClientSecret(s.ctx, operator, manage.RotateKey{ID: s.client.Client.ID})
	}},
	{"RegenerateClientSecret", "client.regenerate", (*scene).clientID, func(s *scene) (any, error) {
		return s.RegenerateClientSecret(s.ctx, operator, manage.ID{ID: s.client.Client.ID})
	}},
	{"FinishClientRotation", "client.finish_rotation", func(s *scene) string { return s.rotated.Client.ID }, func(s *scene) (any, error) {
		return s.FinishClientRotation(s.ctx, operator, manage.ID{ID: s.rotated.Client.ID})
	}},
	{"RevealClientSecret", "client.reveal", (*scene).clientID, func(s *scene) (any, error) {
		return s.RevealClientSecret(s.ctx, operator, manage.ID{ID: s.client.Client.ID})
	}},
	{"RevokeClient", "client.revoke", (*scene).clientID, func(s *scene) (any, error) {
		return s.RevokeClient(s.ctx, operator, manage.RevokeKey{ID: s.client.Client.ID})
	}},
	{"DisableClient", "client.disable", (*scene).clientID, func(s *scene) (any, error) {
		return s.DisableClient(s.ctx, operator, manage.ID{ID: s.client.Client.ID})
	}},
	{"EnableClient", "client.enable", func(s *scene) string { return s.offClient.ID }, func(s *scene) (any, error) {
		return s.EnableClient(s.ctx, operator, manage.ID{ID: s.offClient.ID})
	}},
	{"CreateServiceAccount", "service_account.create", nil, func(s *scene) (any, error) {
		return s.CreateServiceAccount(s.ctx, operator, manage.CreateServiceAccount{Environment: "test", Organization: s.org.ID, Name: "new", Scopes: []string{}})
	}},
	{"UpdateServiceAccount", "service_account.update", (*scene).accountID, func(s *scene) (any, error) {
		return s.UpdateServiceAccount(s.ctx, operator, manage.UpdateKey{ID: s.account.ID, Scopes: []string{"write"}})
	}},
	{"RevokeServiceAccount", "service_account.revoke", (*scene).accountID, func(s *scene) (any, error) {
		return s.RevokeServiceAccount(s.ctx, operator, manage.RevokeKey{ID: s.account.ID})
	}},
	{"DisableServiceAccount", "service_account.disable", (*scene).accountID, func(s *scene) (any, error) {
		return s.DisableServiceAccount(s.ctx, operator, manage.ID{ID: s.account.ID})
	}},
	{"EnableServiceAccount", "service_account.enable", func(s *scene) string { return s.off2.ID }, func(s *scene) (any, error) {
		return s.EnableServiceAccount(s.ctx, operator, manage.ID{ID: s.off2.ID})
	}},
	{"CreateServiceAccountKey", "service_account_key.create", nil, func(s *scene) (any, error) {
		return s.CreateServiceAccountKey(s.ctx, operator, manage.CreateServiceAccountKey{ServiceAccount: s.account.ID, Algorithm: "EdDSA"})
	}},
	{"RevokeServiceAccountKey", "service_account_key.revoke", func(s *scene) string { return s.file.Key.ID }, func(s *scene) (any, error) {
		return s.RevokeServiceAccountKey(s.ctx, operator, manage.ServiceAccountKeyID{ServiceAccount: s.account.ID, ID: s.file.Key.ID})
	}},
	{"RevokeToken", "token.revoke", func(*scene) string { return "jti-1" }, func(s *scene) (any, error) {
		return s.RevokeToken(s.ctx, operator, manage.RevokeToken{ID: "jti-1"})
	}},
	{"RevokeTokens", "member.revoke_tokens", (*scene).adminID, func(s *scene) (any, error) {
		return s.RevokeTokens(s.ctx, operator, manage.RevokeTokens{Member: s.admin.ID})
	}},
	{"RevokeGrant", "grant.revoke", func(s *scene) string { return s.family.ID }, func(s *scene) (any, error) {
		return s.RevokeGrant(s.ctx, operator, manage.RevokeKey{ID: s.family.ID, Reason: "lost laptop"})
	}},
	{"WithdrawConsent", "consent.withdraw", func(s *scene) string { return s.consent.ID }, func(s *scene) (any, error) {
		return s.WithdrawConsent(s.ctx, operator, manage.ID{ID: s.consent.ID})
	}},
	{"SetPassword", "member.set_password", (*scene).adminID, func(s *scene) (any, error) {
		return s.SetPassword(s.ctx, operator, manage.SetPassword{Member: s.admin.ID, Password: memberPassword})
	}},
	{"CreateInvitation", "member.invite", func(s *scene) string { return s.invited.ID }, func(s *scene) (any, error) {
		return s.CreateInvitation(s.ctx, operator, manage.ID{ID: s.invited.ID})
	}},
	{"CreateResetLink", "member.reset", (*scene).adminID, func(s *scene) (any, error) {
		return s.CreateResetLink(s.ctx, operator, manage.ID{ID: s.admin.ID})
	}},
	{"EndSession", "session.end", func(s *scene) string { return s.session.ID }, func(s *scene) (any, error) {
		return s.EndSession(s.ctx, operator, manage.ID{ID: s.session.ID})
	}},
	{"EndOtherSessions", "member.end_other_sessions", (*scene).adminID, func(s *scene) (any, error) {
		return s.EndOtherSessions(s.ctx, operator, manage.ID{ID: s.session.ID})
	}},
	{"EndSessions", "member.end_sessions", (*scene).adminID, func(s *scene) (any, error) {
		return s.EndSessions(s.ctx, operator, manage.ID{ID: s.admin.ID})
	}},
	{"SetConnection", "connection.set", (*scene).orgID, func(s *scene) (any, error) {
		return s.SetConnection(s.ctx, operator, manage.SetConnection{Organization: s.org.ID, Issuer: "https://id.example.com", ClientID: "cardea", ClientSecret: "another-secret"})
	}},
	{"DeleteConnection", "connection.delete", (*scene).orgID, func(s *scene) (any, error) {
		return s.DeleteConnection(s.ctx, operator, manage.ConnectionID{Organization: s.org.ID})
	}},
	{"SetOrganizationIssuer", "issuer.set", (*scene).listID, func(s *scene) (any, error) {
		return s.SetOrganizationIssuer(s.ctx, operator, manage.SetOrganizationIssuer{Organization: s.org.ID, Environment: "live", URL: ptr(provider(s.t).URL)})
	}},
	{"RevealHookSecret", "hook_secret.reveal", func(*scene) string { return "hook_secret" }, func(s *scene) (any, error) {
		return s.RevealHookSecret(s.ctx, operator, manage.None{})
	}},
	{"RotateSigningKeys", "signing_key.create", nil, func(s *scene) (any, error) {
		return s.RotateSigningKeys(s.ctx, operator, manage.RotateSigningKeys{Environment: "test"})
	}},
	{"RevokeSigningKey", "signing_key.create", nil, func(s *scene) (any, error) {
		return s.RevokeSigningKey(s.ctx, operator, manage.ID{ID: s.kid})
	}},
	{"CreateHandoff", "member.handoff", (*scene).adminID, func(s *scene) (any, error) {
		return s.CreateHandoff(s.ctx, operator, manage.CreateHandoff{Member: s.admin.ID})
	}},
	{"CreateSetupLink", "staff.setup_link", func(*scene) string { return "setup" }, func(s *scene) (any, error) {
		return s.CreateSetupLink(s.ctx, operator, manage.None{})
	}},
	{"SetUp", "staff.setup", nil, func(s *scene) (any, error) {
		return s.SetUp(s.ctx, operator, manage.SetUp{Name: "Opa", Email: "opa@acme.example", Password: memberPassword})
	}},
	{"RevokeKeys", "key.revoke", (*scene).keyID, func(s *scene) (any, error) {
		return s.RevokeKeys(s.ctx, operator, manage.RevokeKeys{IDs: []string{s.key.Key.ID}, Reason: "leaked"})
	}},
	{"RevokeAll", "member.revoke_all", (*scene).adminID, func(s *scene) (any, error) {
		return s.RevokeAll(s.ctx, operator, manage.RevokeAll{Member: s.admin.ID, Reason: "left"})
	}},
	{"ReportLeak", "key.leak", (*scene).keyID, func(s *scene) (any, error) {
		return s.ReportLeak(s.ctx, operator, manage.ReportLeak{Secrets: []string{s.key.Secret.Reveal()}, Source: "a public repository"})
	}},
	{"Backup", "backup.create", func(*scene) string { return "backup" }, func(s *scene) (any, error) {
		file, err := s.Backup(s.ctx, operator)
		if err != nil {
			return nil, err
		}
		return nil, file.Close()
	}},
}

func (s *scene) orgID() string     { return s.org.ID }
func (s *scene) adminID() string   { return s.admin.ID }
func (s *scene) keyID() string     { return s.key.Key.ID }
func (s *scene) clientID() string  { return s.client.Client.ID }
func (s *scene) accountID() string { return s.account.ID }
func (s *scene) listID() string    { return s.org.ID + "/live" }

// reads are the methods that change nothing an auditor asks about: signing a
// checkpoint is about the log itself, and authenticating notes the time of use.
var reads = []string{
	"Organization", "Organizations", "Member", "Members", "Key", "Keys", "IdentifyKey", "AddressList", "Plans",
	"ContractInfo", "Credential", "KeyCounts", "Actor",
	"ManagementTokens", "Authenticate", "Healthy", "Client", "Clients", "ServiceAccount", "ServiceAccounts",
	"ServiceAccountKeys", "Grants", "Consents", "Sessions", "Connection", "TrustedIssuers", "OrganizationIssuers",
	"Hooks", "TestHook", "SigningKeys", "Environment",
}

// several says how many events a change leaves, where it is not one: one for everything
// that it ends or begins.
var several = map[string]int64{
	"OffboardOrganization": 1 + 5 + 3 + 2 + 2, // keys, clients, accounts, enabled members
	"RotateSigningKeys":    2,                 // the new one is announced and made
	"RevokeSigningKey":     2,
	"RevokeAll":            2, // a personal token
}

func TestEveryMethodIsEitherReadOrChange(t *testing.T) {
	known := slices.Clone(reads)
	for _, c := range changes {
		known = append(known, c.method)
	}
	slices.Sort(known)
	var methods []string
	for m := range reflect.TypeFor[*manage.Manager]().Methods() {
		methods = append(methods, m.Name)
	}
	slices.Sort(methods)
	if diff := cmp.Diff(known, methods); diff != "" {
		t.Errorf("methods of Manager that no test of audit events knows (-known +methods):\n%s", diff)
	}
}

// Rule of the house: no change without an actor, no actor without an audit row, in the
// same transaction.
func TestEveryChangeLeavesItsAuditEventWithItsActor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range changes {
			t.Run(c.method, func(t *testing.T) {
				s := newScene(w)
				before := must(s.AuditEvents(s.ctx, operator, insight.AuditFilter{}))(t).Items[0].Seq
				s.advance(time.Minute)
				if _, err := c.call(s); err != nil {
					t.Fatal(err)
				}
				got := must(s.AuditEvents(s.ctx, operator, insight.AuditFilter{}))(t).Items[0]
				want := max(1, several[c.method])
				if got.Seq != before+want {
					t.Fatalf("%d events were left, want %d", got.Seq-before, want)
				}
				if got.Action != c.action || !got.At.Equal(s.clock()) || got.RequestID != operator.RequestID {
					t.Errorf("event %+v, want action %s now, by the request", got, c.action)
				}
				if want := (insight.AuditActor{Type: "operator", ID: "mt_test", Address: "192.0.2.1"}); got.Actor != want {
					t.Errorf("actor %+v", got.Actor)
				}
				if c.target != nil && got.Target.ID != c.target(s) {
					t.Errorf("target %s, want %s", got.Target.ID, c.target(s))
				}
			})
		}
	})
}

// A change whose audit event cannot be written does not happen, and nobody is told of a
// change that did not.
func TestWithoutAnAuditEventNothingChanges(t *testing.T) {
	w := sqlite(t)
	s := newScene(w)
	s.evicted()
	s.raw(`CREATE TRIGGER broken BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, 'broken'); END`)
	before := s.snapshot()
	for _, c := range changes {
		out, err := c.call(s)
		if err == nil {
			t.Errorf("%s succeeded without an audit event", c.method)
		}
		if out != nil && !reflect.ValueOf(out).IsZero() {
			t.Errorf("%s returned %v with its error", c.method, out)
		}
		if after := s.snapshot(); after != before {
			t.Errorf("%s changed something all the same:\n%s", c.method, cmp.Diff(before, after))
			before = after
		}
	}
	if got := s.evicted(); len(got) > 0 {
		t.Errorf("evicted %v", got)
	}
}

// snapshot returns all that can be seen of the scene, as text.
func (s *scene) snapshot() string {
	everything := []any{
		must(s.Organizations(s.ctx, operator, manage.OrganizationFilter{}))(s.t), must(s.Members(s.ctx, operator, manage.MemberFilter{Organization: s.org.ID}))(s.t),
		must(s.Keys(s.ctx, operator, manage.KeyFilter{Organization: s.org.ID}))(s.t), must(s.ManagementTokens(s.ctx, operator, manage.Page{}))(s.t),
		must(s.AddressList(s.ctx, operator, s.lists))(s.t),
		must(s.Clients(s.ctx, operator, manage.ClientFilter{Organization: s.org.ID}))(s.t), must(s.ServiceAccounts(s.ctx, operator, manage.ClientFilter{Organization: s.org.ID}))(s.t),
		must(s.ServiceAccountKeys(s.ctx, operator, manage.ServiceAccountKeyFilter{ServiceAccount: s.account.ID}))(s.t),
		must(s.Grants(s.ctx, operator, manage.GrantFilter{Organization: s.org.ID}))(s.t), must(s.Consents(s.ctx, operator, manage.GrantFilter{Organization: s.org.ID}))(s.t),
		must(s.Sessions(s.ctx, operator, manage.SessionFilter{Member: s.admin.ID}))(s.t),
		must(s.Connection(s.ctx, operator, manage.ConnectionID{Organization: s.org.ID}))(s.t),
		must(s.OrganizationIssuers(s.ctx, operator, manage.IssuerFilter{Organization: s.org.ID}))(s.t), must(s.SigningKeys(s.ctx, operator, manage.None{}))(s.t),
		must(s.Environment(s.ctx, operator, s.lists))(s.t), must(s.Hooks(s.ctx, operator, manage.None{}))(s.t),
	}
	return string(must(json.Marshal(everything, json.Deterministic(true)))(s.t))
}

// A secret is in the answer that makes it and nowhere else: not in what can be listed,
// not in the audit log, not in the database.
func TestSecretsAreNowhereAfterTheirAnswer(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := newScene(w)
		text := s.snapshot()
		events := must(s.AuditEvents(s.ctx, operator, insight.AuditFilter{Page: manage.Page{Limit: 200}}))(t).Items
		for _, e := range events {
			text += fmt.Sprintf("%+v %s\n", e, e.Detail)
		}
		file := must(s.Backup(s.ctx, operator))(t)
		defer file.Close()
		backup := must(readAll(file))(t)
		if len(s.secrets) < 7 || len(events) < 10 || len(backup) < 1000 {
			t.Fatal("the test has nothing to look at")
		}
		for _, x := range s.secrets {
			if strings.Contains(text, x.Reveal()) || strings.Contains(backup, x.Reveal()) {
				t.Errorf("the secret %v is shown or stored again", x)
			}
		}
		if strings.Contains(text, connectionSecret) || strings.Contains(backup, connectionSecret) {
			t.Errorf("the secret of a connection is shown or stored in the clear")
		}
	})
}

func TestAuditDetailHoldsWhatChangedBeforeAndAfter(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	k := w.key(o.ID, "k").Key
	w.advance(time.Minute)
	must(w.UpdateKey(w.ctx, operator, manage.UpdateKey{ID: k.ID, Name: ptr(`quote " and \ line`), Addresses: []string{"10.0.0.0/8"}}))(t)
	e := must(w.AuditEvents(w.ctx, operator, insight.AuditFilter{Target: k.ID}))(t).Items[0]
	want := `{"after":{"addresses":["10.0.0.0/8"],"name":"quote \" and \\ line"},"before":{"addresses":[],"name":"k"}}`
	if string(e.Detail) != want {
		t.Errorf("detail %s, want %s", e.Detail, want)
	}
	// A call that changes nothing leaves nothing.
	n := len(must(w.AuditEvents(w.ctx, operator, insight.AuditFilter{}))(t).Items)
	must(w.UpdateKey(w.ctx, operator, manage.UpdateKey{ID: k.ID}))(t)
	if got := len(must(w.AuditEvents(w.ctx, operator, insight.AuditFilter{}))(t).Items); got != n {
		t.Errorf("%d events after nothing changed, %d before", got, n)
	}
}

func TestAuditLogIsVerifiedAgainstACheckpoint(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	point := must(w.AuditCheckpoint(w.ctx, operator, manage.None{}))(t)
	if point.Size != 1 || point.Note == "" {
		t.Fatalf("checkpoint %+v", point)
	}
	w.key(o.ID, "k")
	result := must(w.VerifyAudit(w.ctx, operator, insight.VerifyAudit{Checkpoint: point.Note}))(t)
	if !result.OK || result.Size != 2 || !result.ExtendsCheckpoint {
		t.Errorf("verification %+v", result)
	}
	// A wrong file is no sign of tampering; a checkpoint that somebody else signed is.
	_, err := w.VerifyAudit(w.ctx, operator, insight.VerifyAudit{Checkpoint: "x"})
	wantKind(t, err, cardea.KindInvalid)
	other := sqlite(t)
	other.organization("Acme")
	foreign := must(other.AuditCheckpoint(other.ctx, operator, manage.None{}))(t)
	if r := must(w.VerifyAudit(w.ctx, operator, insight.VerifyAudit{Checkpoint: foreign.Note}))(t); r.OK || r.Fault == "" {
		t.Errorf("a foreign checkpoint passes: %+v", r)
	}
	w.raw(`UPDATE audit_event SET record = replace(record, 'Acme', 'Evil')`)
	if r := must(w.VerifyAudit(w.ctx, operator, insight.VerifyAudit{}))(t); r.OK || r.Fault == "" {
		t.Errorf("a changed log passes: %+v", r)
	}
}
