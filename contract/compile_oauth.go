package contract

import (
	"slices"
	"time"

	"github.com/cardea-dev/cardea"
)

// oauth compiles clients, tokens and endpoints. Most of what it refuses is what the
// standards call a mistake of deployments: RFC 9700 lists them.
func (k *compiler) oauth() {
	k.clients()
	k.accounts()
	k.tokens()
	k.endpoints()
}

// clients compiles what the contract says about OAuth clients. Code challenges are
// required unless the contract relaxes that, and never relaxed for public clients.
func (k *compiler) clients() {
	v := k.d.Clients
	if v == nil {
		return
	}
	c := &Clients{
		Label: v.Label.or("OAuth application"), Public: v.Public.value, PKCE: PKCE(v.PKCE.or(string(PKCERequired))),
		RevealAlways: v.Secret.Reveal.value == "always",
		Scopes:       k.scopeSetOr(v.Scopes, k.c.AllScopes()), DefaultScopes: k.scopeSet(v.DefaultScopes),
		CreatedBy:   roles(v.CreatedBy, cardea.RoleOwner, cardea.RoleAdmin),
		MaxPerOwner: v.MaxPerOwner.value, Line: v.Line,
		DPoP: DPoP(v.DPoP.or(string(DPoPOff))), MetadataDocuments: v.Documents.value,
		ConsentLifetime: k.positive(v.Consent, 0),
	}
	c.Plural = v.Plural.or(c.Label + "s")
	k.within(v.DefaultScopes, c.Scopes, "clients")
	for _, g := range v.Grants.items {
		c.Grants = append(c.Grants, Grant(g.value))
	}
	usual := []ClientAuthentication{ClientSecretPost, ClientSecretBasic}
	if c.Public {
		usual = append(usual, ClientNone)
	}
	c.Authentication = authentications(v.Authentication, usual...)
	if none := slices.Contains(c.Authentication, ClientNone); none != c.Public {
		p := k.r.Errorf(v.Authentication.pos, "only public clients authenticate by none, and public clients by nothing else")
		if none {
			p.Suggest("set public: true, or remove none")
		} else {
			p.Suggest("add none, or remove public")
		}
	}
	k.checkClients(v, c)
	c.SecretPrefixes = k.tokenPrefix(v.Secret.Prefix, v.pos, "cs_", "client secrets")
	if c.Public && c.PKCE == PKCEOptional {
		k.r.Errorf(v.PKCE.pos, "public clients must send a code challenge (RFC 9700 §2.1.1)").
			Suggest("write pkce: public_only")
	}
	k.c.clients = c
}

// checkClients reports settings of clients that contradict each other.
func (k *compiler) checkClients(v *clientsDoc, c *Clients) {
	signed := slices.Contains(c.Authentication, PrivateKeyJWT)
	if c.MetadataDocuments && (!c.Public && !signed || !hasGrant(c.Grants, GrantAuthorizationCode)) {
		k.r.Errorf(v.Documents.pos, "clients that nobody registered have no secret, and act for people").
			Suggest("add authorization_code to grants, and public: true or private_key_jwt")
	}
	renews := hasGrant(c.Grants, GrantAuthorizationCode) || hasGrant(c.Grants, GrantDeviceCode)
	if hasGrant(c.Grants, GrantRefreshToken) && !renews {
		k.r.Errorf(v.Grants.pos, "no grant of these gives a refresh token").Suggest("add authorization_code or device_code")
	}
	if c.ConsentLifetime > 0 && !renews {
		k.r.Errorf(v.Consent.pos, "nobody is asked for consent").Suggest("add authorization_code or device_code to grants")
	}
}

// authentications returns the ways a list names, the fallback when it is not given.
func authentications(l list[text], fallback ...ClientAuthentication) []ClientAuthentication {
	if !l.given {
		return fallback
	}
	var out []ClientAuthentication
	for _, t := range l.items {
		out = append(out, ClientAuthentication(t.value))
	}
	return out
}

// tokenPrefix compiles the prefix of a secret that is not a key. One prefix may serve
// all environments: what the secret belongs to is looked up anyway.
func (k *compiler) tokenPrefix(v perEnvironment, section pos, fallback, what string) []string {
	out := make([]string, len(k.c.environments))
	if !v.by.given {
		t := v.all
		if !t.given {
			t = newText(section, fallback)
		}
		k.usePrefix(t, what, "")
		for i := range out {
			out[i] = t.value
		}
		return out
	}
	for i, t := range k.spread(v) {
		if !t.given {
			k.r.Errorf(v.by.pos, "the prefix for the environment %s is missing", quote(k.c.environments[i].Name))
			continue
		}
		k.usePrefix(t, what, k.c.environments[i].Name)
		out[i] = t.value
	}
	return out
}

