package store

import (
	"context"
	"database/sql"
	"time"
)

// paced returns q, or what [Config.Delay] makes of it.
func (db *DB) paced(q querier) querier {
	if db.wrap == nil {
		return q
	}
	return db.wrap(q)
}

// prepared runs one of the look-ups' statements, no faster than any other.
func (db *DB) prepared(ctx context.Context, stmt *sql.Stmt, args ...any) *sql.Row {
	time.Sleep(db.cfg.Delay)
	return stmt.QueryRowContext(ctx, args...)
}

// A pace is a database that is far away: every statement waits first. With it, tests of
// what happens at the same time do not pass for the reason that nothing ever does.
type pace struct {
	querier
	delay time.Duration
}

// ExecContext implements querier.
func (p pace) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	time.Sleep(p.delay)
	return p.querier.ExecContext(ctx, query, args...)
}

// QueryContext implements querier.
func (p pace) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	time.Sleep(p.delay)
	return p.querier.QueryContext(ctx, query, args...)
}

// QueryRowContext implements querier.
func (p pace) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	time.Sleep(p.delay)
	return p.querier.QueryRowContext(ctx, query, args...)
}
