package manage

import (
	"context"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// viewOrganization returns what is shown of an organization.
func viewOrganization(o store.Organization) Organization {
	view := Organization{
		ID: o.ID, Name: o.Name, Plan: o.Plan, Staff: o.Staff, Limits: viewLimits(o.Limits), Status: OrganizationActive,
		SuspendedAt: o.SuspendedAt, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
	}
	if !o.SuspendedAt.IsZero() {
		view.Status = OrganizationSuspended
	}
	return view
}

// CreateOrganization creates an organization. Operators only.
func (m *Manager) CreateOrganization(ctx context.Context, actor cardea.Actor, in CreateOrganization) (Organization, error) {
	if err := access.Operator(actor); err != nil {
		return Organization{}, err
	}
	c := m.contract()
	var p rules.Problems
	p.Add(rules.Name("name", in.Name))
	if in.Plan == "" && c.DefaultPlan() != nil {
		in.Plan = c.DefaultPlan().Name
	}
	p.Add(checkPlan(c, in.Plan))
	checkLimits(&p, in.Limits)
	if err := p.Err(); err != nil {
		return Organization{}, err
	}
	id := secret.NewID(c.IDPrefix(contract.IDOrganization))
	return m.saveOrganization(ctx, actor, func(tx *store.Tx) (store.Organization, error) {
		o := store.Organization{
			ID: id, Name: in.Name, Plan: in.Plan, Limits: in.Limits.toStore(),
			CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}
		access.Audit(tx, "organization.create", "organization", o.ID, o.ID, nil, viewOrganization(o))
		return o, tx.InsertOrganization(ctx, o)
	})
}

// saveOrganization makes a change and returns the organization it leaves.
func (m *Manager) saveOrganization(ctx context.Context, actor cardea.Actor,
	fn func(tx *store.Tx) (store.Organization, error)) (Organization, error) {
	var o store.Organization
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		o, err = fn(tx)
		return err
	})
	if err != nil {
		return Organization{}, err
	}
	return viewOrganization(o), nil
}

// checkPlan reports a plan that the contract does not have. A contract without plans
// has one answer: none.
func checkPlan(c *contract.Contract, plan string) *cardea.Error {
	switch {
	case plan == "" && len(c.Plans()) == 0, c.Plan(plan) != nil:
		return nil
	case len(c.Plans()) == 0:
		return cardea.Invalid("plan", "must be absent: the contract has no plans")
	}
	names := make([]string, len(c.Plans()))
	for i, p := range c.Plans() {
		names[i] = p.Name
	}
	return cardea.Invalid("plan", "must be a plan of the contract: %s", strings.Join(names, ", "))
}

// Organization returns an organization.
func (m *Manager) Organization(ctx context.Context, actor cardea.Actor, in ID) (Organization, error) {
	o, err := m.findOrganization(ctx, m.store.Reader, actor, in.ID, access.Read)
	if err != nil {
		return Organization{}, err
	}
	return viewOrganization(o), nil
}

// findOrganization returns an organization that actor may touch in one of the roles.
func (m *Manager) findOrganization(ctx context.Context, r store.Reader, actor cardea.Actor, id string, need access.Right) (store.Organization, error) {
	if !rules.ValidID(id) {
		return store.Organization{}, access.NotFound("organization")
	}
	if err := m.access.Allow(ctx, r, actor, id, "organization", need); err != nil {
		return store.Organization{}, err
	}
	return r.Organization(ctx, id)
}

// Organizations lists the organizations, newest first. For operators and observers.
func (m *Manager) Organizations(ctx context.Context, actor cardea.Actor, in OrganizationFilter) (List[Organization], error) {
	if err := access.OperatorReads(actor); err != nil {
		return List[Organization]{}, err
	}
	var p rules.Problems
	p.Add(rules.Filter("plan", in.Plan))
	p.Add(checkSearch(in.Search))
	p.Add(oneOf("status", in.Status, OrganizationActive, OrganizationSuspended))
	if err := p.Err(); err != nil {
		return List[Organization]{}, err
	}
	filter := store.OrganizationFilter{Plan: in.Plan, Contains: in.Search}
	if suspended := in.Status == OrganizationSuspended; in.Status != "" {
		filter.Suspended = &suspended
	}
	return access.Paged(in.Page, []string{"organizations", in.Plan, in.Search, string(in.Status)}, func(p store.Page) ([]store.Organization, string, error) {
		return m.store.Organizations(ctx, filter, p)
	}, viewOrganization)
}

