package contract

import (
	"time"

	"github.com/cardea-dev/cardea/internal/condition"
)

// A TrustedIssuer is somebody else's identity provider, known by its key set.
type TrustedIssuer struct {
	Name          string
	Issuer        string // iss, compared as it stands
	JWKS          string // URL of its key set
	Audience      string
	Algorithms    []string
	Environments  []bool // by environment index
	ScopeClaim    string
	Scopes        ScopeSet // the most its tokens may do
	DefaultScopes ScopeSet // what a token without the scope claim may do
	Claims        []Claim
	PlanClaim     string
	MaxLifetime   time.Duration

	InsecurePrivateJWKS bool // the key set may be on a private address, and over http
	Line                int
}

// OrganizationIssuers lets organizations name an identity provider of their own.
type OrganizationIssuers struct {
	PerEnvironment bool // each environment of an organization has its own
	Algorithms     []string
	ScopeClaim     string
	Scopes         ScopeSet
	DefaultScopes  ScopeSet
	Line           int
}

// IPListPer says what has a list of the addresses requests may come from.
type IPListPer string

// What may have an IP list.
const (
	IPListNone           IPListPer = "" // the contract has no ip_lists
	IPListPerCredential  IPListPer = "credential"
	IPListPerEnvironment IPListPer = "environment"
	IPListPerBoth        IPListPer = "both"
)

// A Hook is a question asked before a request goes on.
type Hook struct {
	Match            string               // the pattern as written
	OnlyUncredential bool                 // asked only when no credential was sent
	URL, CEL         string               // one of the two
	Condition        *condition.Condition // compiled CEL, nil with URL
	Timeout          time.Duration
	Line             int

	table routeTable // of the pattern alone
}

// TrustedIssuers returns the trusted issuers in the file's order.
func (c *Contract) TrustedIssuers() []*TrustedIssuer { return c.trustedIssuers }

// WithIssuerKeys returns a copy of the contract in which the trusted issuers named in
// the map have their key set at the given URL, which may be on this machine: for
// development, where a stand-in signs in place of the real one.
func (c *Contract) WithIssuerKeys(byName map[string]string) *Contract {
	dup := *c
	dup.trustedIssuers = make([]*TrustedIssuer, len(c.trustedIssuers))
	for i, issuer := range c.trustedIssuers {
		moved := *issuer
		if url, ok := byName[issuer.Name]; ok {
			moved.JWKS, moved.InsecurePrivateJWKS = url, true
		}
		dup.trustedIssuers[i] = &moved
	}
	return &dup
}

// OrganizationIssuers returns how organizations name issuers of their own, or nil.
func (c *Contract) OrganizationIssuers() *OrganizationIssuers { return c.organizationIssuers }

// IPListPer returns what has an IP list.
func (c *Contract) IPListPer() IPListPer { return c.ipListPer }

// Hooks returns the hooks in the file's order.
func (c *Contract) Hooks() []*Hook { return c.hooks }

// Matches reports whether the hook is asked about a request with this method and
// canonical path.
func (h *Hook) Matches(method, path string) bool {
	return h.table.match(method, path) != nil
}
