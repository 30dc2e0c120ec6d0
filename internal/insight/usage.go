package insight

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// Bounds of usage queries: counts are kept for 13 months.
const (
	usageSpan = 24 * time.Hour // when no period is asked for
	hourly    = 72 * time.Hour // longer periods are counted by the day
	maxSpan   = 400 * 24 * time.Hour
	maxRows   = 1000
	maxTop    = 200 // credentials of an organization
)

// What a row may stand for where it is a credential.
const (
	byKey    = "key"
	byClient = "client"
	byTotal  = "total"

	byOrganization = "organization"
)

// usageBy maps what a row may stand for to how the store calls it and how its value is
// shown.
var usageBy = map[string]struct {
	dimension string
	group     func(store.UsageRow) string
}{
	byKey:         {store.ByCredential, func(u store.UsageRow) string { return u.Credential }},
	byClient:      {store.ByCredential, func(u store.UsageRow) string { return u.Credential }},
	"route":       {store.ByRoute, func(u store.UsageRow) string { return u.Route }},
	"hour":        {store.ByHour, func(u store.UsageRow) string { return u.Time.UTC().Format(time.RFC3339) }},
	"day":         {store.ByDay, func(u store.UsageRow) string { return u.Time.UTC().Format(time.DateOnly) }},
	"status":      {store.ByStatusClass, func(u store.UsageRow) string { return strconv.Itoa(u.StatusClass) + "xx" }},
	"reason":      {store.ByReason, func(u store.UsageRow) string { return u.Reason }},
	"environment": {store.ByEnvironment, func(u store.UsageRow) string { return u.Environment }},

	byOrganization: {store.ByOrganization, func(u store.UsageRow) string { return u.Organization }},
}

// wordsFor are names for groups that have none of their own.
var wordsFor = map[string]map[string]string{
	byKey:         {"": "no known caller"},
	"route":       {"": "unmatched", "*": "other routes"},
	"environment": {"": "no known environment"},
}

// Usage counts the requests of a period. A member sees those of their organization.
// Periods of more than 72 hours are widened to whole days of UTC.
func (i *Insight) Usage(ctx context.Context, actor cardea.Actor, in UsageQuery) (Usage, error) {
	if in.By == "" {
		in.By = byKey
	}
	if _, ok := usageBy[in.By]; !ok {
		return Usage{}, cardea.Invalid("by", "must be key, client, organization, route, hour, day, status, reason or environment")
	}
	filter, err := i.usageFilter(ctx, actor, in)
	if err != nil {
		return Usage{}, err
	}
	out := Usage{From: filter.Since, To: filter.Until, By: in.By, Rows: []UsageRow{}}
	if out.Total, err = i.usageTotal(ctx, filter); err != nil {
		return Usage{}, err
	}
	rows, more, err := i.usageRows(ctx, in.By, filter)
	if err != nil {
		return Usage{}, err
	}
	out.Truncated = more
	groups := make([]string, len(rows))
	for n, row := range rows {
		groups[n] = usageBy[in.By].group(row)
	}
	names, err := i.namesOf(ctx, in.By, groups)
	if err != nil {
		return Usage{}, err
	}
	for n, row := range rows {
		out.Rows = append(out.Rows, UsageRow{Group: groups[n], Name: names[groups[n]], Counts: counts(row)})
	}
	return out, nil
}

// usageFilter checks a query and narrows it to what the actor may see.
func (i *Insight) usageFilter(ctx context.Context, actor cardea.Actor, in UsageQuery) (store.UsageFilter, error) {
	var p rules.Problems
	p.Add(rules.Filter("key", in.Key))
	p.Add(rules.Filter("environment", in.Environment))
	period(&p, in.From, in.To)
	from, to := in.From.UTC(), in.To.UTC()
	if in.To.IsZero() {
		to = i.now().UTC()
	}
	if in.From.IsZero() {
		from = to.Add(-usageSpan)
	}
	step := time.Hour
	if to.Sub(from) > hourly {
		step = 24 * time.Hour
	}
	// Counts are kept by the hour and by the day, so the period is widened to whole ones.
	from = from.Truncate(step)
	if end := to.Truncate(step); end.Before(to) {
		to = end.Add(step)
	}
	if !from.Before(to) {
		p.Add(cardea.Invalid("from", "must be before the end"))
	} else if to.Sub(from) > maxSpan {
		p.Add(cardea.Invalid("from", "must be at most 400 days before the end"))
	}
	if err := p.Err(); err != nil {
		return store.UsageFilter{}, err
	}
	organization, err := i.access.Scope(ctx, actor, in.Organization)
	return store.UsageFilter{
		Organization: organization, Environment: in.Environment, Credential: in.Key, Since: from, Until: to,
	}, err
}

// usageRows returns the rows by what they stand for, and whether there are more.
func (i *Insight) usageRows(ctx context.Context, by string, f store.UsageFilter) ([]store.UsageRow, bool, error) {
	if (by == byKey || by == byClient) && f.Organization != "" && f.Credential == "" {
		return i.topUsage(ctx, by, f, maxTop)
	}
	f.By, f.Limit = []string{usageBy[by].dimension}, maxRows+1
	rows, err := i.store.Usage(ctx, f)
	if by == byClient {
		prefix := i.contract().IDPrefix(contract.IDClient)
		rows = slices.DeleteFunc(rows, func(u store.UsageRow) bool { return !strings.HasPrefix(u.Credential, prefix) })
	}
	if len(rows) > maxRows {
		return rows[:maxRows], true, err
	}
	return rows, false, err
}

// topUsage returns the credentials of an organization with the most requests.
func (i *Insight) topUsage(ctx context.Context, by string, f store.UsageFilter, n int) ([]store.UsageRow, bool, error) {
	var only []string
	if by == byClient {
		var err error
		if only, err = i.store.ClientIDs(ctx, f.Organization, maxRows); err != nil || len(only) == 0 {
			return nil, false, err
		}
	}
	return i.store.TopUsage(ctx, f, only, n)
}

// namesOf returns what groups are called, those that need it.
func (i *Insight) namesOf(ctx context.Context, by string, groups []string) (map[string]string, error) {
	if by != byKey && by != byClient && by != byOrganization {
		return wordsFor[by], nil
	}
	find := i.store.CredentialNames
	if by == byOrganization {
		find = i.store.OrganizationNames
	}
	names, err := find(ctx, groups)
	if err == nil {
		names[""] = wordsFor[byKey][""]
	}
	return names, err
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
