package oauth

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/token"
)

// assertionType is the one client_assertion_type there is: RFC 7523 §2.2.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// maxAssertion is the longest that an assertion may live. It is made for one request.
const maxAssertion = 5 * time.Minute

// assertionAlgorithms are what clients may sign assertions with.
var assertionAlgorithms = []string{"RS256", "PS256", "ES256", "EdDSA"}

// assertionTypes are the header types of a client's assertion: those written before the
// revision of RFC 7523 say JWT or nothing.
var assertionTypes = []string{"client-authentication+jwt", "JWT", ""}

// errAssertionType refuses assertions that are none.
var errAssertionType = refuse(codeInvalidRequest, "client_assertion_type must be "+assertionType)

// byAssertion authenticates a client by a JWT that it signed: RFC 7523 §3. The
// audience must be ours alone, as one text: an assertion that names several receivers
// can be replayed by each of them at the others.
func (s *Server) byAssertion(ctx context.Context, r *request, p presented) error {
	if r.params.get("client_assertion_type") != assertionType {
		return errAssertionType
	}
	c, claims, err := s.verifyAssertion(ctx, r, p)
	switch {
	case err != nil && isOutage(err):
		return err
	case err != nil:
		return s.guess(r, invalidClient(r))
	}
	first, err := s.firstUse(ctx, "client_assertion", c.id(), claims.ID, claims.Expires)
	if err != nil {
		return err
	}
	if !first {
		return invalidClient(r)
	}
	r.caller = caller{method: contract.PrivateKeyJWT, client: c}
	return nil
}

// errAssertion is the private reason of an assertion that proves nothing.
var errAssertion = errors.New("oauth: the assertion is not good")

// verifyAssertion returns the client that an assertion proves.
func (s *Server) verifyAssertion(ctx context.Context, r *request, p presented) (*client, token.Claims, error) {
	if !slices.Contains(r.methods(), contract.PrivateKeyJWT) {
		return nil, token.Claims{}, errAssertion
	}
	h, claimed, err := token.Peek(p.secret)
	if err != nil {
		return nil, token.Claims{}, err
	}
	// Issuer and subject are the client, and so is client_id where it is sent.
	if claimed.Issuer != claimed.Subject || p.id != "" && p.id != claimed.Issuer {
		return nil, token.Claims{}, errAssertion
	}
	c, err := s.calling(ctx, r, claimed.Issuer)
	if err != nil {
		return nil, token.Claims{}, err
	}
	if c == nil || !c.good(r.now) || !c.admits(r.address) || !c.authenticates(contract.PrivateKeyJWT) {
		return nil, token.Claims{}, errAssertion
	}
	keys, err := s.clientKeys(ctx, c, h.KeyID)
	if err != nil {
		return nil, token.Claims{}, err
	}
	claims, err := token.Verify(p.secret, keys.Find, token.Expect{
		Issuer: c.id(), Audience: s.issuer(r), Audiences: s.audiencesOf(r), SingleAudience: true,
		Types: assertionTypes, Now: r.now, Leeway: assertionLeeway, MaxLifetime: maxAssertion,
	})
	if err == nil && claims.ID == "" {
		err = errAssertion
	}
	return c, claims, err
}

// assertionLeeway is how far the clock of a client may differ from ours.
const assertionLeeway = 30 * time.Second

// issuer returns who we are to those who write us assertions.
func (s *Server) issuer(r *request) string { return r.contract.IssuerURL(r.origin) }

// audiencesOf returns what else assertions may call us: the endpoint's own URL, which the
// first edition of RFC 7523 §3 recommended, and the contract's issuer where it is a bare
// name.
func (s *Server) audiencesOf(r *request) []string {
	out := []string{r.contract.EndpointURL(r.binding.endpoint, r.origin)}
	for _, t := range r.contract.Endpoints().Token {
		out = append(out, r.contract.EndpointURL(&t.Endpoint, r.origin))
	}
	if name := r.contract.Issuer(); name != "" {
		out = append(out, name)
	}
	return out
}

// clientKeys returns the keys that a client registered, by value or by URL.
func (s *Server) clientKeys(ctx context.Context, c *client, kid string) (*token.KeySet, error) {
	if c.JWKSURL == "" {
		return token.ParseKeySet(c.PublicKeys, assertionAlgorithms)
	}
	if s.cfg.Issuers == nil {
		return nil, errUnavailable
	}
	return s.cfg.Issuers.Keys(ctx, token.Source{URL: c.JWKSURL, Algorithms: assertionAlgorithms}, kid)
}

// firstUse remembers a JWT that is good once, until it expires, and reports whether it
// was not used before: across restarts and nodes.
func (s *Server) firstUse(ctx context.Context, purpose, owner, id string, expires time.Time) (bool, error) {
	if id == "" || len(id) > maxTokenID {
		return false, nil
	}
	return s.store.Remember(ctx, purpose, owner+" "+id, expires.Add(token.MaxLeeway))
}

// maxTokenID bounds the ids that others give their tokens, in bytes.
const maxTokenID = 512
