package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

// contractCommand is `cardea contract`.
func contractCommand() *cobra.Command {
	return group("contract", "The contract in force", contractShow(), contractImpact())
}

var contractColumns = []column[admin.ServerStatus]{
	{"source", func(s admin.ServerStatus) string { return s.Contract.Source }},
	{"hash", func(s admin.ServerStatus) string { return s.Contract.Hash }},
	{"loaded", func(s admin.ServerStatus) string { return when(s.Contract.LoadedAt) }},
	{"last reload", func(s admin.ServerStatus) string { return when(s.Contract.LastReload) }},
	{"problems", func(s admin.ServerStatus) string { return problemLines(s.Contract.Problems) }},
	{"warnings", func(s admin.ServerStatus) string { return problemLines(s.Contract.Warnings) }},
}

func contractShow() *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show which contract is in force, and how the last reload went",
		RunE: with(func(s *session, c *cobra.Command, _ []string) error {
			status, err := s.GetStatus(c.Context())
			if err != nil {
				return err
			}
			if s.json {
				return s.encode(status.Contract)
			}
			return printOne(s.printer, contractColumns, status)
		}),
	}
}

// problemLines renders problems for one line.
func problemLines(problems []admin.ContractProblem) string {
	var all []string
	for _, p := range problems {
		all = append(all, fmt.Sprintf("line %d: %s", p.Line, p.Text))
	}
	return strings.Join(all, "; ")
}

func contractImpact() *cobra.Command {
	return &cobra.Command{
		Use:   "impact FILE",
		Short: "Say what a changed contract would do to live credentials, before it comes into force",
		Long: `Compares a contract with the one in force and says whom each difference concerns: which
live credentials lose a scope, are of a kind that is gone, use a route that asks for more.
It changes nothing. "-" reads standard input.

Exit codes: 0 nothing breaks, 1 something does or the contract has errors, 2 the file
cannot be read.`,
		Example: "  cardea contract impact cardea.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: with(func(s *session, c *cobra.Command, args []string) error {
			text, err := readInput(c, args[0])
			if err != nil {
				return usagef("the contract cannot be read: %w", err)
			}
			found, err := s.GetContractImpact(c.Context(), text)
			if err != nil {
				return err
			}
			if s.json {
				if err := s.encode(found); err != nil {
					return err
				}
			} else {
				printImpact(s.out, args[0], found)
			}
			if !found.Valid || found.Breaks {
				return errSaid
			}
			return nil
		}),
	}
}

// printImpact writes problems, differences and a summary, for people.
func printImpact(w io.Writer, name string, found admin.Impact) {
	for _, p := range found.Problems {
		fmt.Fprintf(w, "%s:%d:%d: %s: %s\n", cell(name), p.Line, p.Column, p.Severity, cell(p.Text))
		if p.Hint != "" {
			fmt.Fprintf(w, "    %s\n", cell(p.Hint))
		}
	}
	counts := map[string]int{}
	for _, c := range found.Changes {
		counts[c.Severity]++
		place := cell(name)
		if c.Line > 0 {
			place = fmt.Sprintf("%s:%d", place, c.Line)
		}
		fmt.Fprintf(w, "%-8s%s %s (%s)\n", c.Severity, c.What, cell(c.Where), place)
		fmt.Fprintf(w, "        %s\n        %s\n", cell(c.Effect), cell(concerned(c)))
	}
	switch {
	case !found.Valid:
		fmt.Fprintf(w, "%s is no contract: nothing was compared\n", cell(name))
	case len(found.Changes) == 0:
		fmt.Fprintf(w, "no credential, organization or route notices the difference\n")
	default:
		fmt.Fprintf(w, "breaking: %d, to know of: %d, of no concern to anybody: %d\n", counts["breaks"], counts["warns"], counts["informs"])
	}
}

// concerned says whom a change concerns.
func concerned(c admin.ContractChange) string {
	var parts []string
	if c.Credentials > 0 {
		parts = append(parts, counted(c.Credentials, "live credential"))
	}
	if c.Organizations > 0 {
		parts = append(parts, counted(c.Organizations, "organization"))
	}
	switch {
	case c.Credentials < 0:
		return "concerns whoever uses it: nobody counts them"
	case len(parts) == 0:
		return "concerns nobody now"
	}
	text := "concerns " + strings.Join(parts, " and ")
	if len(c.Examples) > 0 {
		text += ": " + strings.Join(c.Examples, ", ")
		if more := c.Credentials - len(c.Examples); more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
	}
	return text
}
