package api_test

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// Every operation works through the client as the document says; the transport checks
// each request and response.
func TestEveryOperationWorksAsDocumented(t *testing.T) {
	w := newWorld(t)
	ctx, c := t.Context(), w.client

	o := must(c.CreateOrganization(ctx, admin.CreateOrganization{Name: "Acme", Limits: &admin.Limits{PerMinute: 5}}))(t)
	must(c.GetOrganization(ctx, o.ID))(t)
	must(c.UpdateOrganization(ctx, admin.UpdateOrganization{ID: o.ID, Plan: ptr("pro"), InheritLimits: true}))(t)
	must(c.SuspendOrganization(ctx, o.ID))(t)
	must(c.ResumeOrganization(ctx, o.ID))(t)

	m := must(c.CreateMember(ctx, admin.CreateMember{Organization: o.ID, Email: "ada@example.com", Name: "Ada", Role: cardea.RoleOwner}))(t)
	must(c.GetMember(ctx, m.ID))(t)
	must(c.UpdateMember(ctx, admin.UpdateMember{ID: m.ID, Name: ptr("Ada L.")}))(t)
	must(c.DisableMember(ctx, m.ID))(t)
	must(c.EnableMember(ctx, m.ID))(t)

	k := must(c.CreateKey(ctx, admin.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "CI",
		Permissions: []string{"Read"}, Addresses: []string{"10.0.0.0/8"}, ExpiresAt: w.clock().Add(time.Hour)}))(t)
	if !secret.CheckPrefixed(k.Secret.Reveal(), "ck_live_") {
		t.Errorf("the client received %v", k.Secret)
	}
	must(c.GetKey(ctx, k.Key.ID))(t)
	must(c.UpdateKey(ctx, admin.UpdateKey{ID: k.Key.ID, Scopes: []string{"write"}, Limits: &admin.Limits{PerDay: 9}}))(t)
	must(c.RotateKey(ctx, admin.RotateKey{ID: k.Key.ID, OverlapSeconds: ptr[int64](60)}))(t)
	must(c.FinishKeyRotation(ctx, k.Key.ID))(t)
	must(c.RegenerateKey(ctx, k.Key.ID))(t)
	must(c.DisableKey(ctx, k.Key.ID))(t)
	must(c.EnableKey(ctx, k.Key.ID))(t)
	must(c.IdentifyKey(ctx, admin.IdentifyKey{Secret: k.Secret.Reveal()}))(t)
	must(c.RevokeKey(ctx, admin.RevokeKey{ID: k.Key.ID, Reason: "leaked"}))(t)
	s := must(c.CreateKey(ctx, admin.CreateKey{Kind: "system", Member: m.ID, Name: "System"}))(t)
	if again := must(c.RevealKey(ctx, s.Key.ID))(t); again.Secret.Reveal() != s.Secret.Reveal() {
		t.Errorf("another secret is revealed")
	}

	list := admin.AddressListID{Organization: o.ID, Environment: "live"}
	must(c.SetAddressList(ctx, admin.Addresses{AddressListID: list, Addresses: []string{"10.0.0.1", "10.0.0.2"}}))(t)
	must(c.AddAddresses(ctx, admin.Addresses{AddressListID: list, Addresses: []string{"::1"}}))(t)
	must(c.RemoveAddresses(ctx, admin.Addresses{AddressListID: list, Addresses: []string{"10.0.0.1"}}))(t)
	must(c.GetAddressList(ctx, list))(t)
	if empty := must(c.SetAddressList(ctx, admin.Addresses{AddressListID: list}))(t); len(empty.Addresses) != 0 {
		t.Errorf("a list without entries has %v", empty.Addresses)
	}

	w.programs(t, o)
	w.people(t, o, m)
	w.others(t, o)
	w.webhooks(t, o, s)
	w.staff(t, o)

	w.log1(store.RequestRow{RequestID: "req_1", Credential: s.Key.ID, Organization: o.ID, Environment: "live", Method: "GET",
		Path: "/v1/things", Route: "GET /v1/things", Status: 403, Reason: cardea.ReasonScope, Step: cardea.StepScope, ContractLine: 40})
	if e := must(c.ExplainRequest(ctx, "req_1"))(t); e.Contract.Line != 40 || len(e.MissingScopes) != 1 {
		t.Errorf("explanation %+v", e)
	}
	must(c.GetUsage(ctx, admin.UsageQuery{Organization: o.ID, By: "hour"}))(t)
	w.watch(t, o, s.Key)

	token := must(c.CreateManagementToken(ctx, admin.CreateManagementToken{Name: "CI", ExpiresAt: w.clock().Add(time.Hour)}))(t)
	must(c.RevokeManagementToken(ctx, token.Token.ID))(t)
	point := must(c.GetAuditCheckpoint(ctx))(t)
	if v := must(c.VerifyAudit(ctx, admin.VerifyAudit{Checkpoint: point.Note}))(t); !v.OK || !v.ExtendsCheckpoint {
		t.Errorf("verification %+v", v)
	}

	count(t, "organizations", c.ListOrganizations(ctx, admin.OrganizationFilter{}), 2)
	count(t, "members", c.ListMembers(ctx, admin.MemberFilter{Organization: o.ID}), 1)
	count(t, "keys", c.ListKeys(ctx, admin.KeyFilter{Kind: "api_key", Page: admin.Page{Limit: 1}}), 3)
	count(t, "requests", c.ListRequests(ctx, admin.RequestFilter{Outcome: "denied"}), 1)
	count(t, "tokens", c.ListManagementTokens(ctx, admin.Page{}), 2)
	count(t, "audit events", c.ListAuditEvents(ctx, admin.AuditFilter{Action: "key.create"}), 4)
	if plans := must(c.ListPlans(ctx))(t); len(plans) != 2 || plans[1].Organizations != 1 {
		t.Errorf("plans %+v", plans)
	}
	if info := must(c.GetContract(ctx))(t); info.Product != "Acme" || len(info.Kinds) != 2 || info.Kinds[0].MaxLifetime != "1y" {
		t.Errorf("contract %+v", info)
	}
	backup := must(c.CreateBackup(ctx))(t)
	if text := must(io.ReadAll(backup))(t); len(text) < 1000 || strings.Contains(string(text), s.Secret.Reveal()) {
		t.Errorf("a backup of %d bytes, or one with a secret", len(text))
	}
	must(c.GetOpenAPI(ctx))(t)
	if err := w.dial("").GetHealth(ctx); err != nil {
		t.Errorf("health: %v", err)
	}
	if done := must(c.RevokeAll(ctx, admin.RevokeAll{Member: m.ID, Reason: "left"}))(t); done.Member != m.ID || done.KeysRevoked != 1 {
		t.Errorf("revoked %+v", done)
	}
	if done := must(c.OffboardOrganization(ctx, admin.Offboard{ID: o.ID}))(t); done.KeysRevoked != 2 {
		t.Errorf("offboarded %+v", done)
	}
	if unused := w.traffic.Unused(); len(unused) > 0 {
		t.Errorf("operations without a test: %v", unused)
	}
}

