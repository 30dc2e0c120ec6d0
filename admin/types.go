package admin

import (
	"time"

	"github.com/cardea-dev/cardea"
)

// An Organization is a customer of the API product.
type Organization struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Plan string `json:"plan"`

	// Limits are the organization's own, in place of its plan's; nil: the plan's.
	Limits *Limits `json:"limits,omitzero"`

	// Staff says that this is the company behind the product, whose people are operators.
	Staff bool `json:"staff,omitzero"`

	Status      OrganizationStatus `json:"status"`
	SuspendedAt time.Time          `json:"suspended_at,omitzero"`
	CreatedAt   time.Time          `json:"created_at"`
	UpdatedAt   time.Time          `json:"updated_at"`
}

// OrganizationStatus says whether an organization's credentials work at all.
type OrganizationStatus string

// The states of an organization.
const (
	OrganizationActive    OrganizationStatus = "active"
	OrganizationSuspended OrganizationStatus = "suspended"
)

// Limits are how much an organization or a key may ask. 0 is no limit of that sort.
type Limits struct {
	PerMinute int64 `json:"per_minute"`
	Burst     int64 `json:"burst"`
	PerDay    int64 `json:"per_day"`
}

// A Member is a person in an organization.
type Member struct {
	ID           string      `json:"id"`
	Organization string      `json:"organization"`
	Email        string      `json:"email"`
	Name         string      `json:"name"`
	Role         cardea.Role `json:"role"`

	Status       MemberStatus `json:"status"`
	LastSignInAt time.Time    `json:"last_sign_in_at,omitzero"` // zero: never
	DisabledAt   time.Time    `json:"disabled_at,omitzero"`
	CreatedAt    time.Time    `json:"created_at"`
}

// MemberStatus says whether a person can come in.
type MemberStatus string

// The states of a member.
const (
	MemberActive   MemberStatus = "active"
	MemberInvited  MemberStatus = "invited" // has never signed in
	MemberDisabled MemberStatus = "disabled"
)

// Status says whether a key works now, and if not, why.
type Status string

// The states of a key, in the order in which they are looked for: a key that is both
// revoked and expired is shown as revoked.
const (
	StatusRevoked  Status = "revoked"
	StatusDisabled Status = "disabled"
	StatusExpired  Status = "expired"
	StatusIdle     Status = "idle"     // not used for longer than its kind allows
	StatusExpiring Status = "expiring" // works, and ends within 14 days, or the last fifth of its life
	StatusActive   Status = "active"
)

// A Key is an opaque credential of one of the contract's key kinds. It never holds
// the secret.
type Key struct {
	ID           string `json:"id"`
	Kind         string `json:"kind"`
	Environment  string `json:"environment"`
	Organization string `json:"organization"`
	Member       string `json:"member,omitzero"`
	Name         string `json:"name"`
	Status       Status `json:"status"`

	// OwnerName and OwnerEmail are the member's; "" when the key is no person's.
	OwnerName  string `json:"owner_name,omitzero"`
	OwnerEmail string `json:"owner_email,omitzero"`

	// Hint is what people recognise the current secret by: its prefix and its last
	// four characters.
	Hint string `json:"hint"`

	// Scopes are the granted scopes as they were granted; Permissions are the labels
	// of the contract's permissions that they cover.
	Scopes      []string `json:"scopes"`
	Permissions []string `json:"permissions"`

	// Addresses lists the only client addresses the key works from; empty: any.
	Addresses []string `json:"addresses"`

	// Limits are the key's own, on top of its organization's; nil: none.
	Limits *Limits `json:"limits,omitzero"`

	ExpiresAt     time.Time `json:"expires_at,omitzero"`
	LastUsedAt    time.Time `json:"last_used_at,omitzero"`    // to the minute
	LastUsedFrom  string    `json:"last_used_from,omitzero"`  // the client's address then
	LastUsedRoute string    `json:"last_used_route,omitzero"` // the contract's pattern
	DisabledAt    time.Time `json:"disabled_at,omitzero"`
	RevokedAt     time.Time `json:"revoked_at,omitzero"`
	RevokedReason string    `json:"revoked_reason,omitzero"`

	// CreatedBy is the actor: "operator:mt_…", "member:usr_…", "system:dev".
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	// SecretMadeAt is when the current secret was made, IdleEndsAt when the key ends if
	// nobody uses it until then; zero: never.
	SecretMadeAt time.Time `json:"secret_made_at,omitzero"`
	IdleEndsAt   time.Time `json:"idle_ends_at,omitzero"`

	// Revealable says whether [Client.RevealKey] can show the secret again.
	Revealable bool `json:"revealable"`

	// Rotation is the rotation under way; nil: one secret only.
	Rotation *Rotation `json:"rotation,omitzero"`
}

// A Rotation is the time in which a key has two secrets.
type Rotation struct {
	// OldHint is the hint of the secret that is going away, EndsAt when it goes.
	OldHint string    `json:"old_hint"`
	EndsAt  time.Time `json:"ends_at"`

	// OldLastUsedAt is when the old secret was last used, to the minute: somebody still
	// has it. Zero: not used since last-used times are kept.
	OldLastUsedAt time.Time `json:"old_last_used_at,omitzero"`
}

// A KeySecret is a key with a secret of it, in the only answers that hold one:
// creation, rotation and, where the contract allows it, revealing.
type KeySecret struct {
	Key    Key    `json:"key"`
	Secret Secret `json:"secret"`
}

// An AddressList is the list of client addresses that an organization's credentials
// of one environment work from; empty: any.
type AddressList struct {
	Organization string   `json:"organization"`
	Environment  string   `json:"environment"`
	Addresses    []string `json:"addresses"`
}

// A ManagementToken is an operator's credential for the management API.
type ManagementToken struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Hint       string    `json:"hint"`
	CreatedBy  string    `json:"created_by"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
	LastUsedAt time.Time `json:"last_used_at,omitzero"` // to the minute
}

// A ManagementTokenSecret is a management token with its secret, shown once.
type ManagementTokenSecret struct {
	Token  ManagementToken `json:"token"`
	Secret Secret          `json:"secret"`
}