// accounts compiles service accounts. Their tokens are made without Cardea, so that the
// longest life is the only bound on one that leaks.
func (k *compiler) accounts() {
	v := k.d.Accounts
	if v == nil {
		return
	}
	a := &ServiceAccounts{
		Label: v.Label.or("Service account"), File: v.File.or("service-account.json"),
		MaxLifetime: k.positive(v.MaxLifetime, 0), Algorithms: algorithms(v.Algorithms),
		Issuer: v.Issuer.or(k.c.issuer), Audience: v.Audience.or(k.c.audience),
		ScopeClaim: v.ScopeClaim.or("scope"), Claims: k.claims(v.Claims),
		Scopes: k.scopeSetOr(v.Scopes, k.c.AllScopes()), Line: v.Line,
	}
	k.checkIssuer(v.Issuer)
	if a.Issuer == "" || a.Audience == "" {
		k.r.Errorf(v.pos, "their tokens need issuer and audience").Suggest("add issuer: and audience: to the contract")
	}
	if a.MaxLifetime > maxSelfSigned {
		k.r.Errorf(v.MaxLifetime.pos, "tokens that their holder signs must be short-lived; %s is too long",
			v.MaxLifetime.value).Suggest("use at most %s", Period{Duration: maxSelfSigned})
	}
	k.c.serviceAccounts = a
}

// maxSelfSigned bounds tokens that Cardea learns of only when they are used.
const maxSelfSigned = 24 * time.Hour

// algorithms returns the signing algorithms a list names, RS256 when it is not given:
// the one every library has. Symmetric ones and none are not among the words.
func algorithms(l list[text]) []string {
	if !l.given {
		return []string{"RS256"}
	}
	var out []string
	for _, t := range l.items {
		out = append(out, t.value)
	}
	return out
}

// registered are claims whose values Cardea sets itself (RFC 7519 §4.1).
var registered = []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "scopes", "client_id", "cnf"}

// claims compiles extra claims. Those that Cardea sets itself cannot be mapped: a
// contract must not be able to say who signed or when a token ends.
func (k *compiler) claims(v claimsDoc) []Claim {
	var out []Claim
	known := make([]string, len(forwardFacts))
	for i, f := range forwardFacts {
		known[i] = string(f)
	}
	for _, e := range v.entries {
		if _, reserved := find(registered, e.key.value); reserved {
			k.r.Errorf(e.key.pos, "the claim %s cannot be mapped: Cardea sets it", quote(e.key.value))
			continue
		}
		if _, ok := find(known, e.value.value); !ok && e.value.given {
			k.r.Errorf(e.value.pos, "unknown fact %s", quote(e.value.value)).DidYouMean(e.value.value, known)
			continue
		}
		out = append(out, Claim{Name: e.key.value, Fact: Fact(e.value.value)})
	}
	return out
}

// tokens compiles the issued tokens. Machine and user tokens say only how they differ
// from access, since on most pages they do not.
func (k *compiler) tokens() {
	v := k.d.Tokens
	base := v.Access
	switch {
	case base == nil && (v.Machine != nil || v.User != nil):
		at := v.Machine
		if at == nil {
			at = v.User
		}
		k.r.Errorf(at.pos, "this says how tokens differ from access, which is missing").Suggest("add access: {format: jwt, lifetime: 1h}")
		return
	case base != nil:
		k.c.tokens.Machine = k.accessToken(merge(*base, v.Machine), true)
		k.c.tokens.User = k.accessToken(merge(*base, v.User), k.c.tokens.Machine.Format != TokenOpaque)
		k.onePrefix(v)
	}
	if r := v.Refresh; r != nil {
		k.c.tokens.Refresh = k.refreshToken(r)
	}
	k.idToken(v.ID)
}

// idToken compiles ID tokens, which come with the scope openid (OpenID Connect Core
// §3.1.2.1).
func (k *compiler) idToken(v *idTokenDoc) {
	if k.c.Scope("openid") == nil {
		if v != nil {
			k.r.Errorf(v.pos, "nobody can ask for ID tokens: there is no scope %s", quote("openid")).
				Suggest("add openid to scopes")
		}
		return
	}
	t := &IDToken{Algorithm: "RS256"}
	if u := k.c.tokens.User; u != nil && u.Format == TokenJWT {
		t.Algorithm = u.Algorithm
	}
	if v == nil {
		v = &idTokenDoc{}
	}
	t.Algorithm, t.Lifetime = v.Algorithm.or(t.Algorithm), k.positive(v.Lifetime, time.Hour)
	k.c.tokens.ID = t
}

// onePrefix reports opaque access tokens with prefixes of their own: what a token stands
// for is looked up, and a prefix says only that it is one.
func (k *compiler) onePrefix(v tokensDoc) {
	m, u := k.c.tokens.Machine, k.c.tokens.User
	if u.Format == TokenOpaque && m.Format == TokenOpaque && !slices.Equal(u.Prefixes, m.Prefixes) {
		for _, over := range []*tokenDoc{v.User, v.Machine} {
			if over != nil && over.Prefix.given() {
				k.r.Errorf(over.Prefix.at(), "opaque access tokens of all sorts have the same prefix").Suggest("set it under access")
				return
			}
		}
	}
}

