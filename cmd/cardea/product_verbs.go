package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/contract"
)

// A productVerb is a use case under whatever name a product gives it.
type productVerb struct {
	short   string
	args    string // as the usage line shows them
	maxArgs int
	flags   func(*cobra.Command, *contract.CLICommand)
	run     func(k *call, args []string) error
}

// verbs are the use cases that a contract's command line can name with "does".
var verbs = map[string]productVerb{
	"keys.create": {short: "Create one and show it, once", flags: func(c *cobra.Command, _ *contract.CLICommand) {
		c.Flags().String("description", "", "what it is for")
	}, run: createProductKey},
	"keys.list":        {short: "List them, never in full", run: listProductKeys},
	"keys.revoke":      {short: "Revoke one", args: "[ID]", maxArgs: 1, flags: secretFlag, run: revokeProductKey},
	"issuers.set":      {short: "Set the key set whose tokens are accepted; without a URL: none", args: "[URL]", maxArgs: 1, run: setProductIssuer},
	"issuers.unset":    {short: "Accept the tokens of no key set", run: setProductIssuer},
	"ips.add":          {short: "Allow an address or network; the first one closes the door to all others", args: "ADDRESS…", maxArgs: 100, run: addProductAddresses},
	"ips.remove":       {short: "Take addresses or networks from the list", args: "ADDRESS…", maxArgs: 100, run: removeProductAddresses},
	"ips.list":         {short: "Show the addresses requests may come from", run: listProductAddresses},
	"environment.show": {short: "Show what is set up", run: showProductEnvironment},
	"deploy":           {short: "Run it on the API", args: "[ARGUMENT…]", maxArgs: 100, run: runWorkload},
}

// place returns what most verbs are about: an organization and an environment of it.
func (k *call) place() (*session, admin.Organization, *contract.Environment, error) {
	o, err := k.organization()
	if err != nil {
		return nil, o, nil, err
	}
	e, err := k.environment()
	if err != nil {
		return nil, o, nil, err
	}
	s, err := k.session()
	return s, o, e, err
}

// addressList returns the name of the list of an organization in an environment.
func addressList(o admin.Organization, e *contract.Environment) admin.AddressListID {
	return admin.AddressListID{Organization: o.ID, Environment: e.Name}
}

// secretFlag adds the flag that names a key by its text.
func secretFlag(c *cobra.Command, _ *contract.CLICommand) {
	c.Flags().String("token", "", "the `TOKEN` itself, instead of its ID")
}

func createProductKey(k *call, _ []string) error {
	s, o, e, err := k.place()
	if err != nil {
		return err
	}
	name := firstOf(k.command.Flag("description").Value.String(), "Made by "+k.cli.Name)
	made, err := s.CreateKey(k.command.Context(), admin.CreateKey{
		Kind: k.does.Kind.Name, Environment: e.Name, Organization: o.ID, Name: name, Scopes: k.scopes(),
	})
	if err != nil {
		return err
	}
	return k.print(map[string]string{
		"secret": made.Secret.Reveal(), "permission": k.permission(made.Key.Scopes), "scopes": strings.Join(made.Key.Scopes, " "),
		"kind": k.does.Kind.Label, "name": made.Key.Name, "id": made.Key.ID,
		"environment": e.Name, "organization": o.Name, "project": o.Name,
	})
}

func listProductKeys(k *call, _ []string) error {
	s, o, _, err := k.place()
	if err != nil {
		return err
	}
	keys, err := s.keysOf(k, admin.KeyFilter{Organization: o.ID, Kind: k.does.Kind.Name})
	if err != nil {
		return err
	}
	return printList(s.printer, productKeyColumns(k), keys)
}

