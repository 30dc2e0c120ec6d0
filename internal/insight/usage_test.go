package insight_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/store"
)

// count adds n requests of a credential to an hour.
func (w *world) count(credential, organization, route string, at time.Time, reason cardea.Reason, n int64) {
	w.t.Helper()
	class := 2
	if reason != cardea.ReasonAllowed {
		class = 4
	}
	err := w.store.AddUsage(w.ctx, []store.UsageDelta{{Credential: credential, Organization: organization, Environment: "live",
		Hour: at.Truncate(time.Hour), Route: route, StatusClass: class, Reason: reason, Requests: n, BytesOut: n, Latency: time.Millisecond}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// Whatever usage is summed by, the rows add up to the total, hour by hour and day by day,
// with a credential named or not.
func TestUsageAddsUpWhateverItIsSummedBy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		me := w.member(o.ID, "me@example.com", cardea.RoleViewer)
		k, app := w.key(o.ID, "CI").Key.ID, w.client(o.ID, "App").Client.ID
		other := w.organization("Other")
		now := w.clock()
		w.count(k, o.ID, "GET /v1/things", now, cardea.ReasonAllowed, 5)
		w.count(k, o.ID, "GET /v1/things", now.Add(-30*time.Hour), cardea.ReasonRateLimited, 2)
		w.count(app, o.ID, "POST /v1/things", now.Add(-2*time.Hour), cardea.ReasonAllowed, 3)
		w.count(app, o.ID, "", now.Add(-50*time.Hour), cardea.ReasonNoRoute, 1)
		w.count(k, o.ID, "GET /v1/things", now.AddDate(0, 0, -10), cardea.ReasonAllowed, 100)
		w.count("", o.ID, "*", now, cardea.ReasonAllowed, 1)
		w.count(w.key(other.ID, "x").Key.ID, other.ID, "GET /v1/things", now, cardea.ReasonAllowed, 1000)
		for days, total := range map[int]int64{1: 9, 3: 12, 30: 112} {
			from := now.AddDate(0, 0, -days)
			for _, by := range []string{"key", "organization", "route", "hour", "day", "status", "reason", "environment"} {
				u := must(w.Usage(w.ctx, me, insight.UsageQuery{From: from, By: by}))(t)
				var sum int64
				for _, row := range u.Rows {
					sum += row.Counts.Requests
				}
				if by == "key" {
					sum++ // callers that nobody knows are no key
				}
				if u.Total.Requests != total || sum != total {
					t.Errorf("by %s over %d days: total %d, rows %d, want %d: %+v", by, days, u.Total.Requests, sum, total, u.Rows)
				}
			}
			s := must(w.Series(w.ctx, me, insight.UsageQuery{From: from, By: "route"}))(t)
			var sum int64
			for _, line := range s.Lines {
				for _, n := range line.Requests {
					sum += n
				}
				if len(line.Requests) != len(s.At) || len(line.Denied) != len(s.At) {
					t.Errorf("a line of %d and %d values for %d steps", len(line.Requests), len(line.Denied), len(s.At))
				}
			}
			if sum != total || (s.Step == "hour") != (days <= 3) {
				t.Errorf("series over %d days, by the %s: %d, want %d", days, s.Step, sum, total)
			}
		}
		rows := must(w.Usage(w.ctx, me, insight.UsageQuery{From: now.AddDate(0, 0, -30), By: "route"}))(t).Rows
		names := map[string]string{}
		for _, r := range rows {
			names[r.Group] = r.Name
		}
		if diff := cmp.Diff(map[string]string{"GET /v1/things": "", "POST /v1/things": "", "": "unmatched", "*": "other routes"}, names); diff != "" {
			t.Errorf("names of routes:\n%s", diff)
		}
		all := must(w.Usage(w.ctx, observer, insight.UsageQuery{By: "organization"}))(t).Rows
		if len(all) != 2 || all[0].Name != "Other" || all[0].Counts.Requests != 1000 || all[1].Group != o.ID {
			t.Errorf("by organization: %+v", all)
		}
		for by, want := range map[string][]string{"key": {"CI", "App"}, "client": {"App"}} {
			for _, who := range []cardea.Actor{me, operator} {
				var got []string
				for _, r := range must(w.Usage(w.ctx, who, insight.UsageQuery{Organization: o.ID, From: now.AddDate(0, 0, -30), By: by}))(t).Rows {
					got = append(got, r.Name)
				}
				if !slices.Equal(got, want) {
					t.Errorf("by %s: %v, want %v", by, got, want)
				}
			}
		}
	})
}

