package manage

import (
	"context"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// RevokeKeys is the input of [Manager.RevokeKeys].
type RevokeKeys struct {
	IDs    []string `json:"ids"` // 1 to 200
	Reason string   `json:"reason,omitzero"`
}

// Revoked is what [Manager.RevokeKeys] did.
type Revoked struct {
	Items  []Key     `json:"items"` // the keys that are revoked now
	Failed []NotDone `json:"failed"`
}

// A NotDone is one of several things that could not be done, and why.
type NotDone struct {
	ID     string `json:"id"`
	Detail string `json:"detail"`
}

// RevokeKeys ends several keys for good, in one act: from the moment it returns none of
// them is accepted. Those that do not exist, or are not the actor's to revoke, are left as
// they are and named; the others are revoked all the same. The error for the first is
// returned when there are no others.
func (m *Manager) RevokeKeys(ctx context.Context, actor cardea.Actor, in RevokeKeys) (Revoked, error) {
	var p rules.Problems
	if len(in.IDs) == 0 || len(in.IDs) > access.MaxLimit {
		p.Add(cardea.Invalid("ids", "must name from 1 to %d keys", access.MaxLimit))
	}
	p.Add(rules.Line("reason", in.Reason, rules.MaxReason))
	if err := p.Err(); err != nil {
		return Revoked{}, err
	}
	c := m.contract()
	var rows []keyRow
	var out Revoked
	var refused error
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		rows, refused, out = nil, nil, Revoked{Items: []Key{}, Failed: []NotDone{}}
		seen := map[string]bool{}
		for _, id := range in.IDs {
			if seen[id] {
				continue
			}
			seen[id] = true
			row, err := m.find(ctx, tx.Reader, actor, keyNoun, id, access.Keys)
			switch kind := cardea.KindOf(err); {
			case err != nil && (kind == cardea.KindNotFound || kind == cardea.KindForbidden):
				refused = orElse(refused, func() error { return err })
				out.Failed = append(out.Failed, NotDone{ID: repeatable(id), Detail: rules.Split(err)[0].Public})
				continue
			case err != nil:
				return err
			}
			if err := m.revokeRow(ctx, tx, c, &row, in.Reason); err != nil {
				return err
			}
			rows = append(rows, row)
		}
		if len(rows) == 0 {
			return refused
		}
		return nil
	})
	if err != nil {
		return Revoked{}, err
	}
	for i := range rows {
		out.Items = append(out.Items, rows[i].view(c, m.now()))
	}
	return out, nil
}

// repeatable returns an id as it may be repeated to whoever sent it: nothing that is none.
func repeatable(id string) string {
	if !rules.ValidID(id) {
		return ""
	}
	return id
}

// revokeRow ends a credential for good. One that is revoked keeps the first time and
// reason.
func (m *Manager) revokeRow(ctx context.Context, tx *store.Tx, c *contract.Contract, row *keyRow, reason string) error {
	cr, n := &row.credential, row.noun()
	if !cr.RevokedAt.IsZero() {
		tx.Changed(store.ChangeCredential, cr.ID) // evict again, see [Manager.change]
		return nil
	}
	cr.RevokedAt, cr.RevokedReason, cr.UpdatedAt = tx.Now(), reason, tx.Now()
	access.Audit(tx, n.name+".revoke", n.name, cr.ID, cr.Organization, nil, revocation{StatusRevoked, cr.RevokedAt, reason})
	if err := tx.UpdateCredential(ctx, *cr); err != nil {
		return err
	}
	return m.endTokens(ctx, tx, c, cr)
}

// RevokeAll is the input of [Manager.RevokeAll]: an organization, or a member.
type RevokeAll struct {
	Organization string `json:"organization,omitzero"`
	Member       string `json:"member,omitzero"`
	Reason       string `json:"reason,omitzero"`

	// Disable shuts the member out as well, as when a person leaves.
	Disable bool `json:"disable,omitzero"`
}

// RevokedAll is what [Manager.RevokeAll] did.
type RevokedAll struct {
	Organization string `json:"organization"`
	Member       string `json:"member,omitzero"`
	KeysRevoked  int    `json:"keys_revoked"` // clients and service accounts included
	Disabled     bool   `json:"disabled"`     // the member is
}

