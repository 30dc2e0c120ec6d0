package contract

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
)

// oauthText is a contract that issues tokens; what stands after it may add sections.
const oauthText = testHead + testRoutes + `issuer: https://auth.shop.example
audience: https://api.shop.example
clients: {grants: [client_credentials, authorization_code, refresh_token, device_code]}
tokens: {access: {format: jwt, lifetime: 1h}, refresh: {lifetime: 30d}}
`

const oauthEndpoints = `endpoints:
  token:
    - path: /oauth/token
      grants:
        client_credentials: client_credentials
        authorization_code: authorization_code
        refresh_token: refresh_token
        "urn:ietf:params:oauth:grant-type:device_code": device_code
  authorize: {host: app, path: /oauth/authorize}
  device: {path: /oauth/device}
  jwks: {}
  metadata: {}
  resource: {}
`

const oauthHosts = "hosts: {api: api.shop.example, auth: auth.shop.example, app: app.shop.example}\n"

// What a standard gives a path, has it without being told.
func TestEndpointsHaveTheirUsualPlaces(t *testing.T) {
	for _, tt := range []struct{ hosts, issuer, audience, metadata, openid, resource string }{
		{
			oauthHosts, "https://auth.shop.example", "https://api.shop.example",
			"https://auth.shop.example/.well-known/oauth-authorization-server",
			"https://auth.shop.example/.well-known/openid-configuration",
			"https://api.shop.example/.well-known/oauth-protected-resource",
		},
		{
			"", "https://auth.shop.example/tenant/", "https://api.shop.example/mcp",
			"/.well-known/oauth-authorization-server/tenant",
			"/tenant/.well-known/openid-configuration",
			"/.well-known/oauth-protected-resource/mcp",
		},
		{
			"", "shop", "things",
			"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/.well-known/oauth-protected-resource",
		},
	} {
		text := strings.Replace(oauthText, "https://auth.shop.example", tt.issuer, 1)
		text = strings.Replace(text, "audience: https://api.shop.example", "audience: "+tt.audience, 1)
		text = strings.Replace(text, "  read: Read things\n", "  openid: Sign in\n  read: Read things\n", 1)
		c := mustLoad(t, text+oauthEndpoints+"  openid: {}\n"+tt.hosts)
		e := c.Endpoints()
		got := []string{e.Metadata.URL(), e.OpenID.URL(), e.Resource.URL()}
		if diff := cmp.Diff([]string{tt.metadata, tt.openid, tt.resource}, got); diff != "" {
			t.Error(diff)
		}
		if e.DevicePage == nil || e.DevicePage.Path != "/device" || e.DevicePage.Host != e.Authorize.Host {
			t.Errorf("device page: %+v", e.DevicePage)
		}
		if !slices.Contains(e.Token[0].Respond, "id_token") || c.Tokens().ID.Lifetime != time.Hour {
			t.Errorf("ID tokens: %v, %+v", e.Token[0].Respond, c.Tokens().ID)
		}
	}
}

// Who reached Cardea at an origin finds the endpoints from there; nobody's choice of a
// Host header moves those that have a host of their own.
func TestEndpointURLs(t *testing.T) {
	hosts := mustLoad(t, oauthText+oauthEndpoints+oauthHosts)
	none := mustLoad(t, strings.Replace(oauthText, "issuer: https://auth.shop.example", "issuer: shop", 1)+oauthEndpoints)
	for _, tt := range []struct {
		c                        *Contract
		origin, endpoint, issuer string
	}{
		{hosts, "https://api.shop.example", "https://app.shop.example/oauth/authorize", "https://auth.shop.example"},
		{hosts, "https://evil.example", "https://app.shop.example/oauth/authorize", "https://auth.shop.example"},
		{hosts, "", "https://app.shop.example/oauth/authorize", "https://auth.shop.example"},
		{hosts, "http://127.0.0.1:8080", "http://127.0.0.1:8080/oauth/authorize", "https://auth.shop.example"},
		{hosts, "http://[::1]:8080", "http://[::1]:8080/oauth/authorize", "https://auth.shop.example"},
		{none, "https://shop.example:8443", "https://shop.example:8443/oauth/authorize", "https://shop.example:8443"},
		{none, "http://localhost:1", "http://localhost:1/oauth/authorize", "http://localhost:1"},
	} {
		if got := tt.c.EndpointURL(tt.c.Endpoints().Authorize, tt.origin); got != tt.endpoint {
			t.Errorf("from %s: %s", tt.origin, got)
		}
		if got := tt.c.IssuerURL(tt.origin); got != tt.issuer {
			t.Errorf("issuer from %s: %s", tt.origin, got)
		}
	}
	if got := none.EndpointURL(none.Endpoints().PAR, "https://shop.example"); got != "" {
		t.Errorf("an endpoint that is not there: %s", got)
	}
}

