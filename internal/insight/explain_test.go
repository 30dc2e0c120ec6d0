package insight_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

func TestExplainSaysWhyAndWhatWouldHelp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		k := w.key(o.ID, "CI").Key
		client := netip.MustParseAddr("198.51.100.9")
		for i, c := range []struct {
			reason    cardea.Reason
			says, fix string
		}{
			{cardea.ReasonScope, `The key "CI" (` + k.ID + `) does not have every scope that the route needs: it lacks write, delete.`, "Give it the scopes write, delete"},
			{cardea.ReasonAddress, "198.51.100.9, is not on the address list of the environment live", "Add 198.51.100.9"},
			{cardea.ReasonMissingCredential, "No credential", "Authorization: Bearer <secret>"},
			{cardea.ReasonRateLimited, "300 a minute, 50 at once", "Retry-After"},
			{cardea.ReasonUpstreamTimeout, "was let through", "raise timeout"},
			{cardea.ReasonSuspended, `"Acme"`, "Resume"},
			{cardea.ReasonAllowed, "was let through to the route POST /v1/things", ""},
		} {
			id := "req_" + string(rune('a'+i))
			w.log(store.RequestRow{RequestID: id, Credential: k.ID, Organization: o.ID, Reason: c.reason, Step: cardea.StepScope,
				Route: "POST /v1/things", Client: client, ContractLine: 62, Status: 403})
			e := must(w.Explain(w.ctx, operator, access.ID{ID: id}))(t)
			if !strings.Contains(e.Explanation, c.says) || !strings.Contains(e.Fix, c.fix) || strings.ContainsAny(e.Explanation+e.Fix, "{}") {
				t.Errorf("%v: %q, fix %q", c.reason, e.Explanation, e.Fix)
			}
			if e.Key == nil || e.Organization == nil || e.Contract == nil || e.Contract.Line != 62 || e.Contract.Source != "cardea.yaml" {
				t.Errorf("%v: explanation %+v", c.reason, e)
			}
		}
		must(w.manager.RevokeKey(w.ctx, operator, manage.RevokeKey{ID: k.ID, Reason: "leaked on a forum"}))(t)
		w.log(store.RequestRow{RequestID: "req_revoked", Credential: k.ID, Organization: o.ID, Reason: cardea.ReasonRevoked, OldSecret: true})
		e := must(w.Explain(w.ctx, operator, access.ID{ID: "req_revoked"}))(t)
		if !strings.Contains(e.Explanation, "because: leaked on a forum") || !strings.Contains(e.Explanation, "old secret") {
			t.Errorf("revoked: %q", e.Explanation)
		}
	})
}

// The same reason means different things at different steps.
func TestExplainTellsATypoFromAnUnknownSecret(t *testing.T) {
	w := sqlite(t)
	for id, c := range map[string]struct {
		reason cardea.Reason
		step   cardea.Step
		says   string
	}{
		"req_typo":      {cardea.ReasonInvalidCredential, cardea.StepShape, "checksum"},
		"req_unknown":   {cardea.ReasonInvalidCredential, cardea.StepVerify, "no key has such a secret"},
		"req_throttled": {cardea.ReasonRateLimited, cardea.StepVerify, "198.51.100.9, sent too many unknown credentials"},
	} {
		w.log(store.RequestRow{RequestID: id, Reason: c.reason, Step: c.step, Client: netip.MustParseAddr("198.51.100.9"), Detail: "noted\nfix"})
		e := must(w.Explain(w.ctx, operator, access.ID{ID: id}))(t)
		if !strings.Contains(e.Explanation, c.says) || e.Detail != "noted" {
			t.Errorf("%s: %+v", id, e)
		}
	}
}

// Every reason can be explained with and without a known caller, without a gap in the
// words and without a panic.
func TestExplainHasWordsForEverySituation(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	k := w.key(o.ID, "CI").Key
	for _, r := range cardea.Reasons() {
		for _, row := range []store.RequestRow{
			{}, {Credential: k.ID, Organization: o.ID}, {Credential: "key_gone", Organization: "org_gone"},
		} {
			row.Reason, row.RequestID = r, secret.NewID("req_")
			w.log(row)
			e := must(w.Explain(w.ctx, operator, access.ID{ID: row.RequestID}))(t)
			if e.Explanation == "" || strings.ContainsAny(e.Explanation+e.Fix, "{}%") || strings.Contains(e.Explanation, "  ") {
				t.Errorf("%v: %q, fix %q", r, e.Explanation, e.Fix)
			}
		}
	}
}

