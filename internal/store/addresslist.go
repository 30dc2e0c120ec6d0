package store

import (
	"context"
	"net/netip"
	"time"
)

// An AddressList says from where an organization's credentials of one environment may
// be presented.
type AddressList struct {
	Organization string
	Environment  string
	Prefixes     []netip.Prefix // empty: from nowhere
	UpdatedAt    time.Time
}

const addressListColumns = `organization, environment, prefixes, updated_at`

func (l *AddressList) scan() []any {
	return []any{&l.Organization, &l.Environment, asJSON(&l.Prefixes), (*stamp)(&l.UpdatedAt)}
}

// AddressLists returns the address lists of an organization, by environment. Without a
// list for an environment any address will do there.
func (r Reader) AddressLists(ctx context.Context, organization string) ([]AddressList, error) {
	s := sel(`SELECT `+addressListColumns+` FROM address_list`).add(" AND organization = ?", organization)
	return collect(ctx, r, s.add(" ORDER BY environment"), (*AddressList).scan)
}

// AddressList returns one list, or a KindNotFound error.
func (r Reader) AddressList(ctx context.Context, organization, environment string) (AddressList, error) {
	s := sel(`SELECT ` + addressListColumns + ` FROM address_list`)
	s.add(" AND organization = ? AND environment = ?", organization, environment)
	return one(ctx, r, s, "address list", (*AddressList).scan)
}

// SetAddressList stores a list in place of the one there may be. KindNotFound when
// the organization does not exist.
func (tx *Tx) SetAddressList(ctx context.Context, l AddressList) error {
	if l.Prefixes == nil {
		l.Prefixes = []netip.Prefix{}
	}
	tx.Changed(ChangeOrganization, l.Organization)
	_, err := tx.exec(ctx, `INSERT INTO address_list (organization, environment, prefixes, updated_at)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (organization, environment)
		DO UPDATE SET prefixes = excluded.prefixes, updated_at = excluded.updated_at`,
		l.Organization, l.Environment, asJSON(&l.Prefixes), stamp(tx.now))
	return err
}

// DeleteAddressList removes a list: any address will do again. KindNotFound when there
// is none.
func (tx *Tx) DeleteAddressList(ctx context.Context, organization, environment string) error {
	tx.Changed(ChangeOrganization, organization)
	return tx.change(ctx, "address list",
		`DELETE FROM address_list WHERE organization = $1 AND environment = $2`, organization, environment)
}
