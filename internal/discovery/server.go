package discovery

import (
	"slices"

	"github.com/cardea-dev/cardea/contract"
)

// Server returns the metadata of the authorization server (RFC 8414 §2, OpenID Connect
// Discovery §3): what it does, and nothing else. Every member follows from what the
// contract enables. assertions are the algorithms that clients may sign with.
func Server(c *contract.Contract, origin string, assertions []string) Document {
	e := c.Endpoints()
	o := Document{{"issuer", c.IssuerURL(origin)}}
	o = append(o, authorizeMetadata(c, origin)...)
	o = append(o, tokenMetadata(c, origin, assertions)...)
	o = append(o,
		Member{"jwks_uri", address(c, e.JWKS, origin)},
		Member{"scopes_supported", names(scopeNames(c))},
		Member{"userinfo_endpoint", address(c, e.UserInfo, origin)},
		Member{"end_session_endpoint", address(c, e.EndSession, origin)},
	)
	for _, one := range []struct {
		name     string
		endpoint *contract.Endpoint
	}{{"revocation_endpoint", e.Revoke}, {"introspection_endpoint", e.Introspect}} {
		if one.endpoint != nil {
			o = append(o,
				Member{one.name, address(c, one.endpoint, origin)},
				Member{one.name + "_auth_methods_supported", names(clientMethods(c))},
				Member{one.name + "_auth_signing_alg_values_supported", names(signingNames(clientMethods(c), assertions))})
		}
	}
	if e.Resource != nil {
		o = append(o, Member{"protected_resources", []string{ResourceURL(c, origin)}})
	}
	return append(o, openIDMetadata(c)...)
}

// authorizeMetadata describes what begins in a browser.
func authorizeMetadata(c *contract.Contract, origin string) Document {
	e, terms := c.Endpoints(), c.Clients()
	if terms == nil {
		return nil
	}
	var o Document
	if e.Authorize != nil {
		o = append(o,
			Member{"authorization_endpoint", address(c, e.Authorize, origin)},
			Member{"response_types_supported", []string{"code"}},
			Member{"response_modes_supported", []string{"query"}},
			Member{"code_challenge_methods_supported", []string{"S256"}},
			Member{"authorization_response_iss_parameter_supported", true},
			Member{"prompt_values_supported", []string{"none", "login", "consent"}},
			Member{"request_parameter_supported", false},
			Member{"request_uri_parameter_supported", false}, // those of others; it is true unless told
			Member{"claims_parameter_supported", false},
			Member{"pushed_authorization_request_endpoint", address(c, e.PAR, origin)},
		)
		if terms.MetadataDocuments {
			o = append(o, Member{"client_id_metadata_document_supported", true})
		}
	}
	if e.Device != nil {
		o = append(o, Member{"device_authorization_endpoint", address(c, e.Device, origin)})
	}
	if terms.DPoP == contract.DPoPOptional || terms.DPoP == contract.DPoPRequired {
		o = append(o, Member{"dpop_signing_alg_values_supported", contract.ProofAlgorithms()})
	}
	return o
}

// tokenMetadata describes the token endpoint. A contract may bind several; the one that
// is named takes forms, as RFC 6749 has it, and of those the one with the most grants.
func tokenMetadata(c *contract.Contract, origin string, assertions []string) Document {
	t := mainTokenEndpoint(c)
	if t == nil {
		return nil
	}
	methods := methodNames(t.Authentication, c.Clients())
	return Document{
		{"token_endpoint", c.EndpointURL(&t.Endpoint, origin)},
		{"grant_types_supported", names(grantNames(t))},
		{"token_endpoint_auth_methods_supported", names(methods)},
		{"token_endpoint_auth_signing_alg_values_supported", names(signingNames(methods, assertions))},
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
func signingNames(methods, assertions []string) []string {
	if !slices.Contains(methods, string(contract.PrivateKeyJWT)) {
		return nil
	}
	return assertions
}

// openIDMetadata describes what clients with the scope openid get.
func openIDMetadata(c *contract.Contract) Document {
	id := c.Tokens().ID
	if id == nil || c.Endpoints().Authorize == nil {
		return nil
	}
	claims := []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash"}
	for _, one := range UserClaims {
		if c.Scope(one.Scope) != nil && c.Endpoints().UserInfo != nil {
			claims = append(claims, one.Claims...)
		}
	}
	return Document{
		{"subject_types_supported", []string{"public"}},
		{"id_token_signing_alg_values_supported", []string{id.Algorithm}},
		{"claims_supported", claims},
	}
}

// address returns an endpoint's address, nil when it does not exist.
func address(c *contract.Contract, e *contract.Endpoint, origin string) any {
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
