package insight

import (
	"context"
	"strconv"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// Bounds of usage queries: counts are kept for 13 months.
const (
	usageSpan = 24 * time.Hour // when no period is asked for
	maxSpan   = 400 * 24 * time.Hour
	maxRows   = 1000
)

// usageBy maps what a row may stand for to how the store calls it and how its value is
// shown.
var usageBy = map[string]struct {
	dimension string
	group     func(store.UsageRow) string
}{
	"key":         {store.ByCredential, func(u store.UsageRow) string { return u.Credential }},
	"route":       {store.ByRoute, func(u store.UsageRow) string { return u.Route }},
	"hour":        {store.ByHour, func(u store.UsageRow) string { return u.Time.UTC().Format(time.RFC3339) }},
	"day":         {store.ByDay, func(u store.UsageRow) string { return u.Time.UTC().Format(time.DateOnly) }},
	"status":      {store.ByStatusClass, func(u store.UsageRow) string { return strconv.Itoa(u.StatusClass) + "xx" }},
	"reason":      {store.ByReason, func(u store.UsageRow) string { return u.Reason }},
	"environment": {store.ByEnvironment, func(u store.UsageRow) string { return u.Environment }},
}

// Usage counts the requests of a period. A member sees those of their organization.
func (i *Insight) Usage(ctx context.Context, actor cardea.Actor, in UsageQuery) (Usage, error) {
	organization, err := i.access.Scope(ctx, actor, in.Organization)
	if err != nil {
		return Usage{}, err
	}
	out, err := i.usagePeriod(in)
	if err != nil {
		return Usage{}, err
	}
	filter := store.UsageFilter{
		Organization: organization, Credential: in.Key, Since: out.From, Until: out.To, Limit: maxRows + 1,
	}
	if out.Total, err = i.usageTotal(ctx, filter); err != nil {
		return Usage{}, err
	}
	by := usageBy[out.By]
	filter.By = []string{by.dimension}
	rows, err := i.store.Usage(ctx, filter)
	if err != nil {
		return Usage{}, err
	}
	if len(rows) > maxRows {
		rows, out.Truncated = rows[:maxRows], true
	}
	for _, row := range rows {
		r := UsageRow{Group: by.group(row), Counts: counts(row)}
		if out.By == "key" && row.Credential != "" {
			if c, err := i.store.Credential(ctx, row.Credential); err == nil {
				r.Name = c.Name
			}
		}
		out.Rows = append(out.Rows, r)
	}
	return out, nil
}

// usagePeriod checks a query and returns its answer's frame.
func (i *Insight) usagePeriod(in UsageQuery) (Usage, error) {
	out := Usage{From: in.From.UTC(), To: in.To.UTC(), By: in.By, Rows: []UsageRow{}}
	var p rules.Problems
	if out.By == "" {
		out.By = "key"
	}
	if _, ok := usageBy[out.By]; !ok {
		p.Add(cardea.Invalid("by", "must be key, route, hour, day, status, reason or environment"))
	}
	p.Add(rules.Filter("key", in.Key))
	if in.To.IsZero() {
		out.To = i.now().UTC()
	}
	if in.From.IsZero() {
		out.From = out.To.Add(-usageSpan)
	}
	// Counts are kept by the hour, so the period is widened to whole hours.
	out.From = out.From.Truncate(time.Hour)
	if end := out.To.Truncate(time.Hour); end.Before(out.To) {
		out.To = end.Add(time.Hour)
	}
	if !out.From.Before(out.To) {
		p.Add(cardea.Invalid("from", "must be before the end"))
	} else if out.To.Sub(out.From) > maxSpan {
		p.Add(cardea.Invalid("from", "must be at most 400 days before the end"))
	}
	return out, p.Err()
}

// usageTotal sums everything a filter selects, with its denials by reason.
func (i *Insight) usageTotal(ctx context.Context, filter store.UsageFilter) (UsageCounts, error) {
	filter.By = []string{store.ByReason}
	rows, err := i.store.Usage(ctx, filter)
	if err != nil {
		return UsageCounts{}, err
	}
	var sum store.UsageRow
	denials := map[string]int64{}
	for _, row := range rows {
		sum.Requests += row.Requests
		sum.Denied += row.Denied
		sum.Limited += row.Limited
		sum.BytesOut += row.BytesOut
		sum.Latency += row.Latency
		if row.Denied > 0 {
			denials[row.Reason] += row.Denied
		}
	}
	total := counts(sum)
	if len(denials) > 0 {
		total.Denials = denials
	}
	return total, nil
}

// counts returns the view of a sum.
func counts(row store.UsageRow) UsageCounts {
	c := UsageCounts{Requests: row.Requests, Denied: row.Denied, Limited: row.Limited, BytesOut: row.BytesOut}
	if row.Requests > 0 {
		c.AverageLatencyUS = row.Latency.Microseconds() / row.Requests
	}
	return c
}
