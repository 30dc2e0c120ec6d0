package oauth

import (
	"context"
	"net/http"
	"net/netip"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// Errors of revocation and introspection.
var (
	errNoToken  = refuse(codeInvalidRequest, "token is missing")
	errNotYours = refuse(codeUnauthorizedClient, "the token was not issued to this client")
)

// revoke serves the revocation endpoint: RFC 7009. A client ends tokens of its own; what
// does not exist, or not any more, is ended already. token_type_hint is not needed: what
// a token is shows by itself.
func (s *Server) revoke(w http.ResponseWriter, r *request) {
	if err := s.revokeToken(r.Context(), r); err != nil {
		s.fail(w, r, err)
		return
	}
	// An object, since some clients parse what they are told is JSON (RFC 7009 §2.2 leaves
	// the body open).
	s.write(w, r, http.StatusOK, []byte("{}"))
}

func (s *Server) revokeToken(ctx context.Context, r *request) error {
	text, err := s.tokenParameter(ctx, r)
	if err != nil {
		return err
	}
	if token.Gate(text) == nil {
		return s.revokeJWT(ctx, r, text)
	}
	if len(text) > maxCredential {
		return nil
	}
	hash := secret.HashOf(text)
	if found, err := s.revokeRefresh(ctx, r, hash); found || err != nil {
		return err
	}
	return s.revokeOpaque(ctx, r, hash)
}

// tokenParameter makes the first steps of a request about a token: parse, authenticate,
// and return the token.
func (s *Server) tokenParameter(ctx context.Context, r *request) (string, error) {
	if err := s.readForm(ctx, r); err != nil {
		return "", err
	}
	text := r.params.get("token")
	if text == "" {
		return "", errNoToken
	}
	return text, nil
}

// end makes a change that ends something of the caller's, with its audit event.
func (s *Server) end(ctx context.Context, r *request, e store.Event, fn func(tx *store.Tx) error) error {
	changes, err := s.store.Update(ctx, r.actor(actorClient, r.caller.id()), func(tx *store.Tx) error {
		tx.Audit(e)
		return fn(tx)
	})
	if err != nil {
		return err
	}
	s.apply(changes)
	return nil
}

// revokeRefresh ends the family of a refresh token, used or not, with all access tokens
// made in it: RFC 7009 §2.1.
func (s *Server) revokeRefresh(ctx context.Context, r *request, hash secret.Hash) (found bool, err error) {
	old, err := s.store.Refresh(ctx, hash)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	f, err := s.store.Family(ctx, old.Family)
	if err == nil {
		err = s.own(ctx, r, f.Client, errNotYours)
	}
	switch {
	case err != nil:
		return true, err
	case !f.RevokedAt.IsZero():
		return true, nil
	}
	e := store.Event{
		Action: "grant.revoke", TargetType: "grant", TargetID: f.ID, Organization: f.Organization, Detail: because{reasonRevoked},
	}
	return true, s.end(ctx, r, e, func(tx *store.Tx) error { return revokeFamily(ctx, tx, r.contract, &f, reasonRevoked) })
}

// because is the detail of an event that tells why.
type because struct {
	Reason string `json:"reason"`
}

// missing reports whether an error says that something does not exist.
func missing(err error) bool { return err != nil && cardea.KindOf(err) == cardea.KindNotFound }

// revokeOpaque ends an opaque access token.
func (s *Server) revokeOpaque(ctx context.Context, r *request, hash secret.Hash) error {
	t, err := s.store.AccessTokenByHash(ctx, hash)
	switch {
	case missing(err):
		return nil
	case err != nil:
		return err
	}
	if err := s.own(ctx, r, t.Client, errNotYours); err != nil || !t.RevokedAt.IsZero() {
		return err
	}
	e := store.Event{Action: "token.revoke", TargetType: "token", TargetID: t.ID, Organization: t.Organization, Detail: because{reasonRevoked}}
	return s.end(ctx, r, e, func(tx *store.Tx) error { return tx.RevokeAccessToken(ctx, t.ID) })
}

// revokeJWT ends a JWT of ours by its id, which is remembered until it has expired. One
// that is no longer good, or never was, is ended already.
func (s *Server) revokeJWT(ctx context.Context, r *request, text string) error {
	info, reason, err := s.cfg.Authorizer.Token(ctx, text, netip.Addr{})
	switch {
	case err != nil:
		return err
	case reason != cardea.ReasonAllowed || !info.OwnJWT || info.ID == "":
		return nil
	}
	own, err := s.owns(ctx, r, &info)
	if err != nil {
		return err
	}
	if !own {
		return s.guess(r, errNotYours)
	}
	e := store.Event{Action: "token.revoke", TargetType: "token", TargetID: info.ID, Organization: info.Organization, Detail: because{reasonRevoked}}
	return s.end(ctx, r, e, func(tx *store.Tx) error { return tx.RevokeToken(ctx, info.ID, info.ExpiresAt) })
}

// owns reports whether a token was issued to a client. Where the contract's tokens do not
// say to whom, those of a person count as issued to every client that the person gave a
// family of tokens to: whoever has the token can use it, which is more than ending it.
func (s *Server) owns(ctx context.Context, r *request, info *authz.TokenInfo) (bool, error) {
	id := info.Client
	if id == "" && info.Member == "" {
		id = info.Subject
	}
	if id != "" {
		c, err := s.ownedBy(ctx, r, id)
		return c != nil, err
	}
	c := r.caller.client
	families, _, err := s.store.Families(ctx, store.FamilyFilter{Client: c.id(), Member: info.Member, Live: true}, store.Page{Limit: 1})
	return len(families) > 0, err
}
