// Package group gives one connection of a database to many that want to change it: what
// they do at the same time shares a transaction, and its one fsync.
package group

import (
	"context"
	"database/sql"

	"github.com/cardea-dev/cardea"
)

// A Group gives SQLite's one writer to closures that wait for it. Those that wait at
// the same time share a transaction and its one fsync, which is what makes
// synchronous=FULL affordable; each runs in a savepoint and in its caller's goroutine.
// It is safe for concurrent use.
//
// The lock is a channel, whose senders queue in order. A caller takes it twice: first
// to run its closure, then, behind all who were waiting by then, to commit. Whoever
// comes first with the second turn commits for the rest, so a batch is as large as
// the number of writers that were waiting, and nobody waits for a timer.
type Group struct {
	classify func(error) error
	lock     chan struct{} // holds one element while somebody uses what is below
	conn     *Session
	batch    *batch // the open transaction; nil when there is none
}

// A batch is one transaction of several closures.
type batch struct {
	members int           // closures that succeeded
	done    chan struct{} // closed once the transaction has ended
	err     error         // why it was not committed; read after done
}

// New returns the group of a connection, which is the group's from then on. classify
// makes of the database's errors what callers shall see; it leaves nil and what it has
// made itself as they are.
func New(conn *sql.Conn, classify func(error) error) *Group {
	return &Group{classify: classify, lock: make(chan struct{}, 1), conn: newSession(conn)}
}

// Run calls fn inside a transaction and returns after its commit. When ctx ends before
// fn's turn comes nothing happens and its error is returned; once fn has started the
// outcome is awaited and told as it is.
func (g *Group) Run(ctx context.Context, fn func(*Session) error) error {
	select {
	case g.lock <- struct{}{}:
	case <-ctx.Done():
		return g.classify(context.Cause(ctx))
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
func (g *Group) join(ctx context.Context, fn func(*Session) error) (_ *batch, err error) {
	defer func() { <-g.lock }()
	if err := ctx.Err(); err != nil {
		return nil, g.classify(err)
	}
	if g.batch == nil {
		if _, err := g.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return nil, g.classify(err)
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
		return nil, g.classify(err)
	}
	if err = fn(g.conn); err != nil {
		return nil, g.classify(err)
	}
	if _, err = g.conn.ExecContext(ctx, "RELEASE one"); err != nil {
		return nil, g.classify(err)
	}
	joined = true
	b.members++
	return b, nil
}

// undo takes back what the last closure did. SQLite ends the whole transaction by
// itself after some errors (a full disk is one); then nothing of the batch was kept,
// and all its members are told so.
func (g *Group) undo(cause error) {
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
func (g *Group) commit() {
	if _, err := g.conn.ExecContext(context.Background(), "COMMIT"); err != nil {
		g.end(err)
		return
	}
	close(g.batch.done)
	g.batch = nil
}

// end rolls the batch back and tells its members why.
func (g *Group) end(cause error) {
	if cause == nil {
		cause = cardea.Errorf(cardea.KindUnavailable, "the change was undone")
	}
	g.batch.err = g.classify(cause)
	// It fails when SQLite has already rolled back, which is what is wanted.
	_, _ = g.conn.ExecContext(context.Background(), "ROLLBACK")
	close(g.batch.done)
	g.batch = nil
}

// Close waits for the running batch and closes the connection. The group must not be
// used after.
func (g *Group) Close() error {
	g.lock <- struct{}{}
	if g.batch != nil {
		g.commit()
	}
	return g.conn.close()
}
