package manage

import (
	"fmt"
	"net/netip"
	"net/url"
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

// Bounds of what a client registers.
const (
	maxURIs = 32
	maxURL  = 2048
	maxJWKS = 64 << 10
)

// assertionAlgorithms are those a client may sign with to say who it is (RFC 7523):
// never a symmetric one.
var assertionAlgorithms = []string{"RS256", "PS256", "ES256", "EdDSA"}

// editClient applies an update to what is stored of a client, and checks what comes out
// of it as a whole: one member may contradict another that stays.
func editClient(c *contract.Contract, client *store.Client, in UpdateClient) error {
	var p problems
	setList(&client.RedirectURIs, in.RedirectURIs)
	setList(&client.Origins, in.Origins)
	setList(&client.Grants, in.Grants)
	setList(&client.Authentication, in.Authentication)
	setValue(&client.FirstParty, in.FirstParty)
	setValue(&client.DPoPRequired, in.DPoPRequired)
	setValue(&client.JWKSURL, in.JWKSURL)
	setValue(&client.LogoURL, in.LogoURL)
	setValue(&client.HomeURL, in.HomeURL)
	setValue(&client.PolicyURL, in.PolicyURL)
	setValue(&client.TermsURL, in.TermsURL)
	if in.JWKS != nil {
		p.add(setKeys(client, in.JWKS))
	}
	if client.Authentication == nil {
		client.Authentication = defaultAuthentication(c, client)
	}
	if client.Grants == nil {
		client.Grants = defaultGrants(c, client)
	}
	checkGrants(&p, c, client)
	checkAuthentication(&p, c, client)
	checkEach(&p, "redirect_uris", client.RedirectURIs, target.CheckRedirectURI)
	checkEach(&p, "origins", client.Origins, checkOrigin)
	for _, u := range [][2]string{{"logo_url", client.LogoURL}, {"home_url", client.HomeURL},
		{"policy_url", client.PolicyURL}, {"terms_url", client.TermsURL}, {"jwks_url", client.JWKSURL}} {
		if u[1] != "" && !isHTTPS(u[1]) {
			p.add(cardea.Invalid(u[0], "must be an https URL without a user and a fragment, of at most %d bytes", maxURL))
		}
	}
	p.add(checkDPoP(c, client))
	return p.err()
}

func setList(to *[]string, given []string) {
	if given != nil {
		*to = given
	}
}

func setValue[T any](to *T, given *T) {
	if given != nil {
		*to = *given
	}
}

// setKeys replaces a client's public keys; a set without keys removes them.
func setKeys(client *store.Client, text jsontext.Value) *cardea.Error {
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
func checkGrants(p *problems, c *contract.Contract, client *store.Client) {
	allowed := make([]string, len(c.Clients().Grants))
	for i, g := range c.Clients().Grants {
		allowed[i] = string(g)
	}
	checkNames(p, "grants", client.Grants, allowed)
	code := slices.Contains(client.Grants, string(contract.GrantAuthorizationCode))
	switch {
	case len(client.Grants) == 0:
		p.add(cardea.Invalid("grants", "must have at least one entry; the contract's are: %s", strings.Join(allowed, ", ")))
	case code && len(client.RedirectURIs) == 0:
		p.add(cardea.Invalid("redirect_uris", "is required: authorization_code sends people back to one of them"))
	case client.Public && slices.Contains(client.Grants, string(contract.GrantClientCredentials)):
		p.add(cardea.Invalid("grants", "a public client cannot have client_credentials: anybody could say that they are it"))
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
func checkAuthentication(p *problems, c *contract.Contract, client *store.Client) {
	if client.Public {
		if !c.Clients().Public {
			p.add(cardea.Invalid("public", "must be absent: the contract has no public clients (clients.public)"))
		}
		if len(client.Authentication) != 1 || client.Authentication[0] != string(contract.ClientNone) {
			p.add(cardea.Invalid("authentication", "must be none for a public client"))
		}
		if client.PublicKeys != nil || client.JWKSURL != "" {
			p.add(cardea.Invalid("jwks", "must be absent for a public client"))
		}
		return
	}
	var allowed []string
	for _, a := range c.Clients().Authentication {
		if a != contract.ClientNone && a != contract.ClientBearer {
			allowed = append(allowed, string(a))
		}
	}
	checkNames(p, "authentication", client.Authentication, allowed)
	signs := slices.Contains(client.Authentication, string(contract.PrivateKeyJWT))
	keys := client.PublicKeys != nil || client.JWKSURL != ""
	switch {
	case len(client.Authentication) == 0:
		p.add(cardea.Invalid("authentication", "must have at least one entry; the contract's are: %s", orNone(allowed)))
	case signs && !keys:
		p.add(cardea.Invalid("jwks", "is required for private_key_jwt, or jwks_url"))
	case !signs && keys:
		p.add(cardea.Invalid("jwks", "and jwks_url must be absent: the client does not use private_key_jwt"))
	case client.PublicKeys != nil && client.JWKSURL != "":
		p.add(cardea.Invalid("jwks_url", "contradicts jwks"))
	}
}

// checkDPoP reports a client bound to what the contract does not do.
func checkDPoP(c *contract.Contract, client *store.Client) *cardea.Error {
	if client.DPoPRequired && c.Clients().DPoP == contract.DPoPOff {
		return cardea.Invalid("dpop_required", "must be absent: the contract has no DPoP (clients.dpop)")
	}
	return nil
}

// checkNames reports entries of a list that are not among the allowed ones, or twice.
func checkNames(p *problems, field string, given, allowed []string) {
	for i, name := range given {
		if !slices.Contains(allowed, name) || slices.Index(given, name) != i {
			p.add(cardea.Invalid(fmt.Sprintf("%s[%d]", field, min(i, maxNames)), "must be one of these, once: %s", orNone(allowed)))
			return
		}
	}
}

// checkEach reports the first entry of a list that check refuses or that is there twice.
func checkEach(p *problems, field string, given []string, check func(string) error) {
	if len(given) > maxURIs {
		p.add(cardea.Invalid(field, "must have at most %d entries", maxURIs))
		return
	}
	for i, text := range given {
		err := check(text)
		if slices.Index(given, text) != i {
			err = errTwice
		}
		if err != nil {
			p.add(cardea.Invalid(fmt.Sprintf("%s[%d]", field, i), "%s", err.Error()))
			return
		}
	}
}

// errTwice: a list has an entry twice.
var errTwice = cardea.Errorf(cardea.KindInvalid, "is in the list already")

// errOrigin: no web page has such an origin.
var errOrigin = cardea.Errorf(cardea.KindInvalid,
	"must be the origin of web pages as browsers write it, such as https://app.example.com: no path, no default port, https except on this device")

// checkOrigin reports a text that is no origin (RFC 6454 §6.2) of pages that came over
// TLS, or from the device itself.
func checkOrigin(text string) error {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || u.Host == "" || text != u.Scheme+"://"+u.Host || text != strings.ToLower(text) {
		return errOrigin
	}
	addr, _ := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || addr.IsLoopback()
	switch {
	case u.Scheme == "https" && u.Port() != "443", u.Scheme == "http" && local && u.Port() != "80":
		if target.CheckRedirectURI(text+"/") == nil { // its rules for hosts are the same
			return nil
		}
	}
	return errOrigin
}

// isHTTPS reports whether a text is a URL that people may be shown or that Cardea may
// fetch.
func isHTTPS(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxURL && u.Scheme == "https" && u.Host != "" && u.User == nil && u.Fragment == "" &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
