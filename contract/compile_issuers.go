package contract

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/internal/condition"
	"github.com/cardea-dev/cardea/internal/strictyaml"
)

// checkIssuer reports an issuer that looks like a URL and is not a good one. A bare
// name is allowed: pages print those too.
func (k *compiler) checkIssuer(t text) {
	if !t.given || !strings.Contains(t.value, "://") {
		return
	}
	u, err := url.Parse(t.value)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		k.r.Errorf(t.pos, "an issuer has no query, fragment or user (RFC 8414 §2)")
		return
	}
	if u.Scheme != "https" && !loopback(u.Hostname()) {
		k.r.Errorf(t.pos, "an issuer's URL begins with https:// (RFC 8414 §2)")
	}
}

// issuers compiles whose tokens are accepted besides Cardea's own. An iss names one
// issuer only, so that keys of one can never vouch for tokens of another.
func (k *compiler) issuers() {
	seen := map[string]int{}
	for _, e := range k.d.Issuers.entries {
		k.name(e.key, "a trusted issuer")
		i := k.trustedIssuer(e)
		if line, taken := seen[i.Issuer]; taken {
			k.r.Errorf(e.value.Issuer.pos, "two trusted issuers have the same iss").
				Suggest("the other is on line %d; keys belong to one issuer", line)
		}
		if i.Issuer == k.c.issuer && i.Issuer != "" {
			k.r.Errorf(e.value.Issuer.pos, "this is the contract's own issuer")
		}
		seen[i.Issuer] = e.value.Issuer.Line
		k.c.trustedIssuers = append(k.c.trustedIssuers, i)
	}
	if v := k.d.OwnIssuers; v != nil {
		k.c.organizationIssuers = &OrganizationIssuers{
			PerEnvironment: v.Per.value == "environment", Algorithms: algorithms(v.Algorithms),
			ScopeClaim: v.ScopeClaim.or("scope"), Scopes: k.scopeSet(v.Scopes), DefaultScopes: k.scopeSet(v.Default), Line: v.Line,
		}
		k.within(v.Default, k.c.organizationIssuers.Scopes, "these issuers' tokens")
	}
	k.c.ipListPer = IPListPer(k.d.IPLists.Per.value)
	if k.d.IPLists.Line > 0 && !k.d.IPLists.Per.given {
		k.c.ipListPer = IPListPerCredential
	}
}

// trustedIssuer compiles one issuer. Audience, algorithms and a ceiling of scopes are
// always set: what an issuer may do is the contract's choice and never the token's.
func (k *compiler) trustedIssuer(e entry[trustedIssuerDoc]) *TrustedIssuer {
	v := e.value
	i := &TrustedIssuer{
		Name: e.key.value, Issuer: v.Issuer.value, JWKS: v.JWKS.value, Audience: v.Audience.or(k.c.audience),
		Algorithms: algorithms(v.Algorithms), Environments: k.environmentSet(v.Environments),
		ScopeClaim: v.ScopeClaim.or("scope"), Scopes: k.scopeSet(v.Scopes), DefaultScopes: k.scopeSet(v.Default),
		Claims: k.readClaims(v.Claims), PlanClaim: v.PlanClaim.value,
		MaxLifetime: k.duration(v.MaxLifetime, 24*time.Hour), InsecurePrivateJWKS: v.Private.value, Line: e.key.Line,
	}
	k.within(v.Default, i.Scopes, "this issuer's tokens")
	if i.Audience == "" && v.Line > 0 {
		k.r.Errorf(v.pos, "without an audience, tokens meant for others would be accepted").Suggest("add audience:")
	}
	if u := k.httpURL(v.JWKS); u != nil && !i.InsecurePrivateJWKS {
		switch {
		case u.Scheme != "https":
			k.r.Errorf(v.JWKS.pos, "whoever changes this key set on its way can sign any token").Suggest("use https://")
		case private(u.Hostname()):
			k.r.Errorf(v.JWKS.pos, "this key set is on a private address").Suggest("set insecure_private_jwks: true if that is meant")
		}
	}
	return i
}

// readFacts are what a foreign token may say about its holder. Its scopes have a
// setting of their own; everything else Cardea knows better.
var readFacts = []Fact{FactSubject, FactOrganization, FactMember, FactPlan, FactEnvironment}

// readClaims compiles where facts are in the tokens of somebody else.
func (k *compiler) readClaims(v claimsDoc) []Claim {
	var out []Claim
	for _, e := range v.entries {
		if fact := Fact(e.value.value); slices.Contains(readFacts, fact) {
			out = append(out, Claim{Name: e.key.value, Fact: fact})
		} else if e.value.given {
			k.r.Errorf(e.value.pos, "a foreign token cannot say %s", quote(e.value.value)).
				DidYouMean(e.value.value, []string{"subject", "organization", "member", "plan", "environment"})
		}
	}
	return out
}

// hooks compiles the questions asked before a request goes on. A hook that fails or is
// late refuses, which is why the time it may take is bounded here.
func (k *compiler) hooks() {
	for _, v := range k.d.Hooks.items {
		h := &Hook{
			Match: v.Match.value, OnlyUncredential: v.When.value == "no_credential",
			URL: v.URL.value, CEL: v.CEL.value, Timeout: k.positive(v.Timeout, time.Second), Line: v.Line,
		}
		if h.Timeout > 30*time.Second {
			k.r.Errorf(v.Timeout.pos, "a hook holds up every request it is asked about; 30s is the most")
		}
		if v.Match.given {
			if p, err := parsePattern(v.Match.value); err != nil {
				k.r.Errorf(v.Match.pos, "%s", err.Error())
			} else {
				h.table.add(p, &Route{})
			}
		}
		switch {
		case v.URL.given && v.CEL.given:
			k.r.Errorf(v.CEL.pos, "a hook is asked by URL or decided by CEL, not both")
		case v.URL.Line == 0 && v.CEL.Line == 0 && v.Line > 0:
			k.r.Errorf(v.pos, "nothing says whom to ask").Suggest("add url: or cel:")
		}
		h.Condition = k.condition(v.CEL)
		if u := k.httpURL(v.URL); u != nil && u.Scheme == "http" && !loopback(u.Hostname()) {
			k.r.Errorf(v.URL.pos, "whoever changes this hook's answer on its way decides").Suggest("use https://, or loopback")
		}
		k.c.hooks = append(k.c.hooks, h)
	}
}

// condition compiles an expression, reporting a mistake at its place inside the text.
func (k *compiler) condition(v source) *condition.Condition {
	if !v.given {
		return nil
	}
	c, err := condition.Compile(v.value)
	if err == nil {
		return c
	}
	at := v.pos
	var e *condition.Error
	if errors.As(err, &e) {
		at = v.at(k.r, e.Offset)
	}
	k.r.Errorf(at, "%s", strictyaml.PrintableText(err.Error()))
	return nil
}
