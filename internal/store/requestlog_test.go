package store_test

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

func request(id string, at time.Time) store.RequestRow {
	return store.RequestRow{
		At: at, RequestID: id, Credential: "key_1", Organization: "org_1", Environment: "live", OldSecret: true,
		Method: "GET", Host: "api.example.com", Route: "GET /v1/items/{id}", Path: "/v1/items/7", Status: 403,
		Reason: cardea.ReasonScope, Step: cardea.StepScope, Client: netip.MustParseAddr("2001:db8::7"),
		Latency: 1500 * time.Microsecond, BytesOut: 42, ContractLine: 77, Detail: "needs items:read",
	}
}

func TestLoggedRequestsComeBackNewestFirst(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Now = func() time.Time { return hour(20) }
		ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
		var rows []store.RequestRow
		for i := range 30 { // over three days, several at one instant
			r := request(fmt.Sprintf("req_%02d", i), hour(1).AddDate(0, 0, -i/10).Add(-time.Duration(i/3)*time.Minute))
			if i%2 == 0 {
				r.Status, r.Reason, r.Step, r.Credential = 200, cardea.ReasonAllowed, cardea.StepNone, "key_2"
			}
			rows = append(rows, r)
		}
		for range 2 { // a repeated batch, as after an error, changes nothing
			if err := db.AppendRequests(ctx, rows, nil); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, "by id", must(db.Request(ctx, "req_13"))(t), rows[13])
		seen := map[string]bool{}
		last := rows[0].At
		for page := (store.Page{Limit: 7}); ; {
			list, next, err := db.Requests(ctx, store.RequestFilter{}, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range list {
				if r.At.After(last) || seen[r.RequestID] {
					t.Errorf("%s is out of order or comes twice", r.RequestID)
				}
				last, seen[r.RequestID] = r.At, true
			}
			if page.After = next; next == "" {
				break
			}
		}
		if len(seen) != len(rows) {
			t.Errorf("%d of %d requests were listed", len(seen), len(rows))
		}
		for name, c := range map[string]struct {
			f    store.RequestFilter
			want int
		}{
			"credential":   {store.RequestFilter{Credential: "key_1"}, 15},
			"organization": {store.RequestFilter{Organization: "org_2"}, 0},
			"environment":  {store.RequestFilter{Environment: "live"}, 30},
			"reason":       {store.RequestFilter{Reason: "forbidden"}, 15},
			"denied":       {store.RequestFilter{Denied: true}, 15},
			"status":       {store.RequestFilter{Status: 200}, 15},
			"status class": {store.RequestFilter{Status: 4}, 15},
			"since":        {store.RequestFilter{Since: rows[10].At.Add(time.Hour)}, 10},
			"until":        {store.RequestFilter{Until: rows[9].At}, 20},
			"all":          {store.RequestFilter{Credential: "key_2", Status: 2, Until: rows[9].At}, 10},
		} {
			list, _, err := db.Requests(ctx, c.f, store.Page{Limit: 100})
			if err != nil || len(list) != c.want {
				t.Errorf("%s: %d requests, %v; want %d", name, len(list), err, c.want)
			}
		}
	})
}

func TestHostileTextsAreLoggedHarmlessly(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Now = func() time.Time { return hour(20) }
		ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
		r := request("req_hostile", hour(1))
		r.Path, r.Host, r.Method = "/\x00\xff'; DROP TABLE x --"+strings.Repeat("ü", 500), "\xc3", "G\x00T"
		r.Client = netip.Addr{}
		if err := db.AppendRequests(ctx, []store.RequestRow{r}, nil); err != nil {
			t.Fatal(err)
		}
		got := must(db.Request(ctx, "req_hostile"))(t)
		if !strings.HasPrefix(got.Path, "/��'; DROP TABLE x --ü") || len(got.Path) > 210 || got.Client.IsValid() {
			t.Errorf("got %q, %q, %v", got.Path, got.Host, got.Client)
		}
	})
}

func TestDroppedRequestsLeaveAGap(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Now = func() time.Time { return hour(20) }
		ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
		gaps := []store.Gap{
			{From: hour(1).AddDate(0, 0, -1), Until: hour(2).AddDate(0, 0, -1), Dropped: 5},
			{From: hour(3), Until: hour(4), Dropped: 7},
		}
		if err := db.AppendRequests(ctx, nil, gaps); err != nil {
			t.Fatal(err)
		}
		equal(t, "all gaps", must(db.Gaps(ctx, time.Time{}, time.Time{}))(t), gaps)
		equal(t, "gaps of a time", must(db.Gaps(ctx, hour(3).Add(time.Minute), hour(5)))(t), gaps[1:])
		equal(t, "gaps of another time", must(db.Gaps(ctx, hour(5), hour(6)))(t), []store.Gap{})
	})
}

