package signing

import (
	"context"
	"crypto"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// CacheTime is how long a new key is published before it signs: what caches of the key
// set document may take to learn of it.
const CacheTime = 15 * time.Minute

// margin is how long a key verifies beyond the end of the last token it signed.
const margin = time.Minute

// system is the actor of what nobody asked for.
var system = cardea.Actor{Type: "system", ID: "signing"}

// Config is what [New] needs.
type Config struct {
	Store    *store.DB                 // required
	Sealer   *secret.Sealer            // of the master key; required
	Contract func() *contract.Contract // the contract in force; required
	Now      func() time.Time          // nil means [time.Now]
	Logger   *slog.Logger              // nil means none

	// Signer bounds the private-key operations; nil means one of its own with the
	// default bounds.
	Signer *token.Signer

	// Apply is told what this package changed, after the commit; nil: nobody is.
	Apply func(store.Changes)
}

// Keys are the signing keys. It is safe for concurrent use.
type Keys struct {
	store    *store.DB
	sealer   *secret.Sealer
	contract func() *contract.Contract
	now      func() time.Time
	logger   *slog.Logger
	signer   *token.Signer
	apply    func(store.Changes)

	current    atomic.Pointer[Verification] // nil until the first load
	behind     atomic.Bool                  // the store has changed since the last load
	generation atomic.Uint64

	loading sync.Mutex // one load at a time, and nobody stores an older one last
	missed  time.Time  // when a kid that was not there last made us read again

	mu      sync.Mutex
	flights map[purpose]*flight
	private map[string]crypto.Signer // :: kid → the opened key
}

// purpose is what a key is for.
type purpose struct{ environment, algorithm string }

// New returns the keys of a store. Nothing is read or made before it is asked for.
func New(c Config) *Keys {
	k := &Keys{
		store: c.Store, sealer: c.Sealer, contract: c.Contract, now: c.Now, logger: c.Logger,
		signer: c.Signer, apply: c.Apply,
		flights: map[purpose]*flight{}, private: map[string]crypto.Signer{},
	}
	if k.now == nil {
		k.now = time.Now
	}
	if k.logger == nil {
		k.logger = slog.New(slog.DiscardHandler)
	}
	if k.signer == nil {
		k.signer = token.NewSigner(0, 0)
	}
	if k.apply == nil {
		k.apply = func(store.Changes) {}
	}
	return k
}

// Signer returns the bounded signer that everybody signs with.
func (k *Keys) Signer() *token.Signer { return k.signer }

// Generation increases whenever a key stops verifying. Whoever remembers a verified
// token reads it before verifying, and forgets the token when it has changed.
func (k *Keys) Generation() uint64 { return k.generation.Load() }

// Applied tells Keys what others changed in the store, for example on another node. It
// returns at once; the change is read before the next token is verified or signed.
func (k *Keys) Applied(changes store.Changes) {
	for _, c := range changes {
		if c.Kind == store.ChangeKeys || c.Kind == store.ChangeAll {
			k.behind.Store(true)
			return
		}
	}
}

// Verification returns the keys that verify our tokens now. The error is the store's,
// when the keys have changed and cannot be read: then nothing can be said about any
// token.
func (k *Keys) Verification(ctx context.Context) (*Verification, error) {
	v := k.current.Load()
	switch {
	case v == nil || k.behind.Load():
		return k.load(ctx, false)
	case !v.until.IsZero() && !k.now().Before(v.until):
		return k.replace(v.rows), nil
	}
	return v, nil
}

// VerificationFor is Verification for a token with a kid. When there is no such key the
// store is asked once more, at most once a second: another node may have begun to sign
// with a new key before we heard of it.
func (k *Keys) VerificationFor(ctx context.Context, kid string) (*Verification, error) {
	v, err := k.Verification(ctx)
	if err != nil || kid == "" || v.byID[kid] != nil {
		return v, err
	}
	if !k.miss() {
		return v, nil
	}
	return k.load(ctx, true)
}

// miss reports whether the store may be asked for a key that we do not have.
func (k *Keys) miss() bool {
	k.loading.Lock()
	defer k.loading.Unlock()
	if ago := k.now().Sub(k.missed); ago >= 0 && ago < time.Second {
		return false
	}
	k.missed = k.now()
	return true
}

// load reads the keys from the store, when they have changed or when it must.
func (k *Keys) load(ctx context.Context, must bool) (*Verification, error) {
	k.loading.Lock()
	defer k.loading.Unlock()
	if v := k.current.Load(); v != nil && !must && !k.behind.Load() {
		return v, nil // somebody else was faster
	}
	behind := k.behind.Swap(false) // before reading: what changes meanwhile sets it again
	rows, err := k.store.SigningKeys(ctx)
	if err != nil {
		if behind {
			k.behind.Store(true)
		}
		return nil, err
	}
	slices.Reverse(rows)
	return k.swap(rows), nil
}

// replace makes a new snapshot of rows already read.
func (k *Keys) replace(rows []store.SigningKey) *Verification {
	k.loading.Lock()
	defer k.loading.Unlock()
	if v := k.current.Load(); v.until.IsZero() || k.now().Before(v.until) {
		return v
	}
	return k.swap(rows)
}

// swap puts a snapshot of rows in place. A key that was in the last one and is not in
// this makes a new generation.
func (k *Keys) swap(rows []store.SigningKey) *Verification {
	next := k.snapshot(rows)
	last := k.current.Load()
	k.current.Store(next)
	if last == nil {
		return next
	}
	for id := range last.byID {
		if _, stays := next.byID[id]; !stays {
			k.generation.Add(1)
			k.forget(last, next)
			break
		}
	}
	return next
}

// forget drops the opened private halves of keys that are gone.
func (k *Keys) forget(last, next *Verification) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id := range last.byID {
		if _, stays := next.byID[id]; !stays {
			delete(k.private, id)
		}
	}
}

// update makes a change and takes it in.
func (k *Keys) update(ctx context.Context, actor cardea.Actor, fn func(*store.Tx) error) error {
	changes, err := k.store.Update(ctx, actor, fn)
	if err != nil {
		return err
	}
	k.Applied(changes)
	// When this fails nothing is verified until it succeeds: the change is done anyway.
	_, _ = k.load(context.WithoutCancel(ctx), false)
	k.apply(changes)
	return nil
}

// JWKS returns the key set document (RFC 7517 §5): the public halves of all keys that
// sign, will sign, or have signed tokens that may still be good, newest first. It is
// what was last read: see Ensure for a server that has just started. The caller must
// not change it.
func (k *Keys) JWKS() []byte {
	v, err := k.Verification(context.Background())
	if err != nil {
		if v = k.current.Load(); v == nil {
			return []byte(`{"keys":[]}`)
		}
	}
	return v.document
}

// errNoSuchEnvironment is the error of asking for keys of an environment that the
// contract does not have.
var errNoSuchEnvironment = errors.New("signing: no such environment")
