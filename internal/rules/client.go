package rules

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/target"
	"github.com/cardea-dev/cardea/internal/token"
)

// What a client may be. These functions are pure: contract and input in, value or
// problems out.

// Bounds of what a client registers: MaxURIs entries of a list, MaxURL bytes of a URL.
const (
	MaxURIs = 32
	MaxURL  = 2048
	maxJWKS = 64 << 10
)

// assertionAlgorithms are those a client may sign with to say who it is (RFC 7523):
// never a symmetric one.
var assertionAlgorithms = []string{"RS256", "PS256", "ES256", "EdDSA"}

// Client fills in what was not chosen for a client, and reports what is wrong with it as a
// whole: one member may contradict another.
func Client(p *Problems, c *contract.Contract, client *store.Client) {
	if client.Authentication == nil {
		client.Authentication = defaultAuthentication(c, client)
	}
	if client.Grants == nil {
		client.Grants = defaultGrants(c, client)
	}
	checkGrants(p, c, client)
	checkAuthentication(p, c, client)
	Each(p, "redirect_uris", client.RedirectURIs, target.CheckRedirectURI)
	Each(p, "origins", client.Origins, checkOrigin)
	for _, u := range [][2]string{{"logo_url", client.LogoURL}, {"home_url", client.HomeURL},
		{"policy_url", client.PolicyURL}, {"terms_url", client.TermsURL}, {"jwks_url", client.JWKSURL}} {
		if u[1] != "" && !IsHTTPS(u[1]) {
			p.Add(cardea.Invalid(u[0], "must be an https URL without a user and a fragment, of at most %d bytes", MaxURL))
		}
	}
	if client.DPoPRequired && c.Clients().DPoP == contract.DPoPOff {
		p.Add(cardea.Invalid("dpop_required", "must be absent: the contract has no DPoP (clients.dpop)"))
	}
}

// SetKeys replaces a client's public keys; a set without keys removes them.
func SetKeys(client *store.Client, text jsontext.Value) *cardea.Error {
	invalid := cardea.Invalid("jwks", "must be a JSON Web Key Set of public keys, each with a kid of its own, for: %s",
		strings.Join(assertionAlgorithms, ", "))
	if len(text) > maxJWKS {
		return invalid
	}
	canonical := text.Clone()
	if canonical.Canonicalize() != nil {
		return invalid
	}
	if string(canonical) == `{"keys":[]}` {
		client.PublicKeys = nil
		return nil
	}
	// All of them, or none: what is no public key does not belong into a registration.
	var given struct {
		Keys []jsontext.Value `json:"keys"`
	}
	set, err := token.ParseKeySet(canonical, assertionAlgorithms)
	if err != nil || json.Unmarshal(canonical, &given) != nil || len(set.Keys()) != len(given.Keys) {
		return invalid
	}
	client.PublicKeys = canonical
	return nil
}

// defaultGrants returns the contract's grants that make sense for a client.
func defaultGrants(c *contract.Contract, client *store.Client) []string {
	var grants []string
	for _, g := range c.Clients().Grants {
		switch {
		case g == contract.GrantAuthorizationCode && len(client.RedirectURIs) == 0,
			g == contract.GrantClientCredentials && client.Public,
			g == contract.GrantRefreshToken && !refreshes(grants):
		default:
			grants = append(grants, string(g))
		}
	}
	return grants
}

// refreshes reports whether one of the grants gives refresh tokens.
func refreshes(grants []string) bool {
	return slices.Contains(grants, string(contract.GrantAuthorizationCode)) || slices.Contains(grants, string(contract.GrantDeviceCode))
}

// checkGrants reports grants that the contract does not give to clients, and those that
// cannot work.
func checkGrants(p *Problems, c *contract.Contract, client *store.Client) {
	allowed := make([]string, len(c.Clients().Grants))
	for i, g := range c.Clients().Grants {
		allowed[i] = string(g)
	}
	names(p, "grants", client.Grants, allowed)
	code := slices.Contains(client.Grants, string(contract.GrantAuthorizationCode))
	switch {
	case len(client.Grants) == 0:
		p.Add(cardea.Invalid("grants", "must have at least one entry; the contract's are: %s", strings.Join(allowed, ", ")))
	case code && len(client.RedirectURIs) == 0:
		p.Add(cardea.Invalid("redirect_uris", "is required: authorization_code sends people back to one of them"))
	case client.Public && slices.Contains(client.Grants, string(contract.GrantClientCredentials)):
		p.Add(cardea.Invalid("grants", "a public client cannot have client_credentials: anybody could say that they are it"))
	}
}

// defaultAuthentication returns the ways to say who it is that a client gets when none
// are chosen.
func defaultAuthentication(c *contract.Contract, client *store.Client) []string {
	if client.Public {
		return []string{string(contract.ClientNone)}
	}
	if client.PublicKeys != nil || client.JWKSURL != "" {
		return []string{string(contract.PrivateKeyJWT)}
	}
	var ways []string
	for _, a := range c.Clients().Authentication {
		if a == contract.ClientSecretPost || a == contract.ClientSecretBasic {
			ways = append(ways, string(a))
		}
	}
	return ways
}

// checkAuthentication reports ways to say who it is that the contract does not have, and
// those that cannot work.
func checkAuthentication(p *Problems, c *contract.Contract, client *store.Client) {
	if client.Public {
		if !c.Clients().Public {
			p.Add(cardea.Invalid("public", "must be absent: the contract has no public clients (clients.public)"))
		}
		if len(client.Authentication) != 1 || client.Authentication[0] != string(contract.ClientNone) {
			p.Add(cardea.Invalid("authentication", "must be none for a public client"))
		}
		if client.PublicKeys != nil || client.JWKSURL != "" {
			p.Add(cardea.Invalid("jwks", "must be absent for a public client"))
		}
		return
	}
	var allowed []string
	for _, a := range c.Clients().Authentication {
		if a != contract.ClientNone && a != contract.ClientBearer {
			allowed = append(allowed, string(a))
		}
	}
	names(p, "authentication", client.Authentication, allowed)
	signs := slices.Contains(client.Authentication, string(contract.PrivateKeyJWT))
	keys := client.PublicKeys != nil || client.JWKSURL != ""
	switch {
	case len(client.Authentication) == 0:
		p.Add(cardea.Invalid("authentication", "must have at least one entry; the contract's are: %s", OrNone(allowed)))
	case signs && !keys:
		p.Add(cardea.Invalid("jwks", "is required for private_key_jwt, or jwks_url"))
	case !signs && keys:
		p.Add(cardea.Invalid("jwks", "and jwks_url must be absent: the client does not use private_key_jwt"))
	case client.PublicKeys != nil && client.JWKSURL != "":
		p.Add(cardea.Invalid("jwks_url", "contradicts jwks"))
	}
}
