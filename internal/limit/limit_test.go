package limit

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cardea-dev/cardea"
)

// noon is the start of a minute: 2026-11-22T12:00:00Z.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var professional = Rule{PerMinute: 300, Burst: 50}

// take charges one bucket.
func take(b *Bucket, r Rule, at time.Time) Result { return Take(at, b, r, nil, Rule{}) }

// Guarantee: what a page prints as "Limit 300, burst 50" holds to the letter.
func TestFirstRequestShowsTheMinuteAndTheBurstIsFifty(t *testing.T) {
	b := &Bucket{}
	want := cardea.Limit{Limit: 300, Remaining: 299, Reset: noon.Unix() + 60, Window: WindowMinute}
	if got := take(b, professional, noon); !got.Allowed || got.Limit != want {
		t.Fatalf("first: %+v", got)
	}
	for i := 2; i <= 50; i++ {
		if got := take(b, professional, noon); !got.Allowed || got.Limit.Remaining != int64(300-i) {
			t.Fatalf("request %d: %+v", i, got)
		}
	}
	got := take(b, professional, noon)
	want = cardea.Limit{Limit: 50, Reset: noon.Unix() + 1, RetryAfter: 1, Window: WindowBurst}
	if got.Allowed || got.Limit != want {
		t.Errorf("51st: %+v", got)
	}
}

func TestMinuteRefusesUntilItEnds(t *testing.T) {
	b, r := &Bucket{}, Rule{PerMinute: 60}
	at := noon.Add(30*time.Second + time.Millisecond)
	for range 60 {
		if !take(b, r, at).Allowed {
			t.Fatal("refused too early")
		}
	}
	want := cardea.Limit{Limit: 60, Reset: noon.Unix() + 60, RetryAfter: 30, Window: WindowMinute}
	if got := take(b, r, at); got.Allowed || got.Limit != want {
		t.Errorf("61st: %+v", got)
	}
	if got := take(b, r, noon.Add(time.Minute)); !got.Allowed || got.Limit.Remaining != 59 {
		t.Errorf("next minute: %+v", got)
	}
}

func TestHeadersDescribeTheDayWhenLessOfItIsLeft(t *testing.T) {
	b, r := &Bucket{}, Rule{PerMinute: 60, PerDay: 1000}
	b.Restore(Day(noon), 990)
	midnight := noon.Add(12 * time.Hour)
	want := cardea.Limit{Limit: 1000, Remaining: 9, Reset: midnight.Unix(), Window: WindowDay}
	if got := take(b, r, noon); !got.Allowed || got.Limit != want {
		t.Fatalf("991st of the day: %+v", got)
	}
	for range 9 {
		take(b, r, noon)
	}
	want = cardea.Limit{Limit: 1000, Reset: midnight.Unix(), RetryAfter: 12 * 3600, Window: WindowDay}
	if got := take(b, r, noon); got.Allowed || got.Limit != want {
		t.Errorf("1001st of the day: %+v", got)
	}
	if got := take(b, r, midnight); !got.Allowed || got.Limit.Limit != 60 {
		t.Errorf("next day: %+v", got)
	}
}

// Guarantee: hammering a full limit does not keep its owner out for longer.
func TestRefusedRequestsDoNotExtendTheWait(t *testing.T) {
	b := &Bucket{}
	for range 50 {
		take(b, professional, noon)
	}
	for range 10_000 {
		if take(b, professional, noon).Allowed {
			t.Fatal("allowed above the burst")
		}
	}
	if !take(b, professional, noon.Add(200*time.Millisecond)).Allowed {
		t.Error("one interval later the next request must pass")
	}
}

