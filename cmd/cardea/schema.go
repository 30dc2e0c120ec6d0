package main

import (
	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/contract"
)

// schemaCommand is `cardea schema`.
func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of contracts, for editors",
		Long: `Prints the JSON Schema of contract files. With the YAML language server, write it to
a file and put this line on top of the contract:

  # yaml-language-server: $schema=./cardea.schema.json`,
		Example: "  cardea schema > cardea.schema.json",
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(contract.Schema())
			return err
		},
	}
}
