package insight_test

import (
	"fmt"
	"math/rand/v2"
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
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// How much the organization of the benchmarks has.
const (
	benchKeys     = 100_000
	benchRequests = 1_000_000
	benchDays     = 3 // of the request log
)

// crowd fills an organization: half of the requests are those of twenty keys, one in
// five ended badly, and the usage is what the requests leave.
func (w *world) crowd() (organization string, ids []string) {
	w.t.Helper()
	o := w.organization("Large")
	random := rand.New(rand.NewPCG(1, 2))
	for len(ids) < benchKeys {
		storetest.Change(w.t, w.store, func(tx *store.Tx) error {
			for range 10_000 {
				id := secret.NewID("key_")
				c := store.Credential{
					ID: id, Kind: "api_key", Environment: "live", Organization: o.ID, Name: fmt.Sprintf("Key %d", len(ids)), Scopes: []string{"read"},
					CreatedAt: w.clock().Add(-time.Duration(len(ids)) * time.Second),
				}
				if err := tx.InsertCredential(w.ctx, c); err != nil {
					return err
				}
				if err := tx.InsertSecret(w.ctx, store.CredentialSecret{Hash: secret.HashOf(id), Credential: id, Hint: "ck_live_…abcd"}); err != nil {
					return err
				}
				ids = append(ids, id)
			}
			return nil
		})
	}
	for range benchRequests / 10_000 {
		w.crowdRequests(random, o.ID, ids, 10_000)
	}
	return o.ID, ids
}

// outcomes are how requests of the benchmarks end.
var outcomes = []struct {
	status int
	reason cardea.Reason
}{
	{200, cardea.ReasonAllowed}, {200, cardea.ReasonAllowed}, {201, cardea.ReasonAllowed}, {200, cardea.ReasonAllowed},
	{200, cardea.ReasonAllowed}, {200, cardea.ReasonAllowed}, {200, cardea.ReasonAllowed}, {404, cardea.ReasonAllowed},
	{401, cardea.ReasonExpired}, {403, cardea.ReasonScope}, {429, cardea.ReasonRateLimited},
}

func (w *world) crowdRequests(random *rand.Rand, organization string, ids []string, n int) {
	rows := make([]store.RequestRow, n)
	deltas := make([]store.UsageDelta, n)
	for i := range rows {
		outcome, key := outcomes[random.IntN(len(outcomes))], ids[random.IntN(len(ids))]
		if random.IntN(2) == 0 {
			key = ids[random.IntN(20)]
		}
		at, route := w.clock().Add(-time.Duration(random.Int64N(int64(benchDays*24*time.Hour)))), random.IntN(20)
		rows[i] = store.RequestRow{
			At: at, RequestID: secret.NewID("req_"), Credential: key, Organization: organization, Environment: "live",
			Method: "GET", Host: "api.example.com", Route: fmt.Sprintf("GET /v1/things/%d/{id}", route), Path: fmt.Sprintf("/v1/things/%d/7", route),
			Status: outcome.status, Reason: outcome.reason, Client: netip.AddrFrom4([4]byte{203, 0, 113, byte(random.IntN(256))}),
			Latency: time.Millisecond, BytesOut: 1000,
		}
		deltas[i] = store.UsageDelta{
			Credential: key, Organization: organization, Environment: "live", Hour: at.Truncate(time.Hour), Route: rows[i].Route,
			StatusClass: outcome.status / 100, Reason: outcome.reason, Requests: 1, BytesOut: 1000, Latency: time.Millisecond,
		}
	}
	if err := w.store.AppendRequests(w.ctx, rows, nil); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.AddUsage(w.ctx, deltas); err != nil {
		w.t.Fatal(err)
	}
}

// BenchmarkLargeOrganization measures every query of a page over an organization with a
// hundred thousand keys and a million requests. Filling it takes a minute or two.
//
//	go test ./internal/insight -run '^$' -bench LargeOrganization -benchtime 5x
func BenchmarkLargeOrganization(b *testing.B) {
	w := sqlite(b)
	start := time.Now()
	org, ids := w.crowd()
	b.Logf("filled in %v", time.Since(start).Round(time.Second))
	ctx, me := b.Context(), w.member(org, "me@example.com", cardea.RoleOwner)
	stranger := w.member(w.organization("Small").ID, "other@example.com", cardea.RoleOwner)
	page := access.Page{Limit: 50}
	requests := func(f insight.RequestFilter) func() error {
		f.Page = page
		return func() error { return second2(w.Requests(ctx, me, f)) }
	}
	groups := func(f insight.RequestFilter) func() error {
		return func() error { return second2(w.Groups(ctx, me, f)) }
	}
	usage := func(q insight.UsageQuery) func() error {
		return func() error { return second2(w.Usage(ctx, me, q)) }
	}
	series := func(q insight.UsageQuery) func() error {
		return func() error { return second2(w.Series(ctx, me, q)) }
	}
	ago := func(days int) time.Time { return w.clock().AddDate(0, 0, -days) }
	for _, c := range []struct {
		name string
		call func() error
	}{
		{"requests/all", requests(insight.RequestFilter{})},
		{"requests/errors", requests(insight.RequestFilter{Outcome: "error"})},
		{"requests/denied", requests(insight.RequestFilter{Outcome: "denied"})},
		{"requests/busy-key", requests(insight.RequestFilter{Key: ids[3]})},
		{"requests/rare-key", requests(insight.RequestFilter{Key: ids[70_000]})},
		{"requests/status", requests(insight.RequestFilter{Status: "429"})},
		{"requests/path", requests(insight.RequestFilter{Search: "/v1/things/7/"})},
		{"requests/no-match-path", requests(insight.RequestFilter{Search: "/v1/nothing"})},
		{"requests/no-match-route", requests(insight.RequestFilter{Route: "-"})},
		{"requests/no-match-busy-key", requests(insight.RequestFilter{Key: ids[3], Method: "DELETE"})},
		{"requests/by-id", requests(insight.RequestFilter{Search: "req_none"})},
		{"requests/old", requests(insight.RequestFilter{To: ago(2)})},
		{"requests/strangers-key", func() error {
			return second2(w.Requests(ctx, stranger, insight.RequestFilter{Key: ids[3], Page: page}))
		}},
		{"requests/small-neighbour", func() error { return second2(w.Requests(ctx, stranger, insight.RequestFilter{Page: page})) }},
		{"groups/errors", groups(insight.RequestFilter{Outcome: "error"})},
		{"groups/all", groups(insight.RequestFilter{})},
		{"groups/busy-key", groups(insight.RequestFilter{Key: ids[3]})},
		{"groups/three-days", groups(insight.RequestFilter{Outcome: "error", From: ago(3)})},
		{"usage/key-24h", usage(insight.UsageQuery{})},
		{"usage/key-30d", usage(insight.UsageQuery{From: ago(30)})},
		{"usage/key-400d", usage(insight.UsageQuery{From: ago(390)})},
		{"usage/route-24h", usage(insight.UsageQuery{By: "route"})},
		{"usage/route-30d", usage(insight.UsageQuery{By: "route", From: ago(30)})},
		{"usage/status-30d", usage(insight.UsageQuery{By: "status", From: ago(30)})},
		{"usage/client-30d", usage(insight.UsageQuery{By: "client", From: ago(30)})},
		{"usage/one-key-30d", usage(insight.UsageQuery{Key: ids[3], By: "route", From: ago(30)})},
		{"series/total-24h", series(insight.UsageQuery{})},
		{"series/total-90d", series(insight.UsageQuery{From: ago(90)})},
		{"series/route-24h", series(insight.UsageQuery{By: "route"})},
		{"series/key-30d", series(insight.UsageQuery{By: "key", From: ago(30)})},
		{"series/one-key-30d", series(insight.UsageQuery{Key: ids[3], From: ago(30)})},
		{"sparks/50", func() error { return second2(w.Sparks(ctx, me, ids[:50], 30)) }},
		{"limits", func() error { return second2(w.LimitsNow(ctx, me, insight.LimitsQuery{})) }},
		{"limits/busy-key", func() error { return second2(w.LimitsNow(ctx, me, insight.LimitsQuery{Key: ids[3]})) }},
		{"impact", func() error {
			text := strings.Replace(acme, "\n  write: {description: Write, implies: [read]}", "\n  write: Write", 1)
			return second2(w.Impact(ctx, operator, insight.ImpactInput{Contract: text}))
		}},
		{"keys/page", func() error { return second2(w.manager.Keys(ctx, me, manage.KeyFilter{Page: page})) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			least := time.Hour // on a machine with other work the average is that work's
			for b.Loop() {
				begin := time.Now()
				if err := c.call(); err != nil {
					b.Fatal(err)
				}
				least = min(least, time.Since(begin))
			}
			b.ReportMetric(float64(least.Microseconds())/1000, "ms-least")
		})
	}
}