// Guarantee: a request refused by one owner's limit costs the other owner nothing.
func TestTwoOwnersAreChargedTogetherOrNotAtAll(t *testing.T) {
	org, key := &Bucket{}, &Bucket{}
	orgRule, keyRule := Rule{PerMinute: 100}, Rule{PerMinute: 2}
	for i := range 5 {
		got := Take(noon, org, orgRule, key, keyRule)
		if got.Allowed != (i < 2) {
			t.Fatalf("request %d: %+v", i, got)
		}
	}
	if org.minute.count != 2 || key.minute.count != 2 {
		t.Errorf("charged %d and %d, want 2 and 2", org.minute.count, key.minute.count)
	}
	got := Peek(noon, org, orgRule, key, keyRule)
	if want := (cardea.Limit{Limit: 2, Reset: noon.Unix() + 60, Window: WindowMinute}); got.Limit != want {
		t.Errorf("headers must describe the owner with less left: %+v", got.Limit)
	}
	if org.minute.count != 2 {
		t.Error("Peek charged")
	}
}

func TestNoRuleMeansNoLimit(t *testing.T) {
	b := &Bucket{}
	for range 1000 {
		if got := take(b, Rule{Burst: 1}, noon); !got.Allowed || got.Limit != (cardea.Limit{}) {
			t.Fatalf("%+v", got)
		}
	}
	if got := Take(noon, nil, professional, nil, Rule{}); !got.Allowed {
		t.Errorf("no bucket: %+v", got)
	}
}

func TestRemainingIsNeverNegativeAfterADowngrade(t *testing.T) {
	b := &Bucket{}
	for range 100 {
		take(b, Rule{PerMinute: 1000}, noon)
	}
	if got := Peek(noon, b, Rule{PerMinute: 60}, nil, Rule{}); got.Limit.Remaining != 0 {
		t.Errorf("%+v", got)
	}
	if take(b, Rule{PerMinute: 60}, noon).Allowed {
		t.Error("a smaller plan holds at once")
	}
}

// Guarantee: no step of the wall clock gives more than one extra burst, and none locks
// an owner out for longer than a minute.
func TestClockSteps(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour, time.Second, -time.Second, 25 * time.Hour, -25 * time.Hour, -90 * time.Second} {
		t.Run(step.String(), func(t *testing.T) {
			b := &Bucket{}
			admitted := 0
			for range 500 {
				if take(b, professional, noon).Allowed {
					admitted++
				}
			}
			for range 500 {
				if take(b, professional, noon.Add(step)).Allowed {
					admitted++
				}
			}
			for range 500 {
				if take(b, professional, noon).Allowed {
					admitted++
				}
			}
			if admitted > 100+5 { // the 5 that a second gives by rights
				t.Errorf("%d admitted, want at most two bursts of 50", admitted)
			}
			if got := take(b, professional, noon.Add(time.Minute)); !got.Allowed {
				t.Errorf("still refused a minute later: %+v", got)
			}
		})
	}
	t.Run("without burst", func(t *testing.T) {
		b, r, admitted := &Bucket{}, Rule{PerMinute: 60}, 0
		for _, at := range []time.Time{noon, noon.Add(-time.Hour), noon, noon.Add(-2 * time.Minute)} {
			for range 200 {
				if take(b, r, at).Allowed {
					admitted++
				}
			}
		}
		if admitted > 120 {
			t.Errorf("%d admitted by stepping back and forth once, want at most 120", admitted)
		}
	})
}

// model is the slow exact account: every admitted instant, and the burst as a vessel
// that drains.
type model struct {
	admitted []int64
	level    int64 // nanoseconds until the vessel is empty
	at       int64
}

func (m *model) count(now, length int64) (n int64) {
	for _, a := range m.admitted {
		if a/length == now/length {
			n++
		}
	}
	return n
}

