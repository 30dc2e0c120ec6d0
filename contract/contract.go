// Package contract reads a product's contract: one YAML file that says what its
// "Authentication" page promises.
//
// [Load] turns text into an immutable [*Contract], or into every problem the text
// has, each with its place. Loading takes three steps: the decoder mirrors the file
// in a document, compilation checks it and resolves names, and the result is what
// the rest of Cardea reads.
package contract

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/cardea-dev/cardea"
)

// A Contract is a loaded contract. It is immutable and safe for concurrent use; what
// its methods return must not be changed.
type Contract struct {
	source           string // file name, for messages
	hash             string // SHA-256 of the text, in hexadecimal
	product          string
	hosts            Hosts
	issuer, audience string

	environments  []*Environment
	scopes        []*Scope
	permissions   []Permission
	plans         []*Plan
	defaultPlan   *Plan
	kinds         []*KeyKind
	presentations []Presentation
	routes        []*Route
}

// Hosts are the product's host names, lower case, without port.
type Hosts struct {
	API  string // the API behind Cardea
	Auth string // token endpoint, JWKS; the API host unless the contract says otherwise
	App  string // dashboard and authorization page; the API host unless it says otherwise
}

// An Environment is a world of its own: its credentials never work in another.
type Environment struct {
	Name  string // "live"
	Label string // "Production"

	// Upstream is the base URL of the API in this environment: scheme, host and
	// optionally a path prefix, without a trailing slash.
	Upstream string

	Index int // position in [Contract.Environments]
	Line  int
}

// A Scope is a permission a credential may carry (RFC 6749 §3.3).
type Scope struct {
	Name        string
	Description string
	Aliases     []string // other spellings that mean this scope
	Index       int      // its bit in a [ScopeSet]
	Line        int
}

// A Permission is how a key's scopes are shown to people: "Read" for [read].
type Permission struct {
	Label       string
	Description string
	Scopes      ScopeSet
}

// A Plan is a set of limits. A limit of 0 means none.
type Plan struct {
	Name, Label string
	PerMinute   int64
	Burst       int64
	PerDay      int64
	Custom      bool   // its limits are set per organization
	Note        string // shown instead of figures: "Contact sales"
	Index       int
	Line        int
}

// A Period is a length of time on the calendar: seed pages say "3 months".
type Period struct {
	Months   int
	Duration time.Duration
}

// IsZero reports whether the period is unset.
func (p Period) IsZero() bool { return p == Period{} }

// After returns the instant one period after t. The day is capped at the month's
// last: 31 January plus one month is 28 or 29 February.
func (p Period) After(t time.Time) time.Time { panic("contract: being written") }

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
	Name  string // "api_key"
	Label string // "API key"
	Owner Owner
	Shape Shape

	// Prefixes holds the secret's prefix by environment index, "" where the kind does
	// not exist. For shapes without a prefix all entries are "" and Environments says
	// where it exists.
	Prefixes     []string
	Environments []bool // by environment index

	Present []Presentation

	RevealAlways    bool // the secret stays viewable, sealed with the master key
	ExpiryRequired  bool // an expiry must be chosen when a key is created
	MaxLifetime     Period
	DefaultLifetime Period
	Idle            time.Duration // refused after this long without use; 0: never
	Overlap         time.Duration // how long the old secret works after a rotation, unless told

	Scopes         ScopeSet // what may be granted
	DefaultScopes  ScopeSet // what is granted when none are asked for
	ExchangeOnly   bool     // good at a token endpoint, refused on routes
	RefuseBrowsers bool     // refused when the request carries Origin

	Index int
	Line  int
}

// A Presentation is one way to send a credential: a header and, for Authorization,
// an authentication scheme.
type Presentation struct {
	Header string // canonical name
	Scheme string // "Bearer", or "" when the header holds the bare secret
	Kinds  []*KeyKind
}

// A Route is one method and path pattern and what it asks of its callers.
type Route struct {
	// Pattern is the route as written, in the syntax of [net/http.ServeMux] without a
	// host: "GET /v1/entities/{id}".
	Pattern string

	Public       bool     // no credential needed; one that is sent is not looked at
	Scopes       ScopeSet // all of them are required
	Upstreams    []string // by environment index: base URLs
	Environments []bool   // by environment index: where the route exists

	// Answer, when not nil, is answered by Cardea itself instead of the upstream.
	Answer *Answer

	CORS *CORS

	MaxBody int64         // bytes; 0: no limit
	Timeout time.Duration // until the upstream's response header; 0: the default

	// AllowEncodedSlash lets %2F pass in the target, as data of one segment.
	AllowEncodedSlash bool

	Index int
	Line  int // line of the contract, for explanations
}

