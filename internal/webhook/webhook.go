package webhook

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Config is what [New] needs.
type Config struct {
	// Store keeps endpoints and the queue. Required.
	Store *store.DB

	// Access says who may do what. Nil: over the store.
	Access *access.Access

	// Sealer encrypts the secrets of endpoints. Nil: no endpoint can be made.
	Sealer *secret.Sealer

	// Fetch is the way out. Required.
	Fetch *fetch.Client

	// Private lets endpoints be on this machine and in private networks, without TLS: for
	// development.
	Private bool

	// Now tells the time. Nil: [time.Now]. It says when something is due; the
	// webhook-timestamp of a message is the machine's own time, since receivers compare it
	// with theirs.
	Now cardea.Clock

	// Logger hears of what no caller can be told. Nil: nobody does.
	Logger *slog.Logger
}

// Webhooks carries out the use cases and delivers. It is safe for concurrent use.
type Webhooks struct {
	store   *store.DB
	access  *access.Access
	sealer  *secret.Sealer
	fetch   *fetch.Client
	private bool
	now     cardea.Clock
	log     *slog.Logger
	lanes   lanes
	timeout time.Duration // of an attempt

	delivered, failed atomic.Uint64
}

// Stats are counted since the Webhooks were made.
type Stats struct {
	Delivered uint64 // attempts that the receiver took
	Failed    uint64 // attempts that failed
	Running   int    // attempts under way
}

// Stats returns the counters.
func (w *Webhooks) Stats() Stats {
	w.lanes.mu.Lock()
	defer w.lanes.mu.Unlock()
	return Stats{Delivered: w.delivered.Load(), Failed: w.failed.Load(), Running: w.lanes.brisk + w.lanes.slow}
}

// New returns the Webhooks of a configuration. Nothing is delivered before [Webhooks.Run].
func New(c Config) *Webhooks {
	w := &Webhooks{store: c.Store, access: c.Access, sealer: c.Sealer, fetch: c.Fetch, private: c.Private, now: c.Now, log: c.Logger, timeout: attemptTimeout}
	if w.access == nil {
		w.access = access.New(c.Store)
	}
	if w.now == nil {
		w.now = time.Now
	}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	w.lanes = newLanes()
	return w
}

// change makes a change. Nothing that decisions are made from depends on webhooks, so
// there is nobody to tell.
func (w *Webhooks) change(ctx context.Context, actor cardea.Actor, fn func(tx *store.Tx) error) error {
	_, err := w.store.Update(ctx, actor, fn)
	return err
}