func (m *model) take(now int64, r Rule) (bool, string) {
	m.level, m.at = max(0, m.level-(now-m.at)), now
	refused, wait := "", int64(0)
	longer := func(name string, w int64) {
		if w > wait {
			refused, wait = name, w
		}
	}
	if r.PerMinute > 0 && m.count(now, minute) >= r.PerMinute {
		longer(WindowMinute, minute-now%minute)
	}
	if r.PerMinute > 0 && r.Burst > 0 {
		every := minute / r.PerMinute
		longer(WindowBurst, m.level-every*(r.Burst-1))
	}
	if r.PerDay > 0 && m.count(now, day) >= r.PerDay {
		longer(WindowDay, day-now%day)
	}
	if refused != "" {
		return false, refused
	}
	m.admitted = append(m.admitted, now)
	if r.PerMinute > 0 {
		m.level += minute / r.PerMinute
	}
	return true, ""
}

// Guarantee: over any sequence of requests the bucket admits exactly what the exact
// account admits, and its numbers are those of the account.
func TestBucketAgreesWithExactModel(t *testing.T) { rapid.Check(t, agree) }

func FuzzBucketAgreesWithExactModel(f *testing.F) { f.Fuzz(rapid.MakeFuzz(agree)) }

func agree(t *rapid.T) {
	r := Rule{
		PerMinute: rapid.Int64Range(0, 40).Draw(t, "per minute"),
		Burst:     rapid.Int64Range(0, 12).Draw(t, "burst"),
		PerDay:    rapid.Int64Range(0, 90).Draw(t, "per day"),
	}
	b, m, now := &Bucket{}, &model{}, noon.Add(12*time.Hour-3*time.Minute).UnixNano()
	m.at = now
	gaps := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, second), rapid.Int64Range(0, 10*second), rapid.Int64Range(0, 90*second))
	for range rapid.IntRange(1, 300).Draw(t, "requests") {
		now += gaps.Draw(t, "gap")
		got := take(b, r, time.Unix(0, now))
		want, why := m.take(now, r)
		if got.Allowed != want || !want && got.Limit.Window != why {
			t.Fatalf("at %d: allowed %v by %q, want %v by %q", now, got.Allowed, got.Limit.Window, want, why)
		}
		checkNumbers(t, got, r, m, now)
	}
}

// checkNumbers compares a result's headers with the account.
func checkNumbers(t *rapid.T, got Result, r Rule, m *model, now int64) {
	l := got.Limit
	if l.Remaining < 0 || got.Allowed != (l.RetryAfter == 0) || l.RetryAfter < 0 {
		t.Fatalf("impossible numbers %+v", got)
	}
	if l.Limit > 0 && (l.Reset*second <= now || l.Reset*second > now+day+second) {
		t.Fatalf("reset %d at %d", l.Reset, now)
	}
	if !got.Allowed || r.IsZero() {
		return
	}
	left := []int64{}
	if r.PerMinute > 0 {
		left = append(left, r.PerMinute-m.count(now, minute))
	}
	if r.PerDay > 0 {
		left = append(left, r.PerDay-m.count(now, day))
	}
	least := left[0]
	if len(left) > 1 {
		least = min(least, left[1])
	}
	if l.Remaining != least {
		t.Fatalf("remaining %d, want %d", l.Remaining, least)
	}
}