// keysOf lists keys that still count.
func (s *session) keysOf(k *call, filter admin.KeyFilter) ([]admin.Key, error) {
	var keys []admin.Key
	for key, err := range s.ListKeys(k.command.Context(), filter) {
		if err != nil {
			return nil, err
		}
		if key.RevokedAt.IsZero() {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// productKeyColumns are the columns of a list of keys.
func productKeyColumns(k *call) []column[admin.Key] {
	return []column[admin.Key]{
		{"token", func(key admin.Key) string { return key.Hint }},
		{"id", func(key admin.Key) string { return key.ID }},
		{"description", func(key admin.Key) string { return key.Name }},
		{k.environmentFlag(), func(key admin.Key) string { return key.Environment }},
		{"access", func(key admin.Key) string { return k.permission(key.Scopes) }},
		{"last used", func(key admin.Key) string { return when(key.LastUsedAt) }},
	}
}

func revokeProductKey(k *call, args []string) error {
	s, err := k.session()
	if err != nil {
		return err
	}
	ctx, text := k.command.Context(), k.command.Flag("token").Value.String()
	var id string
	switch {
	case text != "" && len(args) > 0, text == "" && len(args) == 0:
		return usagef("say which one: its ID, or the token itself with --token")
	case text != "":
		key, err := s.IdentifyKey(ctx, admin.IdentifyKey{Secret: text})
		if err != nil {
			return err
		}
		id = key.ID
	default:
		id = args[0]
	}
	key, err := s.GetKey(ctx, id)
	if err != nil {
		return err
	}
	if key.Kind != k.does.Kind.Name {
		return notFoundf("no such %s", k.does.Kind.Label)
	}
	o, err := s.GetOrganization(ctx, key.Organization)
	if err != nil {
		return err
	}
	if _, err := s.RevokeKey(ctx, admin.RevokeKey{ID: id, Reason: "removed with " + k.cli.Name}); err != nil {
		return err
	}
	return k.print(map[string]string{
		"id": id, "name": key.Name, "kind": k.does.Kind.Label, "environment": key.Environment,
		"organization": o.Name, "project": o.Name, "permission": k.permission(key.Scopes),
	})
}

func addProductAddresses(k *call, args []string) error {
	return k.changeAddresses(args, func(s *session, in admin.Addresses) (admin.AddressList, error) {
		return s.AddAddresses(k.command.Context(), in)
	})
}

func removeProductAddresses(k *call, args []string) error {
	return k.changeAddresses(args, func(s *session, in admin.Addresses) (admin.AddressList, error) {
		l, err := s.GetAddressList(k.command.Context(), in.AddressListID)
		if err != nil {
			return l, err
		}
		// Taking the last one admits everybody, which the API wants said on purpose; a
		// person who names it means it.
		if left := without(l.Addresses, in.Addresses); len(left) == 0 {
			s.say("The list is empty now: every address is admitted.")
			return s.SetAddressList(k.command.Context(), admin.Addresses{AddressListID: in.AddressListID, Addresses: []string{}})
		}
		return s.RemoveAddresses(k.command.Context(), in)
	})
}

// without returns what is left of a list.
func without(all, gone []string) []string {
	var left []string
	for _, a := range all {
		if !slices.Contains(gone, a) {
			left = append(left, a)
		}
	}
	return left
}

// changeAddresses changes the list and says so, a line for each address.
func (k *call) changeAddresses(args []string, change func(*session, admin.Addresses) (admin.AddressList, error)) error {
	if len(args) == 0 {
		return usagef("name an address or a network, such as 192.0.2.7 or 192.0.2.0/24")
	}
	s, o, e, err := k.place()
	if err != nil {
		return err
	}
	if _, err := change(s, admin.Addresses{AddressListID: addressList(o, e), Addresses: args}); err != nil {
		return err
	}
	for _, address := range args {
		if err := k.print(map[string]string{
			"address": address, "environment": e.Name, "organization": o.Name, "project": o.Name,
		}); err != nil {
			return err
		}
	}
	return nil
}

func listProductAddresses(k *call, _ []string) error {
	s, o, e, err := k.place()
	if err != nil {
		return err
	}
	l, err := s.GetAddressList(k.command.Context(), addressList(o, e))
	if err != nil {
		return err
	}
	for _, address := range l.Addresses {
		if _, err := fmt.Fprintln(s.out, cell(address)); err != nil {
			return err
		}
	}
	return nil
}

// setProductIssuer sets the key set of an environment; without a URL it removes it.
// People give the name of their tenant: https is implied, and nothing else is allowed.
func setProductIssuer(k *call, args []string) error {
	s, o, e, err := k.place()
	if err != nil {
		return err
	}
	url := strings.Join(args, "")
	if url != "" && !strings.Contains(url, "://") {
		url = "https://" + url
	}
	if _, err := s.SetIssuer(k.command.Context(), admin.SetIssuer{Organization: o.ID, Environment: e.Name, URL: url}); err != nil {
		return err
	}
	return k.print(map[string]string{"url": url, "environment": e.Name, "organization": o.Name, "project": o.Name})
}

// showProductEnvironment shows what an organization has in an environment.
func showProductEnvironment(k *call, _ []string) error {
	s, o, e, err := k.place()
	if err != nil {
		return err
	}
	in, err := s.GetEnvironment(k.command.Context(), addressList(o, e))
	if err != nil {
		return err
	}
	if s.json {
		return s.encode(in)
	}
	key := "none"
	if in.Issuer != nil && in.Issuer.JWKSURL != "" {
		key = in.Issuer.JWKSURL
	}
	addresses := "all"
	if len(in.Addresses) > 0 {
		addresses = list(in.Addresses)
	}
	if _, err := fmt.Fprintf(s.out, "%s: %s\n%s: %s\nJWKS: %s\nAllowed addresses: %s\n\n",
		k.organizationFlag(), cell(o.Name), k.environmentFlag(), e.Name, cell(key), cell(addresses)); err != nil {
		return err
	}
	return printList(s.printer, productKeyColumns(k), in.Keys)
}
