package record

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/limit"
	"github.com/cardea-dev/cardea/internal/store"
)

// How often things are written.
const (
	batchEvery = 100 * time.Millisecond // rows of the request log, usage
	touchEvery = time.Second            // last uses, day counts
	sweepEvery = time.Minute            // buckets of limits that are over
	retryEvery = time.Second            // after an error of the store
	gapEvery   = 10 * time.Second       // gaps of the request log
)

// Config is what a Recorder works with.
type Config struct {
	// Store is written to.
	Store *store.DB

	// Limits are the buckets whose day counts are written and which are swept; nil
	// when somebody else does that.
	Limits *limit.Table

	// Now tells the time that limits go by; nil means time.Now. The Recorder's own
	// rhythm is of real time.
	Now cardea.Clock

	// Logger is told when writing begins to fail and when it works again; nil means
	// that nobody is.
	Logger *slog.Logger
}

// A Recorder takes events and writes them in batches. It is safe for concurrent use.
type Recorder struct {
	cfg Config

	mu    sync.Mutex
	buf   *buffer // being filled; what is below is for when it is full
	spill tally
	gap   store.Gap

	wake  chan struct{}     // the buffer is half full
	flush chan chan<- error // somebody waits until everything is written
	stop  chan struct{}
	done  chan struct{}
	close sync.Once
	err   error // of the last batch; read after done

	stats struct{ events, rows, dropped, failures, spilled atomic.Uint64 }
}

// New returns a Recorder that runs until Close.
func New(cfg Config) *Recorder {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Recorder{
		cfg: cfg, buf: &buffer{}, spill: tally{},
		wake: make(chan struct{}, 1), flush: make(chan chan<- error),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go r.run()
	return r
}

// Add takes an event. It never waits for the database. While the buffer is full, which
// takes more than 65,536 events in the time that a batch is written, an event is
// counted and its row dropped. Events added after Close are lost.
func (r *Recorder) Add(e Event) {
	r.mu.Lock()
	if !r.buf.add(&e) {
		r.overflow(&e)
	}
	half := r.buf.n == capacity/2
	r.mu.Unlock()
	if half {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// overflow counts an event that has no room. The caller holds the lock.
func (r *Recorder) overflow(e *Event) {
	r.spill.add(e)
	widen(&r.gap, e.At)
	r.stats.spilled.Add(1)
}

// widen makes a gap one request larger.
func widen(g *store.Gap, at time.Time) {
	if g.Dropped == 0 || at.Before(g.From) {
		g.From = at
	}
	if g.Dropped == 0 || at.After(g.Until) {
		g.Until = at
	}
	g.Dropped++
}

// Stats are counted since the Recorder was made.
type Stats struct {
	Events   uint64 // taken and counted
	Rows     uint64 // written to the request log
	Dropped  uint64 // counted, but without a row in the request log
	Failures uint64 // attempts to write that the store refused
	Buffered int    // events waiting right now
}

// Stats returns the Recorder's counters.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	buffered := r.buf.n
	r.mu.Unlock()
	spilled := r.stats.spilled.Load()
	return Stats{
		Events: r.stats.events.Load() + uint64(buffered) + spilled, Rows: r.stats.rows.Load(),
		Dropped: r.stats.dropped.Load() + spilled, Failures: r.stats.failures.Load(), Buffered: buffered,
	}
}

// Flush returns once everything that was added before it is written, or with the error
// of the attempt to write it.
func (r *Recorder) Flush(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case r.flush <- answer:
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close writes what is left and ends the Recorder. Its error says that something could
// not be written and is lost.
func (r *Recorder) Close() error {
	r.close.Do(func() { close(r.stop) })
	<-r.done
	return r.err
}

// run is the writing goroutine.
func (r *Recorder) run() {
	defer close(r.done)
	w := newWriter(r)
	batch, touch, sweep := time.NewTicker(batchEvery), time.NewTicker(touchEvery), time.NewTicker(sweepEvery)
	defer batch.Stop()
	defer touch.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-r.wake:
			w.batch()
		case <-batch.C:
			w.batch()
		case <-touch.C:
			w.touch()
		case <-sweep.C:
			w.sweep()
		case answer := <-r.flush:
			answer <- w.all()
		case <-r.stop:
			r.err = w.all()
			return
		}
	}
}

// take empties what Add filled: it swaps the buffer for an empty one, and returns the
// overflow.
func (r *Recorder) take(empty *buffer) (full *buffer, spill tally, gap store.Gap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	full, r.buf = r.buf, empty
	spill, gap = r.spill, r.gap
	if len(spill) > 0 {
		r.spill = tally{}
	}
	r.gap = store.Gap{}
	return full, spill, gap
}

// errLost is what Close returns beside the store's error.
var errLost = errors.New("usage and request log are incomplete")
