package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cardea-dev/cardea/admin"
)

var keyColumns = []column[admin.Key]{
	{"id", func(k admin.Key) string { return k.ID }},
	{"name", func(k admin.Key) string { return k.Name }},
	{"kind", func(k admin.Key) string { return k.Kind }},
	{"environment", func(k admin.Key) string { return k.Environment }},
	{"hint", func(k admin.Key) string { return k.Hint }},
	{"status", func(k admin.Key) string { return string(k.Status) }},
	{"scopes", func(k admin.Key) string { return list(k.Scopes) }},
	{"last used", func(k admin.Key) string { return when(k.LastUsedAt) }},
	{"expires", func(k admin.Key) string { return when(k.ExpiresAt) }},
}

// keyDetails are the fields of one key, more than a table has room for.
var keyDetails = append(keyColumns[:len(keyColumns):len(keyColumns)],
	column[admin.Key]{"permissions", func(k admin.Key) string { return list(k.Permissions) }},
	column[admin.Key]{"organization", func(k admin.Key) string { return k.Organization }},
	column[admin.Key]{"member", func(k admin.Key) string { return k.Member }},
	column[admin.Key]{"addresses", func(k admin.Key) string { return list(k.Addresses) }},
	column[admin.Key]{"limits", func(k admin.Key) string { return limitText(k.Limits) }},
	column[admin.Key]{"created", func(k admin.Key) string { return when(k.CreatedAt) + " by " + k.CreatedBy }},
	column[admin.Key]{"disabled", func(k admin.Key) string { return when(k.DisabledAt) }},
	column[admin.Key]{"revoked", revokedText},
	column[admin.Key]{"rotation", rotationText},
)

// revokedText says when a credential was revoked, and why.
func revokedText(k admin.Key) string {
	return strings.TrimSpace(when(k.RevokedAt) + " " + k.RevokedReason)
}

// rotationText says which secret is going away and whether somebody still uses it.
func rotationText(k admin.Key) string {
	if k.Rotation == nil {
		return ""
	}
	text := "the old secret " + k.Rotation.OldHint + " works until " + when(k.Rotation.EndsAt)
	if used := when(k.Rotation.OldLastUsedAt); used != "" {
		return text + " and was last used " + used
	}
	return text + " and is not in use"
}

// keysCommand is `cardea keys`.
func keysCommand() *cobra.Command {
	return group("keys", "Keys: the secrets that callers present",
		keysCreate(), keysList(), keysUpdate(), keysRotate(), keysRevoke(), keysIdentify(), keysCount(),
		action("show", "Show a key, never its secret", func(s *session, c *cobra.Command, id string) error {
			k, err := s.GetKey(c.Context(), id)
			return keyResult(s, k, err, "")
		}),
		action("disable", "Refuse a key until it is enabled again", func(s *session, c *cobra.Command, id string) error {
			k, err := s.DisableKey(c.Context(), id)
			return keyResult(s, k, err, "disabled")
		}),
		action("enable", "Enable a disabled key", func(s *session, c *cobra.Command, id string) error {
			k, err := s.EnableKey(c.Context(), id)
			return keyResult(s, k, err, "enabled")
		}),
		action("regenerate", "Give a key a new secret and a new lifetime; the old secret ends now", func(s *session, c *cobra.Command, id string) error {
			made, err := s.RegenerateKey(c.Context(), id)
			return secretResult(s, made, err, "regenerated; the old secret is refused from now on")
		}),
		action("finish", "End a rotation's overlap now: only the new secret works", func(s *session, c *cobra.Command, id string) error {
			k, err := s.FinishKeyRotation(c.Context(), id)
			return keyResult(s, k, err, "has one secret")
		}),
		action("reveal", "Show a secret again, where the contract keeps it viewable", func(s *session, c *cobra.Command, id string) error {
			made, err := s.RevealKey(c.Context(), id)
			return secretResult(s, made, err, "revealed; the audit log says so")
		}),
	)
}

// keyResult prints the key that an operation returned.
func keyResult(s *session, k admin.Key, err error, done string) error {
	if err != nil {
		return err
	}
	if done != "" {
		s.say("%s %s", k.ID, done)
	}
	return printOne(s.printer, keyDetails, k)
}

// A shownSecret is a key with its secret, as JSON shows it: this output is one of the
// few places that a secret is meant to reach.
type shownSecret struct {
	Key    admin.Key `json:"key"`
	Secret string    `json:"secret"`
}

// secretResult prints a key with its secret.
func secretResult(s *session, made admin.KeySecret, err error, done string) error {
	if err != nil {
		return err
	}
	s.say("%s %s", made.Key.ID, done)
	if !made.Key.Revealable {
		s.say("Keep the secret now: it will not be shown again.")
	}
	columns := []column[shownSecret]{{"secret", func(m shownSecret) string { return m.Secret }}}
	for _, c := range keyDetails {
		columns = append(columns, column[shownSecret]{c.title, func(m shownSecret) string { return c.text(m.Key) }})
	}
	return printOne(s.printer, columns, shownSecret{made.Key, made.Secret.Reveal()})
}

