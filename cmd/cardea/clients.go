package main

import (
	"encoding/json"
	"os"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var clientColumns = []column[admin.OAuthClient]{
	{"id", func(c admin.OAuthClient) string { return c.ID }},
	{"name", func(c admin.OAuthClient) string { return c.Name }},
	{"environment", func(c admin.OAuthClient) string { return c.Environment }},
	{"grants", func(c admin.OAuthClient) string { return list(c.Grants) }},
	{"status", func(c admin.OAuthClient) string { return string(c.Status) }},
	{"scopes", func(c admin.OAuthClient) string { return list(c.Scopes) }},
	{"last used", func(c admin.OAuthClient) string { return when(c.LastUsedAt) }},
}

// clientDetails are the fields of one client, more than a table has room for.
var clientDetails = append(clientColumns[:len(clientColumns):len(clientColumns)],
	column[admin.OAuthClient]{"organization", func(c admin.OAuthClient) string { return c.Organization }},
	column[admin.OAuthClient]{"authentication", func(c admin.OAuthClient) string { return list(c.Authentication) }},
	column[admin.OAuthClient]{"redirect URIs", func(c admin.OAuthClient) string { return list(c.RedirectURIs) }},
	column[admin.OAuthClient]{"origins", func(c admin.OAuthClient) string { return list(c.Origins) }},
	column[admin.OAuthClient]{"first party", func(c admin.OAuthClient) string { return yes(c.FirstParty) }},
	column[admin.OAuthClient]{"needs DPoP", func(c admin.OAuthClient) string { return yes(c.DPoPRequired) }},
	column[admin.OAuthClient]{"key set", func(c admin.OAuthClient) string { return c.JWKSURL }},
	column[admin.OAuthClient]{"addresses", func(c admin.OAuthClient) string { return list(c.Addresses) }},
	column[admin.OAuthClient]{"limits", func(c admin.OAuthClient) string { return limitText(c.Limits) }},
	column[admin.OAuthClient]{"expires", func(c admin.OAuthClient) string { return when(c.ExpiresAt) }},
	column[admin.OAuthClient]{"created", func(c admin.OAuthClient) string { return when(c.CreatedAt) + " by " + c.CreatedBy }},
	column[admin.OAuthClient]{"revoked", func(c admin.OAuthClient) string { return revokedText(c.Key) }},
	column[admin.OAuthClient]{"rotation", func(c admin.OAuthClient) string { return rotationText(c.Key) }},
)

// clientsCommand is `cardea clients`.
func clientsCommand() *cobra.Command {
	return group("clients", "OAuth clients: the programs that get access tokens",
		clientsCreate(), clientsList(), clientsUpdate(), clientsRotate(), clientsRevoke(),
		action("show", "Show a client, never its secret", func(s *session, c *cobra.Command, id string) error {
			k, err := s.GetClient(c.Context(), id)
			return clientResult(s, k, err, "")
		}),
		action("disable", "Refuse a client and its tokens until it is enabled again", func(s *session, c *cobra.Command, id string) error {
			k, err := s.DisableClient(c.Context(), id)
			return clientResult(s, k, err, "disabled")
		}),
		action("enable", "Enable a disabled client", func(s *session, c *cobra.Command, id string) error {
			k, err := s.EnableClient(c.Context(), id)
			return clientResult(s, k, err, "enabled")
		}),
		action("regenerate", "Give a client a new secret; the old one and the tokens it got end now", func(s *session, c *cobra.Command, id string) error {
			made, err := s.RegenerateClientSecret(c.Context(), id)
			return clientSecretResult(s, made, err, "regenerated; the old secret is refused from now on")
		}),
		action("finish", "End a rotation's overlap now: only the new secret works", func(s *session, c *cobra.Command, id string) error {
			k, err := s.FinishClientRotation(c.Context(), id)
			return clientResult(s, k, err, "has one secret")
		}),
		action("reveal", "Show a secret again, where the contract keeps it viewable", func(s *session, c *cobra.Command, id string) error {
			made, err := s.RevealClientSecret(c.Context(), id)
			return clientSecretResult(s, made, err, "revealed; the audit log says so")
		}),
	)
}

// clientResult prints the client that an operation returned.
func clientResult(s *session, k admin.OAuthClient, err error, done string) error {
	if err != nil {
		return err
	}
	if done != "" {
		s.say("%s %s", k.ID, done)
	}
	return printOne(s.printer, clientDetails, k)
}

// clientSecretResult prints a client with its secret.
func clientSecretResult(s *session, made admin.ClientSecret, err error, done string) error {
	if err != nil {
		return err
	}
	s.say("%s %s", made.Client.ID, done)
	type shown struct {
		Client admin.OAuthClient `json:"client"`
		Secret string            `json:"secret,omitzero"`
	}
	out := shown{Client: made.Client}
	out.Secret = made.Secret.Reveal() // "" for a client without one
	if out.Secret != "" && !made.Client.Revealable {
		s.say("Keep the secret now: it will not be shown again.")
	}
	columns := []column[shown]{{"secret", func(m shown) string { return m.Secret }}}
	for _, c := range clientDetails {
		columns = append(columns, column[shown]{c.title, func(m shown) string { return c.text(m.Client) }})
	}
	return printOne(s.printer, columns, out)
}

// readKeySet reads a file with a JSON Web Key Set.
func readKeySet(name string) (json.RawMessage, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("--jwks: %w", err)
	}
	if !json.Valid(text) {
		return nil, usagef("--jwks: the file does not hold JSON")
	}
	return text, nil
}

