package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
)

// A UsageDelta is what to add to the usage of one hour. Credential, Hour, Route,
// StatusClass and Reason identify the row; Organization and Environment follow from
// the credential.
type UsageDelta struct {
	Credential   string // "" for callers that were never known
	Organization string
	Environment  string
	Hour         time.Time // start of the hour, UTC
	Route        string    // the contract's pattern, "" when none matched
	StatusClass  int       // 2 for 200 to 299
	Reason       cardea.Reason
	Requests     int64
	BytesOut     int64
	Latency      time.Duration // sum over the requests
}

// addUsageSQL adds to a row or makes it. The table's name is spelled out on the right
// because PostgreSQL takes a bare column there for ambiguous.
const addUsageSQL = `INSERT INTO usage_hourly
	(credential, hour, route, status_class, reason, organization, environment, requests, bytes_out, latency_us)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
	ON CONFLICT (credential, hour, route, status_class, reason) DO UPDATE SET
	requests = usage_hourly.requests + excluded.requests,
	bytes_out = usage_hourly.bytes_out + excluded.bytes_out,
	latency_us = usage_hourly.latency_us + excluded.latency_us`

// AddUsage adds to the hourly usage, all of it or, with an error, nothing.
func (db *DB) AddUsage(ctx context.Context, deltas []UsageDelta) error {
	if len(deltas) == 0 {
		return nil
	}
	tx, err := db.usage.BeginTx(ctx, nil)
	if err != nil {
		return db.classify(err)
	}
	defer tx.Rollback() // without effect after the commit
	stmt, err := tx.PrepareContext(ctx, addUsageSQL)
	if err != nil {
		return db.classify(err)
	}
	defer stmt.Close()
	for i := range deltas {
		d := &deltas[i]
		if _, err := stmt.ExecContext(ctx, clean(d.Credential), stamp(d.Hour), clean(d.Route), d.StatusClass,
			d.Reason.String(), d.Organization, d.Environment, d.Requests, d.BytesOut, d.Latency.Microseconds()); err != nil {
			return db.classify(err)
		}
	}
	if err := addSums(ctx, tx, deltas); err != nil {
		return db.classify(err)
	}
	return db.classify(tx.Commit())
}

// The dimensions that usage can be summed by.
const (
	ByHour        = "hour"
	ByDay         = "day"
	ByCredential  = "credential"
	ByRoute       = "route"
	ByReason      = "reason"
	ByStatusClass = "status_class"
	ByEnvironment = "environment"

	ByOrganization = "organization"
)

// UsageFilter says which usage to sum, and by what. Zero members do not narrow.
type UsageFilter struct {
	Organization string
	Credential   string
	Environment  string
	Since, Until time.Time // whole hours; Since ≤ hour < Until
	By           []string  // By constants; none gives one row with the sum of all

	// Only are the values of the last of By that are wanted, where that is a credential, a
	// route, a reason or an environment; none: all of them.
	Only []string

	Limit int // rows at most; 0 means 1,000, and 10,000 is the most
}

// table returns the table to sum, and the column of its times: what no credential matters
// to was added up without it, and whole days of that by the day.
func (f *UsageFilter) table() (name, at string) {
	switch {
	case f.Credential != "" || slices.Contains(f.By, ByCredential):
		return "usage_hourly", "hour"
	case wholeDay(f.Since) && wholeDay(f.Until) && !slices.Contains(f.By, ByHour):
		return "usage_total_daily", "day"
	}
	return "usage_total", "hour"
}

func wholeDay(t time.Time) bool { return !t.IsZero() && t.Equal(t.UTC().Truncate(24*time.Hour)) }

// A UsageRow is a sum of usage. Only the members that By asked for are set besides
// the figures.
type UsageRow struct {
	Time        time.Time // ByHour, ByDay: start of the hour or UTC day
	Credential  string
	Route       string
	Reason      string
	StatusClass int
	Environment string

	Organization string

	Requests int64
	Denied   int64         // refused by Cardea, the limited ones included
	Limited  int64         // refused by a limit
	BytesOut int64         // of responses' bodies
	Latency  time.Duration // sum; divide by Requests for the mean
}

// usageDimensions gives, by By constant, the expression to group by and where its
// value goes.
var usageDimensions = map[string]struct {
	expr string
	into func(*UsageRow) any
}{
	ByHour:        {"hour", func(u *UsageRow) any { return (*stamp)(&u.Time) }},
	ByDay:         {"hour / 86400000000 * 86400000000", func(u *UsageRow) any { return (*stamp)(&u.Time) }},
	ByCredential:  {"credential", func(u *UsageRow) any { return &u.Credential }},
	ByRoute:       {"route", func(u *UsageRow) any { return &u.Route }},
	ByReason:      {"reason", func(u *UsageRow) any { return &u.Reason }},
	ByStatusClass: {"status_class", func(u *UsageRow) any { return &u.StatusClass }},
	ByEnvironment: {"environment", func(u *UsageRow) any { return &u.Environment }},

	ByOrganization: {"organization", func(u *UsageRow) any { return &u.Organization }},
}

