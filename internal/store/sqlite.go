package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"

	"modernc.org/sqlite" // registers "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store/group"
)

// sqliteDSN returns the DSN of a database file. Every setting is in it, because
// database/sql may open a connection at any time and each must have them all.
//
// synchronous=FULL, because with NORMAL the last commits of a power cut are undone, and
// an undone revocation is a key that works again. Counts may be NORMAL.
//
// _txlock=immediate, because a transaction that begins by reading and then writes fails
// at once, whatever the busy_timeout, when somebody else has written in between.
// trusted_schema=0 keeps a doctored file from running functions through its schema.
func sqliteDSN(file, synchronous string, readonly bool) string {
	v := url.Values{"_txlock": {"immediate"}}
	for _, pragma := range []string{
		"busy_timeout(5000)", "foreign_keys(1)", "journal_mode(WAL)",
		"journal_size_limit(67108864)", "synchronous(" + synchronous + ")",
		"trusted_schema(0)", "temp_store(MEMORY)",
	} {
		v.Add("_pragma", pragma)
	}
	if readonly {
		v.Set("_query_only", "1")
		v.Set("_txlock", "deferred")
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: v.Encode()}).String()
}

// pool opens a file with at most n connections, which stay open.
func (db *DB) pool(file, synchronous string, readonly bool, n int) (*sql.DB, error) {
	pool, err := sql.Open("sqlite", sqliteDSN(file, synchronous, readonly))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(n)
	pool.SetMaxIdleConns(n)
	db.closers = append(db.closers, pool.Close)
	return pool, nil
}

// openSQLite opens the two databases of the data directory: one connection writes the
// control data, four read it.
func (db *DB) openSQLite(ctx context.Context) (err error) {
	db.engine = &engine{
		name: "sqlite", kind: sqliteKind, size: sqliteSize, again: func(error) bool { return false },
		snapshot: &sql.TxOptions{ReadOnly: true}, // every read transaction is one (WAL)
	}
	if err := db.makeDir(filepath.Join(db.cfg.Dir, "logs")); err != nil {
		return err
	}
	control, usage := filepath.Join(db.cfg.Dir, "cardea.db"), filepath.Join(db.cfg.Dir, "usage.db")
	if err := private(control, usage); err != nil {
		return err
	}
	if db.control, err = db.pool(control, "FULL", false, 1); err != nil {
		return err
	}
	if db.usage, err = db.pool(usage, "NORMAL", false, 2); err != nil {
		return err
	}
	if err := db.migrateSQLite(ctx); err != nil {
		return err
	}
	if db.readers, err = db.pool(control, "FULL", true, 4); err != nil {
		return err
	}
	conn, err := db.control.Conn(ctx)
	if err != nil {
		return err
	}
	db.group = group.New(conn, db.classify)
	db.closers = append(db.closers, db.group.Close)
	logs := &dayFiles{db: db, dir: filepath.Join(db.cfg.Dir, "logs"), open: map[string]*sql.DB{}}
	db.requests = logs
	db.closers = append(db.closers, logs.close)
	return nil
}

// sqliteKind classifies an error of SQLite.
func sqliteKind(err error) cardea.Kind {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return cardea.KindInternal
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return cardea.KindConflict
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return cardea.KindNotFound
	case sqlite3.SQLITE_IOERR_SHMSIZE: // growing the index of the WAL failed
		return cardea.KindStorageFull
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return cardea.KindStorageFull
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT:
		return cardea.KindUnavailable
	}
	return cardea.KindInternal
}
