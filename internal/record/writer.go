package record

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// A writer is what the Recorder's goroutine holds: what is still to be written. Only
// that goroutine uses it.
type writer struct {
	r     *Recorder
	spare *buffer

	rows    []store.RequestRow // at most capacity
	gap     store.Gap
	gapAt   time.Time // when the gap began to be collected
	usageAt time.Time // when usage was last written
	plain   budget    // of rows about requests that went well
	notable budget    // of rows about all others
	usage   tally
	touches store.Touch
	seen    sightings

	failing bool
	retryAt time.Time
}

func newWriter(r *Recorder) *writer {
	w := &writer{r: r, spare: &buffer{}, usage: tally{}, seen: newSightings()}
	w.plain = budget{perSecond: plainRows, left: plainRows * budgetBurst}
	w.notable = budget{perSecond: notableRows, left: notableRows * budgetBurst}
	w.touches = store.Touch{
		Credentials: map[string]store.Use{}, Secrets: map[secret.Hash]time.Time{}, AccountKeys: map[string]time.Time{},
	}
	return w
}

// collect adds up what has come in since the last time.
func (w *writer) collect() {
	full, spill, gap := w.r.take(w.spare)
	w.usage.merge(spill)
	w.join(gap)
	n := full.n
	now := time.Now()
	w.plain.refill(now)
	w.notable.refill(now)
	full.drain(func(e *Event) {
		w.usage.add(e)
		w.use(e)
		w.seen.add(e)
		if len(w.rows) < capacity && w.budgetOf(e).take() {
			w.rows = append(w.rows, e.row())
			return
		}
		widen(&w.gap, e.At)
		w.r.stats.dropped.Add(1)
	})
	if w.gap.Dropped > 0 && w.gapAt.IsZero() {
		w.gapAt = now
	}
	w.spare = full
	w.r.stats.events.Add(uint64(n))
}

// budgetOf returns the budget that an event's row is taken from.
func (w *writer) budgetOf(e *Event) *budget {
	if e.Reason == cardea.ReasonAllowed && e.Status < 400 && !e.OldSecret {
		return &w.plain
	}
	return &w.notable
}

// join adds a gap to the one that is to be written.
func (w *writer) join(g store.Gap) {
	if g.Dropped == 0 {
		return
	}
	n := w.gap.Dropped
	widen(&w.gap, g.From)
	widen(&w.gap, g.Until)
	w.gap.Dropped = n + g.Dropped
}

// use notes that an event's credential and secret were used.
func (w *writer) use(e *Event) {
	if !e.used() {
		return
	}
	w.touches.Credentials[e.Credential] = store.Use{At: e.At, From: e.Client, Route: e.Route}
	if e.Secret != (secret.Hash{}) {
		w.touches.Secrets[e.Secret] = e.At
	}
	if e.AccountKey != "" {
		w.touches.AccountKeys[e.AccountKey] = e.At
	}
}

// batch writes rows and usage, unless the store failed a moment ago.
func (w *writer) batch() {
	w.collect()
	if time.Now().Before(w.retryAt) {
		return
	}
	w.report(w.write(false))
}

// write writes rows, gaps and usage. What is written is forgotten, piece by piece, so
// that a second try repeats nothing. A gap is written once it has been collected for a
// while, or when everything is to be written.
func (w *writer) write(everything bool) error {
	ctx := context.Background()
	var gaps []store.Gap
	if w.gap.Dropped > 0 && (everything || time.Since(w.gapAt) >= gapEvery) {
		gaps = append(gaps, w.gap)
	}
	if len(w.rows) > 0 || len(gaps) > 0 {
		if err := w.r.cfg.Store.AppendRequests(ctx, w.rows, gaps); err != nil {
			// Counts do not wait for rows: they are in another file on SQLite.
			return errors.Join(err, w.writeUsage(ctx, everything))
		}
		w.r.stats.rows.Add(uint64(len(w.rows)))
		clear(w.rows)
		w.rows = w.rows[:0]
		if cap(w.rows) > capacity/4 { // after a rush the room for it goes
			w.rows = nil
		}
		if len(gaps) > 0 {
			w.gap, w.gapAt = store.Gap{}, time.Time{}
		}
	}
	return w.writeUsage(ctx, everything)
}

// Usage of a few callers is written with every batch. That of many is collected for
// longer: adding up in memory costs a hundredth of a row in the database.
const (
	fewUsage   = 100
	muchUsage  = maxTally / 2
	usageEvery = 10 * time.Second
)

func (w *writer) writeUsage(ctx context.Context, everything bool) error {
	n, now := len(w.usage), time.Now()
	wait := n > fewUsage && n < muchUsage && now.Sub(w.usageAt) < usageEvery
	if n == 0 || wait && !everything {
		return nil
	}
	if err := w.r.cfg.Store.AddUsage(ctx, w.usage.deltas()); err != nil {
		return err
	}
	w.usage, w.usageAt = tally{}, now
	return nil
}

// touch writes last uses and day counts.
func (w *writer) touch() {
	if time.Now().Before(w.retryAt) {
		return
	}
	w.report(w.writeTouches())
}

func (w *writer) writeTouches() error {
	ctx := context.Background()
	if err := w.r.cfg.Store.Touch(ctx, &w.touches); err != nil {
		return err
	}
	if err := w.seen.write(ctx, w.r.cfg.Store); err != nil {
		return err
	}
	if w.r.cfg.Limits == nil {
		return nil
	}
	for dirty := range slices.Chunk(w.r.cfg.Limits.Dirty(), dayStep) {
		counts := make([]store.DayCount, len(dirty))
		for i, d := range dirty {
			counts[i] = store.DayCount{Owner: d.Owner, Day: d.Day, N: d.N}
		}
		if err := w.r.cfg.Store.AddDayCounts(ctx, counts); err != nil {
			return err
		}
		w.r.cfg.Limits.Saved(dirty)
	}
	return nil
}

// dayStep is how many day counts are written while changes wait.
const dayStep = 500

// sweep forgets buckets of limits that are over.
func (w *writer) sweep() {
	if w.r.cfg.Limits != nil {
		w.r.cfg.Limits.Sweep(w.r.cfg.Now())
	}
}

// all writes everything at once.
func (w *writer) all() error {
	w.collect()
	err := w.report(errors.Join(w.write(true), w.writeTouches()))
	if err != nil {
		return errors.Join(errLost, err)
	}
	return nil
}

// report tells the log when writing begins to fail and when it works again.
func (w *writer) report(err error) error {
	if err == nil {
		if w.failing {
			w.failing = false
			w.r.cfg.Logger.Info("usage and request log are written again")
		}
		return nil
	}
	w.r.stats.failures.Add(1)
	w.retryAt = time.Now().Add(retryEvery)
	if !w.failing {
		w.failing = true
		w.r.cfg.Logger.Error("usage and request log cannot be written; counts are kept in memory", slog.Any("error", err))
	}
	return err
}
