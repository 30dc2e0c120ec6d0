package admin

import (
	"time"

	"github.com/cardea-dev/cardea"
)

// An OrganizationIssuer is the identity provider whose tokens an organization accepts in
// an environment. Issuer, JWKSURL and Audience are "" when there is none.
type OrganizationIssuer struct {
	Organization string `json:"organization"`

	// Environment is "" where the contract lets organizations name one for all.
	Environment string `json:"environment"`

	Issuer   string `json:"issuer"`   // iss of its tokens, compared as it stands
	JWKSURL  string `json:"jwks_url"` // where its keys are
	Audience string `json:"audience"` // aud that its tokens must have

	UpdatedAt time.Time     `json:"updated_at,omitzero"`
	Keys      *IssuerStatus `json:"keys,omitzero"`
}

// IssuerStatus says how the keys of an issuer stand with this server.
type IssuerStatus struct {
	Count      int       `json:"count"`               // keys in use
	FetchedAt  time.Time `json:"fetched_at,omitzero"` // of those; zero: never
	CheckedAt  time.Time `json:"checked_at,omitzero"` // the last attempt
	Failing    bool      `json:"failing"`             // that attempt failed
	Algorithms []string  `json:"algorithms,omitzero"` // of the keys in use
	KeyIDs     []string  `json:"key_ids,omitzero"`    // kid of each; "" for one without

	// Fault says why the last attempt failed, "" when it did not.
	Fault string `json:"fault,omitzero"`
}

// IssuerFilter says which issuers [Client.ListIssuers] lists; "" is any.
type IssuerFilter struct {
	Organization string `json:"organization,omitzero"`
	Environment  string `json:"environment,omitzero"`
	Page
}

// SetIssuer is the input of [Client.SetIssuer].
type SetIssuer struct {
	Organization string `json:"organization"`

	// Environment is required where the contract gives each environment its own.
	Environment string `json:"environment,omitzero"`

	// URL is the issuer, whose key set is then looked up (OpenID Connect Discovery §4,
	// RFC 8414 §3), or the key set itself. "" removes the issuer.
	URL string `json:"url"`

	// Issuer is iss of its tokens, where URL is a key set that does not tell.
	Issuer string `json:"issuer,omitzero"`

	// Audience is aud that its tokens must have; "": the contract's.
	Audience string `json:"audience,omitzero"`
}

// A TrustedIssuer is an identity provider that the contract trusts.
type TrustedIssuer struct {
	Name          string       `json:"name"`
	Issuer        string       `json:"issuer"`
	JWKSURL       string       `json:"jwks_url"`
	Audience      string       `json:"audience"`
	Algorithms    []string     `json:"algorithms"`
	Environments  []string     `json:"environments"`
	Scopes        []string     `json:"scopes"` // the most its tokens may do
	DefaultScopes []string     `json:"default_scopes"`
	Keys          IssuerStatus `json:"keys"`
}

