package clientdoc

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cardea-dev/cardea/internal/fetch"
)

// Bounds of what is fetched and kept.
const (
	maxDocuments = 1000 // kept in memory
	maxFetches   = 8    // at a time
	timeout      = 5 * time.Second
	minAge       = 5 * time.Minute
	maxAge       = 24 * time.Hour
)

// Errors of [Cache.Get].
var (
	// ErrNone: there is no good document at the address.
	ErrNone = errors.New("clientdoc: not a client metadata document")
	// ErrBusy: too many documents are being fetched.
	ErrBusy = errors.New("clientdoc: too many documents at once")
)

// Config is what a [Cache] needs.
type Config struct {
	Fetch      *fetch.Client    // required
	Now        func() time.Time // required
	Algorithms []string         // clients may sign with
}

// A Cache keeps what documents say, for as long as they allow, five minutes at least and
// a day at most. What is wrong with a document is never kept (§5.2 of the draft). It is
// safe for concurrent use.
type Cache struct {
	cfg     Config
	mu      sync.Mutex
	known   map[string]kept
	flights map[string]*flight
}

type kept struct {
	document      *Document
	fetched, ends time.Time
}

// A flight is a fetch that several requests wait for.
type flight struct {
	done     chan struct{}
	document *Document
	err      error
}

// New returns an empty Cache.
func New(c Config) *Cache {
	return &Cache{cfg: c, known: map[string]kept{}, flights: map[string]*flight{}}
}

// Get returns the document at an address. The error is ErrNone, ErrBusy, or that of ctx.
// A document that cannot be fetched again, because its host is down, is good for a day
// after it last was: that does not end everybody's access.
func (k *Cache) Get(ctx context.Context, id string) (*Document, error) {
	if CheckURL(id) != nil {
		return nil, ErrNone
	}
	now := k.cfg.Now()
	k.mu.Lock()
	old, known := k.known[id]
	if known && old.fresh(now) {
		k.mu.Unlock()
		return old.document, nil
	}
	f, err := k.flight(ctx, id)
	k.mu.Unlock()
	if err != nil {
		return nil, err
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	switch {
	case f.err == nil:
		return f.document, nil
	case known && !errors.Is(f.err, ErrNone) && now.Sub(old.fetched) < maxAge && now.After(old.fetched):
		return old.document, nil
	}
	return nil, ErrNone
}

// Has reports whether [Cache.Get] would return the document of an address without asking
// anybody.
func (k *Cache) Has(id string) bool {
	now := k.cfg.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	old, known := k.known[id]
	return known && old.fresh(now)
}

// fresh reports whether a document need not be fetched again.
func (k kept) fresh(now time.Time) bool { return now.Before(k.ends) && !now.Before(k.fetched) }

// flight returns the fetch that is under way for an address, and begins one when there is
// none. k.mu is held.
func (k *Cache) flight(ctx context.Context, id string) (*flight, error) {
	if f := k.flights[id]; f != nil {
		return f, nil
	}
	if len(k.flights) >= maxFetches {
		return nil, ErrBusy
	}
	f := &flight{done: make(chan struct{})}
	k.flights[id] = f
	// The fetch outlives the request that began it: others may wait for it.
	go k.land(context.WithoutCancel(ctx), id, f)
	return f, nil
}

// land fetches a document and tells those who wait.
func (k *Cache) land(ctx context.Context, id string, f *flight) {
	d, age, err := k.fetch(ctx, id)
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.flights, id)
	if f.document, f.err = d, err; err == nil {
		k.keep(id, d, age)
	} else if errors.Is(err, ErrNone) {
		delete(k.known, id)
	}
	close(f.done)
}

// keep keeps a document. When there is no room the oldest of a few goes.
func (k *Cache) keep(id string, d *Document, age time.Duration) {
	if _, there := k.known[id]; !there && len(k.known) >= maxDocuments {
		victim, tries := "", 0
		for other, one := range k.known {
			if victim == "" || one.fetched.Before(k.known[victim].fetched) {
				victim = other
			}
			if tries++; tries == 16 {
				break
			}
		}
		delete(k.known, victim)
	}
	now := k.cfg.Now()
	k.known[id] = kept{document: d, fetched: now, ends: now.Add(age)}
}

// HasOrigin reports whether a web page's origin is that of a client whose document is
// kept.
func (k *Cache) HasOrigin(origin string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, one := range k.known {
		if one.document.hasOrigin(origin) {
			return true
		}
	}
	return false
}

// fetch gets a document, and how long it may be kept.
func (k *Cache) fetch(ctx context.Context, id string) (*Document, time.Duration, error) {
	answer, err := k.cfg.Fetch.Get(ctx, id, fetch.Options{MaxBytes: MaxSize, Timeout: timeout, Accept: "application/json"})
	switch {
	case err != nil:
		return nil, 0, err
	case answer.Status >= http.StatusInternalServerError || answer.Status == http.StatusTooManyRequests:
		return nil, 0, errors.New("clientdoc: the host is in trouble")
	case answer.Status != http.StatusOK || !isJSON(answer.Header["Content-Type"]):
		return nil, 0, ErrNone
	}
	d, err := Parse(id, answer.Body, k.cfg.Algorithms)
	return d, ageOf(answer.Header), err
}

// isJSON reports whether a content type is application/json or one of its kind.
func isJSON(values []string) bool {
	if len(values) != 1 {
		return false
	}
	kind, _, err := mime.ParseMediaType(values[0])
	return err == nil && (kind == "application/json" || strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"))
}

// ageOf returns how long a document may be kept: as long as it says (RFC 9111 §5.2.2.1),
// within bounds.
func ageOf(h http.Header) time.Duration {
	for _, line := range h["Cache-Control"] {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			if !strings.EqualFold(name, "max-age") {
				continue
			}
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err == nil {
				return min(max(time.Duration(seconds)*time.Second, minAge), maxAge)
			}
		}
	}
	return minAge
}
