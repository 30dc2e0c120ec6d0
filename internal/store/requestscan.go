package store

import (
	"context"
	"time"
)

// RequestFilter narrows a list of requests; zero members do not.
type RequestFilter struct {
	Credential   string
	Organization string
	Environment  string
	RequestID    string
	Reason       string // a reason's name
	Denied       bool   // refused requests only
	Errors       bool   // answers of 400 and above only, whoever gave them
	Limited      bool   // requests that a limit refused only
	OldSecret    bool   // requests with a secret that a rotation replaced
	Status       int    // 404, or a class: 4 for 400 to 499
	Method       string
	Route        string // the contract's pattern
	Unmatched    bool   // requests that matched no route
	PathPrefix   string
	Client       string // the client's address, in its canonical form
	Since, Until time.Time
}

// How many rows are looked at for one page. A filter that few requests pass would else
// read a day of millions of rows for a page that stays empty. Rows found by a credential
// lie apart from each other and cost twice as much.
const (
	scanMost       = 6000
	credentialCost = 2
)

// Requests lists logged requests, newest first, and returns the cursor of the next page.
// A page may hold fewer requests than asked, or none, although there is a next one: where
// no index finds what passes the filter, so many rows are looked at and no more.
func (db *DB) Requests(ctx context.Context, f RequestFilter, p Page) ([]RequestRow, string, error) {
	c, err := p.cursor()
	if err != nil {
		return nil, "", err
	}
	days, err := db.requests.days(ctx)
	if err != nil {
		return nil, "", db.classify(err)
	}
	s := requestScan{db: db, filter: f, place: c, want: p.size() + 1, left: scanMost, list: []RequestRow{}}
	if f.Credential != "" {
		s.left /= credentialCost
	}
	for _, day := range days {
		switch {
		case s.done():
		case c != newest && day > c.at/microsPerDay, !f.overlaps(day):
		default:
			if err := s.day(ctx, day); err != nil {
				return nil, "", err
			}
		}
	}
	list, next := cut(s.list, p.size(), func(r *RequestRow) (time.Time, string) { return r.At, r.RequestID })
	if next == "" && s.left <= 0 {
		next = s.place.String()
	}
	return list, next, nil
}

// overlaps reports whether the filter's times touch a day.
func (f *RequestFilter) overlaps(day int64) bool {
	return (f.Since.IsZero() || Day(f.Since) <= day) && (f.Until.IsZero() || Day(f.Until) >= day)
}

// A requestScan reads the log backwards for one page.
type requestScan struct {
	db     *DB
	filter RequestFilter
	place  cursor // the last row that was looked at
	want   int    // how many rows fill the page
	left   int    // how many more may be looked at
	list   []RequestRow
}

// done reports whether the page is full or the scan has seen enough.
func (s *requestScan) done() bool { return len(s.list) >= s.want || s.left <= 0 }

// day reads what the filter selects of one day.
func (s *requestScan) day(ctx context.Context, day int64) error {
	r, err := s.db.requests.on(ctx, day)
	if err != nil {
		return s.db.classify(err)
	}
	var rows *selection
	if s.filter.loose() {
		seen, end, err := s.reach(ctx, r, day)
		if err != nil || seen == 0 {
			return err
		}
		rows = s.far(s.near(sel(`SELECT `+requestColumns+` FROM request_log`), day, end))
		s.place, s.left = end, s.left-seen
	} else {
		rows = s.near(sel(`SELECT `+requestColumns+` FROM request_log`), day, cursor{})
	}
	list, err := collect(ctx, r, rows.add(newestFirst, s.want-len(s.list)), (*RequestRow).scan)
	s.list = append(s.list, list...)
	return err
}

// reach returns how many rows of a day may be looked at, and the place of the last of
// them. It reads an index alone.
func (s *requestScan) reach(ctx context.Context, r Reader, day int64) (n int, end cursor, err error) {
	q := sel(`SELECT at, request_id FROM request_log`)
	ends, err := collect(ctx, r, s.near(q, day, cursor{}).add(newestFirst+" OFFSET ?", 1, s.left-1), (*cursor).scan)
	if err != nil || len(ends) == 1 {
		return s.left, append(ends, cursor{})[0], err
	}
	q = s.near(sel(`SELECT count(*), coalesce(min(at), 0) FROM request_log`), day, cursor{})
	all, err := collect(ctx, r, q, func(c *reached) []any { return []any{&c.n, &c.at} })
	if err != nil {
		return 0, cursor{}, err
	}
	return all[0].n, cursor{at: all[0].at}, nil
}

// reached is how many rows a day has, and when the first of them was.
type reached struct {
	n  int
	at int64
}

func (c *cursor) scan() []any { return []any{&c.at, &c.id} }

// loose reports whether the filter has conditions that no index serves.
func (f *RequestFilter) loose() bool {
	rest := *f
	rest.Since, rest.Until, rest.RequestID = time.Time{}, time.Time{}, ""
	if rest.Credential != "" {
		rest.Credential = ""
	} else {
		rest.Organization, rest.Errors = "", false
	}
	return rest != RequestFilter{}
}

// near adds the conditions that an index serves, for rows of a day before the scan's place
// and not before another. Where a credential is asked for, its
// organization is none of them: all rows of the credential have the same one, and whoever
// asks for another organization's must not make the engine read them all.
func (s *requestScan) near(to *selection, day int64, down cursor) *selection {
	f := &s.filter
	to.and("request_id = ?", f.RequestID)
	if f.Credential != "" {
		to.and("credential = ?", f.Credential)
	} else {
		to.and("organization = ?", f.Organization)
		if f.Errors {
			to.and("status >= 400")
		}
	}
	// One bound on each side, the tightest: an engine goes by the first that it sees.
	first, after := day*microsPerDay, (day+1)*microsPerDay
	if !f.Since.IsZero() {
		first = max(first, f.Since.UnixMicro())
	}
	if !f.Until.IsZero() {
		after = min(after, f.Until.UnixMicro())
	}
	if s.place.at < after {
		after = s.place.at + 1
	}
	to.and("at >= ? AND at < ?", max(first, down.at), after)
	return to.and("(at, request_id) < (?, ?)", s.place.at, s.place.id).and("(at, request_id) >= (?, ?)", down.at, down.id)
}

// far adds the other conditions. The organization is written so that no index serves it:
// see near.
func (s *requestScan) far(to *selection) *selection {
	f := &s.filter
	if f.Credential != "" {
		to.and("organization || '' = ?", f.Organization)
		if f.Errors {
			to.and("status >= 400")
		}
	}
	to.and("environment = ?", f.Environment).and("reason = ?", f.Reason).and("method = ?", f.Method)
	to.and("route = ?", f.Route).and("client = ?", f.Client)
	if f.Unmatched {
		to.and("route = ''")
	}
	if f.PathPrefix != "" { // both count characters; LIKE has wildcards and, in SQLite, no case
		to.and("substr(path, 1, ?) = ?", len([]rune(f.PathPrefix)), f.PathPrefix)
	}
	if f.Denied {
		to.and("reason NOT IN ('allowed', 'upstream_failed', 'upstream_timeout')")
	}
	if f.Limited {
		to.and("reason IN ('rate_limited', 'quota_exceeded')")
	}
	if f.OldSecret {
		to.and("old_secret = 1")
	}
	switch {
	case f.Status >= 100:
		to.and("status = ?", f.Status)
	case f.Status > 0:
		to.and("status >= ? AND status < ?", f.Status*100, (f.Status+1)*100)
	}
	return to
}

const newestFirst = " ORDER BY at DESC, request_id DESC LIMIT ?"
