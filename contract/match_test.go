package contract

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const testHead = `cardea: 1
product: Shop
environments:
  live: {label: Live, upstream: "https://api.shop.example"}
  test: {label: Test, upstream: "https://test.shop.example"}
scopes:
  read: Read things
  write: {description: Write things, implies: [read]}
keys:
  api_key:
    format: {prefix: {live: sk_live_, test: sk_test_}}
    present: [{header: Authorization, scheme: Bearer}]
`

// mustLoad loads a contract or ends the test.
func mustLoad(t testing.TB, text string) *Contract {
	t.Helper()
	c, err := Load("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// withRoutes is a contract with these patterns as its routes.
func withRoutes(t testing.TB, patterns ...string) *Contract {
	t.Helper()
	var b strings.Builder
	b.WriteString(testHead + "routes:\n")
	for _, p := range patterns {
		fmt.Fprintf(&b, "  - {match: %q, scopes: [read]}\n", p)
	}
	return mustLoad(t, b.String())
}

func TestMatch(t *testing.T) {
	c := withRoutes(t,
		"GET /v1/things", "POST /v1/things", "GET /v1/things/{id}", "GET /v1/things/new",
		"/v1/any", "GET /v1/tree/{path...}", "GET /v1/exact/{$}", "GET /v1/under/", "HEAD /v1/tree/head",
		"GET /{environment}/data/{rest...}", "GET /v1/odd:name", "POST /admin/{environment}/deploy")
	for _, tt := range []struct{ request, want string }{
		{"GET /v1/things", "GET /v1/things"},
		{"HEAD /v1/things", "GET /v1/things"},
		{"POST /v1/things", "POST /v1/things"},
		{"DELETE /v1/things", "allow GET HEAD POST"},
		{"get /v1/things", "allow GET HEAD POST"},
		{"GET /v1/things/", "none"}, // never completed, never redirected
		{"GET /v1/things/7", "GET /v1/things/{id}"},
		{"GET /v1/things/new", "GET /v1/things/new"}, // a literal beats a wildcard
		{"GET /v1/things/7/x", "none"},
		{"DELETE /v1/any", "/v1/any"},
		{"TRACE /v1/any", "none"},
		{"CONNECT /v1/any", "none"},
		{"GET /v1/tree", "none"},
		{"GET /v1/tree/", "GET /v1/tree/{path...}"},
		{"GET /v1/tree/a/b/c", "GET /v1/tree/{path...}"},
		{"HEAD /v1/tree/head", "HEAD /v1/tree/head"},
		{"GET /v1/tree/head", "GET /v1/tree/{path...}"},
		{"GET /v1/exact/", "GET /v1/exact/{$}"},
		{"GET /v1/exact/x", "none"},
		{"GET /v1/under/", "GET /v1/under/"},
		{"GET /v1/under/a/b", "GET /v1/under/"},
		{"GET /v1/odd:name", "GET /v1/odd:name"},
		{"GET /v1/odd%3Aname", "none"}, // bytes are compared as they are
		{"GET /v1/thing%73", "none"},
		{"GET /live/data/x", "GET /{environment}/data/{rest...} in live"},
		{"GET /test/data/", "GET /{environment}/data/{rest...} in test"},
		{"POST /admin/test/deploy", "POST /admin/{environment}/deploy in test"},
		{"POST /admin/prod/deploy", "none"},
		{"GET /prod/data/x", "none"}, // there is no such world
		{"GET /", "none"},
		{"GET ", "none"},
		{"GET v1/things", "none"},
	} {
		method, path, _ := strings.Cut(tt.request, " ")
		m := c.Match(method, path)
		got := "none"
		switch {
		case m.Route != nil:
			got = m.Route.Pattern
		case len(m.Allow) > 0:
			got = "allow " + strings.Join(m.Allow, " ")
		}
		if m.Environment != nil {
			got += " in " + m.Environment.Name
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.request, got, tt.want)
		}
	}
}

// Several methods of one route are one route.
func TestMatchMethods(t *testing.T) {
	c := mustLoad(t, testHead+"routes:\n  - {match: /v1/a, methods: [PUT, PATCH]}\n  - {match: /v1/b}\n")
	for method, found := range map[string]bool{"PUT": true, "PATCH": true, "GET": false, "HEAD": false} {
		if m := c.Match(method, "/v1/a"); (m.Route == c.Routes()[0]) != found {
			t.Errorf("%s: %v", method, m.Route)
		}
	}
	if got := c.Routes()[0].Methods; !slices.Equal(got, []string{"PUT", "PATCH"}) {
		t.Errorf("Methods = %v", got)
	}
	if got := c.Routes()[1].Methods; got != nil {
		t.Errorf("Methods of any = %v", got)
	}
}

// known is a handler that says which pattern it stands for.
type known string

func (known) ServeHTTP(http.ResponseWriter, *http.Request) {}

// On canonical paths the matcher finds what ServeMux finds, except where ServeMux
// completes a path by a redirect; and they refuse the same conflicts.
func TestMatchAgreesWithServeMux(t *testing.T) {
	segments := rapid.SampledFrom([]string{"a", "b", "c", "{x}", "{y}", "a:b"})
	lasts := rapid.SampledFrom([]string{"a", "b", "c", "{x}", "{z...}", "{$}", ""})
	methods := rapid.SampledFrom([]string{"", "GET ", "GET ", "POST ", "HEAD "})
	drawPattern := rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(segments, 0, 3).Draw(t, "segments")
		seen := map[string]bool{}
		for i, p := range parts { // a wildcard's name is there once
			if strings.HasPrefix(p, "{") && seen[p] {
				parts[i] = "a"
			}
			seen[p] = true
		}
		last := lasts.Draw(t, "last")
		if seen[last] && strings.HasPrefix(last, "{") {
			last = "b"
		}
		return methods.Draw(t, "method") + "/" + strings.Join(append(parts, last), "/")
	})
	requestSegments := rapid.SampledFrom([]string{"a", "b", "c", "d", "a:b", "x%20y"})
	rapid.Check(t, func(t *rapid.T) {
		mux := http.NewServeMux()
		var c Contract
		var accepted []compiledPattern
		for i, text := range rapid.SliceOfN(drawPattern, 1, 8).Draw(t, "patterns") {
			p, err := parsePattern(text)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if p.String() != strings.TrimSpace(text) {
				t.Fatalf("%q is spelled %q", text, p)
			}
			conflict := slices.ContainsFunc(accepted, func(q compiledPattern) bool {
				r := p.compare(q.pattern)
				return r == equivalent || r == overlaps
			})
			if refused := !register(mux, text); refused != conflict {
				t.Fatalf("%q after %v: ServeMux refuses: %v; conflict: %v", text, accepted, refused, conflict)
			}
			if conflict {
				continue
			}
			route := &Route{Pattern: text, Index: i, environmentSegment: -1}
			accepted = append(accepted, compiledPattern{pattern: p, route: route})
			c.table.add(p, route)
		}
		for range 10 {
			path := "/" + strings.Join(rapid.SliceOfN(requestSegments, 0, 4).Draw(t, "path"), "/")
			if path != "/" && rapid.Bool().Draw(t, "slash") {
				path += "/"
			}
			method := rapid.SampledFrom([]string{"GET", "HEAD", "POST", "PUT"}).Draw(t, "verb")
			handler, pattern := mux.Handler(httptest.NewRequest(method, path, nil))
			want, found := handler.(known)
			if !found && pattern != "" {
				continue // ServeMux sends "/a" to "/a/"; we do not
			}
			m := c.Match(method, path)
			if found != (m.Route != nil) || found && string(want) != m.Route.Pattern {
				t.Fatalf("%s %s: %+v, ServeMux has %q (%v)", method, path, m.Route, want, found)
			}
		}
	})
}

