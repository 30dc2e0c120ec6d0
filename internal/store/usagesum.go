package store

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
)

// Usage is added up several times: by credential and hour with all that is known, which is
// the account; by credential and day; and without credentials by hour and by day. An
// organization with a hundred thousand keys has a million rows of the first sort in a few
// days, and nobody waits for a sum over those.

// dailyKey and totalKey identify rows of the sums.
type dailyKey struct {
	credential string
	day        int64
}

type totalKey struct {
	organization string
	at           int64 // the hour or the day
	environment  string
	route        string
	statusClass  int
	reason       string
}

// A usageSum is what is added to a row of the sums.
type usageSum struct {
	organization, environment                      string
	requests, denied, limited, bytesOut, latencyUS int64
}

// add adds a delta.
func (s *usageSum) add(d *UsageDelta) {
	s.organization, s.environment = d.Organization, d.Environment
	s.requests += d.Requests
	s.bytesOut += d.BytesOut
	s.latencyUS += d.Latency.Microseconds()
	switch d.Reason {
	case cardea.ReasonAllowed, cardea.ReasonUpstream, cardea.ReasonUpstreamTimeout:
	case cardea.ReasonRateLimited, cardea.ReasonQuota:
		s.limited += d.Requests
		s.denied += d.Requests
	default:
		s.denied += d.Requests
	}
}

const addDailySQL = `INSERT INTO usage_daily
	(credential, day, organization, environment, requests, denied, limited, bytes_out, latency_us)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	ON CONFLICT (credential, day) DO UPDATE SET
	requests = usage_daily.requests + excluded.requests,
	denied = usage_daily.denied + excluded.denied,
	limited = usage_daily.limited + excluded.limited,
	bytes_out = usage_daily.bytes_out + excluded.bytes_out,
	latency_us = usage_daily.latency_us + excluded.latency_us`

const addTotalDailySQL = `INSERT INTO usage_total_daily
	(organization, day, environment, route, status_class, reason, requests, bytes_out, latency_us)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	ON CONFLICT (organization, day, environment, route, status_class, reason) DO UPDATE SET
	requests = usage_total_daily.requests + excluded.requests,
	bytes_out = usage_total_daily.bytes_out + excluded.bytes_out,
	latency_us = usage_total_daily.latency_us + excluded.latency_us`

const addTotalSQL = `INSERT INTO usage_total
	(organization, hour, environment, route, status_class, reason, requests, bytes_out, latency_us)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	ON CONFLICT (organization, hour, environment, route, status_class, reason) DO UPDATE SET
	requests = usage_total.requests + excluded.requests,
	bytes_out = usage_total.bytes_out + excluded.bytes_out,
	latency_us = usage_total.latency_us + excluded.latency_us`

// addSums adds deltas to the sums, each row once and in order, so that two nodes never
// wait for each other crosswise.
func addSums(ctx context.Context, tx *sql.Tx, deltas []UsageDelta) error {
	daily, hours, days := map[dailyKey]*usageSum{}, map[totalKey]*usageSum{}, map[totalKey]*usageSum{}
	for i := range deltas {
		d, day := &deltas[i], Day(deltas[i].Hour)*microsPerDay
		if d.Credential != "" {
			sumOf(daily, dailyKey{clean(d.Credential), day}).add(d)
		}
		key := totalKey{d.Organization, d.Hour.UnixMicro(), d.Environment, clean(d.Route), d.StatusClass, d.Reason.String()}
		sumOf(hours, key).add(d)
		key.at = day
		sumOf(days, key).add(d)
	}
	if err := eachSum(ctx, tx, addDailySQL, daily, dailyKey.compare, dailyKey.args); err != nil {
		return err
	}
	if err := eachSum(ctx, tx, addTotalSQL, hours, totalKey.compare, totalKey.args); err != nil {
		return err
	}
	return eachSum(ctx, tx, addTotalDailySQL, days, totalKey.compare, totalKey.args)
}

func (k dailyKey) compare(o dailyKey) int {
	return cmp.Or(strings.Compare(k.credential, o.credential), cmp.Compare(k.day, o.day))
}

func (k dailyKey) args(s *usageSum) []any {
	return []any{k.credential, k.day, s.organization, s.environment, s.requests, s.denied, s.limited, s.bytesOut, s.latencyUS}
}

func (k totalKey) compare(o totalKey) int {
	return cmp.Or(strings.Compare(k.organization, o.organization), cmp.Compare(k.at, o.at), strings.Compare(k.environment, o.environment),
		strings.Compare(k.route, o.route), cmp.Compare(k.statusClass, o.statusClass), strings.Compare(k.reason, o.reason))
}

