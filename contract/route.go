package contract

import (
	"slices"
	"time"
)

// A Route is one method and path pattern and what it asks of its callers.
type Route struct {
	// Pattern is the route as written, in the syntax of [net/http.ServeMux] without a
	// host: "GET /v1/entities/{id}".
	Pattern string

	// Methods are the methods it takes, in the file's order; nil means any. GET stands
	// for HEAD too.
	Methods []string

	Summary      string
	Public       bool     // no credential needed; one that is sent is not looked at
	Scopes       ScopeSet // all of them are required
	Upstreams    []string // by environment index: base URLs
	Environments []bool   // by environment index: where the route exists

	// Answer, when not nil, is answered by Cardea itself instead of the upstream.
	Answer *Answer

	CORS *CORS // nil: browsers are not treated in any special way

	MaxBody int64         // bytes; 0: no limit
	Timeout time.Duration // until the upstream's response header; 0: the default

	// AllowEncodedSlash lets %2F pass in the target, as data of one segment.
	AllowEncodedSlash bool

	Index int
	Line  int // line of the contract, for explanations

	// environmentSegment is the number of the path's segment that {environment}
	// stands for, -1 without one.
	environmentSegment int
}

// CORS is how a route treats browsers (Fetch standard, "CORS protocol").
type CORS struct {
	// Pass sends preflights to the upstream, unauthenticated, and leaves its headers
	// alone. Otherwise Cardea answers them from the fields below.
	Pass           bool
	Origins        []string // exact origins, or "*"
	Headers        []string
	ExposedHeaders []string
	MaxAge         time.Duration
	Credentials    bool // never with "*"
}

// Allows reports whether a page of the given origin may call, and the value of
// Access-Control-Allow-Origin that says so.
func (c *CORS) Allows(origin string) (value string, ok bool) {
	for _, o := range c.Origins {
		if o == "*" || o == origin {
			return o, origin != ""
		}
	}
	return "", false
}

// Routes returns the routes in the file's order.
func (c *Contract) Routes() []*Route { return c.routes }

// WithUpstreams returns a copy of the contract in which what goes to an upstream goes
// to the given base URL of its environment, whatever the contract says; environments
// that are not in the map keep theirs. The URLs have no trailing slash. Routes that
// Cardea answers itself stay as they are.
func (c *Contract) WithUpstreams(byEnvironment map[string]string) *Contract {
	dup := *c
	dup.environments = make([]*Environment, len(c.environments))
	for i, e := range c.environments {
		env := *e
		if base, ok := byEnvironment[e.Name]; ok {
			env.Upstream = base
		}
		dup.environments[i] = &env
	}
	moved := make(map[*Route]*Route, len(c.routes))
	dup.routes = make([]*Route, len(c.routes))
	for i, r := range c.routes {
		route := *r
		route.Upstreams = slices.Clone(r.Upstreams)
		for j, e := range c.environments {
			if base, ok := byEnvironment[e.Name]; ok && r.Answer == nil {
				route.Upstreams[j] = base
			}
		}
		dup.routes[i], moved[r] = &route, &route
	}
	dup.table = c.table.moved(moved)
	return &dup
}