func clientsCreate() *cobra.Command {
	var in admin.CreateClient
	var jwks string
	c := &cobra.Command{
		Use: "create NAME", Short: "Create a client and show its secret, once", Args: cobra.ExactArgs(1),
		Example: "  cardea clients create \"Nightly export\" --org org_… --grant client_credentials --scope read\n" +
			"  cardea clients create \"Web app\" --org org_… --redirect-uri https://app.example.com/callback",
	}
	f := c.Flags()
	f.StringVar(&in.Organization, "org", "", "`ID` of the organization")
	f.StringVar(&in.Environment, "env", "", "environment (default: the only one)")
	f.StringSliceVar(&in.Grants, "grant", nil, "grant of the contract (default: all that make sense for it)")
	f.StringSliceVar(&in.Authentication, "authentication", nil, "how it may say who it is (default: as the rest suggests)")
	f.StringArrayVar(&in.RedirectURIs, "redirect-uri", nil, "redirect `URI`, compared exactly; repeat for more")
	f.StringSliceVar(&in.Origins, "origin", nil, "origin of web pages that may call the endpoints")
	f.BoolVar(&in.Public, "public", false, "it keeps no secret: a program on a device or in a browser")
	f.BoolVar(&in.FirstParty, "first-party", false, "it belongs to the product: nobody is asked for consent")
	f.BoolVar(&in.DPoPRequired, "dpop", false, "its tokens are always bound to a key (RFC 9449)")
	f.StringVar(&jwks, "jwks", "", "`FILE` with the public keys it signs with (private_key_jwt)")
	f.StringVar(&in.JWKSURL, "jwks-url", "", "`URL` of those keys")
	scopes, permissions, addresses, expires := grantFlags(c, "any", "never")
	required(c, "org")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in.Name, in.Scopes, in.Permissions, in.Addresses = args[0], *scopes, *permissions, *addresses
		in.Limits = limits(f)
		var err error
		if in.JWKS, err = readKeySet(jwks); err != nil {
			return err
		}
		if in.ExpiresAt, _, err = expiry(*expires); err != nil {
			return err
		}
		made, err := s.CreateClient(c.Context(), in)
		return clientSecretResult(s, made, err, "created")
	})
	return c
}

func clientsList() *cobra.Command {
	var filter admin.ClientFilter
	c := &cobra.Command{Use: "list", Short: "List clients"}
	c.Flags().StringVar(&filter.Organization, "org", "", "only of the organization with this `ID`")
	c.Flags().StringVar(&filter.Environment, "env", "", "only of this environment")
	narrowFlags(c.Flags(), &filter.Narrow)
	pageFlag(c)
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := collect(s, c, s.ListClients(c.Context(), filter))
		if err != nil {
			return err
		}
		return printList(s.printer, clientColumns, all)
	})
	return c
}

func clientsUpdate() *cobra.Command {
	var anyAddress, inherit bool
	var jwks string
	var grants, redirects, origins []string
	c := &cobra.Command{
		Use: "update ID", Short: "Change a client", Args: cobra.ExactArgs(1),
		Long:    "Changes a client; at once. What is not named stays; a list replaces the old one.\n" + limitsTogether,
		Example: "  cardea clients update client_… --redirect-uri https://app.example.com/callback",
	}
	f := c.Flags()
	f.String("name", "", "new name")
	f.StringSliceVar(&grants, "grant", nil, "grants")
	f.StringArrayVar(&redirects, "redirect-uri", nil, "redirect `URI`s")
	f.StringSliceVar(&origins, "origin", nil, "origins of web pages")
	f.StringVar(&jwks, "jwks", "", "`FILE` with its public keys")
	f.String("jwks-url", "", "`URL` of its public keys")
	f.BoolVar(&anyAddress, "any-ip", false, "let its tokens work from any address again")
	f.BoolVar(&inherit, "plan-limits", false, "drop limits of its own")
	scopes, permissions, addresses, expires := grantFlags(c, "as before", "as before")
	someChange(c, append(ownLimits, [2]string{"any-ip", "ip"})...)
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in := admin.UpdateClient{
			ID: args[0], Name: changed(f, "name"), Scopes: *scopes, Permissions: *permissions, Addresses: *addresses,
			Limits: limits(f), InheritLimits: inherit, Grants: grants, RedirectURIs: redirects, Origins: origins,
			JWKSURL: changed(f, "jwks-url"),
		}
		if anyAddress {
			in.Addresses = []string{}
		}
		var err error
		if in.JWKS, err = readKeySet(jwks); err != nil {
			return err
		}
		if in.ExpiresAt, in.NeverExpires, err = expiry(*expires); err != nil {
			return err
		}
		k, err := s.UpdateClient(c.Context(), in)
		return clientResult(s, k, err, "updated")
	})
	return c
}

func clientsRotate() *cobra.Command {
	var overlap string
	c := &cobra.Command{
		Use: "rotate ID", Short: "Give a client a new secret; the old one works a while longer", Args: cobra.ExactArgs(1),
		Example: "  cardea clients rotate client_… --overlap 24h",
	}
	c.Flags().StringVar(&overlap, "overlap", "", "how long the old secret still works: 30m, 24h, 7d, or 0 (default: as the contract says)")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in := admin.RotateKey{ID: args[0]}
		var err error
		if in.OverlapSeconds, err = overlapSeconds(c, overlap); err != nil {
			return err
		}
		made, err := s.RotateClientSecret(c.Context(), in)
		return clientSecretResult(s, made, err, "rotated")
	})
	return c
}

func clientsRevoke() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "revoke ID", Short: "Revoke a client for good, with every token it got", Args: cobra.ExactArgs(1),
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		k, err := s.RevokeClient(c.Context(), admin.RevokeKey{ID: args[0], Reason: reason})
		return clientResult(s, k, err, "revoked")
	})
	return c
}
