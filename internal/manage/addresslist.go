package manage

import (
	"context"
	"net/netip"
	"slices"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// AddressList returns the list of an organization's environment, empty when there is
// none.
func (m *Manager) AddressList(ctx context.Context, actor cardea.Actor, in AddressListID) (AddressList, error) {
	if err := m.checkList(ctx, m.store.Reader, actor, in, access.Read); err != nil {
		return AddressList{}, err
	}
	prefixes, err := readList(ctx, m.store.Reader, in)
	return viewList(in, prefixes), err
}

// SetAddressList replaces a list. An empty one is none: every address is admitted.
func (m *Manager) SetAddressList(ctx context.Context, actor cardea.Actor, in Addresses) (AddressList, error) {
	return m.editList(ctx, actor, in, func(_, given []netip.Prefix) ([]netip.Prefix, error) { return given, nil })
}

// AddAddresses adds entries to a list; those that are on it already stay. The first
// entry of a list closes the door to every other address.
func (m *Manager) AddAddresses(ctx context.Context, actor cardea.Actor, in Addresses) (AddressList, error) {
	return m.editList(ctx, actor, in, func(old, given []netip.Prefix) ([]netip.Prefix, error) {
		all := slices.Concat(old, given)
		slices.SortFunc(all, rules.ComparePrefixes)
		all = slices.Compact(all)
		if len(all) > rules.MaxAddresses {
			return nil, cardea.Invalid("addresses", "the list would have more than %d entries", rules.MaxAddresses)
		}
		return all, nil
	})
}

// RemoveAddresses removes entries from a list; those that are not on it are ignored.
// It refuses to remove the last one: an empty list would admit everybody, which is the
// opposite of what removing an address is for. [Manager.SetAddressList] does that.
func (m *Manager) RemoveAddresses(ctx context.Context, actor cardea.Actor, in Addresses) (AddressList, error) {
	return m.editList(ctx, actor, in, func(old, given []netip.Prefix) ([]netip.Prefix, error) {
		left := slices.DeleteFunc(slices.Clone(old), func(p netip.Prefix) bool { return slices.Contains(given, p) })
		if len(left) == 0 && len(old) > 0 {
			return nil, cardea.Errorf(cardea.KindConflict,
				"that would empty the list and so admit every address: set an empty list to do so on purpose")
		}
		return left, nil
	})
}

// editList changes a list in one transaction: read, edit, store, record.
func (m *Manager) editList(ctx context.Context, actor cardea.Actor, in Addresses,
	edit func(old, given []netip.Prefix) ([]netip.Prefix, error)) (AddressList, error) {
	if in.Addresses == nil { // forgotten, perhaps: nothing must be opened by mistake
		return AddressList{}, cardea.Invalid("addresses", "is required; an empty list is []")
	}
	given, invalid := rules.Addresses("addresses", in.Addresses)
	if invalid != nil {
		return AddressList{}, invalid
	}
	var view AddressList
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		if err := m.checkList(ctx, tx.Reader, actor, in.AddressListID, access.Admin); err != nil {
			return err
		}
		old, err := readList(ctx, tx.Reader, in.AddressListID)
		if err != nil {
			return err
		}
		next, err := edit(old, given)
		if err != nil {
			return err
		}
		view = viewList(in.AddressListID, next)
		if slices.Equal(old, next) {
			tx.Changed(store.ChangeOrganization, in.Organization) // evict again, see [Manager.change]
			return nil
		}
		access.Audit(tx, "address_list.update", "address_list", in.Organization+"/"+in.Environment, in.Organization,
			viewList(in.AddressListID, old), view)
		if len(next) == 0 {
			return tx.DeleteAddressList(ctx, in.Organization, in.Environment)
		}
		return tx.SetAddressList(ctx, store.AddressList{
			Organization: in.Organization, Environment: in.Environment, Prefixes: next,
		})
	})
	if err != nil {
		return AddressList{}, err
	}
	return view, nil
}

// checkList refuses a list that cannot exist or is not the actor's to touch.
func (m *Manager) checkList(ctx context.Context, r store.Reader, actor cardea.Actor, id AddressListID, need access.Right) error {
	if _, err := m.findOrganization(ctx, r, actor, id.Organization, need); err != nil {
		return err
	}
	c := m.contract()
	if c.Environment(id.Environment) == nil {
		return access.NotFound("environment")
	}
	switch per := c.IPListPer(); {
	case need.Reads(), per == contract.IPListPerEnvironment, per == contract.IPListPerBoth:
		return nil
	}
	return cardea.Errorf(cardea.KindConflict, "the contract gives no address lists to environments (ip_lists)")
}

// readList returns a list's entries, nil when there is none.
func readList(ctx context.Context, r store.Reader, id AddressListID) ([]netip.Prefix, error) {
	l, err := r.AddressList(ctx, id.Organization, id.Environment)
	if cardea.KindOf(err) == cardea.KindNotFound {
		return nil, nil
	}
	return l.Prefixes, err
}

func viewList(id AddressListID, prefixes []netip.Prefix) AddressList {
	return AddressList{Organization: id.Organization, Environment: id.Environment, Addresses: rules.ShowAddresses(prefixes)}
}