func (k totalKey) args(s *usageSum) []any {
	return []any{k.organization, k.at, k.environment, k.route, k.statusClass, k.reason, s.requests, s.bytesOut, s.latencyUS}
}

// sumOf returns the sum to add to.
func sumOf[K comparable](sums map[K]*usageSum, key K) *usageSum {
	s := sums[key]
	if s == nil {
		s = &usageSum{}
		sums[key] = s
	}
	return s
}

// eachSum runs a statement for every sum, in order.
func eachSum[K comparable](ctx context.Context, tx *sql.Tx, text string, sums map[K]*usageSum, order func(a, b K) int, args func(K, *usageSum) []any) error {
	stmt, err := tx.PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, key := range slices.SortedFunc(maps.Keys(sums), order) {
		if _, err := stmt.ExecContext(ctx, args(key, sums[key])...); err != nil {
			return err
		}
	}
	return nil
}

// dailySums are the figures of usage_daily in the order of [UsageRow].
const dailySums = `CAST(sum(requests) AS BIGINT), CAST(sum(denied) AS BIGINT), CAST(sum(limited) AS BIGINT),
	CAST(sum(bytes_out) AS BIGINT), CAST(sum(latency_us) AS BIGINT)`

// figures are the targets of the figures.
func (u *UsageRow) figures() []any {
	return []any{&u.Requests, &u.Denied, &u.Limited, &u.BytesOut, (*microseconds)(&u.Latency)}
}

// DailyUsage returns what credentials did on each UTC day that a filter selects: rows with
// Credential and Time, of days with a request only. Of the filter Organization,
// Environment, Since and Until count.
func (db *DB) DailyUsage(ctx context.Context, f UsageFilter, credentials []string) ([]UsageRow, error) {
	if len(credentials) == 0 {
		return nil, nil
	}
	s := sel(`SELECT credential, day, requests, denied, limited, bytes_out, latency_us FROM usage_daily`)
	s.in("credential", credentials).and("organization || '' = ?", f.Organization).and("environment = ?", f.Environment)
	s.between("day", f.Since, f.Until)
	return collect(ctx, Reader{q: db.usage, db: db}, s, func(u *UsageRow) []any {
		return append([]any{&u.Credential, (*stamp)(&u.Time)}, u.figures()...)
	})
}

// How many credentials are compared for a list of those with the most requests.
const (
	topPerDay = 200
	topMost   = 400
)

// TopUsage returns what those credentials of an organization did that made the most
// requests, most first, n at most; more says that there are others. Only credentials that
// are among the most active ones of some day are compared, or those that are given.
//
// Since and Until of the filter count; where they are days of UTC the sums are read by
// the day.
func (db *DB) TopUsage(ctx context.Context, f UsageFilter, credentials []string, n int) (list []UsageRow, more bool, err error) {
	if credentials == nil {
		if credentials, err = db.mostActive(ctx, f); err != nil {
			return nil, false, err
		}
	}
	more = len(credentials) >= topMost
	for part := range slices.Chunk(credentials, topPerDay) {
		rows, err := db.usageOf(ctx, f, part)
		if err != nil {
			return nil, false, err
		}
		list = append(list, rows...)
	}
	slices.SortFunc(list, func(a, b UsageRow) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), strings.Compare(a.Credential, b.Credential))
	})
	if len(list) > n {
		list, more = list[:n], true
	}
	return list, more, nil
}

// usageOf sums the usage of each of some credentials.
func (db *DB) usageOf(ctx context.Context, f UsageFilter, credentials []string) ([]UsageRow, error) {
	if wholeDay(f.Since) && wholeDay(f.Until) {
		s := f.of(sel("SELECT credential, "+dailySums+" FROM usage_daily"), "day", credentials)
		return collect(ctx, Reader{q: db.usage, db: db}, s.add(" GROUP BY 1"), func(u *UsageRow) []any {
			return append([]any{&u.Credential}, u.figures()...)
		})
	}
	return db.sumHours(ctx, f.of(sel(`SELECT credential, reason, requests, bytes_out, latency_us FROM usage_hourly`), "hour", credentials))
}

// of adds the conditions of a filter on the usage of some credentials. They are found by
// credential, and by no other index: the organization may have a million rows.
func (f *UsageFilter) of(s *selection, at string, credentials []string) *selection {
	s.in("credential", credentials).and("organization || '' = ?", f.Organization).and("environment = ?", f.Environment)
	return s.between(at, f.Since, f.Until)
}

