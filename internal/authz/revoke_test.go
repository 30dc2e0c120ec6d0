package authz

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// Guarantee: "revoked" is true from the moment the call returns. No request that
// starts after that is allowed, whatever requests, look-ups and other changes are
// under way; the same holds for disabled, suspended and rotated.
func TestNothingIsAllowedAfterAChangeReturned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		w := newWorld(t, open(), func(c *Config) { c.RefusedPerMinute = -1 })
		for name, end := range endings {
			t.Run(name, func(t *testing.T) { w.hammer(t, end) })
		}
	})
}

// endings are the ways in which a key ends.
var endings = map[string]func(t *testing.T, tx *store.Tx, o *store.Organization, k *key) error{
	"revoked": func(t *testing.T, tx *store.Tx, _ *store.Organization, k *key) error {
		k.RevokedAt = start
		return tx.UpdateCredential(t.Context(), k.Credential)
	},
	"disabled": func(t *testing.T, tx *store.Tx, _ *store.Organization, k *key) error {
		k.DisabledAt = start
		return tx.UpdateCredential(t.Context(), k.Credential)
	},
	"suspended": func(t *testing.T, tx *store.Tx, o *store.Organization, _ *key) error {
		o.SuspendedAt = start
		return tx.UpdateOrganization(t.Context(), *o)
	},
	"rotated": func(t *testing.T, tx *store.Tx, _ *store.Organization, k *key) error {
		if err := tx.EndSecrets(t.Context(), k.ID, start); err != nil {
			return err
		}
		s := secret.New(secret.ShapePrefix, "ck_live_")
		return tx.InsertSecret(t.Context(), store.CredentialSecret{Hash: s.Hash(), Credential: k.ID})
	},
}

// hammer asks with keys from several goroutines while each in turn is ended, and other
// changes make their entries stale all the time.
func (w *world) hammer(t *testing.T, end func(*testing.T, *store.Tx, *store.Organization, *key) error) {
	w = &world{Authorizer: w.Authorizer, t: t, db: w.db}
	w.time.Store(&start)
	const keys, askers = 8, 2
	var over [keys]atomic.Bool
	var requests [keys]*cardea.Request
	organizations, all := make([]store.Organization, keys), make([]key, keys)
	for i := range keys {
		organizations[i] = w.organization("standard")
		all[i] = w.key(organizations[i], "api_key", "live")
		requests[i] = bearer("GET", "/v1/me", all[i])
	}
	var stop atomic.Bool
	var late, allowed atomic.Int64
	var wg sync.WaitGroup
	for a := range askers {
		wg.Go(func() {
			for i := a; !stop.Load(); i++ {
				n := i % keys
				was := over[n].Load()
				d, err := w.Authorize(context.Background(), requests[n])
				switch {
				case err != nil:
					t.Errorf("Authorize: %v", err)
					return
				case d.Reason == cardea.ReasonAllowed || d.Reason == cardea.ReasonRateLimited:
					if allowed.Add(1); was {
						late.Add(1)
					}
				}
			}
		})
	}
	progress := func(n int64) {
		for n += allowed.Load(); allowed.Load() < n && !t.Failed(); {
			runtime.Gosched()
		}
	}
	for i := range keys {
		progress(20)
		// Unrelated changes of the organizations: refills race with the end.
		for j := range 2 {
			o := organizations[(i+j)%keys]
			w.change(func(tx *store.Tx) error { return tx.UpdateOrganization(t.Context(), o) })
		}
		w.change(func(tx *store.Tx) error { return end(t, tx, &organizations[i], &all[i]) })
		over[i].Store(true)
	}
	stop.Store(true)
	wg.Wait()
	if late.Load() > 0 || allowed.Load() == 0 {
		t.Errorf("%d requests passed after the change returned, of %d that passed", late.Load(), allowed.Load())
	}
	for i := range keys {
		if d := w.ask(requests[i]); d.Allowed {
			t.Errorf("key %d still works", i)
		}
	}
}