// watch asks what happened.
func (w *world) watch(t *testing.T, o admin.Organization, k admin.Key) {
	ctx, c := t.Context(), w.client
	must(c.GetUsageSeries(ctx, admin.UsageQuery{Organization: o.ID}))(t)
	must(c.GroupRequests(ctx, admin.RequestFilter{Organization: o.ID, Status: "4xx"}))(t)
	must(c.GetLimits(ctx, admin.LimitsQuery{Key: k.ID}))(t)
	must(c.GetContractImpact(ctx, []byte(acme)))(t)
	must(c.GetStatus(ctx))(t)
	for _, format := range []string{"csv", "json"} {
		file := must(c.ExportAudit(ctx, admin.AuditFilter{Target: k.ID}, format))(t)
		must(io.ReadAll(file))(t)
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
}

// programs goes through the life of clients and service accounts.
func (w *world) programs(t *testing.T, o admin.Organization) {
	ctx, c := t.Context(), w.client
	made := must(c.CreateClient(ctx, admin.CreateClient{Environment: "live", Organization: o.ID, Name: "App", RedirectURIs: []string{"https://app.example.com/cb"},
		Origins: []string{"https://app.example.com"}, Scopes: []string{"read"}, LogoURL: "https://app.example.com/logo.png", DPoPRequired: true}))(t)
	id := made.Client.ID
	if !secret.CheckPrefixed(made.Secret.Reveal(), "cs_") {
		t.Errorf("the client received %v", made.Secret)
	}
	if again := must(c.RevealClientSecret(ctx, id))(t); again.Secret.Reveal() != made.Secret.Reveal() {
		t.Errorf("another secret is revealed")
	}
	must(c.GetClient(ctx, id))(t)
	must(c.UpdateClient(ctx, admin.UpdateClient{ID: id, RedirectURIs: []string{"https://app.example.com/new"}, FirstParty: ptr(true), HomeURL: ptr("")}))(t)
	must(c.RotateClientSecret(ctx, admin.RotateKey{ID: id, OverlapSeconds: ptr[int64](60)}))(t)
	must(c.FinishClientRotation(ctx, id))(t)
	must(c.RegenerateClientSecret(ctx, id))(t)
	must(c.DisableClient(ctx, id))(t)
	must(c.EnableClient(ctx, id))(t)
	public := must(c.CreateClient(ctx, admin.CreateClient{Environment: "live", Organization: o.ID, Name: "Phone", Public: true, RedirectURIs: []string{"com.example.app:/cb"}}))(t)
	if public.Secret.Reveal() != "" {
		t.Errorf("a public client has a secret")
	}
	count(t, "clients", c.ListClients(ctx, admin.ClientFilter{Organization: o.ID, Page: admin.Page{Limit: 1}}), 2)
	must(c.RevokeClient(ctx, admin.RevokeKey{ID: id, Reason: "gone"}))(t)

	account := must(c.CreateServiceAccount(ctx, admin.CreateServiceAccount{Environment: "live", Organization: o.ID, Name: "Robot", Permissions: []string{"Read"}}))(t)
	must(c.GetServiceAccount(ctx, account.ID))(t)
	must(c.UpdateServiceAccount(ctx, admin.UpdateKey{ID: account.ID, Scopes: []string{"read", "write"}}))(t)
	key := must(c.CreateServiceAccountKey(ctx, admin.CreateServiceAccountKey{ServiceAccount: account.ID, Algorithm: "ES256"}))(t)
	if text := string(must(key.File.Reveal())(t)); !strings.Contains(text, "BEGIN PRIVATE KEY") || !strings.Contains(text, account.ID) {
		t.Errorf("the key file is %v", key.File)
	}
	if keys := must(c.ListServiceAccountKeys(ctx, admin.ServiceAccountKeyFilter{ServiceAccount: account.ID}))(t); len(keys) != 1 || keys[0].ID != key.Key.ID {
		t.Errorf("keys %+v", keys)
	}
	must(c.RevokeServiceAccountKey(ctx, admin.ServiceAccountKeyID{ServiceAccount: account.ID, ID: key.Key.ID}))(t)
	must(c.DisableServiceAccount(ctx, account.ID))(t)
	must(c.EnableServiceAccount(ctx, account.ID))(t)
	count(t, "service accounts", c.ListServiceAccounts(ctx, admin.ClientFilter{}), 1)
	must(c.RevokeTokens(ctx, admin.RevokeTokens{Credential: account.ID}))(t)
	must(c.RevokeServiceAccount(ctx, admin.RevokeKey{ID: account.ID}))(t)
}

// people goes through what members have and gave.
func (w *world) people(t *testing.T, o admin.Organization, m admin.Member) {
	ctx, c := t.Context(), w.client
	app := must(c.CreateClient(ctx, admin.CreateClient{Environment: "live", Organization: o.ID, Name: "App", RedirectURIs: []string{"https://app.example.com/cb"}}))(t)
	link := must(c.CreateInvitation(ctx, m.ID))(t)
	if !strings.HasPrefix(link.Secret.Reveal(), "cardea_link_") || strings.Contains(link.Secret.String(), link.Secret.Reveal()) {
		t.Errorf("the link is %v", link)
	}
	must(c.SetPassword(ctx, admin.SetPassword{Member: m.ID, Password: "seven ducks on a pond"}))(t)
	must(c.CreateResetLink(ctx, m.ID))(t)
	grant := store.Consent{ID: "grt_1", Member: m.ID, Client: app.Client.ID, Organization: o.ID, Scopes: []string{"read"}}
	_, err := w.store.Update(ctx, cardea.Actor{Type: "system", ID: "test"}, func(tx *store.Tx) error {
		tx.Audit(store.Event{Action: "test.write", TargetType: "test", TargetID: "test"})
		_, err := tx.SaveConsent(ctx, grant)
		return errors.Join(err,
			tx.InsertFamily(ctx, store.Family{ID: "fam_1", Client: app.Client.ID, Member: m.ID, Organization: o.ID, Environment: "live"}),
			tx.InsertSession(ctx, store.Session{Hash: secret.HashOf("x"), ID: "ses_1", Member: m.ID, Organization: o.ID, Method: "password", ExpiresAt: w.clock().Add(time.Hour)}))
	})
	if err != nil {
		t.Fatal(err)
	}
	if list := must(c.ListSessions(ctx, admin.SessionFilter{Member: m.ID}))(t); len(list) != 1 {
		t.Errorf("sessions %+v", list)
	}
	must(c.EndOtherSessions(ctx, "ses_1"))(t)
	must(c.EndSession(ctx, "ses_1"))(t)
	must(c.EndSessions(ctx, m.ID))(t)
	count(t, "grants", c.ListGrants(ctx, admin.GrantFilter{Member: m.ID, Client: app.Client.ID}), 1)
	must(c.RevokeGrant(ctx, admin.RevokeKey{ID: "fam_1", Reason: "lost"}))(t)
	count(t, "consents", c.ListConsents(ctx, admin.GrantFilter{Organization: o.ID}), 1)
	if withdrawn := must(c.WithdrawConsent(ctx, "grt_1"))(t); withdrawn.WithdrawnAt.IsZero() || withdrawn.ClientName != "App" {
		t.Errorf("withdrawn %+v", withdrawn)
	}
	must(c.RevokeToken(ctx, admin.RevokeToken{ID: "some-jti"}))(t)
	over := must(c.CreateHandoff(ctx, admin.CreateHandoff{Member: m.ID, Continue: "/dashboard/keys"}))(t)
	if want := "/handoff/" + over.Secret.Reveal(); !strings.HasSuffix(over.URL.Reveal(), want) || strings.Contains(fmt.Sprint(over), over.Secret.Reveal()) {
		t.Errorf("the hand-off is %v", over)
	}
	set := must(c.SetConnection(ctx, admin.SetConnection{Organization: o.ID, Issuer: "https://id.example.com", ClientID: "cardea", ClientSecret: "theirs",
		AutoJoin: true, Role: cardea.RoleViewer, Domains: []string{"example.com"}}))(t)
	if got := must(c.GetConnection(ctx, o.ID))(t); !got.HasSecret || got.Issuer != set.Issuer {
		t.Errorf("connection %+v", got)
	}
	must(c.DeleteConnection(ctx, o.ID))(t)
}

// staff sets Cardea up, and searches, counts and revokes keys. It leaves the organizations
// and the keys that are not revoked as they were.
func (w *world) staff(t *testing.T, o admin.Organization) {
	ctx, c := t.Context(), w.client
	if link := must(c.CreateSetupLink(ctx))(t); link.Purpose != "setup" || link.Member != "" {
		t.Errorf("the link is %v", link)
	}
	first := must(c.SetUp(ctx, admin.SetUp{Name: "Op", Email: "op@acme.test", Password: "seven ducks on a pond"}))(t)
	if got := must(c.GetOrganization(ctx, first.Organization))(t); !got.Staff || first.Role != cardea.RoleOwner {
		t.Errorf("staff %+v, %+v", got, first)
	}
	if _, err := c.CreateSetupLink(ctx); statusOf(err) != http.StatusConflict {
		t.Errorf("another set-up: %v", err)
	}
	before := must(c.CountKeys(ctx, admin.KeyFilter{Organization: o.ID}))(t)
	var ids []string
	for _, name := range []string{"Zulu bulk", "alpha bulk"} {
		ids = append(ids, must(c.CreateKey(ctx, admin.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: name}))(t).Key.ID)
	}
	filter := admin.KeyFilter{Organization: o.ID, Narrow: admin.Narrow{Search: "BULK", Status: admin.StatusActive, Scope: "", Sort: "name"}, Page: admin.Page{Limit: 1}}
	var names []string
	for k, err := range c.ListKeys(ctx, filter) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, k.Name)
	}
	if !slices.Equal(names, []string{"alpha bulk", "Zulu bulk"}) {
		t.Errorf("found %v", names)
	}
	done := must(c.RevokeKeys(ctx, admin.RevokeKeys{IDs: append(ids, "key_none"), Reason: "done"}))(t)
	if len(done.Items) != 2 || len(done.Failed) != 1 || done.Failed[0].ID != "key_none" {
		t.Errorf("revoked %+v", done)
	}
	after := must(c.CountKeys(ctx, admin.KeyFilter{Organization: o.ID}))(t)
	if after.Active != before.Active || after.Revoked != before.Revoked+2 {
		t.Errorf("counts %+v, then %+v", before, after)
	}
}

