package oauth

import (
	"context"

	"github.com/cardea-dev/cardea/contract"
)

// findKey exchanges a key for an access token: a way in that some products offer beside
// OAuth. What the key may do, the token may; whoever the key belongs to, it speaks for.
func (s *Server) findKey(ctx context.Context, r *request) (*ticket, error) {
	who := r.caller.who
	t := &ticket{
		terms: terms(r.contract, who.Member), env: who.Environment, actor: r.actor(actorKey, who.Credential),
		holder: who.Credential, kind: r.caller.key.Name,
		subject: who.Credential, organization: who.Organization, member: who.Member,
		most: who.Scopes, fallback: who.Scopes, notBefore: who.NotBefore,
	}
	if who.Member != "" {
		m, err := s.store.Member(ctx, who.Member)
		if err != nil {
			return nil, err
		}
		t.subject, t.notBefore = m.ID, latest(t.notBefore, m.TokensNotBefore)
	}
	if err := s.target(r, t, ""); err != nil {
		return nil, err
	}
	t.remember = t.terms != nil && t.terms.Format == contract.TokenJWT
	return t, nil
}
