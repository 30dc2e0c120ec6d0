package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// idTokenInput is what an ID token tells: OpenID Connect Core §2.
type idTokenInput struct {
	Client      string    // the credential that it is issued to
	Subject     string    // the member's id
	Nonce       string    // of the authorization request; "" none
	AuthTime    time.Time // when the person proved who they are
	AccessToken string    // issued with it
	Environment string
	IssuedAt    time.Time

	Scopes []string     // granted
	Member store.Member // the person
}

// idTokenType is the header's typ. It is not that of access tokens of new contracts, and
// the audience, a client, is that of no API.
const idTokenType = "JWT"

// idToken makes an ID token. Its issuer is the one that metadata names, also where the
// contract's access tokens carry a bare name: clients compare it with what they
// discovered (§3.1.3.7).
func (s *Server) idToken(ctx context.Context, r *request, in idTokenInput) (string, error) {
	terms := r.contract.Tokens().ID
	audience, err := s.wireID(ctx, r, in.Client)
	if err != nil {
		return "", err
	}
	key, err := s.cfg.Keys.Current(ctx, in.Environment, terms.Algorithm)
	if err != nil {
		return "", err
	}
	key.Type, key.KeyID = idTokenType, true
	now := in.IssuedAt.Truncate(time.Second)
	claims := []token.Member{
		{Name: "iss", Value: s.issuer(r)},
		{Name: "sub", Value: in.Subject},
		{Name: "aud", Value: audience},
		{Name: "exp", Value: now.Add(terms.Lifetime).Unix()},
		{Name: "iat", Value: now.Unix()},
	}
	if !in.AuthTime.IsZero() {
		claims = append(claims, token.Member{Name: "auth_time", Value: in.AuthTime.Unix()})
	}
	if in.Nonce != "" {
		claims = append(claims, token.Member{Name: "nonce", Value: in.Nonce})
	}
	if hash := accessTokenHash(terms.Algorithm, in.AccessToken); hash != "" {
		claims = append(claims, token.Member{Name: "at_hash", Value: hash})
	}
	return s.cfg.Keys.Signer().Sign(ctx, key, claims)
}

// wireID returns the name by which a client knows itself: that of a metadata document is
// the document's address.
func (s *Server) wireID(ctx context.Context, r *request, id string) (string, error) {
	c, err := s.client(ctx, r.contract, id)
	if err != nil {
		return "", err
	}
	if c != nil && c.MetadataURL != "" {
		return c.MetadataURL, nil
	}
	return id, nil
}

// accessTokenHash returns at_hash (§3.1.3.6), "" for EdDSA, of which the standard does
// not say what hash it takes; the claim is optional.
func accessTokenHash(algorithm, text string) string {
	if text == "" || algorithm != "RS256" && algorithm != "ES256" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
