package keys

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/manage"
)

// load returns an example's contract.
func load(t *testing.T, name string) *contract.Contract {
	t.Helper()
	c, err := contract.LoadFile("../../../examples/" + name + "/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Scopes stand together by what they are about, whichever side of the colon a product
// writes it on; and what is chosen at once follows from the contract alone.
func TestScopesAreGroupedByResource(t *testing.T) {
	for _, c := range []struct {
		name, kind, groups, presets string
	}{
		{
			"cohera-api", "api_key",
			"Entities: entities:read entities:write entities:delete; Certificates: certificates:read certificates:write; Suppliers: suppliers:read suppliers:write; " +
				"Quality events: quality-events:read quality-events:write; Workflows: workflows:read workflows:execute; Audit logs: audit-logs:read; Admin: admin:read admin:write",
			"Read everything (7), Everything (14), Nothing (0)",
		},
		{
			"cohera-sdk", "api_key",
			"Certificates: read:certificates write:certificates; Suppliers: read:suppliers write:suppliers; Products: read:products write:products; Everything: admin",
			"Read everything (3), Everything (7), Nothing (0)",
		},
		{"coherence", "api_key", ": Read Write Delete Admin", "Read everything (1), Everything (4), Nothing (0)"},
		{"codehooks", "api_token", ": READ WRITE", "READ (1), READWRITE (2), Nothing (0)"},
		{"codehooks", "admin_token", ": admin", ""},
	} {
		k := load(t, c.name)
		kind := k.Kind(c.kind)
		var all, chosen []string
		for _, g := range groups(k, kind, func(string) bool { return false }) {
			text := g.Name + ":"
			for _, one := range g.Choices {
				text += " " + one.Label
			}
			all = append(all, text)
		}
		for _, p := range presets(k, kind) {
			chosen = append(chosen, p.Label+" ("+thousands(int64(len(p.Scopes)))+")")
		}
		if diff := cmp.Diff(c.groups, strings.Join(all, "; ")); diff != "" {
			t.Errorf("%s: groups (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.presets, strings.Join(chosen, ", ")); diff != "" {
			t.Errorf("%s: presets (-want +got):\n%s", c.name, diff)
		}
	}
}

// What a key may do is said in the contract's labels only where they say all of it.
func TestPermissionsAreShownWhereTheySayAll(t *testing.T) {
	for _, c := range []struct{ name, scopes, want string }{
		{"coherence", "read", "Read"}, {"coherence", "read write", "Read Write"}, {"coherence", "admin", "Admin"},
		{"coherence", "email:read", "email:read"}, {"coherence", "read email:read", "read email:read"}, {"coherence", "", ""},
		{"codehooks", "READ", "READ"}, {"codehooks", "READ WRITE", "READWRITE"}, {"codehooks", "WRITE", "READWRITE"},
		{"cohera-api", "entities:read", "entities:read"}, {"cohera-api", "gone:read", "gone:read"},
	} {
		got := permissionsShown(load(t, c.name), &manage.Key{Scopes: strings.Fields(c.scopes)})
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s, %q: %q, want %q", c.name, c.scopes, got, c.want)
		}
	}
}

// The variable is named as the product's own page names it, and always a name.
func TestTheVariableIsNamedAsTheProductNamesIt(t *testing.T) {
	for name, want := range map[string]string{
		"cohera-sdk": "COHERA_API_KEY", "cohera-api": "COHERA_API_KEY", "coherence": "COHERENCE_API_KEY", "codehooks": "CODEHOOKS_API_KEY",
	} {
		if got := variable(load(t, name), "api_key"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	c, err := contract.Load("c.yaml", []byte("cardea: 1\nproduct: 1 Ünïcode & Co\nenvironments: {live: {label: L, upstream: \"http://127.0.0.1\"}}\nkeys: {k: {label: K, format: {prefix: k_}, present: [{header: X-Key}]}}\nroutes: [{match: \"GET /\"}]\nerrors: {body: {error: $message}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := variable(c, "k-9"); got != "_1__N_CODE___CO_K_9" {
		t.Errorf("%s", got)
	}
}

// Samples are programs, with and without the secret in them.
func TestSamplesAreWellFormed(t *testing.T) {
	for _, c := range []call{
		{URL: "https://api.example.com/v1/things", Header: "Authorization", Scheme: "Bearer "}, {URL: "https://api.example.com/a", Header: "x-apikey"},
	} {
		for _, secret := range []string{"", "ak_test_1"} {
			if _, err := parser.ParseFile(token.NewFileSet(), "sample.go", c.golang(secret, "ACME_KEY"), parser.AllErrors); err != nil {
				t.Errorf("the Go sample: %v", err)
			}
			python := c.python(secret, "ACME_KEY")
			if (secret == "") != strings.Contains(python, "import os\n") || strings.Contains(python, "os.environ") != (secret == "") {
				t.Errorf("the Python sample:\n%s", python)
			}
		}
	}
	if got, want := (call{URL: "https://a.example/x", Header: "Authorization", Scheme: "Bearer "}).curl("ak_1", " "), `curl "https://a.example/x" -H "Authorization: Bearer ak_1"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestExamplePaths(t *testing.T) {
	for _, c := range []struct {
		pattern, want string
		methods       []string
		made          int
		ok            bool
	}{
		{"GET /v1/things", "/v1/things", []string{"GET"}, 0, true},
		{"/v1/things", "/v1/things", nil, 0, true},
		{"/v1/things/{id}", "", []string{"PUT"}, 0, false},
		{"GET /v1/things/{id}", "/v1/things/id", []string{"GET"}, 2, true},
		{"GET /{environment}/{rest...}", "/dev/things", []string{"GET"}, 1, true},
		{"GET /v1/{$}", "/v1/", []string{"GET"}, 0, true},
	} {
		path, made, ok := examplePath(c.pattern, c.methods, "dev")
		if path != c.want || made != c.made || ok != c.ok {
			t.Errorf("%s: %q, %d, %v", c.pattern, path, made, ok)
		}
	}
}

func TestSpansAreSaidInTheUnitThatMatters(t *testing.T) {
	for d, want := range map[time.Duration]string{
		30 * time.Second: "less than a minute", time.Minute: "1 minute", 90 * time.Minute: "1 hour", 47 * time.Hour: "47 hours", 3 * day: "3 days",
		89 * day: "89 days", 90 * day: "3 months", 365 * day: "12 months", 1000 * day: "2 years",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

// FuzzDateOf holds that what a link says about the end is a date or nothing.
func FuzzDateOf(f *testing.F) {
	for _, seed := range []string{"2030-01-31", "2030-01-31T10:00:00Z", "90d", "1y", "soon", "", "-1d", "9999999y", "2030-02-30"} {
		f.Add(seed)
	}
	at := time.Date(2027, 3, 14, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		date, ok := dateOf(text, at)
		if !ok {
			return
		}
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			t.Errorf("%q is read as %q", text, date)
		}
	})
}
