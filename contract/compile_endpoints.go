package contract

import (
	"net/url"
	"slices"
	"strings"
)

// endpoints compiles every endpoint with the host it is found at unless told.
func (k *compiler) endpoints() {
	v := k.d.Endpoints
	e := &k.c.endpoints
	for i := range v.Token.items {
		e.Token = append(e.Token, k.tokenEndpoint(&v.Token.items[i]))
	}
	h := k.c.hosts
	e.Authorize = k.endpoint(v.Authorize, "authorize", h.App)
	e.JWKS = k.wellKnown(v.JWKS, "jwks", h.Auth, "/.well-known/jwks.json")
	issuer := pathOf(k.c.issuer)
	e.Metadata = k.wellKnown(v.Metadata, "metadata", h.Auth, "/.well-known/oauth-authorization-server"+issuer)
	e.OpenID = k.wellKnown(v.OpenID, "openid", h.Auth, issuer+"/.well-known/openid-configuration")
	e.Resource = k.wellKnown(v.Resource, "resource", h.API, "/.well-known/oauth-protected-resource"+pathOf(k.c.audience))
	e.EndSession = k.endpoint(v.EndSession, "end_session", h.App)
	e.Revoke = k.endpoint(v.Revoke, "revoke", h.Auth)
	e.Introspect = k.endpoint(v.Introspect, "introspect", h.Auth)
	e.UserInfo = k.endpoint(v.UserInfo, "userinfo", h.Auth)
	e.Device = k.endpoint(v.Device, "device", h.Auth)
	e.PAR = k.endpoint(v.PAR, "par", h.Auth)
	k.devicePage(v)
	k.checkEndpoints(v)
}

// pathOf returns the path of a URL without a trailing slash, "" for what has none: the
// path that standards put into or before a well-known one (RFC 8414 §3.1, RFC 9728
// §3.1, OpenID Connect Discovery §4.1).
func pathOf(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return ""
	}
	return strings.TrimSuffix(u.EscapedPath(), "/")
}

// wellKnown compiles an endpoint with a path that clients know, unless told.
func (k *compiler) wellKnown(v *wellKnownDoc, name, host, path string) *Endpoint {
	if v == nil {
		return nil
	}
	e := k.address(v.Host, v.Path, name, host)
	switch {
	case !v.Path.given:
		e.Path, e.at = path, v.pos
	case v.Path.value != path && strings.Contains(path, "/.well-known/") && name != "jwks":
		k.r.Warnf(v.Path.pos, "clients look for this at %s", quote(path)).Suggest("remove the path, unless yours are told of this one")
	}
	return &e
}

// devicePage compiles where people type a device's code: beside the page on which they
// consent, because they sign in there.
func (k *compiler) devicePage(v endpointsDoc) {
	host := k.c.hosts.App
	if a := k.c.endpoints.Authorize; a != nil {
		host = a.Host
	}
	page := v.DevicePage
	switch {
	case v.Device == nil && page != nil:
		k.r.Errorf(page.pos, "without device there are no codes to type").Suggest("add endpoints.device")
	case v.Device != nil && page == nil:
		page = &wellKnownDoc{spot: v.Device.spot}
	}
	k.c.endpoints.DevicePage = k.wellKnown(page, "device_page", host, "/device")
}

// endpoint compiles an endpoint that a contract need not have.
func (k *compiler) endpoint(v *endpointDoc, name, host string) *Endpoint {
	if v == nil {
		return nil
	}
	e := k.address(v.Host, v.Path, name, host)
	return &e
}

// address compiles a host and a path.
func (k *compiler) address(host, path text, name, fallback string) Endpoint {
	e := Endpoint{Host: fallback, Path: path.value, name: name, at: path.pos}
	switch host.value {
	case "api":
		e.Host = k.c.hosts.API
	case "auth":
		e.Host = k.c.hosts.Auth
	case "app":
		e.Host = k.c.hosts.App
	}
	if path.given {
		p, err := parsePattern(path.value)
		if err != nil || p.method != "" || len(p.segments) == 0 || anyWild(p) {
			k.r.Errorf(path.pos, "%s is not a plain path", quote(path.value)).Suggest("write one such as /oauth/%s", name)
		}
	}
	return e
}

// anyWild reports whether a pattern is more than a plain path.
func anyWild(p pattern) bool {
	for _, s := range p.segments {
		if s.wild || s.end {
			return true
		}
	}
	return false
}

var defaultRespond = []string{"access_token", "token_type", "expires_in", "refresh_token", "scope"}

