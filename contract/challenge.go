package contract

import (
	"net/http"
	"strings"

	"github.com/cardea-dev/cardea"
)

// A challenge is what WWW-Authenticate says with a refusal (RFC 9110 §11.6.1). Its zero
// value says nothing.
type challenge struct {
	schemes []string // one challenge for each scheme, as far as it is known in advance
	scope   bool     // the scopes that would do are added (RFC 6750 §3)
	agents  bool     // the address of the API's metadata is added (RFC 9728 §5.1)
}

// challenge compiles the challenge of a reason: every 401 has one; a refusal says why
// unless nothing was sent (RFC 6750 §3.1). Where clients prove possession of a key,
// that scheme is offered too (RFC 9449 §7.1).
func (k *compiler) challenge(reason cardea.Reason, status int) challenge {
	code := challengeError(reason, status)
	if code == "" && status != http.StatusUnauthorized {
		return challenge{}
	}
	realm := ` realm="` + realm(k.c.product) + `"`
	if code != "" {
		code = `, error="` + code + `"`
	}
	c := challenge{agents: k.c.endpoints.Resource != nil}
	for _, scheme := range k.challengeSchemes() {
		text := scheme + realm + code
		if scheme == "DPoP" {
			text += `, algs="` + strings.Join(proofAlgorithms, " ") + `"`
		}
		c.schemes = append(c.schemes, text)
	}
	c.scope = reason == cardea.ReasonScope ||
		reason == cardea.ReasonMissingCredential && len(k.c.endpoints.Token) > 0
	return c
}

// challengeError returns the error code of a challenge, "" when no credential was sent
// or when the refusal has none.
func challengeError(reason cardea.Reason, status int) string {
	switch {
	case reason == cardea.ReasonScope && status == http.StatusForbidden:
		return "insufficient_scope"
	case reason == cardea.ReasonMissingCredential:
		return ""
	case status == http.StatusBadRequest &&
		(reason == cardea.ReasonMalformedCredential || reason == cardea.ReasonSeveralCredentials):
		return "invalid_request"
	case status == http.StatusUnauthorized:
		return "invalid_token"
	}
	return ""
}

// challengeSchemes returns the authentication schemes that a challenge offers. With
// dpop: required, Bearer is offered only if something else than a client's token is
// sent by it.
func (k *compiler) challengeSchemes() []string {
	bearer := k.presentation("Authorization", "Bearer")
	if bearer == nil && len(k.c.presentations) > 0 {
		return []string{"ApiKey"}
	}
	switch c := k.c.clients; {
	case c == nil || c.DPoP == DPoPOff:
		return []string{"Bearer"}
	case c.DPoP == DPoPRequired && bearer != nil && len(bearer.Kinds) == 0 &&
		k.c.serviceAccounts == nil && len(k.c.trustedIssuers) == 0 && k.c.organizationIssuers == nil:
		return []string{"DPoP"}
	}
	return []string{"Bearer", "DPoP"}
}

// render completes the challenge with what the request decides.
func (c challenge) render(of *Contract, v Vars) []string {
	more := ""
	if c.scope && !v.Scopes.IsEmpty() {
		more = `, scope="` + strings.Join(of.ScopeNames(v.Scopes), " ") + `"`
	}
	if c.agents {
		if at := of.EndpointURL(of.endpoints.Resource, v.Origin); strings.Contains(at, "://") {
			more += `, resource_metadata="` + at + `"`
		}
	}
	if more == "" {
		return c.schemes
	}
	out := make([]string, len(c.schemes))
	for i, s := range c.schemes {
		out[i] = s + more
	}
	return out
}

// realm makes a product's name fit for a quoted string of printable ASCII.
func realm(product string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, product)
}
