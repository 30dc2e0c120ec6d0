package access

import (
	"context"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// Access decides from what is stored about members. It is safe for concurrent use.
type Access struct {
	store *store.DB
}

// New returns the Access over a store.
func New(db *store.DB) *Access { return &Access{store: db} }

// Allow says whether actor may do something in an organization that needs a right.
// A member of another organization gets the answer for one that does not exist, worded
// with noun: ids are no secrets, but whose they are is. r is the transaction of the
// change, so that the answer holds until it is committed.
func (a *Access) Allow(ctx context.Context, r store.Reader, actor cardea.Actor, organization, noun string, need Right) error {
	switch actor.Type {
	case TypeOperator, TypeSystem:
		return nil
	case TypeObserver:
		if need.read {
			return nil
		}
		return errObserver()
	case TypeMember:
	default:
		return cardea.Errorf(cardea.KindForbidden, "this actor may do nothing here")
	}
	member, err := a.Acting(ctx, r, actor)
	if err != nil {
		return err
	}
	if member.Organization != organization {
		return NotFound(noun)
	}
	if !Can(member.Role, need) {
		return cardea.Errorf(cardea.KindForbidden, "your role does not allow this")
	}
	return nil
}

// Acting returns the member that an actor of that type is, who must be enabled.
func (a *Access) Acting(ctx context.Context, r store.Reader, actor cardea.Actor) (store.Member, error) {
	member, err := r.Member(ctx, actor.ID)
	switch {
	case cardea.KindOf(err) == cardea.KindNotFound, err == nil && !member.DisabledAt.IsZero():
		return store.Member{}, cardea.Errorf(cardea.KindForbidden, "this member may do nothing here")
	case err != nil:
		return store.Member{}, err
	}
	return member, nil
}

// Scope returns the organization that a list is narrowed to: the one asked for, "" for
// all, and for a member always the member's own, whatever was asked.
func (a *Access) Scope(ctx context.Context, actor cardea.Actor, organization string) (string, error) {
	if organization != "" && !rules.ValidID(organization) {
		return "", cardea.Invalid("organization", "is not the id of an organization")
	}
	if actor.Type != TypeMember {
		if err := OperatorReads(actor); err != nil || organization == "" {
			return organization, err
		}
		// An empty list would say that the organization has nothing.
		_, err := a.store.Organization(ctx, organization)
		return organization, err
	}
	member, err := a.Acting(ctx, a.store.Reader, actor)
	if err != nil {
		return "", err
	}
	if organization != "" && organization != member.Organization {
		return "", NotFound("organization")
	}
	return member.Organization, nil
}

// Operator refuses everybody but operators and Cardea itself.
func Operator(actor cardea.Actor) error {
	switch actor.Type {
	case TypeOperator, TypeSystem:
		return nil
	case TypeObserver:
		return errObserver()
	}
	return cardea.Errorf(cardea.KindForbidden, "only operators of Cardea may do this")
}

// OperatorReads is [Operator] for what changes nothing and shows no secret: observers
// may do it too.
func OperatorReads(actor cardea.Actor) error {
	if actor.Type == TypeObserver {
		return nil
	}
	return Operator(actor)
}

func errObserver() error {
	return cardea.Errorf(cardea.KindForbidden, "your role may look at everything and change nothing")
}

// NotFound is the error for an object that does not exist or is none of the actor's
// business.
func NotFound(noun string) *cardea.Error {
	return cardea.Errorf(cardea.KindNotFound, "no such %s", noun)
}
