package oauth

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/token"
)

// inactive is what is said of every token that is not good, or none of the caller's
// business: RFC 7662 §2.2 allows nothing beside it.
var inactive = object{{"active", false}}

// introspect serves the introspection endpoint: RFC 7662. The answer is what a request
// with the token would meet, cut to the caller: its own tokens, and those of its
// organization in its environment, whose API it may be.
func (s *Server) introspect(w http.ResponseWriter, r *request) {
	o, err := s.describe(r.Context(), r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, o)
}

// describe returns the answer about a token.
func (s *Server) describe(ctx context.Context, r *request) (object, error) {
	text, err := s.tokenParameter(ctx, r)
	if err != nil {
		return nil, err
	}
	if r.caller.method == contract.ClientNone {
		return nil, invalidClient(r) // RFC 7662 §2.1: nobody may scan for tokens
	}
	if token.Gate(text) != nil && len(text) <= maxCredential {
		if o, err := s.describeRefresh(ctx, r, secret.HashOf(text)); o != nil || err != nil {
			return o, err
		}
	}
	// The caller asks about what others sent to it, so nothing is held against its address.
	info, reason, err := s.cfg.Authorizer.Token(ctx, text, netip.Addr{})
	if err != nil {
		return nil, err
	}
	if reason != cardea.ReasonAllowed {
		return inactive, nil
	}
	mine, err := s.owns(ctx, r, &info)
	if err != nil {
		return nil, err
	}
	// A resource server of one world must not take the tokens of another for its own: the
	// answer does not say which world a token is of.
	sister := info.Organization != "" && info.Organization == r.caller.organization() && info.Environment == r.caller.client.env
	if !mine && !sister {
		return inactive, nil
	}
	return r.active(&info), nil
}

// active returns what an access token says.
func (r *request) active(info *authz.TokenInfo) object {
	terms := terms(r.contract, info.Member)
	kind := "Bearer"
	var confirmation any
	if info.DPoP != "" {
		kind, confirmation = "DPoP", map[string]string{"jkt": info.DPoP}
	}
	o := object{
		{"active", true},
		{"scope", strings.Join(r.contract.ScopeNames(info.Scopes), " ")},
		{"client_id", omitEmpty(info.Client)},
		{"token_type", kind},
		{"exp", info.ExpiresAt.Unix()},
		{"iat", seconds(info.IssuedAt)},
		{"sub", omitEmpty(info.Subject)},
	}
	if terms != nil {
		o = append(o, member{"aud", omitEmpty(terms.Audience)}, member{"iss", omitEmpty(terms.Issuer)})
	}
	return append(o, member{"jti", omitEmpty(info.ID)}, member{"cnf", confirmation})
}

// seconds returns a time in seconds, nil for none.
func seconds(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

// describeRefresh returns the answer about a refresh token, nil when it is none. Only the
// client that it was issued to has any use for one.
func (s *Server) describeRefresh(ctx context.Context, r *request, hash secret.Hash) (object, error) {
	t, err := s.store.Refresh(ctx, hash)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := s.store.Family(ctx, t.Family)
	if err != nil {
		return nil, err
	}
	c, err := s.ownedBy(ctx, r, f.Client)
	if err != nil {
		return nil, err
	}
	if c == nil || !t.UsedAt.IsZero() || ended(&f, &t, r.now) {
		return inactive, nil
	}
	r.caller.client = c
	_, err = s.standing(ctx, r, personal{
		member: f.Member, organization: f.Organization, environment: f.Environment, consent: f.Consent,
	}, errRefresh)
	if err == errRefresh {
		return inactive, nil
	}
	if err != nil {
		return nil, err
	}
	end := t.ExpiresAt
	if end.IsZero() || !f.ExpiresAt.IsZero() && f.ExpiresAt.Before(end) {
		end = f.ExpiresAt
	}
	return object{
		{"active", true},
		{"scope", strings.Join(f.Scopes, " ")},
		{"client_id", f.Client},
		{"exp", seconds(end)},
		{"iat", seconds(t.CreatedAt)},
		{"sub", f.Member},
	}, nil
}
