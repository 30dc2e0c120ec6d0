package store_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// targets returns an empty database of every engine there is.
func targets(t *testing.T) map[string]store.Config {
	t.Helper()
	list := map[string]store.Config{"sqlite": {Dir: t.TempDir()}}
	if storetest.HasPostgres(t) {
		list["postgres"] = store.Config{DSN: storetest.Postgres(t), Dir: t.TempDir()}
	}
	return list
}

// furnish fills a database with something of everything.
func furnish(t *testing.T, db *store.DB) secret.Hash {
	t.Helper()
	parties(t, db)
	h := secret.HashOf("a secret")
	ctx := t.Context()
	audited(t, db, 0, 20)
	storetest.Change(t, db, func(tx *store.Tx) error {
		for _, err := range []error{
			tx.SetAddressList(ctx, store.AddressList{Organization: "org_1", Environment: "live"}),
			tx.InsertManagementToken(ctx, store.ManagementToken{ID: "mtok_1", Hash: secret.HashOf("m")}),
			tx.InsertSecret(ctx, store.CredentialSecret{Hash: secret.HashOf("b"), Credential: "key_1", Sealed: []byte("\x00\xffsealed")}),
			tx.SetSetting(ctx, "name", "line\nbreak \"ü\" \u2028"),
			tx.InsertWebhookEndpoint(ctx, endpoint("we_1", "org_1")), tx.InsertWebhookEndpoint(ctx, endpoint("we_all", "")),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	storetest.Change(t, db, func(tx *store.Tx) error { // which waits to be told
		_, err := tx.ReportLeak(ctx, store.Leak{Credential: "key_1", Source: "a gist"})
		return err
	})
	see(t, db, hour(1), "192.0.2.1", "2001:db8::1")
	if _, _, err := db.SignCheckpoint(ctx); err != nil {
		t.Fatal(err)
	}
	err := errors.Join(
		db.AddDayCounts(ctx, []store.DayCount{{Owner: "org_1/live", Day: store.Day(db.Now()), N: 1 << 60}}),
		db.AddUsage(ctx, []store.UsageDelta{{Credential: "key_1", Hour: hour(1), Requests: 1<<62 + 1, Reason: cardea.ReasonAllowed}}))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// lines returns a backup's lines without its first, which has the time in it.
func lines(t *testing.T, db *store.DB) []string {
	t.Helper()
	var buf bytes.Buffer
	if err := db.WriteBackup(t.Context(), &buf); err != nil {
		t.Fatal(err)
	}
	all := strings.Split(unzip(t, buf.Bytes()), "\n")
	return all[1 : len(all)-2]
}

func unzip(t *testing.T, data []byte) string {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func rezip(t *testing.T, path, text string) {
	t.Helper()
	var buf bytes.Buffer
	zip := gzip.NewWriter(&buf)
	if _, err := io.WriteString(zip, text); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(zip.Close(), os.WriteFile(path, buf.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestBackupRestoresEverythingIntoEitherEngine(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		h := furnish(t, db)
		file := filepath.Join(t.TempDir(), "backup")
		if err := db.Backup(ctx, file); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("backup file: %v, %v; want mode 0600", info, err)
		}
		wantKind(t, "backup over a file", db.Backup(ctx, file), cardea.KindConflict)
		for engine, cfg := range targets(t) {
			tree, err := store.Restore(ctx, file, cfg)
			if err != nil {
				t.Fatalf("restoring into %s: %v", engine, err)
			}
			equal(t, "audit tree", tree, must(db.AuditTree(ctx))(t))
			restored := storetest.OpenConfig(t, cfg)
			equal(t, "data in "+engine, lines(t, restored), lines(t, db))
			if l := must(restored.LookupSecret(ctx, h))(t); !l.Found || l.OrganizationDay != 1<<60 {
				t.Errorf("the key is not known in %s", engine)
			}
			// It goes on from there: sequence numbers and the audit log are continued.
			changes := storetest.Change(t, restored, func(tx *store.Tx) error {
				return tx.UpdateOrganization(ctx, store.Organization{ID: "org_1"})
			})
			if head := must(db.Head(ctx))(t); changes.Seq() != head+1 {
				t.Errorf("the next change is %d, want %d", changes.Seq(), head+1)
			}
			if _, err := restored.VerifyAudit(ctx); err != nil {
				t.Errorf("the audit log after a change: %v", err)
			}
			_, err = store.Restore(ctx, file, cfg)
			wantKind(t, "restoring into a database in use", err, cardea.KindConflict)
		}
	})
}

func TestBackupWhileRunningIsOfOneInstant(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		db := open()
		people(t, db)
		var wg sync.WaitGroup
		for w := range 4 {
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					_ = insert(ctx, db, fmt.Sprintf("org_%d_%d", w, i), fine)
				}
			})
		}
		for i := range 5 {
			file := filepath.Join(t.TempDir(), "backup")
			if err := db.Backup(t.Context(), file); err != nil {
				t.Fatal(err)
			}
			cfg := store.Config{Dir: t.TempDir()}
			tree, err := store.Restore(t.Context(), file, cfg) // verifies the audit log
			if err != nil {
				t.Fatalf("backup %d: %v", i, err)
			}
			restored := storetest.OpenConfig(t, cfg)
			n := must(restored.CountOrganizations(t.Context()))(t)
			if n[""]+1 != tree.Size || must(restored.Head(t.Context()))(t) != tree.Size+1 {
				t.Errorf("backup %d: %d organizations and %d audit events", i, n[""], tree.Size)
			}
		}
		cancel()
		wg.Wait()
	})
}

