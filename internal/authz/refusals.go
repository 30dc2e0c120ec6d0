package authz

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
	"time"
)

// refusals counts unknown and mistyped credentials by client address, to slow down
// whoever guesses. It is a count-min sketch of fixed size: two counters for each
// address, of which the smaller counts. Nothing is ever evicted, so flooding it with
// other addresses cannot reset anybody's count; it can only raise some, and a raised
// count costs its owner nothing but a 429 in place of a 401.
//
// Limits of callers with a valid credential are not its business.
type refusals struct {
	seed  maphash.Seed
	bound uint64
	rows  [2][refusalSlots]atomic.Uint64 // minute (high 32 bits) and count (low 32)
}

const refusalSlots = 1 << 13

// newRefusals returns counters with a bound per minute; a negative bound is none.
func newRefusals(seed maphash.Seed, perMinute int) *refusals {
	if perMinute < 0 {
		return nil
	}
	return &refusals{seed: seed, bound: uint64(perMinute)}
}

// slots returns an address's counters. Addresses of one IPv6 /64 count as one: that
// is what a single customer of an access provider has.
func (r *refusals) slots(addr netip.Addr) (first, second *atomic.Uint64) {
	if addr.Is6() {
		p, _ := addr.Prefix(64) // fails for no IPv6 address
		addr = p.Addr()
	}
	h := maphash.Comparable(r.seed, addr)
	return &r.rows[0][h%refusalSlots], &r.rows[1][(h>>32)%refusalSlots]
}

// exceeded reports whether the address is above its bound in this minute.
func (r *refusals) exceeded(addr netip.Addr, now time.Time) bool {
	if r == nil {
		return false
	}
	minute := uint64(now.Unix()/60) & 0xffff_ffff
	first, second := r.slots(addr)
	return count(first.Load(), minute) >= r.bound && count(second.Load(), minute) >= r.bound
}

// add counts one refused attempt.
func (r *refusals) add(addr netip.Addr, now time.Time) {
	if r == nil {
		return
	}
	minute := uint64(now.Unix()/60) & 0xffff_ffff
	first, second := r.slots(addr)
	raise(first, minute)
	raise(second, minute)
}

func count(slot, minute uint64) uint64 {
	if slot>>32 != minute {
		return 0
	}
	return slot & 0xffff_ffff
}

func raise(slot *atomic.Uint64, minute uint64) {
	for {
		old := slot.Load()
		n := count(old, minute)
		if n == 0xffff_ffff || slot.CompareAndSwap(old, minute<<32|(n+1)) {
			return
		}
	}
}
