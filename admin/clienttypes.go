package admin

import (
	"encoding/json"
	"time"
)

// An OAuthClient is an OAuth 2.0 client, a program that gets access tokens. It is a credential
// with what every credential has, of the kind "client"; its id is its client id. Hint,
// Revealable and Rotation are about its secret, Scopes are the most it may ask for.
type OAuthClient struct {
	Key

	// Grants are the ways it may get a token, Authentication the ways it may say who it
	// is, both in the contract's words.
	Grants         []string `json:"grants"`
	Authentication []string `json:"authentication"`

	// Public says that it keeps no secret: a program on somebody's device, or in a
	// browser.
	Public bool `json:"public"`

	RedirectURIs []string `json:"redirect_uris"` // compared exactly
	Origins      []string `json:"origins"`       // of web pages that may call the endpoints

	// FirstParty says that it belongs to the product: nobody is asked for consent.
	FirstParty bool `json:"first_party"`

	// DPoPRequired says that its access tokens are always bound to a key (RFC 9449).
	DPoPRequired bool `json:"dpop_required"`

	// JWKS holds the public keys it signs with, or JWKSURL says where they are, for the
	// authentication private_key_jwt (RFC 7523).
	JWKS    json.RawMessage `json:"jwks,omitzero"`
	JWKSURL string          `json:"jwks_url,omitzero"`

	// MetadataURL is where the client describes itself, "" for one that was created
	// here.
	MetadataURL string `json:"metadata_url,omitzero"`

	LogoURL   string `json:"logo_url,omitzero"`
	HomeURL   string `json:"home_url,omitzero"`
	PolicyURL string `json:"policy_url,omitzero"`
	TermsURL  string `json:"terms_url,omitzero"`
}

// A ClientSecret is a client with a secret of it. Secret is zero for a client without
// one.
type ClientSecret struct {
	Client OAuthClient `json:"client"`
	Secret Secret      `json:"secret,omitzero"`
}

