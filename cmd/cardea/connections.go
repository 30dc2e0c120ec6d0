package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/admin"
)

var connectionColumns = []column[admin.Connection]{
	{"organization", func(c admin.Connection) string { return c.Organization }},
	{"issuer", func(c admin.Connection) string { return c.Issuer }},
	{"client", func(c admin.Connection) string { return c.ClientID }},
	{"has a secret", func(c admin.Connection) string { return yes(c.HasSecret) }},
	{"new people join", func(c admin.Connection) string { return yes(c.AutoJoin) }},
	{"as", func(c admin.Connection) string { return string(c.Role) }},
	{"with an address at", func(c admin.Connection) string { return list(c.Domains) }},
}

// connectionsCommand is `cardea connections`.
func connectionsCommand() *cobra.Command {
	return group("connections", "Connections: the OpenID providers that organizations sign in with",
		connectionsSet(),
		onOrganization("show", "Show an organization's provider", "", func(s *session, c *cobra.Command, id string) (admin.Connection, error) {
			return s.GetConnection(c.Context(), id)
		}),
		onOrganization("delete", "Remove an organization's provider", "no longer sign in there", func(s *session, c *cobra.Command, id string) (admin.Connection, error) {
			return s.DeleteConnection(c.Context(), id)
		}),
	)
}

// onOrganization returns a command on the connection of one organization; done is what its
// members do from then on.
func onOrganization(name, short, done string, act func(*session, *cobra.Command, string) (admin.Connection, error)) *cobra.Command {
	return &cobra.Command{
		Use: name + " ORGANIZATION", Short: short, Args: cobra.ExactArgs(1),
		RunE: with(func(s *session, c *cobra.Command, args []string) error {
			k, err := act(s, c, args[0])
			if err != nil {
				return err
			}
			if done != "" {
				s.say("members of %s %s", k.Organization, done)
			}
			return printOne(s.printer, connectionColumns, k)
		}),
	}
}

func connectionsSet() *cobra.Command {
	var in admin.SetConnection
	var role string
	var secret bool
	c := &cobra.Command{
		Use: "set ORGANIZATION ISSUER", Short: "Let an organization sign in with its own OpenID provider", Args: cobra.ExactArgs(2),
		Example: "  cardea connections set org_… https://login.acme.example --client-id 0oa… --secret < secret.txt",
	}
	f := c.Flags()
	f.StringVar(&in.ClientID, "client-id", "", "client `ID` that the provider gave")
	f.BoolVar(&secret, "secret", false, "read the client secret from standard input")
	f.BoolVar(&in.AutoJoin, "auto-join", false, "whoever signs in for the first time becomes a member")
	f.StringVar(&role, "role", "", "role of those who join (default: viewer)")
	f.StringSliceVar(&in.Domains, "domain", nil, "mail domain of those who may join")
	f.BoolVar(&in.Insecure, "insecure", false, "allow a provider on a private address or without TLS: for development")
	required(c, "client-id")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in.Organization, in.Issuer, in.Role = args[0], args[1], cardea.Role(role)
		if secret {
			text, err := io.ReadAll(io.LimitReader(c.InOrStdin(), 4<<10))
			if err != nil {
				return err
			}
			in.ClientSecret = strings.TrimSpace(string(text))
		}
		k, err := s.SetConnection(c.Context(), in)
		if err != nil {
			return err
		}
		s.say("members of %s can sign in there", k.Organization)
		return printOne(s.printer, connectionColumns, k)
	})
	return c
}
