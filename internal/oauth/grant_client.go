package oauth

import (
	"context"

	"github.com/cardea-dev/cardea/contract"
)

// findClientCredentials lets a client act for itself: RFC 6749 §4.4. Public clients have
// proved nothing and are refused by the pipeline; no refresh token goes with it.
func (s *Server) findClientCredentials(_ context.Context, r *request) (*ticket, error) {
	c := r.caller.client
	t := &ticket{
		terms: r.contract.Tokens().Machine, env: c.env, actor: r.actor(actorClient, c.id()),
		holder: c.id(), kind: r.contract.ClientKind().Name,
		subject: c.id(), organization: c.Credential.Organization,
		most: c.scopes, fallback: c.defaults, notBefore: c.Credential.TokensNotBefore,
	}
	if err := s.target(r, t, ""); err != nil {
		return nil, err
	}
	t.remember = t.terms != nil && t.terms.Format == contract.TokenJWT
	return t, nil
}

// The types of actor that ask for tokens: see [cardea.Actor].
const (
	actorClient  = "client"
	actorKey     = "key"
	actorAccount = "service_account"
)

// errOtherTarget refuses a resource other than the one that was consented to.
var errOtherTarget = refuse(codeInvalidTarget, "the resource is not the one that was granted")

// target finds out which resource the token is for: RFC 8707 §2. granted is the one that
// the grant is for already; "" leaves the choice.
func (s *Server) target(r *request, t *ticket, granted string) error {
	asked, err := checkResource(r.contract, r.origin, r.params.all("resource"))
	if err != nil {
		return err
	}
	if asked != "" && granted != "" && asked != granted {
		return errOtherTarget
	}
	t.resource = asked
	if asked == "" {
		t.resource = granted
	}
	return nil
}
