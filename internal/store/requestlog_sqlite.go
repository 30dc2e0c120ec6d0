package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// dayFiles keeps each day of the request log in a file of its own. Writing them does
// not hold up changes of the control data, and unlinking one takes milliseconds where
// deleting its rows takes seconds and leaves the file as large as it was.
type dayFiles struct {
	db  *DB
	dir string

	mu   sync.Mutex
	open map[string]*sql.DB // by file name
}

// dayFileSQL makes the tables of a day. A file lives for days, so a change of its form
// takes a new table name, not a migration. An index that a file of an earlier version lacks
// is made when the file is first opened, which takes a second for a million rows.
const dayFileSQL = `
CREATE TABLE IF NOT EXISTS request_log (
  at            INTEGER NOT NULL,
  request_id    TEXT    NOT NULL,
  credential    TEXT    NOT NULL,
  organization  TEXT    NOT NULL,
  environment   TEXT    NOT NULL,
  old_secret    INTEGER NOT NULL,
  method        TEXT    NOT NULL,
  host          TEXT    NOT NULL,
  route         TEXT    NOT NULL,
  path          TEXT    NOT NULL,
  status        INTEGER NOT NULL,
  reason        TEXT    NOT NULL,
  step          TEXT    NOT NULL,
  client        TEXT    NOT NULL,
  latency_us    INTEGER NOT NULL,
  bytes_out     INTEGER NOT NULL,
  contract_line INTEGER NOT NULL,
  detail        TEXT    NOT NULL,
  PRIMARY KEY (at, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS request_log_id ON request_log (request_id);
CREATE INDEX IF NOT EXISTS request_log_credential ON request_log (credential, at);
CREATE INDEX IF NOT EXISTS request_log_organization ON request_log (organization, at);
CREATE INDEX IF NOT EXISTS request_log_errors ON request_log (organization, at, request_id, status, reason, method, route, credential)
  WHERE status >= 400;
CREATE TABLE IF NOT EXISTS request_log_gap (
  from_at  INTEGER NOT NULL,
  until_at INTEGER NOT NULL,
  dropped  INTEGER NOT NULL
) STRICT;`

const insertRequestSQL = `INSERT INTO request_log (` + requestColumns + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
	ON CONFLICT (at, request_id) DO NOTHING`

func dayName(day int64) string {
	return time.Unix(day*86400, 0).UTC().Format(time.DateOnly) + ".db"
}

// file opens the file of a day, or returns it open. Only the writer makes a file that
// is not there.
func (d *dayFiles) file(ctx context.Context, day int64, create bool) (*sql.DB, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := dayName(day)
	if pool := d.open[name]; pool != nil {
		return pool, nil
	}
	path := filepath.Join(d.dir, name)
	if create {
		if err := private(path); err != nil {
			return nil, err
		}
	} else if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	pool, err := sql.Open("sqlite", sqliteDSN(path, "NORMAL", false))
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(2) // the writer and a reader
	pool.SetConnMaxIdleTime(10 * time.Minute)
	if _, err := pool.ExecContext(ctx, dayFileSQL); err != nil {
		_ = pool.Close()
		return nil, err
	}
	d.open[name] = pool
	return pool, nil
}

func (d *dayFiles) append(ctx context.Context, day int64, rows []RequestRow, gaps []Gap) error {
	pool, err := d.file(ctx, day, true)
	if err != nil {
		return err
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after the commit
	stmt, err := tx.PrepareContext(ctx, insertRequestSQL)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for i := range rows {
		if _, err := stmt.ExecContext(ctx, rows[i].args()...); err != nil {
			return err
		}
	}
	for _, g := range gaps {
		if _, err := tx.ExecContext(ctx, insertGapSQL, stamp(g.From), stamp(g.Until), g.Dropped); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func (d *dayFiles) days(context.Context) ([]int64, error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, err
	}
	var days []int64
	for _, e := range entries {
		stem, ok := strings.CutSuffix(e.Name(), ".db")
		if t, err := time.Parse(time.DateOnly, stem); ok && err == nil {
			days = append(days, Day(t))
		}
	}
	slices.Reverse(days) // ReadDir sorts by name, which is by day
	return days, nil
}

func (d *dayFiles) on(ctx context.Context, day int64) (Reader, error) {
	pool, err := d.file(ctx, day, false)
	return Reader{q: pool, db: d.db}, err
}

func (d *dayFiles) size(_ context.Context, day int64) (int64, error) {
	var sum int64
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(filepath.Join(d.dir, dayName(day)+suffix))
		switch {
		case err == nil:
			sum += info.Size()
		case !errors.Is(err, fs.ErrNotExist):
			return 0, err
		}
	}
	return sum, nil
}

func (d *dayFiles) drop(_ context.Context, day int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	name := dayName(day)
	if pool := d.open[name]; pool != nil {
		delete(d.open, name)
		_ = pool.Close() // readers of a file about to go may fail; it is as if they came later
	}
	var first error
	for _, suffix := range []string{"-wal", "-shm", ""} {
		err := os.Remove(filepath.Join(d.dir, name+suffix))
		if err != nil && !errors.Is(err, fs.ErrNotExist) && first == nil {
			first = err
		}
	}
	return first
}

func (d *dayFiles) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var first error
	for name, pool := range d.open {
		if err := pool.Close(); err != nil && first == nil {
			first = err
		}
		delete(d.open, name)
	}
	return first
}
