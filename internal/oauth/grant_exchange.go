package oauth

import (
	"context"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea/contract"
)

// Token types: RFC 8693 §3.
const (
	typeAccessToken = "urn:ietf:params:oauth:token-type:access_token"
	typeIDToken     = "urn:ietf:params:oauth:token-type:id_token"
	typeJWT         = "urn:ietf:params:oauth:token-type:jwt"
)

// Errors of token exchange: RFC 8693 §2.2.2.
var (
	errNoSubjectToken = refuse(codeInvalidRequest, "subject_token is missing")
	errSubjectType    = refuse(codeInvalidRequest, "subject_token_type must be that of a JWT or an access token")
	errRequestedType  = refuse(codeInvalidRequest, "only access tokens are issued")
	errActorToken     = refuse(codeInvalidRequest, "actor_token is not supported: the client is the actor")
	errSubjectToken   = refuse(codeInvalidRequest, "the subject_token is not good")
)

// findExchange exchanges a token of a trusted issuer for one of ours: RFC 8693. The
// subject token is verified as for a request, and what it may do bounds what is issued;
// so does the client, which is named as the actor.
func (s *Server) findExchange(ctx context.Context, r *request) (*ticket, error) {
	if err := r.checkExchange(); err != nil {
		return nil, err
	}
	c := r.caller.client
	info, reason, err := s.cfg.Authorizer.External(ctx, r.params.get("subject_token"), c.env, r.address)
	if err := granted(reason, err, errSubjectToken); err != nil {
		return nil, err
	}
	// The token that is issued is held to its client's organization, so it cannot speak for
	// another one, and its subject must not pass for one of ours.
	if info.Environment != c.env || resembles(r.contract, info.Subject) ||
		info.Organization != "" && info.Organization != c.Credential.Organization {
		return nil, errSubjectToken
	}
	most := info.Scopes.Intersect(r.contract.Expand(c.scopes))
	t := &ticket{
		terms: r.contract.Tokens().Machine, env: c.env, actor: r.actor(actorClient, c.id()),
		holder: c.id(), kind: info.Kind, subject: info.Subject, organization: c.Credential.Organization, act: c.id(),
		most: most, fallback: most, notBefore: latest(info.NotBefore, c.Credential.TokensNotBefore),
		until: info.ExpiresAt, exchanged: true,
	}
	if t.terms != nil && t.terms.Format == contract.TokenJWT && t.terms.ClientIDClaim == "" {
		return nil, errNoTerms // nobody could be held to such a token
	}
	if err := r.checkAudience(); err != nil {
		return nil, err
	}
	return t, s.target(r, t, "")
}

// checkExchange checks the parameters that say what is exchanged for what.
func (r *request) checkExchange() error {
	switch kind := r.params.get("subject_token_type"); {
	case r.params.get("subject_token") == "":
		return errNoSubjectToken
	case kind != typeAccessToken && kind != typeJWT && kind != typeIDToken:
		return errSubjectType
	case r.params.get("actor_token") != "" || r.params.get("actor_token_type") != "":
		return errActorToken
	}
	if kind := r.params.get("requested_token_type"); kind != "" && kind != typeAccessToken {
		return errRequestedType
	}
	return nil
}

// errAudience refuses an audience that is not ours: RFC 8693 §2.2.2.
var errAudience = refuse(codeInvalidTarget, "the audience is not one of this server's")

// checkAudience refuses audience parameters that name anybody but the API.
func (r *request) checkAudience() error {
	ours := []string{"", r.contract.Audience()}
	for _, terms := range []*contract.AccessToken{r.contract.Tokens().User, r.contract.Tokens().Machine} {
		if terms != nil {
			ours = append(ours, terms.Audience)
		}
	}
	if slices.ContainsFunc(r.params.all("audience"), func(a string) bool { return !slices.Contains(ours, a) }) {
		return errAudience
	}
	return nil
}

// resembles reports whether somebody else's subject is spelled like an id of ours: a token
// for it could pass for one of a member or a client (RFC 9700 §4.15).
func resembles(c *contract.Contract, subject string) bool {
	for _, kind := range []contract.IDKind{
		contract.IDMember, contract.IDClient, contract.IDServiceAccount, contract.IDKey, contract.IDOrganization,
	} {
		if strings.HasPrefix(subject, c.IDPrefix(kind)) {
			return true
		}
	}
	return subject == ""
}
