package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

// ipsCommand is `cardea ips`: the address lists of environments. Those of single keys
// are flags of `cardea keys`.
func ipsCommand() *cobra.Command {
	return group("ips", "Address lists: where an environment's credentials work from",
		ips("show", "Show an organization's list for an environment", cobra.NoArgs, func(ctx context.Context, s *session, in admin.Addresses) (admin.AddressList, error) {
			return s.GetAddressList(ctx, in.AddressListID)
		}),
		ips("add ADDRESS…", "Add addresses or networks; the first one closes the door to all others", cobra.MinimumNArgs(1), func(ctx context.Context, s *session, in admin.Addresses) (admin.AddressList, error) {
			return s.AddAddresses(ctx, in)
		}),
		ips("remove ADDRESS…", "Remove addresses or networks; without the last one everybody is admitted", cobra.MinimumNArgs(1), func(ctx context.Context, s *session, in admin.Addresses) (admin.AddressList, error) {
			return s.RemoveAddresses(ctx, in)
		}),
		ips("set [ADDRESS…]", "Replace the list; without addresses it admits everybody", cobra.ArbitraryArgs, func(ctx context.Context, s *session, in admin.Addresses) (admin.AddressList, error) {
			return s.SetAddressList(ctx, in)
		}),
	)
}

// ips returns one command on an address list.
func ips(use, short string, args cobra.PositionalArgs, act func(context.Context, *session, admin.Addresses) (admin.AddressList, error)) *cobra.Command {
	var id admin.AddressListID
	c := &cobra.Command{Use: use, Short: short, Args: args}
	c.Flags().StringVar(&id.Organization, "org", "", "`ID` of the organization")
	c.Flags().StringVar(&id.Environment, "env", "", "environment")
	required(c, "org", "env")
	c.RunE = with(func(s *session, c *cobra.Command, addresses []string) error {
		if addresses == nil {
			addresses = []string{}
		}
		l, err := act(c.Context(), s, admin.Addresses{AddressListID: id, Addresses: addresses})
		if err != nil {
			return err
		}
		if s.json {
			return s.encode(l)
		}
		if len(l.Addresses) == 0 {
			s.say("every address is admitted")
		}
		for _, a := range l.Addresses {
			if _, err := fmt.Fprintln(s.out, cell(a)); err != nil {
				return err
			}
		}
		return nil
	})
	return c
}
