package main

import (
	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var orgColumns = []column[admin.Organization]{
	{"id", func(o admin.Organization) string { return o.ID }},
	{"name", func(o admin.Organization) string { return o.Name }},
	{"plan", func(o admin.Organization) string { return o.Plan }},
	{"limits", func(o admin.Organization) string { return limitText(o.Limits) }},
	{"status", func(o admin.Organization) string { return string(o.Status) }},
	{"created", func(o admin.Organization) string { return when(o.CreatedAt) }},
}

// orgsCommand is `cardea orgs`.
func orgsCommand() *cobra.Command {
	return group("orgs", "Organizations: the customers of your API",
		orgsCreate(), orgsList(), orgsUpdate(),
		action("show", "Show an organization", func(s *session, c *cobra.Command, id string) error {
			o, err := s.GetOrganization(c.Context(), id)
			return orgResult(s, o, err, "")
		}),
		action("disable", "Refuse all of an organization's credentials until it is enabled again", func(s *session, c *cobra.Command, id string) error {
			o, err := s.SuspendOrganization(c.Context(), id)
			return orgResult(s, o, err, "suspended")
		}),
		action("enable", "End an organization's suspension", func(s *session, c *cobra.Command, id string) error {
			o, err := s.ResumeOrganization(c.Context(), id)
			return orgResult(s, o, err, "enabled")
		}),
		orgsRevoke(),
		revokeAllCommand("Revoke all credentials, tokens and sessions of an organization, which may make new ones",
			func(in *admin.RevokeAll, id string) { in.Organization = id }),
	)
}

// orgResult prints the organization that an operation returned.
func orgResult(s *session, o admin.Organization, err error, done string) error {
	if err != nil {
		return err
	}
	if done != "" {
		s.say("%s %s", o.ID, done)
	}
	return printOne(s.printer, orgColumns, o)
}

func orgsCreate() *cobra.Command {
	var plan string
	c := &cobra.Command{
		Use: "create NAME", Short: "Create an organization", Args: cobra.ExactArgs(1),
		Example: "  cardea orgs create \"Acme Ltd\" --plan pro",
	}
	c.Flags().StringVar(&plan, "plan", "", "plan (default: the contract's default plan)")
	limitFlags(c.Flags(), "the organization")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		o, err := s.CreateOrganization(c.Context(), admin.CreateOrganization{Name: args[0], Plan: plan, Limits: limits(c.Flags())})
		return orgResult(s, o, err, "created")
	})
	return c
}

func orgsList() *cobra.Command {
	var filter admin.OrganizationFilter
	c := &cobra.Command{Use: "list", Short: "List organizations"}
	c.Flags().StringVar(&filter.Search, "search", "", "only those with this in their name or id")
	c.Flags().StringVar(&filter.Plan, "plan", "", "only those with this plan")
	c.Flags().StringVar((*string)(&filter.Status), "status", "", "only those that are active or suspended")
	pageFlag(c)
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := collect(s, c, s.ListOrganizations(c.Context(), filter))
		if err != nil {
			return err
		}
		return printList(s.printer, orgColumns, all)
	})
	return c
}

func orgsUpdate() *cobra.Command {
	var inherit bool
	c := &cobra.Command{
		Use: "update ID", Short: "Change an organization's name, plan or limits", Args: cobra.ExactArgs(1),
		Long:    "Changes an organization's name, plan or limits; at once. What is not named stays.\n" + limitsTogether,
		Example: "  cardea orgs update org_… --plan pro",
	}
	c.Flags().String("name", "", "new name")
	c.Flags().String("plan", "", "new plan")
	c.Flags().BoolVar(&inherit, "plan-limits", false, "drop limits of its own, go back to the plan's")
	limitFlags(c.Flags(), "the organization")
	someChange(c, ownLimits...)
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		f := c.Flags()
		o, err := s.UpdateOrganization(c.Context(), admin.UpdateOrganization{
			ID: args[0], Name: changed(f, "name"), Plan: changed(f, "plan"), Limits: limits(f), InheritLimits: inherit,
		})
		return orgResult(s, o, err, "updated")
	})
	return c
}

func orgsRevoke() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "revoke ID", Short: "Suspend an organization and revoke all its keys, for good", Args: cobra.ExactArgs(1),
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		done, err := s.OffboardOrganization(c.Context(), admin.Offboard{ID: args[0], Reason: reason})
		if err != nil {
			return err
		}
		s.say("%s suspended; %s revoked, %s disabled", done.Organization.ID,
			counted(done.KeysRevoked, "key"), counted(done.MembersDisabled, "member"))
		return printOne(s.printer, orgColumns, done.Organization)
	})
	return c
}
