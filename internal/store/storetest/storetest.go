// Package storetest opens real databases for tests: SQLite in a temporary directory,
// and PostgreSQL in a private instance that it starts itself.
//
// PostgreSQL is used when its programs are found (on PATH or where Debian puts them) or
// when CARDEA_TEST_POSTGRES holds a connection string of a server on which databases
// may be created. Otherwise tests run on SQLite alone and say so;
// CARDEA_TEST_REQUIRE_POSTGRES=1 makes that a failure.
package storetest

import (
	"os"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
)

// Open returns an empty SQLite database that is closed when the test ends.
func Open(t testing.TB) *store.DB {
	t.Helper()
	return OpenConfig(t, store.Config{Dir: t.TempDir()})
}

// OpenConfig opens a database as a configuration says and closes it when the test
// ends. A new one in SQLite is a copy of one that was migrated before: making the tables
// is most of what a test with a small database costs.
func OpenConfig(t testing.TB, cfg store.Config) *store.DB {
	t.Helper()
	if cfg.DSN == "" && cfg.Dir != "" {
		if err := prefill(cfg.Dir); err != nil {
			t.Fatalf("copying an empty database: %v", err)
		}
	}
	db, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("store.Open: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("store.Close: %v", err)
		}
	})
	return db
}

// Delay is how slow [Slow] makes a database: every statement waits that long.
const Delay = 2 * time.Millisecond

// Slow is a configuration like cfg of a database that takes its time, so that what is
// meant to happen at the same time does.
func Slow(cfg store.Config) store.Config {
	cfg.Delay = Delay
	return cfg
}

// Each runs a test once on every engine, as a subtest named after it. open opens the
// same empty database each time it is called in one subtest: calling it again is a
// restart, or a second node on PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, open func() *store.DB)) {
	t.Helper()
	EachConfig(t, func(t *testing.T, cfg store.Config) {
		test(t, func() *store.DB { return OpenConfig(t, cfg) })
	})
}

// EachConfig is Each for tests that open databases their own way. Fields of the
// configuration besides DSN and Dir are free to be set.
func EachConfig(t *testing.T, test func(t *testing.T, cfg store.Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, store.Config{Dir: t.TempDir()}) })
	if !HasPostgres(t) {
		return
	}
	t.Run("postgres", func(t *testing.T) {
		test(t, store.Config{DSN: Postgres(t), Dir: t.TempDir()})
	})
}

// HasPostgres reports whether there is a PostgreSQL to test on. When there is none it
// says so in the test's log, or fails the test if one is required.
func HasPostgres(t testing.TB) bool {
	t.Helper()
	server, err := instance()
	switch {
	case err == nil && server != "":
		return true
	case os.Getenv("CARDEA_TEST_REQUIRE_POSTGRES") == "1":
		t.Fatalf("PostgreSQL is required and cannot be used: %v", err)
	}
	t.Logf("not tested on PostgreSQL: %v", err)
	return false
}

// Actor is who makes changes in tests.
var Actor = cardea.Actor{Type: "system", ID: "test", Address: "192.0.2.1", RequestID: "req_test"}

// Change makes a change with an audit event of its own, and fails the test if that is
// not possible.
func Change(t testing.TB, db *store.DB, fn func(tx *store.Tx) error) store.Changes {
	t.Helper()
	changes, err := db.Update(t.Context(), Actor, func(tx *store.Tx) error {
		tx.Audit(store.Event{Action: "test.change", TargetType: "test", TargetID: t.Name()})
		return fn(tx)
	})
	if err != nil {
		t.Fatalf("Update: %v", err)
	}
	return changes
}
