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
	{"disabled", func(m admin.Member) string { return when(m.DisabledAt) }},
}

// membersCommand is `cardea members`.
func membersCommand() *cobra.Command {
	return group("members", "Members: the people of an organization",
		membersCreate(), membersList(), membersUpdate(), membersPassword(),
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

// linkResult prints a one-time link. Its path is the same on every host that people sign
// in at.
func linkResult(s *session, l admin.Link, err error) error {
	if err != nil {
		return err
	}
	s.say("Whoever opens it is the member: send it to nobody else. It works once.")
	type shown struct {
		Member    string `json:"member"`
		Path      string `json:"path"`
		ExpiresAt string `json:"expires_at"`
	}
	return printOne(s.printer, []column[shown]{
		{"path", func(l shown) string { return l.Path }},
		{"works until", func(l shown) string { return l.ExpiresAt }},
	}, shown{l.Member, "/" + l.Purpose + "/" + l.Secret.Reveal(), when(l.ExpiresAt)})
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
