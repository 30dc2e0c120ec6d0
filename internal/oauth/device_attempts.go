package oauth

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// attempts counts how often somebody tries something in a minute. It is a count-min
// sketch of fixed size: nothing is ever evicted, so flooding it with other names resets
// nobody's count; it can only raise some. It is safe for concurrent use.
type attempts struct {
	mu     sync.Mutex
	seed   maphash.Seed
	minute int64
	rows   [2][attemptSlots]uint32
}

const attemptSlots = 1 << 12

// newAttempts returns counters that have counted nothing.
func newAttempts() *attempts { return &attempts{seed: maphash.MakeSeed()} }

// take counts an attempt and reports whether it is within the bound of its minute.
func (a *attempts) take(who string, bound uint32, now time.Time) bool {
	h := maphash.String(a.seed, who)
	a.mu.Lock()
	defer a.mu.Unlock()
	if minute := now.Unix() / 60; minute != a.minute {
		a.minute, a.rows = minute, [2][attemptSlots]uint32{}
	}
	first, second := &a.rows[0][h%attemptSlots], &a.rows[1][(h>>32)%attemptSlots]
	if *first >= bound && *second >= bound {
		return false
	}
	*first++
	*second++
	return true
}

// addressKey returns what an address counts as: those of one IPv6 /64 are one customer's.
func addressKey(a netip.Addr) string {
	a = a.Unmap()
	if a.Is6() {
		p, _ := a.Prefix(64) // fails for no IPv6 address
		a = p.Addr()
	}
	return a.String()
}
