package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/internal/server"
)

// versionCommand is `cardea version`: what the build recorded about itself.
func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		RunE: func(c *cobra.Command, _ []string) error {
			version, revision := server.Version()
			if revision != "" {
				version += " (" + revision + ")"
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "cardea %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
