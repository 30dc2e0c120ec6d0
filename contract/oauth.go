package contract

import (
	"time"

	"github.com/cardea-dev/cardea"
)

// Grant is a way to get a token (RFC 6749 §1.3).
type Grant string

// The grants.
const (
	GrantAuthorizationCode Grant = "authorization_code" // RFC 6749 §4.1
	GrantRefreshToken      Grant = "refresh_token"      // RFC 6749 §6
	GrantClientCredentials Grant = "client_credentials" // RFC 6749 §4.4
	GrantDeviceCode        Grant = "device_code"        // RFC 8628
	GrantJWTBearer         Grant = "jwt_bearer"         // RFC 7523 §2.1: a service account's signed assertion
	GrantTokenExchange     Grant = "token_exchange"     // RFC 8693: a trusted issuer's token
	GrantKey               Grant = "key"                // a key is exchanged for an access token
)

// ClientAuthentication is how a caller of the token endpoint says who it is.
type ClientAuthentication string

// The ways to authenticate.
const (
	ClientSecretPost  ClientAuthentication = "client_secret_post"  // in the body, RFC 6749 §2.3.1
	ClientSecretBasic ClientAuthentication = "client_secret_basic" // Authorization: Basic
	PrivateKeyJWT     ClientAuthentication = "private_key_jwt"     // a signed assertion, RFC 7523 §2.2
	ClientBearer      ClientAuthentication = "bearer"              // a key in Authorization: Bearer
	ClientNone        ClientAuthentication = "none"                // a public client
)

// PKCE says who must send a code challenge (RFC 7636). One that was sent is always
// enforced, and public clients always need one.
type PKCE string

// The settings of PKCE.
const (
	PKCERequired   PKCE = "required"    // every client
	PKCEPublicOnly PKCE = "public_only" // public clients
	PKCEOptional   PKCE = "optional"    // nobody; there are no public clients
)

// Clients is what the contract says about OAuth 2.0 clients.
type Clients struct {
	Label, Plural  string
	Grants         []Grant
	Authentication []ClientAuthentication
	Public         bool // clients without a secret may exist
	PKCE           PKCE

	SecretPrefixes []string // by environment index
	RevealAlways   bool     // the secret stays viewable, sealed with the master key

	Scopes        ScopeSet // what may be granted
	DefaultScopes ScopeSet // what is granted when none are asked for; empty: all the client has
	CreatedBy     []cardea.Role
	MaxPerOwner   int64 // 0: no limit

	DPoP              DPoP
	MetadataDocuments bool          // a client id may be the URL of its metadata
	ConsentLifetime   time.Duration // how long a consent is remembered; 0: until it is withdrawn
	Line              int
}

// DPoP says whose access tokens are bound to a key of theirs (RFC 9449).
type DPoP string

// The settings of DPoP.
const (
	DPoPOff      DPoP = "off"      // proofs are not looked at
	DPoPOptional DPoP = "optional" // clients that send a proof
	DPoPRequired DPoP = "required" // every client
)

// proofAlgorithms are those a proof of possession may be signed with.
var proofAlgorithms = []string{"ES256", "EdDSA", "RS256"}

// ProofAlgorithms returns the algorithms a DPoP proof may be signed with, as metadata
// and challenges name them.
func ProofAlgorithms() []string { return proofAlgorithms }

// ServiceAccounts is what the contract says about holders of key pairs.
type ServiceAccounts struct {
	Label       string
	File        string // name of the key file
	MaxLifetime time.Duration
	Issuer      string // iss of their tokens
	Audience    string // aud of their tokens
	Algorithms  []string
	ScopeClaim  string // "scope": one string; "scopes": an array
	Claims      []Claim
	Scopes      ScopeSet
	Line        int
}

// A Claim is a claim of a token and the fact it tells.
type Claim struct {
	Name string
	Fact Fact
}

// TokenFormat is the form of an access token.
type TokenFormat string

// The forms.
const (
	TokenJWT    TokenFormat = "jwt"
	TokenOpaque TokenFormat = "opaque"
)

// Tokens is what the contract says about issued tokens. Nil members are not issued.
type Tokens struct {
	Machine *AccessToken // without a user: client credentials, exchanged keys of an organization
	User    *AccessToken // of a user: authorization code, refresh, exchanged personal tokens
	Refresh *RefreshToken
	ID      *IDToken // nil unless the contract has the scope openid
}

// An IDToken describes ID tokens (OpenID Connect Core §2).
type IDToken struct {
	Lifetime  time.Duration
	Algorithm string
}

// An AccessToken describes access tokens of one sort.
type AccessToken struct {
	Format   TokenFormat
	Prefixes []string // of opaque tokens, by environment index
	Lifetime time.Duration

	Algorithm  string // "RS256"
	Type       string // header typ: "at+jwt" (RFC 9068) or "JWT"
	KeyID      bool   // whether the header has kid
	Issuer     string
	Audience   string
	ScopeClaim string // "scope": one string; "scopes": an array
	Claims     []Claim
	IDClaim    string // "jti", or "" when the token carries no id

	// ClientIDClaim is "client_id", or "" when the token does not name its client.
	ClientIDClaim string
	Line          int
}

// A RefreshToken describes refresh tokens.
type RefreshToken struct {
	Prefixes    []string      // by environment index
	Lifetime    time.Duration // of one that is not used
	MaxLifetime time.Duration // of all that renew each other, from the first
	Rotate      bool
	ReuseGrace  time.Duration // how long a used one still returns its successor
	Line        int
}

// A TokenEndpoint is a binding of the token endpoint.
type TokenEndpoint struct {
	Endpoint
	JSON           bool // parameters come as a JSON object instead of a form
	Grants         []TokenGrant
	Authentication []ClientAuthentication
	Respond        []string // members of the answer, in order
}

// A TokenGrant is a grant under the name it is sent as.
type TokenGrant struct {
	Sent  string
	Grant Grant
	Kind  *KeyKind // the kind that is exchanged, for GrantKey
}

// Clients returns what the contract says about OAuth clients, nil when it has none.
func (c *Contract) Clients() *Clients { return c.clients }

// ServiceAccounts returns what it says about service accounts, nil when it has none.
func (c *Contract) ServiceAccounts() *ServiceAccounts { return c.serviceAccounts }

// Tokens returns what it says about issued tokens.
func (c *Contract) Tokens() Tokens { return c.tokens }
