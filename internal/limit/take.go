package limit

import (
	"time"

	"github.com/cardea-dev/cardea"
)

// The windows that a [cardea.Limit] may describe.
const (
	WindowMinute = "minute"
	WindowBurst  = "burst"
	WindowDay    = "day"
)

// A Result is what the limits say about one request.
type Result struct {
	// Allowed is whether every rule admits the request. A request that nothing limits
	// is allowed and has a zero Limit.
	Allowed bool

	// Gone means that a bucket was swept in the meantime: nothing was charged, and the
	// caller asks the table for the bucket again.
	Gone bool

	// Limit is for the response's headers. Allowed: the minute window, or the day when
	// less of it is left; of two owners, whichever has less. Refused: the rule that
	// refused, and of several the one with the longest wait.
	Limit cardea.Limit
}

// Take charges one request at the given time to one or two owners, typically an
// organization and one of its credentials, if all rules of both admit it; else it
// charges nothing. A nil bucket or a zero rule limits nothing.
func Take(now time.Time, outer *Bucket, outerRule Rule, inner *Bucket, innerRule Rule) Result {
	return judge(now, outer, outerRule, inner, innerRule, taking)
}

// Peek returns the limits as they stand, for a response to a request that is not
// counted. Allowed is always true.
func Peek(now time.Time, outer *Bucket, outerRule Rule, inner *Bucket, innerRule Rule) Result {
	return judge(now, outer, outerRule, inner, innerRule, peeking)
}

// Check says what [Take] would, and charges nothing.
func Check(now time.Time, outer *Bucket, outerRule Rule, inner *Bucket, innerRule Rule) Result {
	return judge(now, outer, outerRule, inner, innerRule, checking)
}

// A purpose is what buckets are looked at for: to describe them, to ask whether they
// admit a request, or to charge them for it.
type purpose uint8

const (
	peeking purpose = iota
	checking
	taking
)

// judge locks the outer bucket before the inner one; no bucket is ever both.
func judge(now time.Time, outer *Bucket, outerRule Rule, inner *Bucket, innerRule Rule, how purpose) Result {
	if outerRule.IsZero() {
		outer = nil
	}
	if innerRule.IsZero() || inner == outer {
		inner = nil
	}
	at := now.UnixNano()
	if outer != nil {
		outer.mu.Lock()
		defer outer.mu.Unlock()
		if outer.dead {
			return Result{Gone: true}
		}
		outer.enter(at, outerRule)
	}
	if inner != nil {
		inner.mu.Lock()
		defer inner.mu.Unlock()
		if inner.dead {
			return Result{Gone: true}
		}
		inner.enter(at, innerRule)
	}
	if how != peeking {
		if refused, ok := refusal(at, outer, outerRule, inner, innerRule); ok {
			return Result{Limit: refused}
		}
	}
	if how == taking {
		if outer != nil {
			outer.charge(at, outerRule)
		}
		if inner != nil {
			inner.charge(at, innerRule)
		}
	}
	var left cardea.Limit
	if outer != nil {
		outer.describe(&left, outerRule)
	}
	if inner != nil {
		inner.describe(&left, innerRule)
	}
	return Result{Allowed: true, Limit: left}
}

// refusal returns the limit that refuses with the longest wait, if any does.
func refusal(at int64, outer *Bucket, outerRule Rule, inner *Bucket, innerRule Rule) (cardea.Limit, bool) {
	var refused cardea.Limit
	var wait int64
	if outer != nil {
		outer.refuse(at, outerRule, &refused, &wait)
	}
	if inner != nil {
		inner.refuse(at, innerRule, &refused, &wait)
	}
	if wait == 0 {
		return refused, false
	}
	refused.RetryAfter = ceilDiv(wait, second)
	return refused, true
}

// refuse replaces limit and wait by those of each rule that refuses for longer. A
// wait is positive, in nanoseconds.
func (b *Bucket) refuse(at int64, r Rule, limit *cardea.Limit, wait *int64) {
	if r.PerMinute > 0 && b.minute.count >= r.PerMinute {
		b.longer(limit, wait, WindowMinute, r.PerMinute, (b.minute.index+1)*minute, at)
	}
	if every, depth := r.interval(); depth > 0 {
		if free := b.tat - every*(depth-1); free > at {
			b.longer(limit, wait, WindowBurst, r.Burst, free, at)
		}
	}
	if r.PerDay > 0 && b.day.count >= r.PerDay {
		b.longer(limit, wait, WindowDay, r.PerDay, (b.day.index+1)*day, at)
	}
}

// longer records a refusal that ends at the instant until, in nanoseconds.
func (b *Bucket) longer(limit *cardea.Limit, wait *int64, name string, quota, until, at int64) {
	if until-at > *wait {
		*wait = until - at
		*limit = cardea.Limit{Limit: quota, Reset: ceilDiv(until, second), Window: name}
	}
}

// describe replaces left by each window of which less is left.
func (b *Bucket) describe(left *cardea.Limit, r Rule) {
	if r.PerMinute > 0 {
		less(left, r.PerMinute, b.minute.count, b.minute.end(minute), WindowMinute)
	}
	if r.PerDay > 0 {
		less(left, r.PerDay, b.day.count, b.day.end(day), WindowDay)
	}
}

// less replaces left if the window has less left. A plan that became smaller than
// what is used already leaves 0, never less.
func less(left *cardea.Limit, quota, count, end int64, name string) {
	if remaining := max(0, quota-count); left.Limit == 0 || remaining < left.Remaining {
		*left = cardea.Limit{Limit: quota, Remaining: remaining, Reset: end, Window: name}
	}
}

// ceilDiv is a/b rounded up; b is positive.
func ceilDiv(a, b int64) int64 { return -floorDiv(-a, b) }
