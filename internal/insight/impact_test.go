package insight_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
)

// changed returns the contract of the tests with pairs of texts replaced.
func changed(t *testing.T, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(acme, pairs[i]) {
			t.Fatalf("the contract does not have %q", pairs[i])
		}
	}
	return strings.NewReplacer(pairs...).Replace(acme)
}

// used counts requests of a credential that were let through.
func (w *world) used(key, organization, route string, ago time.Duration) {
	w.t.Helper()
	err := w.store.AddUsage(w.ctx, []store.UsageDelta{{Credential: key, Organization: organization, Environment: "live",
		Hour: w.clock().Add(-ago).Truncate(time.Hour), Route: route, StatusClass: 2, Reason: cardea.ReasonAllowed, Requests: 7}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// Each change of a contract is told with exactly the live credentials that it concerns,
// and one that concerns nobody breaks nothing.
func TestImpactCountsWhomAChangeConcerns(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		w.organization("Other")
		rich := w.organization("Rich")
		must(w.manager.UpdateOrganization(w.ctx, operator, manage.UpdateOrganization{ID: rich.ID, Limits: &manage.Limits{PerMinute: 9}}))(t)
		plain := w.key(o.ID, "Plain").Key
		w.advance(time.Second)
		writer := must(w.manager.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "Writer",
			Scopes: []string{"write", "delete"}}))(t).Key
		dead := must(w.manager.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "Dead",
			Scopes: []string{"delete"}}))(t).Key
		must(w.manager.RevokeKey(w.ctx, operator, manage.RevokeKey{ID: dead.ID}))(t)
		w.client(o.ID, "App")
		w.used(plain.ID, o.ID, "GET /v1/things", time.Hour)
		w.used(writer.ID, o.ID, "GET /v1/things", 40*24*time.Hour) // too long ago
		w.used(writer.ID, o.ID, "POST /v1/things", 5*24*time.Hour)
		for name, c := range map[string]struct {
			text string
			want string // severity, what, where, credentials, organizations, examples
		}{
			"nothing":                {acme, ""},
			"a scope is gone":        {changed(t, "\n  delete: Delete", "", "[read, write, delete]", "[read, write]", "[write, delete]", "[write]"), "breaks scope delete 1 0 Writer"},
			"implied no more":        {changed(t, "{description: Write, implies: [read]}", "Write"), "breaks scope write 1 0 Writer"},
			"nobody has the alias":   {changed(t, `, aliases: ["records:read"]`, ""), "informs scope records:read 0 0 "},
			"another prefix":         {changed(t, "live: ck_live_", "live: ak_live_"), "breaks kind api_key in live 2 0 Plain Writer"},
			"prefix nobody has":      {changed(t, "test: ck_test_", "test: ak_test_"), "informs kind api_key in test 0 0 "},
			"a kind is gone":         {acme[:strings.Index(acme, "  personal_token:")] + acme[strings.Index(acme, "issuer: "):], "informs kind personal_token 0 0 "},
			"a shorter life":         {changed(t, "expiry: {max: 1y}", "expiry: {max: 30d}"), "warns kind api_key 2 0 Plain Writer"},
			"lower limits":           {changed(t, "per_minute: 300, burst: 50", "per_minute: 200, burst: 50"), "breaks plan standard 0 2 "},
			"limits nobody has":      {changed(t, "per_day: 50000", "per_day: 1000"), ""},
			"a route needs more":     {changed(t, "scopes: [read]}\n  - {match: \"POST", "scopes: [read, delete]}\n  - {match: \"POST"), "breaks route GET /v1/things 1 0 Plain"},
			"a route is gone":        {changed(t, `  - {match: "POST /v1/things", scopes: [write, delete]}`, ""), "breaks route POST /v1/things 1 0 Writer"},
			"another route takes it": {changed(t, `"GET /v1/things"`, `"GET /v1/{rest...}"`), ""},
			"a grant is gone":        {changed(t, "[authorization_code, refresh_token, client_credentials]\n  auth", "[authorization_code, refresh_token]\n  auth", ", client_credentials: client_credentials}", "}"), "breaks grant client_credentials 1 0 App"},
			"another issuer":         {changed(t, "https://auth.acme.test", "https://id.acme.test"), "warns issuer https://id.acme.test -1 -1 "},
		} {
			got := must(w.Impact(w.ctx, operator, insight.ImpactInput{Contract: c.text}))(t)
			if !got.Valid || got.Hash == "" {
				t.Errorf("%s: the contract has problems: %+v", name, got.Problems)
				continue
			}
			var lines []string
			for _, x := range got.Changes {
				lines = append(lines, strings.Join([]string{string(x.Severity), x.What, x.Where, itoa(x.Credentials), itoa(x.Organizations), strings.Join(x.Examples, " ")}, " "))
			}
			if diff := cmp.Diff(c.want, strings.Join(lines, "\n")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			if got.Breaks != strings.HasPrefix(strings.Join(lines, "\n"), "breaks") {
				t.Errorf("%s: breaks is %v", name, got.Breaks)
			}
		}
	})
}
