package manage

import (
	"context"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
)

// Credential returns a credential of any sort, with what all sorts have in common: for
// what knows a caller by the id only.
func (m *Manager) Credential(ctx context.Context, actor cardea.Actor, in ID) (Key, error) {
	if !rules.ValidID(in.ID) {
		return Key{}, access.NotFound("credential")
	}
	c, err := m.store.Credential(ctx, in.ID)
	if err != nil {
		return Key{}, err
	}
	if err := m.access.Allow(ctx, m.store.Reader, actor, c.Organization, "credential", access.Read); err != nil {
		return Key{}, err
	}
	return m.asKey(m.readKey(ctx, m.store.Reader, c))
}
