package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store/group"
)

// Errors of programs that break the rules of [DB.Update]; they are defects, not
// conditions to handle.
var (
	errNoActor = errors.New("store: a change without an actor")
	errNoAudit = errors.New("store: a change without an audit event")
)

// A Tx is a running change. It is used by one goroutine and not after its closure has
// returned.
type Tx struct {
	Reader // sees the changes made so far

	actor   cardea.Actor
	now     time.Time
	wrote   bool
	events  []Event
	changes Changes

	happenings   []*happening
	byCredential map[string]*happening // :: the same, by credential
	listening    map[string][]listener // :: organization → who hears of its credentials
	queued       bool                  // something is to be delivered
}

// Update makes a change. fn runs in the caller's goroutine, possibly more than once,
// and its work is kept when it returns nil and left at least one audit event; fn's error
// undoes its work and is returned. Update returns after the commit, with what caches
// must forget before the change may be called done.
//
// On SQLite nobody else can change anything while fn runs, so it should be short, and
// it must not call Update itself: it would wait for its own end.
//
// ctx bounds the wait for fn's turn. Once fn runs, the commit is awaited whatever
// becomes of ctx: an error means that nothing was kept, except where its text says
// that this is not known.
//
// A full disk is a KindStorageFull error; reads go on, and writes succeed again as soon
// as there is room.
func (db *DB) Update(ctx context.Context, actor cardea.Actor, fn func(tx *Tx) error) (Changes, error) {
	if actor.Type == "" || actor.ID == "" {
		return nil, errNoActor
	}
	var changes Changes
	queued := false
	err := db.write(ctx, func(q querier) error {
		tx := &Tx{Reader: Reader{q: q, db: db}, actor: actor, now: db.Now()}
		if err := fn(tx); err != nil {
			return err
		}
		if tx.wrote && len(tx.events) == 0 {
			return errNoAudit
		}
		if err := tx.finish(ctx); err != nil {
			return err
		}
		changes, queued = tx.changes, tx.queued
		return nil
	})
	if err != nil {
		return nil, err
	}
	db.wake(queued)
	return changes, nil
}

// write runs fn in a transaction on the control data.
func (db *DB) write(ctx context.Context, fn func(querier) error) error {
	return db.writeFor(ctx, postgresTimeout, fn)
}

// writeFor is write with a bound of its own on the transaction's time, which only
// PostgreSQL, at the other end of a network, needs.
func (db *DB) writeFor(ctx context.Context, most time.Duration, fn func(querier) error) error {
	if db.group != nil {
		return db.group.Run(ctx, func(s *group.Session) error { return fn(db.paced(s)) })
	}
	return db.runPostgres(ctx, most, func(q querier) error { return fn(db.paced(q)) })
}

// Now returns the time of the change: one instant for all of it, to the microsecond.
func (tx *Tx) Now() time.Time { return tx.now }

// Actor returns who makes the change.
func (tx *Tx) Actor() cardea.Actor { return tx.actor }

// finish writes what happened to credentials, and what Changed and Audit collected. They
// come last, and in this order in every transaction, so that their rows are locked for a
// short time and never crosswise.
func (tx *Tx) finish(ctx context.Context) error {
	if err := tx.writeHappenings(ctx); err != nil {
		return err
	}
	if err := tx.writeChanges(ctx); err != nil {
		return err
	}
	return tx.writeEvents(ctx)
}

// exec runs a statement that writes.
func (tx *Tx) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	tx.wrote = true
	res, err := tx.q.ExecContext(ctx, query, args...)
	return res, tx.db.classify(err)
}

// change runs a statement that must change one row; noun says what is missing when
// there is none.
func (tx *Tx) change(ctx context.Context, noun, query string, args ...any) error {
	res, err := tx.exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return cardea.Errorf(cardea.KindNotFound, "no such %s", noun)
}
