package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var issuerColumns = []column[admin.OrganizationIssuer]{
	{"organization", func(i admin.OrganizationIssuer) string { return i.Organization }},
	{"environment", func(i admin.OrganizationIssuer) string { return i.Environment }},
	{"issuer", func(i admin.OrganizationIssuer) string { return i.Issuer }},
	{"key set", func(i admin.OrganizationIssuer) string { return i.JWKSURL }},
	{"audience", func(i admin.OrganizationIssuer) string { return i.Audience }},
	{"keys", func(i admin.OrganizationIssuer) string {
		if i.Keys == nil {
			return ""
		}
		return keysText(*i.Keys)
	}},
}

var trustedColumns = []column[admin.TrustedIssuer]{
	{"name", func(i admin.TrustedIssuer) string { return i.Name }},
	{"issuer", func(i admin.TrustedIssuer) string { return i.Issuer }},
	{"environments", func(i admin.TrustedIssuer) string { return list(i.Environments) }},
	{"scopes", func(i admin.TrustedIssuer) string { return list(i.Scopes) }},
	{"keys", func(i admin.TrustedIssuer) string { return keysText(i.Keys) }},
}

// keysText says how an issuer's keys stand with the server.
func keysText(s admin.IssuerStatus) string {
	switch {
	case s.FetchedAt.IsZero() && s.Failing:
		return "cannot be fetched"
	case s.FetchedAt.IsZero():
		return "not asked for yet"
	case s.Failing:
		return fmt.Sprintf("%d since %s, fetching fails", s.Count, when(s.FetchedAt))
	}
	return fmt.Sprintf("%d since %s", s.Count, when(s.FetchedAt))
}

// issuersCommand is `cardea issuers`.
func issuersCommand() *cobra.Command {
	var filter admin.IssuerFilter
	list := &cobra.Command{Use: "list", Short: "List the issuers that organizations have named"}
	list.Flags().StringVar(&filter.Organization, "org", "", "only of the organization with this `ID`")
	list.Flags().StringVar(&filter.Environment, "env", "", "only of this environment")
	pageFlag(list)
	list.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := collect(s, c, s.ListIssuers(c.Context(), filter))
		if err != nil {
			return err
		}
		return printList(s.printer, issuerColumns, all)
	})
	trusted := &cobra.Command{Use: "trusted", Short: "List the issuers that the contract trusts, and how their keys stand"}
	trusted.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := s.ListTrustedIssuers(c.Context())
		if err != nil {
			return err
		}
		return printList(s.printer, trustedColumns, all)
	})
	return group("issuers", "Issuers: other identity providers whose tokens are accepted",
		list, trusted, issuersSet("set URL", "Name an organization's issuer, or its key set", 1), issuersSet("unset", "Accept the tokens of no issuer", 0))
}

// issuersSet is `cardea issuers set` and `unset`.
func issuersSet(use, short string, args int) *cobra.Command {
	var in admin.SetIssuer
	c := &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(args)}
	f := c.Flags()
	f.StringVar(&in.Organization, "org", "", "`ID` of the organization")
	f.StringVar(&in.Environment, "env", "", "environment, where each has its own")
	if args > 0 {
		f.StringVar(&in.Issuer, "issuer", "", "iss of its tokens, where the URL is a key set")
		f.StringVar(&in.Audience, "audience", "", "aud that its tokens must have (default: the contract's)")
	}
	required(c, "org")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in.URL = strings.Join(args, "")
		i, err := s.SetIssuer(c.Context(), in)
		if err != nil {
			return err
		}
		return printOne(s.printer, issuerColumns, i)
	})
	return c
}

var hookColumns = []column[admin.Hook]{
	{"id", func(h admin.Hook) string { return strconv.Itoa(h.ID) }},
	{"match", func(h admin.Hook) string { return h.Match }},
	{"when", func(h admin.Hook) string { return h.When }},
	{"asks", func(h admin.Hook) string { return firstOf(h.URL, h.Condition) }},
	{"timeout", func(h admin.Hook) string { return fmt.Sprintf("%d ms", h.TimeoutMS) }},
	{"line", func(h admin.Hook) string { return strconv.Itoa(h.Line) }},
}

// hooksCommand is `cardea hooks`.
func hooksCommand() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: "List the contract's hooks"}
	list.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := s.ListHooks(c.Context())
		if err != nil {
			return err
		}
		return printList(s.printer, hookColumns, all)
	})
	secret := &cobra.Command{Use: "secret", Short: "Show the key that receivers of hooks check signatures with"}
	secret.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		k, err := s.RevealHookSecret(c.Context())
		if err != nil {
			return err
		}
		s.say("The audit log says that it was shown.")
		_, err = fmt.Fprintln(s.out, k.Secret.Reveal())
		return err
	})
	return group("hooks", "Hooks: questions asked before a request goes on", list, hooksTest(), secret)
}

func hooksTest() *cobra.Command {
	var in admin.TestHook
	var headers []string
	c := &cobra.Command{
		Use: "test ID PATH", Short: "Ask a hook about a request that nobody sent", Args: cobra.ExactArgs(2),
		Example: "  cardea hooks test 1 /dev/things --method POST --header 'Accept: text/plain'",
	}
	f := c.Flags()
	f.StringVar(&in.Method, "method", "GET", "request method")
	f.StringVar(&in.Environment, "env", "", "environment")
	f.StringVar(&in.Client, "client", "", "address of the client")
	f.StringVar(&in.Credential, "credential", "", "`ID` of the credential it seems to come with (default: none)")
	f.StringArrayVar(&headers, "header", nil, "`NAME: VALUE` of a header; repeat for more")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		var err error
		if in.ID, err = strconv.Atoi(args[0]); err != nil {
			return usagef("the first argument is the hook's number: cardea hooks list")
		}
		in.Path, in.Headers = args[1], map[string]string{}
		for _, h := range headers {
			name, value, ok := strings.Cut(h, ":")
			if !ok {
				return usagef("--header must look like 'Name: value'")
			}
			in.Headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
		a, err := s.TestHook(c.Context(), in)
		if err != nil {
			return err
		}
		return printOne(s.printer, []column[admin.HookAnswer]{
			{"asked about it", func(a admin.HookAnswer) string { return strconv.FormatBool(a.Matches) }},
			{"lets it pass", func(a admin.HookAnswer) string { return strconv.FormatBool(a.Allow) }},
			{"status", func(a admin.HookAnswer) string { return strings.TrimPrefix(strconv.Itoa(a.Status), "0") }},
			{"body", func(a admin.HookAnswer) string { return short(a.Body) }},
			{"fault", func(a admin.HookAnswer) string { return a.Fault }},
			{"took", func(a admin.HookAnswer) string { return fmt.Sprintf("%.1f ms", float64(a.LatencyUS)/1000) }},
		}, a)
	})
	return c
}
