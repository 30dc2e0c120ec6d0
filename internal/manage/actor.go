package manage

import (
	"context"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/store"
)

// Actor returns in whose name a signed-in person acts: a member of a customer's
// organization as one, one of the company's own people as an operator, or as an observer
// when their role there changes nothing.
func (m *Manager) Actor(_ context.Context, member store.Member, organization store.Organization) (cardea.Actor, error) {
	actor := cardea.Actor{Type: access.TypeMember, ID: member.ID}
	if organization.Staff {
		actor.Type = access.TypeObserver
		if member.Role == cardea.RoleOwner || member.Role == cardea.RoleAdmin {
			actor.Type = access.TypeOperator
		}
	}
	return actor, nil
}
