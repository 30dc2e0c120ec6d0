package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
)

// A RequestGroup is logged requests that were answered alike.
type RequestGroup struct {
	Status      int
	Reason      cardea.Reason
	Method      string
	Route       string // "" when none matched
	Count       int64
	Credentials int64 // different ones, on the day with the most; 0 when no caller was known
	First, Last time.Time
	Newest      string // the id of the newest of them
}

// Bounds of [DB.RequestGroups].
const (
	groupMost = 15_000 // rows that are looked at, where an index has all that is asked
	groupCost = 3      // how much more a row costs that has to be read itself
	maxGroups = 100
)

// RequestGroups counts the requests that a filter selects together where status, reason,
// method and route are the same: errors first, then the most frequent, and 100 at most.
//
// The log has a row for every request, and so no sum over a time is free. So many rows are
// looked at, the newest ones, and no more: since is the time of the oldest of them where
// there were others before it, and else zero. Who needs exact figures of a long time has
// them in the usage.
func (db *DB) RequestGroups(ctx context.Context, f RequestFilter) (groups []RequestGroup, since time.Time, err error) {
	days, err := db.requests.days(ctx)
	if err != nil {
		return nil, time.Time{}, db.classify(err)
	}
	all := map[groupKey]*RequestGroup{}
	s := requestScan{db: db, filter: f, place: newest, left: groupMost}
	if f.loose() || !f.Errors || f.Organization == "" {
		s.left /= groupCost
	}
	for _, day := range days {
		if s.left <= 0 || !f.overlaps(day) {
			continue
		}
		if since, err = s.group(ctx, day, all); err != nil {
			return nil, time.Time{}, err
		}
	}
	for _, g := range all {
		groups = append(groups, *g)
	}
	slices.SortFunc(groups, func(a, b RequestGroup) int {
		return cmp.Or(cmp.Compare(rank(b.Status), rank(a.Status)), cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last), strings.Compare(a.Newest, b.Newest))
	})
	return groups[:min(len(groups), maxGroups)], since, nil
}

// rank is 1 for errors.
func rank(status int) int {
	if status >= 400 {
		return 1
	}
	return 0
}

type groupKey struct {
	status        int
	reason        cardea.Reason
	method, route string
}

// group adds the groups of a day. since is the time of the last row that was looked at
// when it was not the day's last.
func (s *requestScan) group(ctx context.Context, day int64, all map[groupKey]*RequestGroup) (since time.Time, err error) {
	r, err := s.db.requests.on(ctx, day)
	if err != nil {
		return since, s.db.classify(err)
	}
	seen, end, err := s.reach(ctx, r, day)
	if err != nil || seen == 0 {
		return since, err
	}
	found, err := collect(ctx, r, s.groups(day, end), func(g *dayGroup) []any {
		return []any{&g.Status, (*reasonName)(&g.Reason), &g.Method, &g.Route, &g.Count, &g.Credentials,
			(*stamp)(&g.First), (*stamp)(&g.Last), &g.newest}
	})
	if err != nil {
		return since, err
	}
	for i := range found {
		g := &found[i].RequestGroup
		g.Newest = found[i].newest[atDigits:]
		if before := all[g.key()]; before != nil {
			before.join(g)
		} else {
			all[g.key()] = g
		}
	}
	if s.left -= seen; s.left <= 0 {
		since = time.UnixMicro(end.at).UTC()
	}
	return since, nil
}

func (g *RequestGroup) key() groupKey { return groupKey{g.Status, g.Reason, g.Method, g.Route} }

// join adds the same group of an earlier day.
func (g *RequestGroup) join(earlier *RequestGroup) {
	g.Count += earlier.Count
	g.Credentials = max(g.Credentials, earlier.Credentials)
	g.First = earlier.First
}

// A dayGroup is a group of one day. Its newest is the time, in atDigits digits, and the id
// of a request: the largest one is the latest.
type dayGroup struct {
	RequestGroup
	newest string
}

// atDigits is how many digits a time of the log has, from 2001 to 2286.
const atDigits = 16

// groups selects the groups of a day's rows down to one.
func (s *requestScan) groups(day int64, end cursor) *selection {
	q := sel(`SELECT status, reason, method, route, count(*), count(DISTINCT NULLIF(credential, '')), min(at), max(at),
		max(CAST(at AS TEXT) || request_id) FROM request_log`)
	s.far(s.near(q, day).and("(at, request_id) >= (?, ?)", end.at, end.id))
	return q.add(" GROUP BY status, reason, method, route")
}