// usageSums are the figures. The reasons in the texts are those of package cardea.
const usageSums = `CAST(coalesce(sum(requests), 0) AS BIGINT),
	CAST(coalesce(sum(CASE WHEN reason IN ('allowed', 'upstream_failed', 'upstream_timeout') THEN 0 ELSE requests END), 0) AS BIGINT),
	CAST(coalesce(sum(CASE WHEN reason IN ('rate_limited', 'quota_exceeded') THEN requests ELSE 0 END), 0) AS BIGINT),
	CAST(coalesce(sum(bytes_out), 0) AS BIGINT), CAST(coalesce(sum(latency_us), 0) AS BIGINT)`

// Usage sums the usage that a filter selects, newest and largest rows first.
func (db *DB) Usage(ctx context.Context, f UsageFilter) ([]UsageRow, error) {
	table, at := f.table()
	columns, into := []string{}, []func(*UsageRow) any{}
	for _, by := range f.By {
		d, ok := usageDimensions[by]
		if !ok {
			return nil, cardea.Invalid("by", "usage is not kept by that")
		}
		if by == ByDay && at == "day" {
			d.expr = at
		}
		columns, into = append(columns, d.expr), append(into, d.into)
	}
	s := sel("SELECT " + strings.Join(append(columns, usageSums), ", ") + " FROM " + table)
	if f.Credential != "" || len(f.Only) > 0 && slices.Contains(f.By, ByCredential) {
		// By credential, and by no other index: the organization may have a million rows.
		s.and("organization || '' = ?", f.Organization).and("credential = ?", f.Credential)
	} else {
		s.and("organization = ?", f.Organization)
	}
	s.and("environment = ?", f.Environment).between(at, f.Since, f.Until)
	if len(f.Only) > 0 && len(columns) > 0 {
		s.in(columns[len(f.By)-1], f.Only)
	}
	s.group(f.By, len(columns))
	limit := f.Limit
	if limit <= 0 {
		limit = 1000
	}
	s.add(" LIMIT ?", min(limit, 10000))
	rows, err := collect(ctx, Reader{q: db.usage, db: db}, s, func(u *UsageRow) []any {
		var targets []any
		for _, target := range into {
			targets = append(targets, target(u))
		}
		return append(targets, &u.Requests, &u.Denied, &u.Limited, &u.BytesOut, (*microseconds)(&u.Latency))
	})
	return rows, err
}

// group adds GROUP BY and ORDER BY over the first n columns: times newest first, then
// the largest number of requests.
func (s *selection) group(by []string, n int) {
	if n == 0 {
		return
	}
	var numbers, order []string
	for i, name := range by {
		number := strconv.Itoa(i + 1)
		numbers = append(numbers, number)
		if name == ByHour || name == ByDay {
			order = append(order, number+" DESC")
		}
	}
	order = append(order, strconv.Itoa(n+1)+" DESC")
	s.add(" GROUP BY " + strings.Join(numbers, ", ") + " ORDER BY " + strings.Join(append(order, numbers...), ", "))
}

// microseconds scans a BIGINT of microseconds into a duration.
type microseconds time.Duration

// Scan implements sql.Scanner.
func (m *microseconds) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return errColumn
	}
	*m = microseconds(time.Duration(n) * time.Microsecond)
	return nil
}

// KeyUsage sums up what one credential did.
type KeyUsage struct {
	LastUsedAt time.Time
	Total      UsageRow         // since Since
	Denials    map[string]int64 // by reason's name
}

// KeyUsage returns the usage of a credential since an instant; KindNotFound when there
// is no such credential.
func (db *DB) KeyUsage(ctx context.Context, credential string, since time.Time) (KeyUsage, error) {
	c, err := db.Credential(ctx, credential)
	if err != nil {
		return KeyUsage{}, err
	}
	rows, err := db.Usage(ctx, UsageFilter{Credential: credential, Since: since, By: []string{ByReason}})
	if err != nil {
		return KeyUsage{}, err
	}
	u := KeyUsage{LastUsedAt: c.LastUsedAt, Denials: map[string]int64{}}
	for _, r := range rows {
		if r.Denied > 0 {
			u.Denials[r.Reason] += r.Denied
		}
		u.Total.Requests += r.Requests
		u.Total.Denied += r.Denied
		u.Total.Limited += r.Limited
		u.Total.BytesOut += r.BytesOut
		u.Total.Latency += r.Latency
	}
	return u, nil
}

// usageMonths is how long usage is kept.
const usageMonths = 13