// tokenEndpoint compiles one binding of the token endpoint. A page may have its own
// path, body and names for the grants; what they mean stays the same.
func (k *compiler) tokenEndpoint(v *tokenEndpointDoc) *TokenEndpoint {
	e := &TokenEndpoint{
		Endpoint: k.address(v.Host, v.Path, "token", k.c.hosts.Auth), JSON: v.Body.value == "json", Respond: defaultRespond,
	}
	fallback := []ClientAuthentication{}
	if k.c.clients != nil {
		fallback = k.c.clients.Authentication
	}
	e.Authentication = authentications(v.Authentication, fallback...)
	if k.c.tokens.ID != nil {
		e.Respond = append(slices.Clone(e.Respond), "id_token")
	}
	if v.Respond.given {
		e.Respond = nil
		for _, t := range v.Respond.items {
			e.Respond = append(e.Respond, t.value)
		}
		if _, ok := find(e.Respond, "access_token"); !ok {
			k.r.Errorf(v.Respond.pos, "the answer would have no access_token")
		}
		if _, ok := find(e.Respond, "token_type"); !ok {
			k.r.Warnf(v.Respond.pos, "clients of others want a token_type (RFC 6749 §5.1)").Suggest("add token_type, unless yours are told of this")
		}
	}
	for _, g := range v.Grants.entries {
		if g.value.given {
			e.Grants = append(e.Grants, k.tokenGrant(g, v, e))
		}
	}
	if e.JSON {
		k.checkJSONEndpoint(v, e)
	}
	return e
}

// tokenGrant resolves what a grant_type means: a grant, or the kind of key that is
// exchanged.
func (k *compiler) tokenGrant(g entry[text], v *tokenEndpointDoc, e *TokenEndpoint) TokenGrant {
	out := TokenGrant{Sent: g.key.value, Grant: Grant(g.value.value)}
	switch out.Grant {
	case GrantJWTBearer:
		if k.d.Accounts == nil {
			k.r.Errorf(g.value.pos, "assertions are signed by service accounts, and the contract has none").
				Suggest("add a service_accounts section")
		}
		k.sentAs(g, "urn:ietf:params:oauth:grant-type:jwt-bearer")
		return out
	case GrantAuthorizationCode, GrantRefreshToken, GrantClientCredentials, GrantDeviceCode, GrantTokenExchange:
		if k.c.clients == nil {
			k.r.Errorf(g.value.pos, "this grant needs clients, and the contract has none").Suggest("add a clients section")
		} else if !hasGrant(k.c.clients.Grants, out.Grant) {
			k.r.Errorf(g.value.pos, "clients may not use the grant %s", quote(g.value.value)).
				Suggest("add it to clients.grants, or remove it here")
		}
		if out.Grant == GrantRefreshToken && k.d.Tokens.Refresh == nil {
			k.r.Errorf(g.value.pos, "no refresh tokens are issued").Suggest("add tokens.refresh")
		}
		if out.Grant == GrantTokenExchange && len(k.d.Issuers.entries) == 0 && k.d.OwnIssuers == nil {
			k.r.Errorf(g.value.pos, "there is nobody whose tokens could be exchanged").
				Suggest("add trusted_issuers or organization_issuers")
		}
		switch out.Grant {
		case GrantDeviceCode:
			k.sentAs(g, "urn:ietf:params:oauth:grant-type:device_code")
		case GrantTokenExchange:
			k.sentAs(g, "urn:ietf:params:oauth:grant-type:token-exchange")
		}
		return out
	}
	out.Grant, out.Kind = GrantKey, k.c.Kind(g.value.value)
	known := append([]string{
		"authorization_code", "refresh_token", "client_credentials", "device_code", "jwt_bearer", "token_exchange",
	}, k.d.Keys.names()...)
	if out.Kind == nil {
		k.r.Errorf(g.value.pos, "%s is neither a grant nor a kind of key", quote(g.value.value)).DidYouMean(g.value.value, known)
		return out
	}
	for _, a := range e.Authentication {
		if a == ClientBearer {
			return out
		}
	}
	k.r.Errorf(g.value.pos, "a key is sent as a bearer credential, which this endpoint does not take").
		Suggest("add bearer to authentication")
	return out
}

// sentAs warns of a grant under a name that no library sends.
func (k *compiler) sentAs(g entry[text], name string) {
	if g.key.value != name {
		k.r.Warnf(g.key.pos, "clients' libraries call this grant by another name").Suggest("write %s: %s", quote(name), g.value.value)
	}
}

// hasGrant reports whether a grant is in the list.
func hasGrant(grants []Grant, g Grant) bool { return slices.Contains(grants, g) }

// checkJSONEndpoint refuses secrets in a body that no OAuth library would send there.
func (k *compiler) checkJSONEndpoint(v *tokenEndpointDoc, e *TokenEndpoint) {
	for _, g := range e.Grants {
		if g.Grant == GrantAuthorizationCode || g.Grant == GrantDeviceCode {
			k.r.Errorf(v.Body.pos, "the grant %s is always sent as a form (RFC 6749 §4)", quote(string(g.Grant)))
			return
		}
	}
}

// checkEndpoints reports endpoints that lack what they need, or share a path.
func (k *compiler) checkEndpoints(v endpointsDoc) {
	seen := map[string]*Endpoint{}
	for _, e := range k.c.endpoints.all() {
		key := e.Host + " " + e.Path
		if other := seen[key]; other != nil {
			k.r.Errorf(e.at, "the %s endpoint has the same host and path as %s", e.name, other.name).
				Suggest("the other is on line %d", other.at.Line)
		}
		seen[key] = e
	}
	k.checkNeeds(v)
	k.checkTaken()
	k.checkAuthentication(v)
	for i, kind := range k.c.kinds {
		if kind.ExchangeOnly && !k.exchanged(kind) {
			k.r.Errorf(k.d.Keys.entries[i].value.ExchangeOnly.pos, "no token endpoint exchanges this kind, so it would be good for nothing")
		}
	}
}

