package store_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// Usage is the same whichever of its sums is read: with credentials or without, by the
// hour or by the day.
func TestUsageIsTheSameInEverySum(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db, random := t.Context(), open(), rand.New(rand.NewPCG(3, 4))
		begin := hour(0).Truncate(24 * time.Hour)
		reasons := []cardea.Reason{cardea.ReasonAllowed, cardea.ReasonScope, cardea.ReasonRateLimited, cardea.ReasonQuota, cardea.ReasonUpstream}
		for range 5 {
			var deltas []store.UsageDelta
			for range 60 {
				deltas = append(deltas, store.UsageDelta{
					Credential: fmt.Sprintf("key_%d", random.IntN(7)), Organization: "org_1", Environment: "live",
					Hour: begin.Add(time.Duration(random.IntN(72)) * time.Hour), Route: fmt.Sprintf("GET /%d", random.IntN(3)),
					StatusClass: 2 + random.IntN(3), Reason: reasons[random.IntN(len(reasons))], Requests: 1 + random.Int64N(9),
					BytesOut: random.Int64N(100), Latency: time.Duration(random.IntN(1000)) * time.Microsecond,
				})
			}
			if err := db.AddUsage(ctx, deltas); err != nil {
				t.Fatal(err)
			}
		}
		whole := store.UsageFilter{Organization: "org_1", Since: begin, Until: begin.Add(72 * time.Hour)}
		sum := func(rows []store.UsageRow, err error) (s store.UsageRow) {
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				s.Requests, s.Denied, s.Limited = s.Requests+r.Requests, s.Denied+r.Denied, s.Limited+r.Limited
				s.BytesOut, s.Latency = s.BytesOut+r.BytesOut, s.Latency+r.Latency
			}
			return s
		}
		by := func(names ...string) store.UsageRow {
			f := whole
			f.By = names
			return sum(db.Usage(ctx, f))
		}
		want := by(store.ByCredential) // the account itself
		if want.Requests == 0 || want.Denied <= want.Limited || want.Limited == 0 {
			t.Fatalf("nothing to compare: %+v", want)
		}
		part := func(from, to int, credentials []string) store.UsageRow {
			f := whole
			f.Since, f.Until = begin.Add(time.Duration(from)*time.Hour), begin.Add(time.Duration(to)*time.Hour)
			rows, _, err := db.TopUsage(ctx, f, credentials, 100)
			return sum(rows, err)
		}
		hours := part(0, 1, nil)
		for h := 1; h < 72; h++ {
			r := part(h, h+1, nil)
			hours = sum([]store.UsageRow{hours, r}, nil)
		}
		all := []string{"key_0", "key_1", "key_2", "key_3", "key_4", "key_5", "key_6", "key_7"}
		for name, got := range map[string]store.UsageRow{
			"by the hour": by(store.ByHour), "by the day": by(store.ByDay), "by route": by(store.ByRoute), "by reason": by(store.ByReason),
			"in all": by(), "days of credentials": sum(db.DailyUsage(ctx, whole, all)), "most active": part(0, 72, nil),
			"of those": part(0, 72, all), "hours of credentials": hours,
		} {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
		// The figures of another organization are another's.
		other := whole
		other.Organization = "org_2"
		if rows, err := db.DailyUsage(ctx, other, all); err != nil || len(rows) > 0 {
			t.Errorf("another organization's days: %v, %v", rows, err)
		}
		if rows, _, err := db.TopUsage(ctx, other, all, 10); err != nil || len(rows) > 0 {
			t.Errorf("another organization's credentials: %v, %v", rows, err)
		}
	})
}

// The most active credentials come first, and what is left out is said.
func TestTopUsageIsOrderedAndCut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		var deltas []store.UsageDelta
		for i := range 20 {
			deltas = append(deltas, store.UsageDelta{Credential: fmt.Sprintf("key_%02d", i), Organization: "org_1", Environment: "live", Hour: hour(i % 5),
				Route: "GET /", StatusClass: 2, Reason: cardea.ReasonAllowed, Requests: int64(100 - i)})
		}
		if err := db.AddUsage(ctx, deltas); err != nil {
			t.Fatal(err)
		}
		rows, more, err := db.TopUsage(ctx, store.UsageFilter{Organization: "org_1", Since: hour(0), Until: hour(9)}, nil, 3)
		if err != nil || !more || len(rows) != 3 || rows[0].Credential != "key_00" || rows[2].Credential != "key_02" {
			t.Errorf("%v, %v, %v", rows, more, err)
		}
	})
}