// UpdateOrganization changes name, plan or limits. Plan and limits are what the
// customer pays for, so they are for operators; the name is for admins too.
func (m *Manager) UpdateOrganization(ctx context.Context, actor cardea.Actor, in UpdateOrganization) (Organization, error) {
	if in.Plan != nil || in.Limits != nil || in.InheritLimits {
		if err := access.Operator(actor); err != nil {
			return Organization{}, err
		}
	}
	var p rules.Problems
	if in.Name != nil {
		p.Add(rules.Name("name", *in.Name))
	}
	if in.Plan != nil {
		p.Add(checkPlan(m.contract(), *in.Plan))
	}
	if in.Limits != nil && in.InheritLimits {
		p.Add(cardea.Invalid("inherit_limits", "contradicts limits"))
	}
	checkLimits(&p, in.Limits)
	if err := p.Err(); err != nil {
		return Organization{}, err
	}
	return m.editOrganization(ctx, actor, in.ID, "organization.update", access.Admin, func(o *store.Organization, _ time.Time) error {
		if in.Name != nil {
			o.Name = *in.Name
		}
		if in.Plan != nil {
			o.Plan = *in.Plan
		}
		if in.Limits != nil {
			o.Limits = in.Limits.toStore()
		}
		if in.InheritLimits {
			o.Limits = nil
		}
		return nil
	})
}

// SuspendOrganization refuses every credential of an organization from the moment it
// returns. Operators only. Suspending a suspended one changes nothing.
func (m *Manager) SuspendOrganization(ctx context.Context, actor cardea.Actor, in ID) (Organization, error) {
	return m.editOrganization(ctx, actor, in.ID, "organization.suspend", access.Nobody, func(o *store.Organization, now time.Time) error {
		if o.SuspendedAt.IsZero() {
			o.SuspendedAt = now
		}
		return customer(o)
	})
}

// ResumeOrganization ends a suspension. Operators only.
func (m *Manager) ResumeOrganization(ctx context.Context, actor cardea.Actor, in ID) (Organization, error) {
	return m.editOrganization(ctx, actor, in.ID, "organization.resume", access.Nobody, func(o *store.Organization, _ time.Time) error {
		o.SuspendedAt = time.Time{}
		return nil
	})
}

// editOrganization loads an organization, lets edit change it, and stores and records
// it if that changed anything.
func (m *Manager) editOrganization(ctx context.Context, actor cardea.Actor, id, action string, need access.Right,
	edit func(o *store.Organization, now time.Time) error) (Organization, error) {
	return m.saveOrganization(ctx, actor, func(tx *store.Tx) (store.Organization, error) {
		o, err := m.findOrganization(ctx, tx.Reader, actor, id, need)
		if err != nil {
			return store.Organization{}, err
		}
		before := viewOrganization(o)
		if err := edit(&o, tx.Now()); err != nil {
			return store.Organization{}, err
		}
		if access.Diff(before, viewOrganization(o)).Empty() {
			tx.Changed(store.ChangeOrganization, o.ID) // evict again, see [Manager.change]
			return o, nil
		}
		o.UpdatedAt = tx.Now()
		access.Audit(tx, action, "organization", o.ID, o.ID, before, viewOrganization(o))
		return o, tx.UpdateOrganization(ctx, o)
	})
}

// OffboardOrganization ends a customer relation in one transaction: the organization
// is suspended, its members are disabled, its keys revoked. Records are kept. It can be
// called again, and then does what is left. Operators only.
func (m *Manager) OffboardOrganization(ctx context.Context, actor cardea.Actor, in Offboard) (Offboarded, error) {
	if err := access.Operator(actor); err != nil {
		return Offboarded{}, err
	}
	if err := rules.Line("reason", in.Reason, rules.MaxReason); err != nil {
		return Offboarded{}, err
	}
	var out Offboarded
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		o, err := m.findOrganization(ctx, tx.Reader, actor, in.ID, access.Nobody)
		if err != nil {
			return err
		}
		if err := customer(&o); err != nil {
			return err
		}
		out = Offboarded{}
		if out.KeysRevoked, err = m.revokeAll(ctx, tx, store.CredentialFilter{Organization: o.ID}, in.Reason); err != nil {
			return err
		}
		if out.MembersDisabled, err = m.disableAll(ctx, tx, o.ID); err != nil {
			return err
		}
		before := viewOrganization(o)
		if o.SuspendedAt.IsZero() {
			o.SuspendedAt, o.UpdatedAt = tx.Now(), tx.Now()
		}
		out.Organization = viewOrganization(o)
		if out.KeysRevoked+out.MembersDisabled == 0 && access.Diff(before, out.Organization).Empty() {
			tx.Changed(store.ChangeOrganization, o.ID) // evict again, see [Manager.change]
			return nil
		}
		access.Record(tx, "organization.offboard", "organization", o.ID, o.ID, offboardDetail{
			Difference: access.Diff(before, out.Organization), Reason: in.Reason,
			KeysRevoked: out.KeysRevoked, MembersDisabled: out.MembersDisabled,
		})
		return tx.UpdateOrganization(ctx, o)
	})
	if err != nil {
		return Offboarded{}, err
	}
	return out, nil
}

// offboardDetail is the detail of the event of an offboarding.
type offboardDetail struct {
	access.Difference
	Reason          string `json:"reason,omitzero"`
	KeysRevoked     int    `json:"keys_revoked"`
	MembersDisabled int    `json:"members_disabled"`
}
