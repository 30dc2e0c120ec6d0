package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// A Consent is a member's word that a client may act for them.
type Consent struct {
	ID           string    `json:"id"`
	Member       string    `json:"member"`
	Client       string    `json:"client"`
	ClientName   string    `json:"client_name"`
	Organization string    `json:"organization"` // the member's
	Scopes       []string  `json:"scopes"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"` // the member is asked again from then on
	WithdrawnAt  time.Time `json:"withdrawn_at,omitzero"`

	// LastTokenAt is when the client last got a token for the member; zero: never.
	LastTokenAt time.Time `json:"last_token_at,omitzero"`

	// ClientOwner is the name of the organization that the client belongs to,
	// ClientHomeURL its home page, both "" when not known. Unverified says that it
	// describes itself at a URL, its id, so that its name is what it says.
	ClientOwner   string `json:"client_owner,omitzero"`
	ClientHomeURL string `json:"client_home_url,omitzero"`
	Unverified    bool   `json:"unverified,omitzero"`
}

// GrantFilter says which consents [Manager.Consents] lists, or which grants
// [Manager.Grants]; "" is any. A member without rights over others sees their own.
type GrantFilter struct {
	Organization string `json:"organization,omitzero"` // the members'
	Member       string `json:"member,omitzero"`
	Client       string `json:"client,omitzero"`
	Page
}

// A Grant is one authorization and what grew from it: a refresh token, each of which
// succeeded another, and the access tokens made from them.
type Grant struct {
	ID            string    `json:"id"`
	Client        string    `json:"client,omitzero"`
	Member        string    `json:"member,omitzero"`
	Organization  string    `json:"organization,omitzero"`
	Environment   string    `json:"environment"`
	Scopes        []string  `json:"scopes"`
	CreatedAt     time.Time `json:"created_at"`
	ExpiresAt     time.Time `json:"expires_at,omitzero"`
	RevokedAt     time.Time `json:"revoked_at,omitzero"`
	RevokedReason string    `json:"revoked_reason,omitzero"`

	// LastTokenAt is when a token was last issued under it; zero: not known.
	LastTokenAt time.Time `json:"last_token_at,omitzero"`
}

func viewGrant(f store.Family) Grant {
	return Grant{
		ID: f.ID, Client: f.Client, Member: f.Member, Organization: f.Organization, Environment: f.Environment,
		Scopes: orEmpty(f.Scopes), CreatedAt: f.CreatedAt, ExpiresAt: f.ExpiresAt, RevokedAt: f.RevokedAt,
		RevokedReason: f.RevokedReason,
	}
}

// viewConsent returns what is shown of a consent. A client that is gone has no name.
func (m *Manager) viewConsent(ctx context.Context, r store.Reader, c store.Consent) (Consent, error) {
	view := Consent{
		ID: c.ID, Member: c.Member, Client: c.Client, Organization: c.Organization,
		Scopes: orEmpty(c.Scopes), CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, ExpiresAt: c.ExpiresAt,
		WithdrawnAt: c.RevokedAt,
	}
	client, err := r.Client(ctx, c.Client)
	if cardea.KindOf(err) == cardea.KindNotFound {
		return view, nil
	}
	view.ClientName, view.ClientHomeURL, view.Unverified = client.Credential.Name, client.HomeURL, client.MetadataURL != ""
	if err != nil || view.Unverified { // the organization has let it in, and did not make it
		return view, err
	}
	owner, err := r.Organization(ctx, client.Credential.Organization)
	view.ClientOwner = owner.Name
	return view, err
}

// personal returns a filter narrowed to what actor may see: an owner or admin what is
// their organization's, everybody else in it what is their own.
func (m *Manager) personal(ctx context.Context, actor cardea.Actor, in GrantFilter) (GrantFilter, error) {
	var p rules.Problems
	p.Add(rules.Filter("member", in.Member))
	p.Add(rules.Filter("client", in.Client))
	if err := p.Err(); err != nil {
		return in, err
	}
	organization, err := m.access.Scope(ctx, actor, in.Organization)
	if err != nil || actor.Type != access.TypeMember {
		in.Organization = organization
		return in, err
	}
	in.Organization = organization
	if m.access.Allow(ctx, m.store.Reader, actor, organization, "organization", access.Admin) == nil {
		return in, nil
	}
	if in.Member != "" && in.Member != actor.ID {
		return in, cardea.Errorf(cardea.KindForbidden, "your role does not allow this")
	}
	in.Member = actor.ID
	return in, nil
}

// Consents lists what members have agreed to, newest first, withdrawn ones included.
func (m *Manager) Consents(ctx context.Context, actor cardea.Actor, in GrantFilter) (List[Consent], error) {
	in, err := m.personal(ctx, actor, in)
	if err != nil {
		return List[Consent]{}, err
	}
	filter := store.ConsentFilter{Organization: in.Organization, Member: in.Member, Client: in.Client}
	scope := []string{"consents", in.Organization, in.Member, in.Client}
	return access.Paged(in.Page, scope, func(p store.Page) ([]Consent, string, error) {
		rows, next, err := m.store.Consents(ctx, filter, p)
		views, ids := make([]Consent, len(rows)), make([]string, len(rows))
		for i := range rows {
			if ids[i] = rows[i].ID; err == nil {
				views[i], err = m.viewConsent(ctx, m.store.Reader, rows[i])
			}
		}
		if err != nil {
			return nil, "", err
		}
		last, err := m.store.LastTokens(ctx, ids)
		for i := range views {
			views[i].LastTokenAt = last[views[i].ID]
		}
		return views, next, err
	}, func(c Consent) Consent { return c })
}

