package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

// backupCommand is `cardea backup`.
func backupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write a backup of a running server's database",
		Long: `Writes a backup of a running server's database, through the server: nothing stops. The
master key is not in it; keep DATA/master.key somewhere else, a backup without it
cannot show viewable secrets again. An existing file is never overwritten.`,
		Example: "  cardea backup cardea-2026-11-22.backup",
		Args:    cobra.ExactArgs(1),
		RunE:    with(backup),
	}
}

// backup writes the backup to a file that only its owner can read. A backup that broke
// off leaves no file behind.
func backup(s *session, c *cobra.Command, args []string) (err error) {
	name := args[0]
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s exists already; name another file, or remove it first", name)
	}
	if err != nil {
		return usagef("the file cannot be written: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(name)
		}
	}()
	body, err := s.CreateBackup(c.Context())
	if err != nil {
		return err
	}
	defer body.Close()
	size, err := io.Copy(f, body)
	if err != nil {
		return fmt.Errorf("the backup broke off: %w", err)
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	s.say("wrote %s, %d bytes", name, size)
	return nil
}
