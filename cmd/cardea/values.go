package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cardea-dev/cardea/admin"
)

// parseWhen parses a time that somebody typed: RFC 3339, a date, or a span from now
// such as 90d, 12h, 6mo or 1y.
func parseWhen(text string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	for _, unit := range []struct {
		suffix              string
		years, months, days int
	}{{"mo", 0, 1, 0}, {"y", 1, 0, 0}, {"d", 0, 0, 1}} {
		digits, ok := strings.CutSuffix(text, unit.suffix)
		n, err := strconv.Atoi(digits)
		if ok && err == nil && n >= 0 && n < 100_000 {
			return now.AddDate(n*unit.years, n*unit.months, n*unit.days), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d), nil
	}
	return time.Time{}, usagef("a time must look like 90d, 12h, 6mo, 1y, 2027-01-31 or 2027-01-31T12:00:00Z")
}

// parseSpan parses a length of time that somebody typed, such as 30m, 24h or 7d.
func parseSpan(text string) (time.Duration, error) {
	if digits, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(digits); err == nil && n >= 0 && n < 100_000 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, usagef("a length of time must look like 30m, 24h or 7d")
	}
	return d, nil
}

// limitFlags adds the flags of limits of one's own.
func limitFlags(f *pflag.FlagSet, whose string) {
	f.Int64("per-minute", 0, "requests a minute that "+whose+" may make; 0: no such limit")
	f.Int64("burst", 0, "requests at once; 0: no such limit")
	f.Int64("per-day", 0, "requests a UTC day; 0: no such limit")
}

// limitsTogether says in the help of updates how limits are given.
const limitsTogether = `Limits change together: with any one of --per-minute, --burst and --per-day, those not
given are dropped.`

// limits returns the limits that flags give, nil when none of them was used.
func limits(f *pflag.FlagSet) *admin.Limits {
	if !f.Changed("per-minute") && !f.Changed("burst") && !f.Changed("per-day") {
		return nil
	}
	var l admin.Limits
	l.PerMinute, _ = f.GetInt64("per-minute")
	l.Burst, _ = f.GetInt64("burst")
	l.PerDay, _ = f.GetInt64("per-day")
	return &l
}

// limitText renders limits for people, "" for none.
func limitText(l *admin.Limits) string {
	if l == nil {
		return ""
	}
	var parts []string
	for _, p := range []struct {
		n    int64
		unit string
	}{{l.PerMinute, "/min"}, {l.Burst, " burst"}, {l.PerDay, "/day"}} {
		if p.n > 0 {
			parts = append(parts, strconv.FormatInt(p.n, 10)+p.unit)
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// someChange makes an update that says nothing to change an error of usage, and so it
// does with flags that contradict each other: in each pair the first excludes the second.
func someChange(c *cobra.Command, exclusive ...[2]string) {
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		var flags []string
		some := false
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" {
				flags, some = append(flags, "--"+f.Name), some || f.Changed
			}
		})
		if !some {
			return usagef("nothing to change: give at least one of %s", strings.Join(flags, ", "))
		}
		for _, pair := range exclusive {
			if c.Flags().Changed(pair[0]) && c.Flags().Changed(pair[1]) {
				return usagef("--%s and --%s exclude each other", pair[0], pair[1])
			}
		}
		return nil
	}
}

// ownLimits are the pairs of flags that contradict each other where limits can be
// dropped for those of the plan.
var ownLimits = [][2]string{{"plan-limits", "per-minute"}, {"plan-limits", "burst"}, {"plan-limits", "per-day"}}

// changed returns a pointer to a text flag's value, nil when the flag was not used.
func changed(f *pflag.FlagSet, name string) *string {
	if !f.Changed(name) {
		return nil
	}
	v, _ := f.GetString(name)
	return &v
}
