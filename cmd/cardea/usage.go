package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var usageColumns = []column[admin.UsageRow]{
	{"group", func(r admin.UsageRow) string { return r.Group }},
	{"name", func(r admin.UsageRow) string { return r.Name }},
	{"requests", func(r admin.UsageRow) string { return count(r.Counts.Requests) }},
	{"denied", func(r admin.UsageRow) string { return count(r.Counts.Denied) }},
	{"limited", func(r admin.UsageRow) string { return count(r.Counts.Limited) }},
	{"bytes", func(r admin.UsageRow) string { return count(r.Counts.BytesOut) }},
	{"average", func(r admin.UsageRow) string {
		return (time.Duration(r.Counts.AverageLatencyUS) * time.Microsecond).String()
	}},
	{"why denied", func(r admin.UsageRow) string { return denials(r.Counts.Denials) }},
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

// denials renders refusals by reason, most first.
func denials(by map[string]int64) string {
	reasons := slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		if by[a] != by[b] {
			return int(by[b] - by[a])
		}
		return strings.Compare(a, b)
	})
	for i, reason := range reasons {
		reasons[i] = fmt.Sprintf("%s %d", reason, by[reason])
	}
	return list(reasons)
}

// usageCommand is `cardea usage`.
func usageCommand() *cobra.Command {
	var q admin.UsageQuery
	var from, to string
	c := &cobra.Command{
		Use:     "usage",
		Short:   "Count requests by key, client, route, time, status, reason or environment",
		Example: "  cardea usage --by route --from 7d\n  cardea usage --key key_… --by day --from 30d",
	}
	f := c.Flags()
	f.StringVar(&q.Organization, "org", "", "only of the organization with this `ID`")
	f.StringVar(&q.Key, "key", "", "only of the credential with this `ID`")
	f.StringVar(&q.Environment, "env", "", "only in this environment")
	f.StringVar(&q.By, "by", "", "key, client, organization, route, hour, day, status, reason or environment (default key)")
	f.StringVar(&from, "from", "", "start: a time, or how long ago, such as 7d (default 24h)")
	f.StringVar(&to, "to", "", "end: a time, or how long ago (default now)")
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		var err error
		if q.From, err = parseAgo(from, time.Now()); err != nil {
			return err
		}
		if q.To, err = parseAgo(to, time.Now()); err != nil {
			return err
		}
		u, err := s.GetUsage(c.Context(), q)
		if err != nil {
			return err
		}
		if s.json {
			return s.encode(u)
		}
		s.say("%s to %s", when(u.From), when(u.To))
		if u.Truncated {
			s.say("more rows exist; the total counts them all")
		}
		return printList(s.printer, usageColumns, append(u.Rows, admin.UsageRow{Group: "total", Counts: u.Total}))
	})
	return c
}

// parseAgo parses a time, or a span that ended now; "" is the zero time.
func parseAgo(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := parseWhen(text, now)
	if err == nil && t.After(now) && !strings.Contains(text, "-") {
		return now.Add(-t.Sub(now)), nil
	}
	return t, err
}
