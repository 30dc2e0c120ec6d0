package authz

import (
	"context"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
)

// Answer renders the body of a route that Cardea answers itself, for an allowed
// decision: JSON, status 200. What it says about the caller is read from the store.
//
// "member" is the one the credential belongs to. A credential of an organization
// belongs to nobody in particular; it answers for the member who made it, and if an
// operator did, for the organization's first owner. A token of somebody else's issuer
// answers for no member unless it names one.
func (a *Authorizer) Answer(ctx context.Context, d *Decision) ([]byte, error) {
	if !d.Allowed || d.Route == nil || d.Route.Answer == nil {
		return nil, cardea.Errorf(cardea.KindNotFound, "the route has no answer")
	}
	values := map[string]string{"request_id": d.requestID, "environment": d.Environment}
	if p, ok := d.Principal(); ok {
		if err := a.describe(ctx, p, d.Member(), values); err != nil {
			return nil, err
		}
	}
	return d.Route.Answer.Render(nil, func(name string) string { return values[name] }), nil
}

// describe fills in the variables about a caller, who is this member or "".
func (a *Authorizer) describe(ctx context.Context, p cardea.Principal, member string, values map[string]string) error {
	// A token may be issued to a client that is known by a URL, or by somebody else's
	// issuer: then there is no credential, and perhaps no organization.
	c, err := a.cfg.Store.Credential(ctx, p.Credential)
	if err != nil && cardea.KindOf(err) != cardea.KindNotFound {
		return err
	}
	o, err := a.cfg.Store.Organization(ctx, p.Organization)
	if err != nil && (p.Organization != "" || cardea.KindOf(err) != cardea.KindNotFound) {
		return err
	}
	if member != "" {
		c.Member = member
	}
	var m store.Member
	external := p.Kind == a.current().contract.IssuerKind().Name // then it answers for itself
	if member != "" || p.Organization != "" && !external {
		if m, err = a.member(ctx, &c, p.Organization); err != nil {
			return err
		}
	}
	values["member.id"], values["member.email"] = m.ID, m.Email
	values["member.name"], values["member.role"] = m.Name, string(m.Role)
	values["organization.id"], values["organization.name"] = o.ID, o.Name
	values["credential.id"], values["credential.name"], values["credential.kind"] = p.Credential, c.Name, p.Kind
	values["subject"], values["plan"] = p.Subject, p.Plan
	values["scopes"] = strings.Join(p.Scopes, " ")
	return nil
}

// member returns whom a credential answers for in an organization; zero when that has no
// owner.
func (a *Authorizer) member(ctx context.Context, c *store.Credential, organization string) (store.Member, error) {
	id := c.Member
	if id == "" {
		id, _ = strings.CutPrefix(c.CreatedBy, "member:")
	}
	if id != "" && (c.Member != "" || id != c.CreatedBy) {
		m, err := a.cfg.Store.Member(ctx, id)
		if c.Member != "" || err == nil && m.Organization == organization {
			return m, err
		}
	}
	filter := store.MemberFilter{Organization: organization, Role: cardea.RoleOwner}
	owners, _, err := a.cfg.Store.Members(ctx, filter, store.Page{Limit: 100})
	if err != nil || len(owners) == 0 {
		return store.Member{}, err
	}
	return owners[len(owners)-1], nil // the list begins with the newest
}
