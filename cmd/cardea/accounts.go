package main

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var accountColumns = []column[admin.ServiceAccount]{
	{"id", func(a admin.ServiceAccount) string { return a.ID }},
	{"name", func(a admin.ServiceAccount) string { return a.Name }},
	{"organization", func(a admin.ServiceAccount) string { return a.Organization }},
	{"environment", func(a admin.ServiceAccount) string { return a.Environment }},
	{"status", func(a admin.ServiceAccount) string { return string(a.Status) }},
	{"scopes", func(a admin.ServiceAccount) string { return list(a.Scopes) }},
	{"last used", func(a admin.ServiceAccount) string { return when(a.LastUsedAt) }},
}

// accountDetails are the fields of one service account, more than a table has room for.
var accountDetails = append(accountColumns[:len(accountColumns):len(accountColumns)],
	column[admin.ServiceAccount]{"addresses", func(a admin.ServiceAccount) string { return list(a.Addresses) }},
	column[admin.ServiceAccount]{"limits", func(a admin.ServiceAccount) string { return limitText(a.Limits) }},
	column[admin.ServiceAccount]{"expires", func(a admin.ServiceAccount) string { return when(a.ExpiresAt) }},
	column[admin.ServiceAccount]{"created", func(a admin.ServiceAccount) string { return when(a.CreatedAt) + " by " + a.CreatedBy }},
	column[admin.ServiceAccount]{"revoked", func(a admin.ServiceAccount) string { return revokedText(a.Key) }},
)

var accountKeyColumns = []column[admin.ServiceAccountKey]{
	{"id", func(k admin.ServiceAccountKey) string { return k.ID }},
	{"algorithm", func(k admin.ServiceAccountKey) string { return k.Algorithm }},
	{"status", func(k admin.ServiceAccountKey) string { return string(k.Status) }},
	{"created", func(k admin.ServiceAccountKey) string { return when(k.CreatedAt) }},
	{"expires", func(k admin.ServiceAccountKey) string { return when(k.ExpiresAt) }},
	{"last used", func(k admin.ServiceAccountKey) string { return when(k.LastUsedAt) }},
}

// accountsCommand is `cardea service-accounts`.
func accountsCommand() *cobra.Command {
	return group("service-accounts", "Service accounts: identities whose holders sign their own tokens",
		accountsCreate(), accountsList(), accountsRevoke(),
		action("show", "Show a service account", func(s *session, c *cobra.Command, id string) error {
			a, err := s.GetServiceAccount(c.Context(), id)
			return accountResult(s, a, err, "")
		}),
		action("disable", "Refuse a service account until it is enabled again", func(s *session, c *cobra.Command, id string) error {
			a, err := s.DisableServiceAccount(c.Context(), id)
			return accountResult(s, a, err, "disabled")
		}),
		action("enable", "Enable a disabled service account", func(s *session, c *cobra.Command, id string) error {
			a, err := s.EnableServiceAccount(c.Context(), id)
			return accountResult(s, a, err, "enabled")
		}),
		action("keys", "List a service account's keys", func(s *session, c *cobra.Command, id string) error {
			keys, err := s.ListServiceAccountKeys(c.Context(), admin.ServiceAccountKeyFilter{ServiceAccount: id})
			if err != nil {
				return err
			}
			return printList(s.printer, accountKeyColumns, keys)
		}),
		accountsCreateKey(), accountsRevokeKey(),
	)
}

// accountResult prints the service account that an operation returned.
func accountResult(s *session, a admin.ServiceAccount, err error, done string) error {
	if err != nil {
		return err
	}
	if done != "" {
		s.say("%s %s", a.ID, done)
	}
	return printOne(s.printer, accountDetails, a)
}

func accountsCreate() *cobra.Command {
	var in admin.CreateServiceAccount
	c := &cobra.Command{
		Use: "create NAME", Short: "Create a service account; give it a key next", Args: cobra.ExactArgs(1),
		Example: "  cardea service-accounts create Reporting --org org_… --scope read\n  cardea service-accounts create-key sa_…",
	}
	f := c.Flags()
	f.StringVar(&in.Organization, "org", "", "`ID` of the organization")
	f.StringVar(&in.Environment, "env", "", "environment (default: the only one)")
	scopes, permissions, addresses, expires := grantFlags(c, "any", "never")
	required(c, "org")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in.Name, in.Scopes, in.Permissions, in.Addresses = args[0], *scopes, *permissions, *addresses
		in.Limits = limits(f)
		var err error
		if in.ExpiresAt, _, err = expiry(*expires); err != nil {
			return err
		}
		a, err := s.CreateServiceAccount(c.Context(), in)
		return accountResult(s, a, err, "created")
	})
	return c
}

