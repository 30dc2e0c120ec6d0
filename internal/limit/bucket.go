package limit

import (
	"math"
	"sync"
	"time"
)

// Units of time, in nanoseconds.
const (
	second = int64(time.Second)
	minute = int64(time.Minute)
	day    = 24 * int64(time.Hour)
)

// A Rule is a plan's limits. A limit of 0 or less means none; Burst needs PerMinute.
type Rule struct {
	PerMinute int64 // requests in a minute of the clock
	Burst     int64 // requests at once
	PerDay    int64 // requests in a day of UTC
}

// IsZero reports whether the rule limits nothing.
func (r Rule) IsZero() bool { return r.PerMinute <= 0 && r.PerDay <= 0 }

// interval returns the GCRA's emission interval in nanoseconds and its depth, or
// zeros when the rule has no burst limit. A depth of more than a century is none.
func (r Rule) interval() (every, depth int64) {
	if r.PerMinute <= 0 || r.Burst <= 0 {
		return 0, 0
	}
	every = max(1, minute/r.PerMinute)
	if r.Burst > math.MaxInt64/4/every {
		return 0, 0
	}
	return every, r.Burst
}

// A Bucket is what one owner has used up. The zero value is unused. It is safe for
// concurrent use; its rule comes with each request, so a change of plan needs no new
// bucket.
type Bucket struct {
	mu sync.Mutex

	minute window
	day    window

	// tat is the GCRA's theoretical arrival time: the instant, in nanoseconds of Unix
	// time, at which the bucket is full again.
	tat int64

	saved int64 // how much of day.count the database has
	daily bool  // some rule limited the day, so that its count matters
	dead  bool  // swept from its table: holders must ask the table again
}

// A window counts the requests of one minute or day.
type window struct {
	index int64 // number of the minute or day since 1970
	count int64
}

// enter moves the window on to the one that now lies in.
//
// One window back is a request that read the clock just before another that moved
// the window on, or a small step: it counts where the window stands. Further back is
// a step of the clock: the count moves along, so that the step gives no fresh window.
func (w *window) enter(now, length int64) {
	switch index := floorDiv(now, length); {
	case index > w.index:
		*w = window{index: index}
	case index < w.index-1:
		w.index = index
	}
}

// end returns the Unix time in seconds at which the window ends.
func (w *window) end(length int64) int64 { return (w.index + 1) * (length / second) }

// enter moves the bucket on to now. The caller holds the lock.
func (b *Bucket) enter(now int64, r Rule) {
	b.minute.enter(now, minute)
	if before := b.day.index; floorDiv(now, day) != before {
		b.day.enter(now, day)
		if b.day.index != before {
			b.saved = 0 // of another day
		}
	}
	// An arrival time further ahead than the depth is left over from before a step
	// of the clock, or from a plan with a larger burst.
	if every, depth := r.interval(); b.tat > now+every*depth {
		b.tat = now + every*depth
	}
}

// charge counts one request. The caller holds the lock and has called enter.
func (b *Bucket) charge(now int64, r Rule) {
	b.minute.count++
	b.day.count++
	b.daily = b.daily || r.PerDay > 0
	if every, depth := r.interval(); depth > 0 {
		b.tat = max(b.tat, now) + every
	}
}

// Restore tells the bucket how many requests of a day, numbered from 1970, are in the
// database; a bucket that knows of more keeps its own count. The count of a day that is
// over is ignored.
func (b *Bucket) Restore(dayIndex, count int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.day.index == dayIndex && count > b.day.count:
		b.saved += count - b.day.count
		b.day.count = count
	case b.day.index < dayIndex:
		b.day = window{index: dayIndex, count: count}
		b.saved = count
	}
}

// Dead reports whether the bucket was swept from its table, so that counting in it
// would count for nothing.
func (b *Bucket) Dead() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dead
}

// Day returns the number of the day of UTC since 1970 that t lies in: the key of day
// counts.
func Day(t time.Time) int64 { return floorDiv(t.UnixNano(), day) }

// floorDiv is a/b rounded down; b is positive.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