// A client that is refused learns what it needs, where to get it, and how to prove
// itself: RFC 6750 §3, RFC 9728 §5.1, RFC 9449 §7.1.
func TestChallengesLeadTheWay(t *testing.T) {
	const metadata = `, resource_metadata="https://api.shop.example/.well-known/oauth-protected-resource"`
	c := mustLoad(t, oauthText+oauthEndpoints+oauthHosts)
	both, _ := c.ScopeSet("read", "write")
	challenge := func(c *Contract, reason cardea.Reason, v Vars) []string {
		return c.Denial(reason, v).Header.Values("WWW-Authenticate")
	}
	for reason, want := range map[cardea.Reason]string{
		cardea.ReasonMissingCredential: `Bearer realm="Shop", scope="read write"` + metadata,
		cardea.ReasonScope:             `Bearer realm="Shop", error="insufficient_scope", scope="read write"` + metadata,
		cardea.ReasonExpired:           `Bearer realm="Shop", error="invalid_token"` + metadata,
	} {
		if diff := cmp.Diff([]string{want}, challenge(c, reason, Vars{Scopes: both})); diff != "" {
			t.Errorf("%v: %s", reason, diff)
		}
	}
	if got := challenge(c, cardea.ReasonRateLimited, Vars{Scopes: both}); got != nil {
		t.Errorf("nothing to prove: %v", got)
	}

	// Without hosts, the API's metadata is where the request was sent to.
	c = mustLoad(t, oauthText+oauthEndpoints)
	want := []string{`Bearer realm="Shop", resource_metadata="https://shop.example:8443/.well-known/oauth-protected-resource"`}
	if diff := cmp.Diff(want, challenge(c, cardea.ReasonMissingCredential, Vars{Origin: "https://shop.example:8443"})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{`Bearer realm="Shop"`}, challenge(c, cardea.ReasonMissingCredential, Vars{})); diff != "" {
		t.Error(diff)
	}

	// Proofs of possession are offered where they are taken, and alone where nothing
	// else is.
	text := strings.Replace(oauthText+oauthEndpoints, "resource: {}", "", 1)
	optional := mustLoad(t, strings.Replace(text, "device_code]}", "device_code], dpop: optional}", 1))
	want = []string{`Bearer realm="Shop", error="invalid_token"`, `DPoP realm="Shop", error="invalid_token", algs="ES256 EdDSA RS256"`}
	if diff := cmp.Diff(want, challenge(optional, cardea.ReasonExpired, Vars{})); diff != "" {
		t.Error(diff)
	}
	text = strings.Replace(text, "device_code]}", "device_code], dpop: required}", 1)
	required := mustLoad(t, strings.Replace(text, "{header: Authorization, scheme: Bearer}", "{header: x-key}", 1))
	if diff := cmp.Diff([]string{`DPoP realm="Shop", algs="ES256 EdDSA RS256"`}, challenge(required, cardea.ReasonMissingCredential, Vars{})); diff != "" {
		t.Error(diff)
	}
	if got := challenge(mustLoad(t, text), cardea.ReasonMissingCredential, Vars{}); len(got) != 2 {
		t.Errorf("keys are sent as bearer credentials: %v", got)
	}
}

// An expired token and an expired key may be told apart, each from what it falls back
// to; no kind borrows another's words.
func TestWordingByKind(t *testing.T) {
	c := mustLoad(t, testHead+testRoutes+`errors:
  body: {code: $code, message: $message, status: $status}
  unauthenticated: {status: 401, code: authentication_failed, message: Invalid API key provided}
  expired: {kinds: {access_token: {message: Token expired}}}
  idle: {code: idle, message: Not used, kinds: {client: {status: 403, body: {gone: $message}}}}
`)
	const invalid = `{"code":"authentication_failed","message":"Invalid API key provided","status":401}`
	const expired = `{"code":"authentication_failed","message":"Token expired","status":401}`
	const idle = `{"code":"idle","message":"Not used","status":401}`
	for _, tt := range []struct {
		reason     cardea.Reason
		kind, want string
	}{
		{cardea.ReasonExpired, "", invalid},
		{cardea.ReasonExpired, "api_key", invalid},
		{cardea.ReasonExpired, "access_token", expired},
		{cardea.ReasonSuperseded, "access_token", expired}, // falls back to expired
		{cardea.ReasonRevoked, "access_token", invalid},
		{cardea.ReasonIdle, "access_token", idle}, // words of its own come first
		{cardea.ReasonIdle, "client", `{"gone":"Not used"}`},
	} {
		d := c.Denial(tt.reason, Vars{Kind: tt.kind})
		if string(d.Body) != tt.want {
			t.Errorf("%v of %q: %s", tt.reason, tt.kind, d.Body)
		}
		if wantChallenge := d.Status == 401; (d.Header.Get("WWW-Authenticate") != "") != wantChallenge {
			t.Errorf("%v of %q: %d %v", tt.reason, tt.kind, d.Status, d.Header)
		}
	}
}

