package oauth

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/authz"
)

// A caller is who a request to an endpoint comes from: a client, or the holder of a key
// that is exchanged.
type caller struct {
	method contract.ClientAuthentication
	client *client           // nil for a key
	key    *contract.KeyKind // nil for a client
	who    authz.Identity    // of a key or of a client with a secret
}

// id returns the id of the caller's credential.
func (c *caller) id() string {
	if c.client != nil {
		return c.client.id()
	}
	return c.who.Credential
}

// organization returns the caller's organization.
func (c *caller) organization() string {
	if c.client != nil {
		return c.client.Credential.Organization
	}
	return c.who.Organization
}

// A presented is how a request says who sends it.
type presented struct {
	method contract.ClientAuthentication
	id     string
	secret string // a secret, a key or an assertion
	raw    string // of Basic: the secret without percent-decoding
	rawID  string
}

// Errors of client authentication. An unknown client, a wrong secret and a revoked
// client are answered alike.
var (
	errTwoMethods = refuse(codeInvalidRequest, "more than one way to authenticate was used")
	errNoClient   = refuse(codeInvalidRequest, "client_id is missing")
	errTwoClients = refuse(codeInvalidRequest, "client_id is not the client that authenticates")
)

// invalidClient is the answer to every failed authentication: RFC 6749 §5.2.
func invalidClient(r *request) error {
	e := &Error{Code: codeInvalidClient, Description: "client authentication failed", status: http.StatusUnauthorized}
	e.basic = r.Header.Get("Authorization") != "" && slices.Contains(r.methods(), contract.ClientSecretBasic)
	return e
}

// guess counts an attempt that failed at the client's address and returns what to answer:
// bad, or that there were too many. What is right passes from everywhere.
func (s *Server) guess(r *request, bad error) error {
	exceeded := s.cfg.Authorizer.Exceeded(r.address)
	s.cfg.Authorizer.Refused(r.address)
	if exceeded {
		return errThrottled
	}
	return bad
}

// methods returns the ways to authenticate that the endpoint takes.
func (r *request) methods() []contract.ClientAuthentication {
	if t := r.binding.token; t != nil {
		return t.Authentication
	}
	if c := r.contract.Clients(); c != nil {
		return c.Authentication
	}
	return nil
}

// authenticate finds out who sends the request and fills in r.caller: step 2 of the
// pipeline, for every endpoint that clients call.
func (s *Server) authenticate(ctx context.Context, r *request) error {
	p, err := r.presented()
	if err != nil {
		return err
	}
	switch p.method {
	case contract.ClientSecretBasic, contract.ClientSecretPost:
		return s.bySecret(ctx, r, p)
	case contract.PrivateKeyJWT:
		return s.byAssertion(ctx, r, p)
	case contract.ClientBearer:
		return s.byKey(ctx, r, p)
	}
	return s.byName(ctx, r, p)
}

// presented collects what a request presents. Two ways at once are refused: the one that
// is checked must be the only one there is (RFC 6749 §2.3).
func (r *request) presented() (presented, error) {
	var found []presented
	if r.Header["Authorization"] != nil {
		p, err := r.header()
		if err != nil {
			return presented{}, err
		}
		found = append(found, p)
	}
	id := r.params.get("client_id")
	if text := r.params.get("client_secret"); text != "" {
		found = append(found, presented{method: contract.ClientSecretPost, id: id, secret: text})
	}
	if text := r.params.get("client_assertion"); text != "" || r.params.get("client_assertion_type") != "" {
		found = append(found, presented{method: contract.PrivateKeyJWT, id: id, secret: text})
	}
	switch {
	case len(found) > 1:
		return presented{}, errTwoMethods
	case len(found) == 0:
		return presented{method: contract.ClientNone, id: id}, nil
	case id != "" && found[0].id != "" && id != found[0].id && id != found[0].rawID:
		return presented{}, errTwoClients
	}
	return found[0], nil
}

// header reads the Authorization header.
func (r *request) header() (presented, error) {
	values := r.Header["Authorization"]
	if len(values) != 1 {
		return presented{}, errTwoMethods
	}
	scheme, rest, _ := strings.Cut(values[0], " ")
	rest = strings.TrimLeft(rest, " ")
	switch {
	case strings.EqualFold(scheme, "basic"):
		p, ok := parseBasic(rest)
		if !ok {
			return presented{}, invalidClient(r)
		}
		return p, nil
	case strings.EqualFold(scheme, "bearer") && rest != "":
		return presented{method: contract.ClientBearer, secret: rest}, nil
	}
	return presented{}, invalidClient(r)
}

// maxBasic bounds the Basic credentials, in bytes.
const maxBasic = 8 << 10

// parseBasic reads Basic credentials. RFC 6749 §2.3.1 has id and secret percent-encoded
// before they are joined, and half of the clients do not do that, so both readings are
// returned.
func parseBasic(text string) (presented, bool) {
	if len(text) > maxBasic {
		return presented{}, false
	}
	plain, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || checkText(string(plain)) != nil {
		return presented{}, false
	}
	id, secret, ok := strings.Cut(string(plain), ":")
	if !ok || id == "" || secret == "" {
		return presented{}, false
	}
	p := presented{method: contract.ClientSecretBasic, id: id, secret: secret, rawID: id, raw: secret}
	decodedID, err1 := url.QueryUnescape(id)
	decodedSecret, err2 := url.QueryUnescape(secret)
	if err1 == nil && err2 == nil {
		p.id, p.secret = decodedID, decodedSecret
	}
	return p, true
}

