package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/cardea-dev/cardea"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// schemaVersion is the version of the tables that this program works with: the number
// of the last file in each folder of migrations/.
const schemaVersion = 5

// migrateSQLite brings both files of the data directory up to date.
func (db *DB) migrateSQLite(ctx context.Context) error {
	if err := migrate(ctx, db.control, goose.DialectSQLite3, "migrations/sqlite"); err != nil {
		return err
	}
	return migrate(ctx, db.usage, goose.DialectSQLite3, "migrations/usage")
}

// migratePostgres brings the database up to date; a session lock lets one of several
// starting nodes do it while the others wait.
func (db *DB) migratePostgres(ctx context.Context) error {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return err
	}
	return migrate(ctx, db.control, goose.DialectPostgres, "migrations/postgres", goose.WithSessionLocker(locker))
}

// migrate runs the files of a folder that the database has not seen, in order.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, folder string, opts ...goose.ProviderOption) error {
	switch version, err := versionOf(ctx, db); {
	case err != nil:
		return err
	case version == schemaVersion:
		return nil // the usual start takes one query
	case version > schemaVersion:
		return cardea.Errorf(cardea.KindConflict,
			"the database was made by a newer Cardea (schema %d, this program knows %d)", version, schemaVersion)
	}
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, files, append(opts, goose.WithDisableGlobalRegistry(true))...)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// versionOf returns the version of the tables, 0 for an empty database. It asks goose's
// table itself, because making goose's provider costs more than the rest of a start.
func versionOf(ctx context.Context, db *sql.DB) (int64, error) {
	if err := db.PingContext(ctx); err != nil {
		return 0, err
	}
	var version number
	err := db.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&version)
	if err != nil { // there is no such table yet; any other trouble shows again in a moment
		return 0, nil
	}
	return int64(version), nil
}

// private creates files for their owner's eyes only, before SQLite would create them
// for everybody the umask lets.
func private(files ...string) error {
	for _, name := range files {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return &cardea.Error{Kind: cardea.KindUnavailable, Public: "the data directory cannot be written", Cause: err}
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// isNetwork reports an error of the connection, not of the database.
func isNetwork(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed)
}
