package authz

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Times that bound a look-up in the database.
const (
	queueTime  = 2 * time.Second // waiting for a turn
	lookupTime = 5 * time.Second // the query itself
)

// flights are the look-ups under way, by hash: requests with the same credential share
// one query, and for a new token one verification.
type flights struct {
	mu      sync.Mutex
	running map[secret.Hash]*flight
}

// A flight is one look-up. Its result may be read once done is closed.
type flight struct {
	done  chan struct{}
	entry *entry // nil: there is no such credential
	fault fault  // of a token without an entry: what is wrong with it
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

// A question is a credential that is not in the cache, or not as it is now.
type question struct {
	hash  secret.Hash // of its whole text
	place secret.Hash // where its entry is kept; for secrets the same
	now   time.Time
	need  int64 // the last change that was applied when the request began
	slow  bool  // its address made too many refused attempts; those share a few turns

	opaque bool                  // an access token that the database knows by its hash
	signed string                // a token that proves itself, else ""
	known  *verified             // of a signed token whose signature was verified before, or nil
	wanted *contract.Environment // the world that the request's target names, or nil

	audiences []string // of an assertion: others than the API's that are as good
}

// lookup asks the store, and for a signed token its issuer's keys, about a credential
// that is not in the cache. An answer that may lack a change that the request must see is
// not good enough, and the question is asked again. No entry and no error mean that there
// is no such credential.
func (a *Authorizer) lookup(ctx context.Context, v *view, q *question) (*entry, fault, error) {
	if fault, known := v.unknown.has(&q.hash, a.applied.Load(), q.now); known {
		a.stats.unknown.Add(1)
		return nil, fault, nil
	}
	for {
		fl, leader := v.flights.join(&q.hash)
		if leader {
			a.run(ctx, v, q, fl)
			return fl.entry, fl.fault, fl.err // began after the request did: it saw all of need
		}
		a.stats.joined.Add(1)
		select {
		case <-fl.done:
		case <-ctx.Done():
			return nil, sound, unavailable(ctx.Err())
		}
		if fl.err == nil && fl.seq >= q.need {
			return fl.entry, fl.fault, nil
		}
		if fl.err != nil {
			return nil, sound, fl.err
		}
		// The other request's look-up began before a change that this one must see.
	}
}

// run does a look-up and publishes it. It goes on when the request that leads it is
// abandoned, since others may wait for it.
func (a *Authorizer) run(ctx context.Context, v *view, q *question, fl *flight) {
	fl.err = errPanic // what followers see if this panics
	defer v.flights.finish(&q.hash, fl)
	ctx = context.WithoutCancel(ctx)
	if e := a.justFilled(ctx, v, q); e != nil {
		fl.entry, fl.seq, fl.err = e, q.need, nil
		return
	}
	if q.signed != "" {
		fl.err = a.findSigned(ctx, v, q, fl)
	} else {
		fl.err = a.findOpaque(ctx, v, q, fl)
	}
	if fl.err != nil {
		a.stats.failed.Add(1)
	}
}

// justFilled returns the entry that another request has put into the cache since this one
// has looked there, or nil.
func (a *Authorizer) justFilled(ctx context.Context, v *view, q *question) *entry {
	var e *entry
	switch {
	case q.audiences != nil:
		return nil
	case q.signed != "":
		e = v.cachedToken(&q.place, q.signed)
	default:
		e = v.table.get(&q.hash)
	}
	if e == nil || a.stale(e) || !a.vouched(ctx, e, q.now) {
		return nil
	}
	return e
}

// findOpaque looks a secret or an opaque token up by its hash.
func (a *Authorizer) findOpaque(ctx context.Context, v *view, q *question, fl *flight) error {
	query := a.cfg.Store.LookupSecret
	if q.opaque {
		query = a.cfg.Store.LookupToken
	}
	l, err := a.ask(ctx, q.slow, func(ctx context.Context) (store.Lookup, error) { return query(ctx, q.hash) })
	if err != nil {
		return err
	}
	fl.seq = l.Seq
	if q.opaque {
		fl.entry, fl.fault = a.fillOpaque(v, q, &l)
	} else {
		fl.entry = a.fill(v, &q.hash, &l, q.now)
	}
	return nil
}

// ask puts a query to the store when it is its turn.
func (a *Authorizer) ask(ctx context.Context, slow bool, query func(context.Context) (store.Lookup, error)) (store.Lookup, error) {
	turns := a.lookups
	if slow {
		turns = a.slow
	}
	if err := a.turn(ctx, turns); err != nil {
		return store.Lookup{}, err
	}
	defer func() { <-turns }()
	ctx, stop := context.WithTimeout(ctx, lookupTime)
	defer stop()
	a.stats.lookups.Add(1)
	l, err := query(ctx)
	if err != nil {
		return store.Lookup{}, unavailable(err)
	}
	return l, nil
}

// turn waits for a turn, and not for long: a full queue refuses.
func (a *Authorizer) turn(ctx context.Context, turns chan struct{}) error {
	select {
	case turns <- struct{}{}:
		return nil
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, a.queueTime)
	defer cancel()
	select {
	case turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return errBusy
	}
}

// errBusy: no turn for a look-up came up in time. errPanic: see run.
var errBusy, errPanic = unavailable(errors.New("too many look-ups at once")), unavailable(errors.New("panic"))

// unavailable is the error of a decision that could not be made.
func unavailable(cause error) error {
	return &cardea.Error{Kind: cardea.KindUnavailable, Public: "the credential could not be verified", Cause: cause}
}