// sumHours adds up rows of hours by credential. It takes a third of the time that the
// engine takes, which compares the reason of every row with each of several.
func (db *DB) sumHours(ctx context.Context, s *selection) ([]UsageRow, error) {
	rows, err := db.usage.QueryContext(ctx, s.text.String(), s.args...)
	if err != nil {
		return nil, db.classify(err)
	}
	defer rows.Close()
	sums, reasons := map[string]*usageSum{}, map[string]cardea.Reason{}
	for rows.Next() {
		var credential, reason sql.RawBytes
		var d UsageDelta
		var latency int64
		if err := rows.Scan(&credential, &reason, &d.Requests, &d.BytesOut, &latency); err != nil {
			return nil, db.classify(err)
		}
		known, ok := reasons[string(reason)]
		if !ok {
			known, _ = cardea.ParseReason(string(reason))
			reasons[string(reason)] = known
		}
		sum := sums[string(credential)]
		if sum == nil {
			sum = &usageSum{}
			sums[string(credential)] = sum
		}
		d.Reason, d.Latency = known, time.Duration(latency)*time.Microsecond
		sum.add(&d)
	}
	list := make([]UsageRow, 0, len(sums))
	for id, sum := range sums {
		list = append(list, UsageRow{Credential: id, Requests: sum.requests, Denied: sum.denied, Limited: sum.limited,
			BytesOut: sum.bytesOut, Latency: time.Duration(sum.latencyUS) * time.Microsecond})
	}
	return list, db.classify(rows.Err())
}

// mostActive returns the credentials with the most requests on one of the days.
func (db *DB) mostActive(ctx context.Context, f UsageFilter) ([]string, error) {
	most := map[string]int64{} // :: credential → its requests on the days where it is among the first
	for day := Day(f.Since); day*microsPerDay < f.Until.UnixMicro(); day++ {
		s := sel(`SELECT credential, requests FROM usage_daily`)
		s.and("organization = ?", f.Organization).and("day = ?", day*microsPerDay).and("environment = ?", f.Environment)
		rows, err := collect(ctx, Reader{q: db.usage, db: db}, s.add(" ORDER BY requests DESC LIMIT ?", topPerDay), func(u *UsageRow) []any {
			return []any{&u.Credential, &u.Requests}
		})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			most[r.Credential] += r.Requests
		}
	}
	ids := slices.SortedFunc(maps.Keys(most), func(a, b string) int {
		return cmp.Or(cmp.Compare(most[b], most[a]), strings.Compare(a, b))
	})
	return ids[:min(len(ids), topMost)], nil
}

// ClientIDs returns the ids of an organization's clients, the first n of them.
func (r Reader) ClientIDs(ctx context.Context, organization string, n int) ([]string, error) {
	s := sel(`SELECT id FROM credential`).add(" AND kind = 'client' AND organization = ? ORDER BY id LIMIT ?", organization, n)
	return collect(ctx, r, s, func(id *string) []any { return []any{id} })
}

// CredentialNames returns the names of credentials, by id; those that do not exist are
// left out.
func (r Reader) CredentialNames(ctx context.Context, ids []string) (map[string]string, error) {
	names := map[string]string{}
	for part := range slices.Chunk(ids, topPerDay) {
		rows, err := collect(ctx, r, sel(`SELECT id, name FROM credential`).in("id", part), func(c *Credential) []any {
			return []any{&c.ID, &c.Name}
		})
		if err != nil {
			return nil, err
		}
		for _, c := range rows {
			names[c.ID] = c.Name
		}
	}
	return names, nil
}

// CredentialsOf returns those of some ids that are credentials, of one organization unless
// that is "".
func (r Reader) CredentialsOf(ctx context.Context, organization string, ids []string) ([]string, error) {
	s := sel(`SELECT id FROM credential`).in("id", ids).and("organization || '' = ?", organization)
	return collect(ctx, r, s, func(id *string) []any { return []any{id} })
}

// LimitedCredentials returns the credentials of an organization that have limits of their
// own, newest first and n at most.
func (r Reader) LimitedCredentials(ctx context.Context, organization string, n int) ([]Credential, error) {
	s := sel(`SELECT `+credentialColumns+` FROM credential`).add(" AND limits IS NOT NULL AND organization = ?", organization)
	return collect(ctx, r, s.add(" ORDER BY created_at DESC, id DESC LIMIT ?", n), (*Credential).scan)
}

// OrganizationNames returns the names of organizations, by id; those that do not exist are
// left out.
func (r Reader) OrganizationNames(ctx context.Context, ids []string) (map[string]string, error) {
	names := map[string]string{}
	for part := range slices.Chunk(ids, topPerDay) {
		rows, err := collect(ctx, r, sel(`SELECT id, name FROM organization`).in("id", part), func(o *Organization) []any {
			return []any{&o.ID, &o.Name}
		})
		if err != nil {
			return nil, err
		}
		for _, o := range rows {
			names[o.ID] = o.Name
		}
	}
	return names, nil
}
