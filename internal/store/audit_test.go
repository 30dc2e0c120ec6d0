package store_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// audited writes n events.
func audited(t *testing.T, db *store.DB, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		_, err := db.Update(t.Context(), storetest.Actor, func(tx *store.Tx) error {
			tx.Audit(store.Event{
				Action: "key.update", TargetType: "credential", TargetID: fmt.Sprintf("key_%d", i%3),
				Organization: fmt.Sprintf("org_%d", i%2), Detail: map[string]any{"i": i, "before": nil, "after": "ü<&>"},
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// raw opens the database behind Cardea's back.
func raw(t *testing.T, cfg store.Config) *sql.DB {
	t.Helper()
	driver, dsn := "sqlite", "file:"+filepath.Join(cfg.Dir, "cardea.db")+"?_pragma=busy_timeout(5000)"
	if cfg.DSN != "" {
		driver, dsn = "pgx", cfg.DSN
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestAuditEventsTellWhoDidWhatAndWhen(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Now = func() time.Time { return hour(1) }
		ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
		audited(t, db, 0, 7)
		want := store.AuditEvent{
			Seq: 7, At: hour(1), Actor: storetest.Actor, Action: "key.update", TargetType: "credential",
			TargetID: "key_0", Organization: "org_0", Detail: []byte(`{"after":"ü<&>","before":null,"i":6}`),
		}
		equal(t, "event", must(db.AuditEvent(ctx, 7))(t), want)
		var seqs []int64
		for page := (store.Page{Limit: 2}); ; {
			events, next, err := db.AuditEvents(ctx, store.AuditFilter{Organization: "org_0", ActorID: "test"}, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				seqs = append(seqs, e.Seq)
			}
			if page.After = next; next == "" {
				break
			}
		}
		equal(t, "pages, newest first", seqs, []int64{7, 5, 3, 1})
		for name, f := range map[string]store.AuditFilter{
			"target": {TargetType: "credential", TargetID: "key_1"}, "none": {Action: "key.create"},
			"time": {Since: hour(2)}, "until": {Until: hour(1)}, "actor": {ActorType: "operator"},
		} {
			events, _, err := db.AuditEvents(ctx, f, store.Page{})
			if want := map[bool]int{true: 2}[name == "target"]; err != nil || len(events) != want {
				t.Errorf("filter %s: %d events, %v; want %d", name, len(events), err, want)
			}
		}
	})
}

func TestTamperedAuditLogIsFound(t *testing.T) {
	for name, tamper := range map[string]string{
		"record changed":      `UPDATE audit_event SET record = replace(record, '"i":4', '"i":9') WHERE seq = 5`,
		"column changed":      `UPDATE audit_event SET actor_id = 'somebody else' WHERE seq = 5`,
		"organization moved":  `UPDATE audit_event SET organization = '' WHERE seq = 5`,
		"event deleted":       `DELETE FROM audit_event WHERE seq = 5`,
		"last deleted":        `DELETE FROM audit_event WHERE seq = 9`,
		"last forgotten":      `UPDATE audit_head SET size = 8`,
		"hash changed":        `UPDATE audit_hash SET hash = (SELECT hash FROM audit_hash WHERE idx = 0) WHERE idx = 7`,
		"hash deleted":        `DELETE FROM audit_hash WHERE idx = 8`,
		"checkpoint forged":   "UPDATE audit_checkpoint SET note = replace(note, '\n9\n', '\n8\n')",
		"checkpoint unsigned": "UPDATE audit_checkpoint SET note = replace(note, '— cardea', '— caldea')",
		"key of checkpoints":  `DELETE FROM setting`,
		"checkpoint moved":    `UPDATE audit_checkpoint SET size = 8`,
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
				ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
				audited(t, db, 0, 9)
				if _, ok, err := db.SignCheckpoint(ctx); err != nil || !ok {
					t.Fatalf("SignCheckpoint: %t, %v", ok, err)
				}
				if _, err := db.VerifyAudit(ctx); err != nil {
					t.Fatalf("untouched log: %v", err)
				}
				if _, err := raw(t, cfg).ExecContext(ctx, tamper); err != nil {
					t.Fatal(err)
				}
				if _, err := db.VerifyAudit(ctx); !errors.Is(err, store.ErrAuditDamaged) {
					t.Errorf("VerifyAudit: %v, want %v", err, store.ErrAuditDamaged)
				}
			})
		})
	}
}

// Whoever can write the database can write another history with all its hashes. It
// cannot agree with a checkpoint that was kept elsewhere.
func TestRewrittenHistoryDisagreesWithCheckpointKeptElsewhere(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
		audited(t, db, 0, 5)
		kept, ok, err := db.SignCheckpoint(ctx)
		if err != nil || !ok {
			t.Fatalf("SignCheckpoint: %t, %v", ok, err)
		}
		if _, ok, err := db.SignCheckpoint(ctx); err != nil || ok {
			t.Errorf("a checkpoint without news: %t, %v", ok, err)
		}
		audited(t, db, 5, 12)
		if tree, err := db.VerifyCheckpoint(ctx, kept.Note); err != nil || tree.Size != 12 {
			t.Errorf("a log that grew: %v, %v", tree, err)
		}
		for _, wipe := range []string{
			`DELETE FROM audit_event`, `DELETE FROM audit_hash`, `DELETE FROM audit_checkpoint`, `UPDATE audit_head SET size = 0`,
		} {
			if _, err := raw(t, cfg).ExecContext(ctx, wipe); err != nil {
				t.Fatal(err)
			}
		}
		audited(t, db, 100, 112)
		if _, err := db.VerifyAudit(ctx); err != nil {
			t.Errorf("the new history is consistent with itself: %v", err)
		}
		if _, err := db.VerifyCheckpoint(ctx, kept.Note); !errors.Is(err, store.ErrAuditDamaged) {
			t.Errorf("VerifyCheckpoint: %v, want %v", err, store.ErrAuditDamaged)
		}
		forged := strings.Replace(kept.Note, "\n5\n", "\n6\n", 1)
		if _, err := db.VerifyCheckpoint(ctx, forged); !errors.Is(err, store.ErrAuditDamaged) {
			t.Errorf("forged checkpoint: %v, want %v", err, store.ErrAuditDamaged)
		}
	})
}

func TestAuditProofsHoldForTheirTreeOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		audited(t, db, 0, 11)
		older := must(db.AuditTree(ctx))(t)
		audited(t, db, 11, 20)
		newer := must(db.AuditTree(ctx))(t)
		for seq := int64(1); seq <= newer.Size; seq++ {
			p := must(db.ProveInclusion(ctx, seq))(t)
			if !p.Check() || p.Tree != newer {
				t.Errorf("event %d: its proof does not hold", seq)
			}
			p.Record = bytes.Replace(p.Record, []byte("key.update"), []byte("key.revoke"), 1)
			if p.Check() {
				t.Errorf("event %d: the proof holds for another record", seq)
			}
		}
		proof := must(db.ProveConsistency(ctx, older, newer))(t)
		if !store.CheckConsistency(proof, older, newer) {
			t.Error("the proof that the log grew does not hold")
		}
		older.Root[0] ^= 1
		if store.CheckConsistency(proof, older, newer) {
			t.Error("the proof holds for another older tree")
		}
		_, err := db.ProveInclusion(ctx, 21)
		wantKind(t, "an event that is not there", err, cardea.KindNotFound)
	})
}

func TestCheckpointKeyIsPrivateAndStays(t *testing.T) {
	dir := t.TempDir()
	db := storetest.OpenConfig(t, store.Config{Dir: dir})
	public := must(db.CheckpointVerifier())(t)
	info, err := os.Stat(filepath.Join(dir, "audit.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v; want mode 0600", info, err)
	}
	if again := must(db.CheckpointVerifier())(t); again != public || !strings.HasPrefix(public, "cardea/audit+") {
		t.Errorf("the key changed from %s to %s", public, again)
	}
}

func TestAuditLogOfThousandsVerifies(t *testing.T) {
	ctx, db := t.Context(), storetest.Open(t)
	_, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) error {
		for i := range 2500 {
			tx.Audit(store.Event{Action: "bulk", TargetID: fmt.Sprint(i)})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if tree, err := db.VerifyAudit(ctx); err != nil || tree.Size != 2500 {
		t.Errorf("VerifyAudit: %v, %v", tree.Size, err)
	}
}
