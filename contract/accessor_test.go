package contract

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestScopeSets(t *testing.T) {
	c := mustLoad(t, `cardea: 1
product: Shop
environments: {live: {upstream: "https://api.shop.example"}}
scopes:
  things:read: {description: Read, aliases: ["read:things"]}
  things:write: {description: Write, implies: ["read:things"]}
  a: {implies: [b]}
  b: {implies: [a, things:write]}
  admin: {implies: ["*"]}
keys:
  k: {format: {prefix: sk_}, present: [{header: x-key}]}
routes:
  - {match: /v1/x}
`)
	set := func(names ...string) ScopeSet {
		t.Helper()
		s, unknown := c.ScopeSet(names...)
		if len(unknown) > 0 {
			t.Fatalf("unknown: %v", unknown)
		}
		return s
	}
	for _, tt := range []struct{ have, expanded string }{
		{"", ""},
		{"things:read", "things:read"},
		{"read:things", "things:read"}, // an alias is the scope
		{"things:write", "things:read things:write"},
		{"a", "things:read things:write a b"}, // through a cycle
		{"b", "things:read things:write a b"},
		{"admin", "things:read things:write a b admin"},
	} {
		got := strings.Join(c.ScopeNames(c.Expand(set(strings.Fields(tt.have)...))), " ")
		if got != tt.expanded {
			t.Errorf("%q expands to %q, want %q", tt.have, got, tt.expanded)
		}
	}
	if _, unknown := c.ScopeSet("a", "nope", "*"); !cmp.Equal(unknown, []string{"nope", "*"}) {
		t.Errorf("unknown: %v", unknown)
	}
	ab := set("a", "b")
	if !ab.Contains(set("a")) || set("a").Contains(ab) || !ab.Contains(ScopeSet{}) ||
		ab != set("a").Union(set("b")) || ab.Without(set("a")) != set("b") || ab.Intersect(set("b", "admin")) != set("b") ||
		ab.Len() != 2 || ab.IsEmpty() || !(ScopeSet{}).IsEmpty() || !ab.Has(c.Scope("a").Index) || ab.Has(-1) || ab.Has(MaxScopes) {
		t.Error("set operations")
	}
	if c.Scope("read:things") != c.Scopes()[0] || c.Scope("nope") != nil {
		t.Error("Scope")
	}
}

