package oauth

import (
	"encoding/json"
	"net/http"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// document gets a JSON document.
func (w *world) document(path string) (map[string]any, page) {
	w.t.Helper()
	p := w.stranger().get(path)
	if p.status != http.StatusOK || p.header.Get("Content-Type") != "application/json" {
		w.t.Fatalf("%s: answered %d %s", path, p.status, p.header.Get("Content-Type"))
	}
	return parseObject(w.t, p.body), p
}

// texts returns a list of a document.
func texts(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, one := range list {
		out = append(out, one.(string))
	}
	return out
}

// TestMetadataTellsTheTruth holds RFC 8414 §2 and OpenID Connect Discovery §3: every
// member of the document is tried on the server, and no member is there that this test
// does not know how to try.
func TestMetadataTellsTheTruth(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	b := w.signedIn(m)
	doc, _ := w.document("/.well-known/oauth-authorization-server")

	local := func(name string) string {
		address, _ := doc[name].(string)
		path, found := strings.CutPrefix(address, w.http.URL)
		if !found {
			t.Errorf("%s is %q", name, address)
		}
		return path
	}
	exists := func(name, method string) {
		r, _ := http.NewRequest(method, w.http.URL+local(name), http.NoBody)
		if p := b.send(r); p.status == http.StatusNotFound || p.status == http.StatusMethodNotAllowed {
			t.Errorf("%s answers %d to %s", name, p.status, method)
		}
	}
	methods := func(t *testing.T, v any) {
		got := texts(v)
		sort.Strings(got)
		if !slices.Equal(got, []string{"client_secret_basic", "client_secret_post", "none", "private_key_jwt"}) {
			t.Errorf("methods %v", got)
		}
	}
	fresh := func(pairs ...string) map[string]any {
		code := b.code(c, pairs...)
		return w.as(c, "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier).want(200, "").json
	}
	tries := map[string]func(t *testing.T){
		"issuer": func(t *testing.T) {
			claims := parseObject(t, part(t, fresh("scope", "openid")["id_token"].(string), 1))
			if back := w.stranger().get(authorizeURL(c, "prompt", "none")).errs("login_required"); back.Get("iss") != doc["issuer"] || claims["iss"] != doc["issuer"] {
				t.Errorf("iss is %v and %v", back.Get("iss"), claims["iss"])
			}
		},
		"authorization_endpoint": func(*testing.T) { exists("authorization_endpoint", "GET") },
		"token_endpoint":         func(*testing.T) { exists("token_endpoint", "POST") },
		"userinfo_endpoint":      func(*testing.T) { exists("userinfo_endpoint", "GET") },
		"revocation_endpoint":    func(*testing.T) { exists("revocation_endpoint", "POST") },
		"introspection_endpoint": func(*testing.T) { exists("introspection_endpoint", "POST") },
		"device_authorization_endpoint": func(*testing.T) {
			exists("device_authorization_endpoint", "POST")
		},
		"pushed_authorization_request_endpoint": func(t *testing.T) {
			if local("pushed_authorization_request_endpoint") != "/oauth/par" {
				t.Error("it is elsewhere")
			}
			w.pushAs(c).want(201, "")
		},
		"jwks_uri": func(t *testing.T) {
			if keys, _ := w.document(local("jwks_uri")); len(keys["keys"].([]any)) == 0 {
				t.Error("no keys")
			}
		},
		"scopes_supported": func(t *testing.T) {
			scopes := strings.Join(texts(doc["scopes_supported"]), " ")
			if got := fresh("scope", scopes)["scope"]; got != scopes {
				t.Errorf("asked for %q, granted %q", scopes, got)
			}
		},
		"response_types_supported": func(t *testing.T) {
			if got := texts(doc["response_types_supported"]); !slices.Equal(got, []string{"code"}) {
				t.Errorf("%v", got)
			}
			b.get(authorizeURL(c, "response_type", "token")).errs("unsupported_response_type")
		},
		"response_modes_supported": func(t *testing.T) {
			if got := texts(doc["response_modes_supported"]); !slices.Equal(got, []string{"query"}) {
				t.Errorf("%v", got)
			}
			b.get(authorizeURL(c, "response_mode", "form_post")).errs("invalid_request")
		},
		"code_challenge_methods_supported": func(t *testing.T) {
			if got := texts(doc["code_challenge_methods_supported"]); !slices.Equal(got, []string{"S256"}) {
				t.Errorf("%v", got)
			}
			b.get(authorizeURL(c, "code_challenge_method", "plain")).errs("invalid_request")
		},
		"authorization_response_iss_parameter_supported": func(t *testing.T) {
			if doc["authorization_response_iss_parameter_supported"] != true || b.get(authorizeURL(c, "prompt", "none login")).errs("invalid_request").Get("iss") == "" {
				t.Error("no iss")
			}
		},
		"prompt_values_supported": func(t *testing.T) {
			if got := texts(doc["prompt_values_supported"]); !slices.Equal(got, []string{"none", "login", "consent"}) {
				t.Errorf("%v", got)
			}
			b.get(authorizeURL(c, "prompt", "consent")).asks()
			b.get(authorizeURL(c, "prompt", "login")).goesTo("/signin")
			w.stranger().get(authorizeURL(c, "prompt", "none")).errs("login_required")
		},
		"request_parameter_supported": func(t *testing.T) {
			b.get(authorizeURL(c, "request", "a.b.c")).errs("request_not_supported")
		},
		"request_uri_parameter_supported": func(t *testing.T) {
			b.get(authorizeURL(c, "request_uri", "https://x.example/")).errs("request_uri_not_supported")
		},
		"claims_parameter_supported": func(t *testing.T) {
			if doc["claims_parameter_supported"] != false {
				t.Error("claims are not supported")
			}
		},
		"client_id_metadata_document_supported": func(t *testing.T) {
			if doc["client_id_metadata_document_supported"] != true {
				t.Error("documents are supported")
			}
		},
		"dpop_signing_alg_values_supported": func(t *testing.T) {
			if got := texts(doc["dpop_signing_alg_values_supported"]); !slices.Equal(got, contract.ProofAlgorithms()) {
				t.Errorf("%v", got)
			}
		},
		"grant_types_supported": func(t *testing.T) {
			for _, grant := range texts(doc["grant_types_supported"]) {
				if got := w.as(c, "grant_type", grant); got.text("error") == "unsupported_grant_type" {
					t.Errorf("%s is not supported", grant)
				}
			}
			w.as(c, "grant_type", "password", "username", "x", "password", "y").want(400, "unsupported_grant_type")
		},
		"token_endpoint_auth_methods_supported": func(t *testing.T) { methods(t, doc["token_endpoint_auth_methods_supported"]) },
		"token_endpoint_auth_signing_alg_values_supported": func(t *testing.T) {
			if !slices.Equal(texts(doc["token_endpoint_auth_signing_alg_values_supported"]), assertionAlgorithms) {
				t.Error("other algorithms are verified")
			}
		},
		"revocation_endpoint_auth_methods_supported":               func(t *testing.T) { methods(t, doc["revocation_endpoint_auth_methods_supported"]) },
		"introspection_endpoint_auth_methods_supported":            func(*testing.T) {},
		"revocation_endpoint_auth_signing_alg_values_supported":    func(*testing.T) {},
		"introspection_endpoint_auth_signing_alg_values_supported": func(*testing.T) {},
		"protected_resources": func(t *testing.T) {
			resource, _ := w.document("/.well-known/oauth-protected-resource")
			if got := texts(doc["protected_resources"]); len(got) != 1 || got[0] != resource["resource"] {
				t.Errorf("%v", got)
			}
		},
		"subject_types_supported": func(t *testing.T) {
			one := parseObject(t, part(t, fresh("scope", "openid")["id_token"].(string), 1))["sub"]
			if one != m.ID {
				t.Errorf("sub is %v", one)
			}
		},
		"id_token_signing_alg_values_supported": func(t *testing.T) {
			h := parseObject(t, part(t, fresh("scope", "openid")["id_token"].(string), 0))
			if got := texts(doc["id_token_signing_alg_values_supported"]); !slices.Equal(got, []string{h["alg"].(string)}) {
				t.Errorf("%v, and tokens have %v", got, h["alg"])
			}
		},
		"claims_supported": func(t *testing.T) {
			for name := range parseObject(t, part(t, fresh("scope", "openid profile email", "nonce", "x")["id_token"].(string), 1)) {
				if !slices.Contains(texts(doc["claims_supported"]), name) {
					t.Errorf("%s is not named", name)
				}
			}
		},
	}
	for name := range doc {
		try := tries[name]
		if try == nil {
			t.Errorf("%s is claimed and not tried", name)
			continue
		}
		t.Run(name, try)
	}
	for name := range tries {
		if _, there := doc[name]; !there {
			t.Errorf("%s is not in the document", name)
		}
	}
}

// TestMetadataOfLess holds that a contract which enables little claims little.
func TestMetadataOfLess(t *testing.T) {
	w := newWorld(t, example(t, "cohera-sdk"))
	doc, p := w.document("/.well-known/oauth-authorization-server")
	for _, name := range []string{
		"userinfo_endpoint", "introspection_endpoint", "device_authorization_endpoint", "pushed_authorization_request_endpoint",
		"dpop_signing_alg_values_supported", "client_id_metadata_document_supported", "id_token_signing_alg_values_supported",
		"registration_endpoint", "end_session_endpoint", "require_pushed_authorization_requests",
	} {
		if v, there := doc[name]; there {
			t.Errorf("%s is %v", name, v)
		}
	}
	if got := texts(doc["grant_types_supported"]); !slices.Equal(got, []string{"authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"}) {
		t.Errorf("grants %v", got)
	}
	if strings.Contains(p.body, "null") || strings.Contains(p.body, "[]") {
		t.Errorf("RFC 8414 §3.2 leaves empty members out: %s", p.body)
	}
	if p := w.stranger().get("/.well-known/openid-configuration"); p.status != http.StatusNotFound {
		t.Errorf("OpenID discovery answers %d", p.status)
	}
}

// TestMetadataOfAnIssuerWithAPath holds where RFC 8414 §3.1 and OpenID Connect Discovery
// §4.1 put the document.
func TestMetadataOfAnIssuerWithAPath(t *testing.T) {
	w := full(t, "issuer: https://auth.example.test", "issuer: https://auth.example.test/tenant",
		"audience: https://api.example.test", "audience: https://api.example.test/mcp")
	for _, path := range []string{
		"/.well-known/oauth-authorization-server/tenant", "/.well-known/openid-configuration/tenant", "/tenant/.well-known/openid-configuration",
	} {
		if doc, _ := w.document(path); doc["issuer"] != "https://auth.example.test/tenant" {
			t.Errorf("%s: issuer %v", path, doc["issuer"])
		}
	}
	if doc, _ := w.document("/.well-known/oauth-protected-resource/mcp"); doc["resource"] != "https://api.example.test/mcp" {
		t.Errorf("resource %v", doc["resource"])
	}
	if p := w.stranger().get("/.well-known/oauth-protected-resource/other"); p.status != http.StatusNotFound {
		t.Errorf("metadata of another resource: %d", p.status)
	}
}

// TestProtectedResourceMetadata holds RFC 9728 §2 and §3.3.
func TestProtectedResourceMetadata(t *testing.T) {
	w := full(t)
	doc, _ := w.document("/.well-known/oauth-protected-resource")
	if doc["resource"] != "https://api.example.test" || !slices.Equal(texts(doc["authorization_servers"]), []string{"https://auth.example.test"}) ||
		!slices.Equal(texts(doc["bearer_methods_supported"]), []string{"header"}) || doc["dpop_bound_access_tokens_required"] != false {
		t.Errorf("%v", doc)
	}
	if scopes := texts(doc["scopes_supported"]); !slices.Contains(scopes, "read") || len(scopes) != 7 {
		t.Errorf("scopes %v", scopes)
	}
}

// TestResourceIndicators holds RFC 8707 §2: there is one API, under a few spellings.
func TestResourceIndicators(t *testing.T) {
	c := acme(t)
	for value, want := range map[string]bool{
		"https://api.example.test": true, "https://api.example.test/": true, "": true,
		"https://api.example.test/v1": false, "https://api.example.test#x": false, "https://api.example.test?x": false,
		"HTTPS://api.example.test": false, "https://api.example.test.evil.example": false, "api.example.test": false,
		"https://user@api.example.test": false, "https://api.example.test//": false, strings.Repeat("x", maxResource+1): false,
	} {
		got, err := checkResource(c, "https://auth.example.test", []string{value})
		if (err == nil) != want || err == nil && value != "" && got != "https://api.example.test" {
			t.Errorf("%.50q: %q, %v", value, got, err)
		}
	}
}

// TestKeySetIsPublic holds RFC 7517: what everybody needs to verify tokens, for every
// environment, kept for a while, and never a private member.
func TestKeySetIsPublic(t *testing.T) {
	w := full(t)
	_, p := w.document("/.well-known/jwks.json")
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(p.body), &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("%d keys, %v", len(set.Keys), err)
	}
	for _, k := range set.Keys {
		if !k.IsPublic() || k.KeyID == "" || k.Use != "sig" || k.Algorithm != "RS256" {
			t.Errorf("%+v", k)
		}
	}
	if _, err := token.ParseKeySet([]byte(p.body), []string{"RS256"}); err != nil {
		t.Error(err)
	}
	tag := p.header.Get("ETag")
	if tag == "" || p.header.Get("Cache-Control") != "public, max-age=900" {
		t.Errorf("ETag %q, Cache-Control %q", tag, p.header.Get("Cache-Control"))
	}
	b := w.stranger()
	for _, known := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
		b.header.Set("If-None-Match", known)
		if p := b.get("/.well-known/jwks.json"); p.status != http.StatusNotModified || p.body != "" {
			t.Errorf("%s: answered %d", known, p.status)
		}
	}
	b.header.Set("If-None-Match", `"other"`)
	if p := b.get("/.well-known/jwks.json"); p.status != http.StatusOK {
		t.Errorf("answered %d", p.status)
	}
	r, _ := http.NewRequest(http.MethodPost, w.http.URL+"/.well-known/jwks.json", http.NoBody)
	if p := b.send(r); p.status != http.StatusMethodNotAllowed {
		t.Errorf("POST is answered %d", p.status)
	}
}

