package people

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// How many attempts that did not work are let through in one window.
const (
	throttleWindow = 15 * time.Minute

	perAddress        = 60  // whoever it is about; an office shares one address
	perAccountNetwork = 10  // one account, from one neighbourhood
	perAccount        = 100 // one account, from neighbourhoods where it is not signed in
	perDeparture      = 300 // to identity providers from one address: each may make us fetch
)

// Size of the table: see throttle.
const (
	throttleRows  = 4
	throttleWidth = 1 << 14
)

// A throttle counts attempts in windows of the clock. It is a table of fixed size that
// nothing can be evicted from (a count-min sketch): a key is counted in one cell of each
// row, and its count is the smallest of them, so that what others do can only ever add.
// Filling it takes far more attempts than passwords can be hashed in a window.
type throttle struct {
	seed maphash.Seed

	mu    sync.Mutex
	epoch int64
	cells [throttleRows][throttleWidth]uint16
}

func newThrottle() *throttle { return &throttle{seed: maphash.MakeSeed()} }

// A claim is one thing an attempt is counted against.
type claim struct {
	key  string
	most uint16 // attempts in a window
}

// take counts an attempt against all claims, or against none and returns how long to
// wait. An attempt is counted before it is looked at, so that many at once are not all
// looked at; what works is given back.
func (t *throttle) take(now time.Time, claims ...claim) (giveBack func(), wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	epoch := now.Unix() / int64(throttleWindow/time.Second)
	if epoch != t.epoch {
		t.epoch = epoch
		t.cells = [throttleRows][throttleWidth]uint16{}
	}
	for _, c := range claims {
		if t.count(c.key) >= c.most {
			return nil, time.Unix((epoch+1)*int64(throttleWindow/time.Second), 0).Sub(now)
		}
	}
	t.add(claims, 1)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.epoch == epoch {
			t.add(claims, -1)
		}
	}, 0
}

// places returns the cell of a key in every row.
func (t *throttle) places(key string) (at [throttleRows]int) {
	h := maphash.String(t.seed, key)
	for i := range at {
		at[i] = int(h & (throttleWidth - 1))
		h >>= 14
	}
	return at
}

// count returns how often a key was counted, or a little more. The caller holds the lock.
func (t *throttle) count(key string) uint16 {
	least := uint16(1<<16 - 1)
	for row, at := range t.places(key) {
		least = min(least, t.cells[row][at])
	}
	return least
}

// add changes the counts. The caller holds the lock.
func (t *throttle) add(claims []claim, by int) {
	for _, c := range claims {
		for row, at := range t.places(c.key) {
			if n := int(t.cells[row][at]) + by; n >= 0 && n < 1<<16 {
				t.cells[row][at] = uint16(n)
			}
		}
	}
}

// neighbourhood returns the network that an address is counted as for an account: one
// customer's worth of addresses, so that changing the last digits buys nothing.
func neighbourhood(a netip.Addr) netip.Prefix { return network(a, 24, 48) }

// household returns what an address is counted as by itself: IPv6 gives every line a
// network of 64 bits.
func household(a netip.Addr) netip.Prefix { return network(a, 32, 64) }

func network(a netip.Addr, bits4, bits6 int) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := bits4
	if a.Is6() {
		bits = bits6
	}
	p, _ := a.Prefix(bits) // fails for the zero address only, which is one neighbourhood of its own
	return p
}
