package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/cardea-dev/cardea"
)

// An engine is what differs between the databases in opening and in reading errors.
type engine struct {
	name string

	// snapshot begins a transaction whose reads agree with each other.
	snapshot *sql.TxOptions

	// kind classifies a driver's error; KindInternal means that it is none of the
	// kinds callers can act on.
	kind func(error) cardea.Kind

	// size returns the bytes of the database without its request log, which takes up log.
	size func(ctx context.Context, db *DB, log int64) (int64, error)

	// again reports whether a transaction that failed so may be run once more.
	again func(error) bool
}

// querier is what database handles, connections and transactions have in common.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// A Reader reads every noun. [DB] embeds one that sees what is committed, [Tx] one
// that sees its own changes too.
type Reader struct {
	q  querier
	db *DB
}

// classify turns a driver's error into a [cardea.Error]; nil stays nil, and so does an
// error that already is one.
func (db *DB) classify(err error) error {
	var known *cardea.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	kind := cardea.KindInternal
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, sql.ErrConnDone), errors.Is(err, driver.ErrBadConn):
		kind = cardea.KindUnavailable
	case db.engine != nil:
		kind = db.engine.kind(err)
	}
	return &cardea.Error{Kind: kind, Public: kindText[kind], Cause: err}
}

// kindText words the kinds that the database itself can cause.
var kindText = map[cardea.Kind]string{
	cardea.KindConflict:    "it already exists",
	cardea.KindNotFound:    "what it refers to does not exist",
	cardea.KindUnavailable: "the database does not answer",
	cardea.KindStorageFull: "there is no room left to store anything",
}

// found classifies the error of reading one object; noun says what is missing when
// there is none.
func (r Reader) found(err error, noun string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return cardea.Errorf(cardea.KindNotFound, "no such %s", noun)
	}
	return r.db.classify(err)
}

// collect runs a selection and scans every row with scan.
func collect[T any](ctx context.Context, r Reader, s *selection, scan func(*T) []any) ([]T, error) {
	rows, err := r.q.QueryContext(ctx, s.text.String(), s.args...)
	if err != nil {
		return nil, r.db.classify(err)
	}
	defer rows.Close()
	items := []T{}
	for rows.Next() {
		var item T
		if err := rows.Scan(scan(&item)...); err != nil {
			return nil, r.db.classify(err)
		}
		items = append(items, item)
	}
	return items, r.db.classify(rows.Err())
}

// one runs a selection that finds at most one object.
func one[T any](ctx context.Context, r Reader, s *selection, noun string, scan func(*T) []any) (T, error) {
	var item T
	err := r.q.QueryRowContext(ctx, s.text.String(), s.args...).Scan(scan(&item)...)
	if err != nil {
		var zero T
		return zero, r.found(err, noun)
	}
	return item, nil
}
