package insight

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// A Series is usage over time, for charts: the answer of [Insight.Series].
type Series struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Step string    `json:"step"` // "hour" or "day"

	// At are the starts of the steps, oldest first and without a gap; every line has as
	// many values.
	At    []time.Time `json:"at"`
	Lines []Line      `json:"lines"`
}

// A Line is one line of a chart.
type Line struct {
	Group    string  `json:"group"`         // see [UsageRow]; "" also for all of it
	Name     string  `json:"name,omitzero"` // for people, where Group is none
	Requests []int64 `json:"requests"`
	Denied   []int64 `json:"denied"`
}

// lines is how many lines a chart has, besides the one of the rest.
const lines = 8

// restGroup is the group of the line of everything that has no line of its own.
const restGroup = "other"

// Series counts requests over time, by hour for up to 72 hours and else by the day of
// UTC. By "" or "total" it is one line; by "key", "client", "organization", "route", "status",
// "reason" or "environment" one for each of the eight largest and one, "other", for the rest. A
// member sees those of their organization.
func (i *Insight) Series(ctx context.Context, actor cardea.Actor, in UsageQuery) (Series, error) {
	if in.By == "" {
		in.By = byTotal
	}
	if _, ok := usageBy[in.By]; in.By != byTotal && !ok || in.By == "hour" || in.By == "day" {
		return Series{}, cardea.Invalid("by", "must be total, key, client, organization, route, status, reason or environment")
	}
	filter, err := i.usageFilter(ctx, actor, in)
	if err != nil {
		return Series{}, err
	}
	out, step := newSeries(filter)
	total := newLine("", len(out.At))
	if err := i.fill(ctx, filter, step, nil, func(store.UsageRow) *Line { return &total }); err != nil {
		return Series{}, err
	}
	if in.By == byTotal {
		out.Lines = []Line{total}
		return out, nil
	}
	if out.Lines, err = i.largest(ctx, in.By, filter, step, len(out.At)); err != nil {
		return Series{}, err
	}
	if rest, some := restOf(total, out.Lines); some && in.By != byClient {
		out.Lines = append(out.Lines, rest)
	}
	return out, nil
}

// newSeries returns a series without lines, and its step.
func newSeries(f store.UsageFilter) (Series, time.Duration) {
	out, step := Series{From: f.Since, To: f.Until, Step: "hour", At: []time.Time{}, Lines: []Line{}}, time.Hour
	if f.Until.Sub(f.Since) > hourly+time.Hour { // widened to whole hours it may be one longer
		out.Step, step = "day", 24*time.Hour
	}
	for at := f.Since; at.Before(f.Until); at = at.Add(step) {
		out.At = append(out.At, at)
	}
	return out, step
}

func newLine(group string, n int) Line {
	return Line{Group: group, Requests: make([]int64, n), Denied: make([]int64, n)}
}

// fill adds what a filter selects, by step and dimension, to the lines that it belongs to.
func (i *Insight) fill(ctx context.Context, f store.UsageFilter, step time.Duration, dimension []string, line func(store.UsageRow) *Line) error {
	by := store.ByHour
	if step > time.Hour {
		by = store.ByDay
	}
	ids := f.Only
	if f.Credential != "" {
		ids = []string{f.Credential}
	}
	var rows []store.UsageRow
	var err error
	switch byCredential := slices.Equal(dimension, []string{store.ByCredential}); {
	case by == store.ByDay && (byCredential || f.Credential != "" && dimension == nil):
		rows, err = i.store.DailyUsage(ctx, f, ids)
	default:
		f.By, f.Limit = append([]string{by}, dimension...), 10_000
		rows, err = i.store.Usage(ctx, f)
	}
	if err != nil {
		return err
	}
	for _, row := range rows {
		if l, at := line(row), int(row.Time.Sub(f.Since)/step); l != nil && at >= 0 && at < len(l.Requests) {
			l.Requests[at] += row.Requests
			l.Denied[at] += row.Denied
		}
	}
	return nil
}

// largest returns the lines of the groups with the most requests.
func (i *Insight) largest(ctx context.Context, by string, f store.UsageFilter, step time.Duration, n int) ([]Line, error) {
	rows, _, err := i.usageRows(ctx, by, f)
	if err != nil {
		return nil, err
	}
	rows = rows[:min(len(rows), lines)]
	if len(rows) == 0 {
		return []Line{}, nil
	}
	out, place := make([]Line, len(rows)), map[string]int{}
	for at, row := range rows {
		group := usageBy[by].group(row)
		out[at], place[group] = newLine(group, n), at
		if by != "status" {
			f.Only = append(f.Only, group)
		}
	}
	names, err := i.namesOf(ctx, by, slices.Collect(maps.Keys(place)))
	if err != nil {
		return nil, err
	}
	for at := range out {
		out[at].Name = names[out[at].Group]
	}
	find := func(row store.UsageRow) *Line {
		if at, ok := place[usageBy[by].group(row)]; ok {
			return &out[at]
		}
		return nil
	}
	return out, i.fill(ctx, f, step, []string{usageBy[by].dimension}, find)
}

// restOf returns what the lines leave of the total, and whether that is anything.
func restOf(total Line, lines []Line) (rest Line, some bool) {
	rest = newLine(restGroup, len(total.Requests))
	for at := range total.Requests {
		rest.Requests[at], rest.Denied[at] = total.Requests[at], total.Denied[at]
		for _, l := range lines {
			rest.Requests[at] -= l.Requests[at]
			rest.Denied[at] -= l.Denied[at]
		}
		// Records are written while they are read: a line may know of more than the total.
		rest.Requests[at], rest.Denied[at] = max(0, rest.Requests[at]), max(0, rest.Denied[at])
		some = some || rest.Requests[at] > 0
	}
	return rest, some
}

// Bounds of [Insight.Sparks].
const (
	maxSparks    = 200
	maxSparkDays = 90
)

// Sparks returns the daily requests of credentials of any sort over the last days, 1 to
// 90, oldest first and today last. Those that do not exist, or are none of the actor's
// business, are left out; those without a request have zeros. At most 200 ids.
func (i *Insight) Sparks(ctx context.Context, actor cardea.Actor, ids []string, days int) (map[string][]int64, error) {
	var p rules.Problems
	if len(ids) > maxSparks || slices.ContainsFunc(ids, func(id string) bool { return !rules.ValidID(id) }) {
		p.Add(cardea.Invalid("ids", "must be at most %d ids", maxSparks))
	}
	if days < 1 || days > maxSparkDays {
		p.Add(cardea.Invalid("days", "must be from 1 to %d", maxSparkDays))
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	organization, err := i.access.Scope(ctx, actor, "")
	if err != nil || len(ids) == 0 {
		return map[string][]int64{}, err
	}
	known, err := i.store.CredentialsOf(ctx, organization, ids)
	if err != nil {
		return nil, err
	}
	out := map[string][]int64{}
	for _, id := range known {
		out[id] = make([]int64, days)
	}
	until := i.now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	since := until.AddDate(0, 0, -days)
	rows, err := i.store.DailyUsage(ctx, store.UsageFilter{Since: since, Until: until}, known)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if at := int(row.Time.Sub(since) / (24 * time.Hour)); at >= 0 && at < days {
			out[row.Credential][at] = row.Requests
		}
	}
	return out, nil
}
