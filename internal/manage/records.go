package manage

import (
	"time"
)

// A Plan is a plan of the contract with the number of organizations that have it.
type Plan struct {
	Name          string `json:"name"`
	Label         string `json:"label"`
	Limits        Limits `json:"limits"`
	Custom        bool   `json:"custom"` // its limits are set per organization
	Note          string `json:"note,omitzero"`
	Default       bool   `json:"default"`
	Organizations int    `json:"organizations"`
}

// ContractInfo is what the contract in force defines, for people who choose from it.
type ContractInfo struct {
	Product         string            `json:"product"`
	Source          string            `json:"source"`
	Hash            string            `json:"hash"`
	LoadedAt        time.Time         `json:"loaded_at,omitzero"`
	AddressListsPer string            `json:"address_lists_per"`
	Environments    []EnvironmentInfo `json:"environments"`
	Scopes          []ScopeInfo       `json:"scopes"`
	Permissions     []PermissionInfo  `json:"permissions"`
	Kinds           []KindInfo        `json:"kinds"`
}

// EnvironmentInfo is an environment of the contract.
type EnvironmentInfo struct {
	Name  string `json:"name"`
	Label string `json:"label"`
}

// ScopeInfo is a scope of the contract.
type ScopeInfo struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Aliases     []string `json:"aliases,omitzero"`
}

// PermissionInfo is a permission of the contract: scopes under a label.
type PermissionInfo struct {
	Label       string   `json:"label"`
	Description string   `json:"description"`
	Scopes      []string `json:"scopes"`
}

// KindInfo is a key kind of the contract.
type KindInfo struct {
	Name            string   `json:"name"`
	Label           string   `json:"label"`
	Owner           string   `json:"owner"`
	Environments    []string `json:"environments"`
	Scopes          []string `json:"scopes"`
	DefaultScopes   []string `json:"default_scopes"`
	RevealAlways    bool     `json:"reveal_always"`
	ExpiryRequired  bool     `json:"expiry_required"`
	MaxLifetime     string   `json:"max_lifetime,omitzero"`
	DefaultLifetime string   `json:"default_lifetime,omitzero"`
	IdleSeconds     int64    `json:"idle_seconds,omitzero"`
	OverlapSeconds  int64    `json:"overlap_seconds,omitzero"`
}
