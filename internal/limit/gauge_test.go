package limit

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Gauges tell what Take has charged, window by window, and looking changes nothing.
func TestGaugesTellWhatIsUsedAndChargeNothing(t *testing.T) {
	table, r := NewTable(0), Rule{PerMinute: 300, Burst: 50, PerDay: 1000}
	if got := table.Gauges("org_1/live", r, noon, 7); got[0].Used != 0 || got[2].Used != 7 || table.Len() != 0 {
		t.Errorf("an owner that nobody has seen: %+v, %d buckets", got, table.Len())
	}
	b, _ := table.Bucket("org_1/live", noon)
	for range 20 {
		take(b, r, noon)
	}
	want := []Gauge{
		{WindowMinute, 300, 20, noon.Add(time.Minute)},
		{WindowBurst, 50, 20, noon.Add(20 * 200 * time.Millisecond)},
		{WindowDay, 1000, 20, noon.Truncate(24 * time.Hour).Add(24 * time.Hour)},
	}
	for range 3 {
		got := table.Gauges("org_1/live", r, noon, 5)
		for i := range got {
			got[i].Reset = got[i].Reset.UTC()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
	// A minute later the minute and the burst are there again, and the day is not; the
	// bucket itself stands where it stood.
	got := table.Gauges("org_1/live", r, noon.Add(time.Minute), 0)
	if got[0].Used != 0 || got[1].Used != 0 || got[2].Used != 20 || b.minute.count != 20 {
		t.Errorf("a minute later: %+v", got)
	}
	// What is used never exceeds a rule that became smaller.
	if got := table.Gauges("org_1/live", Rule{PerMinute: 5}, noon, 0); got[0].Used != 5 {
		t.Errorf("a smaller rule: %+v", got)
	}
	if got := table.Gauges("org_1/live", Rule{}, noon, 0); len(got) != 0 {
		t.Errorf("no rule: %+v", got)
	}
}
