package manage

import (
	"context"
	"slices"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// The types of actor: see [cardea.Actor].
const (
	actorOperator = "operator"
	actorMember   = "member"
	actorSystem   = "system"
)

// A right is what it takes to do something in an organization as a member of it.
// Creating keys is the contract's to say, by kind.
type right struct {
	roles []cardea.Role

	// read: it changes nothing. secret: it hands out a secret, which speaks for whomever
	// the key belongs to.
	read, secret bool
}

// The rights.
var (
	mayRead    = right{roles: []cardea.Role{cardea.RoleOwner, cardea.RoleAdmin, cardea.RoleDeveloper, cardea.RoleViewer}, read: true}
	mayKeys    = right{roles: []cardea.Role{cardea.RoleOwner, cardea.RoleAdmin, cardea.RoleDeveloper}}
	maySecrets = right{roles: mayKeys.roles, secret: true}
	mayAdmin   = right{roles: []cardea.Role{cardea.RoleOwner, cardea.RoleAdmin}}
	mayNobody  = right{} // operators only
)

// overKey narrows or widens a right over the key of a person. One's own key is one's
// own business in any role. Somebody else's may be ended by owners and admins, and its
// secret is for nobody else to have.
func (need right) overKey(actor cardea.Actor, member string) right {
	switch {
	case member == "" || actor.Type != actorMember || len(need.roles) == 0 || need.read:
		return need
	case member == actor.ID:
		return right{roles: mayRead.roles}
	case need.secret:
		return mayNobody
	}
	return mayAdmin
}

// allow says whether actor may do something in an organization that needs a right.
// Operators and Cardea itself may do everything. A member of another organization
// gets the answer for one that does not exist: ids are no secrets, but whose they are is.
func (m *Manager) allow(ctx context.Context, r store.Reader, actor cardea.Actor, organization, noun string, need right) error {
	switch actor.Type {
	case actorOperator, actorSystem:
		return nil
	case actorMember:
	default:
		return cardea.Errorf(cardea.KindForbidden, "this actor may do nothing here")
	}
	member, err := m.actingMember(ctx, r, actor)
	if err != nil {
		return err
	}
	if member.Organization != organization {
		return notFound(noun)
	}
	if !slices.Contains(need.roles, member.Role) {
		return cardea.Errorf(cardea.KindForbidden, "your role does not allow this")
	}
	return nil
}

// actingMember returns the member an actor is, who must be enabled.
func (m *Manager) actingMember(ctx context.Context, r store.Reader, actor cardea.Actor) (store.Member, error) {
	member, err := r.Member(ctx, actor.ID)
	switch {
	case cardea.KindOf(err) == cardea.KindNotFound, err == nil && !member.DisabledAt.IsZero():
		return store.Member{}, cardea.Errorf(cardea.KindForbidden, "this member may do nothing here")
	case err != nil:
		return store.Member{}, err
	}
	return member, nil
}

// operator refuses everybody but operators and Cardea itself.
func operator(actor cardea.Actor) error {
	if actor.Type != actorOperator && actor.Type != actorSystem {
		return cardea.Errorf(cardea.KindForbidden, "only operators of Cardea may do this")
	}
	return nil
}

// scopeFilter returns the organization that a list is narrowed to: the one asked for,
// and for a member always the member's own, whatever was asked.
func (m *Manager) scopeFilter(ctx context.Context, actor cardea.Actor, organization string) (string, error) {
	if organization != "" && !rules.ValidID(organization) {
		return "", cardea.Invalid("organization", "is not the id of an organization")
	}
	if actor.Type != actorMember {
		if err := operator(actor); err != nil || organization == "" {
			return organization, err
		}
		// An empty list would say that the organization has nothing.
		_, err := m.store.Organization(ctx, organization)
		return organization, err
	}
	member, err := m.actingMember(ctx, m.store.Reader, actor)
	if err != nil {
		return "", err
	}
	if organization != "" && organization != member.Organization {
		return "", notFound("organization")
	}
	return member.Organization, nil
}

// notFound is the error for an object that does not exist or is none of the actor's
// business.
func notFound(noun string) *cardea.Error {
	return cardea.Errorf(cardea.KindNotFound, "no such %s", noun)
}