// checkTaken reports grants of clients that no token endpoint takes: a code could be asked
// for and never be exchanged. It says nothing while some grant is not understood.
func (k *compiler) checkTaken() {
	if k.c.clients == nil || len(k.c.endpoints.Token) == 0 {
		return
	}
	taken := map[Grant]bool{}
	for i, e := range k.c.endpoints.Token {
		if len(e.Grants) != len(k.d.Endpoints.Token.items[i].Grants.entries) {
			return
		}
		for _, g := range e.Grants {
			if g.Grant == GrantKey && g.Kind == nil {
				return
			}
			taken[g.Grant] = true
		}
	}
	for _, g := range k.d.Clients.Grants.items {
		if !taken[Grant(g.value)] {
			k.r.Errorf(g.pos, "no token endpoint takes the grant %s", quote(g.value)).
				Suggest("add it to the grants of one in endpoints.token, or remove it here")
		}
	}
}

// exchanged reports whether some token endpoint takes keys of the kind.
func (k *compiler) exchanged(kind *KeyKind) bool {
	for _, e := range k.c.endpoints.Token {
		for _, g := range e.Grants {
			if g.Kind == kind {
				return true
			}
		}
	}
	return false
}

// checkNeeds reports parts of the contract that are of no use without another.
func (k *compiler) checkNeeds(v endpointsDoc) {
	issues, clients := len(v.Token.items) > 0, k.c.clients
	var grants []Grant
	var at pos
	if clients != nil {
		grants, at = clients.Grants, k.d.Clients.Grants.pos
	}
	codes, devices := hasGrant(grants, GrantAuthorizationCode), hasGrant(grants, GrantDeviceCode)
	openid := k.c.Scope("openid") != nil
	for _, need := range []struct {
		broken        bool
		at            pos
		message, mend string
	}{
		{issues && k.d.Tokens.Access == nil, v.Token.pos, "a token endpoint needs to know what to issue", "add tokens: {access: …}"},
		{clients != nil && !issues, where(k.d.Clients), "clients have no token endpoint", "add endpoints.token"},
		{codes && v.Authorize == nil, at, "authorization_code needs an authorization page", "add endpoints.authorize"},
		{v.Authorize != nil && !codes, where(v.Authorize), "no client may ask for a code here", "add authorization_code to clients.grants"},
		{devices && v.Device == nil, at, "device_code needs an endpoint where devices begin", "add endpoints.device"},
		{v.Device != nil && !devices, where(v.Device), "no client may begin here", "add device_code to clients.grants"},
		{v.PAR != nil && v.Authorize == nil, where(v.PAR), "requests are pushed for the authorization page, and there is none", "add endpoints.authorize"},
		{v.Introspect != nil && clients == nil, where(v.Introspect), "nobody could ask: introspection is for clients", "add a clients section"},
		{v.Revoke != nil && clients == nil, where(v.Revoke), "nobody could ask: revocation is for clients", "add a clients section"},
		{v.UserInfo != nil && !openid, where(v.UserInfo), "nobody can ask for claims about the user", "add openid to scopes"},
		{v.EndSession != nil && !openid, where(v.EndSession), "clients sign people out by an ID token, and there are none", "add openid to scopes"},
		{v.OpenID != nil && !openid, where(v.OpenID), "this is OpenID Connect's, whose scope is missing", "add openid to scopes"},
		{openid && (codes || devices) && v.JWKS == nil, v.pos, "nobody could check an ID token: its keys are not published", "add jwks: {}, or remove the scope openid"},
		{openid && (codes || devices) && v.OpenID == nil, v.pos, "clients of OpenID Connect find nothing", "add openid: {}, or remove the scope openid"},
	} {
		if need.broken {
			k.r.Errorf(need.at, "%s", need.message).Suggest("%s", need.mend)
		}
	}
}

// checkAuthentication reports ways to authenticate that one side has and the other
// does not.
func (k *compiler) checkAuthentication(v endpointsDoc) {
	c := k.c.clients
	if c == nil || len(v.Token.items) == 0 {
		return
	}
	for _, t := range k.d.Clients.Authentication.items {
		taken := false
		for _, e := range k.c.endpoints.Token {
			taken = taken || slices.Contains(e.Authentication, ClientAuthentication(t.value))
		}
		if !taken {
			k.r.Errorf(t.pos, "no token endpoint lets clients authenticate by %s", t.value).Suggest("add it there, or remove it here")
		}
	}
	for _, e := range v.Token.items {
		for _, t := range e.Authentication.items {
			way := ClientAuthentication(t.value)
			if way != ClientBearer && !slices.Contains(c.Authentication, way) {
				k.r.Errorf(t.pos, "clients do not authenticate by %s", t.value).Suggest("add it to clients.authentication, or remove it here")
			}
		}
	}
}
