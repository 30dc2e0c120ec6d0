package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // registers "pgx"

	"github.com/cardea-dev/cardea"
)

// Bounds of the work with PostgreSQL.
const (
	postgresConns   = 16
	postgresWriters = 2                // one that works and one that waits for its lock; readers have the rest
	postgresTimeout = 30 * time.Second // one transaction, its lock awaited
	postgresRetries = 5
)

// openPostgres connects to the server that the DSN names.
func (db *DB) openPostgres(ctx context.Context) (err error) {
	db.engine = &engine{
		name: "postgres", kind: postgresKind, size: postgresSize, again: postgresAgain,
		snapshot: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
	}
	if db.cfg.Dir != "" {
		if err := db.makeDir(db.cfg.Dir); err != nil {
			return err
		}
	}
	if db.control, err = sql.Open("pgx", db.cfg.DSN); err != nil {
		// The driver's text may quote the connection string and its password.
		return cardea.Errorf(cardea.KindInvalid, "the PostgreSQL connection string cannot be read")
	}
	db.control.SetMaxOpenConns(postgresConns)
	db.control.SetMaxIdleConns(postgresConns / 2)
	db.control.SetConnMaxIdleTime(5 * time.Minute)
	db.readers, db.usage = db.control, db.control
	db.closers = append(db.closers, db.control.Close)
	db.writers = make(chan struct{}, postgresWriters)
	db.requests = &partitions{db: db, known: map[int64]bool{}}
	return db.migratePostgres(ctx)
}

// runPostgres calls fn inside a transaction of its own and returns after its commit.
// ctx matters until fn starts; what happens then is awaited and told as it is.
func (db *DB) runPostgres(ctx context.Context, most time.Duration, fn func(querier) error) error {
	select {
	case db.writers <- struct{}{}:
		defer func() { <-db.writers }()
	case <-ctx.Done():
		return db.classify(context.Cause(ctx))
	}
	var err error
	for range postgresRetries {
		if err = db.oncePostgres(ctx, most, fn); err == nil || !db.engine.again(err) {
			break
		}
	}
	return db.classify(err)
}

func (db *DB) oncePostgres(ctx context.Context, most time.Duration, fn func(querier) error) error {
	conn, err := db.control.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	defer cancel()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after the commit
	// One order for all changes, as on SQLite: a closure reads a world that does not
	// move before its own writes. The audit log's tree needs that order anyway.
	var seq int64
	err = tx.QueryRowContext(ctx, `SELECT seq FROM change_head WHERE id = 1 FOR UPDATE`).Scan(&seq)
	if err != nil {
		return err
	}
	if err := fn(bound{tx, ctx}); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		var refused *pgconn.PgError
		if errors.As(err, &refused) {
			return err
		}
		return &cardea.Error{
			Kind: cardea.KindUnavailable, Cause: err,
			Public: "the database went away while the change was being stored: whether it was is not known",
		}
	}
	return nil
}

// bound is a transaction whose statements end with the transaction's own time, not
// with that of the caller: a statement cut short would cost the connection.
type bound struct {
	tx  *sql.Tx
	ctx context.Context
}

// ExecContext implements querier.
func (b bound) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	return b.tx.ExecContext(b.ctx, query, args...)
}

// QueryContext implements querier.
func (b bound) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	return b.tx.QueryContext(b.ctx, query, args...)
}

// QueryRowContext implements querier.
func (b bound) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	return b.tx.QueryRowContext(b.ctx, query, args...)
}

// postgresKind classifies an error of PostgreSQL by its SQLSTATE; what has none comes
// from the connection.
func postgresKind(err error) cardea.Kind {
	var e *pgconn.PgError
	var connect *pgconn.ConnectError
	switch {
	case errors.As(err, &e):
	case errors.As(err, &connect), pgconn.SafeToRetry(err), isNetwork(err):
		return cardea.KindUnavailable
	default:
		return cardea.KindInternal
	}
	switch {
	case e.Code == "23505": // unique_violation
		return cardea.KindConflict
	case e.Code == "23503": // foreign_key_violation
		return cardea.KindNotFound
	case e.Code == "53100": // disk_full
		return cardea.KindStorageFull
	case strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "53"),
		strings.HasPrefix(e.Code, "57"), strings.HasPrefix(e.Code, "58"), postgresAgain(err):
		return cardea.KindUnavailable
	}
	return cardea.KindInternal
}

// postgresAgain reports serialization_failure and deadlock_detected.
func postgresAgain(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}
