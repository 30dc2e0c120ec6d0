package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

const (
	groupContract = "contract"
	groupServer   = "server"
	groupManage   = "manage"
)

// newRoot returns the whole command tree. It holds no state outside of the commands,
// so that tests can run as many as they like.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "cardea",
		Short: "Everything your API's \"Authentication\" page promises, from one contract file",
		Long: `Cardea issues and checks the credentials of an HTTP API, enforces scopes, IP lists
and limits in front of it, and records what happened: all from one contract file.

To look around:           cardea dev
To start on your own API: cardea init

Exit codes: 0 done, 1 refused or failed, 2 usage, 4 not found or not authorized.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddGroup(
		&cobra.Group{ID: groupContract, Title: "Contract:"},
		&cobra.Group{ID: groupServer, Title: "Server:"},
		&cobra.Group{ID: groupManage, Title: "Management (through the server's API; CARDEA_URL, CARDEA_TOKEN):"},
	)
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(grouped(groupContract, initCommand(), checkCommand(), schemaCommand())...)
	root.AddCommand(grouped(groupServer, devCommand(), serveCommand(), restoreCommand(), tryCommand(), asCommand(), versionCommand())...)
	root.AddCommand(grouped(groupManage, append(managementCommands(), loginCommand(), logoutCommand())...)...)
	strict(root)
	return root
}

// grouped puts commands under a heading of the help text.
func grouped(id string, commands ...*cobra.Command) []*cobra.Command {
	for _, c := range commands {
		c.GroupID = id
	}
	return commands
}

// strict makes every mistake in a command line an error of usage: cobra knows which
// errors are its own only by the place they come from.
func strict(c *cobra.Command) {
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%w\nSee: %s --help", err, c.CommandPath())
	})
	if c.Args == nil {
		c.Args = cobra.NoArgs
	}
	args := c.Args
	c.Args = func(c *cobra.Command, given []string) error {
		if err := args(c, given); err != nil {
			if c.HasSubCommands() && len(given) > 0 {
				return usagef("%s has no command %q%s\nSee: %s --help", c.CommandPath(), given[0], suggestions(c, given[0]), c.CommandPath())
			}
			return argumentError(c, given, err)
		}
		return nil
	}
	if c.HasSubCommands() && c.RunE == nil && c.Run == nil {
		c.RunE = func(c *cobra.Command, _ []string) error {
			if err := c.Help(); err != nil {
				return err
			}
			if c.HasParent() {
				return usagef("say which: %s", strings.Join(names(c), ", "))
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		strict(sub)
	}
}

// argumentError says what is wrong with a command's arguments. It quotes none of them:
// one may be a secret that was meant for standard input.
func argumentError(c *cobra.Command, given []string, err error) error {
	var own *codedError
	switch {
	case errors.As(err, &own):
		return err
	case len(given) == 0:
		return usagef("an argument is missing\nUsage: %s", c.UseLine())
	}
	return usagef("too many arguments\nUsage: %s", c.UseLine())
}

// suggestions returns a "did you mean" for a misspelt command, or "".
func suggestions(c *cobra.Command, given string) string {
	c.SuggestionsMinimumDistance = 2
	if found := c.SuggestionsFor(given); len(found) > 0 {
		return "; did you mean " + strings.Join(found, " or ") + "?"
	}
	return ""
}

// names returns the names of a command's subcommands.
func names(c *cobra.Command) []string {
	var all []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			all = append(all, sub.Name())
		}
	}
	return all
}