// RevokeAll ends, in one act, everything that acts in the name of an organization or of a
// member: credentials, tokens, grants and sessions, and links that wait to be opened. From
// the moment it returns none of it works. The organization and, unless they are disabled,
// the member may make new ones. For a member: the member, owners and admins; for an
// organization: its owners. See also [Manager.OffboardOrganization].
func (m *Manager) RevokeAll(ctx context.Context, actor cardea.Actor, in RevokeAll) (RevokedAll, error) {
	var p rules.Problems
	if (in.Organization == "") == (in.Member == "") {
		p.Add(cardea.Invalid("organization", "is required, or member, not both"))
	}
	if in.Disable && in.Member == "" {
		p.Add(cardea.Invalid("disable", "is about a member: to shut out an organization, suspend or offboard it"))
	}
	p.Add(rules.Line("reason", in.Reason, rules.MaxReason))
	if err := p.Err(); err != nil {
		return RevokedAll{}, err
	}
	var out RevokedAll
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		if in.Member != "" {
			out, err = m.revokeMember(ctx, tx, actor, in)
			return err
		}
		o, err := m.findOrganization(ctx, tx.Reader, actor, in.Organization, access.Own)
		if err != nil {
			return err
		}
		out = RevokedAll{Organization: o.ID}
		tx.Changed(store.ChangeOrganization, o.ID) // evict again, see [Manager.change]
		if out.KeysRevoked, err = m.revokeAll(ctx, tx, store.CredentialFilter{Organization: o.ID}, in.Reason); err != nil {
			return err
		}
		access.Record(tx, "organization.revoke_all", "organization", o.ID, o.ID, revokedDetail{in.Reason, out.KeysRevoked})
		return each(func(p store.Page) ([]store.Member, string, error) {
			return tx.Members(ctx, store.MemberFilter{Organization: o.ID}, p)
		}, func(member store.Member) error { return endMember(ctx, tx, member.ID, in.Reason) })
	})
	if err != nil {
		return RevokedAll{}, err
	}
	return out, nil
}

// revokedDetail is the detail of the event of everything being revoked.
type revokedDetail struct {
	Reason      string `json:"reason,omitzero"`
	KeysRevoked int    `json:"keys_revoked"`
}

// revokeMember ends what acts in the name of a member.
func (m *Manager) revokeMember(ctx context.Context, tx *store.Tx, actor cardea.Actor, in RevokeAll) (RevokedAll, error) {
	need := access.Admin
	if !in.Disable {
		need = need.OwnOr(actor, in.Member)
	}
	member, err := m.findMember(ctx, tx.Reader, actor, in.Member, need)
	if err != nil {
		return RevokedAll{}, err
	}
	if err := m.overOwner(ctx, tx.Reader, actor, &member); err != nil {
		return RevokedAll{}, err
	}
	out := RevokedAll{Organization: member.Organization, Member: member.ID}
	tx.Changed(store.ChangeOrganization, member.Organization) // evict again, see [Manager.change]
	filter := store.CredentialFilter{Organization: member.Organization, Member: member.ID}
	if out.KeysRevoked, err = m.revokeAll(ctx, tx, filter, in.Reason); err != nil {
		return RevokedAll{}, err
	}
	access.Record(tx, "member.revoke_all", "member", member.ID, member.Organization, revokedDetail{in.Reason, out.KeysRevoked})
	if err := endMember(ctx, tx, member.ID, in.Reason); err != nil || !in.Disable {
		return out, err
	}
	before := member
	if member.DisabledAt.IsZero() {
		member.DisabledAt = tx.Now()
	}
	if err := m.keepOwner(ctx, tx, actor, &before, &member); err != nil {
		return RevokedAll{}, err
	}
	out.Disabled = true
	access.Audit(tx, "member.disable", "member", member.ID, member.Organization, viewMember(before), viewMember(member))
	return out, tx.UpdateMember(ctx, member)
}

// endMember ends what a member has besides keys: grants and the tokens of them, sessions,
// and links that were sent to them.
func endMember(ctx context.Context, tx *store.Tx, member, reason string) error {
	if reason == "" {
		reason = reasonAll
	}
	if err := tx.RevokeFamilies(ctx, store.FamilyFilter{Member: member}, reason); err != nil {
		return err
	}
	if err := tx.EndMemberTokens(ctx, member); err != nil {
		return err
	}
	for _, purpose := range []string{purposeInvite, purposeReset, purposeHandoff} {
		if err := tx.EndLinks(ctx, member, purpose); err != nil {
			return err
		}
	}
	return tx.EndSessions(ctx, member, "")
}
