package store_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// holdPatience is how long the tests wait for a lock's loss to be noticed, which takes a
// second.
const holdPatience = 20 * time.Second

// cutOthers breaks every other connection to the database, as a restart of PostgreSQL does.
func cutOthers(t *testing.T, admin *sql.DB) {
	t.Helper()
	if _, err := admin.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
		t.Fatal(err)
	}
}

// A second server on one database would revoke behind the first one's cache.
func TestOneServerPerDatabase(t *testing.T) {
	if !storetest.HasPostgres(t) {
		return
	}
	cfg := store.Config{DSN: storetest.Postgres(t)}
	never := func() { t.Error("the database was not taken by anybody") }
	first, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	second := storetest.OpenConfig(t, cfg)
	if err := first.Hold(t.Context(), nil, never); err != nil {
		t.Fatal(err)
	}
	wantKind(t, "a second server", second.Hold(t.Context(), nil, never), cardea.KindConflict)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Hold(t.Context(), nil, never); err != nil {
		t.Errorf("after the first one ended: %v", err)
	}
}

// A lock that was lost and taken again says what happened meanwhile: everything may be
// out of date.
func TestLostHoldForgetsWhatChanged(t *testing.T) {
	if !storetest.HasPostgres(t) {
		return
	}
	cfg := store.Config{DSN: storetest.Postgres(t)}
	db, admin := storetest.OpenConfig(t, cfg), raw(t, cfg)
	moved := make(chan store.Changes, 100)
	err := db.Hold(t.Context(), func(c store.Changes) { moved <- c }, func() { t.Error("nobody took the database") })
	if err != nil {
		t.Fatal(err)
	}
	// The change and the cut are one statement after the other on a connection of
	// their own; a look that falls between them sees the change as the holder's, so
	// both are repeated until one pair was not looked into.
	for deadline := time.Now().Add(holdPatience); ; {
		cutOthers(t, admin)
		if _, err := admin.ExecContext(t.Context(), `UPDATE change_head SET seq = seq + 1 WHERE id = 1`); err != nil {
			t.Fatal(err)
		}
		select {
		case c := <-moved:
			if len(c) != 1 || c[0].Kind != store.ChangeAll || c.Seq() == 0 {
				t.Errorf("moved: %+v", c)
			}
			return
		case <-time.After(3 * time.Second):
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing was forgotten")
		}
	}
}

// A server that lost the database to another is told to stop.
func TestTakenHoldIsTold(t *testing.T) {
	if !storetest.HasPostgres(t) {
		return
	}
	cfg := store.Config{DSN: storetest.Postgres(t)}
	loser, admin := storetest.OpenConfig(t, cfg), raw(t, cfg)
	taken := make(chan struct{})
	if err := loser.Hold(t.Context(), func(store.Changes) {}, func() { close(taken) }); err != nil {
		t.Fatal(err)
	}
	conn, err := admin.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// As another server would: the lock is asked for until the loser's connection is
	// cut at a moment when it is free.
	for mine, deadline := false, time.Now().Add(holdPatience); !mine; {
		if time.Now().After(deadline) {
			t.Fatal("the lock never was free")
		}
		if _, err := conn.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_locks
			WHERE locktype = 'advisory' AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRowContext(t.Context(), `SELECT pg_try_advisory_lock($1)`, store.HoldLock).Scan(&mine); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-taken:
	case <-time.After(holdPatience):
		t.Error("the loser was not told")
	}
}