// TestSharingWithPages holds CORS: documents are for every page, the endpoints that
// browser clients call for pages of their registered origins, everything else for none;
// and nothing is ever shared with credentials.
func TestSharingWithPages(t *testing.T) {
	w := full(t)
	c := w.register(public, func(c *store.Client) {
		c.RedirectURIs, c.Origins = []string{"https://spa.example.test/cb", "http://127.0.0.1/cb"}, []string{"https://other.example.test"}
	})
	w.register(func(c *store.Client) {
		c.RedirectURIs, c.Credential.RevokedAt = []string{"https://gone.example.test/cb"}, w.now()
	})
	w.advance(originsAge + 1)
	preflight := func(path, origin string) page {
		r, _ := http.NewRequest(http.MethodOptions, w.http.URL+path, http.NoBody)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "dpop")
		return w.stranger().send(r)
	}
	const allow = "Access-Control-Allow-Origin"
	for _, path := range []string{"/oauth/token", "/oauth/revoke", "/oauth/userinfo", "/oauth/par", "/oauth/device"} {
		for origin, want := range map[string]bool{
			"https://spa.example.test": true, "https://other.example.test": true, "http://127.0.0.1:5173": true,
			"https://evil.example": false, "null": false, "https://spa.example.test.evil.example": false,
			"http://spa.example.test": false, "https://spa.example.test:8443": false, "https://gone.example.test": false,
			"http://localhost:5173": false, "": false,
		} {
			p := preflight(path, origin)
			if got := p.header.Get(allow); (got == origin && origin != "") != want || got != "" && !want {
				t.Errorf("%s: %s gets %q", path, origin, got)
			}
			if p.status != http.StatusNoContent || p.header.Get("Access-Control-Allow-Credentials") != "" ||
				!strings.Contains(strings.Join(p.header.Values("Vary"), ","), "Origin") {
				t.Errorf("%s: %s is answered %d %v", path, origin, p.status, p.header)
			}
			if want && (!strings.Contains(p.header.Get("Access-Control-Allow-Headers"), "DPoP") || p.header.Get("Access-Control-Allow-Methods") == "") {
				t.Errorf("%s: %v", path, p.header)
			}
		}
	}
	for _, path := range []string{"/oauth/authorize", "/oauth/authorize/decision", "/device", "/oauth/introspect"} {
		if p := preflight(path, "https://spa.example.test"); p.header.Get(allow) != "" {
			t.Errorf("%s is shared", path)
		}
	}
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/jwks.json", "/.well-known/oauth-protected-resource"} {
		if _, p := w.document(path); p.header.Get(allow) != "*" {
			t.Errorf("%s is not shared", path)
		}
	}
	// The answer itself is for pages of the client that asks, not of any client.
	w.register(public, func(c *store.Client) { c.RedirectURIs = []string{"https://second.example.test/cb"} })
	for origin, want := range map[string]string{"https://spa.example.test": "https://spa.example.test", "https://second.example.test": ""} {
		r := w.form("/oauth/token", "grant_type", "authorization_code", "code", "x", "client_id", c.id())
		r.Header.Set("Origin", origin)
		if got := w.do(r); got.header.Get(allow) != want || got.text("error") != "invalid_grant" {
			t.Errorf("%s gets %q, %s", origin, got.header.Get(allow), got.body)
		}
	}
}