// Every contract has the kinds that are no keys, and its own cannot take their place.
func TestReservedKinds(t *testing.T) {
	for _, c := range []*Contract{mustLoad(t, testHead+testRoutes), mustLoad(t, oauthText+oauthEndpoints), Default()} {
		for i, k := range []*KeyKind{c.ClientKind(), c.AccountKind(), c.TokenKind(), c.IssuerKind()} {
			if k == nil || k.Name != reservedKinds[i] || len(k.Prefixes) != len(c.Environments()) || slices.Contains(k.Environments, false) {
				t.Errorf("%s: %+v", reservedKinds[i], k)
			}
			if c.Kind(reservedKinds[i]) != nil || slices.Contains(c.Kinds(), k) {
				t.Errorf("%s is among the keys", reservedKinds[i])
			}
		}
	}
	c := mustLoad(t, strings.Replace(oauthText, "format: jwt", "format: opaque", 1)+oauthEndpoints)
	if c.ClientKind().Prefixes[1] != "cs_" || c.TokenKind().Prefixes[1] != "at_" || !c.ClientKind().ExchangeOnly {
		t.Errorf("prefixes: %v, %v", c.ClientKind().Prefixes, c.TokenKind().Prefixes)
	}
}

// A token names its client where RFC 9068 wants it, and nowhere a page does not.
func TestClientIDClaim(t *testing.T) {
	for setting, want := range map[string]string{
		"": "client_id", ", typ: JWT": "", ", typ: JWT, client_id_claim: azp": "azp", ", client_id_claim: none": "",
	} {
		c := mustLoad(t, strings.Replace(oauthText, "lifetime: 1h", "lifetime: 1h"+setting, 1)+oauthEndpoints)
		if got := c.Tokens().User.ClientIDClaim; got != want {
			t.Errorf("%q: %q", setting, got)
		}
	}
}

// A role grants no more than it may: not by a scope that implies another either.
func TestGrantableBy(t *testing.T) {
	c := mustLoad(t, `cardea: 1
product: Shop
environments: {live: {upstream: "https://api.shop.example"}}
scopes:
  read: Read
  billing: {granted_by: [owner]}
  reports: {implies: [billing]}
  admin: {implies: ["*"]}
  all: {implies: ["*"], granted_by: [viewer]}
keys: {k: {format: {prefix: sk_}, present: [{header: x-key}]}}
routes: [{match: /v1/x}]
`)
	for role, want := range map[cardea.Role]string{
		cardea.RoleOwner: "read billing reports", cardea.RoleAdmin: "read", cardea.RoleDeveloper: "read", cardea.RoleViewer: "read",
	} {
		if got := strings.Join(c.ScopeNames(c.GrantableBy(role)), " "); got != want {
			t.Errorf("%s: %s", role, got)
		}
	}
	c = mustLoad(t, `cardea: 1
product: Shop
environments: {live: {upstream: "https://api.shop.example"}}
scopes: {read: Read, admin: {implies: ["*"]}}
keys: {k: {format: {prefix: sk_}, present: [{header: x-key}]}}
routes: [{match: /v1/x}]
`)
	if c.GrantableBy(cardea.RoleAdmin) != c.AllScopes() || c.GrantableBy(cardea.RoleDeveloper).Len() != 1 {
		t.Error("a scope of all scopes is for owners and admins")
	}
}

func TestSignIn(t *testing.T) {
	want := SignIn{Title: "Sign in", Methods: []string{"password", "passkey", "sso"}, SessionIdle: 12 * time.Hour, SessionMax: 7 * 24 * time.Hour}
	if diff := cmp.Diff(want, mustLoad(t, testHead+testRoutes).SignIn()); diff != "" {
		t.Error(diff)
	}
	c := mustLoad(t, testHead+testRoutes+"pages: {sign_in: {title: Enter your org name}}\nsign_in: {organization_first: true, methods: [sso], max: 8h}\n")
	want = SignIn{Title: "Enter your org name", OrganizationFirst: true, Methods: []string{"sso"}, SessionIdle: 8 * time.Hour, SessionMax: 8 * time.Hour}
	if diff := cmp.Diff(want, c.SignIn()); diff != "" {
		t.Error(diff)
	}
}