// Guarantee: 64 clients at once are admitted exactly as often as the limit says.
func TestConcurrentRequestsAreCountedExactly(t *testing.T) {
	table := NewTable(0)
	b, _ := table.Bucket("org_a", noon)
	var admitted atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 100 {
				if take(b, Rule{PerMinute: 1000}, noon).Allowed {
					admitted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if admitted.Load() != 1000 {
		t.Errorf("%d admitted, want 1000", admitted.Load())
	}
}

// Guarantee: day counts survive a restart: what Dirty returned and Restore gave back
// is the same count.
func TestDayCountsGoToTheDatabaseAndBack(t *testing.T) {
	r := Rule{PerDay: 10}
	table := NewTable(0)
	b, created := table.Bucket("org_a", noon)
	if !created {
		t.Fatal("not new")
	}
	for range 4 {
		take(b, r, noon)
	}
	dirty := table.Dirty()
	if diff := cmp.Diff([]DayCount{{"org_a", Day(noon), 4}}, dirty); diff != "" {
		t.Fatal(diff)
	}
	take(b, r, noon) // while the count is being written
	table.Saved(dirty)
	dirty = table.Dirty()
	if diff := cmp.Diff([]DayCount{{"org_a", Day(noon), 1}}, dirty); diff != "" {
		t.Fatal(diff)
	}
	table.Saved(dirty)
	if dirty := table.Dirty(); len(dirty) != 0 {
		t.Fatalf("clean, yet %v", dirty)
	}

	restarted := NewTable(0)
	b, _ = restarted.Bucket("org_a", noon)
	b.Restore(Day(noon), 5)
	for range 5 {
		if !take(b, r, noon).Allowed {
			t.Fatal("refused too early")
		}
	}
	if take(b, r, noon).Allowed {
		t.Error("the day's count was lost")
	}
	b.Restore(Day(noon)-1, 0) // yesterday's count, read before midnight, changes nothing
	if take(b, r, noon).Allowed {
		t.Error("the day's count was lost")
	}
}

// Guarantee: a bucket in use or not yet written is never swept, and who still holds a
// swept one is told.
func TestSweepForgetsOnlyWhatIsFinished(t *testing.T) {
	table := NewTable(0)
	b, _ := table.Bucket("org_a", noon)
	take(b, professional, noon)
	table.Sweep(noon.Add(59 * time.Second))
	if table.Len() != 1 {
		t.Fatal("swept within its minute")
	}
	daily, _ := table.Bucket("org_b", noon)
	take(daily, Rule{PerDay: 10}, noon)
	table.Sweep(noon.Add(time.Hour))
	if daily.Dead() {
		t.Fatal("swept with a day's count")
	}
	table.Sweep(noon.Add(24 * time.Hour))
	if table.Len() != 0 || !b.Dead() {
		t.Fatal("not swept when finished")
	}
	if got := take(b, professional, noon); !got.Gone || got.Allowed {
		t.Errorf("a swept bucket must not count: %+v", got)
	}
}

func TestTableIsBounded(t *testing.T) {
	table := NewTable(shardCount * 2)
	for i := range 10_000 {
		b, _ := table.Bucket(fmt.Sprint("org_", i), noon)
		take(b, professional, noon)
	}
	if table.Len() > shardCount*2 || table.Dropped() == 0 {
		t.Errorf("%d buckets, %d dropped", table.Len(), table.Dropped())
	}
}

func TestTakeDoesNotAllocate(t *testing.T) {
	org, key := &Bucket{}, &Bucket{}
	if n := testing.AllocsPerRun(100, func() { Take(noon, org, professional, key, Rule{PerMinute: 10, PerDay: 100}) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkTake(b *testing.B) {
	org, key := &Bucket{}, &Bucket{}
	rule := Rule{PerMinute: 1 << 40, Burst: 1 << 20, PerDay: 1 << 40}
	now := time.Now()
	b.Run("one owner", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Take(now, org, rule, nil, Rule{})
		}
	})
	b.Run("two owners", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Take(now, org, rule, key, rule)
		}
	})
	b.Run("contended", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				Take(now, org, rule, nil, Rule{})
			}
		})
	})
}

// Guarantee: Check refuses what Take would, and charges nothing.
func TestCheckChargesNothing(t *testing.T) {
	b := &Bucket{}
	rule := Rule{PerMinute: 2}
	for range 5 {
		if !Check(noon, b, rule, nil, Rule{}).Allowed {
			t.Fatal("refused before it was charged")
		}
	}
	take(b, rule, noon)
	take(b, rule, noon)
	got := Check(noon, b, rule, nil, Rule{})
	if want := take(b, rule, noon); got != want || got.Allowed || b.minute.count != 2 {
		t.Errorf("Check says %+v, Take %+v; charged %d", got, want, b.minute.count)
	}
}
