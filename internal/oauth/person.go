package oauth

import (
	"context"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
)

// personal is what a grant remembers of a person's decision.
type personal struct {
	member, organization, environment, consent string
	scopes                                     []string
	resource                                   string
	authTime                                   time.Time
}

// personal returns the ticket for tokens that speak for a member, after looking again at
// everything such tokens stand and fall with: the client, the member, both organizations
// and the consent. bad is the answer when one of them is no more.
func (s *Server) personal(ctx context.Context, r *request, p personal, bad error) (*ticket, error) {
	c, env := r.caller.client, r.contract.Environment(p.environment)
	if env == nil || env != c.env {
		return nil, bad // an environment that the contract no longer has, or not the client's
	}
	now, err := s.standing(ctx, r, p, bad)
	if err != nil {
		return nil, err
	}
	set, _ := r.contract.ScopeSet(p.scopes...) // those that the contract no longer has grant nothing
	set = set.Intersect(r.contract.Expand(c.scopes)).Intersect(r.contract.GrantableBy(now.person.Role))
	t := &ticket{
		terms: r.contract.Tokens().User, env: env, actor: r.actor(actorClient, c.id()),
		holder: c.id(), kind: r.contract.ClientKind().Name,
		subject: p.member, organization: p.organization, member: p.member, person: now.person, consent: p.consent,
		most: set, fallback: set, fallbackText: keepNames(r.contract, p.scopes, set),
		notBefore: now.notBefore, authTime: p.authTime, identity: true, bad: bad,
	}
	return t, s.target(r, t, p.resource)
}

// keepNames returns the names that are in a set, in their order.
func keepNames(c *contract.Contract, names []string, set contract.ScopeSet) string {
	var kept []string
	for _, name := range names {
		if one, unknown := c.ScopeSet(name); len(unknown) == 0 && set.Contains(one) {
			kept = append(kept, name)
		}
	}
	return strings.Join(kept, " ")
}

// A standing is how things stand with a member and what they agreed to.
type standing struct {
	person    store.Member
	notBefore time.Time
}

// standing reads how things stand now: what was true when the code or the family was made
// need not be true any more.
func (s *Server) standing(ctx context.Context, r *request, p personal, bad error) (standing, error) {
	c := r.caller.client
	l, err := s.store.LookupPrincipal(ctx, store.PrincipalQuery{
		Credential: c.id(), Member: p.member, Organization: p.organization, Environment: p.environment,
	})
	if err != nil {
		return standing{}, err
	}
	out := standing{person: l.Member, notBefore: latest(l.CredentialNotBefore, l.MemberNotBefore, l.ConsentNotBefore)}
	if !l.Found || !l.MemberDisabledAt.IsZero() || !l.Organization.SuspendedAt.IsZero() ||
		!l.CredentialSuspendedAt.IsZero() || l.Member.Organization != p.organization ||
		l.Credential.Status(r.now) != store.StatusActive {
		return out, bad
	}
	if p.consent == "" {
		if !c.FirstParty {
			return out, bad // nobody agreed to anything
		}
		return out, nil
	}
	consent, err := s.store.ConsentByID(ctx, p.consent)
	switch {
	case missing(err):
		return out, bad
	case err != nil:
		return out, err
	case !consent.RevokedAt.IsZero() || consent.Member != p.member || consent.Client != c.id(),
		!consent.ExpiresAt.IsZero() && !r.now.Before(consent.ExpiresAt):
		return out, bad
	}
	out.notBefore = latest(out.notBefore, consent.TokensNotBefore)
	return out, nil
}

// refreshes reports whether a refresh token goes with an access token: the contract issues
// them, and the client has a use for one.
func (r *request) refreshes() bool {
	return r.contract.Tokens().Refresh != nil && r.caller.client.may(contract.GrantRefreshToken)
}
