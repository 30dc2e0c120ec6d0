package store_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// old brings an empty database to schema 1, with people in it whose names have two cases.
func old(t *testing.T, cfg store.Config) {
	t.Helper()
	folders := map[goose.Dialect]string{goose.DialectPostgres: "postgres"}
	if cfg.DSN == "" {
		folders = map[goose.Dialect]string{goose.DialectSQLite3: "sqlite"}
	}
	for dialect, folder := range folders {
		db := raw(t, cfg)
		provider, err := goose.NewProvider(dialect, db, os.DirFS(filepath.Join("migrations", folder)), goose.WithDisableGlobalRegistry(true))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provider.UpTo(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		for _, row := range [][2]string{
			{`INSERT INTO organization (id, name, folded, plan, created_at, updated_at)
				VALUES ('org_1', 'Zoë Ärger', $1, 'free', 1, 1)`, "zoë ärger\norg_1"},
			{`INSERT INTO member (id, organization, email, name, folded, role, created_at, updated_at)
				VALUES ('usr_1', 'org_1', 'Ünna@Example.com', 'Ünna', $1, 'owner', 1, 1)`, "ünna\nünna@example.com\nusr_1"},
		} {
			if _, err := db.ExecContext(t.Context(), row[0], row[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// wantNames fails the test unless people are found by the names that they had in schema 1.
func wantNames(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := t.Context()
	equal(t, "organization by name", must(db.OrganizationByName(ctx, "ZOË ÄRGER"))(t).ID, "org_1")
	equal(t, "member by address", must(db.MemberByEmail(ctx, "org_1", "ünna@example.COM"))(t).ID, "usr_1")
}

func TestOlderDatabaseIsBroughtUpToDateWithItsNames(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		old(t, cfg)
		db := storetest.OpenConfig(t, cfg)
		wantNames(t, db)
		all(t, db, func(tx *store.Tx) error { return tx.InsertClient(t.Context(), theClient) })
	})
}

func TestOlderBackupIsRestoredWithItsNames(t *testing.T) {
	text := `{"format":"cardea-backup","version":1,"schema":1,"engine":"sqlite","created_at":"2026-11-22T00:00:00Z"}
{"table":"organization","columns":["id","name","folded","plan","limits","suspended_at","created_at","updated_at"]}
["org_1","Zoë Ärger","zoë ärger\norg_1","free",null,null,1,1]
{"table":"member","columns":["id","organization","email","name","folded","role","disabled_at","created_at","updated_at"]}
["usr_1","org_1","Ünna@Example.com","Ünna","ünna\nünna@example.com\nusr_1","owner",null,1,1]
`
	file := filepath.Join(t.TempDir(), "backup")
	rezip(t, file, text+fmt.Sprintf("{\"lines\":5,\"sha256\":\"%x\"}\n", sha256.Sum256([]byte(text))))
	for engine, cfg := range targets(t) {
		if _, err := store.Restore(t.Context(), file, cfg); err != nil {
			t.Fatalf("%s: %v", engine, err)
		}
		wantNames(t, storetest.OpenConfig(t, cfg))
	}
}
