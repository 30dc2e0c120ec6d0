package admin

import (
	"time"
)

// SetPassword is the input of [Client.SetPassword].
type SetPassword struct {
	Member string `json:"-"` // in the path

	// Password is hashed and forgotten.
	Password string `json:"password"`
}

// A Link lets a person into their account once, to choose how to sign in from then on.
type Link struct {
	Member  string `json:"member,omitzero"` // "" of a set-up
	Purpose string `json:"purpose"`         // "invite", "reset", "handoff" or "setup"

	// Secret is the last part of the link's path. Whoever has it is the member. URL is the
	// whole link; its path alone where the server does not know the host that people sign
	// in at.
	Secret    Secret    `json:"secret"`
	URL       Secret    `json:"url"`
	ExpiresAt time.Time `json:"expires_at"`
}

// CreateHandoff is the input of [Client.CreateHandoff].
type CreateHandoff struct {
	Member string `json:"-"` // in the path

	// Continue is where the person lands: a path of the dashboard; "": its first page.
	Continue string `json:"continue,omitzero"`
}

// SetUp is the input of [Client.SetUp].
type SetUp struct {
	Name     string `json:"name"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

// A Session is a place where a member is signed in.
type Session struct {
	ID        string    `json:"id"`
	Member    string    `json:"member"`
	Method    string    `json:"method"` // password, passkey, sso, device or link
	UserAgent string    `json:"user_agent"`
	Address   string    `json:"address,omitzero"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"` // to the minute
	ExpiresAt time.Time `json:"expires_at"`
}

// SessionFilter says whose sessions [Client.ListSessions] lists.
type SessionFilter struct {
	Member string `json:"member"`
}

// A Consent is a member's word that a client may act for them.
type Consent struct {
	ID           string    `json:"id"`
	Member       string    `json:"member"`
	Client       string    `json:"client"`
	ClientName   string    `json:"client_name"`
	Organization string    `json:"organization"` // the member's
	Scopes       []string  `json:"scopes"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"` // the member is asked again from then on
	WithdrawnAt  time.Time `json:"withdrawn_at,omitzero"`

	// LastTokenAt is when the client last got a token for the member; zero: never.
	LastTokenAt time.Time `json:"last_token_at,omitzero"`

	// ClientOwner is the name of the organization that the client belongs to,
	// ClientHomeURL its home page, both "" when not known. Unverified says that it
	// describes itself at a URL, its id, so that its name is what it says.
	ClientOwner   string `json:"client_owner,omitzero"`
	ClientHomeURL string `json:"client_home_url,omitzero"`
	Unverified    bool   `json:"unverified,omitzero"`
}

// GrantFilter says which consents [Client.ListConsents] lists, or which grants
// [Client.ListGrants]; "" is any. A member without rights over others sees their own.
type GrantFilter struct {
	Organization string `json:"organization,omitzero"` // the members'
	Member       string `json:"member,omitzero"`
	Client       string `json:"client,omitzero"`
	Page
}

// A Grant is one authorization and what grew from it: a refresh token, each of which
// succeeded another, and the access tokens made from them.
type Grant struct {
	ID            string    `json:"id"`
	Client        string    `json:"client,omitzero"`
	Member        string    `json:"member,omitzero"`
	Organization  string    `json:"organization,omitzero"`
	Environment   string    `json:"environment"`
	Scopes        []string  `json:"scopes"`
	CreatedAt     time.Time `json:"created_at"`
	ExpiresAt     time.Time `json:"expires_at,omitzero"`
	RevokedAt     time.Time `json:"revoked_at,omitzero"`
	RevokedReason string    `json:"revoked_reason,omitzero"`

	// LastTokenAt is when a token was last issued under it; zero: not known.
	LastTokenAt time.Time `json:"last_token_at,omitzero"`
}

// RevokeToken is the input of [Client.RevokeToken]: one of its members.
type RevokeToken struct {
	// ID is a token's id: the claim jti of a signed one.
	ID string `json:"id,omitzero"`

	// Token is the text of an access or refresh token. It is not kept.
	Token string `json:"token,omitzero"`
}

// A RevokedToken says what [Client.RevokeToken] did.
type RevokedToken struct {
	// ID names the access token, or the grant that a refresh token was part of.
	ID string `json:"id"`

	// Type is "access_token" or "refresh_token".
	Type string `json:"type"`

	// ExpiresAt is when it would have ended by itself; zero: not known, or never.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// RevokeTokens is the input of [Client.RevokeTokens]: one of its members.
type RevokeTokens struct {
	// Credential is a client, a service account or a key: all that was issued to it.
	Credential string `json:"credential,omitzero"`

	// Member is a person: all that speaks for them, whoever has it.
	Member string `json:"member,omitzero"`
}

// RevokedTokens says what [Client.RevokeTokens] did.
type RevokedTokens struct {
	Credential string `json:"credential,omitzero"`
	Member     string `json:"member,omitzero"`

	// Before: whatever was issued up to then is refused.
	Before time.Time `json:"before"`
}
