package authz

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A table maps hashes of secrets to entries: set-associative, eight ways, with 16-bit
// tags, so that a look-up reads one line of tags, one pointer and one entry, and a
// miss reads the tags alone. Reading takes no lock; writers hold [Authorizer.mu].
//
// The hash is a SHA-256, so its bits index the table as they are. A caller can choose
// secrets but not their hashes.
type table struct {
	slots   atomic.Pointer[slots]
	count   int // entries; guarded by the writers' lock
	maxSets int // bound of growth
}

// slots is one size of the table.
type slots struct {
	mask uint64 // number of sets - 1
	tags []tags // by set
	ways []way  // by set
}

const wayCount = 8

// tags holds the tags of a set's eight ways, four to a word; 0 is an empty way.
type tags [2]atomic.Uint64

type way [wayCount]atomic.Pointer[entry]

// Masks to compare four tags at once.
const (
	ones  = 0x0001_0001_0001_0001
	highs = 0x8000_8000_8000_8000
)

// firstSets is the size of an empty table.
const firstSets = 128

// newTable returns an empty table that grows to hold about capacity entries.
func newTable(capacity int) *table {
	t := &table{maxSets: firstSets}
	for t.maxSets*wayCount < 2*capacity {
		t.maxSets *= 2
	}
	t.slots.Store(newSlots(firstSets))
	return t
}

func newSlots(sets int) *slots {
	return &slots{mask: uint64(sets - 1), tags: make([]tags, sets), ways: make([]way, sets)}
}

// place returns the set and the tag of a hash.
func (s *slots) place(h *secret.Hash) (set, tag uint64) {
	set = binary.LittleEndian.Uint64(h[:8]) & s.mask
	tag = uint64(binary.LittleEndian.Uint16(h[8:10]))
	return set, max(tag, 1)
}

// get returns the entry of a hash, or nil. Hashes are compared in constant time.
func (t *table) get(h *secret.Hash) *entry {
	s := t.slots.Load()
	set, tag := s.place(h)
	for word := range s.tags[set] {
		// A zero 16-bit lane of x is a way with this tag. The test may also report
		// the lane after one; the full comparison sorts that out.
		x := s.tags[set][word].Load() ^ tag*ones
		for hits := (x - ones) &^ x & highs; hits != 0; hits &= hits - 1 {
			e := s.ways[set][word*4+bits.TrailingZeros64(hits)/16].Load()
			if e != nil && e.hash.Equal(h) {
				return e
			}
		}
	}
	return nil
}

// put stores an entry in the place of the one with the same hash, in an empty way, or
// in the way that was not used for longest. The caller holds the writers' lock.
func (t *table) put(e *entry) {
	s := t.slots.Load()
	if t.count >= len(s.ways)*wayCount/2 && len(s.ways) < t.maxSets {
		s = t.grow(s)
	}
	if s.put(e) {
		t.count++
	}
}

// put reports whether the entry took an empty way.
func (s *slots) put(e *entry) bool {
	set, tag := s.place(&e.hash)
	chosen, oldest, empty := 0, uint32(0), false
	for i := range wayCount {
		old := s.ways[set][i].Load()
		switch {
		case old == nil:
			if !empty {
				chosen, empty = i, true
			}
		case old.hash == e.hash:
			s.ways[set][i].Store(e)
			return false
		case !empty && (i == 0 || old.lastUsed.Load() < oldest):
			chosen, oldest = i, old.lastUsed.Load()
		}
	}
	s.ways[set][chosen].Store(e)
	s.setTag(set, chosen, tag)
	return empty
}

// setTag replaces one way's tag. Writers are serialized, so load and store suffice.
func (s *slots) setTag(set uint64, i int, tag uint64) {
	word, shift := &s.tags[set][i/4], i%4*16
	word.Store(word.Load()&^(0xffff<<shift) | tag<<shift)
}

// remove forgets a hash. The caller holds the writers' lock.
func (t *table) remove(h *secret.Hash) {
	s := t.slots.Load()
	set, _ := s.place(h)
	for i := range wayCount {
		if e := s.ways[set][i].Load(); e != nil && e.hash == *h {
			s.setTag(set, i, 0)
			s.ways[set][i].Store(nil)
			t.count--
		}
	}
}

// grow doubles the table. Readers go on with the old slots until the new ones are
// complete; writers wait.
func (t *table) grow(old *slots) *slots {
	s := newSlots(2 * len(old.ways))
	t.count = 0
	for set := range old.ways {
		for i := range wayCount {
			if e := old.ways[set][i].Load(); e != nil && s.put(e) {
				t.count++
			}
		}
	}
	t.slots.Store(s)
	return s
}