func TestRequestLogIsKeptByAgeAndBySize(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Now = func() time.Time { return hour(20) }
		for _, c := range []struct {
			name  string
			bound store.Retention
			want  int
		}{
			{"as it is", store.Retention{Days: 30}, 6},
			{"by age", store.Retention{Days: 3}, 4}, // today and three days before
			{"by size", store.Retention{Days: 3, Bytes: 1}, 1},
		} {
			cfg.RequestLog = c.bound
			ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
			if c.name == "as it is" {
				for day := range 6 {
					r := request(fmt.Sprintf("req_%d", day), hour(1).AddDate(0, 0, -day))
					if err := db.AppendRequests(ctx, []store.RequestRow{r}, []store.Gap{{From: r.At, Until: r.At, Dropped: 1}}); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := db.Maintain(ctx); err != nil {
				t.Fatal(err)
			}
			list, _, err := db.Requests(ctx, store.RequestFilter{}, store.Page{})
			if err != nil || len(list) != c.want || list[0].RequestID != "req_0" {
				t.Errorf("%s: %d days (%v), want %d", c.name, len(list), err, c.want)
			}
			if gaps := must(db.Gaps(ctx, time.Time{}, time.Time{}))(t); len(gaps) != c.want {
				t.Errorf("%s: %d gaps, want %d", c.name, len(gaps), c.want)
			}
		}
		// A day that was thrown away can be written again: a late request is kept.
		db := storetest.OpenConfig(t, cfg)
		if err := db.AppendRequests(t.Context(), []store.RequestRow{request("req_late", hour(1).AddDate(0, 0, -5))}, nil); err != nil {
			t.Errorf("a late request: %v", err)
		}
		if files, _ := os.ReadDir(filepath.Join(cfg.Dir, "logs")); cfg.DSN == "" && len(files) == 0 {
			t.Error("no day files")
		}
	})
}

func TestUsageAddsUpByAnyDimension(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		now := hour(20)
		cfg.Now = func() time.Time { return now }
		ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
		people(t, db)
		start := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
		var deltas []store.UsageDelta
		for i := range 6 { // two hours before midnight and four after, two routes
			for _, reason := range []cardea.Reason{cardea.ReasonAllowed, cardea.ReasonScope, cardea.ReasonQuota, cardea.ReasonUpstream} {
				deltas = append(deltas, store.UsageDelta{
					Credential: "key_1", Organization: "org_1", Environment: "live", Hour: start.Add(time.Duration(i) * time.Hour),
					Route: fmt.Sprintf("GET /%d", i%2), StatusClass: 2, Reason: reason,
					Requests: 10, BytesOut: 100, Latency: time.Millisecond,
				})
			}
		}
		for range 2 {
			if err := db.AddUsage(ctx, deltas); err != nil {
				t.Fatal(err)
			}
		}
		sum := func(n int64) store.UsageRow {
			return store.UsageRow{Requests: 80 * n, Denied: 40 * n, Limited: 20 * n, BytesOut: 800 * n, Latency: time.Duration(8*n) * time.Millisecond}
		}
		equal(t, "sum", must(db.Usage(ctx, store.UsageFilter{}))(t), []store.UsageRow{sum(6)})
		days := must(db.Usage(ctx, store.UsageFilter{Credential: "key_1", By: []string{store.ByDay}}))(t)
		today, yesterday := sum(4), sum(2)
		today.Time, yesterday.Time = start.Add(2*time.Hour), start.Add(-22*time.Hour)
		equal(t, "by day, newest first", days, []store.UsageRow{today, yesterday})
		hours := must(db.Usage(ctx, store.UsageFilter{By: []string{store.ByHour, store.ByRoute, store.ByEnvironment}, Since: start.Add(5 * time.Hour)}))(t)
		last := sum(1)
		last.Time, last.Route, last.Environment = start.Add(5*time.Hour), "GET /1", "live"
		equal(t, "by hour and route", hours, []store.UsageRow{last})
		equal(t, "of nobody", must(db.Usage(ctx, store.UsageFilter{Organization: "org_2"}))(t), []store.UsageRow{{}})
		if rows := must(db.Usage(ctx, store.UsageFilter{By: []string{store.ByReason, store.ByStatusClass, store.ByCredential}}))(t); len(rows) != 4 {
			t.Errorf("by reason: %v", rows)
		}
		_, err := db.Usage(ctx, store.UsageFilter{By: []string{"hour; DROP TABLE usage_hourly"}})
		wantKind(t, "unknown dimension", err, cardea.KindInvalid)

		key := must(db.KeyUsage(ctx, "key_1", start))(t)
		equal(t, "denials by reason", key.Denials, map[string]int64{"forbidden": 120, "quota_exceeded": 120})
		equal(t, "total of the key", key.Total, sum(6))

		now = now.AddDate(0, 14, 0)
		if err := db.Maintain(ctx); err != nil {
			t.Fatal(err)
		}
		equal(t, "after 14 months", must(db.Usage(ctx, store.UsageFilter{}))(t), []store.UsageRow{{}})
	})
}