// others goes through issuers, hooks and signing keys.
func (w *world) others(t *testing.T, o admin.Organization) {
	ctx, c := t.Context(), w.client
	private := must(token.Generate("ES256"))(t)
	set := must(token.PublicJWKS([]token.Key{{ID: "k1", Algorithm: "ES256", Public: private.Public()}}))(t)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jwks" {
			_, _ = w.Write(set)
			return
		}
		http.NotFound(w, r)
	}))
	defer provider.Close()
	in := admin.SetIssuer{Organization: o.ID, Environment: "live", URL: provider.URL + "/jwks", Issuer: "theirs", Audience: "ours"}
	if got := must(c.SetIssuer(ctx, in))(t); got.Keys == nil || got.Keys.Count != 1 {
		t.Errorf("issuer %+v", got)
	}
	count(t, "issuers", c.ListIssuers(ctx, admin.IssuerFilter{Environment: "live"}), 1)
	if e := must(c.GetEnvironment(ctx, admin.AddressListID{Organization: o.ID, Environment: "live"}))(t); e.Issuer == nil || e.Issuer.Audience != "ours" || len(e.Keys) != 1 {
		t.Errorf("environment %+v", e)
	}
	must(c.SetIssuer(ctx, admin.SetIssuer{Organization: o.ID, Environment: "live"}))(t)
	if trusted := must(c.ListTrustedIssuers(ctx))(t); len(trusted) != 1 {
		t.Errorf("trusted %+v", trusted)
	}
	if hooks := must(c.ListHooks(ctx))(t); len(hooks) != 1 || hooks[0].ID != 1 {
		t.Errorf("hooks %+v", hooks)
	}
	if a := must(c.TestHook(ctx, admin.TestHook{ID: 1, Path: "/v1/hooked", Headers: map[string]string{"accept": "x"}, Client: "10.0.0.1"}))(t); a.Allow {
		t.Errorf("the hook answered %+v", a)
	}
	if s := must(c.RevealHookSecret(ctx))(t); !strings.HasPrefix(s.Secret.Reveal(), "whsec_") {
		t.Errorf("hook secret %v", s)
	}
	keys := must(c.RotateSigningKeys(ctx, admin.RotateSigningKeys{Environment: "live", Immediate: true}))(t)
	must(c.RevokeSigningKey(ctx, keys[0].ID))(t)
	if list := must(c.ListSigningKeys(ctx))(t); len(list) != 2 {
		t.Errorf("signing keys %+v", list)
	}
}

