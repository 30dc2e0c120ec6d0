package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var planColumns = []column[admin.Plan]{
	{"name", func(p admin.Plan) string { return p.Name }},
	{"label", func(p admin.Plan) string { return p.Label }},
	{"limits", planLimits},
	{"default", func(p admin.Plan) string { return yes(p.Default) }},
	{"organizations", func(p admin.Plan) string { return strconv.Itoa(p.Organizations) }},
}

// planLimits renders a plan's limits, or what the contract says instead of figures.
func planLimits(p admin.Plan) string {
	switch {
	case p.Note != "":
		return p.Note
	case p.Custom:
		return "custom"
	}
	return limitText(&p.Limits)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// plansCommand is `cardea plans`. Plans are the contract's: they are read here and
// changed there.
func plansCommand() *cobra.Command {
	return group("plans", "Plans of the contract",
		&cobra.Command{
			Use: "list", Short: "List the plans and how many organizations have each",
			RunE: with(func(s *session, c *cobra.Command, _ []string) error {
				plans, err := s.ListPlans(c.Context())
				if err != nil {
					return err
				}
				return printList(s.printer, planColumns, plans)
			}),
		},
		&cobra.Command{
			Use: "show NAME", Short: "Show a plan", Args: cobra.ExactArgs(1),
			RunE: with(func(s *session, c *cobra.Command, args []string) error {
				plans, err := s.ListPlans(c.Context())
				if err != nil {
					return err
				}
				for _, p := range plans {
					if p.Name == args[0] {
						return printOne(s.printer, planColumns, p)
					}
				}
				return notFoundf("the contract has no plan of that name; see: cardea plans list")
			}),
		},
	)
}
