package manage

import (
	"time"

	"github.com/cardea-dev/cardea"
)

// CreateOrganization is the input of [Manager.CreateOrganization].
type CreateOrganization struct {
	Name string `json:"name"`

	// Plan is a plan of the contract; "" is its default plan.
	Plan string `json:"plan,omitzero"`

	// Limits are the organization's own, in place of its plan's; nil: the plan's.
	Limits *Limits `json:"limits,omitzero"`
}

// UpdateOrganization is the input of [Manager.UpdateOrganization]; nil members stay as
// they are.
type UpdateOrganization struct {
	ID     string  `json:"id"`
	Name   *string `json:"name,omitzero"`
	Plan   *string `json:"plan,omitzero"`
	Limits *Limits `json:"limits,omitzero"`

	// InheritLimits removes the organization's own limits.
	InheritLimits bool `json:"inherit_limits,omitzero"`
}

// Offboard is the input of [Manager.OffboardOrganization].
type Offboard struct {
	ID     string `json:"id"`
	Reason string `json:"reason,omitzero"`
}

// Offboarded is what [Manager.OffboardOrganization] did.
type Offboarded struct {
	Organization    Organization `json:"organization"`
	KeysRevoked     int          `json:"keys_revoked"`
	MembersDisabled int          `json:"members_disabled"`
}

// CreateMember is the input of [Manager.CreateMember].
type CreateMember struct {
	Organization string      `json:"organization"`
	Email        string      `json:"email"`
	Name         string      `json:"name"`
	Role         cardea.Role `json:"role"`
}

// MemberFilter says which members [Manager.Members] lists; "" is any.
type MemberFilter struct {
	Organization string      `json:"organization,omitzero"`
	Role         cardea.Role `json:"role,omitzero"`

	// Search is part of a name, an address or an id, in any case.
	Search string `json:"search,omitzero"`

	Status MemberStatus `json:"status,omitzero"`
	Page
}

// OrganizationFilter says which organizations [Manager.Organizations] lists; "" is any.
type OrganizationFilter struct {
	Plan   string             `json:"plan,omitzero"`
	Search string             `json:"search,omitzero"` // part of a name or an id, in any case
	Status OrganizationStatus `json:"status,omitzero"`
	Page
}

// UpdateMember is the input of [Manager.UpdateMember]; nil members stay as they are.
type UpdateMember struct {
	ID   string       `json:"id"`
	Name *string      `json:"name,omitzero"`
	Role *cardea.Role `json:"role,omitzero"`
}

// CreateKey is the input of [Manager.CreateKey].
type CreateKey struct {
	// Kind is a key kind of the contract, Environment an environment it exists in; ""
	// where there is only one.
	Kind        string `json:"kind,omitzero"`
	Environment string `json:"environment,omitzero"`

	// Organization owns the key; "" where Member says it.
	Organization string `json:"organization,omitzero"`

	// Member is whom the key is for: required for kinds that belong to members,
	// refused for kinds that belong to environments.
	Member string `json:"member,omitzero"`

	Name string `json:"name"`

	// Scopes and Permissions (labels of the contract) say together what is granted.
	// Both nil: the kind's default scopes.
	Scopes      []string `json:"scopes,omitzero"`
	Permissions []string `json:"permissions,omitzero"`

	// Addresses lists IP addresses and CIDR networks; empty: any client address.
	Addresses []string `json:"addresses,omitzero"`

	// Limits are the key's own, on top of its organization's; nil: none.
	Limits *Limits `json:"limits,omitzero"`

	// ExpiresAt is when the key ends. Zero: the kind's default lifetime, else its
	// maximum, else never; an error where the kind requires a choice.
	ExpiresAt time.Time `json:"expires_at,omitzero"`

	// NeverExpires chooses no expiry where the kind has a default lifetime but no
	// maximum.
	NeverExpires bool `json:"never_expires,omitzero"`
}

// KeyFilter says which keys [Manager.Keys] lists, and in which order; "" is any.
type KeyFilter struct {
	Organization string `json:"organization,omitzero"`
	Member       string `json:"member,omitzero"`
	Environment  string `json:"environment,omitzero"`
	Kind         string `json:"kind,omitzero"`
	Narrow
	Page
}

// Narrow is what lists of credentials are searched by, and their order; "" is any.
type Narrow struct {
	// Search is part of a name or an id, in any case, or the last four characters of a
	// secret, alone or as hints show them.
	Search string `json:"search,omitzero"`

	// Status is StatusActive, which stands for all that are not ended (those that expire
	// soon included), StatusExpiring, StatusDisabled, StatusExpired or StatusRevoked.
	Status Status `json:"status,omitzero"`

	// Scope is one that was granted, by the name it was granted under.
	Scope string `json:"scope,omitzero"`

	// Sort is SortNewest or another order, which only the list of one organization has.
	Sort string `json:"sort,omitzero"`
}

// The orders of lists of credentials.
const (
	SortNewest   = "newest"    // which "" is too
	SortName     = "name"      // in the order of letters, in any case
	SortLastUsed = "last_used" // the latest first, then those never used
	SortExpires  = "expires"   // the next to end first, then those that never do
)

// UpdateKey is the input of [Manager.UpdateKey]; nil and zero members stay as they are.
// An empty list is a change: no scopes, or any address.
type UpdateKey struct {
	ID          string   `json:"id"`
	Name        *string  `json:"name,omitzero"`
	Scopes      []string `json:"scopes,omitzero"`
	Permissions []string `json:"permissions,omitzero"`
	Addresses   []string `json:"addresses,omitzero"`
	Limits      *Limits  `json:"limits,omitzero"`

	// InheritLimits removes the key's own limits.
	InheritLimits bool `json:"inherit_limits,omitzero"`

	ExpiresAt    time.Time `json:"expires_at,omitzero"`
	NeverExpires bool      `json:"never_expires,omitzero"`
}

// RotateKey is the input of [Manager.RotateKey].
type RotateKey struct {
	ID string `json:"id"`

	// OverlapSeconds is how long the old secret goes on working; nil: as the contract
	// says for the kind, 0: not at all.
	OverlapSeconds *int64 `json:"overlap_seconds,omitzero"`

	// ExpiresAt is the key's new end, within the kind's maximum from now; zero: its
	// expiry stays.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// RevokeKey is the input of [Manager.RevokeKey].
type RevokeKey struct {
	ID     string `json:"id"`
	Reason string `json:"reason,omitzero"`
}

// IdentifyKey is the input of [Manager.IdentifyKey].
type IdentifyKey struct {
	// Secret is the text of a secret. It is hashed and forgotten.
	Secret string `json:"secret"`
}

// AddressListID names an address list.
type AddressListID struct {
	Organization string `json:"organization"`
	Environment  string `json:"environment"`
}

// Addresses is the input of the changes of an address list.
type Addresses struct {
	AddressListID

	// Addresses lists IP addresses and CIDR networks. Nil is an error, so that nobody
	// empties a list by leaving it out.
	Addresses []string `json:"addresses"`
}

// CreateManagementToken is the input of [Manager.CreateManagementToken].
type CreateManagementToken struct {
	Name string `json:"name"`

	// ExpiresAt is when the token ends; zero: when it is revoked.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}
