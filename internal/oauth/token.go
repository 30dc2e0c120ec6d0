package oauth

import (
	"context"
	"net/http"

	"github.com/cardea-dev/cardea/contract"
)

// A grant is what one way to get a token brings to the pipeline. It never sees the wire
// and cannot skip a step.
type grant struct {
	// public: a client without a secret may use it.
	public bool

	// alone: it needs no client, because what it presents proves by itself who asks.
	alone bool

	// find verifies what the request presents and returns what may be issued for it. It
	// changes nothing: whatever is used up is used up by [ticket.spend], together with
	// the issuing.
	find func(s *Server, ctx context.Context, r *request) (*ticket, error)
}

// grants are all grants there are. Those that no token endpoint of a contract names do
// not exist under it.
var grants = map[contract.Grant]grant{
	contract.GrantClientCredentials: {find: (*Server).findClientCredentials},
	contract.GrantAuthorizationCode: {public: true, find: (*Server).findCode},
	contract.GrantRefreshToken:      {public: true, find: (*Server).findRefresh},
	contract.GrantDeviceCode:        {public: true, find: (*Server).findDevice},
	contract.GrantJWTBearer:         {public: true, alone: true, find: (*Server).findAssertion},
	contract.GrantTokenExchange:     {public: true, find: (*Server).findExchange},
	contract.GrantKey:               {find: (*Server).findKey},
}

// token serves the token endpoint: RFC 6749 §3.2.
func (s *Server) token(w http.ResponseWriter, r *request) {
	body, err := s.pipeline(r.Context(), r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.write(w, r, http.StatusOK, body)
}

// pipeline is what every token request passes, in this order.
func (s *Server) pipeline(ctx context.Context, r *request) ([]byte, error) {
	var err error
	// 1: parse once.
	if r.params, err = readParams(r.Request, r.binding.token.JSON); err != nil {
		return nil, err
	}
	// 2: authenticate the client.
	if err := s.authenticate(ctx, r); err != nil {
		return nil, err
	}
	// 3: find the grant, and what it grants.
	g, err := r.grant()
	if err != nil {
		return nil, err
	}
	t, err := g.find(s, ctx, r)
	if err != nil {
		return nil, err
	}
	if err := s.bind(r, t); err != nil {
		return nil, err
	}
	// 4: scopes.
	if t.scopes, err = t.chooseScopes(r); err != nil {
		return nil, err
	}
	// 5 and 6: grant and issue, in one transaction.
	return s.issue(ctx, r, t)
}

// chooseScopes is the fourth step.
func (t *ticket) chooseScopes(r *request) (grantedScopes, error) {
	asked := r.params.get("scope")
	if t.fixed {
		asked = ""
	}
	out, err := chooseScopes(r.contract, asked, t.most, t.fallback)
	if asked == "" && t.fallbackText != "" {
		out.text = t.fallbackText
	}
	return out, err
}

// Errors of the third step.
var (
	errNoGrant           = refuse(codeInvalidRequest, "grant_type is missing")
	errUnknownGrant      = refuse(codeUnsupportedGrantType, "the grant_type is not one of this endpoint")
	errGrantNotForClient = refuse(codeUnauthorizedClient, "the client may not use this grant_type")
)

// sent returns the grant that the request's grant_type names at its endpoint, nil when
// there is none.
func (r *request) sent() *contract.TokenGrant {
	name := r.params.get("grant_type")
	for i := range r.binding.token.Grants {
		if g := &r.binding.token.Grants[i]; g.Sent == name {
			return g
		}
	}
	return nil
}

// grant returns the grant that the caller asks for, if it is one for this caller.
func (r *request) grant() (grant, error) {
	if r.params.get("grant_type") == "" {
		return grant{}, errNoGrant
	}
	named := r.sent()
	if named == nil {
		return grant{}, errUnknownGrant
	}
	r.named = named
	g := grants[named.Grant]
	switch c := r.caller.client; {
	case g.find == nil:
		return grant{}, errUnknownGrant
	case named.Grant == contract.GrantKey:
		if r.caller.key != named.Kind {
			return grant{}, errGrantNotForClient
		}
	case r.caller.key != nil:
		return grant{}, errGrantNotForClient
	case c == nil && !g.alone:
		return grant{}, errNoClient
	case c != nil && (!c.may(named.Grant) || r.caller.method == contract.ClientNone && !g.public):
		return grant{}, errGrantNotForClient
	}
	return g, nil
}

// alone reports whether the request needs no client, because its grant proves itself.
func (r *request) alone() bool {
	if r.binding.token == nil {
		return false
	}
	named := r.sent()
	return named != nil && grants[named.Grant].alone
}
