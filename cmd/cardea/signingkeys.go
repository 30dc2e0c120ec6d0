package main

import (
	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var signingKeyColumns = []column[admin.SigningKey]{
	{"id", func(k admin.SigningKey) string { return k.ID }},
	{"environment", func(k admin.SigningKey) string { return k.Environment }},
	{"algorithm", func(k admin.SigningKey) string { return k.Algorithm }},
	{"state", func(k admin.SigningKey) string { return k.State }},
	{"created", func(k admin.SigningKey) string { return when(k.CreatedAt) }},
	{"signs from", func(k admin.SigningKey) string { return when(k.SignsAt) }},
	{"signs until", func(k admin.SigningKey) string { return when(k.RetiredAt) }},
	{"verifies until", func(k admin.SigningKey) string { return when(k.ExpiresAt) }},
}

// signingKeysCommand is `cardea signing-keys`.
func signingKeysCommand() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List the keys"}
	list.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := s.ListSigningKeys(c.Context())
		if err != nil {
			return err
		}
		return printList(s.printer, signingKeyColumns, all)
	})
	return group("signing-keys", "Signing keys: what the server signs tokens with", list, signingKeysRotate(),
		action("revoke", "End a key that got into wrong hands, with every token it signed", func(s *session, c *cobra.Command, id string) error {
			k, err := s.RevokeSigningKey(c.Context(), id)
			if err != nil {
				return err
			}
			s.say("%s revoked; another key signs", k.ID)
			return printOne(s.printer, signingKeyColumns, k)
		}),
	)
}

func signingKeysRotate() *cobra.Command {
	var in admin.RotateSigningKeys
	c := &cobra.Command{
		Use: "rotate", Short: "Replace the keys, in steps: published, signing, verifying, gone",
		Long: `Publishes new keys now. They sign once whoever remembers the key set has had time to see
them; the old ones verify until the last of their tokens has expired. No token is refused
for it.`,
	}
	c.Flags().StringVar(&in.Environment, "env", "", "only of this environment")
	c.Flags().BoolVar(&in.Immediate, "immediate", false, "sign with the new keys at once; verifiers that remember the old set refuse their tokens until they look again")
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		made, err := s.RotateSigningKeys(c.Context(), in)
		if err != nil {
			return err
		}
		return printList(s.printer, signingKeyColumns, made)
	})
	return c
}
