package token

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cardea-dev/cardea/internal/fetch"
)

// How a [Cache] treats a key set.
const (
	// refreshAfter is the age at which a set that is used is fetched again in the
	// background, recheckAfter the age at which its user waits for that: so a key that
	// its issuer withdrew is good for no longer.
	refreshAfter = 5 * time.Minute
	recheckAfter = 10 * time.Minute

	// MaxStale is how long a set is used when its issuer cannot be reached.
	MaxStale = 24 * time.Hour

	// A kid that is not in the set causes a fetch, at most one per refillEvery after
	// the first burst.
	refillEvery = 10 * time.Second
	burst       = 3

	fetchTimeout = 5 * time.Second
	maxWaiting   = 64   // callers that wait for one fetch with keys to go on with
	maxSources   = 4096 // key sets that are remembered
)

// A Source is where an issuer publishes its keys, and what they may be used with.
type Source struct {
	URL          string
	Algorithms   []string
	AllowPrivate bool // the URL may be on a private address, and http
}

// id tells sources apart. Two that differ in anything share nothing.
func (s *Source) id() sourceID {
	return sourceID{s.URL, strings.Join(s.Algorithms, " "), s.AllowPrivate}
}

type sourceID struct {
	url, algorithms string
	private         bool
}

// CacheConfig is what a [Cache] needs.
type CacheConfig struct {
	Fetch  *fetch.Client
	Now    func() time.Time // nil means [time.Now]
	Logger *slog.Logger     // nil means none
}

// A Cache holds the key sets of other issuers. It is safe for concurrent use; a set
// that is there is read without a lock of its own.
//
// A set is fetched when it is first asked for, again when it has aged, and again when a
// token names a key that is not in it, but for that at most three times at once and
// then every ten seconds: a stranger who makes up names cannot make us fetch more. Only
// one fetch of a set runs at a time, and who asks meanwhile waits for it. A fetch that
// fails keeps the set that was there, for a day at most.
type Cache struct {
	fetch  *fetch.Client
	now    func() time.Time
	logger *slog.Logger

	generation atomic.Uint64

	mu      sync.RWMutex
	sources map[sourceID]*source
}

// NewCache returns an empty Cache.
func NewCache(c CacheConfig) *Cache {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Cache{fetch: c.Fetch, now: c.Now, logger: c.Logger, sources: map[sourceID]*source{}}
}

// source is one key set. The snapshot is read without the lock.
type source struct {
	Source
	snapshot atomic.Pointer[snapshot]
	used     atomic.Int64 // Unix microseconds of the last use
	checked  atomic.Int64 // Unix microseconds of the end of the last fetch, 0: none

	mu     sync.Mutex
	flight *flight
	earned time.Time // GCRA: the time up to which fetches are accounted for
	failed error     // of the last fetch, nil when it succeeded
}

// snapshot is a set as it was fetched.
type snapshot struct {
	set *KeySet
	at  time.Time
}

// flight is a fetch under way.
type flight struct {
	done    chan struct{} // closed when it has landed
	waiting atomic.Int64  // how many wait for it
}

// Keys returns a source's key set, fetched anew when kid (unless "") is not in it and
// a fetch is due. The set may still lack the kid. As long as an issuer's keys stay the
// same, so does the pointer. The error is ErrFetch when there is no set that may be
// used, or ctx's.
func (c *Cache) Keys(ctx context.Context, from Source, kid string) (*KeySet, error) {
	s := c.source(from)
	now := c.now()
	s.used.Store(now.UnixMicro())
	have := s.usable(now)
	// Nobody waits for an issuer that has just failed to answer, while its keys last.
	checked := now.Sub(time.UnixMicro(s.checked.Load()))
	switch {
	case have == nil || checked > recheckAfter || kid != "" && !have.set.Has(kid):
		if c.refresh(ctx, s, now, have == nil); ctx.Err() != nil {
			return nil, ctx.Err()
		}
	case now.Sub(have.at) > refreshAfter:
		c.start(ctx, s, now)
	}
	if have = s.usable(c.now()); have == nil {
		return nil, ErrFetch
	}
	return have.set, nil
}

// usable returns the set that was fetched last, nil when that is too long ago.
func (s *source) usable(now time.Time) *snapshot {
	have := s.snapshot.Load()
	if have == nil || now.Sub(have.at) > MaxStale {
		return nil
	}
	return have
}