func TestRequestsOfAnOrganizationAreItsOwn(t *testing.T) {
	w := sqlite(t)
	mine, other := w.organization("Mine"), w.organization("Other")
	me := w.member(mine.ID, "me@example.com", cardea.RoleOwner)
	w.log(store.RequestRow{RequestID: "req_mine", Organization: mine.ID, Reason: cardea.ReasonAllowed})
	w.log(store.RequestRow{RequestID: "req_other", Organization: other.ID, Reason: cardea.ReasonQuota})
	w.log(store.RequestRow{RequestID: "req_nobody", Reason: cardea.ReasonInvalidCredential})
	must(w.Explain(w.ctx, me, access.ID{ID: "req_mine"}))(t)
	_, err := w.Explain(w.ctx, me, access.ID{ID: "req_other"})
	wantKind(t, err, cardea.KindNotFound)
	if _, err := w.Explain(w.ctx, me, access.ID{ID: "req_nobody"}); err == nil {
		t.Errorf("a request of nobody is shown to a member")
	}
	if list := must(w.Requests(w.ctx, me, insight.RequestFilter{}))(t).Items; len(list) != 1 || list[0].ID != "req_mine" {
		t.Errorf("list %v", list)
	}
	for _, f := range []insight.RequestFilter{{Reason: "quota_exceeded"}, {Outcome: "denied", Organization: other.ID}} {
		if list := must(w.Requests(w.ctx, operator, f))(t).Items; len(list) != 1 || list[0].ID != "req_other" {
			t.Errorf("filter %+v: %v", f, list)
		}
	}
	_, err = w.Requests(w.ctx, operator, insight.RequestFilter{Reason: "nope"})
	wantField(t, err, "reason")
}

func TestUsageIsSummedByWhatIsAsked(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	k := w.key(o.ID, "CI").Key
	hour := start.Truncate(time.Hour)
	add := func(at time.Time, reason cardea.Reason, class int, n int64) {
		err := w.store.AddUsage(w.ctx, []store.UsageDelta{{Credential: k.ID, Organization: o.ID, Environment: "live", Hour: at,
			Route: "GET /v1/things", StatusClass: class, Reason: reason, Requests: n, BytesOut: 10 * n, Latency: time.Duration(n) * time.Millisecond}})
		if err != nil {
			t.Fatal(err)
		}
	}
	add(hour, cardea.ReasonAllowed, 2, 5)
	add(hour, cardea.ReasonRateLimited, 4, 2)
	add(hour.Add(-2*time.Hour), cardea.ReasonScope, 4, 1)
	add(hour.Add(-48*time.Hour), cardea.ReasonAllowed, 2, 100)
	u := must(w.Usage(w.ctx, operator, insight.UsageQuery{Organization: o.ID}))(t)
	if u.Total.Requests != 8 || u.Total.Denied != 3 || u.Total.Limited != 2 || u.Total.AverageLatencyUS != 1000 ||
		u.Total.Denials["forbidden"] != 1 || u.Total.Denials["rate_limited"] != 2 {
		t.Errorf("total %+v", u.Total)
	}
	if len(u.Rows) != 1 || u.Rows[0].Group != k.ID || u.Rows[0].Name != "CI" {
		t.Errorf("rows %+v", u.Rows)
	}
	for by, groups := range map[string]string{
		"hour": "2027-11-30T10:00:00Z 2027-11-30T08:00:00Z", "day": "2027-11-30", "status": "2xx 4xx",
		"route": "GET /v1/things", "reason": "allowed rate_limited forbidden", "environment": "live",
	} {
		var got []string
		for _, row := range must(w.Usage(w.ctx, operator, insight.UsageQuery{Key: k.ID, By: by}))(t).Rows {
			got = append(got, row.Group)
		}
		if strings.Join(got, " ") != groups {
			t.Errorf("by %s: %v, want %s", by, got, groups)
		}
	}
	for _, q := range []insight.UsageQuery{{By: "secret"}, {From: start, To: start.Add(-time.Hour)}, {From: start.AddDate(-3, 0, 0)}} {
		_, err := w.Usage(w.ctx, operator, q)
		wantKind(t, err, cardea.KindInvalid)
	}
}

// What is to be made or enabled is named for what it is.
func TestExplainNamesTheSortOfCredential(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	app := w.client(o.ID, "App").Client
	must(w.manager.RevokeClient(w.ctx, operator, manage.RevokeKey{ID: app.ID}))(t)
	for reason, fix := range map[cardea.Reason]string{
		cardea.ReasonRevoked:  "Create a new client and use that.",
		cardea.ReasonDisabled: "Enable the client, or its member.",
	} {
		id := "req_" + reason.String()
		w.log(store.RequestRow{RequestID: id, Credential: app.ID, Organization: o.ID, Reason: reason, Step: cardea.StepStanding})
		if e := must(w.Explain(w.ctx, operator, access.ID{ID: id}))(t); e.Fix != fix {
			t.Errorf("%s: %s", reason, e.Fix)
		}
	}
}

// Who comes with an access token hears of the token, not of what it was issued to.
func TestExplainTellsATokenFromItsCredential(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	app := w.client(o.ID, "App").Client
	for id, c := range map[string]struct {
		reason    cardea.Reason
		says, fix string
	}{
		"req_expired": {cardea.ReasonExpired, `The access token of the client "App" (` + app.ID + `) had expired`, "Get a new one"},
		"req_revoked": {cardea.ReasonRevoked, `The access token of the client "App" (` + app.ID + `) was revoked`, "Get a new one"},
		"req_scope":   {cardea.ReasonScope, `The client "App" (` + app.ID + `) does not have`, "Give it"},
	} {
		w.log(store.RequestRow{RequestID: id, Credential: app.ID, Organization: o.ID, Reason: c.reason, Step: cardea.StepStanding})
		e := must(w.Explain(w.ctx, operator, access.ID{ID: id}))(t)
		if !strings.Contains(e.Explanation, c.says) || !strings.Contains(e.Fix, c.fix) {
			t.Errorf("%s: %s Fix: %s", id, e.Explanation, e.Fix)
		}
	}
}