// Guarantee: what a slow query read before a change is not kept after it.
func TestFillOfAnOlderSnapshotIsNotKept(t *testing.T) {
	w := newWorld(t, nil)
	k := w.key(w.organization("standard"), "api_key", "live")
	hash := k.Hash()
	old, err := w.db.LookupSecret(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	w.update(&k, func(c *store.Credential) { c.RevokedAt = start })
	if e := w.fill(w.current(), &hash, &old, start); e == nil || e.profile.flags&revoked != 0 {
		t.Fatal("the snapshot should be of the time before")
	}
	w.expect(bearer("GET", "/v1/me", k), cardea.StepStanding, cardea.ReasonRevoked)

	// The same with changes applied out of order, as two callers may do.
	k = w.key(w.organization("standard"), "api_key", "live")
	hash = k.Hash()
	if old, err = w.db.LookupSecret(t.Context(), hash); err != nil {
		t.Fatal(err)
	}
	k.RevokedAt = start
	first := storetest.Change(t, w.db, func(tx *store.Tx) error { return tx.UpdateCredential(t.Context(), k.Credential) })
	second := storetest.Change(t, w.db, func(tx *store.Tx) error {
		return tx.InsertOrganization(t.Context(), store.Organization{ID: "org_1", Plan: "small"})
	})
	w.Apply(second)
	w.fill(w.current(), &hash, &old, start)
	w.Apply(first)
	w.expect(bearer("GET", "/v1/me", k), cardea.StepStanding, cardea.ReasonRevoked)
}

// Guarantee: a request never takes over the result of a look-up that began before a
// change that the request must see.
func TestSharedLookupNeverTurnsTimeBack(t *testing.T) {
	w := newWorld(t, nil)
	k := w.key(w.organization("standard"), "api_key", "live")
	hash, v := k.Hash(), w.current()
	fl, leader := v.flights.join(&hash) // somebody's query, begun now and slow
	if !leader {
		t.Fatal("not the first")
	}
	old, err := w.db.LookupSecret(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	w.update(&k, func(c *store.Credential) { c.RevokedAt = start })
	result := make(chan Decision)
	go func() {
		d, _ := w.Authorize(context.Background(), bearer("GET", "/v1/me", k))
		result <- d
	}()
	for w.stats.joined.Load() == 0 {
		runtime.Gosched()
	}
	fl.entry, fl.seq = w.fill(v, &hash, &old, start), old.Seq
	v.flights.finish(&hash, fl)
	if d := <-result; d.Reason != cardea.ReasonRevoked {
		t.Errorf("%v, want revoked", d.Reason)
	}
}

// Guarantee: a thousand requests with one new key cost one query.
func TestConcurrentMissesShareOneQuery(t *testing.T) {
	w := newWorld(t, nil)
	k := w.key(w.organization("custom"), "api_key", "live")
	var wg sync.WaitGroup
	release := make(chan struct{})
	for range 200 {
		wg.Go(func() {
			<-release
			if _, err := w.Authorize(context.Background(), bearer("GET", "/v1/me", k)); err != nil {
				t.Error(err)
			}
		})
	}
	close(release)
	wg.Wait()
	// One, or a few when a goroutine arrives between two others' query and fill.
	if n := w.Stats().Lookups; n > 5 {
		t.Errorf("%d queries", n)
	}
}

// Guarantee: without the database nothing is guessed: what is in the cache works, and
// everything else is answered 503 in the contract's shape.
func TestWithoutDatabase(t *testing.T) {
	w := newWorld(t, nil)
	o := w.organization("standard")
	cached, missing := w.key(o, "api_key", "live"), w.key(o, "api_key", "live")
	w.allow(bearer("GET", "/v1/me", cached))
	if err := w.db.Close(); err != nil {
		t.Fatal(err)
	}
	w.allow(bearer("GET", "/v1/me", cached))
	d, err := w.Authorize(t.Context(), bearer("GET", "/v1/me", missing))
	if cardea.KindOf(err) != cardea.KindUnavailable || d.Allowed || d.Reason != cardea.ReasonUnavailable || d.Step != cardea.StepVerify {
		t.Fatalf("%v at %v, error %v", d.Reason, d.Step, err)
	}
	if d.Denial == nil || d.Denial.Status != 503 || d.Denial.Header.Get("Retry-After") == "" || d.Explain().Detail == "" {
		t.Errorf("denial %+v", d.Denial)
	}
	w.expect(bearer("GET", "/v1/nothing", missing), cardea.StepRoute, cardea.ReasonNoRoute)
}

// Guarantee: an abandoned request does not spoil the look-up that others share, and a
// full queue refuses instead of waiting for ever.
func TestLookupQueueIsBounded(t *testing.T) {
	w := newWorld(t, nil, func(c *Config) { c.MaxLookups = 1 })
	k := w.key(w.organization("standard"), "api_key", "live")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if d, err := w.Authorize(ctx, bearer("GET", "/v1/me", k)); err != nil || !d.Allowed {
		t.Errorf("the leader's look-up goes on for the others: %v, %v", d.Reason, err)
	}
	w.lookups <- struct{}{} // somebody takes the only turn and keeps it
	other := w.key(w.organization("standard"), "api_key", "live")
	w.queueTime = time.Millisecond
	d, err := w.Authorize(t.Context(), bearer("GET", "/v1/me", other))
	if err == nil || d.Reason != cardea.ReasonUnavailable {
		t.Errorf("%v, %v", d.Reason, err)
	}
}

// Guarantee: day counts survive a restart.
func TestDayQuotaSurvivesARestart(t *testing.T) {
	w := newWorld(t, nil)
	k := w.key(w.organization("small"), "api_key", "live")
	for range 2 {
		for range 50 {
			w.allow(bearer("GET", "/v1/records", k))
		}
		w.advance(time.Minute)
	}
	dirty := w.limits.Dirty()
	var counts []store.DayCount
	for _, c := range dirty {
		counts = append(counts, store.DayCount{Owner: c.Owner, Day: c.Day, N: c.N})
	}
	if err := w.db.AddDayCounts(t.Context(), counts); err != nil {
		t.Fatal(err)
	}
	w.limits.Saved(dirty)
	again := New(Config{Contract: w.contract.Load, Store: w.db, Now: w.now})
	d, err := again.Authorize(t.Context(), bearer("GET", "/v1/records", k))
	if err != nil || d.Reason != cardea.ReasonQuota {
		t.Errorf("after a restart: %v, %v", d.Reason, err)
	}
}

// Guarantee: a bucket that was dropped for lack of room comes back with its day's
// count, and not without it.
func TestSweptBucketIsRestored(t *testing.T) {
	w := newWorld(t, nil)
	o := w.organization("small")
	k := w.key(o, "api_key", "live")
	w.allow(bearer("GET", "/v1/records", k))
	if err := w.db.AddDayCounts(t.Context(), []store.DayCount{{Owner: o.ID + "/live", Day: start.Unix() / 86400, N: 100}}); err != nil {
		t.Fatal(err)
	}
	w.limits.Drop(o.ID + "/live")
	w.expect(bearer("GET", "/v1/records", k), cardea.StepLimit, cardea.ReasonQuota)
	w.limits.Drop(o.ID + "/live")
	_ = w.db.Close()
	if d, err := w.Authorize(t.Context(), bearer("GET", "/v1/records", k)); err == nil || d.Reason != cardea.ReasonUnavailable {
		t.Errorf("without the count: %v, %v", d.Reason, err)
	}
}

// Guarantee: a new contract rules from the next request on, whatever the cache held.
func TestReloadTakesEffectAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	k := w.key(w.organization("standard"), "api_key", "live")
	w.allow(bearer("GET", "/v1/records/1", k))
	w.contract.Store(load(t, typical)) // has other scopes and no such route
	w.expect(bearer("GET", "/v1/me", k), cardea.StepRoute, cardea.ReasonNoRoute)
	if d := w.allow(bearer("GET", "/v1/records/1", k)); d.Contract != w.contract.Load() {
		t.Error("judged by the old contract")
	}
	w.contract.Store(load(t, acme))
	w.update(&k, func(c *store.Credential) { c.RevokedAt = start })
	w.expect(bearer("GET", "/v1/me", k), cardea.StepStanding, cardea.ReasonRevoked)
	w.Apply(store.Changes{{Seq: 1 << 40, Kind: "a kind of a later version"}})
	if n := w.Stats().Entries; n != 0 {
		t.Errorf("an unknown change must empty the cache: %d entries", n)
	}
}

// Guarantee: a key that others find in the cache is limited, from the first moment on.
func TestCachedKeyHasItsBuckets(t *testing.T) {
	w := newWorld(t, nil)
	o := w.organization("small")
	k := w.key(o, "api_key", "live")
	hash := k.Hash()
	stop, unlimited := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			if e := w.current().table.get(&hash); e != nil && e.account.bucket.Load() == nil {
				n++
			}
			select {
			case <-stop:
				unlimited <- n
				return
			default:
			}
		}
	}()
	for range 500 {
		w.ask(bearer("GET", "/v1/records", k))
		w.Apply(store.Changes{{Kind: store.ChangeOrganization, Target: o.ID}})
	}
	close(stop)
	if n := <-unlimited; n > 0 {
		t.Errorf("the key was found %d times without what limits it", n)
	}
}
