package authz

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A table maps hashes of secrets to entries. It is set-associative: a hash has a home
// set of seven ways, and a second set that is looked at only when the home has
// overflowed, which one in twenty-five has. A look-up reads one cache line of tags and
// pointers, and the entry; a miss reads the line alone.
//
// Reading takes no lock; writers hold [Authorizer.mu]. The hash is a SHA-256, so its
// bits index the table as they are: a caller can choose secrets but not their hashes.
type table struct {
	sets    atomic.Pointer[[]set]
	count   atomic.Int64 // entries; changed under the writers' lock
	maxSets int          // bound of growth
}

// wayCount is how many entries a set holds.
const wayCount = 7

// A set is one cache line. The lowest seven bytes of tags belong to the ways, 0 for an
// empty one; the highest is not 0 when entries that belong here are in their second
// set.
type set struct {
	tags atomic.Uint64
	ways [wayCount]atomic.Pointer[entry]
}

// Masks to compare the tags of a set at once.
const (
	ones     = 0x01010101_01010101
	highs    = 0x00808080_80808080 // of the ways
	overflow = 0x01000000_00000000
)

// firstSets is the size of an empty table.
const firstSets = 128

// newTable returns an empty table that grows to hold about capacity entries.
func newTable(capacity int) *table {
	t := &table{maxSets: firstSets}
	for full(t.maxSets) < capacity {
		t.maxSets *= 2
	}
	sets := make([]set, firstSets)
	t.sets.Store(&sets)
	return t
}

// full is how many entries make a table of this many sets grow.
func full(sets int) int { return sets * wayCount * 7 / 10 }

// places returns the home set and the second set of a hash.
func places(sets []set, h *secret.Hash) (home, second *set) {
	mask := uint64(len(sets) - 1)
	return &sets[binary.LittleEndian.Uint64(h[:8])&mask], &sets[binary.LittleEndian.Uint64(h[16:24])&mask]
}

// tagOf returns a hash's tag, from bits that choose no set.
func tagOf(h *secret.Hash) uint64 { return max(uint64(h[8]), 1) }

// get returns the entry of a hash, or nil. Hashes are compared in constant time.
func (t *table) get(h *secret.Hash) *entry {
	home, second := places(*t.sets.Load(), h)
	tag := tagOf(h)
	if e := home.find(tag, h); e != nil {
		return e
	}
	// Read again, after the ways: an entry that just left its home is in the second
	// set, and the mark was there before it left.
	if home.tags.Load() < overflow {
		return nil
	}
	return second.find(tag, h)
}

// find returns the entry of a hash in the set, or nil.
func (s *set) find(tag uint64, h *secret.Hash) *entry {
	// A zero byte of x is a way with this tag. The test may also report the byte
	// after one; the full comparison sorts that out.
	x := s.tags.Load() ^ tag*ones
	for hits := (x - ones) &^ x & highs; hits != 0; hits &= hits - 1 {
		e := s.ways[bits.TrailingZeros64(hits)/8].Load()
		if e != nil && e.hash.Equal(h) {
			return e
		}
	}
	return nil
}

// put stores an entry in the place of the one with the same hash, in an empty way of
// either set, or in the home's way that was not used for longest. The caller holds
// the writers' lock.
func (t *table) put(e *entry) {
	sets := *t.sets.Load()
	if int(t.count.Load()) >= full(len(sets)) && len(sets) < t.maxSets {
		sets = t.grow(sets)
	}
	t.count.Add(int64(place(sets, e)))
}

// place puts the entry into a table of some size and returns how many entries there
// are more.
func place(sets []set, e *entry) int {
	home, second := places(sets, &e.hash)
	for _, s := range []*set{home, second} {
		if i := s.index(&e.hash); i >= 0 {
			s.ways[i].Store(e)
			return 0
		}
	}
	if i := home.empty(); i >= 0 {
		home.set(i, e)
		return 1
	}
	if i := second.empty(); i >= 0 {
		second.set(i, e)
		home.tags.Or(overflow) // after the entry is there: readers follow it
		return 1
	}
	if i := home.release(sets); i >= 0 {
		home.set(i, e)
		return 1
	}
	home.set(home.oldest(), e)
	return 0
}

// release moves an entry of a full set to its second set and returns the way it left,
// or -1 when there is no room for any. For readers it is always in one of both: moves
// go from home to second set only, and that is the order they look in.
func (s *set) release(sets []set) int {
	for i := range s.ways {
		e := s.ways[i].Load()
		home, second := places(sets, &e.hash)
		if home != s || second == s {
			continue
		}
		if j := second.empty(); j >= 0 {
			second.set(j, e)
			home.tags.Or(overflow)
			return i
		}
	}
	return -1
}

// index returns the way that holds a hash, or -1.
func (s *set) index(h *secret.Hash) int {
	for i := range s.ways {
		if e := s.ways[i].Load(); e != nil && e.hash == *h {
			return i
		}
	}
	return -1
}

// empty returns an empty way, or -1.
func (s *set) empty() int {
	for i := range s.ways {
		if s.ways[i].Load() == nil {
			return i
		}
	}
	return -1
}

// oldest returns the way of a full set that was not used for longest.
func (s *set) oldest() int {
	found, at := 0, s.ways[0].Load().lastUsed()
	for i := 1; i < wayCount; i++ {
		if used := s.ways[i].Load().lastUsed(); used < at {
			found, at = i, used
		}
	}
	return found
}

// set stores an entry in a way, or empties the way when e is nil. Writers are
// serialized, so a load and a store of the tags suffice.
func (s *set) set(i int, e *entry) {
	tag := uint64(0)
	if e != nil {
		tag = tagOf(&e.hash)
	}
	s.ways[i].Store(e)
	s.tags.Store(s.tags.Load()&^(0xff<<(8*i)) | tag<<(8*i))
}

// remove forgets a hash. The caller holds the writers' lock.
func (t *table) remove(h *secret.Hash) {
	home, second := places(*t.sets.Load(), h)
	for _, s := range []*set{home, second} {
		if i := s.index(h); i >= 0 {
			s.set(i, nil)
			t.count.Add(-1)
		}
	}
}

// grow doubles the table. Readers go on with the old sets until the new ones are
// complete; writers wait.
func (t *table) grow(old []set) []set {
	sets := make([]set, 2*len(old))
	t.count.Store(0)
	for i := range old {
		for j := range old[i].ways {
			if e := old[i].ways[j].Load(); e != nil {
				t.count.Add(int64(place(sets, e)))
			}
		}
	}
	t.sets.Store(&sets)
	return sets
}
