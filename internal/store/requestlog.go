package store

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
)

// A RequestRow is one request in the request log: what `cardea explain` tells.
type RequestRow struct {
	At           time.Time // when it arrived
	RequestID    string
	Credential   string // "" when the caller was not known
	Organization string
	Environment  string
	OldSecret    bool // the credential's secret was one that a rotation replaced
	Method       string
	Host         string
	Route        string // the contract's pattern, "" when none matched
	Path         string // as sent, without the query, cut to 200 bytes
	Status       int
	Reason       cardea.Reason
	Step         cardea.Step
	Client       netip.Addr
	Latency      time.Duration
	BytesOut     int64
	ContractLine int    // line of the contract that decided, 0 when none did
	Detail       string // what would have been needed, cut to 200 bytes; never a secret
}

// A Gap says that requests of a time were counted but not logged one by one, because
// there were more than could be written.
type Gap struct {
	From, Until time.Time
	Dropped     int64
}

// A requestLog keeps the request log, a day at a time, so that the oldest day can be
// thrown away without a trace of it in any index.
type requestLog interface {
	// append stores rows of one UTC day; a row that is there already is left alone.
	append(ctx context.Context, day int64, rows []RequestRow, gaps []Gap) error

	// days returns the days that have a log, newest first.
	days(ctx context.Context) ([]int64, error)

	// on returns what reads the log of a day.
	on(ctx context.Context, day int64) (Reader, error)

	// size returns the bytes that a day takes up.
	size(ctx context.Context, day int64) (int64, error)

	// drop throws a day away.
	drop(ctx context.Context, day int64) error
}

const requestColumns = `at, request_id, credential, organization, environment, old_secret, method, host, route,
	path, status, reason, step, client, latency_us, bytes_out, contract_line, detail`

const insertGapSQL = `INSERT INTO request_log_gap (from_at, until_at, dropped) VALUES ($1, $2, $3)`

// maxLogged bounds, in bytes, the texts of a row that callers choose: a request line of
// 32 kB must not become a row of 32 kB.
const maxLogged = 200

// AppendRequests stores rows, and after them gaps, in the request log. It may be
// repeated after an error: a row is stored once, and one gap too.
func (db *DB) AppendRequests(ctx context.Context, rows []RequestRow, gaps []Gap) error {
	byDay := map[int64][]RequestRow{}
	for _, r := range rows {
		byDay[Day(r.At)] = append(byDay[Day(r.At)], r)
	}
	for day, rows := range byDay {
		if err := db.requests.append(ctx, day, rows, nil); err != nil {
			return db.classify(err)
		}
	}
	for _, g := range gaps {
		if err := db.requests.append(ctx, Day(g.From), nil, []Gap{g}); err != nil {
			return db.classify(err)
		}
	}
	return nil
}

// args returns the row's columns as parameters.
func (r *RequestRow) args() []any {
	client, old := "", 0
	if r.Client.IsValid() {
		client = r.Client.String()
	}
	if r.OldSecret {
		old = 1
	}
	return []any{
		r.At.UnixMicro(), clean(r.RequestID), r.Credential, r.Organization, r.Environment, old,
		clean(r.Method), clean(r.Host), clean(r.Route), clean(r.Path), r.Status, r.Reason.String(),
		r.Step.String(), client, r.Latency.Microseconds(), r.BytesOut, r.ContractLine, clean(r.Detail),
	}
}

// clean makes a text of a caller's storable: bounded, UTF-8, without NUL, which
// PostgreSQL cannot store.
func clean(s string) string {
	if len(s) > maxLogged {
		s = s[:maxLogged]
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "�"), "�")
}

// scan returns the targets of requestColumns.
func (r *RequestRow) scan() []any {
	return []any{
		(*stamp)(&r.At), &r.RequestID, &r.Credential, &r.Organization, &r.Environment, &r.OldSecret,
		&r.Method, &r.Host, &r.Route, &r.Path, &r.Status, (*reasonName)(&r.Reason), (*stepName)(&r.Step),
		(*address)(&r.Client), (*microseconds)(&r.Latency), &r.BytesOut, &r.ContractLine, &r.Detail,
	}
}

// Request returns the logged request with an id, or a KindNotFound error: it never
// happened, its day was thrown away, or it was dropped (see [DB.Gaps]).
func (db *DB) Request(ctx context.Context, id string) (RequestRow, error) {
	days, err := db.requests.days(ctx)
	if err != nil {
		return RequestRow{}, db.classify(err)
	}
	for _, day := range days {
		r, err := db.requests.on(ctx, day)
		if err != nil {
			return RequestRow{}, db.classify(err)
		}
		s := sel(`SELECT `+requestColumns+` FROM request_log`).add(" AND request_id = ?", id).inDay(day)
		row, err := one(ctx, r, s.add(" ORDER BY at DESC LIMIT ?", 1), "request", (*RequestRow).scan)
		if cardea.KindOf(err) != cardea.KindNotFound {
			return row, err
		}
	}
	return RequestRow{}, cardea.Errorf(cardea.KindNotFound, "no such request in the log")
}

// inDay limits a selection to a day, for the engine that keeps all days in one table.
func (s *selection) inDay(day int64) *selection {
	return s.add(" AND at >= ? AND at < ?", day*microsPerDay, (day+1)*microsPerDay)
}

const microsPerDay = int64(24 * time.Hour / time.Microsecond)

// Gaps returns the gaps of the request log that overlap a time, oldest first.
func (db *DB) Gaps(ctx context.Context, since, until time.Time) ([]Gap, error) {
	days, err := db.requests.days(ctx)
	if err != nil {
		return nil, db.classify(err)
	}
	gaps := []Gap{}
	for i := len(days) - 1; i >= 0; i-- {
		day := days[i]
		r, err := db.requests.on(ctx, day)
		if err != nil {
			return nil, db.classify(err)
		}
		s := sel(`SELECT from_at, until_at, dropped FROM request_log_gap`)
		s.and("from_at >= ? AND from_at < ?", day*microsPerDay, (day+1)*microsPerDay)
		if !until.IsZero() {
			s.and("from_at < ?", stamp(until))
		}
		if !since.IsZero() {
			s.and("until_at >= ?", stamp(since))
		}
		list, err := collect(ctx, r, s.add(" ORDER BY from_at"), func(g *Gap) []any {
			return []any{(*stamp)(&g.From), (*stamp)(&g.Until), &g.Dropped}
		})
		if err != nil {
			return nil, err
		}
		gaps = append(gaps, list...)
	}
	return gaps, nil
}

// reasonName scans a reason by its name; an unknown one, written by another version,
// is ReasonUnavailable.
type reasonName cardea.Reason

// Scan implements sql.Scanner.
func (r *reasonName) Scan(v any) error {
	var t text
	err := t.Scan(v)
	reason, _ := cardea.ParseReason(string(t))
	*r = reasonName(reason)
	return err
}

// stepName scans a step by its name.
type stepName cardea.Step

// Scan implements sql.Scanner.
func (s *stepName) Scan(v any) error {
	var t text
	err := t.Scan(v)
	*s = stepName(cardea.StepNone)
	for step := cardea.StepNone; step <= cardea.StepUpstream; step++ {
		if step.String() == string(t) {
			*s = stepName(step)
		}
	}
	return err
}

// address scans a client address, the zero Addr for "".
type address netip.Addr

// Scan implements sql.Scanner.
func (a *address) Scan(v any) error {
	var t text
	if err := t.Scan(v); err != nil || t == "" {
		*a = address{}
		return err
	}
	addr, err := netip.ParseAddr(string(t))
	*a = address(addr)
	return err
}
