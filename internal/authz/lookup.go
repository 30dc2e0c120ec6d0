package authz

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
)

// Times that bound a look-up in the database.
const (
	queueTime  = 2 * time.Second // waiting for a turn
	lookupTime = 5 * time.Second // the query itself
)

// flights are the look-ups under way, by hash: requests with the same secret share
// one query.
type flights struct {
	mu      sync.Mutex
	running map[secret.Hash]*flight
}

// A flight is one look-up. Its result may be read once done is closed.
type flight struct {
	done  chan struct{}
	entry *entry // nil: there is no such secret
	seq   int64  // the last change that the look-up saw
	err   error
}

// join returns the look-up of a hash that is under way, or starts one: then leader is
// true and the caller must call finish.
func (f *flights) join(hash *secret.Hash) (fl *flight, leader bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl := f.running[*hash]; fl != nil {
		return fl, false
	}
	if f.running == nil {
		f.running = map[secret.Hash]*flight{}
	}
	fl = &flight{done: make(chan struct{})}
	f.running[*hash] = fl
	return fl, true
}

// finish publishes the result.
func (f *flights) finish(hash *secret.Hash, fl *flight) {
	f.mu.Lock()
	delete(f.running, *hash)
	f.mu.Unlock()
	close(fl.done)
}

// lookup asks the store for a secret that is not in the cache. need is the last change
// that was applied when the request began: an answer that may lack it is not good
// enough, and the store is asked again. slow marks an address with too many refused
// attempts; such addresses share a few turns. A nil entry without error means that
// there is no such secret.
func (a *Authorizer) lookup(ctx context.Context, v *view, hash *secret.Hash, need int64, now time.Time, slow bool) (*entry, error) {
	if v.unknown.has(hash, a.applied.Load(), now) {
		a.stats.unknown.Add(1)
		return nil, nil
	}
	for {
		fl, leader := v.flights.join(hash)
		if leader {
			a.run(ctx, v, hash, fl, now, slow)
			return fl.entry, fl.err // began after the request did: it saw all of need
		}
		a.stats.joined.Add(1)
		select {
		case <-fl.done:
		case <-ctx.Done():
			return nil, unavailable(ctx.Err())
		}
		if fl.err == nil && fl.seq >= need {
			return fl.entry, nil
		}
		if fl.err != nil {
			return nil, fl.err
		}
		// The other request's look-up began before a change that this one must see.
	}
}

// run does a look-up and publishes it. It goes on when the request that leads it is
// abandoned, since others may wait for it.
func (a *Authorizer) run(ctx context.Context, v *view, hash *secret.Hash, fl *flight, now time.Time, slow bool) {
	fl.err = errPanic // what followers see if this panics
	defer v.flights.finish(hash, fl)
	turns := a.lookups
	if slow {
		turns = a.slow
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.queueTime)
	defer cancel()
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	case <-ctx.Done():
		a.stats.failed.Add(1)
		fl.err = errBusy
		return
	}
	query, stop := context.WithTimeout(context.WithoutCancel(ctx), lookupTime)
	defer stop()
	a.stats.lookups.Add(1)
	l, err := a.cfg.Store.LookupSecret(query, *hash)
	if err != nil {
		a.stats.failed.Add(1)
		fl.err = unavailable(err)
		return
	}
	fl.entry, fl.seq, fl.err = a.fill(v, hash, &l, now), l.Seq, nil
}

// errBusy: no turn for a look-up came up in time. errPanic: see run.
var errBusy, errPanic = unavailable(errors.New("too many look-ups at once")), unavailable(errors.New("panic"))

// unavailable is the error of a decision that could not be made.
func unavailable(cause error) error {
	return &cardea.Error{Kind: cardea.KindUnavailable, Public: "the credential could not be verified", Cause: cause}
}
