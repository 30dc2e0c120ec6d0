package contract

import (
	"time"

	"github.com/cardea-dev/cardea"
)

// Owner is whom credentials of a kind belong to.
type Owner string

// The owners.
const (
	OwnerOrganization Owner = "organization"
	OwnerMember       Owner = "member"
	OwnerEnvironment  Owner = "environment" // an organization's environment: a "space"
)

// Shape is the outer form of an opaque secret.
type Shape string

// The shapes.
const (
	ShapePrefix Shape = "prefix"    // prefix, random base62, CRC-32
	ShapeUUID   Shape = "uuid"      // RFC 9562 version 4
	ShapeHex    Shape = "hex-32-12" // 32 hex digits, "-", 12 hex digits
)

// A KeyKind is a kind of opaque secret.
type KeyKind struct {
	Name   string // "api_key"
	Label  string // "API key"
	Plural string // "API keys"
	Owner  Owner
	Shape  Shape

	// Prefixes holds the secret's prefix by environment index, "" where the kind does
	// not exist. For shapes without a prefix all entries are "" and Environments says
	// where it exists.
	Prefixes     []string
	Environments []bool // by environment index

	Present []Presentation // the ways to send it; their Kinds are nil

	RevealAlways    bool // the secret stays viewable, sealed with the master key
	ExpiryRequired  bool // an expiry must be chosen when a key is created
	MaxLifetime     Period
	DefaultLifetime Period        // used when no expiry is chosen; zero: MaxLifetime, if any
	Idle            time.Duration // refused after this long without use; 0: never
	Overlap         time.Duration // how long the old secret works after a rotation, unless told

	Scopes         ScopeSet      // what may be granted
	DefaultScopes  ScopeSet      // what is granted when none are asked for
	ExchangeOnly   bool          // good at a token endpoint, refused on routes
	RefuseBrowsers bool          // refused when the request carries Origin
	CreatedBy      []cardea.Role // who may create one
	MaxPerOwner    int64         // 0: no limit

	Index int
	Line  int
}

// A Presentation is one way to send a credential: a header and, for Authorization,
// an authentication scheme.
type Presentation struct {
	Header string // canonical name, see [net/http.CanonicalHeaderKey]
	Scheme string // "Bearer", or "" when the header holds the bare secret
	Kinds  []*KeyKind
}

// Kinds returns the key kinds in the file's order.
func (c *Contract) Kinds() []*KeyKind { return c.kinds }

// Kind returns the key kind with the given name, or nil.
func (c *Contract) Kind(name string) *KeyKind {
	for _, k := range c.kinds {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// Presentations returns every distinct way a key may be sent, in the file's order.
// When clients, service accounts or trusted issuers exist, Authorization with Bearer
// is one of them, possibly without kinds.
func (c *Contract) Presentations() []Presentation { return c.presentations }
