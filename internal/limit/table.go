package limit

import (
	"hash/maphash"
	"sync"
	"time"
)

// shardCount is a power of two, so that a hash's low bits choose a shard.
const shardCount = 64

// DefaultCapacity is how many buckets a [Table] holds unless told otherwise: about
// 150 MiB if every one of them were in use.
const DefaultCapacity = 1 << 20

// A Table holds the buckets of every owner that was active lately. It is bounded and
// safe for concurrent use.
type Table struct {
	seed   maphash.Seed
	shards [shardCount]shard
}

type shard struct {
	mu      sync.Mutex
	buckets map[string]*Bucket // :: owner's id → bucket
	limit   int
	dropped uint64
}

// NewTable returns an empty Table for about capacity owners; 0 means
// [DefaultCapacity].
func NewTable(capacity int) *Table {
	if capacity <= 0 {
		capacity = DefaultCapacity
	}
	t := &Table{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i] = shard{buckets: map[string]*Bucket{}, limit: max(1, capacity/shardCount)}
	}
	return t
}

// Bucket returns the owner's bucket, and makes one if there is none. created tells
// that it is new and knows nothing of requests counted earlier in the day.
func (t *Table) Bucket(owner string, now time.Time) (b *Bucket, created bool) {
	s := &t.shards[maphash.String(t.seed, owner)&(shardCount-1)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[owner]; b != nil {
		return b, false
	}
	if len(s.buckets) >= s.limit {
		s.makeRoom(now.UnixNano())
	}
	b = &Bucket{}
	b.enter(now.UnixNano(), Rule{})
	s.buckets[owner] = b
	return b, true
}

// makeRoom sweeps the shard, and if every bucket is in use drops one all the same,
// rather one whose day's count can be read back from the database: memory is bounded,
// and its owner gets at most one extra burst. Strangers cannot cause it, because only
// verified credentials have buckets.
func (s *shard) makeRoom(now int64) {
	s.sweep(now)
	if len(s.buckets) < s.limit {
		return
	}
	victim, tries := "", 0
	for owner, b := range s.buckets {
		b.mu.Lock()
		saved := !b.daily || b.day.count <= b.saved
		b.mu.Unlock()
		if tries++; victim == "" || saved {
			victim = owner
		}
		if saved || tries == maxTries {
			break
		}
	}
	s.drop(victim)
}

// Drop forgets an owner's bucket, whatever it holds.
func (t *Table) Drop(owner string) {
	s := &t.shards[maphash.String(t.seed, owner)&(shardCount-1)]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(owner)
}

func (s *shard) drop(owner string) {
	b := s.buckets[owner]
	if b == nil {
		return
	}
	b.mu.Lock()
	b.dead = true
	b.mu.Unlock()
	delete(s.buckets, owner)
	s.dropped++
}

// maxTries bounds the search for a bucket to drop.
const maxTries = 16

// Sweep removes the buckets that hold nothing worth keeping: the minute is over, the
// burst is full again, and no day's limit was counted. Call it every minute or so.
func (t *Table) Sweep(now time.Time) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.sweep(now.UnixNano())
		s.mu.Unlock()
	}
}

func (s *shard) sweep(now int64) {
	for owner, b := range s.buckets {
		b.mu.Lock()
		if b.finished(now) {
			b.dead = true
			delete(s.buckets, owner)
		}
		b.mu.Unlock()
	}
}

// finished reports whether the bucket may be forgotten. The caller holds the lock.
func (b *Bucket) finished(now int64) bool {
	minuteOver := floorDiv(now, minute) > b.minute.index
	dayOver := floorDiv(now, day) > b.day.index
	return minuteOver && b.tat <= now && (dayOver || !b.daily || b.day.count == 0)
}

// Len returns the number of buckets.
func (t *Table) Len() int {
	n := 0
	for i := range t.shards {
		t.shards[i].mu.Lock()
		n += len(t.shards[i].buckets)
		t.shards[i].mu.Unlock()
	}
	return n
}

// Dropped returns how many buckets were dropped in use because the table was full.
func (t *Table) Dropped() uint64 {
	var n uint64
	for i := range t.shards {
		t.shards[i].mu.Lock()
		n += t.shards[i].dropped
		t.shards[i].mu.Unlock()
	}
	return n
}

// A DayCount is how many requests of a day an owner made that the database does not
// have yet.
type DayCount struct {
	Owner string // see [Table.Bucket]
	Day   int64  // days since 1970, UTC
	N     int64  // to be added to what the database has
}

// Dirty returns the counts that the database does not have. Add them there, then
// report them with [Table.Saved]; what is not reported comes again. One caller at a
// time.
//
// Only owners whose rule has a day limit are counted: nobody asks for the others.
func (t *Table) Dirty() []DayCount {
	var dirty []DayCount
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for owner, b := range s.buckets {
			b.mu.Lock()
			if b.daily && b.day.count > b.saved {
				dirty = append(dirty, DayCount{owner, b.day.index, b.day.count - b.saved})
			}
			b.mu.Unlock()
		}
		s.mu.Unlock()
	}
	return dirty
}

// Saved reports that the counts were added to the database.
func (t *Table) Saved(counts []DayCount) {
	for _, c := range counts {
		s := &t.shards[maphash.String(t.seed, c.Owner)&(shardCount-1)]
		s.mu.Lock()
		if b := s.buckets[c.Owner]; b != nil {
			b.mu.Lock()
			if b.day.index == c.Day {
				b.saved += c.N
			}
			b.mu.Unlock()
		}
		s.mu.Unlock()
	}
}
