package token

import (
	"crypto/sha256"
	"sync"
	"time"
)

// DefaultReplays is how many ids a [Replays] remembers unless told.
const DefaultReplays = 1 << 17

// Replays remembers ids that were used, each until it would be refused anyway. It
// belongs to one process: what must be single use across nodes or restarts is kept in
// the store instead. It is safe for concurrent use.
type Replays struct {
	now  func() time.Time
	most int

	mu    sync.Mutex
	until map[[16]byte]int64 // :: hash of the id → Unix time in seconds
	sweep int64              // when the map was last gone through
}

// NewReplays returns a Replays for at most the given number of ids; 0 means
// DefaultReplays. now is the clock.
func NewReplays(most int, now func() time.Time) *Replays {
	if most <= 0 {
		most = DefaultReplays
	}
	return &Replays{now: now, most: most, until: map[[16]byte]int64{}}
}

// Seen remembers the id until the given time and reports whether it was remembered
// already. When there is no room it says yes, and so refuses: forgetting an id that
// still counts would let it be used again.
func (r *Replays) Seen(id string, until time.Time) bool {
	sum := sha256.Sum256([]byte(id))
	key := [16]byte(sum[:16])
	now := r.now().Unix()
	r.mu.Lock()
	defer r.mu.Unlock()
	if end, found := r.until[key]; found && end >= now {
		return true
	}
	if len(r.until) >= r.most && !r.makeRoom(now) {
		return true
	}
	r.until[key] = until.Unix() + 1 // the end of that second
	return false
}

// makeRoom forgets what has passed, and reports whether that helped. It goes through
// the map at most once a second.
func (r *Replays) makeRoom(now int64) bool {
	if r.sweep == now {
		return false
	}
	r.sweep = now
	for key, end := range r.until {
		if end < now {
			delete(r.until, key)
		}
	}
	return len(r.until) < r.most
}