// WithdrawConsent takes a member's word back: the client's refresh and access tokens for
// them are refused from the moment it returns. Withdrawing twice changes nothing.
func (m *Manager) WithdrawConsent(ctx context.Context, actor cardea.Actor, in ID) (Consent, error) {
	if !rules.ValidID(in.ID) {
		return Consent{}, access.NotFound("consent")
	}
	c := m.contract()
	var view Consent
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		consent, err := tx.ConsentByID(ctx, in.ID)
		if err != nil {
			return err
		}
		if err := m.access.Allow(ctx, tx.Reader, actor, consent.Organization, "consent", access.Admin.OwnOr(actor, consent.Member)); err != nil {
			return err
		}
		if view, err = m.viewConsent(ctx, tx.Reader, consent); err != nil {
			return err
		}
		if !consent.RevokedAt.IsZero() {
			tx.Changed(store.ChangeToken, consent.ID) // evict again, see [Manager.change]
			tx.Changed(store.ChangeMember, consent.Member)
			return nil
		}
		before := view
		view.WithdrawnAt = tx.Now()
		access.Audit(tx, "consent.withdraw", "consent", consent.ID, consent.Organization, before, view)
		if err := tx.RevokeConsent(ctx, consent.ID); err != nil || !anonymous(c.Tokens().User) {
			return err
		}
		return tx.EndMemberTokens(ctx, consent.Member) // see [Manager.endTokens]
	})
	if err != nil {
		return Consent{}, err
	}
	return view, nil
}

// Grants lists authorizations, newest first, revoked ones included.
func (m *Manager) Grants(ctx context.Context, actor cardea.Actor, in GrantFilter) (List[Grant], error) {
	in, err := m.personal(ctx, actor, in)
	if err != nil {
		return List[Grant]{}, err
	}
	filter := store.FamilyFilter{Organization: in.Organization, Member: in.Member, Client: in.Client}
	scope := []string{"grants", in.Organization, in.Member, in.Client}
	return access.Paged(in.Page, scope, func(p store.Page) ([]Grant, string, error) {
		rows, next, err := m.store.Families(ctx, filter, p)
		views, ids := make([]Grant, len(rows)), make([]string, len(rows))
		for i := range rows {
			views[i], ids[i] = viewGrant(rows[i]), rows[i].ID
		}
		if err != nil {
			return nil, "", err
		}
		last, err := m.store.LastTokensOfFamilies(ctx, ids)
		for i := range views {
			views[i].LastTokenAt = last[ids[i]]
		}
		return views, next, err
	}, func(g Grant) Grant { return g })
}

// RevokeGrant ends an authorization: its refresh token and its access tokens are refused
// from the moment it returns. Signed access tokens do not say which authorization they
// are from, so all that the member has end; programs with another authorization refresh
// theirs. Revoking a revoked one keeps the first time and reason.
func (m *Manager) RevokeGrant(ctx context.Context, actor cardea.Actor, in RevokeKey) (Grant, error) {
	if err := rules.Line("reason", in.Reason, rules.MaxReason); err != nil {
		return Grant{}, err
	}
	if !rules.ValidID(in.ID) {
		return Grant{}, access.NotFound("grant")
	}
	var view Grant
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		f, err := tx.Family(ctx, in.ID)
		if err != nil {
			return atNoun(err, "grant")
		}
		if err := m.access.Allow(ctx, tx.Reader, actor, f.Organization, "grant", access.Admin.OwnOr(actor, f.Member)); err != nil {
			return err
		}
		if view = viewGrant(f); !f.RevokedAt.IsZero() {
			return m.endFamily(ctx, tx, f, "")
		}
		view.RevokedAt, view.RevokedReason = tx.Now(), in.Reason
		return m.endFamily(ctx, tx, f, in.Reason)
	})
	if err != nil {
		return Grant{}, err
	}
	return view, nil
}

// endFamily ends a grant; one that is revoked changes nothing.
func (m *Manager) endFamily(ctx context.Context, tx *store.Tx, f store.Family, reason string) error {
	if !f.RevokedAt.IsZero() {
		tx.Changed(store.ChangeToken, f.ID) // evict again, see [Manager.change]
		tx.Changed(store.ChangeMember, f.Member)
		return nil
	}
	after := viewGrant(f)
	after.RevokedAt, after.RevokedReason = tx.Now(), reason
	access.Audit(tx, "grant.revoke", "grant", f.ID, f.Organization, viewGrant(f), after)
	if err := tx.RevokeFamily(ctx, f.ID, reason); err != nil || f.Member == "" {
		return err
	}
	return tx.EndMemberTokens(ctx, f.Member)
}

// atNoun words a missing object as callers know it.
func atNoun(err error, noun string) error {
	if cardea.KindOf(err) == cardea.KindNotFound {
		return access.NotFound(noun)
	}
	return err
}