// Test credentials where real data seems to be are pointed out.
func TestTestCredentialsWarn(t *testing.T) {
	test := strings.Replace(testHead, `test.shop.example"`, `test.shop.example", test_credentials: true`, 1) + testRoutes
	if c := mustLoad(t, test); len(c.Warnings()) != 0 || !c.Environment("test").TestCredentials || c.Environment("live").TestCredentials {
		t.Errorf("%v", c.Warnings())
	}
	live := strings.Replace(testHead, `api.shop.example"`, `api.shop.example", test_credentials: true`, 1) + testRoutes
	if w := mustLoad(t, live).Warnings(); len(w) != 1 || !strings.Contains(w[0].Message, "real data") {
		t.Errorf("%v", w)
	}
}

// The stand-in of a trusted issuer replaces its keys in a copy only.
func TestWithIssuerKeys(t *testing.T) {
	c := mustLoad(t, testHead+testRoutes+`audience: shop
trusted_issuers:
  one: {issuer: "https://one.example", jwks_url: "https://one.example/jwks.json", scopes: [read]}
  two: {issuer: "https://two.example", jwks_url: "https://two.example/jwks.json", scopes: [read]}
`)
	moved := c.WithIssuerKeys(map[string]string{"one": "http://127.0.0.1:1/jwks.json"}).TrustedIssuers()
	if moved[0].JWKS != "http://127.0.0.1:1/jwks.json" || !moved[0].InsecurePrivateJWKS || moved[0].Issuer != "https://one.example" ||
		moved[1].JWKS != "https://two.example/jwks.json" || moved[1].InsecurePrivateJWKS {
		t.Errorf("%+v", moved)
	}
	if c.TrustedIssuers()[0].JWKS != "https://one.example/jwks.json" || c.TrustedIssuers()[0].InsecurePrivateJWKS {
		t.Error("the contract itself changed")
	}
}

// A command of the product's own knows what to ask and what to run.
func TestWorkOfACommand(t *testing.T) {
	c := mustLoad(t, testHead+testRoutes+`cli:
  name: shop
  flags: {organization: projectname, environment: space}
  commands:
    deploy: {does: deploy, call: "POST /v1/deploy", run: [./deploy.sh, --now]}
    forget: {does: issuers.unset}
`)
	cli := c.CLI()
	if cli.OrganizationFlag != "projectname" || cli.EnvironmentFlag != "space" ||
		cli.Commands[0].Call != "POST /v1/deploy" || !cmp.Equal(cli.Commands[0].Run, []string{"./deploy.sh", "--now"}) {
		t.Errorf("%+v", cli)
	}
}

// The examples keep what their pages print about tokens.
func TestExamplesIssueWhatTheirPagesPrint(t *testing.T) {
	c, err := LoadFile("../examples/cohera-api/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, u := c.Tokens().Machine, c.Tokens().User
	if m.KeyID || !u.KeyID || m.Lifetime != time.Hour || u.Lifetime != 15*time.Minute || m.IDClaim+m.ClientIDClaim+u.IDClaim+u.ClientIDClaim != "" {
		t.Errorf("machine %+v\nuser %+v", m, u)
	}
	if got := c.Endpoints().Token[0].Respond; !cmp.Equal(got, []string{"access_token", "token_type", "expires_in", "scope"}) {
		t.Errorf("answer: %v", got)
	}
	c, err = LoadFile("../examples/coherence/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]string{"api_key": "Invalid API key provided", "access_token": "Token expired"} {
		got := string(c.Denial(cardea.ReasonExpired, Vars{Kind: kind}).Body)
		if got != `{"error":{"code":"authentication_failed","message":"`+want+`","status":401}}` {
			t.Errorf("%s: %s", kind, got)
		}
	}
	c, err = LoadFile("../examples/conformance/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if w := c.Warnings(); len(w) > 0 {
		t.Errorf("conformance: %v", w)
	}
}

// Metadata where no client looks for it is pointed out.
func TestMovedMetadataWarns(t *testing.T) {
	usual := oauthText + oauthEndpoints
	moved := strings.Replace(usual, "metadata: {}", "metadata: {path: /oauth/metadata}", 1)
	for text, want := range map[string]int{
		usual: 0, moved: 1,
		strings.Replace(usual, "jwks: {}", "jwks: {path: /keys}", 1):                                           0, // metadata says where
		strings.Replace(usual, "metadata: {}", "metadata: {path: /.well-known/oauth-authorization-server}", 1): 0,
	} {
		if w := mustLoad(t, text).Warnings(); len(w) != want || want == 1 && !strings.Contains(w[0].Message, "/.well-known/oauth-authorization-server") {
			t.Errorf("%d warnings: %v", want, w)
		}
	}
}
