package insight_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
)

// request sends a request with a secret through the decision.
func (w *world) request(text string) *cardea.Decision {
	w.t.Helper()
	d, err := w.authz.Authorize(w.ctx, &cardea.Request{
		ID: "req_1", Method: "GET", Host: "api.test", Target: "/v1/things", Peer: netip.MustParseAddr("203.0.113.7"),
		Header: http.Header{"Authorization": {"Bearer " + text}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return &cardea.Decision{Limit: d.Limit}
}

// gauges renders owners: name of the key, environment, and used of limit of each window.
func gauges(owners []insight.LimitOwner) string {
	var all []string
	for _, o := range owners {
		text := strings.TrimSpace(o.Name + " " + o.Environment)
		for _, g := range o.Gauges {
			text += " " + g.Window + " " + itoa(int(g.Used)) + "/" + itoa(int(g.Limit))
			if g.Used+g.Remaining != g.Limit || g.ResetAt.IsZero() {
				text += "!"
			}
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// What is told of limits is what the decision has counted, owner by owner, and asking
// uses up nothing.
func TestLimitsNowAreThoseOfTheDecision(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	must(w.manager.UpdateOrganization(w.ctx, operator, manage.UpdateOrganization{ID: o.ID, Plan: ptr("pro")}))(t)
	me := w.member(o.ID, "me@example.com", cardea.RoleViewer)
	plain, own := w.key(o.ID, "plain"), w.key(o.ID, "own")
	must(w.manager.UpdateKey(w.ctx, operator, manage.UpdateKey{ID: own.Key.ID, Limits: &manage.Limits{PerMinute: 5, Burst: 5}}))(t)
	for range 3 {
		w.request(plain.Secret.Reveal())
	}
	for range 7 { // two of them refused
		w.request(own.Secret.Reveal())
	}
	for range 2 {
		w.log(store.RequestRow{RequestID: "req_429", Organization: o.ID, Credential: own.Key.ID, Status: 429, Reason: cardea.ReasonRateLimited})
		w.log(store.RequestRow{RequestID: "req_401", Organization: o.ID, Credential: own.Key.ID, Status: 401, Reason: cardea.ReasonExpired})
		for _, c := range []struct {
			q    insight.LimitsQuery
			want string
		}{
			{insight.LimitsQuery{}, "live minute 8/600 day 8/50000; test minute 0/600 day 0/50000; own live minute 5/5 burst 5/5"},
			{insight.LimitsQuery{Environment: "live"}, "live minute 8/600 day 8/50000; own live minute 5/5 burst 5/5"},
			{insight.LimitsQuery{Key: own.Key.ID}, "live minute 8/600 day 8/50000; own live minute 5/5 burst 5/5"},
			{insight.LimitsQuery{Key: plain.Key.ID}, "live minute 8/600 day 8/50000"},
		} {
			got := must(w.LimitsNow(w.ctx, me, c.q))(t)
			if diff := cmp.Diff(c.want, gauges(got.Owners)); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", c.q, diff)
			}
			if got.Per != "organization" || c.q.Key != plain.Key.ID && (len(got.Refusals) != 1 || got.Refusals[0].ID != "req_429") {
				t.Errorf("%+v: %s, refusals %+v", c.q, got.Per, got.Refusals)
			}
		}
	}
	if d := w.request(plain.Secret.Reveal()); d.Limit.Remaining != 600-9 {
		t.Errorf("asking used something up: %+v", d.Limit)
	}
}

// Where each credential counts for itself, it is held to its own limits and its plan's.
func TestLimitsNowOfCredentials(t *testing.T) {
	w := newWorldOf(t, store.Config{Dir: t.TempDir()}, strings.Replace(acme, "default_plan: standard", "default_plan: standard\nlimits: {per: credential}", 1))
	o := w.organization("Acme")
	k := w.key(o.ID, "CI")
	w.request(k.Secret.Reveal())
	w.used(k.Key.ID, o.ID, "GET /v1/things", 0)
	got := must(w.LimitsNow(w.ctx, operator, insight.LimitsQuery{Organization: o.ID}))(t)
	if s := gauges(got.Owners); s != "CI live minute 1/300 burst 1/50" || got.Per != "credential" || got.Owners[0].PlanLabel != "Standard" {
		t.Errorf("%s: %+v", s, got)
	}
}

// Health tells what the operator's console shows, and texts of nobody's files.
func TestHealthTellsHowCardeaIs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		w.log(store.RequestRow{RequestID: "req_1", Organization: o.ID})
		h := must(w.Health(w.ctx, observer, access.None{}))(t)
		if !h.Store.Reachable || h.Store.Engine != w.store.Engine() || h.Store.Bytes == 0 || h.Store.RequestLogDays != 1 || h.Store.RequestLogBytes == 0 {
			t.Errorf("store %+v", h.Store)
		}
		if h.Contract.Source != "cardea.yaml" || len(h.Contract.Hash) != 64 || len(h.Contract.Problems) != 0 {
			t.Errorf("contract %+v", h.Contract)
		}
	})
}