func TestDamagedBackupIsRefusedAndChangesNothing(t *testing.T) {
	ctx, source := t.Context(), storetest.Open(t)
	furnish(t, source)
	file := filepath.Join(t.TempDir(), "backup")
	if err := source.Backup(ctx, file); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := unzip(t, good)
	refuse := func(t *testing.T, name string, kind cardea.Kind) {
		t.Helper()
		cfg := store.Config{Dir: t.TempDir()}
		_, err := store.Restore(ctx, file, cfg)
		wantKind(t, name, err, kind)
		if err := insert(ctx, storetest.OpenConfig(t, cfg), "org_1", fine); err != nil {
			t.Errorf("%s: something was left behind: %v", name, err)
		}
	}
	for i := 0; i < len(good); i += max(1, len(good)/60) { // bits of the file as it is
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if i > 2 && i < 10 { // time and system of the compressed file: of no meaning
			continue
		}
		if _, err := store.Restore(ctx, file, store.Config{Dir: t.TempDir()}); err == nil {
			t.Errorf("a backup with a changed bit at %d was restored", i)
		}
	}
	for name, n := range map[string]int{"empty": 0, "cut short": len(good) - 1, "half": len(good) / 2} {
		if err := os.WriteFile(file, good[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		refuse(t, name, cardea.KindInvalid)
	}
	end := strings.LastIndex(strings.TrimSpace(text), "\n") + 1
	for name, c := range map[string]struct {
		text string
		kind cardea.Kind
	}{
		"without end":    {text[:end], cardea.KindInvalid},
		"changed row":    {strings.Replace(text, "org_1", "org_9", 1), cardea.KindInvalid},
		"deleted row":    {strings.Replace(text, `["name",`, "", 1), cardea.KindInvalid},
		"more after end": {text + "[1]\n", cardea.KindInvalid},
		"newer schema":   {regexp.MustCompile(`"schema":\d+`).ReplaceAllString(text, `"schema":999`), cardea.KindConflict},
		"newer format":   {strings.Replace(text, `"version":1`, `"version":2`, 1), cardea.KindConflict},
		"other file":     {"hello\n", cardea.KindInvalid},
	} {
		rezip(t, file, c.text)
		refuse(t, name, c.kind)
	}
	emptied := text[:strings.Index(text, "\n")+1] + "\n" // with a checksum that is right
	rezip(t, file, emptied+fmt.Sprintf("{\"lines\":2,\"sha256\":\"%x\"}\n", sha256.Sum256([]byte(emptied))))
	refuse(t, "empty line", cardea.KindInvalid)
	_, err = store.Restore(ctx, filepath.Join(t.TempDir(), "none"), store.Config{Dir: t.TempDir()})
	wantKind(t, "no file", err, cardea.KindInvalid)
}

func TestBackupHoldsNoSecretInTheClear(t *testing.T) {
	db := storetest.Open(t)
	people(t, db)
	if strings.Contains(strings.Join(lines(t, db), "\n"), "a secret") {
		t.Error("a secret is in the backup")
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		ctx := t.Context()
		storetest.OpenConfig(t, cfg)
		if _, err := raw(t, cfg).ExecContext(ctx, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)`); err != nil {
			t.Fatal(err)
		}
		db, err := store.Open(ctx, cfg)
		if err == nil {
			_ = db.Close()
		}
		wantKind(t, "opening a newer database", err, cardea.KindConflict)
	})
}

func TestNodesStartingTogetherMigrateOnce(t *testing.T) {
	if !storetest.HasPostgres(t) {
		return
	}
	cfg := store.Config{DSN: storetest.Postgres(t)}
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			db, err := store.Open(t.Context(), cfg)
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			_ = db.Close()
		})
	}
	wg.Wait()
}

func TestFilesAreForTheirOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	db := storetest.OpenConfig(t, store.Config{Dir: dir})
	people(t, db)
	if err := db.AppendRequests(t.Context(), []store.RequestRow{request("req_1", time.Now())}, nil); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", d.Name(), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestUnreachableDatabaseIsUnavailableAndItsPasswordUnspoken(t *testing.T) {
	for _, dsn := range []string{
		"postgres://cardea:hunter2@127.0.0.1:1/x?sslmode=disable&connect_timeout=2",
		"postgres://cardea:hunter2@127.0.0.1:port/x",
		"mysql://cardea:hunter2@127.0.0.1/x",
	} {
		_, err := store.Open(t.Context(), store.Config{DSN: dsn})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Open: %v", err)
		}
		if strings.Contains(dsn, ":1/") {
			wantKind(t, "no server", err, cardea.KindUnavailable)
		}
	}
}
