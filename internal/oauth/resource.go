package oauth

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/cardea-dev/cardea/contract"
)

// serveResource answers with the metadata of the API as a protected resource (RFC 9728
// §3): what an agent reads that was refused and wants to know where to ask.
func (s *Server) serveResource(w http.ResponseWriter, r *request) {
	c := r.contract
	o := object{
		{"resource", resourceURL(c, r.origin)},
		{"authorization_servers", []string{c.IssuerURL(r.origin)}},
		{"scopes_supported", names(scopeNames(c))},
		{"bearer_methods_supported", []string{"header"}},
		{"resource_name", c.Product()},
	}
	if terms := c.Clients(); terms != nil && terms.DPoP != contract.DPoPOff && terms.DPoP != "" {
		o = append(o,
			member{"dpop_signing_alg_values_supported", contract.ProofAlgorithms()},
			member{"dpop_bound_access_tokens_required", terms.DPoP == contract.DPoPRequired})
	}
	s.publish(w, r, o)
}

// resourceURL returns the identifier of the API (RFC 9728 §1.2): the audience of its
// tokens when that is an address, else the address of its host.
func resourceURL(c *contract.Contract, origin string) string {
	if u, err := url.Parse(c.Audience()); err == nil && u.Scheme == "https" && u.Host != "" {
		return c.Audience()
	}
	if host := c.Hosts().API; host != "" {
		return "https://" + host
	}
	return origin
}

// maxResource bounds a resource indicator, in bytes.
const maxResource = 2 << 10

// Errors of resource indicators: RFC 8707 §2.
var errTarget = refuse(codeInvalidTarget, "the resource is not one that tokens are issued for")

// checkResource says whether resource indicators name the API. There is one API under a
// contract, so each of them must be its identifier or the audience of its tokens; a
// trailing slash makes no difference, because parsers of addresses add one. It returns
// "" for none.
func checkResource(c *contract.Contract, origin string, values []string) (string, error) {
	resource := ""
	for _, value := range values {
		if value == "" {
			continue
		}
		if len(value) > maxResource || !isResource(c, origin, value) {
			return "", errTarget
		}
		resource = resourceURL(c, origin)
	}
	return resource, nil
}

// isResource reports whether one resource indicator names the API.
func isResource(c *contract.Contract, origin, value string) bool {
	value = strings.TrimSuffix(value, "/")
	for _, known := range []string{c.Audience(), resourceURL(c, origin)} {
		if known != "" && value == strings.TrimSuffix(known, "/") {
			return true
		}
	}
	return false
}

// resourceBindings returns where the API's metadata is: where the contract says, and
// where RFC 9728 §3.1 puts it.
func resourceBindings(c *contract.Contract) []*binding {
	return documentBindings(c.Endpoints().Resource, (*Server).serveResource, wellKnownResource+pathOf(c.Audience()))
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
