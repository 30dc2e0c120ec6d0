package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/contract"
)

// checkCommand is `cardea check FILE…`.
func checkCommand() *cobra.Command {
	var quiet bool
	c := &cobra.Command{
		Use:   "check FILE…",
		Short: "Show every problem of contract files, each with its place",
		Long: `Reads contract files and shows everything that is wrong with them at once: place,
line, a caret under the spot, and what would mend it. "-" reads standard input.

Exit codes: 0 all are good (warnings count as good), 1 there are errors, 2 a file
cannot be read.`,
		Example: "  cardea check cardea.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error {
			return check(c, files, quiet)
		},
	}
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "say nothing about files that are good")
	return c
}

// check reports on each file: problems on standard output, since they are the result;
// what could not be read on standard error.
func check(c *cobra.Command, files []string, quiet bool) error {
	var failed, unreadable error
	for _, name := range files {
		text, err := readInput(c, name)
		if err != nil {
			fmt.Fprintf(c.ErrOrStderr(), "cardea: %v\n", err)
			unreadable = &codedError{code: exitUsage}
			continue
		}
		loaded, problems, err := loadContract(name, text)
		if err := problems.Format(c.OutOrStdout()); err != nil {
			return err
		}
		switch {
		case err != nil:
			failed = errSaid
		case !quiet:
			fmt.Fprintf(c.ErrOrStderr(), "%s: good: %s, %s, %s, %s\n", name, counted(len(loaded.Routes()), "route"),
				counted(len(loaded.Kinds()), "key kind"), counted(len(loaded.Scopes()), "scope"), counted(len(loaded.Plans()), "plan"))
		}
	}
	if unreadable != nil {
		return unreadable
	}
	return failed
}

// counted renders a number of things: "1 route", "2 routes".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// readInput returns a file's text, or standard input's for "-".
func readInput(c *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(c.InOrStdin())
	}
	return os.ReadFile(name)
}

// loadContract loads a contract and returns all its problems, warnings included.
func loadContract(name string, text []byte) (*contract.Contract, contract.Problems, error) {
	loaded, err := contract.Load(name, text)
	var problems contract.Problems
	if errors.As(err, &problems) {
		return nil, problems, err
	}
	if err != nil {
		return nil, nil, err
	}
	return loaded, loaded.Warnings(), nil
}
