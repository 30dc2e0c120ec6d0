package store

import (
	"cmp"
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
	SignedInAt   time.Time // when a session of theirs last began; zero: never
	CreatedAt    time.Time
	UpdatedAt    time.Time
	// TokensNotBefore is the member's as [Credential] has it; only [Tx.EndMemberTokens]
	// moves it.
	TokensNotBefore time.Time
}

const memberColumns = `id, organization, email, name, role, disabled_at, created_at, updated_at, tokens_not_before, signed_in_at`

func (m *Member) scan() []any {
	return []any{
		&m.ID, &m.Organization, &m.Email, &m.Name, &m.Role, (*stamp)(&m.DisabledAt),
		(*stamp)(&m.CreatedAt), (*stamp)(&m.UpdatedAt), (*stamp)(&m.TokensNotBefore),
		(*stamp)(&m.SignedInAt),
	}
}

// Member returns one member, or a KindNotFound error.
func (r Reader) Member(ctx context.Context, id string) (Member, error) {
	s := sel(`SELECT `+memberColumns+` FROM member`).add(" AND id = ?", id)
	return one(ctx, r, s, "member", (*Member).scan)
}

// MembersByEmail returns the members with an address, in any case, of all organizations,
// oldest first and at most 20: what a sign-in that names no organization begins with.
func (r Reader) MembersByEmail(ctx context.Context, email string) ([]Member, error) {
	s := sel(`SELECT `+memberColumns+` FROM member`).add(" AND folded_email = ?", fold(email))
	return collect(ctx, r, s.add(" ORDER BY created_at, id LIMIT 20"), (*Member).scan)
}

// MemberByEmail returns the member of an organization with an address, in any case. It is
// a KindNotFound error when there is none, and also when there are several that differ in
// case only: none of them is picked.
func (r Reader) MemberByEmail(ctx context.Context, organization, email string) (Member, error) {
	s := sel(`SELECT ` + memberColumns + ` FROM member`)
	s.add(" AND folded_email = ? AND organization = ? LIMIT 2", fold(email), organization)
	list, err := collect(ctx, r, s, (*Member).scan)
	return sole(list, err, "member")
}

// sole returns the one element of a list, or a KindNotFound error.
func sole[T any](list []T, err error, noun string) (T, error) {
	if err != nil || len(list) != 1 {
		return *new(T), cmp.Or(err, error(cardea.Errorf(cardea.KindNotFound, "no such %s", noun)))
	}
	return list[0], nil
}

// MemberFilter narrows a list of members; zero members of it do not.
type MemberFilter struct {
	Organization string
	Role         cardea.Role
	Contains     string // part of the name or address, or the id, in any case
	Disabled     *bool
	SignedIn     *bool // ever
}

// Members lists members and returns the cursor of the next page.
func (r Reader) Members(ctx context.Context, f MemberFilter, p Page) ([]Member, string, error) {
	s := sel(`SELECT `+memberColumns+` FROM member`).and("organization = ?", f.Organization)
	s.and("role = ?", string(f.Role)).and("folded LIKE ? ESCAPE '!'", contains(f.Contains))
	s.isSet("disabled_at", f.Disabled)
	s.isSet("signed_in_at", f.SignedIn)
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
		(id, organization, email, name, folded, folded_email, role, disabled_at, created_at, updated_at, tokens_not_before)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		m.ID, m.Organization, m.Email, m.Name, fold(m.Name, m.Email, m.ID), fold(m.Email), string(m.Role),
		stamp(m.DisabledAt), stamp(m.CreatedAt), stamp(m.UpdatedAt), stamp(m.TokensNotBefore))
	return err
}

// UpdateMember stores everything about a member but id, organization and creation; who
// is disabled is signed out everywhere. KindNotFound when there is none.
func (tx *Tx) UpdateMember(ctx context.Context, m Member) error {
	tx.Changed(ChangeOrganization, m.Organization)
	tx.Changed(ChangeMember, m.ID)
	err := tx.change(ctx, "member", `UPDATE member
		SET email = $1, name = $2, folded = $3, folded_email = $4, role = $5, disabled_at = $6, updated_at = $7
		WHERE id = $8 AND organization = $9`,
		m.Email, m.Name, fold(m.Name, m.Email, m.ID), fold(m.Email), string(m.Role), stamp(m.DisabledAt),
		stamp(tx.now), m.ID, m.Organization)
	if err != nil || m.DisabledAt.IsZero() {
		return err
	}
	return tx.EndSessions(ctx, m.ID, "")
}