// grantFlags adds the flags that say what a key may do and from where. anywhere and end
// say what holds without --ip and --expires.
func grantFlags(c *cobra.Command, anywhere, end string) (scopes, permissions, addresses *[]string, expires *string) {
	f := c.Flags()
	scopes = f.StringSlice("scope", nil, "scope to grant; repeat or separate by commas")
	permissions = f.StringSlice("permission", nil, "permission of the contract to grant, a label for scopes")
	addresses = f.StringSlice("ip", nil, "client address or network it works from (default: "+anywhere+")")
	expires = f.String("expires", "", "when it ends: 90d, 6mo, 1y, 2027-01-31, or never (default: "+end+")")
	limitFlags(f, "the key")
	return scopes, permissions, addresses, expires
}

func keysCreate() *cobra.Command {
	var in admin.CreateKey
	c := &cobra.Command{
		Use: "create NAME", Short: "Create a key and show its secret, once", Args: cobra.ExactArgs(1),
		Example: "  cardea keys create \"Production integration\" --org org_… --env live --scope read,write --expires 1y",
	}
	f := c.Flags()
	f.StringVar(&in.Organization, "org", "", "`ID` of the organization")
	f.StringVar(&in.Member, "member", "", "`ID` of the member, for kinds that belong to members")
	f.StringVar(&in.Kind, "kind", "", "kind of key (default: the only one)")
	f.StringVar(&in.Environment, "env", "", "environment (default: the only one)")
	scopes, permissions, addresses, expires := grantFlags(c, "any", "as the contract says")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in.Name, in.Scopes, in.Permissions, in.Addresses = args[0], *scopes, *permissions, *addresses
		in.Limits = limits(f)
		var err error
		if in.ExpiresAt, in.NeverExpires, err = expiry(*expires); err != nil {
			return err
		}
		made, err := s.CreateKey(c.Context(), in)
		return secretResult(s, made, err, "created")
	})
	return c
}

// expiry returns what --expires says.
func expiry(text string) (at time.Time, never bool, err error) {
	switch text {
	case "":
		return time.Time{}, false, nil
	case "never":
		return time.Time{}, true, nil
	}
	at, err = parseWhen(text, time.Now())
	return at, false, err
}

func keysList() *cobra.Command {
	var filter admin.KeyFilter
	c := &cobra.Command{Use: "list", Short: "List keys"}
	f := c.Flags()
	f.StringVar(&filter.Organization, "org", "", "only of the organization with this `ID`")
	f.StringVar(&filter.Member, "member", "", "only of the member with this `ID`")
	f.StringVar(&filter.Environment, "env", "", "only of this environment")
	f.StringVar(&filter.Kind, "kind", "", "only of this kind")
	narrowFlags(f, &filter.Narrow)
	pageFlag(c)
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := collect(s, c, s.ListKeys(c.Context(), filter))
		if err != nil {
			return err
		}
		return printList(s.printer, keyColumns, all)
	})
	return c
}

// narrowFlags adds the flags that lists of credentials are searched by.
func narrowFlags(f *pflag.FlagSet, in *admin.Narrow) {
	f.StringVar(&in.Search, "search", "", "only those with this in their name or id, or at the end of their secret")
	f.StringVar((*string)(&in.Status), "status", "", "only those that are active, expiring, disabled, expired or revoked")
	f.StringVar(&in.Scope, "scope", "", "only those that were granted this scope")
	f.StringVar(&in.Sort, "sort", "", "order: newest, name, last_used or expires (the last three with --org)")
}

// keysCount is `cardea keys count`.
func keysCount() *cobra.Command {
	var filter admin.KeyFilter
	c := &cobra.Command{Use: "count", Short: "Count keys by status"}
	f := c.Flags()
	f.StringVar(&filter.Organization, "org", "", "only of the organization with this `ID`")
	f.StringVar(&filter.Environment, "env", "", "only of this environment")
	f.StringVar(&filter.Kind, "kind", "", "only of this kind")
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		n, err := s.CountKeys(c.Context(), filter)
		if err != nil {
			return err
		}
		number := func(of func(admin.Counts) int64) func(admin.Counts) string {
			return func(n admin.Counts) string { return strconv.FormatInt(of(n), 10) }
		}
		return printOne(s.printer, []column[admin.Counts]{
			{"active", number(func(n admin.Counts) int64 { return n.Active })},
			{"expiring in 7 days", number(func(n admin.Counts) int64 { return n.Expiring7d })},
			{"disabled", number(func(n admin.Counts) int64 { return n.Disabled })},
			{"expired", number(func(n admin.Counts) int64 { return n.Expired })},
			{"revoked", number(func(n admin.Counts) int64 { return n.Revoked })},
		}, n)
	})
	return c
}

