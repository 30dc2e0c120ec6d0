package manage

import (
	"context"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// An EnvironmentSummary is what an organization has in one environment: the answer to
// "what is set up here?".
type EnvironmentSummary struct {
	Organization Organization    `json:"organization"`
	Environment  EnvironmentInfo `json:"environment"`

	// Keys are the keys that are not revoked, newest first and at most 200, by their
	// hints; MoreKeys says that there are more.
	Keys     []Key `json:"keys"`
	MoreKeys bool  `json:"more_keys,omitzero"`

	// Addresses lists the only client addresses that requests may come from; empty: any.
	Addresses []string `json:"addresses"`

	// Issuer is the identity provider that the organization has named for it; nil: none.
	Issuer *OrganizationIssuer `json:"issuer,omitzero"`
}

// Environment summarizes what an organization has in one environment.
func (m *Manager) Environment(ctx context.Context, actor cardea.Actor, in AddressListID) (EnvironmentSummary, error) {
	o, err := m.findOrganization(ctx, m.store.Reader, actor, in.Organization, access.Read)
	if err != nil {
		return EnvironmentSummary{}, err
	}
	c := m.contract()
	env := c.Environment(in.Environment)
	if env == nil {
		return EnvironmentSummary{}, access.NotFound("environment")
	}
	out := EnvironmentSummary{
		Organization: viewOrganization(o), Environment: EnvironmentInfo{Name: env.Name, Label: env.Label}, Keys: []Key{},
	}
	if err := m.addKeys(ctx, &out); err != nil {
		return EnvironmentSummary{}, err
	}
	prefixes, err := readList(ctx, m.store.Reader, in)
	if err != nil {
		return EnvironmentSummary{}, err
	}
	out.Addresses = rules.ShowAddresses(prefixes)
	own := c.OrganizationIssuers()
	if own == nil {
		return out, nil
	}
	place := in.Environment
	if !own.PerEnvironment {
		place = ""
	}
	issuer, err := m.store.OrganizationIssuer(ctx, in.Organization, place)
	switch {
	case err == nil:
		view := m.viewIssuer(c, issuer)
		out.Issuer = &view
	case cardea.KindOf(err) != cardea.KindNotFound:
		return EnvironmentSummary{}, err
	}
	return out, nil
}

// addKeys adds the keys that are not revoked.
func (m *Manager) addKeys(ctx context.Context, out *EnvironmentSummary) error {
	filter := store.CredentialFilter{Organization: out.Organization.ID, Environment: out.Environment.Name}
	page := store.Page{Limit: access.MaxLimit}
	for {
		found, next, err := m.store.Credentials(ctx, filter, page)
		if err != nil {
			return err
		}
		for _, c := range found {
			if !c.RevokedAt.IsZero() {
				continue
			}
			if out.MoreKeys = len(out.Keys) == access.MaxLimit; out.MoreKeys {
				return nil
			}
			row, err := m.readKey(ctx, m.store.Reader, c)
			if err != nil {
				return err
			}
			out.Keys = append(out.Keys, row.view(m.contract(), m.now()))
		}
		if next == "" {
			return nil
		}
		page.After = next
	}
}