// bySecret authenticates a client by its secret. The secret says by itself whose it is;
// the client that the request names must be that one.
func (s *Server) bySecret(ctx context.Context, r *request, p presented) error {
	err := s.checkSecret(ctx, r, p.method, p.id, p.secret)
	if err != nil && p.raw != "" && (p.raw != p.secret || p.rawID != p.id) && asError(err).Code == codeInvalidClient {
		// As the text stands. That accepts no more than one secret: both readings are
		// looked up in whole.
		err = s.checkSecret(ctx, r, p.method, p.rawID, p.raw)
	}
	return err
}

// checkSecret authenticates a client by one reading of id and secret.
func (s *Server) checkSecret(ctx context.Context, r *request, method contract.ClientAuthentication, id, text string) error {
	if !slices.Contains(r.methods(), method) {
		return invalidClient(r)
	}
	who, reason, err := s.cfg.Authorizer.Secret(ctx, text, r.contract.ClientKind(), r.address)
	if err := refused(r, reason, err); err != nil {
		return err
	}
	if who.Credential != id {
		return s.guess(r, invalidClient(r))
	}
	c, err := s.client(ctx, r.contract, who.Credential)
	switch {
	case err != nil:
		return err
	case c == nil || !c.good(r.now) || !c.authenticates(method):
		return invalidClient(r)
	}
	r.caller = caller{method: method, client: c, who: who}
	return nil
}

// byKey authenticates whoever exchanges a key.
func (s *Server) byKey(ctx context.Context, r *request, p presented) error {
	if r.binding.token == nil || !slices.Contains(r.methods(), contract.ClientBearer) {
		return invalidClient(r)
	}
	for _, kind := range r.exchanged() {
		if !looksLike(kind, p.secret) {
			continue
		}
		who, reason, err := s.cfg.Authorizer.Secret(ctx, p.secret, kind, r.address)
		if err == nil && reason == cardea.ReasonInvalidCredential {
			continue // it may be of the next kind
		}
		if err := refused(r, reason, err); err != nil {
			return err
		}
		r.caller = caller{method: p.method, key: kind, who: who}
		return nil
	}
	return s.guess(r, invalidClient(r))
}

// exchanged returns the kinds of key that the endpoint exchanges; the one that the
// request's grant_type names comes first.
func (r *request) exchanged() []*contract.KeyKind {
	var kinds []*contract.KeyKind
	if named := r.sent(); named != nil && named.Kind != nil {
		kinds = append(kinds, named.Kind)
	}
	for _, g := range r.binding.token.Grants {
		if g.Kind != nil && !slices.Contains(kinds, g.Kind) {
			kinds = append(kinds, g.Kind)
		}
	}
	return kinds
}

// looksLike reports whether a text has the prefix of a kind of key.
func looksLike(kind *contract.KeyKind, text string) bool {
	if kind.Shape != contract.ShapePrefix {
		return true
	}
	return slices.ContainsFunc(kind.Prefixes, func(prefix string) bool {
		return prefix != "" && strings.HasPrefix(text, prefix)
	})
}

// readForm is how endpoints begin whose form says which client it is from: the
// parameters are read once, and the client is authenticated.
func (s *Server) readForm(ctx context.Context, r *request) (err error) {
	if r.params, err = readParams(r.Request, false); err != nil {
		return err
	}
	return s.authenticate(ctx, r)
}

// refused turns the reason why a secret is not good into an answer; nil when it is good.
func refused(r *request, reason cardea.Reason, err error) error {
	if err == nil && reason == cardea.ReasonAllowed {
		return nil // without making an error for everybody who is let in
	}
	return answerTo(reason, err, invalidClient(r))
}

// answerTo turns what was decided about something presented into an answer: nil when it
// is good, bad when it is not.
func answerTo(reason cardea.Reason, err, bad error) error {
	switch {
	case err != nil:
		return err
	case reason == cardea.ReasonAllowed:
		return nil
	case reason == cardea.ReasonRateLimited:
		return errThrottled
	case reason == cardea.ReasonUnavailable:
		return errUnavailable
	}
	return bad
}

// errUnavailable: no decision is possible now.
var errUnavailable = cardea.Errorf(cardea.KindUnavailable, "no decision is possible")

// byName takes a public client at its word: RFC 6749 §2.1.
func (s *Server) byName(ctx context.Context, r *request, p presented) error {
	if p.id == "" {
		if r.alone() {
			return nil
		}
		return errNoClient
	}
	c, err := s.calling(ctx, r, p.id)
	if err != nil {
		return err
	}
	if c == nil || !c.good(r.now) || !c.admits(r.address) || !c.authenticates(contract.ClientNone) {
		return s.guess(r, invalidClient(r))
	}
	r.caller = caller{method: contract.ClientNone, client: c}
	return nil
}
