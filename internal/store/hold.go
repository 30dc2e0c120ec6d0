package store

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/cardea-dev/cardea"
)

// holdLock is the number of the advisory lock on a database that a server works with:
// "cardea" in ASCII. PostgreSQL keeps such locks apart by database.
const holdLock = 0x636172646561

// holdEvery is how often a held database is looked at.
const holdEvery = time.Second

// holdPatience bounds one look.
const holdPatience = 5 * time.Second

// Hold takes the database for this process alone, until Close. Caches trust that every
// change goes through them; a second server on the same database would revoke behind
// their back. It returns a KindConflict error when another process has the database.
//
// On PostgreSQL the lock belongs to a connection, which can break. It is then taken
// again as soon as the database answers. If anything was changed in between, moved is
// called with what caches must forget; if another process has taken the database,
// taken is called, once, and this process must stop. Both run on a goroutine of Hold's.
//
// On SQLite Hold does nothing: the files are locked by whoever locks their directory.
func (db *DB) Hold(ctx context.Context, moved func(Changes), taken func()) error {
	if db.group != nil {
		return nil
	}
	h := &hold{db: db, moved: moved, taken: taken}
	if err := h.take(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.keep(ctx)
	}()
	db.closers = append(db.closers, func() error {
		cancel()
		<-done
		return nil
	})
	return nil
}

// A hold is PostgreSQL's lock and the connection that it lives on.
type hold struct {
	db    *DB
	conn  *sql.Conn
	seq   int64 // the last change while the lock was held, as far as is known
	moved func(Changes)
	taken func()
}

// take connects and takes the lock, without waiting for whoever has it.
func (h *hold) take(ctx context.Context) error {
	conn, err := h.db.control.Conn(ctx)
	if err != nil {
		return h.db.classify(err)
	}
	var mine bool
	var seq int64
	err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, holdLock).Scan(&mine)
	if err == nil && mine {
		err = conn.QueryRowContext(ctx, headSQL).Scan(&seq)
	}
	switch {
	case err != nil:
		release(conn)
		return h.db.classify(err)
	case !mine:
		_ = conn.Close()
		return cardea.Errorf(cardea.KindConflict, "another Cardea works with this database: one database, one server")
	}
	h.conn, h.seq = conn, seq
	return nil
}

// keep watches the lock until ctx ends, and then gives it back.
func (h *hold) keep(ctx context.Context) {
	tick := time.NewTicker(holdEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			h.drop()
			return
		case <-tick.C:
		}
		if !h.look(ctx) {
			h.db.log.Error("another Cardea has taken the database")
			h.taken()
			return
		}
	}
}

// look checks the lock's connection and takes the lock again when it broke. It returns
// false when somebody else has it.
func (h *hold) look(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, holdPatience)
	defer cancel()
	if h.conn != nil {
		seq := h.seq
		if h.conn.QueryRowContext(ctx, headSQL).Scan(&seq) == nil {
			h.seq = seq // nobody else could change anything
			return true
		}
		h.drop()
	}
	before := h.seq
	switch err := h.take(ctx); {
	case cardea.KindOf(err) == cardea.KindConflict:
		return false
	case err != nil:
		return true // the database does not answer; nobody can change anything in it
	}
	h.db.log.Warn("the lock on the database was lost and taken again", slog.Bool("changed", h.seq != before))
	if h.seq != before {
		h.moved(Changes{{Seq: h.seq, Kind: ChangeAll}})
	}
	return true
}

// drop gives the lock back, if there is one.
func (h *hold) drop() {
	if h.conn != nil {
		release(h.conn)
		h.conn = nil
	}
}

// release ends a connection's locks and gives it back. A pooled connection would keep
// them; a broken one has none.
func release(conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = conn.ExecContext(ctx, `SELECT pg_advisory_unlock_all()`)
	_ = conn.Close()
}
