//go:build !unix

package server

import (
	"os"
	"path/filepath"
)

// lockData opens the lock file and locks nothing: this system has no lock that ends with
// its process in the standard library. Whoever runs two servers on one directory here
// is not stopped.
func lockData(dir string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
}
