package store

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// HoldLock is the lock's number, for a test that takes it from its holder.
const HoldLock = holdLock

// SweepStep and FamilyMemory are what Maintain goes by.
const (
	SweepStep    = sweepStep
	FamilyMemory = familyMemory
)

// LookupTexts are the statements of the hot path.
var LookupTexts = []string{lookupSQL, lookupTokenSQL, lookupPrincipalSQL}

// Record calls seen with the text of every statement that runs from now on.
func (db *DB) Record(seen func(query string)) {
	db.wrap = func(q querier) querier { return recorder{q, seen} }
	db.Reader = Reader{q: db.paced(db.readers), db: db}
}

type recorder struct {
	querier
	seen func(query string)
}

func (r recorder) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r.seen(query)
	return r.querier.ExecContext(ctx, query, args...)
}

func (r recorder) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.seen(query)
	return r.querier.QueryContext(ctx, query, args...)
}

func (r recorder) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	r.seen(query)
	return r.querier.QueryRowContext(ctx, query, args...)
}

// Plan returns how SQLite would run a statement, step by step.
func (db *DB) Plan(ctx context.Context, query string) ([]string, error) {
	var args []any // whatever they are, the plan is the same
	for strings.Contains(query, "$"+strconv.Itoa(len(args)+1)) {
		args = append(args, nil)
	}
	rows, err := db.readers.QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int64
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, rows.Err()
}

// CountRows returns how many rows a table has.
func (db *DB) CountRows(ctx context.Context, table string) (n int64, err error) {
	err = db.readers.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	return n, err
}