// register adds a pattern and reports whether ServeMux took it.
func register(mux *http.ServeMux, pattern string) (ok bool) {
	defer func() { ok = recover() == nil }()
	mux.Handle(pattern, known(pattern))
	return true
}

// The hot path allocates nothing.
func TestMatchDoesNotAllocate(t *testing.T) {
	c := withRoutes(t, "GET /v1/things", "GET /v1/things/{id}", "GET /{environment}/data/{rest...}")
	for _, path := range []string{"/v1/things", "/v1/things/123", "/live/data/a/b/c"} {
		if n := testing.AllocsPerRun(100, func() {
			if c.Match("GET", path).Route == nil {
				t.Fatal("no route")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
}

// A copy that leads elsewhere leaves the original alone.
func TestWithUpstreams(t *testing.T) {
	c := mustLoad(t, testHead+`routes:
  - {match: "GET /v1/me", answer: {id: $credential.id}}
  - {match: "GET /v1/things", scopes: [read]}
`)
	moved := c.WithUpstreams(map[string]string{"live": "http://127.0.0.1:1"})
	m := moved.Match("GET", "/v1/things")
	if m.Route != moved.Routes()[1] || m.Route.Upstreams[0] != "http://127.0.0.1:1" || m.Route.Upstreams[1] != "https://test.shop.example" {
		t.Errorf("moved: %+v", m.Route)
	}
	if moved.Match("GET", "/v1/me").Route.Answer == nil || moved.Environment("live").Upstream != "http://127.0.0.1:1" {
		t.Error("the answer or the environment is lost")
	}
	if got := c.Match("GET", "/v1/things").Route.Upstreams[0]; got != "https://api.shop.example" {
		t.Errorf("the original goes to %s", got)
	}
}

func TestHookMatches(t *testing.T) {
	c := mustLoad(t, testHead+`hooks:
  - {match: "GET /v1/{rest...}", when: no_credential, url: "https://hooks.example/auth"}
routes:
  - {match: "/v1/{rest...}", scopes: [read]}
`)
	h := c.Hooks()[0]
	if !h.OnlyUncredential || !h.Matches("HEAD", "/v1/a/b") || h.Matches("POST", "/v1/a") || h.Matches("GET", "/v2") {
		t.Errorf("hook: %+v", h)
	}
}

func BenchmarkMatch(b *testing.B) {
	var patterns []string
	for i := range 200 {
		patterns = append(patterns, fmt.Sprintf("GET /v1/collection%d/{id}/items", i), fmt.Sprintf("GET /v1/collection%d", i))
	}
	c := withRoutes(b, patterns...)
	for name, path := range map[string]string{"literal": "/v1/collection77", "wildcard": "/v1/collection77/abc123/items"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if c.Match("GET", path).Route == nil {
					b.Fatal("no route")
				}
			}
		})
	}
}
