package server

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// WritePrivate writes a file that only its owner may read, and does so whole: a reader
// sees the old content or the new one, never a part, also after a crash.
func WritePrivate(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename, on purpose
	if _, err := f.Write(content); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// loadOrCreate returns the content of a private file, which it fills by create when the
// file is missing. Of several processes that start at once one wins, and all read what
// the winner wrote.
func loadOrCreate(name string, create func() []byte) (content []byte, created bool, err error) {
	content, err = os.ReadFile(name)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return content, false, err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, false, err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		content, err = os.ReadFile(name)
		return content, false, err
	}
	if err != nil {
		return nil, false, err
	}
	content = create()
	if _, err := f.Write(content); err != nil {
		f.Close()
		return nil, false, err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return nil, false, err
	}
	return content, true, f.Close()
}