// merge lays what differs over the common settings.
func merge(base tokenDoc, over *tokenDoc) tokenDoc {
	if over == nil {
		return base
	}
	for _, pair := range []struct{ to, from *text }{
		{&base.Format, &over.Format}, {&base.Algorithm, &over.Algorithm}, {&base.Type, &over.Type},
		{&base.Issuer, &over.Issuer}, {&base.Audience, &over.Audience}, {&base.ScopeClaim, &over.ScopeClaim},
		{&base.IDClaim, &over.IDClaim}, {&base.ClientID, &over.ClientID},
	} {
		if pair.from.given {
			*pair.to = *pair.from
		}
	}
	if over.Prefix.given() {
		base.Prefix = over.Prefix
	}
	if over.Lifetime.given {
		base.Lifetime = over.Lifetime
	}
	if over.KeyID.given {
		base.KeyID = over.KeyID
	}
	if over.Claims.given {
		base.Claims = over.Claims
	}
	base.spot = over.spot
	return base
}

// accessToken compiles one sort of access token. Its prefix is registered once for
// both sorts when they share it.
func (k *compiler) accessToken(v tokenDoc, register bool) *AccessToken {
	t := &AccessToken{
		Format: TokenFormat(v.Format.or(string(TokenOpaque))), Lifetime: k.positive(v.Lifetime, 0),
		Algorithm: v.Algorithm.or("RS256"), Type: v.Type.or("at+jwt"), KeyID: v.KeyID.or(true),
		Issuer: v.Issuer.or(k.c.issuer), Audience: v.Audience.or(k.c.audience),
		ScopeClaim: v.ScopeClaim.or("scope"), Claims: k.claims(v.Claims), IDClaim: v.IDClaim.or("jti"), Line: v.Line,
	}
	if t.Type == "at+jwt" {
		t.ClientIDClaim = "client_id" // RFC 9068 §2.2 requires it
	}
	t.ClientIDClaim = v.ClientID.or(t.ClientIDClaim)
	for claim, at := range map[*string]text{&t.IDClaim: v.IDClaim, &t.ClientIDClaim: v.ClientID} {
		if *claim == "none" {
			*claim = ""
		}
		k.namedClaim(*claim, at, t)
	}
	if !v.Lifetime.given {
		k.r.Errorf(v.pos, "%s is missing", quote("lifetime"))
	}
	if t.Format == TokenOpaque {
		before := len(k.prefixes)
		t.Prefixes = k.tokenPrefix(v.Prefix, v.pos, "at_", "access tokens")
		if !register {
			k.prefixes = k.prefixes[:before]
		}
		return t
	}
	if v.Prefix.given() {
		k.r.Errorf(v.Prefix.at(), "only opaque tokens have a prefix").Suggest("write format: opaque, or remove the prefix")
	}
	if t.Issuer == "" || t.Audience == "" {
		k.r.Errorf(v.pos, "a JWT needs issuer and audience").Suggest("add issuer: and audience: to the contract")
	}
	if t.Lifetime > maxSelfSigned {
		k.r.Warnf(v.Lifetime.pos, "a JWT that lives for %s is long; minutes or an hour are usual", v.Lifetime.value)
	}
	return t
}

// namedClaim reports a claim of the contract's choice that has another meaning already.
func (k *compiler) namedClaim(name string, at text, t *AccessToken) {
	_, taken := find(registered, name)
	taken = taken && name != "jti" && name != "client_id"
	for _, c := range t.Claims {
		taken = taken || c.Name == name && name != ""
	}
	if at.given && (taken || name != "" && t.IDClaim == t.ClientIDClaim) {
		k.r.Errorf(at.pos, "the claim %s says something else already", quote(name)).Suggest("choose another name, or none")
	}
}

// refreshToken compiles refresh tokens: they outlive what they renew, and rotate for
// public clients.
func (k *compiler) refreshToken(v *refreshDoc) *RefreshToken {
	r := &RefreshToken{
		Prefixes: k.tokenPrefix(v.Prefix, v.pos, "rt_", "refresh tokens"), Lifetime: k.positive(v.Lifetime, 0),
		Rotate: v.Rotate.or(true), ReuseGrace: k.duration(v.ReuseGrace, 10*time.Second), Line: v.Line,
	}
	r.MaxLifetime = k.positive(v.Max, 12*r.Lifetime)
	if r.MaxLifetime < r.Lifetime {
		k.r.Errorf(v.Max.pos, "the last refresh token ends before one that is not used, after %s", v.Lifetime.value)
	}
	if r.ReuseGrace > 30*time.Second {
		k.r.Errorf(v.ReuseGrace.pos, "a used refresh token may return its successor for 30s at most")
	}
	for _, a := range []*AccessToken{k.c.tokens.Machine, k.c.tokens.User} {
		if a != nil && r.Lifetime > 0 && a.Lifetime >= r.Lifetime {
			k.r.Errorf(v.Lifetime.pos, "the refresh token ends no later than the access token it renews").
				Suggest("the access token on line %d lives for %s", a.Line, Period{Duration: a.Lifetime})
			break
		}
	}
	if k.c.clients != nil && k.c.clients.Public && !r.Rotate {
		k.r.Errorf(v.Rotate.pos, "public clients need refresh tokens that rotate (RFC 9700 §4.14.2)")
	}
	return r
}
