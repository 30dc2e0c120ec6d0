package api_test

import (
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
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

	w.log1(store.RequestRow{RequestID: "req_1", Credential: s.Key.ID, Organization: o.ID, Environment: "live", Method: "GET",
		Path: "/v1/things", Route: "GET /v1/things", Status: 403, Reason: cardea.ReasonScope, Step: cardea.StepScope, ContractLine: 40})
	if e := must(c.ExplainRequest(ctx, "req_1"))(t); e.Contract.Line != 40 || len(e.MissingScopes) != 1 {
		t.Errorf("explanation %+v", e)
	}
	must(c.GetUsage(ctx, admin.UsageQuery{Organization: o.ID, By: "hour"}))(t)

	token := must(c.CreateManagementToken(ctx, admin.CreateManagementToken{Name: "CI", ExpiresAt: w.clock().Add(time.Hour)}))(t)
	must(c.RevokeManagementToken(ctx, token.Token.ID))(t)
	point := must(c.GetAuditCheckpoint(ctx))(t)
	if v := must(c.VerifyAudit(ctx, admin.VerifyAudit{Checkpoint: point.Note}))(t); !v.OK || !v.ExtendsCheckpoint {
		t.Errorf("verification %+v", v)
	}

	count(t, "organizations", c.ListOrganizations(ctx, admin.Page{}), 1)
	count(t, "members", c.ListMembers(ctx, admin.MemberFilter{Organization: o.ID}), 1)
	count(t, "keys", c.ListKeys(ctx, admin.KeyFilter{Kind: "api_key", Page: admin.Page{Limit: 1}}), 1)
	count(t, "requests", c.ListRequests(ctx, admin.RequestFilter{Outcome: "denied"}), 1)
	count(t, "tokens", c.ListManagementTokens(ctx, admin.Page{}), 2)
	count(t, "audit events", c.ListAuditEvents(ctx, admin.AuditFilter{Action: "key.create"}), 2)
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
	if done := must(c.OffboardOrganization(ctx, admin.Offboard{ID: o.ID}))(t); done.KeysRevoked != 1 {
		t.Errorf("offboarded %+v", done)
	}
	if unused := w.traffic.Unused(); len(unused) > 0 {
		t.Errorf("operations without a test: %v", unused)
	}
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
	for o, err := range w.client.ListOrganizations(t.Context(), admin.Page{Limit: 3}) {
		if err != nil || seen[o.ID] {
			t.Fatalf("organization %s again, or error %v", o.ID, err)
		}
		seen[o.ID] = true
	}
	if len(seen) != 7 {
		t.Errorf("%d organizations", len(seen))
	}
}
