package storetest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/cardea-dev/cardea/internal/store"
)

// template returns the files of an empty SQLite database with every table, by name. The
// first call makes them.
var template = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "cardea-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	db, err := store.Open(context.Background(), store.Config{Dir: dir})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range []string{"cardea.db", "usage.db"} {
		// Closing has brought everything into these, and left no write-ahead log.
		if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return files, nil
})

// prefill puts an empty database into a data directory that has none.
func prefill(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "cardea.db")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	files, err := template()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
