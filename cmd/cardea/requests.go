package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var requestColumns = []column[admin.Request]{
	{"at", func(r admin.Request) string { return when(r.At) }},
	{"id", func(r admin.Request) string { return r.ID }},
	{"method", func(r admin.Request) string { return r.Method }},
	{"path", func(r admin.Request) string { return r.Path }},
	{"status", func(r admin.Request) string { return strconv.Itoa(r.Status) }},
	{"reason", func(r admin.Request) string { return r.Reason }},
	{"key", func(r admin.Request) string { return r.Key }},
	{"address", func(r admin.Request) string { return r.Client }},
	{"took", func(r admin.Request) string { return (time.Duration(r.LatencyUS) * time.Microsecond).String() }},
}

// requestsCommand is `cardea requests`.
func requestsCommand() *cobra.Command {
	var filter admin.RequestFilter
	c := &cobra.Command{Use: "list", Short: "List recent requests, newest first"}
	complete := requestFlags(c, &filter)
	pageFlag(c)
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		if err := complete(); err != nil {
			return err
		}
		all, err := collect(s, c, s.ListRequests(c.Context(), filter))
		if err != nil {
			return err
		}
		return printList(s.printer, requestColumns, all)
	})
	show := action("show", "Show a request and why it was answered so; the same as: cardea explain ID", explain)
	return group("requests", "The request log", c, requestGroups(), show)
}

// requestFlags adds the flags of a filter; the function it returns takes in those that are
// times.
func requestFlags(c *cobra.Command, filter *admin.RequestFilter) (complete func() error) {
	f := c.Flags()
	f.StringVar(&filter.Organization, "org", "", "only of the organization with this `ID`")
	f.StringVar(&filter.Environment, "env", "", "only in this environment")
	f.StringVar(&filter.Key, "key", "", "only of the credential with this `ID`")
	f.StringVar(&filter.Reason, "reason", "", "only with this reason")
	f.StringVar(&filter.Outcome, "outcome", "", "allowed, denied, error (400 and above) or old_secret")
	f.StringVar(&filter.Method, "method", "", "only with this method")
	f.StringVar(&filter.Status, "status", "", "only with this status, such as 403 or 4xx")
	f.StringVar(&filter.Route, "route", "", "only to this route of the contract; -: those that matched none")
	f.StringVar(&filter.Address, "address", "", "only from this `IP` address")
	f.StringVar(&filter.Search, "search", "", "the id of a request, or what its path begins with")
	return spanFlags(c, &filter.From, &filter.To)
}

var groupColumns = []column[admin.RequestGroup]{
	{"count", func(g admin.RequestGroup) string { return count(g.Count) }},
	{"status", func(g admin.RequestGroup) string { return strconv.Itoa(g.Status) }},
	{"reason", func(g admin.RequestGroup) string { return g.Reason }},
	{"route", func(g admin.RequestGroup) string {
		if g.Route == "" {
			return g.Method + " (unmatched)"
		}
		return g.Route
	}},
	{"keys", func(g admin.RequestGroup) string { return count(g.Keys) }},
	{"last", func(g admin.RequestGroup) string { return when(g.Last) }},
	{"sample", func(g admin.RequestGroup) string { return g.Sample }},
}

// requestGroups is `cardea requests groups`.
func requestGroups() *cobra.Command {
	var filter admin.RequestFilter
	c := &cobra.Command{
		Use: "groups", Short: "Count alike requests together, errors first (default: the last 24 hours)",
		Example: "  cardea requests groups --outcome error",
	}
	complete := requestFlags(c, &filter)
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		if err := complete(); err != nil {
			return err
		}
		groups, err := s.GroupRequests(c.Context(), filter)
		if err != nil {
			return err
		}
		if s.json {
			return s.encode(groups)
		}
		if groups.Truncated {
			s.say("there are more: only requests since %s were looked at", when(groups.Since))
		}
		return printList(s.printer, groupColumns, groups.Items)
	})
	return c
}

// explainCommand is `cardea explain`.
func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "explain [REQUEST-ID]",
		Short:   "Say why a request was answered as it was, and what would change that",
		Long:    "Says why a request was answered as it was, and what would change that. Without an id\nit takes the latest refusal.",
		Example: "  cardea explain req_…",
		Args:    cobra.MaximumNArgs(1),
		RunE: with(func(s *session, c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return explain(s, c, args[0])
			}
			for r, err := range s.ListRequests(c.Context(), admin.RequestFilter{Outcome: "denied", Page: admin.Page{Limit: 1}}) {
				if err != nil {
					return err
				}
				return explain(s, c, r.ID)
			}
			return notFoundf("no request was refused as far back as the log goes")
		}),
	}
}

// explain prints the explanation of a request.
func explain(s *session, c *cobra.Command, id string) error {
	e, err := s.ExplainRequest(c.Context(), id)
	if err != nil {
		return err
	}
	if s.json {
		return s.encode(e)
	}
	return printOne(s.printer, explanationColumns, e)
}

var explanationColumns = []column[admin.Explanation]{
	{"request", func(e admin.Explanation) string {
		return fmt.Sprintf("%s %s %s at %s", e.Request.ID, e.Request.Method, e.Request.Path, when(e.Request.At))
	}},
	{"answer", func(e admin.Explanation) string { return fmt.Sprintf("%d %s", e.Request.Status, e.Request.Reason) }},
	{"step", func(e admin.Explanation) string { return e.Request.Step }},
	{"why", func(e admin.Explanation) string { return e.Explanation }},
	{"fix", func(e admin.Explanation) string { return e.Fix }},
	{"missing scopes", func(e admin.Explanation) string { return list(e.MissingScopes) }},
	{"route", func(e admin.Explanation) string { return e.Request.Route }},
	{"contract", func(e admin.Explanation) string {
		if e.Contract == nil {
			return ""
		}
		return fmt.Sprintf("%s:%d", e.Contract.Source, e.Contract.Line)
	}},
	{"key", func(e admin.Explanation) string {
		if e.Key == nil {
			return ""
		}
		return fmt.Sprintf("%s %s (%s, %s, %s)", e.Key.ID, e.Key.Name, e.Key.Hint, e.Key.Environment, e.Key.Status)
	}},
	{"secret", func(e admin.Explanation) string {
		if e.Request.OldSecret {
			return "the old one of a rotation"
		}
		return ""
	}},
	{"organization", func(e admin.Explanation) string {
		if e.Organization == nil {
			return ""
		}
		return fmt.Sprintf("%s %s (%s)", e.Organization.ID, e.Organization.Name, e.Organization.Status)
	}},
	{"address", func(e admin.Explanation) string { return e.Request.Client }},
}
