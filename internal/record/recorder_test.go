package record_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/limit"
	"github.com/cardea-dev/cardea/internal/record"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

var keySecret = secret.HashOf("the key's secret")

// event is an allowed request of a key.
func event(i int, at time.Time) record.Event {
	return record.Event{
		At: at, RequestID: fmt.Sprintf("req_%d", i), Credential: "key_1", Organization: "org_1", Environment: "live",
		Secret: keySecret, Method: "GET", Host: "api.example.com", Route: "GET /v1/items", Path: "/v1/items",
		Status: 200, Reason: cardea.ReasonAllowed, Client: netip.MustParseAddr("192.0.2.7"),
		Latency: time.Millisecond, BytesOut: 100, NoteUse: true,
	}
}

// withKey stores the key that events are about.
func withKey(t testing.TB, db *store.DB) {
	t.Helper()
	storetest.Change(t, db, func(tx *store.Tx) error {
		if err := tx.InsertOrganization(t.Context(), store.Organization{ID: "org_1"}); err != nil {
			return err
		}
		if err := tx.InsertCredential(t.Context(), store.Credential{ID: "key_1", Organization: "org_1", Environment: "live"}); err != nil {
			return err
		}
		return tx.InsertSecret(t.Context(), store.CredentialSecret{Hash: keySecret, Credential: "key_1"})
	})
}

// requests returns how many requests were counted and how many were logged.
func requests(t *testing.T, db *store.DB) (counted, logged, dropped int64) {
	t.Helper()
	rows, err := db.Usage(t.Context(), store.UsageFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for page := (store.Page{Limit: 500}); ; {
		list, next, err := db.Requests(t.Context(), store.RequestFilter{}, page)
		if err != nil {
			t.Fatal(err)
		}
		logged += int64(len(list))
		if page.After = next; next == "" {
			break
		}
	}
	gaps, err := db.Gaps(t.Context(), time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range gaps {
		dropped += g.Dropped
	}
	return rows[0].Requests, logged, dropped
}

func TestEventsAreCountedAndLogged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		withKey(t, db)
		r := record.New(record.Config{Store: db})
		start := time.Now().UTC().Truncate(time.Microsecond)
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				for i := range 50 {
					e := event(w*1000+i, start)
					if i%5 == 0 {
						e.Status, e.Reason, e.Step, e.Detail = 403, cardea.ReasonScope, cardea.StepScope, "needs items:write"
					}
					r.Add(e)
				}
			})
		}
		wg.Wait()
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if counted, logged, dropped := requests(t, db); counted != 400 || logged != 400 || dropped != 0 {
			t.Errorf("%d counted, %d logged, %d dropped; want 400, 400, 0", counted, logged, dropped)
		}
		row, err := db.Request(t.Context(), "req_5")
		if err != nil || row.Detail != "needs items:write" || row.Step != cardea.StepScope || row.Route != "GET /v1/items" {
			t.Errorf("the logged request: %+v, %v", row, err)
		}
		u, err := db.KeyUsage(t.Context(), "key_1", time.Time{})
		if err != nil || !u.LastUsedAt.Equal(start) || u.Denials["forbidden"] != 80 || u.Total.BytesOut != 40000 {
			t.Errorf("the key's usage: %+v, %v", u, err)
		}
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		want := record.Stats{Events: 400, Rows: 400}
		if diff := cmp.Diff(want, r.Stats()); diff != "" {
			t.Errorf("stats (-want +got):\n%s", diff)
		}
	})
}

func TestCloseWritesWhatIsLeft(t *testing.T) {
	dir := t.TempDir()
	db := storetest.OpenConfig(t, store.Config{Dir: dir})
	withKey(t, db)
	limits := limit.NewTable(0)
	now := time.Now()
	b, _ := limits.Bucket("org_1/live", now)
	for range 7 {
		limit.Take(now, b, limit.Rule{PerDay: 100}, nil, limit.Rule{})
	}
	r := record.New(record.Config{Store: db, Limits: limits})
	for i := range 10 {
		r.Add(event(i, now))
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if counted, logged, _ := requests(t, db); counted != 10 || logged != 10 {
		t.Errorf("%d counted and %d logged, want 10", counted, logged)
	}
	again := storetest.OpenConfig(t, store.Config{Dir: dir}) // a restart
	l, err := again.LookupSecret(t.Context(), keySecret)
	if err != nil || l.OrganizationDay != 7 || l.Credential.LastUsedAt.IsZero() || l.Secret.LastUsedAt.IsZero() {
		t.Errorf("after a restart: %+v, %v", l, err)
	}
}

func TestBatchesGoOutTenTimesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		withKey(t, db)
		r := record.New(record.Config{Store: db})
		for i := range 3 {
			r.Add(event(i, time.Now()))
			time.Sleep(101 * time.Millisecond)
			synctest.Wait()
			if counted, logged, _ := requests(t, db); counted != int64(i+1) || logged != int64(i+1) {
				t.Errorf("after %d events: %d counted, %d logged", i+1, counted, logged)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestUseIsWrittenWhereTheDecisionAsksAndNeverForRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		withKey(t, db)
		r := record.New(record.Config{Store: db})
		used := func() time.Time {
			time.Sleep(2 * time.Second)
			synctest.Wait()
			c, err := db.Credential(t.Context(), "key_1")
			if err != nil {
				t.Fatal(err)
			}
			return c.LastUsedAt
		}
		refused := event(0, time.Now())
		refused.Reason = cardea.ReasonIdle
		r.Add(refused)
		if at := used(); !at.IsZero() {
			t.Errorf("a refusal counted as use at %v", at)
		}
		first := time.Now().UTC()
		r.Add(event(1, first))
		if at := used(); !at.Equal(first) {
			t.Errorf("first use at %v, want %v", at, first)
		}
		unasked := event(2, time.Now())
		unasked.NoteUse = false
		r.Add(unasked)
		if at := used(); !at.Equal(first) {
			t.Errorf("a use that need not be written was: %v", at)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

// With many callers counts are collected for a while; closing writes them at once.
func TestCountsOfManyCallersAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		withKey(t, db)
		r := record.New(record.Config{Store: db})
		counted := func() (n int64) {
			rows, err := db.Usage(t.Context(), store.UsageFilter{})
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				n += row.Requests
			}
			return n
		}
		const callers = 1000
		round := func() {
			for i := range callers {
				e := event(i, time.Now())
				e.Credential = fmt.Sprintf("key_%d", i)
				r.Add(e)
			}
		}
		wait := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		round()
		wait(time.Second)
		if n := counted(); n != callers {
			t.Errorf("first round: %d counted, want %d: nothing was written for long", n, callers)
		}
		round()
		wait(time.Second)
		round()
		if n := counted(); n != callers {
			t.Errorf("within ten seconds: %d written, want %d", n, callers)
		}
		wait(11 * time.Second)
		if n := counted(); n != 3*callers {
			t.Errorf("after ten seconds: %d written, want %d", n, 3*callers)
		}
		round()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if n := counted(); n != 4*callers {
			t.Errorf("closed: %d written, want %d", n, 4*callers)
		}
	})
}