func keysUpdate() *cobra.Command {
	var anyAddress, inherit bool
	c := &cobra.Command{
		Use: "update ID", Short: "Change a key's name, scopes, addresses, limits or end", Args: cobra.ExactArgs(1),
		Long:    "Changes a key's name, scopes, addresses, limits or end; at once. What is not named stays.\n" + limitsTogether,
		Example: "  cardea keys update key_… --scope read --per-minute 60 --burst 10",
	}
	c.Flags().String("name", "", "new name")
	c.Flags().BoolVar(&anyAddress, "any-ip", false, "let it work from any address again")
	c.Flags().BoolVar(&inherit, "plan-limits", false, "drop limits of its own")
	scopes, permissions, addresses, expires := grantFlags(c, "as before", "as before")
	someChange(c, append(ownLimits, [2]string{"any-ip", "ip"})...)
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in := admin.UpdateKey{
			ID: args[0], Name: changed(c.Flags(), "name"), Scopes: *scopes, Permissions: *permissions,
			Addresses: *addresses, Limits: limits(c.Flags()), InheritLimits: inherit,
		}
		if anyAddress {
			in.Addresses = []string{}
		}
		var err error
		if in.ExpiresAt, in.NeverExpires, err = expiry(*expires); err != nil {
			return err
		}
		k, err := s.UpdateKey(c.Context(), in)
		return keyResult(s, k, err, "updated")
	})
	return c
}

func keysRotate() *cobra.Command {
	var overlap, expires string
	c := &cobra.Command{
		Use: "rotate ID", Short: "Give a key a new secret; the old one works a while longer", Args: cobra.ExactArgs(1),
		Example: "  cardea keys rotate key_… --overlap 24h",
	}
	c.Flags().StringVar(&overlap, "overlap", "", "how long the old secret still works: 30m, 24h, 7d, or 0 for not at all (default: as the contract says)")
	c.Flags().StringVar(&expires, "expires", "", "new end of the key: 90d, 6mo, 1y or 2027-01-31 (default: as before)")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in := admin.RotateKey{ID: args[0]}
		var never bool
		var err error
		if in.OverlapSeconds, err = overlapSeconds(c, overlap); err != nil {
			return err
		}
		if in.ExpiresAt, never, err = expiry(expires); err != nil {
			return err
		}
		if never {
			return usagef("a rotation cannot make a key last for ever; for that: cardea keys update ID --expires never")
		}
		made, err := s.RotateKey(c.Context(), in)
		return secretResult(s, made, err, "rotated")
	})
	return c
}

// overlapSeconds returns what --overlap says, nil when it is not given.
func overlapSeconds(c *cobra.Command, text string) (*int64, error) {
	if !c.Flags().Changed("overlap") {
		return nil, nil
	}
	span, err := parseSpan(text)
	if err != nil {
		return nil, err
	}
	seconds := int64(span / time.Second)
	return &seconds, nil
}

func keysRevoke() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "revoke ID...", Short: "Revoke keys for good; when this returns nobody gets in with them", Args: cobra.MinimumNArgs(1),
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the audit log")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return revokeSeveral(s, c, admin.RevokeKeys{IDs: args, Reason: reason})
		}
		k, err := s.RevokeKey(c.Context(), admin.RevokeKey{ID: args[0], Reason: reason})
		return keyResult(s, k, err, "revoked")
	})
	return c
}

// revokeSeveral revokes keys in one act, and fails when one of them was not revoked.
func revokeSeveral(s *session, c *cobra.Command, in admin.RevokeKeys) error {
	done, err := s.RevokeKeys(c.Context(), in)
	if err != nil {
		return err
	}
	if err := printList(s.printer, keyColumns, done.Items); err != nil {
		return err
	}
	for _, failed := range done.Failed {
		s.say("%s: %s", failed.ID, failed.Detail)
	}
	if n := len(done.Failed); n > 0 {
		return fmt.Errorf("%s not revoked", counted(n, "key"))
	}
	return nil
}

func keysIdentify() *cobra.Command {
	c := &cobra.Command{
		Use: "identify", Short: "Find the key that a secret on standard input belongs to",
		Long: `Reads a secret from standard input, such as one found in a log or a repository, and
shows which key it belongs to. A secret is never an argument: every user of a machine
can read those.`,
		Example: "  pbpaste | cardea keys identify",
		Args: func(_ *cobra.Command, given []string) error {
			if len(given) > 0 {
				return usagef("the secret goes to standard input, never into an argument: others can read those\nUsage: cardea keys identify < FILE")
			}
			return nil
		},
	}
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		text, err := io.ReadAll(io.LimitReader(c.InOrStdin(), 1<<12))
		if err != nil {
			return err
		}
		k, err := s.IdentifyKey(c.Context(), admin.IdentifyKey{Secret: strings.TrimSpace(string(text))})
		return keyResult(s, k, err, "")
	})
	return c
}
