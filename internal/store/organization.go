package store

import (
	"context"
	"strings"
	"time"
)

// An Organization is a customer of the API product, or the company behind it.
type Organization struct {
	ID          string
	Name        string
	Plan        string    // the contract's name of its plan
	Limits      *Limits   // in place of the plan's; nil: the plan's
	SuspendedAt time.Time // zero: not suspended
	Staff       bool      // the company behind the product: one organization at most
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

const organizationColumns = `id, name, plan, limits, suspended_at, staff, created_at, updated_at`

func (o *Organization) scan() []any {
	return []any{
		&o.ID, &o.Name, &o.Plan, asJSON(&o.Limits), (*stamp)(&o.SuspendedAt), (*flag)(&o.Staff),
		(*stamp)(&o.CreatedAt), (*stamp)(&o.UpdatedAt),
	}
}

// Organization returns one organization, or a KindNotFound error.
func (r Reader) Organization(ctx context.Context, id string) (Organization, error) {
	s := sel(`SELECT `+organizationColumns+` FROM organization`).add(" AND id = ?", id)
	return one(ctx, r, s, "organization", (*Organization).scan)
}

// OrganizationByName returns the organization of a name, in any case and without the
// space around it. It is a KindNotFound error when there is none, and also when several
// share the name: none of them is picked, unless one is staff, whom no customer shuts out
// by taking their name.
func (r Reader) OrganizationByName(ctx context.Context, name string) (Organization, error) {
	s := sel(`SELECT ` + organizationColumns + ` FROM organization`)
	list, err := collect(ctx, r, s.add(" AND folded_name = ? LIMIT 2", fold(strings.TrimSpace(name))), (*Organization).scan)
	if len(list) > 1 {
		staff := sel(`SELECT ` + organizationColumns + ` FROM organization`).and("staff IS NOT NULL")
		list, err = collect(ctx, r, staff.and("folded_name = ?", fold(strings.TrimSpace(name))), (*Organization).scan)
	}
	return sole(list, err, "organization")
}

// Staff returns the organization of the company behind the product, or a KindNotFound
// error.
func (r Reader) Staff(ctx context.Context) (Organization, error) {
	s := sel(`SELECT ` + organizationColumns + ` FROM organization`)
	return one(ctx, r, s.and("staff IS NOT NULL"), "organization", (*Organization).scan)
}

// OrganizationFilter narrows a list of organizations; zero members do not.
type OrganizationFilter struct {
	Plan      string
	Contains  string // part of the name or the whole id, in any case
	Suspended *bool
}

// Organizations lists organizations and returns the cursor of the next page.
func (r Reader) Organizations(ctx context.Context, f OrganizationFilter, p Page) ([]Organization, string, error) {
	s := sel(`SELECT `+organizationColumns+` FROM organization`).and("plan = ?", f.Plan)
	s.and("folded LIKE ? ESCAPE '!'", contains(f.Contains))
	s.isSet("suspended_at", f.Suspended)
	s, err := s.page(p, "created_at", "id")
	if err != nil {
		return nil, "", err
	}
	list, err := collect(ctx, r, s, (*Organization).scan)
	list, next := cut(list, p.size(), func(o *Organization) (time.Time, string) { return o.CreatedAt, o.ID })
	return list, next, err
}

// CountOrganizations returns the number of organizations by plan.
func (r Reader) CountOrganizations(ctx context.Context) (map[string]int64, error) {
	type count struct {
		plan string
		n    int64
	}
	list, err := collect(ctx, r, sel(`SELECT plan, count(*) FROM organization`).add(" GROUP BY plan"),
		func(c *count) []any { return []any{&c.plan, &c.n} })
	counts := make(map[string]int64, len(list))
	for _, c := range list {
		counts[c.plan] = c.n
	}
	return counts, err
}

// isSet adds the condition that a column is, or is not, NULL; want nil adds none.
func (s *selection) isSet(column string, want *bool) {
	switch {
	case want == nil:
	case *want:
		s.and(column + " IS NOT NULL")
	default:
		s.and(column + " IS NULL")
	}
}

// InsertOrganization stores a new organization; zero times become the change's time.
// KindConflict for a second one of staff.
func (tx *Tx) InsertOrganization(ctx context.Context, o Organization) error {
	tx.fill(&o.CreatedAt, &o.UpdatedAt)
	tx.Changed(ChangeOrganization, o.ID)
	_, err := tx.exec(ctx, `INSERT INTO organization
		(id, name, folded, folded_name, plan, limits, suspended_at, staff, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		o.ID, o.Name, fold(o.Name, o.ID), fold(o.Name), o.Plan, asJSON(&o.Limits), stamp(o.SuspendedAt),
		orNull(o.Staff), stamp(o.CreatedAt), stamp(o.UpdatedAt))
	return err
}

// orNull returns true as 1 and false as NULL, of which a unique index takes many.
func orNull(set bool) any {
	if set {
		return int64(1)
	}
	return nil
}

// UpdateOrganization stores everything about an organization but its id, its creation and
// whether it is staff;
// UpdatedAt becomes the change's time. KindNotFound when there is none.
func (tx *Tx) UpdateOrganization(ctx context.Context, o Organization) error {
	tx.Changed(ChangeOrganization, o.ID)
	return tx.change(ctx, "organization", `UPDATE organization
		SET name = $1, folded = $2, folded_name = $3, plan = $4, limits = $5, suspended_at = $6, updated_at = $7
		WHERE id = $8`,
		o.Name, fold(o.Name, o.ID), fold(o.Name), o.Plan, asJSON(&o.Limits), stamp(o.SuspendedAt), stamp(tx.now), o.ID)
}

// fill sets the zero ones of times to the change's time.
func (tx *Tx) fill(times ...*time.Time) {
	for _, t := range times {
		if t.IsZero() {
			*t = tx.now
		}
	}
}
