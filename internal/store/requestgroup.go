package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
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
	Credentials int64 // different ones; 0 when no caller was known
	First, Last time.Time
	Newest      string // the id of the newest of them
}

// Bounds of [DB.RequestGroups].
const (
	groupMost = 10_000 // rows that are looked at, where an index has all that is asked
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
//
// They are added up here and not by the engine, which sorts the rows for it and takes
// several times as long.
func (db *DB) RequestGroups(ctx context.Context, f RequestFilter) (groups []RequestGroup, since time.Time, err error) {
	days, err := db.requests.days(ctx)
	if err != nil {
		return nil, time.Time{}, db.classify(err)
	}
	s := requestScan{db: db, filter: f, place: newest, left: groupMost}
	if f.loose() || !f.Errors || f.Organization == "" {
		s.left /= groupCost
	}
	all := tally{}
	for _, day := range days {
		if s.left <= 0 || !f.overlaps(day) {
			continue
		}
		if since, err = s.group(ctx, day, all); err != nil {
			return nil, time.Time{}, db.classify(err)
		}
	}
	for _, g := range all {
		g.Credentials = int64(len(g.credentials))
		groups = append(groups, g.RequestGroup)
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

// A tally holds groups by what their requests have in common.
type tally map[string]*groupTally

type groupTally struct {
	RequestGroup
	credentials map[string]bool
}

// group adds a day's rows, newest first. since is the time of the last row that was looked
// at when it was not the day's last.
func (s *requestScan) group(ctx context.Context, day int64, all tally) (since time.Time, err error) {
	r, err := s.db.requests.on(ctx, day)
	if err != nil {
		return since, err
	}
	seen, end, err := s.reach(ctx, r, day)
	if err != nil || seen == 0 {
		return since, err
	}
	q := s.far(s.near(sel(`SELECT at, request_id, status, reason, method, route, credential FROM request_log`), day, end))
	q.add(newestFirst, seen)
	rows, err := r.q.QueryContext(ctx, q.text.String(), q.args...)
	if err != nil {
		return since, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := all.add(rows); err != nil {
			return since, err
		}
	}
	if s.left -= seen; s.left <= 0 {
		since = time.UnixMicro(end.at).UTC()
	}
	return since, rows.Err()
}

// add counts a row. Its texts are looked at where the driver has them: most rows belong to
// a group that is there, and leave nothing behind.
func (all tally) add(rows *sql.Rows) error {
	var at int64
	var id, status, reason, method, route, credential sql.RawBytes
	if err := rows.Scan(&at, &id, &status, &reason, &method, &route, &credential); err != nil {
		return err
	}
	var buffer [256]byte
	key := buffer[:0]
	for _, part := range [][]byte{status, reason, method, route} {
		key = append(append(key, part...), 0)
	}
	g := all[string(key)]
	if g == nil {
		n, err := strconv.Atoi(string(status))
		if err != nil {
			return errColumn
		}
		g = &groupTally{credentials: map[string]bool{}, RequestGroup: RequestGroup{
			Status: n, Method: string(method), Route: string(route), Last: time.UnixMicro(at).UTC(), Newest: string(id),
		}}
		g.Reason, _ = cardea.ParseReason(string(reason))
		all[string(key)] = g
	}
	g.Count++
	g.First = time.UnixMicro(at).UTC()
	if len(credential) > 0 && !g.credentials[string(credential)] {
		g.credentials[string(credential)] = true
	}
	return nil
}
