package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// viewMember returns what is shown of a member.
func viewMember(m store.Member) Member {
	view := Member{
		ID: m.ID, Organization: m.Organization, Email: m.Email, Name: m.Name, Role: m.Role, Status: MemberActive,
		LastSignInAt: m.SignedInAt, DisabledAt: m.DisabledAt, CreatedAt: m.CreatedAt,
	}
	switch {
	case !m.DisabledAt.IsZero():
		view.Status = MemberDisabled
	case m.SignedInAt.IsZero():
		view.Status = MemberInvited
	}
	return view
}

// CreateMember adds a person to an organization.
func (m *Manager) CreateMember(ctx context.Context, actor cardea.Actor, in CreateMember) (Member, error) {
	c := m.contract()
	var p rules.Problems
	if !rules.ValidID(in.Organization) {
		p.Add(cardea.Invalid("organization", "is required: the id of an organization"))
	}
	p.Add(rules.Email("email", in.Email))
	p.Add(rules.Name("name", in.Name))
	p.Add(checkRole(in.Role))
	if err := p.Err(); err != nil {
		return Member{}, err
	}
	id := secret.NewID(c.IDPrefix(contract.IDMember))
	return m.saveMember(ctx, actor, func(tx *store.Tx) (store.Member, error) {
		o, err := m.findOrganization(ctx, tx.Reader, actor, in.Organization, access.Admin)
		if err != nil {
			return store.Member{}, atField(err, "organization")
		}
		if err := m.mayGrant(ctx, tx.Reader, actor, in.Role); err != nil {
			return store.Member{}, err
		}
		member := store.Member{
			ID: id, Organization: o.ID, Email: in.Email, Name: in.Name, Role: in.Role,
			CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}
		access.Audit(tx, "member.create", "member", member.ID, o.ID, nil, viewMember(member))
		err = tx.InsertMember(ctx, member)
		if cardea.KindOf(err) == cardea.KindConflict {
			return member, &cardea.Error{Kind: cardea.KindConflict, Field: "email",
				Public: "the organization has a member with this address", Cause: err}
		}
		return member, err
	})
}

// saveMember makes a change and returns the member it leaves.
func (m *Manager) saveMember(ctx context.Context, actor cardea.Actor, fn func(tx *store.Tx) (store.Member, error)) (Member, error) {
	var member store.Member
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		member, err = fn(tx)
		return err
	})
	if err != nil {
		return Member{}, err
	}
	return viewMember(member), nil
}

// atField turns a missing object that the input named into a fault of that member of
// the input: the path was found, what it was told was not.
func atField(err error, field string) error {
	if cardea.KindOf(err) == cardea.KindNotFound {
		return &cardea.Error{Kind: cardea.KindInvalid, Field: field, Public: "does not exist", Cause: err}
	}
	return err
}

func checkRole(role cardea.Role) *cardea.Error {
	if !role.Valid() {
		return cardea.Invalid("role", "must be owner, admin, developer or viewer")
	}
	return nil
}

// mayGrant refuses a member who hands out the role of owner without having it.
func (m *Manager) mayGrant(ctx context.Context, r store.Reader, actor cardea.Actor, role cardea.Role) error {
	if actor.Type != access.TypeMember || role != cardea.RoleOwner {
		return nil
	}
	acting, err := m.access.Acting(ctx, r, actor)
	if err != nil {
		return err
	}
	if acting.Role != cardea.RoleOwner {
		return cardea.Errorf(cardea.KindForbidden, "only an owner may do this to owners")
	}
	return nil
}

// Member returns a member.
func (m *Manager) Member(ctx context.Context, actor cardea.Actor, in ID) (Member, error) {
	member, err := m.findMember(ctx, m.store.Reader, actor, in.ID, access.Read)
	if err != nil {
		return Member{}, err
	}
	return viewMember(member), nil
}

// findMember returns a member that actor may touch in one of the roles.
func (m *Manager) findMember(ctx context.Context, r store.Reader, actor cardea.Actor, id string, need access.Right) (store.Member, error) {
	if !rules.ValidID(id) {
		return store.Member{}, access.NotFound("member")
	}
	member, err := r.Member(ctx, id)
	if err != nil {
		return store.Member{}, err
	}
	if err := m.access.Allow(ctx, r, actor, member.Organization, "member", need); err != nil {
		return store.Member{}, err
	}
	return member, nil
}

