package manage

import (
	"context"
	"errors"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Actor returns who somebody who is signed in is to the use cases: a member of their
// organization; or, as one of the company's own people, an operator when they are an
// owner or admin there, else an observer. Both are as a session has just read them.
// KindForbidden when they may do nothing.
func (m *Manager) Actor(_ context.Context, member store.Member, organization store.Organization) (cardea.Actor, error) {
	actor := cardea.Actor{Type: access.TypeMember, ID: member.ID}
	switch {
	case member.ID == "", member.Organization != organization.ID, !member.DisabledAt.IsZero(), !organization.SuspendedAt.IsZero(),
		!member.Role.Valid():
		return cardea.Actor{}, cardea.Errorf(cardea.KindForbidden, "this member may do nothing here")
	case !organization.Staff:
	case access.Can(member.Role, access.Admin):
		actor.Type = access.TypeOperator
	default:
		actor.Type = access.TypeObserver
	}
	return actor, nil
}

// errStaff refuses what only customers have.
var errStaff = cardea.Errorf(cardea.KindConflict, "this is the company behind the product, not a customer")

// customer refuses the staff organization: it has no credentials, and cannot be shut out.
func customer(o *store.Organization) error {
	if o.Staff {
		return errStaff
	}
	return nil
}

// keepOwner refuses a change that takes the last enabled owner from an organization.
// Operators may leave a customer without one, since they can make another. Staff keeps
// one whoever asks: nobody could.
func (m *Manager) keepOwner(ctx context.Context, tx *store.Tx, actor cardea.Actor, before, after *store.Member) error {
	isOwner := func(m *store.Member) bool { return m.Role == cardea.RoleOwner && m.DisabledAt.IsZero() }
	if !isOwner(before) || isOwner(after) {
		return nil
	}
	o, err := tx.Organization(ctx, before.Organization)
	if err != nil {
		return err
	}
	if !o.Staff && actor.Type != access.TypeMember {
		return nil
	}
	enabled := false
	owners, _, err := tx.Members(ctx, store.MemberFilter{Organization: o.ID, Role: cardea.RoleOwner, Disabled: &enabled}, store.Page{Limit: 2})
	if err != nil {
		return err
	}
	for _, owner := range owners {
		if owner.ID != before.ID {
			return nil
		}
	}
	return cardea.Errorf(cardea.KindConflict, "this is the last owner: make somebody else an owner first")
}

// CreateSetupLink makes the link with which the first of the company's own people gives
// themselves an account, in place of earlier ones. It works once, for a day, and not any
// more when there is somebody. Operators only.
func (m *Manager) CreateSetupLink(ctx context.Context, actor cardea.Actor, _ None) (Link, error) {
	if err := access.Operator(actor); err != nil {
		return Link{}, err
	}
	link := Link{Purpose: access.PurposeSetup, Secret: secret.New(secret.ShapePrefix, linkPrefix)}
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		if err := access.NoStaff(ctx, tx.Reader); err != nil {
			return err
		}
		if err := tx.EndLinks(ctx, "", access.PurposeSetup); err != nil {
			return err
		}
		link.ExpiresAt = tx.Now().Add(setupLasts)
		access.Record(tx, "staff.setup_link", "server", access.PurposeSetup, "", linkDetail{link.ExpiresAt})
		return tx.InsertLink(ctx, store.OneTimeLink{
			Hash: link.Secret.Hash(), Purpose: access.PurposeSetup, CreatedAt: tx.Now(), ExpiresAt: link.ExpiresAt,
		})
	})
	if err != nil {
		return Link{}, err
	}
	return m.located(link), nil
}

// SetUp is the input of [Manager.SetUp].
type SetUp struct {
	Name  string `json:"name"`
	Email string `json:"email"`

	// Password is hashed and forgotten.
	Password string `json:"password"`
}

// SetUp makes the first of the company's own people, who signs in with the password and
// is an operator: what the page behind [Manager.CreateSetupLink] does. KindConflict when
// there is somebody. Operators only.
func (m *Manager) SetUp(ctx context.Context, actor cardea.Actor, in SetUp) (Member, error) {
	if err := access.Operator(actor); err != nil {
		return Member{}, err
	}
	if m.hasher == nil {
		return Member{}, errNoSignIn
	}
	first := access.FirstStaff{Name: in.Name, Email: in.Email}
	if err := first.Check(); err != nil {
		return Member{}, err
	}
	if err := access.NoStaff(ctx, m.store.Reader); err != nil {
		return Member{}, err
	}
	c := m.contract()
	var err error
	if first.Hash, err = m.hash(ctx, in.Password, in.Email, in.Name, access.StaffName(c), c.Product()); err != nil {
		return Member{}, err
	}
	return m.saveMember(ctx, actor, func(tx *store.Tx) (store.Member, error) {
		member, _, err := first.Make(ctx, tx, c)
		return member, err
	})
}

// errNoSignIn: the server was started without what hashes passwords.
var errNoSignIn = cardea.Errorf(cardea.KindUnavailable, "this server has no sign-in")

// hash checks a password that was chosen for somebody, of whom words tell, and returns
// its hash.
func (m *Manager) hash(ctx context.Context, chosen string, words ...string) (string, error) {
	if err := password.Check(chosen, words...); err != nil {
		return "", err
	}
	hash, err := m.hasher.Hash(ctx, chosen)
	if errors.Is(err, password.ErrBusy) {
		return "", &cardea.Error{Kind: cardea.KindUnavailable, Public: err.Error(), Cause: err}
	}
	return hash, err
}
