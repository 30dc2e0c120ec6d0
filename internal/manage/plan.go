package manage

import (
	"context"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
)

// Plans lists the contract's plans and how many organizations have each. The counts
// are for operators; a member sees 0.
func (m *Manager) Plans(ctx context.Context, actor cardea.Actor, _ None) (List[Plan], error) {
	var counts map[string]int64
	if access.OperatorReads(actor) == nil {
		var err error
		if counts, err = m.store.CountOrganizations(ctx); err != nil {
			return List[Plan]{}, err
		}
	}
	c := m.contract()
	out := List[Plan]{Items: []Plan{}}
	for _, p := range c.Plans() {
		out.Items = append(out.Items, Plan{
			Name: p.Name, Label: p.Label, Custom: p.Custom, Note: p.Note, Default: p == c.DefaultPlan(),
			Limits: Limits{PerMinute: p.PerMinute, Burst: p.Burst, PerDay: p.PerDay}, Organizations: int(counts[p.Name]),
		})
	}
	return out, nil
}

// ContractInfo returns what the contract in force defines. It holds no upstream and
// no key of anybody: what a customer reads on the product's page, not more.
func (m *Manager) ContractInfo(_ context.Context, _ cardea.Actor, _ None) (ContractInfo, error) {
	c := m.contract()
	info := ContractInfo{
		Product: c.Product(), Source: c.Source(), Hash: c.Hash(), LoadedAt: m.loadedAt().UTC(),
		AddressListsPer: listsPer(c), Environments: []EnvironmentInfo{}, Scopes: []ScopeInfo{},
		Permissions: []PermissionInfo{}, Kinds: []KindInfo{},
	}
	for _, e := range c.Environments() {
		info.Environments = append(info.Environments, EnvironmentInfo{Name: e.Name, Label: e.Label})
	}
	for _, s := range c.Scopes() {
		info.Scopes = append(info.Scopes, ScopeInfo{Name: s.Name, Description: s.Description, Aliases: s.Aliases})
	}
	for _, p := range c.Permissions() {
		info.Permissions = append(info.Permissions, PermissionInfo{
			Label: p.Label, Description: p.Description, Scopes: names(c, p.Scopes),
		})
	}
	for _, k := range c.Kinds() {
		info.Kinds = append(info.Kinds, kindInfo(c, k))
	}
	return info, nil
}

// listsPer says what has address lists.
func listsPer(c *contract.Contract) string {
	if c.IPListPer() == contract.IPListNone {
		return "none"
	}
	return string(c.IPListPer())
}

func kindInfo(c *contract.Contract, k *contract.KeyKind) KindInfo {
	info := KindInfo{
		Name: k.Name, Label: k.Label, Owner: string(k.Owner), Environments: []string{},
		Scopes: names(c, k.Scopes), DefaultScopes: names(c, k.DefaultScopes),
		RevealAlways: k.RevealAlways, ExpiryRequired: k.ExpiryRequired,
		IdleSeconds: int64(k.Idle.Seconds()), OverlapSeconds: int64(k.Overlap.Seconds()),
	}
	for _, e := range c.Environments() {
		if k.Environments[e.Index] {
			info.Environments = append(info.Environments, e.Name)
		}
	}
	if !k.MaxLifetime.IsZero() {
		info.MaxLifetime = k.MaxLifetime.String()
	}
	if !k.DefaultLifetime.IsZero() {
		info.DefaultLifetime = k.DefaultLifetime.String()
	}
	return info
}

// names returns the names of a set, empty rather than nil.
func names(c *contract.Contract, set contract.ScopeSet) []string {
	if list := c.ScopeNames(set); list != nil {
		return list
	}
	return []string{}
}
