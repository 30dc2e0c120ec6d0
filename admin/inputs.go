package admin

import (
	"time"

	"github.com/cardea-dev/cardea"
)

// CreateOrganization is the input of [Client.CreateOrganization].
type CreateOrganization struct {
	Name string `json:"name"`

	// Plan is a plan of the contract; "" is its default plan.
	Plan string `json:"plan,omitzero"`

	// Limits are the organization's own, in place of its plan's; nil: the plan's.
	Limits *Limits `json:"limits,omitzero"`
}

// UpdateOrganization is the input of [Client.UpdateOrganization]; nil members stay as
// they are.
type UpdateOrganization struct {
	ID     string  `json:"-"` // in the path
	Name   *string `json:"name,omitzero"`
	Plan   *string `json:"plan,omitzero"`
	Limits *Limits `json:"limits,omitzero"`

	// InheritLimits removes the organization's own limits.
	InheritLimits bool `json:"inherit_limits,omitzero"`
}

// Offboard is the input of [Client.OffboardOrganization].
type Offboard struct {
	ID     string `json:"-"` // in the path
	Reason string `json:"reason,omitzero"`
}

// Offboarded is what [Client.OffboardOrganization] did.
type Offboarded struct {
	Organization    Organization `json:"organization"`
	KeysRevoked     int          `json:"keys_revoked"`
	MembersDisabled int          `json:"members_disabled"`
}

// CreateMember is the input of [Client.CreateMember].
type CreateMember struct {
	Organization string      `json:"organization"`
	Email        string      `json:"email"`
	Name         string      `json:"name"`
	Role         cardea.Role `json:"role"`
}

// MemberFilter says which members [Client.ListMembers] lists; "" is any.
type MemberFilter struct {
	Organization string       `json:"organization,omitzero"`
	Role         cardea.Role  `json:"role,omitzero"`
	Search       string       `json:"search,omitzero"` // part of a name, an address or an id, in any case
	Status       MemberStatus `json:"status,omitzero"`
	Page
}

// OrganizationFilter says which organizations [Client.ListOrganizations] lists; "" is any.
type OrganizationFilter struct {
	Plan   string             `json:"plan,omitzero"`
	Search string             `json:"search,omitzero"` // part of a name or an id, in any case
	Status OrganizationStatus `json:"status,omitzero"`
	Page
}

// RevokeAll is the input of [Client.RevokeAll]: an organization, or a member.
type RevokeAll struct {
	Organization string `json:"organization,omitzero"`
	Member       string `json:"member,omitzero"`
	Reason       string `json:"reason,omitzero"`

	// Disable shuts the member out as well, as when a person leaves.
	Disable bool `json:"disable,omitzero"`
}

// RevokedAll is what [Client.RevokeAll] did.
type RevokedAll struct {
	Organization string `json:"organization"`
	Member       string `json:"member,omitzero"`
	KeysRevoked  int    `json:"keys_revoked"` // clients and service accounts included
	Disabled     bool   `json:"disabled"`     // the member is
}

// UpdateMember is the input of [Client.UpdateMember]; nil members stay as they are.
type UpdateMember struct {
	ID   string       `json:"-"` // in the path
	Name *string      `json:"name,omitzero"`
	Role *cardea.Role `json:"role,omitzero"`
}

// CreateKey is the input of [Client.CreateKey].
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

// KeyFilter says which keys [Client.ListKeys] lists; "" is any.
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
	// secret.
	Search string `json:"search,omitzero"`

	// Status is StatusActive, which stands for all that are not ended, StatusExpiring,
	// StatusDisabled, StatusExpired or StatusRevoked.
	Status Status `json:"status,omitzero"`

	// Scope is one that was granted, by the name it was granted under.
	Scope string `json:"scope,omitzero"`

	// Sort is "newest", or "name", "last_used" or "expires" for the list of one
	// organization.
	Sort string `json:"sort,omitzero"`
}

// Counts are numbers of keys by status.
type Counts struct {
	Active     int64 `json:"active"` // those that expire soon included
	Disabled   int64 `json:"disabled"`
	Expired    int64 `json:"expired"`
	Revoked    int64 `json:"revoked"`
	Expiring7d int64 `json:"expiring_7d"` // of the active ones
}

// RevokeKeys is the input of [Client.RevokeKeys].
type RevokeKeys struct {
	IDs    []string `json:"ids"` // 1 to 200
	Reason string   `json:"reason,omitzero"`
}

// Revoked is what [Client.RevokeKeys] did.
type Revoked struct {
	Items  []Key     `json:"items"` // the keys that are revoked now
	Failed []NotDone `json:"failed"`
}

// A NotDone is one of several things that could not be done, and why.
type NotDone struct {
	ID     string `json:"id"`
	Detail string `json:"detail"`
}

// UpdateKey is the input of [Client.UpdateKey]; nil and zero members stay as they are.
// An empty list is a change: no scopes, or any address.
type UpdateKey struct {
	ID          string   `json:"-"` // in the path
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

// RotateKey is the input of [Client.RotateKey].
type RotateKey struct {
	ID string `json:"-"` // in the path

	// OverlapSeconds is how long the old secret goes on working; nil: as the contract
	// says for the kind, 0: not at all.
	OverlapSeconds *int64 `json:"overlap_seconds,omitzero"`

	// ExpiresAt is the key's new end, within the kind's maximum from now; zero: its
	// expiry stays.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// RevokeKey is the input of [Client.RevokeKey].
type RevokeKey struct {
	ID     string `json:"-"` // in the path
	Reason string `json:"reason,omitzero"`
}

// IdentifyKey is the input of [Client.IdentifyKey].
type IdentifyKey struct {
	// Secret is the text of a secret. The server hashes it and forgets it.
	Secret string `json:"secret"`
}

// AddressListID names an address list.
type AddressListID struct {
	Organization string `json:"-"` // both in the path
	Environment  string `json:"-"`
}

// Addresses is the input of the changes of an address list.
type Addresses struct {
	AddressListID
	Addresses []string `json:"addresses"`
}

// CreateManagementToken is the input of [Client.CreateManagementToken].
type CreateManagementToken struct {
	Name string `json:"name"`

	// ExpiresAt is when the token ends; zero: when it is revoked.
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}
