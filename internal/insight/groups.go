package insight

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
)

// Groups are alike requests counted together: the answer of [Insight.Groups]. Errors come
// first, and of those the most frequent.
type Groups struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Items []Group   `json:"items"`

	// Truncated says that not every request of the period was looked at, but the newest
	// ones, down to Since.
	Truncated bool      `json:"truncated,omitzero"`
	Since     time.Time `json:"since"`
}

// A Group is requests with the same answer to the same question: "401 expired ×212 on
// GET /v1/things".
type Group struct {
	Status int       `json:"status"`
	Reason string    `json:"reason"`
	Method string    `json:"method"`
	Route  string    `json:"route,omitzero"` // the contract's pattern, "" when none matched
	Count  int64     `json:"count"`
	Keys   int64     `json:"keys"` // how many credentials; 0: no caller was known
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Sample string    `json:"sample"`       // the id of the newest of them
	Fix    string    `json:"fix,omitzero"` // what would let such requests through
}

// Groups counts alike requests of a period, of 24 hours unless said. A member sees those
// of their organization. Page is not used: there are at most 100 groups.
func (i *Insight) Groups(ctx context.Context, actor cardea.Actor, in RequestFilter) (Groups, error) {
	to := in.To
	if to.IsZero() {
		to = i.now() // and the list stays open: what happens just now belongs to it
	}
	if in.From.IsZero() {
		in.From = to.Add(-groupSpan)
	}
	filter, err := i.requestFilter(ctx, actor, in)
	if err != nil {
		return Groups{}, err
	}
	found, since, err := i.store.RequestGroups(ctx, filter)
	if err != nil {
		return Groups{}, err
	}
	out := Groups{From: in.From.UTC(), To: to.UTC(), Since: in.From.UTC(), Items: make([]Group, len(found))}
	if !since.IsZero() {
		out.Since, out.Truncated = since, true
	}
	c := i.contract()
	for n, g := range found {
		s := situation{contract: c, request: store.RequestRow{Status: g.Status, Reason: g.Reason, Method: g.Method, Route: g.Route}, several: true}
		_, fix := s.words()
		out.Items[n] = Group{
			Status: g.Status, Reason: g.Reason.String(), Method: g.Method, Route: g.Route, Count: g.Count, Keys: g.Credentials,
			First: g.First, Last: g.Last, Sample: g.Newest, Fix: fix,
		}
	}
	return out, nil
}

// groupSpan is the period of groups when none is asked for.
const groupSpan = 24 * time.Hour