func TestPresentations(t *testing.T) {
	c := mustLoad(t, `cardea: 1
product: Shop
environments: {live: {upstream: "https://api.shop.example"}}
clients: {grants: [client_credentials]}
tokens: {access: {lifetime: 1h}}
endpoints: {token: [{path: /oauth/token, grants: {client_credentials: client_credentials}}]}
keys:
  one: {format: {prefix: one_}, present: [{header: X-KEY}, {header: authorization, scheme: Bearer}]}
  two: {format: {prefix: two_}, present: [{header: x-key}]}
  tri: {format: hex-32-12, present: [{header: x-key}, {header: x-tri}]}
routes:
  - {match: /v1/x}
`)
	var got []string
	for _, p := range c.Presentations() {
		line := p.Header + " " + p.Scheme + ":"
		for _, k := range p.Kinds {
			line += " " + k.Name
		}
		got = append(got, line)
	}
	want := []string{"X-Key : one two tri", "Authorization Bearer: one", "X-Tri : tri"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The sections a page needs become what the rest of Cardea reads.
func TestKeyKind(t *testing.T) {
	c := mustLoad(t, testHead+testRoutes+"ip_lists: {per: both}\nlimits: {per: credential}\nplans: {a: {per_minute: 1}, b: {per_minute: 2}}\ndefault_plan: b\n")
	k := c.Kind("api_key")
	if k == nil || c.Kind("nope") != nil || k.Shape != ShapePrefix || k.Owner != OwnerOrganization ||
		!cmp.Equal(k.Prefixes, []string{"sk_live_", "sk_test_"}) || !cmp.Equal(k.Environments, []bool{true, true}) ||
		k.Scopes != c.AllScopes() || !k.DefaultScopes.IsEmpty() || k.Plural != "api_keys" {
		t.Errorf("kind: %+v", k)
	}
	if c.IPListPer() != IPListPerBoth || c.LimitsPer() != LimitsPerCredential || c.DefaultPlan() != c.Plan("b") || c.Plan("c") != nil {
		t.Error("plans or lists")
	}
	if f := c.Forwarding(); f.Headers[FactOrganization] != "X-Cardea-Organization" || len(f.List) != len(f.Headers) {
		t.Errorf("forwarding: %+v", f)
	}
	if h := c.LimitHeaders(); h.Limit != "X-RateLimit-Limit" || h.RetryAfter != "Retry-After" || h.Standard {
		t.Errorf("limit headers: %+v", h)
	}
}

func TestTokens(t *testing.T) {
	c := mustLoad(t, testHead+testRoutes+`issuer: shop
audience: https://api.shop.example
clients: {grants: [client_credentials, authorization_code, refresh_token], pkce: optional}
tokens:
  access: {format: jwt, lifetime: 1h, typ: JWT, claims: {org_id: organization}, id_claim: none}
  user: {lifetime: 15m, scope_claim: scopes}
  refresh: {lifetime: 30d}
endpoints:
  authorize: {path: /oauth/authorize}
  token: [{path: /oauth/token, grants: {client_credentials: client_credentials, authorization_code: authorization_code, refresh_token: refresh_token}}]
`)
	m, u := c.Tokens().Machine, c.Tokens().User
	if m.Lifetime != time.Hour || u.Lifetime != 15*time.Minute || m.ScopeClaim != "scope" || u.ScopeClaim != "scopes" ||
		u.Type != "JWT" || u.IDClaim != "" || !u.KeyID || u.Issuer != "shop" || !cmp.Equal(u.Claims, []Claim{{"org_id", FactOrganization}}) {
		t.Errorf("machine %+v\nuser %+v", m, u)
	}
	if r := c.Tokens().Refresh; !r.Rotate || r.ReuseGrace != 10*time.Second || r.Prefixes[1] != "rt_" {
		t.Errorf("refresh: %+v", r)
	}
	if c.Clients().PKCE != PKCEOptional || len(c.Endpoints().Token[0].Grants) != 3 {
		t.Error("clients or endpoints")
	}
}

// A request id is in the contract's form and never the same twice.
func TestNewRequestID(t *testing.T) {
	for form, want := range map[string]string{
		"":                                  `^req_[0-9A-Za-z]{22}$`,
		"request_id: {form: hex-32}\n":      `^[0-9a-f]{32}$`,
		"ids: {request: call-}\n":           `^call-[0-9A-Za-z]{22}$`,
		"request_id: {header: X-Call-Id}\n": `^req_`,
	} {
		c := mustLoad(t, testHead+testRoutes+form)
		seen := map[string]bool{}
		for range 1000 {
			id := c.NewRequestID()
			if !regexp.MustCompile(want).MatchString(id) || seen[id] {
				t.Fatalf("%q: %s", form, id)
			}
			seen[id] = true
		}
	}
	c := mustLoad(t, testHead+testRoutes+"request_id: {header: X-Call-Id}\n")
	if c.RequestIDHeader() != "X-Call-Id" || c.IDPrefix(IDOrganization) != "org_" || c.IDPrefix(idKinds) != "" {
		t.Error("header or prefixes")
	}
}

// Contracts that load but deserve a look say so.
func TestWarnings(t *testing.T) {
	c := mustLoad(t, strings.Replace(testHead, "{prefix: {live: sk_live_, test: sk_test_}}", "uuid", 1)+testRoutes)
	w := c.Warnings()
	if len(w) == 0 || w.Failed() || !strings.Contains(w[0].Message, "122") {
		t.Errorf("warnings: %v", w)
	}
}

func TestCORSAllows(t *testing.T) {
	c := mustLoad(t, testHead+testRoutes+"cors: {origins: [\"https://app.shop.example\"], headers: [Authorization], max_age: 10m}\n")
	r := c.Routes()[0].CORS
	if v, ok := r.Allows("https://app.shop.example"); !ok || v != "https://app.shop.example" {
		t.Error("the origin is refused")
	}
	for _, o := range []string{"", "https://evil.example", "https://app.shop.example.evil.example", "null"} {
		if _, ok := r.Allows(o); ok {
			t.Errorf("%q is allowed", o)
		}
	}
}
