package record

import (
	"fmt"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

func sample() Event {
	return Event{
		At: time.Now(), RequestID: "req_1", Credential: "key_1", Organization: "org_1", Environment: "live",
		Method: "GET", Route: "GET /v1/items", Path: "/v1/items", Status: 200, Reason: cardea.ReasonAllowed,
	}
}

// A tally that is fed more rows than it may tell apart still counts everything.
func TestTallyIsBoundedAndCountsEverything(t *testing.T) {
	counts, e := tally{}, sample()
	const n = 2*maxTally + 50_000
	for i := range n {
		e.Credential = fmt.Sprintf("key_%d", i)
		counts.add(&e)
	}
	merged := tally{}
	merged.merge(counts)
	for name, c := range map[string]tally{"fed": counts, "merged": merged} {
		var sum int64
		for _, d := range c {
			sum += d.Requests
		}
		if sum != n || len(c) > 2*maxTally+10 {
			t.Errorf("%s: %d counted in %d rows, want %d in at most %d", name, sum, len(c), n, 2*maxTally+10)
		}
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	r := New(Config{Store: storetest.Open(t)})
	defer r.Close()
	e := sample()
	if n := testing.AllocsPerRun(10_000, func() { r.Add(e) }); n != 0 {
		t.Errorf("Add allocates %v times", n)
	}
}

// A burst's memory is not kept for ever.
func TestBufferShrinksAfterARush(t *testing.T) {
	b, e := &buffer{}, sample()
	for range capacity {
		if !b.add(&e) {
			t.Fatal("full too early")
		}
	}
	if b.add(&e) {
		t.Fatal("took more than it holds")
	}
	n := 0
	b.drain(func(*Event) { n++ })
	for range 8 {
		b.add(&e)
		b.drain(func(*Event) { n++ })
	}
	chunks := 0
	for _, c := range b.chunks {
		if c != nil {
			chunks++
		}
	}
	if n != capacity+8 || chunks != 1 {
		t.Errorf("%d events came out, %d chunks are kept; want %d and 1", n, chunks, capacity+8)
	}
}

// BenchmarkAdd measures what a request pays; the buffer is emptied by hand.
func BenchmarkAdd(b *testing.B) {
	r := &Recorder{buf: &buffer{}, spill: tally{}, wake: make(chan struct{}, 1)}
	e := sample()
	b.ReportAllocs()
	for b.Loop() {
		if r.buf.n == capacity-1 {
			r.buf.n = 0
		}
		r.Add(e)
	}
}

// BenchmarkWrite measures what is done behind requests, per event.
func BenchmarkWrite(b *testing.B) {
	r := New(Config{Store: storetest.Open(b)})
	e := sample()
	for i := 0; b.Loop(); i++ {
		e.At = e.At.Add(time.Microsecond)
		r.Add(e)
		if i%10_000 == 0 {
			if err := r.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAddWhenFull is the slow way: nobody empties the buffer.
func BenchmarkAddWhenFull(b *testing.B) {
	r := &Recorder{buf: &buffer{n: capacity}, spill: tally{}}
	e := sample()
	b.ReportAllocs()
	for b.Loop() {
		r.Add(e)
	}
}