// Members lists members, newest first.
func (m *Manager) Members(ctx context.Context, actor cardea.Actor, in MemberFilter) (List[Member], error) {
	var p rules.Problems
	p.Add(checkSearch(in.Search))
	p.Add(oneOf("status", in.Status, MemberActive, MemberInvited, MemberDisabled))
	if in.Role != "" {
		p.Add(checkRole(in.Role))
	}
	if err := p.Err(); err != nil {
		return List[Member]{}, err
	}
	organization, err := m.access.Scope(ctx, actor, in.Organization)
	if err != nil {
		return List[Member]{}, err
	}
	filter := store.MemberFilter{Organization: organization, Role: in.Role, Contains: in.Search}
	if disabled := in.Status == MemberDisabled; in.Status != "" {
		filter.Disabled = &disabled
	}
	if came := in.Status == MemberActive; came || in.Status == MemberInvited {
		filter.SignedIn = &came
	}
	scope := []string{"members", organization, string(in.Role), in.Search, string(in.Status)}
	return access.Paged(in.Page, scope, func(p store.Page) ([]store.Member, string, error) {
		return m.store.Members(ctx, filter, p)
	}, viewMember)
}

// UpdateMember changes a member's name or role.
func (m *Manager) UpdateMember(ctx context.Context, actor cardea.Actor, in UpdateMember) (Member, error) {
	var p rules.Problems
	if in.Name != nil {
		p.Add(rules.Name("name", *in.Name))
	}
	if in.Role != nil {
		p.Add(checkRole(*in.Role))
	}
	if err := p.Err(); err != nil {
		return Member{}, err
	}
	return m.editMember(ctx, actor, in.ID, "member.update", func(member *store.Member, _ time.Time) {
		if in.Name != nil {
			member.Name = *in.Name
		}
		if in.Role != nil {
			member.Role = *in.Role
		}
	})
}

// DisableMember shuts a person out: the credentials that are theirs are refused from the
// moment it returns, until [Manager.EnableMember].
func (m *Manager) DisableMember(ctx context.Context, actor cardea.Actor, in ID) (Member, error) {
	return m.editMember(ctx, actor, in.ID, "member.disable", func(member *store.Member, now time.Time) {
		if member.DisabledAt.IsZero() {
			member.DisabledAt = now
		}
	})
}

// EnableMember lets a person in again, with the credentials they had.
func (m *Manager) EnableMember(ctx context.Context, actor cardea.Actor, in ID) (Member, error) {
	return m.editMember(ctx, actor, in.ID, "member.enable", func(member *store.Member, _ time.Time) {
		member.DisabledAt = time.Time{}
	})
}

// editMember loads a member, lets edit change it, and stores and records it if that
// changed anything. Touching an owner, or making one, takes an owner.
func (m *Manager) editMember(ctx context.Context, actor cardea.Actor, id, action string,
	edit func(member *store.Member, now time.Time)) (Member, error) {
	return m.saveMember(ctx, actor, func(tx *store.Tx) (store.Member, error) {
		member, err := m.findMember(ctx, tx.Reader, actor, id, access.Admin)
		if err != nil {
			return store.Member{}, err
		}
		before := member
		edit(&member, tx.Now())
		for _, role := range []cardea.Role{before.Role, member.Role} {
			if err := m.mayGrant(ctx, tx.Reader, actor, role); err != nil {
				return store.Member{}, err
			}
		}
		if err := m.keepOwner(ctx, tx, actor, &before, &member); err != nil {
			return store.Member{}, err
		}
		if access.Diff(viewMember(before), viewMember(member)).Empty() {
			tx.Changed(store.ChangeOrganization, member.Organization) // evict again, see [Manager.change]
			return member, nil
		}
		access.Audit(tx, action, "member", member.ID, member.Organization, viewMember(before), viewMember(member))
		return member, tx.UpdateMember(ctx, member)
	})
}

// disableAll disables every enabled member of an organization, each with an event of
// its own, and returns how many.
func (m *Manager) disableAll(ctx context.Context, tx *store.Tx, organization string) (int, error) {
	enabled := false
	filter := store.MemberFilter{Organization: organization, Disabled: &enabled}
	n := 0
	err := each(func(p store.Page) ([]store.Member, string, error) { return tx.Members(ctx, filter, p) },
		func(member store.Member) error {
			before := viewMember(member)
			member.DisabledAt = tx.Now()
			n++
			access.Audit(tx, "member.disable", "member", member.ID, organization, before, viewMember(member))
			return tx.UpdateMember(ctx, member)
		})
	return n, err
}

// each reads a whole list and then calls do for every item: the list is complete before
// anything in it changes.
func each[T any](read func(store.Page) ([]T, string, error), do func(T) error) error {
	var all []T
	page := store.Page{Limit: 500}
	for {
		items, next, err := read(page)
		if err != nil {
			return err
		}
		all = append(all, items...)
		if next == "" {
			break
		}
		page.After = next
	}
	for _, item := range all {
		if err := do(item); err != nil {
			return err
		}
	}
	return nil
}
