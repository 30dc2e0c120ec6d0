package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

// setupCommand is `cardea setup`.
func setupCommand() *cobra.Command {
	var in admin.SetUp
	c := &cobra.Command{
		Use: "setup", Short: "Give the first of your own people an account: a link, or a password on standard input",
		Long: `Prints a link with which the first of your own people gives themselves an account that
can do everything; it works once, for a day. With --email and --name the account is made
at once, with the password on standard input. Either works as long as there is nobody.`,
		Example: "  cardea setup\n  cardea setup --email jo@acme.example --name \"Jo Doe\" < password.txt",
	}
	c.Flags().StringVar(&in.Email, "email", "", "email address of the person")
	c.Flags().StringVar(&in.Name, "name", "", "name of the person")
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		if c.Flags().Changed("email") != c.Flags().Changed("name") {
			return usagef("--email and --name go together\nUsage: %s", c.UseLine())
		}
		return nil
	}
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		if in.Email == "" {
			l, err := s.CreateSetupLink(c.Context())
			return linkResult(s, l, err)
		}
		text, err := io.ReadAll(io.LimitReader(c.InOrStdin(), 4<<10))
		if err != nil {
			return err
		}
		in.Password = strings.TrimRight(string(text), "\r\n")
		m, err := s.SetUp(c.Context(), in)
		return memberResult(s, m, err, "is an operator, and can sign in")
	})
	return c
}
