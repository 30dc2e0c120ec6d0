package webhook

import (
	"context"
	"crypto/rand"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
)

// The worker's rhythm.
const (
	lookEvery  = time.Second      // at the queue; changes of this process wake it at once
	watchEvery = 10 * time.Minute // for credentials that expire soon
	claimFor   = time.Minute      // much longer than an attempt may take
	lastWords  = 2 * time.Second  // for attempts under way when Run is to end
)

// Run delivers what is due until ctx ends, and then lets attempts under way come to their
// end for two seconds; those that do not are made again after the next start. Several may
// run, in one process or in many.
func (w *Webhooks) Run(ctx context.Context) {
	attempts, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	var running sync.WaitGroup
	running.Go(func() { w.watch(ctx) })
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for ctx.Err() == nil {
		w.dispatch(ctx, attempts, &running)
		select {
		case <-ctx.Done():
		case <-look.C:
		case <-w.store.Queued():
		case <-w.lanes.freed:
		}
	}
	stop := time.AfterFunc(lastWords, abort)
	defer stop.Stop()
	running.Wait()
}

// watch tells of credentials that expire soon, from time to time until ctx ends. The time
// is the clock's, which `cardea dev` moves.
func (w *Webhooks) watch(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for watched := (time.Time{}); ctx.Err() == nil; {
		if now := w.now(); now.Sub(watched) >= watchEvery || now.Before(watched) {
			watched = now
			if err := w.store.TellExpiring(ctx); err != nil && ctx.Err() == nil {
				w.log.WarnContext(ctx, "credentials that expire soon were not looked for", slog.Any("error", err))
			}
		}
		select {
		case <-ctx.Done():
		case <-look.C:
		}
	}
}

// dispatch starts attempts for what is due, as far as there are places.
func (w *Webhooks) dispatch(ctx, attempts context.Context, running *sync.WaitGroup) (started int) {
	due, err := w.store.DueWebhooks(ctx)
	if err != nil {
		if ctx.Err() == nil {
			w.log.WarnContext(ctx, "the queue of webhooks cannot be read", slog.Any("error", err))
		}
		return 0
	}
	// Nobody is always last.
	mathrand.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
	for _, endpoint := range due {
		seats := w.lanes.enter(endpoint)
		if len(seats) == 0 {
			continue
		}
		taken := w.claim(ctx, endpoint, len(seats))
		for i, d := range taken {
			running.Go(func() {
				defer w.lanes.leave(seats[i])
				w.deliver(attempts, d, seats[i])
			})
		}
		for _, unused := range seats[len(taken):] {
			w.lanes.leave(unused)
		}
		started += len(taken)
	}
	return started
}

// claim takes deliveries that are due.
func (w *Webhooks) claim(ctx context.Context, endpoint string, n int) []store.WebhookDelivery {
	taken, err := w.store.ClaimWebhooks(ctx, endpoint, rand.Text(), w.now().Add(claimFor), n)
	if err != nil && ctx.Err() == nil {
		w.log.WarnContext(ctx, "webhooks cannot be taken from the queue", slog.Any("error", err))
	}
	return taken
}
