package contract

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Calendar months end where people expect it: the day is kept, or the month's last.
func TestPeriodAfter(t *testing.T) {
	for _, tt := range []struct{ from, period, want string }{
		{"2026-01-31T10:00:00Z", "1mo", "2026-02-28T10:00:00Z"},
		{"2028-01-31T10:00:00Z", "1mo", "2028-02-29T10:00:00Z"},
		{"2026-11-30T23:59:59Z", "3mo", "2027-02-28T23:59:59Z"},
		{"2026-11-22T04:00:00Z", "3mo", "2027-02-22T04:00:00Z"},
		{"2026-12-31T00:00:00Z", "2mo", "2027-02-28T00:00:00Z"},
		{"2028-02-29T12:00:00Z", "1y", "2029-02-28T12:00:00Z"},
		{"2026-05-31T12:00:00Z", "1mo1d", "2026-07-01T12:00:00Z"},
		{"2026-01-01T00:00:00Z", "30d", "2026-01-31T00:00:00Z"},
		{"2026-01-01T00:00:00Z", "1h30m", "2026-01-01T01:30:00Z"},
	} {
		from, err := time.Parse(time.RFC3339, tt.from)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParsePeriod(tt.period)
		if err != nil {
			t.Fatalf("%s: %v", tt.period, err)
		}
		if got := p.After(from).Format(time.RFC3339); got != tt.want {
			t.Errorf("%s after %s is %s, want %s", tt.period, tt.from, got, tt.want)
		}
	}
}

func TestParsePeriodRefuses(t *testing.T) {
	for _, s := range []string{"", "1", "d", "1.5h", "-1h", "1h ", "1m1h", "1h1h", "1mo1y", "9999999999y", "101y", "1M", "１h", "9223372036854775807s"} {
		if p, err := ParsePeriod(s); err == nil {
			t.Errorf("%q is %v", s, p)
		}
	}
}

// What is printed is read as the same period.
func TestPeriodStringRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Period{
			Months:   rapid.IntRange(0, maxPeriodMonths).Draw(t, "months"),
			Duration: time.Duration(rapid.Int64Range(0, int64(maxPeriod/time.Millisecond)).Draw(t, "ms")) * time.Millisecond,
		}
		got, err := ParsePeriod(p.String())
		if err != nil || got != p {
			t.Fatalf("%v prints %s, read as %v, %v", p, p, got, err)
		}
	})
}

// Waiting longer never ends earlier.
func TestPeriodAfterIsMonotonic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "a"), 0).UTC()
		b := a.Add(time.Duration(rapid.Int64Range(0, 1e15).Draw(t, "later")))
		p := Period{Months: rapid.IntRange(0, 40).Draw(t, "months"), Duration: time.Duration(rapid.Int64Range(0, 1e16).Draw(t, "rest"))}
		if p.After(b).Before(p.After(a).Add(-24 * 3 * time.Hour)) {
			t.Fatalf("%v: %v -> %v, %v -> %v", p, a, p.After(a), b, p.After(b))
		}
		if p.After(a).Before(a) {
			t.Fatalf("%v after %v is %v", p, a, p.After(a))
		}
	})
}
