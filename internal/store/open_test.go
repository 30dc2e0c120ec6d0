package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
)

// A directory's name goes through a URL on its way to SQLite.
func TestDataIsKeptWhereTheConfigurationSays(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{"data", "./a/b", "with space", "50%25", "what?mode=ro", "a#b", "ü&_query_only=1", filepath.Join(t.TempDir(), "c:d")} {
		db, err := store.Open(t.Context(), store.Config{Dir: dir})
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		people(t, db)
		if err := db.Close(); err != nil {
			t.Errorf("%s: Close: %v", dir, err)
		}
		if info, err := os.Stat(filepath.Join(dir, "cardea.db")); err != nil || info.Size() == 0 {
			t.Errorf("%s: the database is somewhere else: %v", dir, err)
		}
	}
}

func TestConfigurationWithoutPlaceIsRefused(t *testing.T) {
	_, err := store.Open(t.Context(), store.Config{})
	wantKind(t, "no place", err, cardea.KindInvalid)
}

func TestDirectoryThatCannotBeWrittenIsUnavailable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), store.Config{Dir: filepath.Join(file, "data")})
	wantKind(t, "a file in the way", err, cardea.KindUnavailable)
}

func TestForeignFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cardea.db"), []byte("this is somebody's letter, not a database, and it is long enough to be looked at"), 0o600); err != nil {
		t.Fatal(err)
	}
	if db, err := store.Open(t.Context(), store.Config{Dir: dir}); err == nil {
		_ = db.Close()
		t.Error("a file that is no database was opened")
	}
}
