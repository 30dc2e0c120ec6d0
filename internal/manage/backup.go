package manage

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/store"
)

// A BackupFile is a finished backup. Closing it removes it from the server.
type BackupFile struct {
	*os.File

	dir string
}

// Close closes and removes the file.
func (f *BackupFile) Close() error {
	return errors.Join(f.File.Close(), os.RemoveAll(f.dir))
}

var _ io.ReadCloser = (*BackupFile)(nil)

// Backup takes a backup while the server runs. It is finished, or an error, before
// anything is read from it. Operators only.
//
// The audit event comes first, so that whoever reads the backup finds it in there, and
// a backup that could not be recorded is not taken: it holds every hash and every
// sealed secret.
func (m *Manager) Backup(ctx context.Context, actor cardea.Actor) (*BackupFile, error) {
	if err := access.Operator(actor); err != nil {
		return nil, err
	}
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		access.Record(tx, "backup.create", "server", "backup", "", nil)
		return nil
	})
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "cardea-backup-") // mode 0700
	if err != nil {
		return nil, &cardea.Error{Kind: cardea.KindStorageFull, Public: "there is no room for a backup on the server", Cause: err}
	}
	name := filepath.Join(dir, "cardea.backup")
	if err := m.store.Backup(ctx, name); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &BackupFile{File: file, dir: dir}, nil
}
