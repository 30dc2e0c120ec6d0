package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/internal/store"
)

// restoreCommand is `cardea restore`.
func restoreCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Restore a backup into an empty data directory or database",
		Long: `Restores a backup into a data directory or PostgreSQL database that has nothing in it
yet; one that has is never touched. What happened after the backup is not in it: a key
revoked since then works again. Put the master key's file back as well, if the contract
keeps secrets viewable.`,
		Example: "  cardea restore cardea-2026-11-22.backup --data /var/lib/cardea",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			settings, err := loadSettings(c)
			if err != nil {
				return err
			}
			if _, err := os.Stat(args[0]); err != nil {
				return usagef("the backup cannot be read: %w", err)
			}
			tree, err := store.Restore(c.Context(), args[0], store.Config{DSN: settings.Database, Dir: settings.Data})
			if err != nil {
				return fmt.Errorf("not restored: %w", err)
			}
			where := settings.Data
			if settings.Database != "" {
				where = "the database"
			}
			fmt.Fprintf(c.ErrOrStderr(), "restored %s into %s; %d audit events verified\n", args[0], where, tree.Size)
			return nil
		},
	}
	settingFlags(c.Flags(), "data", "database")
	return c
}
