package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Errors of authorization codes. Which of the things that are bound to a code was wrong
// is nobody's business but the operator's.
var (
	errNoCode          = refuse(codeInvalidRequest, "code is missing")
	errCode            = refuse(codeInvalidGrant, "the code is not good for this request")
	errRedirectMissing = refuse(codeInvalidRequest, "redirect_uri is missing")
)

// maxCredential bounds codes and refresh tokens that are looked at, in bytes.
const maxCredential = 512

// findCode exchanges an authorization code: RFC 6749 §4.1.3. Everything the code is bound
// to is compared before it is used up, so that a stranger who got hold of it cannot spoil
// it; a code that was used already takes its tokens with it (§4.1.2).
func (s *Server) findCode(ctx context.Context, r *request) (*ticket, error) {
	text := r.params.get("code")
	if text == "" {
		return nil, errNoCode
	}
	hash := secret.HashOf(text)
	code, err := s.store.Code(ctx, hash)
	if err := s.known(r, text, err, errCode); err != nil {
		return nil, err
	}
	if err := s.own(ctx, r, code.Client, errCode); err != nil {
		return nil, err
	}
	if !code.UsedAt.IsZero() {
		return nil, s.replayed(ctx, r, code.Family, reasonCodeReplayed, errCode)
	}
	if !r.now.Before(code.ExpiresAt) {
		return nil, errCode
	}
	if err := r.checkRedirect(&code); err != nil {
		return nil, err
	}
	if !proves(code.Challenge, r.params.get("code_verifier"), r.caller.method == contract.ClientNone) {
		return nil, s.guess(r, errCode)
	}
	t, err := s.personal(ctx, r, personal{
		member: code.Member, organization: code.Organization, environment: code.Environment, consent: code.Consent,
		scopes: code.Scopes, resource: code.Resource, authTime: code.AuthTime,
	}, errCode)
	if err != nil {
		return nil, err
	}
	t.bound, t.nonce = code.DPoP, code.Nonce
	t.fixed, t.refresh = true, r.refreshes()
	t.spend = func(ctx context.Context, tx *store.Tx, i *issued) (outcome, error) {
		used, first, err := tx.ConsumeCode(ctx, hash, i.family)
		if err != nil || first {
			return outcome{}, err
		}
		return outcome{answer: errCode}, endFamily(ctx, tx, r.contract, used.Family, reasonCodeReplayed)
	}
	return t, nil
}

// own refuses what was issued to another client than the one that asks, with bad. From
// then on the caller is the client that it was issued to.
func (s *Server) own(ctx context.Context, r *request, id string, bad error) error {
	c, err := s.ownedBy(ctx, r, id)
	switch {
	case err != nil:
		return err
	case c == nil:
		return s.guess(r, bad)
	}
	r.caller.client = c
	return nil
}

// known turns the error of looking up something presented into an answer. What does not
// exist counts as an attempt to guess.
func (s *Server) known(r *request, text string, err, bad error) error {
	if len(text) > maxCredential || missing(err) {
		return s.guess(r, bad)
	}
	return err
}

// checkRedirect compares redirect_uri with that of the authorization request, which may
// have had none: then there is none here either. It may be left out where a code
// challenge does its work (OAuth 2.1 §10.2).
func (r *request) checkRedirect(code *store.Code) error {
	switch given := r.params.get("redirect_uri"); {
	case given == code.RedirectURI:
		return nil
	case given == "" && code.Challenge == "":
		return errRedirectMissing
	case given == "":
		return nil
	}
	return errCode
}

// proves reports whether a code verifier is the one of a challenge: RFC 7636 §4.6, S256
// alone. A verifier without a challenge is refused: somebody took the challenge out of
// the authorization request (RFC 9700 §4.8.2). A public client must have sent one.
func proves(challenge, verifier string, required bool) bool {
	if challenge == "" {
		return verifier == "" && !required
	}
	if !isVerifier(verifier) {
		return false
	}
	sum := sha256.Sum256([]byte(verifier))
	derived := base64.RawURLEncoding.EncodeToString(sum[:])
	return subtle.ConstantTimeCompare([]byte(derived), []byte(challenge)) == 1
}

// isVerifier reports whether s has the form of a code verifier: RFC 7636 §4.1.
func isVerifier(s string) bool {
	if len(s) < 43 || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("-._~", c) < 0 {
			return false
		}
	}
	return true
}
