package oauth

import (
	"net/http"
	"slices"

	"github.com/cardea-dev/cardea/contract"
)

// metadataAge is how long metadata may be kept: short, because a contract may change.
const metadataAge = "public, max-age=300"

// serveMetadata answers with the authorization server's metadata (RFC 8414 §3, OpenID
// Connect Discovery §4). One document serves both: whoever reads it skips what it has no
// name for.
func (s *Server) serveMetadata(w http.ResponseWriter, r *request) {
	s.publish(w, r, s.metadata(r.contract, r.origin))
}

// publish answers with a document that everybody may read and keep for a while.
func (s *Server) publish(w http.ResponseWriter, r *request, o object) {
	body, err := o.text()
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.publishText(w, r, body, metadataAge)
}

// metadata says what this server does, and nothing else: every member follows from what
// the contract enables and the endpoints then do.
func (s *Server) metadata(c *contract.Contract, origin string) object {
	e := c.Endpoints()
	o := object{{"issuer", c.IssuerURL(origin)}}
	o = append(o, authorizeMetadata(c, origin)...)
	o = append(o, tokenMetadata(c, origin)...)
	o = append(o,
		member{"jwks_uri", endpointAddress(c, e.JWKS, origin)},
		member{"scopes_supported", names(scopeNames(c))},
		member{"userinfo_endpoint", endpointAddress(c, e.UserInfo, origin)},
		member{"end_session_endpoint", endpointAddress(c, e.EndSession, origin)},
	)
	for _, one := range []struct {
		name     string
		endpoint *contract.Endpoint
	}{{"revocation_endpoint", e.Revoke}, {"introspection_endpoint", e.Introspect}} {
		if one.endpoint != nil {
			o = append(o,
				member{one.name, endpointAddress(c, one.endpoint, origin)},
				member{one.name + "_auth_methods_supported", names(clientMethods(c))},
				member{one.name + "_auth_signing_alg_values_supported", names(signingNames(clientMethods(c)))})
		}
	}
	if e.Resource != nil {
		o = append(o, member{"protected_resources", []string{resourceURL(c, origin)}})
	}
	return append(o, openIDMetadata(c)...)
}

// authorizeMetadata describes what begins in a browser.
func authorizeMetadata(c *contract.Contract, origin string) object {
	e, terms := c.Endpoints(), c.Clients()
	if terms == nil {
		return nil
	}
	var o object
	if e.Authorize != nil {
		o = append(o,
			member{"authorization_endpoint", endpointAddress(c, e.Authorize, origin)},
			member{"response_types_supported", []string{"code"}},
			member{"response_modes_supported", []string{"query"}},
			member{"code_challenge_methods_supported", []string{"S256"}},
			member{"authorization_response_iss_parameter_supported", true},
			member{"prompt_values_supported", []string{"none", "login", "consent"}},
			member{"request_parameter_supported", false},
			member{"request_uri_parameter_supported", false}, // those of others; it is true unless told
			member{"claims_parameter_supported", false},
			member{"pushed_authorization_request_endpoint", endpointAddress(c, e.PAR, origin)},
		)
		if terms.MetadataDocuments {
			o = append(o, member{"client_id_metadata_document_supported", true})
		}
	}
	if e.Device != nil {
		o = append(o, member{"device_authorization_endpoint", endpointAddress(c, e.Device, origin)})
	}
	if terms.DPoP == contract.DPoPOptional || terms.DPoP == contract.DPoPRequired {
		o = append(o, member{"dpop_signing_alg_values_supported", contract.ProofAlgorithms()})
	}
	return o
}

// tokenMetadata describes the token endpoint. A contract may bind several; the one that
// is named takes forms, as RFC 6749 has it, and of those the one with the most grants.
func tokenMetadata(c *contract.Contract, origin string) object {
	t := mainTokenEndpoint(c)
	if t == nil {
		return nil
	}
	methods := methodNames(t.Authentication, c.Clients())
	return object{
		{"token_endpoint", c.EndpointURL(&t.Endpoint, origin)},
		{"grant_types_supported", names(grantNames(t))},
		{"token_endpoint_auth_methods_supported", names(methods)},
		{"token_endpoint_auth_signing_alg_values_supported", names(signingNames(methods))},
	}
}

// mainTokenEndpoint returns the token endpoint that metadata names, nil when there is
// none that takes forms.
func mainTokenEndpoint(c *contract.Contract) *contract.TokenEndpoint {
	var best *contract.TokenEndpoint
	for _, t := range c.Endpoints().Token {
		if !t.JSON && (best == nil || len(grantNames(t)) > len(grantNames(best))) {
			best = t
		}
	}
	return best
}

