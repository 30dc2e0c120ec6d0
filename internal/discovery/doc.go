// Package discovery writes the documents by which programs find out what Cardea does:
// metadata of the authorization server (RFC 8414, OpenID Connect Discovery) and of the API
// as a protected resource (RFC 9728). They tell what a contract enables, and nothing more.
package discovery

import "github.com/cardea-dev/cardea/contract"

// A Document is a JSON object whose members keep their order. Members whose value is nil
// are none.
type Document []Member

// A Member is a name and a value.
type Member struct {
	Name  string
	Value any
}

// UserClaims are the claims about a person, by the scope that opens them: OpenID Connect
// Core §5.4. They are told where the contract has such a scope. Addresses are not said to
// be verified: whoever made the member typed them.
var UserClaims = []struct {
	Scope  string
	Claims []string
}{
	{"profile", []string{"name", "updated_at"}},
	{"email", []string{"email"}},
}

// The well-known paths of RFC 8414 §3.1, OpenID Connect Discovery §4.1 and RFC 9728 §3.1.
const (
	wellKnownServer   = "/.well-known/oauth-authorization-server"
	wellKnownOpenID   = "/.well-known/openid-configuration"
	wellKnownResource = "/.well-known/oauth-protected-resource"
)

// Paths returns where the standards put the documents of an issuer and a resource with
// their paths, besides where a contract says.
func Paths(c *contract.Contract) (server, openID, resource []string) {
	issuer := pathOf(c.Issuer())
	return []string{wellKnownServer + issuer}, []string{issuer + wellKnownOpenID, wellKnownOpenID + issuer},
		[]string{wellKnownResource + pathOf(c.Audience())}
}
