package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// Every connection is cut, as when PostgreSQL restarts: errors say that the database
// does not answer, and end by themselves.
func TestCutConnectionsAreReplaced(t *testing.T) {
	if !storetest.HasPostgres(t) {
		return
	}
	cfg := store.Config{DSN: storetest.Postgres(t)}
	ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
	h := people(t, db)
	for round := range 5 {
		_, err := raw(t, cfg).ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		if err != nil {
			t.Fatal(err)
		}
		deadline := time.Now().Add(5 * time.Second)
		for try := 0; ; try++ {
			_, err := db.LookupSecret(ctx, h)
			if err == nil {
				err = insert(ctx, db, fmt.Sprintf("org_%d_%d", round, try), fine)
			}
			if err == nil {
				break
			}
			wantKind(t, "a call on a cut connection", err, cardea.KindUnavailable)
			if time.Now().After(deadline) {
				t.Fatal("no connection came back")
			}
		}
	}
	if _, err := db.VerifyAudit(ctx); err != nil {
		t.Error(err)
	}
	if err := db.Ping(ctx); err != nil {
		t.Errorf("Ping: %v", err)
	}
}