// A chart has every step, in order, and each value is where it belongs.
func TestSeriesHasEveryStep(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	k := w.key(o.ID, "CI").Key.ID
	now := w.clock() // 10:20:30
	w.count(k, o.ID, "GET /v1/things", now, cardea.ReasonAllowed, 5)
	w.count(k, o.ID, "GET /v1/things", now.Add(-3*time.Hour), cardea.ReasonScope, 2)
	s := must(w.Series(w.ctx, operator, insight.UsageQuery{Key: k, From: now.Add(-4 * time.Hour)}))(t)
	want := insight.Series{
		From: now.Add(-4 * time.Hour).Truncate(time.Hour), To: now.Truncate(time.Hour).Add(time.Hour), Step: "hour",
		Lines: []insight.Line{{Requests: []int64{0, 2, 0, 0, 5}, Denied: []int64{0, 2, 0, 0, 0}}},
	}
	for h := -4; h <= 0; h++ {
		want.At = append(want.At, now.Truncate(time.Hour).Add(time.Duration(h)*time.Hour))
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	for _, q := range []insight.UsageQuery{{Key: k}, {Organization: o.ID, By: "key"}, {Organization: o.ID, By: "total"}} {
		q.From = now.AddDate(0, 0, -9)
		s := must(w.Series(w.ctx, operator, q))(t)
		if s.Step != "day" || len(s.At) != 10 || len(s.Lines) != 1 || s.Lines[0].Requests[9] != 7 || s.Lines[0].Denied[9] != 2 {
			t.Errorf("%+v: %+v", q, s)
		}
	}
	// Nothing at all is a chart, too.
	if s := must(w.Series(w.ctx, operator, insight.UsageQuery{By: "route", From: now.AddDate(0, 0, -400), To: now.AddDate(0, 0, -390)}))(t); len(s.At) != 11 || len(s.Lines) != 0 {
		t.Errorf("an empty chart: %+v", s)
	}
}

// The ninth line and all after it are one.
func TestSmallLinesOfAChartAreOne(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	k := w.key(o.ID, "CI").Key.ID
	for i, n := range []int64{50, 40, 30, 20, 15, 14, 13, 12, 3, 2, 1} {
		w.count(k, o.ID, "GET /v1/"+string(rune('a'+i)), w.clock(), cardea.ReasonAllowed, n)
	}
	s := must(w.Series(w.ctx, operator, insight.UsageQuery{Organization: o.ID, By: "route"}))(t)
	last := s.Lines[len(s.Lines)-1]
	if len(s.Lines) != 9 || s.Lines[0].Group != "GET /v1/a" || last.Group != "other" || slices.Max(last.Requests) != 6 {
		t.Errorf("lines %+v", s.Lines)
	}
}

func TestSparksAreDailyCounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		me := w.member(o.ID, "me@example.com", cardea.RoleViewer)
		k, quiet := w.key(o.ID, "CI").Key.ID, w.key(o.ID, "Quiet").Key.ID
		for day, n := range map[int]int64{0: 3, 1: 2, 4: 9, 5: 100} {
			w.count(k, o.ID, "GET /v1/things", w.clock().AddDate(0, 0, -day), cardea.ReasonAllowed, n)
			w.count(k, o.ID, "POST /v1/things", w.clock().AddDate(0, 0, -day), cardea.ReasonScope, 1)
		}
		got := must(w.Sparks(w.ctx, me, []string{k, quiet, k}, 5))(t)
		want := map[string][]int64{k: {10, 0, 0, 3, 4}, quiet: {0, 0, 0, 0, 0}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got := must(w.Sparks(w.ctx, me, nil, 5))(t); len(got) != 0 {
			t.Errorf("nothing asked: %v", got)
		}
	})
}
