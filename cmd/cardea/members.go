package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/admin"
)

var memberColumns = []column[admin.Member]{
	{"id", func(m admin.Member) string { return m.ID }},
	{"organization", func(m admin.Member) string { return m.Organization }},
	{"email", func(m admin.Member) string { return m.Email }},
	{"name", func(m admin.Member) string { return m.Name }},
	{"role", func(m admin.Member) string { return string(m.Role) }},
	{"status", func(m admin.Member) string { return string(m.Status) }},
	{"disabled", func(m admin.Member) string { return when(m.DisabledAt) }},
}

// membersCommand is `cardea members`.
func membersCommand() *cobra.Command {
	return group("members", "Members: the people of an organization",
		membersCreate(), membersList(), membersUpdate(), membersPassword(), membersHandoff(), membersRevoke(),
		action("invite", "Make a one-time link with which a member chooses how to sign in", func(s *session, c *cobra.Command, id string) error {
			l, err := s.CreateInvitation(c.Context(), id)
			return linkResult(s, l, err)
		}),
		action("reset", "Make a one-time link for a member who has lost what they sign in with", func(s *session, c *cobra.Command, id string) error {
			l, err := s.CreateResetLink(c.Context(), id)
			return linkResult(s, l, err)
		}),
		action("show", "Show a member", func(s *session, c *cobra.Command, id string) error {
			m, err := s.GetMember(c.Context(), id)
			return memberResult(s, m, err, "")
		}),
		action("disable", "Disable a member and the member's own keys", func(s *session, c *cobra.Command, id string) error {
			m, err := s.DisableMember(c.Context(), id)
			return memberResult(s, m, err, "disabled")
		}),
		action("enable", "Enable a member again", func(s *session, c *cobra.Command, id string) error {
			m, err := s.EnableMember(c.Context(), id)
			return memberResult(s, m, err, "enabled; keys that were disabled stay so, see: cardea keys enable")
		}),
	)
}

// memberResult prints the member that an operation returned.
func memberResult(s *session, m admin.Member, err error, done string) error {
	if err != nil {
		return err
	}
	if done != "" {
		s.say("%s %s", m.ID, done)
	}
	return printOne(s.printer, memberColumns, m)
}

func membersCreate() *cobra.Command {
	var in admin.CreateMember
	var role string
	c := &cobra.Command{
		Use: "create EMAIL", Short: "Add a person to an organization", Args: cobra.ExactArgs(1),
		Example: "  cardea members create jo@acme.example --org org_… --name \"Jo Doe\" --role developer",
	}
	c.Flags().StringVar(&in.Organization, "org", "", "`ID` of the organization")
	c.Flags().StringVar(&in.Name, "name", "", "name")
	c.Flags().StringVar(&role, "role", string(cardea.RoleDeveloper), "owner, admin, developer or viewer")
	required(c, "org", "name")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in.Email, in.Role = args[0], cardea.Role(role)
		m, err := s.CreateMember(c.Context(), in)
		return memberResult(s, m, err, "created")
	})
	return c
}

func membersList() *cobra.Command {
	var filter admin.MemberFilter
	c := &cobra.Command{Use: "list", Short: "List members"}
	c.Flags().StringVar(&filter.Organization, "org", "", "only of the organization with this `ID`")
	c.Flags().StringVar(&filter.Search, "search", "", "only those with this in their name, address or id")
	c.Flags().StringVar((*string)(&filter.Role), "role", "", "only owners, admins, developers or viewers: owner, admin, …")
	c.Flags().StringVar((*string)(&filter.Status), "status", "", "only those that are active, invited or disabled")
	pageFlag(c)
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := collect(s, c, s.ListMembers(c.Context(), filter))
		if err != nil {
			return err
		}
		return printList(s.printer, memberColumns, all)
	})
	return c
}

