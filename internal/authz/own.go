package authz

import (
	"context"
	"strings"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/signing"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// ownSpec returns what the contract says about tokens of ours with this sub: tokens of
// users differ from those of machines. Nil when such tokens are no JWTs.
func ownSpec(c *contract.Contract, subject string) *contract.AccessToken {
	spec := c.Tokens().Machine
	if isMember(c, subject) {
		spec = c.Tokens().User
	}
	if spec == nil || spec.Format != contract.TokenJWT {
		return nil
	}
	return spec
}

// isMember reports whether an id is one of a member.
func isMember(c *contract.Contract, id string) bool {
	prefix := c.IDPrefix(contract.IDMember)
	return prefix != "" && strings.HasPrefix(id, prefix)
}

// isID reports whether a text has exactly the form of our ids with this prefix.
func isID(text, prefix string) bool {
	_, ok := secret.PackID(text, prefix)
	return ok && prefix != ""
}

// ownToken verifies a token of ours. Its kid tells the key, and the key the environment:
// a key of the test environment can say nothing about live.
func (a *Authorizer) ownToken(ctx context.Context, p *presented, spec *contract.AccessToken) (*verified, fault, error) {
	if a.cfg.Keys == nil || p.header.KeyID == "" && spec.KeyID {
		return nil, faultKey, nil
	}
	// Before the keys are: a key withdrawn between the two makes the entry stale.
	generation := a.cfg.Keys.Generation()
	keys, err := a.cfg.Keys.VerificationFor(ctx, p.header.KeyID)
	if err != nil {
		return nil, sound, unavailable(err)
	}
	found := faultKey
	for _, env := range p.view.contract.Environments() {
		candidates := keysOf(keys, p, env)
		if len(candidates) == 0 {
			continue
		}
		c, bad, err := a.check(ctx, p, func(string, string) []token.Key { return candidates }, token.Expect{
			Issuer: spec.Issuer, Audience: spec.Audience, Types: []string{spec.Type}, RequireIssuedAt: true,
		})
		switch {
		case err != nil:
			return nil, sound, err
		case bad != nil:
			if found = faultOf(bad); found != faultSignature {
				return nil, found, nil
			}
		default:
			t, f := ownClaims(p, spec, env, &c)
			if t != nil {
				t.generation.Store(generation)
			}
			return t, f, nil
		}
	}
	return nil, found, nil
}

// keysOf returns the keys of an environment that may have signed the token: the one it
// names, or all of its algorithm when the contract's tokens name none.
func keysOf(keys *signing.Verification, p *presented, env *contract.Environment) []token.Key {
	if p.header.KeyID == "" {
		return keys.Environment(env.Name).Find("", p.header.Algorithm)
	}
	if _, name, ok := keys.Lookup(p.header.KeyID); !ok || name != env.Name {
		return nil
	}
	return keys.Find(p.header.KeyID, p.header.Algorithm)
}

// ownClaims takes in what a token of ours says.
func ownClaims(p *presented, spec *contract.AccessToken, env *contract.Environment, c *token.Claims) (*verified, fault) {
	k := p.view.contract
	t := newVerified(p, fromUs, k.TokenKind(), c)
	t.env, t.id = env, token.ID(p.signed, spec.IDClaim, *c)
	if _, ok := t.grant(k, c, spec.ScopeClaim, k.AllScopes()); !ok || !t.names(c, spec.Claims) || !t.bind(c) {
		return nil, faultClaims
	}
	t.query = store.PrincipalQuery{TokenID: t.id, Environment: env.Name}
	if isMember(k, t.subject) {
		t.query.Member = t.subject
	}
	if spec.ClientIDClaim != "" {
		t.client = c.Text(spec.ClientIDClaim)
	}
	if t.client == "" && t.query.Member == "" {
		t.client = t.subject // of a machine
	}
	t.query.Credential = t.client
	return t, sound
}
