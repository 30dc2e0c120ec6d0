package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
)

// A Member is a person in an organization.
type Member struct {
	ID           string
	Organization string
	Email        string // unique within the organization, byte for byte
	Name         string
	Role         cardea.Role
	DisabledAt   time.Time // zero: not disabled
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

const memberColumns = `id, organization, email, name, role, disabled_at, created_at, updated_at`

func (m *Member) scan() []any {
	return []any{
		&m.ID, &m.Organization, &m.Email, &m.Name, &m.Role, (*stamp)(&m.DisabledAt),
		(*stamp)(&m.CreatedAt), (*stamp)(&m.UpdatedAt),
	}
}

// Member returns one member, or a KindNotFound error.
func (r Reader) Member(ctx context.Context, id string) (Member, error) {
	s := sel(`SELECT `+memberColumns+` FROM member`).add(" AND id = ?", id)
	return one(ctx, r, s, "member", (*Member).scan)
}

// MemberFilter narrows a list of members; zero members of it do not.
type MemberFilter struct {
	Organization string
	Role         cardea.Role
	Contains     string // part of the name or address, or the id, in any case
	Disabled     *bool
}

// Members lists members and returns the cursor of the next page.
func (r Reader) Members(ctx context.Context, f MemberFilter, p Page) ([]Member, string, error) {
	s := sel(`SELECT `+memberColumns+` FROM member`).and("organization = ?", f.Organization)
	s.and("role = ?", string(f.Role)).and("folded LIKE ? ESCAPE '!'", contains(f.Contains))
	s.isSet("disabled_at", f.Disabled)
	s, err := s.page(p, "created_at", "id")
	if err != nil {
		return nil, "", err
	}
	list, err := collect(ctx, r, s, (*Member).scan)
	list, next := cut(list, p.size(), func(m *Member) (time.Time, string) { return m.CreatedAt, m.ID })
	return list, next, err
}

// InsertMember stores a new member; zero times become the change's time. KindConflict
// when the organization has the address already.
func (tx *Tx) InsertMember(ctx context.Context, m Member) error {
	tx.fill(&m.CreatedAt, &m.UpdatedAt)
	_, err := tx.exec(ctx, `INSERT INTO member
		(id, organization, email, name, folded, role, disabled_at, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		m.ID, m.Organization, m.Email, m.Name, fold(m.Name, m.Email, m.ID), string(m.Role),
		stamp(m.DisabledAt), stamp(m.CreatedAt), stamp(m.UpdatedAt))
	return err
}

// UpdateMember stores everything about a member but id, organization and creation.
// KindNotFound when there is none.
func (tx *Tx) UpdateMember(ctx context.Context, m Member) error {
	tx.Changed(ChangeOrganization, m.Organization)
	return tx.change(ctx, "member", `UPDATE member
		SET email = $1, name = $2, folded = $3, role = $4, disabled_at = $5, updated_at = $6
		WHERE id = $7 AND organization = $8`,
		m.Email, m.Name, fold(m.Name, m.Email, m.ID), string(m.Role), stamp(m.DisabledAt),
		stamp(tx.now), m.ID, m.Organization)
}