// statusOf returns the status that the client was refused with, 0 for none.
func statusOf(err error) int {
	var refused *admin.Error
	if errors.As(err, &refused) {
		return refused.Status
	}
	return 0
}

// log1 stores a line of the request log.
func (w *world) log1(r store.RequestRow) {
	w.t.Helper()
	r.At = w.clock()
	if err := w.store.AppendRequests(w.t.Context(), []store.RequestRow{r}, nil); err != nil {
		w.t.Fatal(err)
	}
}

// count reads a list to its end.
func count[T any](t *testing.T, what string, list iter.Seq2[T, error], want int) {
	t.Helper()
	n := 0
	for _, err := range list {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		n++
	}
	if n != want {
		t.Errorf("%d %s, want %d", n, what, want)
	}
}

func ptr[T any](v T) *T { return &v }

func TestIteratorsReadEveryPageOnce(t *testing.T) {
	w := newWorld(t)
	seen := map[string]bool{}
	for range 7 {
		must(w.client.CreateOrganization(t.Context(), admin.CreateOrganization{Name: "x"}))(t)
	}
	for o, err := range w.client.ListOrganizations(t.Context(), admin.OrganizationFilter{Page: admin.Page{Limit: 3}}) {
		if err != nil || seen[o.ID] {
			t.Fatalf("organization %s again, or error %v", o.ID, err)
		}
		seen[o.ID] = true
	}
	if len(seen) != 7 {
		t.Errorf("%d organizations", len(seen))
	}
}
