package store

import (
	"context"
	"os"
	"path/filepath"
)

// A Size is how much room the database takes up.
type Size struct {
	Bytes           int64 // of everything but the request log
	RequestLogDays  int
	RequestLogBytes int64
}

// Size returns how much room the database takes up.
func (db *DB) Size(ctx context.Context) (Size, error) {
	var s Size
	days, err := db.requests.days(ctx)
	if err != nil {
		return Size{}, db.classify(err)
	}
	s.RequestLogDays = len(days)
	for _, day := range days {
		n, err := db.requests.size(ctx, day)
		if err != nil {
			return Size{}, db.classify(err)
		}
		s.RequestLogBytes += n
	}
	s.Bytes, err = db.engine.size(ctx, db, s.RequestLogBytes)
	return s, db.classify(err)
}

// postgresSize returns the size of the whole database without the request log.
func postgresSize(ctx context.Context, db *DB, log int64) (n int64, err error) {
	err = db.control.QueryRowContext(ctx, `SELECT pg_database_size(current_database())`).Scan(&n)
	return max(0, n-log), err
}

// sqliteSize returns the size of the files, without those of the request log.
func sqliteSize(_ context.Context, db *DB, _ int64) (int64, error) {
	files, err := filepath.Glob(filepath.Join(db.cfg.Dir, "*.db*"))
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, name := range files {
		info, err := os.Stat(name)
		if err == nil { // a -wal file may go at any time
			sum += info.Size()
		}
	}
	return sum, nil
}
