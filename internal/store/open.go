package store

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store/group"
)

// Config says where the data is and how to treat it. One of DSN and Dir is needed.
type Config struct {
	// DSN is a PostgreSQL connection string, "postgres://…". "" means SQLite.
	DSN string

	// Dir is the directory of the SQLite files: cardea.db, usage.db and
	// logs/YYYY-MM-DD.db. It is created, readable by its owner only, when it does not
	// exist. One process may have it open at a time. With PostgreSQL it is optional
	// and holds the checkpoint key alone.
	Dir string

	// CheckpointKey is the file of the Ed25519 key that signs checkpoints of the
	// audit log; it is created with mode 0600 when it does not exist. "" means
	// audit.key in Dir; with neither, signing a checkpoint is an error.
	CheckpointKey string

	// Now tells the time; nil means time.Now.
	Now cardea.Clock

	// Logger receives what no caller can be told; nil means that nobody is.
	Logger *slog.Logger

	// RequestLog bounds the request log; zero members mean 7 days and 5 GB.
	RequestLog Retention

	// Delay is how long every statement on the control data waits before it runs; for
	// tests that need a slow database.
	Delay time.Duration
}

// Retention is how long the request log is kept: whichever bound is met first.
type Retention struct {
	Days  int   // whole UTC days before today; 0 means 7
	Bytes int64 // size of all days together; 0 means 5e9
}

// DB is Cardea's database. It is safe for concurrent use.
type DB struct {
	Reader

	cfg      Config
	now      cardea.Clock
	log      *slog.Logger
	engine   *engine
	control  *sql.DB       // SQLite: the writer's pool of one; PostgreSQL: the pool
	readers  *sql.DB       // PostgreSQL: the same pool
	usage    *sql.DB       // SQLite: usage.db; PostgreSQL: the same pool
	group    *group.Group  // SQLite only
	writers  chan struct{} // PostgreSQL only: changes that have a connection
	lookup   *sql.Stmt
	wrap     func(querier) querier // nil, but for tests: see pace
	tokens   *sql.Stmt             // lookupTokenSQL
	parties  *sql.Stmt             // lookupPrincipalSQL
	requests requestLog
	queued   chan struct{} // see [DB.Queued]
	closers  []func() error
}

// Open opens the database, creates it when it is not there, and brings its tables to
// this program's version. A database of a newer version is refused.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	db := &DB{cfg: cfg, now: cfg.Now, log: cfg.Logger, queued: make(chan struct{}, 1)}
	if db.now == nil {
		db.now = time.Now
	}
	if db.log == nil {
		db.log = slog.New(slog.DiscardHandler)
	}
	if db.cfg.RequestLog.Days <= 0 {
		db.cfg.RequestLog.Days = 7
	}
	if db.cfg.RequestLog.Bytes <= 0 {
		db.cfg.RequestLog.Bytes = 5e9
	}
	if cfg.Delay > 0 {
		db.wrap = func(q querier) querier { return pace{q, cfg.Delay} }
	}
	if err := db.open(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

func (db *DB) open(ctx context.Context) error {
	connect := db.openSQLite
	switch {
	case strings.HasPrefix(db.cfg.DSN, "postgres://"), strings.HasPrefix(db.cfg.DSN, "postgresql://"):
		connect = db.openPostgres
	case db.cfg.DSN != "":
		return cardea.Errorf(cardea.KindInvalid, "the database must be a directory or start with postgres://")
	case db.cfg.Dir == "":
		return cardea.Errorf(cardea.KindInvalid, "a data directory or a database is needed")
	}
	if err := connect(ctx); err != nil {
		return db.classify(err)
	}
	db.Reader = Reader{q: db.paced(db.readers), db: db}
	for text, stmt := range map[string]**sql.Stmt{
		lookupSQL: &db.lookup, lookupTokenSQL: &db.tokens, lookupPrincipalSQL: &db.parties,
	} {
		prepared, err := db.readers.PrepareContext(ctx, text)
		if err != nil {
			return db.classify(err)
		}
		*stmt = prepared
		db.closers = append(db.closers, prepared.Close)
	}
	return nil
}

// makeDir creates the data directory for its owner's eyes only: it holds hashes of
// secrets, sealed secrets and addresses of callers.
func (db *DB) makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &cardea.Error{Kind: cardea.KindUnavailable, Public: "the data directory cannot be made", Cause: err}
	}
	return nil
}

// Close waits for running changes and closes every file and connection. The DB must
// not be used after.
func (db *DB) Close() error {
	var first error
	for i := len(db.closers) - 1; i >= 0; i-- {
		if err := db.closers[i](); err != nil && first == nil {
			first = err
		}
	}
	db.closers = nil
	return first
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	var seq int64
	return db.classify(db.readers.QueryRowContext(ctx, headSQL).Scan(&seq))
}

// Engine returns "sqlite" or "postgres".
func (db *DB) Engine() string { return db.engine.name }

// Now returns the time as the database keeps it: UTC, to the microsecond.
func (db *DB) Now() time.Time { return db.now().UTC().Truncate(time.Microsecond) }