func membersUpdate() *cobra.Command {
	c := &cobra.Command{Use: "update ID", Short: "Change a member's name or role", Args: cobra.ExactArgs(1)}
	c.Flags().String("name", "", "new name")
	c.Flags().String("role", "", "owner, admin, developer or viewer")
	someChange(c)
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in := admin.UpdateMember{ID: args[0], Name: changed(c.Flags(), "name")}
		if role := changed(c.Flags(), "role"); role != nil {
			r := cardea.Role(*role)
			in.Role = &r
		}
		m, err := s.UpdateMember(c.Context(), in)
		return memberResult(s, m, err, "updated")
	})
	return c
}

// required makes flags required; a missing one is an error of usage.
func required(c *cobra.Command, flags ...string) {
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		for _, name := range flags {
			if !c.Flags().Changed(name) {
				return usagef("--%s is missing\nUsage: %s", name, c.UseLine())
			}
		}
		return nil
	}
}

// linkResult prints a one-time link.
func linkResult(s *session, l admin.Link, err error) error {
	if err != nil {
		return err
	}
	s.say("Whoever opens it is the member: send it to nobody else. It works once.")
	type shown struct {
		Member    string `json:"member,omitzero"`
		URL       string `json:"url"`
		Path      string `json:"path"`
		ExpiresAt string `json:"expires_at"`
	}
	return printOne(s.printer, []column[shown]{
		{"link", func(l shown) string { return l.URL }},
		{"works until", func(l shown) string { return l.ExpiresAt }},
	}, shown{l.Member, l.URL.Reveal(), "/" + l.Purpose + "/" + l.Secret.Reveal(), when(l.ExpiresAt)})
}

func membersPassword() *cobra.Command {
	c := &cobra.Command{
		Use: "password ID", Short: "Give a member the password on standard input, and sign them out everywhere", Args: cobra.ExactArgs(1),
		Example: "  cardea members password usr_… < password.txt",
	}
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		text, err := io.ReadAll(io.LimitReader(c.InOrStdin(), 4<<10))
		if err != nil {
			return err
		}
		m, err := s.SetPassword(c.Context(), admin.SetPassword{Member: args[0], Password: strings.TrimRight(string(text), "\r\n")})
		return memberResult(s, m, err, "has a new password")
	})
	return c
}

func membersHandoff() *cobra.Command {
	var in admin.CreateHandoff
	c := &cobra.Command{
		Use: "handoff ID", Short: "Make a one-time link that signs a member in for a day", Args: cobra.ExactArgs(1),
		Long: `Makes a link that your own application sends a member to, who is signed in there: it
works once, for a quarter of an hour. Never for your own people.`,
		Example: "  cardea members handoff usr_… --continue /dashboard/keys",
	}
	c.Flags().StringVar(&in.Continue, "continue", "", "`path` of the dashboard where the member lands (default: its first page)")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in.Member = args[0]
		l, err := s.CreateHandoff(c.Context(), in)
		return linkResult(s, l, err)
	})
	return c
}

func membersRevoke() *cobra.Command {
	var disable bool
	c := revokeAllCommand("Revoke everything that acts in a member's name: personal keys, tokens, grants, sessions",
		func(in *admin.RevokeAll, id string) { in.Member, in.Disable = id, disable })
	c.Flags().BoolVar(&disable, "disable", false, "shut the member out as well, as when a person leaves")
	return c
}

// revokeAllCommand is a command that ends everything of somebody, whom set puts into the
// input.
func revokeAllCommand(short string, set func(in *admin.RevokeAll, id string)) *cobra.Command {
	var in admin.RevokeAll
	c := &cobra.Command{Use: "revoke-all ID", Short: short, Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&in.Reason, "reason", "", "why, for the audit log")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		set(&in, args[0])
		done, err := s.RevokeAll(c.Context(), in)
		if err != nil {
			return err
		}
		s.say("%s has nothing left that works; %s revoked", args[0], counted(done.KeysRevoked, "credential"))
		return printOne(s.printer, []column[admin.RevokedAll]{
			{"organization", func(d admin.RevokedAll) string { return d.Organization }},
			{"member", func(d admin.RevokedAll) string { return d.Member }},
			{"revoked", func(d admin.RevokedAll) string { return counted(d.KeysRevoked, "credential") }},
		}, done)
	})
	return c
}
