package store

import (
	"context"
	"database/sql"

	"github.com/cardea-dev/cardea"
)

// A group gives SQLite's one writer to closures that wait for it. Those that wait at
// the same time share a transaction and its one fsync, which is what makes
// synchronous=FULL affordable; each runs in a savepoint and in its caller's goroutine.
//
// The lock is a channel, whose senders queue in order. A caller takes it twice: first
// to run its closure, then, behind all who were waiting by then, to commit. Whoever
// comes first with the second turn commits for the rest, so a batch is as large as
// the number of writers that were waiting, and nobody waits for a timer.
type group struct {
	db    *DB
	lock  chan struct{} // holds one element while somebody uses what is below
	conn  *session
	batch *batch // the open transaction; nil when there is none
}

// A batch is one transaction of several closures.
type batch struct {
	members int           // closures that succeeded
	done    chan struct{} // closed once the transaction has ended
	err     error         // why it was not committed; read after done
}

func newGroup(db *DB, conn *sql.Conn) *group {
	return &group{db: db, lock: make(chan struct{}, 1), conn: newSession(conn)}
}

// run calls fn inside a transaction and returns after its commit. When ctx ends before
// fn's turn comes nothing happens and its error is returned; once fn has started the
// outcome is awaited and told as it is.
func (g *group) run(ctx context.Context, fn func(querier) error) error {
	select {
	case g.lock <- struct{}{}:
	case <-ctx.Done():
		return g.db.classify(context.Cause(ctx))
	}
	b, err := g.join(ctx, fn)
	if err != nil {
		return err
	}
	select {
	case <-b.done:
	case g.lock <- struct{}{}:
		if g.batch == b {
			g.commit()
		}
		<-g.lock
		<-b.done
	}
	return b.err
}

// join runs fn in a savepoint of the open transaction, or of a new one. The lock is
// held on entry and released on return, whatever fn does.
func (g *group) join(ctx context.Context, fn func(querier) error) (_ *batch, err error) {
	defer func() { <-g.lock }()
	if err := ctx.Err(); err != nil {
		return nil, g.db.classify(err)
	}
	if g.batch == nil {
		if _, err := g.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return nil, g.db.classify(err)
		}
		g.batch = &batch{done: make(chan struct{})}
	}
	b, joined := g.batch, false
	defer func() { // also when fn panics or ends its goroutine
		if !joined {
			g.undo(err)
		}
	}()
	if _, err = g.conn.ExecContext(ctx, "SAVEPOINT one"); err != nil {
		return nil, g.db.classify(err)
	}
	if err = fn(g.conn); err != nil {
		return nil, g.db.classify(err)
	}
	if _, err = g.conn.ExecContext(ctx, "RELEASE one"); err != nil {
		return nil, g.db.classify(err)
	}
	joined = true
	b.members++
	return b, nil
}

// undo takes back what the last closure did. SQLite ends the whole transaction by
// itself after some errors (a full disk is one); then nothing of the batch was kept,
// and all its members are told so.
func (g *group) undo(cause error) {
	ctx := context.Background()
	if g.batch.members == 0 {
		g.end(cause)
		return
	}
	if _, err := g.conn.ExecContext(ctx, "ROLLBACK TO one"); err != nil {
		if cause == nil { // fn panicked, and there is no error to tell
			cause = err
		}
		g.end(cause)
		return
	}
	if _, err := g.conn.ExecContext(ctx, "RELEASE one"); err != nil {
		g.end(err)
	}
}

// commit ends the batch and answers its members. The lock is held.
func (g *group) commit() {
	if _, err := g.conn.ExecContext(context.Background(), "COMMIT"); err != nil {
		g.end(err)
		return
	}
	close(g.batch.done)
	g.batch = nil
}

// end rolls the batch back and tells its members why.
func (g *group) end(cause error) {
	if cause == nil {
		cause = cardea.Errorf(cardea.KindUnavailable, "the change was undone")
	}
	g.batch.err = g.db.classify(cause)
	// It fails when SQLite has already rolled back, which is what is wanted.
	_, _ = g.conn.ExecContext(context.Background(), "ROLLBACK")
	close(g.batch.done)
	g.batch = nil
}

// close waits for the running batch and closes the connection.
func (g *group) close() error {
	g.lock <- struct{}{}
	if g.batch != nil {
		g.commit()
	}
	return g.conn.close()
}

// A session is the writer's connection with its statements prepared once. It shields
// the shared transaction from its callers' contexts: a statement that is interrupted
// would undo the changes of everybody in the batch.
type session struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// maxStatements bounds the prepared statements; lists with filters make new texts.
const maxStatements = 500

func newSession(conn *sql.Conn) *session {
	return &session{conn: conn, stmts: map[string]*sql.Stmt{}}
}

// prepare returns the statement of a text, nil when there are too many.
func (s *session) prepare(query string) (*sql.Stmt, error) {
	stmt := s.stmts[query]
	if stmt != nil || len(s.stmts) >= maxStatements {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(context.Background(), query)
	if err == nil {
		s.stmts[query] = stmt
	}
	return stmt, err
}

// ExecContext implements querier.
func (s *session) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := s.prepare(query)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return s.conn.ExecContext(context.Background(), query, args...)
	}
	return stmt.ExecContext(context.Background(), args...)
}

// QueryContext implements querier.
func (s *session) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepare(query)
	switch {
	case err != nil:
		return nil, err
	case stmt == nil:
		return s.conn.QueryContext(context.Background(), query, args...)
	}
	return stmt.QueryContext(context.Background(), args...)
}

// QueryRowContext implements querier.
func (s *session) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	stmt, err := s.prepare(query)
	if err != nil || stmt == nil { // a text that does not prepare fails here again
		return s.conn.QueryRowContext(context.Background(), query, args...)
	}
	return stmt.QueryRowContext(context.Background(), args...)
}

func (s *session) close() error {
	for _, stmt := range s.stmts {
		_ = stmt.Close()
	}
	return s.conn.Close()
}
