package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/token"
)

// Errors of assertions and subject tokens.
var (
	errNoAssertion  = refuse(codeInvalidRequest, "assertion is missing")
	errBadAssertion = refuse(codeInvalidGrant, "the assertion is not good")
	errAssertedMore = refuse(codeInvalidScope, "the assertion asks for more than the account may have")
)

// findAssertion exchanges a JWT that a service account signed: RFC 7523 §2.1. It is the
// very token that opens routes directly; its audience may be our issuer or the token
// endpoint as well. One that has an id is good once.
func (s *Server) findAssertion(ctx context.Context, r *request) (*ticket, error) {
	text := r.params.get("assertion")
	if text == "" {
		return nil, errNoAssertion
	}
	info, reason, err := s.cfg.Authorizer.Assertion(ctx, text, append(s.audiencesOf(r), s.issuer(r)), r.address)
	if err := granted(reason, err, errBadAssertion); err != nil {
		return nil, err
	}
	if info.Kind != r.contract.AccountKind().Name || info.Environment == nil {
		return nil, errBadAssertion
	}
	said, ok := readAsserted(text)
	if !ok {
		return nil, errBadAssertion
	}
	if !said.within(r.contract, r.contract.Expand(info.Scopes)) {
		return nil, errAssertedMore
	}
	if c := r.caller.client; c != nil && c.Credential.Organization != info.Organization {
		return nil, errBadAssertion // somebody else's account
	}
	t := &ticket{
		terms: r.contract.Tokens().Machine, env: info.Environment, actor: r.actor(actorAccount, info.Credential),
		holder: info.Credential, kind: info.Kind, subject: info.Credential, organization: info.Organization,
		most: info.Scopes, fallback: info.Scopes, notBefore: info.NotBefore,
	}
	if err := s.target(r, t, ""); err != nil {
		return nil, err
	}
	return t, s.once(ctx, &info, &said)
}

// once refuses an assertion that was used before. Only those with a jti can be told
// apart for certain; the others are as good as a key until they expire, which is what
// their contract wants.
func (s *Server) once(ctx context.Context, info *authz.TokenInfo, a *asserted) error {
	if a.ID == "" {
		return nil
	}
	first, err := s.firstUse(ctx, "assertion", info.Credential, info.ID, info.ExpiresAt)
	if err == nil && !first {
		return errBadAssertion
	}
	return err
}

// asserted is what an assertion that was verified says beside who made it.
type asserted struct {
	ID     string         `json:"jti"`
	Scope  jsontext.Value `json:"scope"`
	Scopes jsontext.Value `json:"scopes"`
}

// readAsserted reads the payload of a JWT that was verified.
func readAsserted(text string) (asserted, bool) {
	_, rest, _ := strings.Cut(text, ".")
	payload, _, _ := strings.Cut(rest, ".")
	plain, err := base64.RawURLEncoding.DecodeString(payload)
	var a asserted
	return a, err == nil && json.Unmarshal(plain, &a) == nil
}

// within reports whether the assertion asks for no more than the account has: it is
// refused rather than cut, because whoever signed it believes to get what it says.
func (a *asserted) within(c *contract.Contract, has contract.ScopeSet) bool {
	claim := a.Scopes
	if c.ServiceAccounts().ScopeClaim == "scope" {
		claim = a.Scope
	}
	var names []string
	var text string
	switch claim.Kind() {
	case 0: // everything the account has
	case '"':
		if json.Unmarshal(claim, &text) != nil {
			return false
		}
		names = strings.Fields(text)
	default:
		if json.Unmarshal(claim, &names) != nil {
			return false
		}
	}
	set, unknown := c.ScopeSet(names...)
	return len(unknown) == 0 && has.Contains(set)
}

// granted turns the reason why something presented is not good into an answer; nil when
// it is good.
func granted(reason cardea.Reason, err error, bad error) error {
	if reason == cardea.ReasonScope {
		bad = errAssertedMore
	}
	return answerTo(reason, err, bad)
}

// isOutage reports whether an error says nothing about what was presented: no decision
// was possible.
func isOutage(err error) bool {
	switch cardea.KindOf(err) {
	case cardea.KindUnavailable, cardea.KindStorageFull:
		return true
	}
	return isBusy(err)
}

// isBusy reports whether trying again in a moment is worth it.
func isBusy(err error) bool {
	return errors.Is(err, token.ErrBusy) || errors.Is(err, token.ErrFetch) || errors.Is(err, context.DeadlineExceeded)
}
