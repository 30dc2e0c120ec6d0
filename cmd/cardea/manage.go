package main

import (
	"iter"

	"github.com/spf13/cobra"
)

// managementCommands returns the commands that go through the management API.
func managementCommands() []*cobra.Command {
	commands := []*cobra.Command{
		setupCommand(), orgsCommand(), membersCommand(), keysCommand(), clientsCommand(), accountsCommand(), accessCommand(),
		consentsCommand(), sessionsCommand(), issuersCommand(), hooksCommand(), webhooksCommand(), leaksCommand(), signingKeysCommand(),
		connectionsCommand(), plansCommand(), ipsCommand(),
		usageCommand(), limitsCommand(), requestsCommand(), explainCommand(), auditCommand(), contractCommand(), statusCommand(),
		tokensCommand(), backupCommand(),
	}
	for i := range commands {
		commands[i] = remote(commands[i])
	}
	return commands
}

// group returns a command that only has subcommands.
func group(name, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short}
	c.AddCommand(commands...)
	return c
}

// An action is a subcommand on one object: its id is the only argument.
func action(name, short string, act func(s *session, c *cobra.Command, id string) error) *cobra.Command {
	return &cobra.Command{
		Use: name + " ID", Short: short, Args: cobra.ExactArgs(1),
		RunE: with(func(s *session, c *cobra.Command, args []string) error { return act(s, c, args[0]) }),
	}
}

// pageFlag adds the flag that bounds a list.
func pageFlag(c *cobra.Command) {
	c.Flags().Int("limit", 100, "show so many at most; 0: all")
}

// collect takes items up to the command's limit and says when there are more.
func collect[T any](s *session, c *cobra.Command, items iter.Seq2[T, error]) ([]T, error) {
	most, _ := c.Flags().GetInt("limit")
	var taken []T
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		if most > 0 && len(taken) == most {
			s.say("there are more; --limit 0 shows all")
			break
		}
		taken = append(taken, item)
	}
	return taken, nil
}