// An Answer is a response that Cardea gives itself, filled in from the caller.
type Answer struct{ body template }

// CORS is how a route treats browsers (Fetch standard, "CORS protocol").
type CORS struct {
	// Pass sends preflights to the upstream, unauthenticated, and leaves its headers
	// alone. Otherwise Cardea answers them from the fields below.
	Pass           bool
	Origins        []string // exact origins, or "*"
	Headers        []string
	ExposedHeaders []string
	MaxAge         time.Duration
}

// A Match is what [Contract.Match] found.
type Match struct {
	Route *Route

	// Environment is the environment the target itself names, through a path wildcard
	// called {environment}; nil when it names none.
	Environment *Environment

	// Allow lists the methods of the routes that match the path, sorted, when Route is
	// nil because none has the method. Empty: no route at all.
	Allow []string
}

// Match finds the route for a method and a canonical path. The most specific pattern
// wins, as in [net/http.ServeMux]; HEAD counts as GET. It does not allocate when a
// route is found.
func (c *Contract) Match(method, path string) Match { panic("contract: being written") }

// Source returns the name of the file the contract came from.
func (c *Contract) Source() string { return c.source }

// Hash returns the SHA-256 of the contract's text in hexadecimal.
func (c *Contract) Hash() string { return c.hash }

// Product returns the product's name.
func (c *Contract) Product() string { return c.product }

// Hosts returns the product's host names.
func (c *Contract) Hosts() Hosts { return c.hosts }

// Environments returns the environments in the file's order.
func (c *Contract) Environments() []*Environment { return c.environments }

// Environment returns the environment with the given name, or nil.
func (c *Contract) Environment(name string) *Environment {
	for _, e := range c.environments {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// Scopes returns the scopes in the file's order.
func (c *Contract) Scopes() []*Scope { return c.scopes }

// Plans returns the plans in the file's order.
func (c *Contract) Plans() []*Plan { return c.plans }

// DefaultPlan returns the plan of organizations that have not been given one.
func (c *Contract) DefaultPlan() *Plan { return c.defaultPlan }

// Kinds returns the key kinds in the file's order.
func (c *Contract) Kinds() []*KeyKind { return c.kinds }

// Presentations returns every distinct way a key may be sent, in the file's order.
func (c *Contract) Presentations() []Presentation { return c.presentations }

// Routes returns the routes in the file's order.
func (c *Contract) Routes() []*Route { return c.routes }

// Vars are the values an error template may use besides the contract's own.
type Vars struct {
	RequestID  string
	RetryAfter int64    // seconds
	Scopes     ScopeSet // the scopes the route needs, for WWW-Authenticate
}

// Denial renders the contract's answer for a reason: status, Content-Type,
// WWW-Authenticate on 401 and scope refusals (RFC 6750 §3), Retry-After, and the body
// with JSON-escaped values.
func (c *Contract) Denial(reason cardea.Reason, v Vars) *cardea.Denial {
	panic("contract: being written")
}

// LimitHeaders names the rate-limit headers exactly as they go over the wire; "" for
// one that is not sent. Assign them as map keys: [http.Header.Set] would change case.
type LimitHeaders struct{ Limit, Remaining, Reset string }

// LimitHeaders returns the names of the rate-limit headers.
func (c *Contract) LimitHeaders() LimitHeaders { panic("contract: being written") }

// NewRequestID returns a fresh request id in the contract's form.
func (c *Contract) NewRequestID() string { panic("contract: being written") }

// Forwarding is what the upstream is told about a request and its caller.
type Forwarding struct {
	// Headers names the header of each fact; a fact without a name is not sent.
	// Client-sent copies of every name here are always removed.
	Headers map[Fact]string
}

// A Fact is something the upstream may be told.
type Fact string

var _ = netip.Addr{}
var _ http.Header

type template struct{}

// A ScopeSet is a set of scopes of one contract. The zero value is empty. It is
// comparable and cheap to copy.
type ScopeSet struct{ bits [4]uint64 }

// Contains reports whether every scope of want is in s.
func (s ScopeSet) Contains(want ScopeSet) bool {
	for i, w := range want.bits {
		if s.bits[i]&w != w {
			return false
		}
	}
	return true
}
