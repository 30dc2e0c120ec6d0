package contract

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// A Period is a length of time on the calendar: a page may say "3 months".
type Period struct {
	Months   int
	Duration time.Duration
}

// IsZero reports whether the period is unset.
func (p Period) IsZero() bool { return p == Period{} }

// After returns the instant one period after t. The day is capped at the month's
// last: 31 January plus one month is 28 or 29 February. Months are counted in t's
// location.
func (p Period) After(t time.Time) time.Time {
	if p.Months != 0 {
		year, month, day := t.Date()
		first := time.Date(year, month+time.Month(p.Months), 1, 0, 0, 0, 0, t.Location())
		last := first.AddDate(0, 1, -1).Day()
		hour, minute, second := t.Clock()
		t = time.Date(first.Year(), first.Month(), min(day, last), hour, minute, second, t.Nanosecond(), t.Location())
	}
	return t.Add(p.Duration)
}

// String returns the period as a contract writes it: "3mo", "30d", "1h30m".
func (p Period) String() string {
	var b strings.Builder
	if years := p.Months / 12; years > 0 {
		fmt.Fprintf(&b, "%dy", years)
	}
	if months := p.Months % 12; months > 0 {
		fmt.Fprintf(&b, "%dmo", months)
	}
	rest := p.Duration
	for _, u := range periodUnits {
		if u.duration > 0 && u.suffix != "w" && rest >= u.duration {
			fmt.Fprintf(&b, "%d%s", rest/u.duration, u.suffix)
			rest %= u.duration
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

// periodUnits lists the units from the longest to the shortest. A day is 24 hours;
// months and years are the calendar's.
var periodUnits = []struct {
	suffix   string
	months   int
	duration time.Duration
}{
	{"y", 12, 0},
	{"mo", 1, 0},
	{"w", 0, 7 * 24 * time.Hour},
	{"d", 0, 24 * time.Hour},
	{"h", 0, time.Hour},
	{"m", 0, time.Minute},
	{"s", 0, time.Second},
	{"ms", 0, time.Millisecond},
}

// Nothing that is written lives longer than 100 years.
const (
	maxPeriodMonths = 100 * 12
	maxPeriod       = 100 * 366 * 24 * time.Hour
)

var errPeriod = errors.New("not a length of time")

// ParsePeriod reads a period: whole numbers with the units ms, s, m, h, d, w, mo
// (calendar month) and y (12 months), from the longest to the shortest, such as
// "90s", "1h30m" or "3mo". It takes at most 100 years.
func ParsePeriod(s string) (Period, error) {
	var p Period
	if s == "" {
		return p, errPeriod
	}
	next := 0 // the longest unit that may still come
	for s != "" {
		digits := 0
		for digits < len(s) && '0' <= s[digits] && s[digits] <= '9' {
			digits++
		}
		letters := digits
		for letters < len(s) && 'a' <= s[letters] && s[letters] <= 'z' {
			letters++
		}
		count, ok := smallNumber(s[:digits])
		unit := unitIndex(s[digits:letters])
		if !ok || unit < next {
			return Period{}, errPeriod
		}
		u := periodUnits[unit]
		if u.duration > 0 && count > int64(maxPeriod/u.duration) {
			return Period{}, errPeriod
		}
		p.Months += int(count) * u.months
		p.Duration += time.Duration(count) * u.duration
		if p.Months > maxPeriodMonths || p.Duration > maxPeriod {
			return Period{}, errPeriod
		}
		s, next = s[letters:], unit+1
	}
	return p, nil
}

// unitIndex returns a unit's place in periodUnits, -1 for none.
func unitIndex(suffix string) int {
	for i, u := range periodUnits {
		if u.suffix == suffix {
			return i
		}
	}
	return -1
}

// smallNumber reads up to ten digits.
func smallNumber(digits string) (int64, bool) {
	if digits == "" || len(digits) > 10 {
		return 0, false
	}
	var n int64
	for _, c := range []byte(digits) {
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// atLeast returns a duration for comparing lengths: months count as the shortest
// they can be.
func (p Period) atLeast() time.Duration {
	return p.Duration + time.Duration(p.Months)*28*24*time.Hour
}

// atMost is [Period.atLeast] with months as long as they can be.
func (p Period) atMost() time.Duration {
	return p.Duration + time.Duration(p.Months)*31*24*time.Hour
}
