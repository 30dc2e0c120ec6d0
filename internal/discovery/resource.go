package discovery

import (
	"net/url"
	"strings"

	"github.com/cardea-dev/cardea/contract"
)

// Resource returns the metadata of the API as a protected resource (RFC 9728 §2): what an
// agent reads that was refused and wants to know where to ask.
func Resource(c *contract.Contract, origin string) Document {
	o := Document{
		{"resource", ResourceURL(c, origin)},
		{"authorization_servers", []string{c.IssuerURL(origin)}},
		{"scopes_supported", names(scopeNames(c))},
		{"bearer_methods_supported", []string{"header"}},
		{"resource_name", c.Product()},
	}
	if terms := c.Clients(); terms != nil && terms.DPoP != contract.DPoPOff && terms.DPoP != "" {
		o = append(o,
			Member{"dpop_signing_alg_values_supported", contract.ProofAlgorithms()},
			Member{"dpop_bound_access_tokens_required", terms.DPoP == contract.DPoPRequired})
	}
	return o
}

// ResourceURL returns the identifier of the API (RFC 9728 §1.2): the audience of its
// tokens when that is an address, else the address of its host.
func ResourceURL(c *contract.Contract, origin string) string {
	if u, err := url.Parse(c.Audience()); err == nil && u.Scheme == "https" && u.Host != "" {
		return c.Audience()
	}
	if host := c.Hosts().API; host != "" {
		return "https://" + host
	}
	return origin
}

// IsResource reports whether a resource indicator (RFC 8707 §2) names the API: by its
// identifier or the audience of its tokens. A trailing slash makes no difference, because
// parsers of addresses add one.
func IsResource(c *contract.Contract, origin, value string) bool {
	value = strings.TrimSuffix(value, "/")
	for _, known := range []string{c.Audience(), ResourceURL(c, origin)} {
		if known != "" && value == strings.TrimSuffix(known, "/") {
			return true
		}
	}
	return false
}

// pathOf returns the path of an https address without a trailing slash, "" when it has
// none.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		return ""
	}
	return strings.TrimSuffix(u.EscapedPath(), "/")
}