// More than the buffer holds comes in while nothing can be written.
func TestRushDropsRowsAndNeverCounts(t *testing.T) {
	db := storetest.Open(t)
	withKey(t, db)
	hold, held := make(chan struct{}), make(chan struct{})
	go storetest.Change(t, db, func(*store.Tx) error { // occupies the writer of the control data
		close(held)
		<-hold
		return nil
	})
	<-held
	r := record.New(record.Config{Store: db})
	r.Add(event(0, time.Now()))
	flushed := make(chan error)
	go func() { flushed <- r.Flush(context.Background()) }() // waits for the last use to be written
	const n = 150_000
	now := time.Now()
	e := event(1, now)
	for i := range n {
		e.RequestID = "req_" + string(rune('a'+i%26)) + fmt.Sprint(i)
		r.Add(e)
	}
	stats := r.Stats()
	close(hold)
	if err := <-flushed; err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if stats.Events < n || stats.Dropped == 0 {
		t.Errorf("while nothing could be written: %+v", stats)
	}
	end := r.Stats()
	rows, err := db.Usage(t.Context(), store.UsageFilter{})
	if err != nil || rows[0].Requests != n+1 {
		t.Errorf("%d counted (%v), want %d", rows[0].Requests, err, n+1)
	}
	gaps, err := db.Gaps(t.Context(), time.Time{}, time.Time{})
	var dropped int64
	for _, g := range gaps {
		dropped += g.Dropped
	}
	if err != nil || uint64(dropped) != end.Dropped || end.Rows+end.Dropped != n+1 || end.Events != n+1 {
		t.Errorf("the log has gaps of %d (%v), stats %+v", dropped, err, end)
	}
}

// A directory in the way of the day's file stands for a disk that refuses the request
// log for a while.
func TestStorageTroubleLosesNoCounts(t *testing.T) {
	dir := t.TempDir()
	db := storetest.OpenConfig(t, store.Config{Dir: dir})
	withKey(t, db)
	r := record.New(record.Config{Store: db})
	now := time.Now()
	block := filepath.Join(dir, "logs", now.UTC().Format(time.DateOnly)+".db")
	if err := os.Mkdir(block, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		r.Add(event(i, now))
	}
	if err := r.Flush(t.Context()); err == nil {
		t.Fatal("writing to a directory succeeded")
	}
	if rows, err := db.Usage(t.Context(), store.UsageFilter{}); err != nil || rows[0].Requests != 20 {
		t.Errorf("counts must not wait for rows: %v, %v", rows, err)
	}
	for i := range 5 {
		r.Add(event(100+i, now))
	}
	if err := os.Remove(block); err != nil {
		t.Fatal(err)
	}
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if counted, logged, dropped := requests(t, db); counted != 25 || logged != 25 || dropped != 0 {
		t.Errorf("%d counted, %d logged, %d dropped; want 25, 25, 0", counted, logged, dropped)
	}
	if s := r.Stats(); s.Failures == 0 {
		t.Errorf("failures are not counted: %+v", s)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestRowsBeyondTheBudgetAreCountedAndRefusalsHaveTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.Open(t)
		withKey(t, db)
		r := record.New(record.Config{Store: db})
		at := time.Now()
		for i := range 5000 { // 2,000 rows at once are within the budget
			r.Add(event(i, at))
		}
		for i := range 300 {
			e := event(10_000+i, at)
			e.Status, e.Reason, e.Step = 429, cardea.ReasonRateLimited, cardea.StepLimit
			r.Add(e)
		}
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if counted, logged, dropped := requests(t, db); counted != 5300 || logged != 2300 || dropped != 3000 {
			t.Errorf("%d counted, %d logged, %d dropped; want 5300, 2300, 3000", counted, logged, dropped)
		}
		time.Sleep(time.Second) // is worth 500 rows
		for i := range 1000 {
			r.Add(event(20_000+i, at.Add(time.Second)))
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if _, logged, dropped := requests(t, db); logged != 2800 || dropped != 3500 {
			t.Errorf("a second later: %d logged, %d dropped; want 2800, 3500", logged, dropped)
		}
	})
}
