package authz

import (
	"context"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// accountToken verifies a token that a service account has signed with a key of its own
// (RFC 7523 §3 without the exchange). Nobody recorded when it was made: how long it may
// live is the only bound on one that leaks.
func (a *Authorizer) accountToken(ctx context.Context, p *presented, s *contract.ServiceAccounts) (*verified, fault, error) {
	keys, err := a.accountKeys(ctx, p, s)
	if err != nil || len(keys) == 0 {
		return nil, faultKey, err
	}
	e := token.Expect{
		Issuer: s.Issuer, Audience: s.Audience, SingleAudience: true, Types: typesOfAccess,
		MaxLifetime: s.MaxLifetime, RequireIssuedAt: true,
	}
	if p.audiences != nil {
		e.Audiences, e.Types = p.audiences, typesOfAssertion
	}
	found := faultKey
	for _, k := range keys {
		c, bad, err := a.check(ctx, p, one(k), e)
		switch {
		case err != nil:
			return nil, sound, err
		case bad != nil:
			if found = faultOf(bad); found == faultSignature {
				continue // without a kid, another key of the account may be meant
			}
			return nil, found, nil
		case c.Subject != k.Account:
			return nil, faultSubject, nil // one account speaks for no other
		}
		t, f := accountClaims(p, s, k, &c)
		if t != nil {
			f, err = a.locate(ctx, p, t)
		}
		if f != sound || err != nil {
			return nil, f, err
		}
		return t, sound, nil
	}
	return nil, found, nil
}

// locate finds the environment of the account that signed the token: the token does not
// say it, and addresses and counts are the environment's.
func (a *Authorizer) locate(ctx context.Context, p *presented, t *verified) (f fault, err error) {
	_, err = a.ask(ctx, p.slow, func(ctx context.Context) (l store.Lookup, err error) {
		c, err := a.cfg.Store.Credential(ctx, t.client)
		t.env = p.view.contract.Environment(c.Environment)
		if cardea.KindOf(err) == cardea.KindNotFound || err == nil && (t.env == nil || c.Kind != t.kind.Name) {
			f, err = faultCaller, nil
		}
		return l, err
	})
	if t.env != nil {
		t.query.Environment = t.env.Name
	}
	return f, err
}

// typesOfAccess are the header types of access tokens that others sign: RFC 9068 §2.1,
// and what most say who do not follow it. typesOfAssertion are those of what is exchanged
// for one.
var (
	typesOfAccess    = []string{"at+jwt", "JWT", ""}
	typesOfAssertion = []string{"JWT", "", "client-authentication+jwt"}
)

// maxAccountKeys is how many keys of an account are tried for a token without a kid.
const maxAccountKeys = 8

// accountKeys returns the keys that may have signed the token: the one it names, or those
// of the account that it is about. Whether a key still stands is judged with the rest.
func (a *Authorizer) accountKeys(ctx context.Context, p *presented, s *contract.ServiceAccounts) ([]store.ServiceAccountKey, error) {
	if !strings.HasPrefix(p.says.Subject, p.view.contract.IDPrefix(contract.IDServiceAccount)) {
		return nil, nil
	}
	var keys []store.ServiceAccountKey
	_, err := a.ask(ctx, p.slow, func(ctx context.Context) (l store.Lookup, err error) {
		if p.header.KeyID == "" {
			keys, err = a.cfg.Store.AccountKeys(ctx, p.says.Subject)
			return l, err
		}
		k, err := a.cfg.Store.AccountKey(ctx, p.header.KeyID)
		if err == nil {
			keys = append(keys, k)
		} else if cardea.KindOf(err) == cardea.KindNotFound {
			err = nil
		}
		return l, err
	})
	fit := keys[:0]
	for _, k := range keys {
		if slices.Contains(s.Algorithms, k.Algorithm) && k.Algorithm == p.header.Algorithm && len(fit) < maxAccountKeys {
			fit = append(fit, k)
		}
	}
	return fit, err
}

// one returns a finder that knows one key of an account: one of those that the token's
// kid and algorithm have found.
func one(k store.ServiceAccountKey) token.Finder {
	return func(string, string) []token.Key {
		public, err := token.UnmarshalPublic(k.PublicKey, k.Algorithm)
		if err != nil {
			return nil
		}
		return []token.Key{{ID: k.ID, Algorithm: k.Algorithm, Public: public}}
	}
}

// accountClaims takes in what a service account's token says. Scopes only narrow what the
// account has.
func accountClaims(p *presented, s *contract.ServiceAccounts, k store.ServiceAccountKey, c *token.Claims) (*verified, fault) {
	t := newVerified(p, fromAccount, p.view.contract.AccountKind(), c)
	t.id, t.client, t.keyID = token.ID(p.signed, "jti", *c), k.Account, k.ID
	present, ok := t.grant(p.view.contract, c, s.ScopeClaim, s.Scopes)
	if !ok || !t.names(c, s.Claims) || !t.bind(c) {
		return nil, faultClaims
	}
	if !present { // everything that the account has, as far as the contract lets accounts have it
		t.scopes = p.view.contract.Expand(s.Scopes)
	}
	t.query = store.PrincipalQuery{Credential: k.Account, AccountKey: k.ID, TokenID: t.id}
	return t, sound
}
