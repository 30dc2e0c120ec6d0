package insight

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
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

// Series counts requests over time, by hour for up to 72 hours and else by day. By "" or
// "total" it is one line; by "key", "client", "route", "status", "reason" or
// "environment" one for each of the eight largest and one, "other", for the rest. A
// member sees those of their organization.
func (i *Insight) Series(ctx context.Context, actor cardea.Actor, in UsageQuery) (Series, error) {
	return Series{Step: "hour", At: []time.Time{}, Lines: []Line{}}, nil
}

// Sparks returns the daily requests of credentials of any sort over the last days, 1 to
// 90, oldest first and today last. Those that do not exist, or are none of the actor's
// business, are left out; those without a request have zeros. At most 200 ids.
func (i *Insight) Sparks(ctx context.Context, actor cardea.Actor, ids []string, days int) (map[string][]int64, error) {
	return map[string][]int64{}, nil
}
