package contract

import (
	"net/url"
	"strings"
)

// Endpoints are the OAuth 2.0 endpoints; nil ones do not exist.
type Endpoints struct {
	Token []*TokenEndpoint

	Authorize, JWKS, Metadata, Revoke, Introspect, UserInfo, Device, PAR *Endpoint

	OpenID     *Endpoint // OpenID Connect discovery
	Resource   *Endpoint // metadata of the API as a protected resource (RFC 9728)
	DevicePage *Endpoint // where people type a device's code; there whenever Device is
	EndSession *Endpoint // signing out at a client's request
}

// An Endpoint is a host and a path of Cardea's own.
type Endpoint struct {
	Host string // a host name of [Hosts], "" when the contract has no hosts
	Path string

	name string
	at   pos
}

// URL returns the endpoint's address: "https://host/path", or the path alone when the
// contract names no host.
func (e *Endpoint) URL() string {
	if e.Host == "" {
		return e.Path
	}
	return "https://" + e.Host + e.Path
}

// Endpoints returns the OAuth 2.0 endpoints.
func (c *Contract) Endpoints() Endpoints { return c.endpoints }

// EndpointURL returns an endpoint's address for callers who reached Cardea at origin,
// which is scheme, host and port ("http://127.0.0.1:8080"). An endpoint without a host
// is at the origin, and so is every endpoint for a caller on this machine: nobody
// reaches the product's own hosts during development. It is "" for a nil endpoint.
func (c *Contract) EndpointURL(e *Endpoint, origin string) string {
	switch {
	case e == nil:
		return ""
	case e.Host == "" || isLoopbackOrigin(origin):
		return origin + e.Path
	}
	return e.URL()
}

// isLoopbackOrigin reports whether an origin is this machine by its spelling.
func isLoopbackOrigin(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && loopback(u.Hostname())
}

// IssuerURL returns the issuer that metadata documents name (RFC 8414 §2): the
// contract's when it is a URL, else that of the host of the token endpoint, else the
// origin that the caller reached.
func (c *Contract) IssuerURL(origin string) string {
	switch {
	case strings.Contains(c.issuer, "://"):
		return c.issuer
	case c.hosts.Auth != "" && !isLoopbackOrigin(origin):
		return "https://" + c.hosts.Auth
	}
	return origin
}

// all returns the endpoints that exist.
func (e *Endpoints) all() []*Endpoint {
	var out []*Endpoint
	for _, t := range e.Token {
		out = append(out, &t.Endpoint)
	}
	for _, one := range []*Endpoint{
		e.Authorize, e.JWKS, e.Metadata, e.Revoke, e.Introspect, e.UserInfo, e.Device, e.PAR,
		e.OpenID, e.Resource, e.DevicePage, e.EndSession,
	} {
		if one != nil {
			out = append(out, one)
		}
	}
	return out
}