// A SigningKey is a key that Cardea signs tokens with, of which this shows all but the
// key.
type SigningKey struct {
	ID          string `json:"id"` // kid in the header of its tokens
	Environment string `json:"environment"`
	Algorithm   string `json:"algorithm"`

	// State is pending (published, does not sign yet), signing, verifying (what it signed
	// is still good), gone or revoked.
	State string `json:"state"`

	CreatedAt time.Time `json:"created_at"`
	SignsAt   time.Time `json:"signs_at,omitzero"`
	RetiredAt time.Time `json:"retired_at,omitzero"` // it signs no more from then on
	ExpiresAt time.Time `json:"expires_at,omitzero"` // it verifies no more from then on
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// RotateSigningKeys is the input of [Client.RotateSigningKeys].
type RotateSigningKeys struct {
	// Environment is the one whose keys are replaced; "": all.
	Environment string `json:"environment,omitzero"`

	// Immediate lets the new keys sign at once. Verifiers that remember the key set
	// refuse their tokens until they fetch it again.
	Immediate bool `json:"immediate,omitzero"`
}

// A Hook is a question that the contract has asked before a request goes on.
type Hook struct {
	ID    int    `json:"id"` // its place in the contract, from 1
	Match string `json:"match"`
	When  string `json:"when"` // "no_credential" or "always"

	// URL is the service that is asked, Condition the expression that decides in place:
	// one of the two.
	URL       string `json:"url,omitzero"`
	Condition string `json:"condition,omitzero"`

	TimeoutMS int64 `json:"timeout_ms"`
	Line      int   `json:"line"` // of the contract
}

// TestHook is the input of [Client.TestHook]: a request that nobody sent.
type TestHook struct {
	ID int `json:"-"` // in the path

	Method string `json:"method,omitzero"` // "": GET
	Path   string `json:"path"`            // may have a query
	Host   string `json:"host,omitzero"`

	Headers     map[string]string `json:"headers,omitzero"`
	Environment string            `json:"environment,omitzero"`
	Client      string            `json:"client,omitzero"` // its address

	// Credential is the id of the credential that the request seems to have been sent
	// with; "": none.
	Credential string `json:"credential,omitzero"`
}

// HookAnswer is what a hook answered to [TestHook].
type HookAnswer struct {
	Matches bool `json:"matches"` // the hook is asked about such requests
	Allow   bool `json:"allow"`

	// Status, Headers and Body are the refusal as the service worded it; none: the
	// contract's words are used.
	Status  int               `json:"status,omitzero"`
	Headers map[string]string `json:"headers,omitzero"`
	Body    string            `json:"body,omitzero"`

	// Fault says why there was no answer, which refuses the request; "": there was one.
	Fault     string `json:"fault,omitzero"`
	LatencyUS int64  `json:"latency_us"`
}

// HookSecret is the key that hooks' receivers check signatures with.
type HookSecret struct {
	Secret Secret `json:"secret"`
}

// A Connection is an organization's own OpenID provider, through which its members sign
// in.
type Connection struct {
	Organization string `json:"organization"`
	Issuer       string `json:"issuer"`
	ClientID     string `json:"client_id"`

	// HasSecret says that there is a client secret. It is never shown.
	HasSecret bool `json:"has_secret"`

	// AutoJoin makes whoever signs in for the first time, with an address in one of
	// Domains, a member with the role Role.
	AutoJoin bool        `json:"auto_join"`
	Role     cardea.Role `json:"role"`
	Domains  []string    `json:"domains"`

	// Insecure allows the provider private addresses and plain HTTP: for development.
	Insecure  bool      `json:"insecure"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// SetConnection is the input of [Client.SetConnection].
type SetConnection struct {
	Organization string `json:"-"`      // in the path
	Issuer       string `json:"issuer"` // its URL, as the provider calls itself
	ClientID     string `json:"client_id"`

	// ClientSecret is sealed with the master key. Absent: the one there is stays, if
	// issuer and client id do; a public client has none.
	ClientSecret string `json:"client_secret,omitzero"`

	AutoJoin bool        `json:"auto_join,omitzero"`
	Role     cardea.Role `json:"role,omitzero"` // of those who join; "": viewer
	Domains  []string    `json:"domains,omitzero"`

	// Insecure is for operators only.
	Insecure bool `json:"insecure,omitzero"`
}

// An EnvironmentSummary is what an organization has in one environment: the answer to
// "what is set up here?".
type EnvironmentSummary struct {
	Organization Organization    `json:"organization"`
	Environment  EnvironmentInfo `json:"environment"`

	// Keys are the keys that are not revoked, newest first and at most 200, by their
	// hints; MoreKeys says that there are more.
	Keys     []Key `json:"keys"`
	MoreKeys bool  `json:"more_keys,omitzero"`

	// Addresses lists the only client addresses that requests may come from; empty: any.
	Addresses []string `json:"addresses"`

	// Issuer is the identity provider that the organization has named for it; nil: none.
	Issuer *OrganizationIssuer `json:"issuer,omitzero"`
}
