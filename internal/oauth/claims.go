package oauth

import (
	"strings"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/token"
)

// claims returns the claims of an access token in the order that pages print them: iss,
// sub, aud, exp, iat, scope, what the contract maps, and then who it was issued to and
// its id where the contract has them. There is nothing else, but for what the caller
// asked for itself: a proof of possession, an exchange.
func (t *ticket) claims(c *contract.Contract, id string, issuedAt, expires time.Time, plan string) []token.Member {
	names := c.ScopeNames(t.scopes.set)
	if names == nil {
		names = []string{} // an empty array, not null
	}
	var scope any = strings.Join(names, " ")
	if t.terms.ScopeClaim == "scopes" {
		scope = names
	}
	out := []token.Member{
		{Name: "iss", Value: t.terms.Issuer},
		{Name: "sub", Value: t.subject},
		{Name: "aud", Value: t.terms.Audience},
		{Name: "exp", Value: expires.Unix()},
		{Name: "iat", Value: issuedAt.Unix()},
		{Name: t.terms.ScopeClaim, Value: scope},
	}
	for _, claim := range t.terms.Claims {
		if value := t.fact(claim.Fact, strings.Join(names, " "), plan); value != "" {
			out = append(out, token.Member{Name: claim.Name, Value: value})
		}
	}
	if t.terms.ClientIDClaim != "" && t.holder != "" {
		out = append(out, token.Member{Name: t.terms.ClientIDClaim, Value: t.holder})
	}
	if t.terms.IDClaim != "" {
		out = append(out, token.Member{Name: t.terms.IDClaim, Value: id})
	}
	if t.proof != "" {
		out = append(out, token.Member{Name: "cnf", Value: map[string]string{"jkt": t.proof}}) // RFC 9449 §6.1
	}
	if t.act != "" {
		out = append(out, token.Member{Name: "act", Value: map[string]string{"sub": t.act}}) // RFC 8693 §4.1
	}
	return out
}

// fact returns a fact about whom the token is for, "" when it is not known or is one
// about a request, which a token outlives.
func (t *ticket) fact(f contract.Fact, scopes, plan string) string {
	switch f {
	case contract.FactOrganization:
		return t.organization
	case contract.FactSubject:
		return t.subject
	case contract.FactMember:
		return t.member
	case contract.FactCredential:
		return t.holder
	case contract.FactKind:
		return t.kind
	case contract.FactScopes:
		return scopes
	case contract.FactEnvironment:
		return t.env.Name
	case contract.FactPlan:
		return plan
	}
	return ""
}

// needsPlan reports whether a claim names the organization's plan.
func (t *ticket) needsPlan() bool {
	for _, claim := range t.terms.Claims {
		if claim.Fact == contract.FactPlan {
			return true
		}
	}
	return false
}
