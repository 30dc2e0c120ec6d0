package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var grantColumns = []column[admin.Grant]{
	{"id", func(g admin.Grant) string { return g.ID }},
	{"client", func(g admin.Grant) string { return g.Client }},
	{"member", func(g admin.Grant) string { return g.Member }},
	{"environment", func(g admin.Grant) string { return g.Environment }},
	{"scopes", func(g admin.Grant) string { return list(g.Scopes) }},
	{"created", func(g admin.Grant) string { return when(g.CreatedAt) }},
	{"expires", func(g admin.Grant) string { return when(g.ExpiresAt) }},
	{"revoked", func(g admin.Grant) string { return strings.TrimSpace(when(g.RevokedAt) + " " + g.RevokedReason) }},
}

var consentColumns = []column[admin.Consent]{
	{"id", func(c admin.Consent) string { return c.ID }},
	{"member", func(c admin.Consent) string { return c.Member }},
	{"client", func(c admin.Consent) string { return strings.TrimSpace(c.ClientName + " (" + c.Client + ")") }},
	{"scopes", func(c admin.Consent) string { return list(c.Scopes) }},
	{"given", func(c admin.Consent) string { return when(c.UpdatedAt) }},
	{"expires", func(c admin.Consent) string { return when(c.ExpiresAt) }},
	{"withdrawn", func(c admin.Consent) string { return when(c.WithdrawnAt) }},
}

var sessionColumns = []column[admin.Session]{
	{"id", func(s admin.Session) string { return s.ID }},
	{"method", func(s admin.Session) string { return s.Method }},
	{"address", func(s admin.Session) string { return s.Address }},
	{"browser", func(s admin.Session) string { return short(s.UserAgent) }},
	{"since", func(s admin.Session) string { return when(s.CreatedAt) }},
	{"seen", func(s admin.Session) string { return when(s.SeenAt) }},
	{"expires", func(s admin.Session) string { return when(s.ExpiresAt) }},
}

// accessCommand is `cardea tokens`: what was issued to clients, accounts and people.
func accessCommand() *cobra.Command {
	return group("tokens", "Issued tokens: end them, see what they grew from", tokenRevoke(), tokensRevokeAll(), grantsList(), grantRevoke())
}

func tokenRevoke() *cobra.Command {
	var id string
	c := &cobra.Command{
		Use: "revoke", Short: "End one access or refresh token, read from standard input or named by its id",
		Long: `Ends one token. Its text comes from standard input, never from an argument: every user
of a machine can read those. A signed token can be named by its id (its claim jti) instead.`,
		Example: "  pbpaste | cardea tokens revoke\n  cardea tokens revoke --id 0Vd…",
	}
	c.Flags().StringVar(&id, "id", "", "`ID` of the token instead")
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		in := admin.RevokeToken{ID: id}
		if id == "" {
			text, err := io.ReadAll(io.LimitReader(c.InOrStdin(), 16<<10))
			if err != nil {
				return err
			}
			in.Token = strings.TrimSpace(string(text))
		}
		t, err := s.RevokeToken(c.Context(), in)
		if err != nil {
			return err
		}
		s.say("%s revoked", t.ID)
		return printOne(s.printer, []column[admin.RevokedToken]{
			{"id", func(t admin.RevokedToken) string { return t.ID }},
			{"type", func(t admin.RevokedToken) string { return t.Type }},
			{"would have expired", func(t admin.RevokedToken) string { return when(t.ExpiresAt) }},
		}, t)
	})
	return c
}

func tokensRevokeAll() *cobra.Command {
	var in admin.RevokeTokens
	c := &cobra.Command{
		Use: "revoke-all", Short: "End every token of a client, service account or key, or of a member",
		Example: "  cardea tokens revoke-all --credential client_…\n  cardea tokens revoke-all --member usr_…",
	}
	c.Flags().StringVar(&in.Credential, "credential", "", "`ID` of a client, service account or key")
	c.Flags().StringVar(&in.Member, "member", "", "`ID` of a member")
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		if (in.Credential == "") == (in.Member == "") {
			return usagef("name one: --credential or --member")
		}
		done, err := s.RevokeTokens(c.Context(), in)
		if err != nil {
			return err
		}
		s.say("whatever was issued before %s is refused", when(done.Before))
		return nil
	})
	return c
}

func grantsList() *cobra.Command {
	var filter admin.GrantFilter
	c := &cobra.Command{Use: "grants", Short: "List authorizations, each with the tokens that grew from it"}
	grantFilter(c, &filter)
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := collect(s, c, s.ListGrants(c.Context(), filter))
		if err != nil {
			return err
		}
		return printList(s.printer, grantColumns, all)
	})
	return c
}

// grantFilter adds the flags that narrow lists of grants and consents.
func grantFilter(c *cobra.Command, filter *admin.GrantFilter) {
	c.Flags().StringVar(&filter.Organization, "org", "", "only of members of the organization with this `ID`")
	c.Flags().StringVar(&filter.Member, "member", "", "only of the member with this `ID`")
	c.Flags().StringVar(&filter.Client, "client", "", "only of the client with this `ID`")
	pageFlag(c)
}

func grantRevoke() *cobra.Command {
	var reason string
	c := &cobra.Command{Use: "revoke-grant ID", Short: "End an authorization, its refresh token and its access tokens", Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		g, err := s.RevokeGrant(c.Context(), admin.RevokeKey{ID: args[0], Reason: reason})
		if err != nil {
			return err
		}
		s.say("%s revoked", g.ID)
		return printOne(s.printer, grantColumns, g)
	})
	return c
}

// consentsCommand is `cardea consents`.
func consentsCommand() *cobra.Command {
	var filter admin.GrantFilter
	list := &cobra.Command{Use: "list", Short: "List what members have agreed to"}
	grantFilter(list, &filter)
	list.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := collect(s, c, s.ListConsents(c.Context(), filter))
		if err != nil {
			return err
		}
		return printList(s.printer, consentColumns, all)
	})
	return group("consents", "Consents: which clients may act for which members", list,
		action("withdraw", "Withdraw a consent; the client's tokens for the member end now", func(s *session, c *cobra.Command, id string) error {
			k, err := s.WithdrawConsent(c.Context(), id)
			if err != nil {
				return err
			}
			s.say("%s withdrawn", k.ID)
			return printOne(s.printer, consentColumns, k)
		}),
	)
}

// sessionsCommand is `cardea sessions`.
func sessionsCommand() *cobra.Command {
	var filter admin.SessionFilter
	list := &cobra.Command{Use: "list", Short: "List where a member is signed in"}
	list.Flags().StringVar(&filter.Member, "member", "", "`ID` of the member")
	required(list, "member")
	list.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := s.ListSessions(c.Context(), filter)
		if err != nil {
			return err
		}
		return printList(s.printer, sessionColumns, all)
	})
	return group("sessions", "Sessions: where people are signed in", list,
		action("end", "Sign a member out in one place", func(s *session, c *cobra.Command, id string) error {
			k, err := s.EndSession(c.Context(), id)
			if err != nil {
				return err
			}
			s.say("%s ended", k.ID)
			return printOne(s.printer, sessionColumns, k)
		}),
		&cobra.Command{
			Use: "end-all MEMBER", Short: "Sign a member out everywhere", Args: cobra.ExactArgs(1),
			RunE: with(func(s *session, c *cobra.Command, args []string) error {
				m, err := s.EndSessions(c.Context(), args[0])
				return memberResult(s, m, err, "signed out everywhere")
			}),
		},
	)
}