// A backup of a version that did not add usage up is restored with its sums, and a
// database of one is brought up to date with them.
func TestOlderUsageIsAddedUp(t *testing.T) {
	day := hour(0).Truncate(24 * time.Hour)
	check := func(t *testing.T, db *store.DB) {
		t.Helper()
		f := store.UsageFilter{Organization: "org_1", By: []string{store.ByReason}, Since: day, Until: day.Add(24 * time.Hour)}
		for range 2 { // by the day, then by the hour
			rows, err := db.Usage(t.Context(), f)
			if err != nil || len(rows) != 2 || rows[0].Requests != 5 || rows[0].Denied != 0 || rows[1].Denied != 4 {
				t.Errorf("since %v: %+v, %v", f.Since, rows, err)
			}
			f.Until = f.Until.Add(time.Hour)
		}
		days, err := db.DailyUsage(t.Context(), f, []string{"key_1"})
		if err != nil || len(days) != 1 || days[0].Requests != 9 || days[0].Denied != 4 || days[0].Limited != 4 {
			t.Errorf("days %+v, %v", days, err)
		}
	}
	columns := []string{"credential", "hour", "route", "status_class", "reason", "organization", "environment", "requests", "bytes_out", "latency_us"}
	rows := [][]any{
		{"key_1", day.UnixMicro(), "GET /", 2, "allowed", "org_1", "live", 5, 7, 9},
		{"key_1", day.Add(time.Hour).UnixMicro(), "GET /", 4, "rate_limited", "org_1", "live", 4, 0, 1},
	}
	t.Run("restored", func(t *testing.T) {
		lines := []any{
			map[string]any{"format": "cardea-backup", "version": 1, "schema": 3, "engine": "sqlite", "created_at": "2026-11-22T00:00:00Z"},
			map[string]any{"table": "usage_hourly", "columns": columns}, rows[0], rows[1],
		}
		var text string
		for _, line := range lines {
			text += string(must(json.Marshal(line))(t)) + "\n"
		}
		file := filepath.Join(t.TempDir(), "backup")
		rezip(t, file, text+fmt.Sprintf("{\"lines\":4,\"sha256\":\"%x\"}\n", sha256.Sum256([]byte(text))))
		for engine, cfg := range targets(t) {
			if _, err := store.Restore(t.Context(), file, cfg); err != nil {
				t.Fatalf("%s: %v", engine, err)
			}
			check(t, storetest.OpenConfig(t, cfg))
		}
	})
	t.Run("migrated", func(t *testing.T) {
		storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
			var db *sql.DB
			dialect, folder := goose.DialectPostgres, "postgres"
			if cfg.DSN == "" {
				if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
					t.Fatal(err)
				}
				dialect, folder = goose.DialectSQLite3, "usage"
				db = must(sql.Open("sqlite", "file:"+filepath.Join(cfg.Dir, "usage.db")))(t)
				t.Cleanup(func() { db.Close() })
			} else {
				db = raw(t, cfg)
			}
			provider, err := goose.NewProvider(dialect, db, os.DirFS(filepath.Join("migrations", folder)), goose.WithDisableGlobalRegistry(true))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := provider.UpTo(t.Context(), 3); err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				if _, err := db.ExecContext(t.Context(), `INSERT INTO usage_hourly (credential, hour, route, status_class, reason, organization,
					environment, requests, bytes_out, latency_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, row...); err != nil {
					t.Fatal(err)
				}
			}
			upgraded := must(store.Open(t.Context(), cfg))(t) // not what storetest keeps ready
			t.Cleanup(func() { upgraded.Close() })
			check(t, upgraded)
		})
	})
}
