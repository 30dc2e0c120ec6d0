package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
)

var fullActor = cardea.Actor{Type: "system", ID: "test"}

// fillUp writes organizations until one is refused, and returns that error.
func fillUp(t *testing.T, db *DB, round int) error {
	t.Helper()
	for i := range 100_000 {
		id := fmt.Sprintf("org_%d_%d", round, i)
		if err := write(t.Context(), db, id); err != nil {
			return err
		}
	}
	t.Fatal("it never got full")
	return nil
}

// write makes one change of some kilobytes.
func write(ctx context.Context, db *DB, id string) error {
	_, err := db.Update(ctx, fullActor, func(tx *Tx) error {
		tx.Audit(Event{Action: "organization.create", TargetID: id})
		return tx.InsertOrganization(ctx, Organization{ID: id, Name: strings.Repeat("x", 4000)})
	})
	return err
}

// key stores a credential and returns its secret's hash.
func key(t *testing.T, db *DB) secret.Hash {
	t.Helper()
	h := secret.HashOf("key")
	_, err := db.Update(t.Context(), fullActor, func(tx *Tx) error {
		tx.Audit(Event{Action: "key.create"})
		if err := tx.InsertOrganization(t.Context(), Organization{ID: "org"}); err != nil {
			return err
		}
		if err := tx.InsertCredential(t.Context(), Credential{ID: "key", Organization: "org"}); err != nil {
			return err
		}
		return tx.InsertSecret(t.Context(), CredentialSecret{Hash: h, Credential: "key"})
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// checkFull fails the test unless writes are refused quickly and reads go on.
func checkFull(t *testing.T, db *DB, h secret.Hash) {
	t.Helper()
	for i := range 50 {
		start := time.Now()
		err := write(t.Context(), db, fmt.Sprintf("org_full_%d", i))
		if cardea.KindOf(err) != cardea.KindStorageFull || time.Since(start) > time.Second {
			t.Fatalf("a write while full: %v after %v", err, time.Since(start))
		}
		if l, err := db.LookupSecret(t.Context(), h); err != nil || !l.Found {
			t.Fatalf("a lookup while full: %v", err)
		}
	}
	if _, err := db.VerifyAudit(t.Context()); err != nil {
		t.Errorf("the audit log while full: %v", err)
	}
}

func TestFullDiskRefusesWritesServesReadsAndRecovers(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m,mode=0700"); err != nil {
		t.Logf("a small file system cannot be mounted here (%v); the limit on pages below stands in for it", err)
		return
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), Config{Dir: filepath.Join(dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h := key(t, db)
	if err := fillUp(t, db, 1); cardea.KindOf(err) != cardea.KindStorageFull {
		t.Fatalf("the first refused write: %v, kind %d", err, cardea.KindOf(err))
	}
	checkFull(t, db, h)
	rows := []RequestRow{{At: time.Now(), RequestID: "req", Reason: cardea.ReasonAllowed}}
	if err := db.AppendRequests(t.Context(), rows, nil); err == nil {
		t.Log("the request log still had room")
	} else if kind := cardea.KindOf(err); kind != cardea.KindStorageFull && kind != cardea.KindUnavailable {
		t.Errorf("the request log while full: %v, kind %d", err, kind)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := write(t.Context(), db, "org_after"); err != nil {
		t.Errorf("a write after there was room again: %v", err)
	}
	if err := db.AppendRequests(t.Context(), rows, nil); err != nil {
		t.Errorf("the request log after there was room again: %v", err)
	}
	if _, err := db.VerifyAudit(t.Context()); err != nil {
		t.Errorf("the audit log after there was room again: %v", err)
	}
}

func TestDatabaseAtItsLimitOfPagesRefusesWritesServesReadsAndRecovers(t *testing.T) {
	db, err := Open(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	h := key(t, db)
	limit := func(pages int) {
		var n int
		query := fmt.Sprintf("PRAGMA max_page_count = %d", pages)
		if err := db.write(t.Context(), func(q querier) error { return q.QueryRowContext(t.Context(), query).Scan(&n) }); err != nil {
			t.Fatal(err)
		}
	}
	limit(200)
	if err := fillUp(t, db, 1); cardea.KindOf(err) != cardea.KindStorageFull {
		t.Fatalf("the first refused write: %v, kind %d", err, cardea.KindOf(err))
	}
	checkFull(t, db, h)
	limit(100_000)
	if err := write(t.Context(), db, "org_after"); err != nil {
		t.Errorf("a write after there was room again: %v", err)
	}
}

func TestPostgresErrorsHaveTheirKinds(t *testing.T) {
	for code, want := range map[string]cardea.Kind{
		"53100": cardea.KindStorageFull, "53300": cardea.KindUnavailable, "57P01": cardea.KindUnavailable,
		"08006": cardea.KindUnavailable, "40001": cardea.KindUnavailable, "40P01": cardea.KindUnavailable,
		"23505": cardea.KindConflict, "23503": cardea.KindNotFound, "42601": cardea.KindInternal,
	} {
		err := fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: code})
		if got := postgresKind(err); got != want {
			t.Errorf("%s: kind %d, want %d", code, got, want)
		}
	}
}
