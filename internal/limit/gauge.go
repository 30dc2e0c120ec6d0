package limit

import (
	"hash/maphash"
	"time"
)

// A Gauge is one window of a rule and how much of it is used.
type Gauge struct {
	Window      string // one of the Window constants
	Limit, Used int64
	Reset       time.Time // when all of it is there again
}

// Gauges returns how much an owner has used of each window of a rule, and charges
// nothing. An owner that has no bucket was not active lately; used is what the database
// knows of the day's requests, which counts where the bucket knows of fewer.
func (t *Table) Gauges(owner string, r Rule, now time.Time, used int64) []Gauge {
	b := t.copyOf(owner)
	at := now.UnixNano()
	b.enter(at, r)
	if b.day.count < used {
		b.day.count = used
	}
	var gauges []Gauge
	if r.PerMinute > 0 {
		gauges = append(gauges, Gauge{WindowMinute, r.PerMinute, min(b.minute.count, r.PerMinute), time.Unix(b.minute.end(minute), 0)})
	}
	if every, depth := r.interval(); depth > 0 {
		gauges = append(gauges, Gauge{WindowBurst, depth, min(max(0, ceilDiv(b.tat-at, every)), depth), time.Unix(0, max(at, b.tat))})
	}
	if r.PerDay > 0 {
		gauges = append(gauges, Gauge{WindowDay, r.PerDay, min(b.day.count, r.PerDay), time.Unix(b.day.end(day), 0)})
	}
	return gauges
}

// copyOf returns what an owner's bucket holds, an unused bucket where there is none. It
// makes none, and moves none on: who only looks leaves no trace.
func (t *Table) copyOf(owner string) *Bucket {
	s := &t.shards[maphash.String(t.seed, owner)&(shardCount-1)]
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buckets[owner]
	if b == nil {
		return &Bucket{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return &Bucket{minute: b.minute, day: b.day, tat: b.tat}
}
