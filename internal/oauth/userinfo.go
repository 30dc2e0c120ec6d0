package oauth

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/discovery"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// Errors of the userinfo endpoint: RFC 6750 §3.1.
var (
	errTokenMissing = &Error{Code: codeInvalidRequest, Description: "an access token in the Authorization header is needed", status: http.StatusUnauthorized}
	errTwoTokens    = refuse(codeInvalidRequest, "one Authorization header with one access token is needed")
	errInvalidToken = &Error{Code: "invalid_token", Description: "the access token is not good here", status: http.StatusUnauthorized}
	errNeedsOpenID  = &Error{Code: "insufficient_scope", Description: "the scope openid is needed", status: http.StatusForbidden}
)

// userInfo serves claims about the person whom an access token speaks for: OpenID Connect
// Core §5.3.
func (s *Server) userInfo(w http.ResponseWriter, r *request) {
	o, err := s.readUserInfo(r.Context(), r)
	if err != nil {
		s.challenge(w, r, err)
		s.fail(w, r, err)
		return
	}
	s.answer(w, r, http.StatusOK, o)
}

// readUserInfo verifies the token and returns the claims it opens.
func (s *Server) readUserInfo(ctx context.Context, r *request) (object, error) {
	info, err := s.accessToken(ctx, r)
	if err != nil {
		return nil, err
	}
	openid := r.contract.Scope("openid")
	switch {
	case openid == nil || !info.Scopes.Has(openid.Index):
		return nil, errNeedsOpenID
	case info.Member == "" || info.Subject != info.Member:
		return nil, errInvalidToken // it speaks for no person
	}
	m, err := s.store.Member(ctx, info.Member)
	switch {
	case cardea.KindOf(err) == cardea.KindNotFound && err != nil:
		return nil, errInvalidToken
	case err != nil:
		return nil, err
	}
	return claimsOf(r.contract, info.Scopes, m), nil
}

// claimsOf returns the claims about a member that scopes open.
func claimsOf(c *contract.Contract, scopes contract.ScopeSet, m store.Member) object {
	o := object{{"sub", m.ID}}
	for _, one := range discovery.UserClaims {
		scope := c.Scope(one.Scope)
		if scope == nil || !scopes.Has(scope.Index) {
			continue
		}
		for _, name := range one.Claims {
			switch name {
			case "name":
				o = append(o, member{name, omitEmpty(m.Name)})
			case "updated_at":
				o = append(o, member{name, m.UpdatedAt.Unix()})
			case "email":
				o = append(o, member{name, m.Email})
			}
		}
	}
	return o
}

// accessToken verifies the access token in the Authorization header, as the API would. A
// token that is bound to a key comes with a proof of that key and under the scheme DPoP,
// and no other does (RFC 9449 §7.1, §7.2).
func (s *Server) accessToken(ctx context.Context, r *request) (authz.TokenInfo, error) {
	values := r.Header["Authorization"]
	if len(values) == 0 {
		return authz.TokenInfo{}, errTokenMissing
	}
	scheme, text, _ := strings.Cut(values[0], " ")
	text = strings.Trim(text, " ")
	byProof := strings.EqualFold(scheme, "DPoP")
	switch {
	case len(values) > 1 || text == "" || strings.ContainsAny(text, " ,"):
		return authz.TokenInfo{}, errTwoTokens
	case !byProof && !strings.EqualFold(scheme, "Bearer"):
		return authz.TokenInfo{}, errTokenMissing
	}
	info, reason, err := s.cfg.Authorizer.Token(ctx, text, r.address)
	switch {
	case err != nil:
		return info, err
	case reason == cardea.ReasonRateLimited:
		return info, errThrottled
	case reason == cardea.ReasonUnavailable:
		return info, errUnavailable
	case reason != cardea.ReasonAllowed || byProof != (info.DPoP != ""):
		return info, errInvalidToken
	}
	if byProof {
		err = s.proofOf(r, text, info.DPoP)
	}
	return info, err
}

// proofOf checks the proof that comes with an access token bound to a key.
func (s *Server) proofOf(r *request, accessToken, thumbprint string) error {
	text, err := token.ProofHeader(r.Header)
	if err != nil || text == "" {
		return errBadProof
	}
	_, err = token.VerifyProof(text, token.Proof{
		Method: r.Method, URL: r.origin + r.URL.EscapedPath(), Now: r.now, Seen: s.proofs.Seen,
		AccessToken: accessToken, Thumbprint: thumbprint,
	})
	if err != nil {
		return errBadProof
	}
	return nil
}

// errBadProof refuses a proof: RFC 9449 §7.1.
var errBadProof = &Error{Code: codeInvalidDPoPProof, Description: "the DPoP proof is not one for this request", status: http.StatusUnauthorized}

// challenge says what would be accepted: RFC 6750 §3, RFC 9449 §7.1. Without a token
// there is no error to name.
func (s *Server) challenge(w http.ResponseWriter, r *request, err error) {
	var e *Error
	if !errors.As(err, &e) || e.status != http.StatusUnauthorized && e.status != http.StatusForbidden {
		return
	}
	detail := ` realm="userinfo"`
	switch {
	case e == errNeedsOpenID:
		detail += `, error="insufficient_scope", scope="openid"`
	case e != errTokenMissing:
		detail += `, error="` + e.Code + `"`
	}
	w.Header().Add("WWW-Authenticate", "Bearer"+detail)
	if terms := r.contract.Clients(); terms != nil && terms.DPoP != contract.DPoPOff && terms.DPoP != "" {
		w.Header().Add("WWW-Authenticate", "DPoP"+detail+`, algs="`+strings.Join(contract.ProofAlgorithms(), " ")+`"`)
	}
}