func accountsList() *cobra.Command {
	var filter admin.ClientFilter
	c := &cobra.Command{Use: "list", Short: "List service accounts"}
	c.Flags().StringVar(&filter.Organization, "org", "", "only of the organization with this `ID`")
	c.Flags().StringVar(&filter.Environment, "env", "", "only of this environment")
	narrowFlags(c.Flags(), &filter.Narrow)
	pageFlag(c)
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := collect(s, c, s.ListServiceAccounts(c.Context(), filter))
		if err != nil {
			return err
		}
		return printList(s.printer, accountColumns, all)
	})
	return c
}

func accountsRevoke() *cobra.Command {
	var reason string
	c := &cobra.Command{Use: "revoke ID", Short: "Revoke a service account for good, with every token it signed or got", Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		a, err := s.RevokeServiceAccount(c.Context(), admin.RevokeKey{ID: args[0], Reason: reason})
		return accountResult(s, a, err, "revoked")
	})
	return c
}

func accountsCreateKey() *cobra.Command {
	var in admin.CreateServiceAccountKey
	var file, expires string
	c := &cobra.Command{
		Use: "create-key ID", Short: "Make a key and write its key file, once", Args: cobra.ExactArgs(1),
		Long: `Makes a key pair and writes the key file that its holder signs tokens with. The private
key is in this file and nowhere else.`,
		Example: "  cardea service-accounts create-key sa_… --file service-account.json",
	}
	c.Flags().StringVar(&file, "file", "", "`FILE` to write, which must not exist; - is standard output (default: as the contract names it)")
	c.Flags().StringVar(&in.Algorithm, "algorithm", "", "RS256, ES256 or EdDSA (default: the contract's first)")
	c.Flags().StringVar(&expires, "expires", "", "when the key ends: 90d, 1y, 2027-01-31 (default: when revoked)")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in.ServiceAccount = args[0]
		if expires != "" {
			var err error
			if in.ExpiresAt, err = parseWhen(expires, time.Now()); err != nil {
				return err
			}
		}
		if file != "" && file != "-" { // before there is a key that nobody has
			if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
				return usagef("%s exists already", file)
			}
		}
		made, err := s.CreateServiceAccountKey(c.Context(), in)
		if err != nil {
			return err
		}
		text, err := made.File.Reveal()
		if err != nil {
			return err
		}
		text = append(text, '\n')
		if file == "-" {
			_, err = s.out.Write(text)
			return err
		}
		if file == "" {
			file = made.Name
		}
		if err := writePrivate(file, text); err != nil {
			// The key works, and its file is lost: it must not stay.
			_, revokeErr := s.RevokeServiceAccountKey(c.Context(), admin.ServiceAccountKeyID{ServiceAccount: args[0], ID: made.Key.ID})
			return errors.Join(err, revokeErr)
		}
		s.say("%s created; its key file is %s, and there is no other copy", made.Key.ID, file)
		return printOne(s.printer, accountKeyColumns, made.Key)
	})
	return c
}

// writePrivate writes a file that nobody else can read and that was not there before.
func writePrivate(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return usagef("%s exists already; name another file with --file", name)
	}
	if err != nil {
		return usagef("the key file: %w", err)
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

func accountsRevokeKey() *cobra.Command {
	c := &cobra.Command{Use: "revoke-key ID KEY", Short: "Revoke a key, with every token it signed", Args: cobra.ExactArgs(2)}
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		k, err := s.RevokeServiceAccountKey(c.Context(), admin.ServiceAccountKeyID{ServiceAccount: args[0], ID: args[1]})
		if err != nil {
			return err
		}
		s.say("%s revoked", k.ID)
		return printOne(s.printer, accountKeyColumns, k)
	})
	return c
}
