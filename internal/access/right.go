package access

import (
	"slices"

	"github.com/cardea-dev/cardea"
)

// The types of actor: see [cardea.Actor].
const (
	TypeOperator = "operator"
	TypeObserver = "observer"
	TypeMember   = "member"
	TypeSystem   = "system"
)

// A Right is what it takes to do something in an organization as a member of it. Its
// zero value is [Nobody].
type Right struct {
	roles []cardea.Role

	// read: it changes nothing. secret: it hands out a secret, which speaks for whomever
	// the key belongs to.
	read, secret bool
}

var (
	everybody  = []cardea.Role{cardea.RoleOwner, cardea.RoleAdmin, cardea.RoleDeveloper, cardea.RoleViewer}
	developers = everybody[:3:3]
	admins     = everybody[:2:2]
)

// The rights. Creating credentials is the contract's to say, by kind: see [Roles].
var (
	// Read is for every member, ReadAdmin for owners and admins: what is about others.
	// ReadNobody is for operators and observers.
	Read       = Right{roles: everybody, read: true}
	ReadAdmin  = Right{roles: admins, read: true}
	ReadNobody = Right{read: true}

	// Keys is to change keys, Secrets to get a secret of one, Admin to change what is
	// the organization's, Own what decides who can become whom.
	Keys    = Right{roles: developers}
	Secrets = Right{roles: developers, secret: true}
	Admin   = Right{roles: admins}
	Own     = Right{roles: admins[:1:1]}

	// Nobody is for operators.
	Nobody = Right{}
)

// Roles returns the right of those roles to make a credential, and get its secret.
func Roles(roles []cardea.Role) Right { return Right{roles: slices.Clone(roles), secret: true} }

// Reads reports whether the right is one to read.
func (need Right) Reads() bool { return need.read }

// For narrows a right to change something to those who have another, such as those who
// may create it. A right to read, or nobody's, stays.
func (need Right) For(creators Right) Right {
	if need.read || len(need.roles) == 0 {
		return need
	}
	return Right{roles: creators.roles, secret: need.secret}
}

// OverKey narrows or widens a right over the key of a person. One's own key is one's
// own business in any role. Somebody else's may be ended by owners and admins, and its
// secret is for nobody else to have.
func (need Right) OverKey(actor cardea.Actor, member string) Right {
	switch {
	case member == "" || actor.Type != TypeMember || len(need.roles) == 0 || need.read:
		return need
	case member == actor.ID:
		return Right{roles: everybody}
	case need.secret:
		return Nobody
	}
	return Admin
}

// OwnOr returns the right over what is a person's own: theirs in any role, and need for
// everybody else.
func (need Right) OwnOr(actor cardea.Actor, member string) Right {
	if actor.Type == TypeMember && actor.ID == member {
		return Right{roles: everybody, read: need.read}
	}
	return need
}

// Can reports whether a member with a role has a right: for pages, which hide what would
// be refused. It is no permission; [Access.Allow] is.
func Can(role cardea.Role, need Right) bool { return slices.Contains(need.roles, role) }

// May is [Can] for an actor of any type; role is the role of a member.
func May(actor cardea.Actor, role cardea.Role, need Right) bool {
	switch actor.Type {
	case TypeOperator, TypeSystem:
		return true
	case TypeObserver:
		return need.read
	case TypeMember:
		return Can(role, need)
	}
	return false
}