// source returns the entry of a source, making it when it is new.
func (c *Cache) source(from Source) *source {
	id := from.id()
	c.mu.RLock()
	s := c.sources[id]
	c.mu.RUnlock()
	if s != nil {
		return s
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sources[id]; s != nil {
		return s
	}
	if len(c.sources) >= maxSources {
		c.dropOldest()
	}
	from.Algorithms = slices.Clone(from.Algorithms)
	s = &source{Source: from}
	c.sources[id] = s
	return s
}

// dropOldest forgets the source that was not used for longest.
func (c *Cache) dropOldest() {
	var oldest sourceID
	var since int64
	for id, s := range c.sources {
		if used := s.used.Load(); oldest.url == "" || used < since {
			oldest, since = id, used
		}
	}
	delete(c.sources, oldest)
}

// refresh fetches a source, or waits for the fetch under way. It returns at once when
// no fetch is due, or when too many wait already; but who has no keys at all must wait.
func (c *Cache) refresh(ctx context.Context, s *source, now time.Time, must bool) {
	f := c.start(ctx, s, now)
	if f == nil || f.waiting.Add(1) > maxWaiting && !must {
		return
	}
	select {
	case <-f.done:
	case <-ctx.Done():
	}
}

// start begins a fetch when one is due and returns the one under way, nil when there
// is none. The fetch belongs to all who wait: it goes on when its starter gives up.
func (c *Cache) start(ctx context.Context, s *source, now time.Time) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight != nil {
		return s.flight
	}
	if !s.due(now) {
		return nil
	}
	f := &flight{done: make(chan struct{})}
	s.flight = f
	go func() {
		set, err := c.load(context.WithoutCancel(ctx), &s.Source)
		c.land(s, f, set, err)
	}()
	return f
}

// due takes a fetch out of the source's allowance, if there is one.
func (s *source) due(now time.Time) bool {
	// Never further ahead than a full burst leaves it, should the clock be set back.
	if ahead := s.earned.Sub(now); ahead < 0 || ahead > burst*refillEvery {
		s.earned = now
	}
	if s.earned.Sub(now) > (burst-1)*refillEvery {
		return false
	}
	s.earned = s.earned.Add(refillEvery)
	return true
}

// land takes in what a fetch brought, and lets those who wait go on.
func (c *Cache) land(s *source, f *flight, set *KeySet, err error) {
	now := c.now()
	s.mu.Lock()
	if err == nil {
		c.take(s, set, now)
	} else if s.failed == nil {
		c.logger.Warn("an issuer's keys could not be fetched", slog.String("cause", err.Error()))
	}
	s.failed, s.flight = err, nil
	s.checked.Store(now.UnixMicro())
	s.mu.Unlock()
	close(f.done)
}

// take makes a fetched set the one in use. When it holds what the last one held, that
// one stays: whoever remembers what it verified need not verify again.
func (c *Cache) take(s *source, set *KeySet, now time.Time) {
	if have := s.snapshot.Load(); have != nil && have.set.equal(set) {
		set = have.set
	} else if have != nil {
		c.generation.Add(1)
	}
	s.snapshot.Store(&snapshot{set: set, at: now})
}

// Generation increases whenever a set that was in use has changed.
func (c *Cache) Generation() uint64 { return c.generation.Load() }

// load fetches and reads a key set.
func (c *Cache) load(ctx context.Context, s *Source) (*KeySet, error) {
	answer, err := c.fetch.Get(ctx, s.URL, fetch.Options{
		MaxBytes: MaxKeySetBytes, Timeout: fetchTimeout, AllowPrivate: s.AllowPrivate, AllowHTTP: s.AllowPrivate,
		Accept: "application/jwk-set+json, application/json",
	})
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, ErrFetch
	}
	return ParseKeySet(answer.Body, s.Algorithms)
}

// A Status tells how a source's key set stands, for people.
type Status struct {
	Fetched time.Time // when the set in use was fetched; zero: there is none
	Checked time.Time // when the last fetch ended; zero: there was none
	Failed  error     // why that one failed, nil when it did not
	Keys    []Key     // of the set in use; not to be changed
}

// Status returns how a source stands, without fetching it.
func (c *Cache) Status(from Source) Status {
	c.mu.RLock()
	s := c.sources[from.id()]
	c.mu.RUnlock()
	if s == nil {
		return Status{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Status{Failed: s.failed}
	if at := s.checked.Load(); at != 0 {
		out.Checked = time.UnixMicro(at).UTC()
	}
	if have := s.snapshot.Load(); have != nil {
		out.Fetched, out.Keys = have.at, have.set.Keys()
	}
	return out
}