// CreateClient is the input of [Client.CreateClient].
type CreateClient struct {
	// Environment is where the client's tokens work; "" where the contract has only one.
	Environment  string `json:"environment,omitzero"`
	Organization string `json:"organization"`
	Name         string `json:"name"`

	// Grants are those it may use, of the contract's. Nil: all that make sense for it,
	// which leaves out authorization_code without a redirect URI, and client_credentials
	// for a public client.
	Grants []string `json:"grants,omitzero"`

	// Authentication lists the ways it may say who it is, of the contract's. Nil:
	// private_key_jwt with JWKS or JWKSURL, none for a public client, else all that take
	// a secret.
	Authentication []string `json:"authentication,omitzero"`

	// Public asks for a client without a secret.
	Public bool `json:"public,omitzero"`

	// RedirectURIs are where people may be sent back to.
	RedirectURIs []string `json:"redirect_uris,omitzero"`
	Origins      []string `json:"origins,omitzero"`

	// Scopes and Permissions say together the most that it may ask for. Both nil: the
	// contract's default scopes for clients, else all that clients may have.
	Scopes      []string `json:"scopes,omitzero"`
	Permissions []string `json:"permissions,omitzero"`

	// JWKS is a JSON Web Key Set (RFC 7517) of public keys.
	JWKS    json.RawMessage `json:"jwks,omitzero"`
	JWKSURL string          `json:"jwks_url,omitzero"`

	// FirstParty is for operators only.
	FirstParty   bool `json:"first_party,omitzero"`
	DPoPRequired bool `json:"dpop_required,omitzero"`

	LogoURL   string `json:"logo_url,omitzero"`
	HomeURL   string `json:"home_url,omitzero"`
	PolicyURL string `json:"policy_url,omitzero"`
	TermsURL  string `json:"terms_url,omitzero"`

	// Addresses lists where requests with its tokens may come from; empty: anywhere.
	Addresses []string `json:"addresses,omitzero"`

	// Limits are the client's own, on top of its organization's; nil: none.
	Limits *Limits `json:"limits,omitzero"`

	// ExpiresAt is when the client ends; zero: never.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// ClientFilter says which clients [Client.ListClients] lists, or which service accounts
// [Client.ListServiceAccounts]; "" is any.
type ClientFilter struct {
	Organization string `json:"organization,omitzero"`
	Environment  string `json:"environment,omitzero"`
	Narrow
	Page
}

// UpdateClient is the input of [Client.UpdateClient]; nil and zero members stay as they
// are. An empty list or text removes what there was.
type UpdateClient struct {
	ID          string   `json:"-"` // in the path
	Name        *string  `json:"name,omitzero"`
	Scopes      []string `json:"scopes,omitzero"`
	Permissions []string `json:"permissions,omitzero"`
	Addresses   []string `json:"addresses,omitzero"`
	Limits      *Limits  `json:"limits,omitzero"`

	// InheritLimits removes the client's own limits.
	InheritLimits bool `json:"inherit_limits,omitzero"`

	ExpiresAt    time.Time `json:"expires_at,omitzero"`
	NeverExpires bool      `json:"never_expires,omitzero"`

	Grants         []string `json:"grants,omitzero"`
	Authentication []string `json:"authentication,omitzero"`
	RedirectURIs   []string `json:"redirect_uris,omitzero"`
	Origins        []string `json:"origins,omitzero"`

	// JWKS replaces the public keys; a set without keys removes them.
	JWKS    json.RawMessage `json:"jwks,omitzero"`
	JWKSURL *string         `json:"jwks_url,omitzero"`

	// FirstParty is for operators only.
	FirstParty   *bool `json:"first_party,omitzero"`
	DPoPRequired *bool `json:"dpop_required,omitzero"`

	LogoURL   *string `json:"logo_url,omitzero"`
	HomeURL   *string `json:"home_url,omitzero"`
	PolicyURL *string `json:"policy_url,omitzero"`
	TermsURL  *string `json:"terms_url,omitzero"`
}

// A ServiceAccount is an identity for programs that sign their own tokens. It is a
// credential with what every credential has, of the kind "service_account"; instead of a
// secret it has keys: [Client.ListServiceAccountKeys]. Scopes are the most its tokens may
// carry.
type ServiceAccount struct {
	Key
}

// CreateServiceAccount is the input of [Client.CreateServiceAccount].
type CreateServiceAccount struct {
	// Environment is where the account works; "" where the contract has only one.
	Environment  string `json:"environment,omitzero"`
	Organization string `json:"organization"`
	Name         string `json:"name"`

	// Scopes and Permissions say together what it may do. One of them is required.
	Scopes      []string `json:"scopes,omitzero"`
	Permissions []string `json:"permissions,omitzero"`

	// Addresses lists where requests may come from; empty: anywhere.
	Addresses []string `json:"addresses,omitzero"`

	// Limits are the account's own, on top of its organization's; nil: none.
	Limits *Limits `json:"limits,omitzero"`

	// ExpiresAt is when the account ends; zero: never.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// A ServiceAccountKey is a key pair of a service account, of which the server has the public
// half.
type ServiceAccountKey struct {
	ID             string    `json:"id"` // kid in the header of its tokens
	ServiceAccount string    `json:"service_account"`
	Algorithm      string    `json:"algorithm"`
	Status         Status    `json:"status"` // active, expired or revoked
	CreatedAt      time.Time `json:"created_at"`
	ExpiresAt      time.Time `json:"expires_at,omitzero"`
	RevokedAt      time.Time `json:"revoked_at,omitzero"`
	LastUsedAt     time.Time `json:"last_used_at,omitzero"` // to the minute
}

// CreateServiceAccountKey is the input of [Client.CreateServiceAccountKey].
type CreateServiceAccountKey struct {
	ServiceAccount string `json:"-"` // in the path

	// Algorithm is one of the contract's for service accounts; "" is the first.
	Algorithm string `json:"algorithm,omitzero"`

	// ExpiresAt is when the key ends; zero: never.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// A ServiceAccountKeyFile is a new key with the file that holds its private half, in the
// only answer that does.
type ServiceAccountKeyFile struct {
	Key ServiceAccountKey `json:"key"`

	// Name is what the contract calls the file: "service-account.json".
	Name string  `json:"name"`
	File KeyFile `json:"file"`
}

// A KeyFile is the content of a key file: all that its holder needs to sign tokens, and
// to exchange them, without asking anybody.
type KeyFile struct {
	Type         string `json:"type"`      // "service_account"
	ClientID     string `json:"client_id"` // the account's id: sub of its tokens
	Organization string `json:"organization"`
	Environment  string `json:"environment"`

	KeyID      string `json:"key_id"`
	Algorithm  string `json:"algorithm"`
	PrivateKey Secret `json:"private_key"` // PKCS #8 in PEM (RFC 5958, RFC 7468)

	Issuer   string `json:"issuer"`   // iss of its tokens
	Audience string `json:"audience"` // aud of its tokens

	// ScopeClaim is the claim for the scopes, one string in "scope", an array in
	// "scopes". Claims are further claims its tokens carry.
	ScopeClaim         string            `json:"scope_claim"`
	Claims             map[string]string `json:"claims"`
	MaxLifetimeSeconds int64             `json:"max_lifetime_seconds"`

	// TokenURI is where a signed token is exchanged for an access token, "" where it is
	// not.
	TokenURI string `json:"token_uri,omitzero"`
}

// ServiceAccountKeyID names a key of a service account.
type ServiceAccountKeyID struct {
	ServiceAccount string `json:"-"` // both in the path
	ID             string `json:"-"`
}

// ServiceAccountKeyFilter says whose keys [Client.ListServiceAccountKeys] lists.
type ServiceAccountKeyFilter struct {
	ServiceAccount string `json:"-"` // in the path
}