// standardGrants are the registered names of grants. What a contract calls otherwise is
// known to those who read its page, and left out of metadata.
var standardGrants = map[contract.Grant]string{
	contract.GrantAuthorizationCode: "authorization_code",
	contract.GrantRefreshToken:      "refresh_token",
	contract.GrantClientCredentials: "client_credentials",
	contract.GrantDeviceCode:        "urn:ietf:params:oauth:grant-type:device_code",
	contract.GrantJWTBearer:         "urn:ietf:params:oauth:grant-type:jwt-bearer",
	contract.GrantTokenExchange:     "urn:ietf:params:oauth:grant-type:token-exchange",
}

// grantNames returns the grants of an endpoint that are sent under their own names.
func grantNames(t *contract.TokenEndpoint) []string {
	var out []string
	for _, g := range t.Grants {
		if g.Sent == standardGrants[g.Grant] {
			out = append(out, g.Sent)
		}
	}
	return out
}

// clientMethods returns how clients authenticate at endpoints besides the token
// endpoint.
func clientMethods(c *contract.Contract) []string {
	if c.Clients() == nil {
		return nil
	}
	return methodNames(c.Clients().Authentication, c.Clients())
}

// methodNames returns the registered names of ways to authenticate (RFC 8414 §2).
func methodNames(methods []contract.ClientAuthentication, terms *contract.Clients) []string {
	var out []string
	for _, m := range methods {
		switch m {
		case contract.ClientSecretBasic, contract.ClientSecretPost, contract.PrivateKeyJWT:
			out = append(out, string(m))
		}
	}
	if terms != nil && (terms.Public || terms.MetadataDocuments) || slices.Contains(methods, contract.ClientNone) {
		out = append(out, string(contract.ClientNone))
	}
	return out
}

// signingNames returns what client assertions may be signed with, nil where there
// are none.
func signingNames(methods []string) []string {
	if !slices.Contains(methods, string(contract.PrivateKeyJWT)) {
		return nil
	}
	return assertionAlgorithms
}

// openIDMetadata describes what clients with the scope openid get.
func openIDMetadata(c *contract.Contract) object {
	id := c.Tokens().ID
	if id == nil || c.Endpoints().Authorize == nil {
		return nil
	}
	claims := []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash"}
	for _, one := range userClaims {
		if c.Scope(one.scope) != nil && c.Endpoints().UserInfo != nil {
			claims = append(claims, one.claims...)
		}
	}
	return object{
		{"subject_types_supported", []string{"public"}},
		{"id_token_signing_alg_values_supported", []string{id.Algorithm}},
		{"claims_supported", claims},
	}
}

// endpointAddress returns an endpoint's address, nil when it does not exist.
func endpointAddress(c *contract.Contract, e *contract.Endpoint, origin string) any {
	if e == nil {
		return nil
	}
	return c.EndpointURL(e, origin)
}

// names returns a list for a document, nil when it is empty: RFC 8414 §3.2 leaves empty
// lists out.
func names(list []string) any {
	if len(list) == 0 {
		return nil
	}
	return list
}

// scopeNames returns the scopes that clients may be given.
func scopeNames(c *contract.Contract) []string {
	if c.Clients() == nil {
		return nil
	}
	return c.ScopeNames(c.Clients().Scopes)
}

// The well-known paths of RFC 8414 §3.1, OpenID Connect Discovery §4.1 and RFC 9728 §3.1.
const (
	wellKnownServer   = "/.well-known/oauth-authorization-server"
	wellKnownOpenID   = "/.well-known/openid-configuration"
	wellKnownResource = "/.well-known/oauth-protected-resource"
)

// metadataBindings returns where the metadata is: where the contract says, and, for an
// issuer with a path, at every place that the standards make of it.
func metadataBindings(c *contract.Contract) []*binding {
	e, path := c.Endpoints(), issuerPath(c)
	return slices.Concat(
		documentBindings(e.Metadata, (*Server).serveMetadata, wellKnownServer+path),
		documentBindings(e.OpenID, (*Server).serveMetadata, path+wellKnownOpenID, wellKnownOpenID+path))
}

// documentBindings returns the places of a document: the endpoint, and on its host other
// paths.
func documentBindings(e *contract.Endpoint, serve func(*Server, http.ResponseWriter, *request), paths ...string) []*binding {
	if e == nil {
		return nil
	}
	all := []*binding{{endpoint: e, methods: readMethods, public: true, serve: serve}}
	for _, path := range paths {
		if !slices.ContainsFunc(all, func(b *binding) bool { return b.endpoint.Path == path }) {
			at := &contract.Endpoint{Host: e.Host, Path: path}
			all = append(all, &binding{endpoint: at, methods: readMethods, public: true, serve: serve})
		}
	}
	return all
}

// issuerPath returns the path of the contract's issuer without a trailing slash, "" when
// it has none.
func issuerPath(c *contract.Contract) string { return pathOf(c.Issuer()) }

// readMethods are those of documents.
var readMethods = []string{http.MethodGet, http.MethodHead}
