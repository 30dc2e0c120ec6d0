package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var tokenColumns = []column[admin.ManagementToken]{
	{"id", func(t admin.ManagementToken) string { return t.ID }},
	{"name", func(t admin.ManagementToken) string { return t.Name }},
	{"hint", func(t admin.ManagementToken) string { return t.Hint }},
	{"created", func(t admin.ManagementToken) string { return when(t.CreatedAt) }},
	{"last used", func(t admin.ManagementToken) string { return when(t.LastUsedAt) }},
	{"expires", func(t admin.ManagementToken) string { return when(t.ExpiresAt) }},
	{"revoked", func(t admin.ManagementToken) string { return when(t.RevokedAt) }},
}

// tokensCommand is `cardea management-tokens`.
func tokensCommand() *cobra.Command {
	return group("management-tokens", "Management tokens: what operators and these commands sign in with",
		tokensCreate(), tokensList(),
		action("revoke", "Revoke a management token", func(s *session, c *cobra.Command, id string) error {
			t, err := s.RevokeManagementToken(c.Context(), id)
			if err != nil {
				return err
			}
			s.say("%s revoked", t.ID)
			return printOne(s.printer, tokenColumns, t)
		}),
	)
}

func tokensCreate() *cobra.Command {
	var expires string
	c := &cobra.Command{Use: "create NAME", Short: "Create a management token and show it, once", Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&expires, "expires", "", "when it ends: 90d, 1y, 2027-01-31 (default: when revoked)")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in := admin.CreateManagementToken{Name: args[0]}
		if expires != "" {
			var err error
			if in.ExpiresAt, err = parseWhen(expires, time.Now()); err != nil {
				return err
			}
		}
		made, err := s.CreateManagementToken(c.Context(), in)
		if err != nil {
			return err
		}
		s.say("%s created. Keep the secret now: it will not be shown again.", made.Token.ID)
		type shown struct {
			Token  admin.ManagementToken `json:"token"`
			Secret string                `json:"secret"`
		}
		columns := []column[shown]{{"secret", func(m shown) string { return m.Secret }}}
		for _, c := range tokenColumns {
			columns = append(columns, column[shown]{c.title, func(m shown) string { return c.text(m.Token) }})
		}
		return printOne(s.printer, columns, shown{made.Token, made.Secret.Reveal()})
	})
	return c
}

func tokensList() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List management tokens"}
	pageFlag(c)
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := collect(s, c, s.ListManagementTokens(c.Context(), admin.Page{}))
		if err != nil {
			return err
		}
		return printList(s.printer, tokenColumns, all)
	})
	return c
}
