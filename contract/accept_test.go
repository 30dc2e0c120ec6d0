package contract

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is unsafe is possible, under a name that says so.
func TestUnsafeSettingsAreSpelledOut(t *testing.T) {
	for name, text := range map[string]string{
		"upstream": strings.Replace(testHead, "https://api", "http://api", 1) + testRoutes + "insecure_http_upstream: true\n",
		"key set": testHead + testRoutes + "audience: shop\ntrusted_issuers:\n  near: {issuer: near, jwks_url: \"http://10.0.0.7/jwks.json\", " +
			"scopes: [read], insecure_private_jwks: true}\n",
	} {
		if c := mustLoad(t, text); c.Warnings().Failed() {
			t.Errorf("%s: %v", name, c.Warnings())
		}
		lines := strings.Split(text, "\n")
		for i, line := range lines {
			lines[i] = strings.ReplaceAll(strings.ReplaceAll(line, "insecure_http_upstream: true", "# nothing"), ", insecure_private_jwks: true", "")
		}
		if _, err := Load("test.yaml", []byte(strings.Join(lines, "\n"))); err == nil {
			t.Errorf("%s: it loads without being asked for", name)
		}
	}
}

// Upstreams on this machine and on private networks take http as a matter of course.
func TestPrivateUpstreams(t *testing.T) {
	for host, fine := range map[string]bool{
		"127.0.0.1:9000": true, "[::1]:9000": true, "10.1.2.3": true, "192.168.0.1": true, "[fd00::1]": true, "localhost": true,
		"api": true, "my_api": true, "api.internal": true, "api.default.svc.cluster.local": true, "169.254.1.1": true,
		"[::ffff:10.0.0.1]": true, "8.8.8.8": false, "api.example.com": false, "[2001:db8::1]": false, "[::ffff:8.8.8.8]": false,
		"localhost.example.com": false,
	} {
		_, err := Load("test.yaml", []byte(strings.Replace(testHead, "https://api.shop.example", "http://"+host, 1)+testRoutes))
		if (err == nil) != fine {
			t.Errorf("http://%s: %v", host, err)
		}
	}
}

// Line ends of any editor are taken, and do not move columns.
func TestCarriageReturns(t *testing.T) {
	text := strings.ReplaceAll(testHead+testRoutes, "\n", "\r\n")
	mustLoad(t, text)
	problems := mustFail(t, "crlf.yaml", []byte(strings.Replace(text, "product", "prodct", 1)))
	if p := problems[1]; p.Line != 2 || p.Column != 1 || p.Source != "prodct: Shop" {
		t.Errorf("%+v", p)
	}
}

func TestLoadFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cardea.yaml")
	if err := os.WriteFile(file, []byte(testHead+testRoutes), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if c.Source() != file || len(c.Hash()) != 64 || c.Product() != "Shop" || c.Hosts() != (Hosts{}) {
		t.Errorf("source %s, hash %s", c.Source(), c.Hash())
	}
	if _, err := LoadFile(file + ".none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// The page of a product with its own issuer, console and command line.
func TestPublications(t *testing.T) {
	c, err := LoadFile("../examples/codehooks/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cli := c.CLI()
	if cli.AdminKind != c.Kind("admin_token") || len(cli.AdminCommands) != 9 {
		t.Errorf("cli: %+v", cli)
	}
	for _, cmd := range cli.Commands {
		if cmd.Name == "add-token" {
			want := []string{"READ"}
			if diff := cmp.Diff(want, c.ScopeNames(cmd.Flags[0].Scopes)); diff != "" || cmd.Flags[0].Name != "readonly" {
				t.Error(diff)
			}
		}
	}
	if !c.OrganizationIssuers().PerEnvironment || c.IPListPer() != IPListPerEnvironment {
		t.Error("issuers or lists")
	}
	if p := c.Page("keys"); p.Title != "Tokens" || p.Labels["create"] != "Add API token" {
		t.Errorf("page: %+v", p)
	}
	if got := c.Page("nothing"); got.Name != "" {
		t.Errorf("page: %+v", got)
	}
}

// A personal token is exchanged at the path, and under the name, its page prints.
func TestTokenEndpoint(t *testing.T) {
	c, err := LoadFile("../examples/coactive/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	e := c.Endpoints().Token[0]
	if e.Host != "api.coactive.ai" || e.Path != "/api/v0/login" || !e.JSON ||
		!cmp.Equal(e.Respond, []string{"access_token", "token_type", "expires_in"}) {
		t.Errorf("endpoint: %+v", e)
	}
	if g := e.Grants[0]; g.Sent != "refresh_token" || g.Grant != GrantKey || g.Kind != c.Kind("personal_token") {
		t.Errorf("grant: %+v", g)
	}
	k := c.Kind("personal_token")
	if !k.ExchangeOnly || k.MaxLifetime != (Period{Months: 3}) || k.Idle.Hours() != 30*24 || k.MaxPerOwner != 1 {
		t.Errorf("kind: %+v", k)
	}
}
