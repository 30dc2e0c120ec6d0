package authz

import (
	"context"
	"slices"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// issuerToken verifies a token of an issuer that the contract trusts. What such tokens
// may do is the contract's choice: the issuer fills in the mapped claims and nothing else.
func (a *Authorizer) issuerToken(ctx context.Context, p *presented, i *contract.TrustedIssuer) (*verified, fault, error) {
	from := token.Source{URL: i.JWKS, Algorithms: i.Algorithms, AllowPrivate: i.InsecurePrivateJWKS}
	c, t, f, err := a.foreign(ctx, p, from, token.Expect{
		Issuer: i.Issuer, Audience: i.Audience, Types: typesOfAccess, MaxLifetime: i.MaxLifetime, RequireIssuedAt: true,
	})
	if t == nil {
		return nil, f, err
	}
	k := p.view.contract
	t.origin, t.issuer, t.client = fromIssuer, i.Name, i.Name
	t.id = foreignID(i.Name, p.signed, c)
	if !t.limit(k, &c, i.ScopeClaim, i.Scopes, i.DefaultScopes) || !t.bind(&c) || !t.mapped(k, &c, i.Claims) {
		return nil, faultClaims, nil
	}
	if i.PlanClaim != "" && c.Has(i.PlanClaim) {
		// A plan that the contract does not have counts as the default one.
		if t.plan = c.Text(i.PlanClaim); t.plan == "" {
			return nil, faultClaims, nil
		}
	}
	if t.env == nil {
		t.env = choose(k, i.Environments, p.wanted)
	}
	if t.env == nil || !i.Environments[t.env.Index] {
		return nil, faultClaims, nil
	}
	t.query = store.PrincipalQuery{
		Member: t.query.Member, Organization: t.organization, TokenID: t.id, Environment: t.env.Name,
	}
	return t, sound, nil
}

// choose returns the environment in which a token of an issuer of several is used: the
// one that the target names, or else the contract's first of them.
func choose(c *contract.Contract, where []bool, wanted *contract.Environment) *contract.Environment {
	if wanted != nil && where[wanted.Index] {
		return wanted
	}
	for i, env := range c.Environments() {
		if where[i] {
			return env
		}
	}
	return nil
}

// foreignID returns the id under which a token of somebody else's can be revoked. Its
// issuer chooses the jti, and must not be able to name a token of ours or of another
// issuer.
func foreignID(issuer, text string, c token.Claims) string {
	return issuer + "/" + token.ID(text, "jti", c)
}

// foreign verifies a token with the keys of an issuer of somebody else's. Its keys are
// fetched before it is this token's turn: a slow issuer holds up its own tokens alone.
func (a *Authorizer) foreign(ctx context.Context, p *presented, from token.Source, e token.Expect) (token.Claims, *verified, fault, error) {
	if a.cfg.Issuers == nil {
		return token.Claims{}, nil, faultKey, nil
	}
	// Before the keys are: one withdrawn between the two makes the entry ask again.
	generation := a.cfg.Issuers.Generation()
	set, err := a.cfg.Issuers.Keys(ctx, from, p.header.KeyID)
	if err != nil {
		return token.Claims{}, nil, sound, unavailable(err)
	}
	c, bad, err := a.check(ctx, p, set.Find, e)
	if err != nil || bad != nil {
		return token.Claims{}, nil, faultOf(bad), err
	}
	if looksLikeOurs(p.view.contract, c.Subject) {
		return token.Claims{}, nil, faultSubject, nil
	}
	t := newVerified(p, fromIssuer, p.view.contract.IssuerKind(), &c)
	t.source, t.set = from, set
	t.checked.Store(p.now.Unix())
	t.generation.Store(generation)
	return c, t, sound, nil
}

// looksLikeOurs reports whether a subject of somebody else's could be taken for an id that
// Cardea gave: no issuer may name one of our members, clients or accounts (RFC 9700
// §4.15).
func looksLikeOurs(c *contract.Contract, subject string) bool {
	return slices.ContainsFunc(ourIDs, func(kind contract.IDKind) bool { return isID(subject, c.IDPrefix(kind)) })
}

var ourIDs = []contract.IDKind{
	contract.IDMember, contract.IDClient, contract.IDServiceAccount, contract.IDKey, contract.IDOrganization,
}

// limit takes in the scopes: those of the claim as far as the ceiling admits, or the
// default ones of a token without the claim.
func (t *verified) limit(c *contract.Contract, claims *token.Claims, claim string, ceiling, without contract.ScopeSet) bool {
	present, ok := t.grant(c, claims, claim, ceiling)
	if ok && !present {
		t.scopes = c.Expand(without).Intersect(c.Expand(ceiling))
	}
	return ok
}

// mapped takes in the claims that the contract gives a meaning. Each of them must be
// there, and be a text: a caller without organization is not the same as one whose
// organization was forgotten.
func (t *verified) mapped(c *contract.Contract, claims *token.Claims, mapped []contract.Claim) bool {
	for _, m := range mapped {
		value := claims.Text(m.Name)
		if value == "" {
			return false
		}
		switch m.Fact {
		case contract.FactOrganization:
			t.organization = value
		case contract.FactMember:
			t.query.Member = value
		case contract.FactSubject:
			if t.subject = value; looksLikeOurs(c, value) {
				return false
			}
		case contract.FactPlan:
			t.plan = value
		case contract.FactEnvironment:
			if t.env = c.Environment(value); t.env == nil {
				return false
			}
		}
	}
	return true
}

// maxForeignLifetime is how long tokens of organizations' issuers may live. Nobody tells
// us when such a token is withdrawn.
const maxForeignLifetime = 24 * time.Hour

// maxTrusts is how many organizations' trust in one issuer is gone through for one
// token.
const maxTrusts = 16

// organizationToken verifies a token of an issuer that an organization has named. Several
// organizations may name one issuer: then the audience tells which of them the token is
// for, and if it does not, the token is good for none of them. To choose would let an
// organization take over the users of another by naming its issuer.
func (a *Authorizer) organizationToken(ctx context.Context, p *presented) (*verified, fault, error) {
	rules := p.view.contract.OrganizationIssuers()
	if rules == nil || p.says.Issuer == "" {
		return nil, faultIssuer, nil
	}
	trusts, err := a.trusts(ctx, p)
	switch {
	case err != nil || len(trusts) == 0:
		return nil, faultIssuer, err
	case len(trusts) > maxTrusts:
		return nil, faultAmbiguous, nil
	}
	var found *verified
	last := faultIssuer
	for _, trust := range trusts {
		t, f, err := a.trustedToken(ctx, p, rules, trust)
		switch {
		case err != nil:
			return nil, sound, err
		case t == nil:
			last = f
		case found != nil && found.organization != t.organization:
			return nil, faultAmbiguous, nil
		case found == nil || t.env.Index < found.env.Index:
			found = t
		}
	}
	if found == nil {
		return nil, last, nil
	}
	return found, sound, nil
}

// trusts returns who trusts the token's issuer for its audience: in the environment that
// the target names, if anybody does there.
func (a *Authorizer) trusts(ctx context.Context, p *presented) ([]store.OrganizationIssuer, error) {
	var all []store.OrganizationIssuer
	_, err := a.ask(ctx, p.slow, func(ctx context.Context) (l store.Lookup, err error) {
		all, err = a.cfg.Store.IssuersFor(ctx, p.says.Issuer)
		return l, err
	})
	all = slices.DeleteFunc(all, func(i store.OrganizationIssuer) bool {
		return i.Environment != "" && p.view.contract.Environment(i.Environment) == nil ||
			i.Audience != "" && !slices.Contains(p.says.Audience, i.Audience)
	})
	if p.wanted != nil {
		here := func(i store.OrganizationIssuer) bool { return i.Environment == p.wanted.Name || i.Environment == "" }
		if slices.ContainsFunc(all, here) {
			all = slices.DeleteFunc(all, func(i store.OrganizationIssuer) bool { return !here(i) })
		}
	}
	return all, err
}

// trustedToken verifies the token by the trust of one organization in one environment.
func (a *Authorizer) trustedToken(ctx context.Context, p *presented, rules *contract.OrganizationIssuers, trust store.OrganizationIssuer) (*verified, fault, error) {
	c, t, f, err := a.foreign(ctx, p, token.Source{URL: trust.JWKSURL, Algorithms: rules.Algorithms}, token.Expect{
		Issuer: trust.Issuer, Audience: trust.Audience, AnyAudience: trust.Audience == "", Types: typesOfAccess,
		MaxLifetime: maxForeignLifetime, RequireIssuedAt: true,
	})
	if t == nil {
		return nil, f, err
	}
	k := p.view.contract
	t.origin, t.issuer, t.client = fromOrganization, trust.ID, trust.ID
	t.id, t.organization = foreignID(trust.ID, p.signed, c), trust.Organization
	if !t.limit(k, &c, rules.ScopeClaim, rules.Scopes, rules.DefaultScopes) || !t.bind(&c) {
		return nil, faultClaims, nil
	}
	t.place = trust.Organization + "/" + trust.Environment
	if t.env = k.Environment(trust.Environment); t.env == nil {
		t.env = p.wanted
	}
	if t.env == nil {
		t.env = k.Environments()[0]
	}
	t.query = store.PrincipalQuery{Organization: trust.Organization, TokenID: t.id, Environment: t.env.Name}
	return t, sound, nil
}
