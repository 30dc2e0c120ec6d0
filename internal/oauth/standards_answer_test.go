package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
)

// TestErrorTextsAreOfTheirCharacters holds RFC 6749 §4.1.2.1 and §5.2, and RFC 6750 §3:
// an error's texts have printable ASCII, without what ends a quotation. It reads them
// where they are written, since each is a constant of the program.
func TestErrorTextsAreOfTheirCharacters(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	texts := 0
	check := func(name string, node ast.Node) {
		ast.Inspect(node, func(node ast.Node) bool {
			lit, ok := node.(*ast.BasicLit)
			if !ok || lit.Kind != gotoken.STRING {
				return true
			}
			texts++
			text, _ := strconv.Unquote(lit.Value)
			if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
				t.Errorf("%s: %s", name, lit.Value)
			}
			return true
		})
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(gotoken.NewFileSet(), e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "refuse" {
					check(e.Name(), n)
				}
			case *ast.CompositeLit:
				if of, ok := n.Type.(*ast.Ident); ok && of.Name == "Error" {
					check(e.Name(), n)
				}
			}
			return true
		})
	}
	if texts < 50 {
		t.Errorf("only %d texts were found", texts)
	}
}

// TestTokenAnswersAreNotKept holds RFC 6749 §5.1 for the answer of every grant: JSON that
// nobody keeps, with a type and a lifetime in seconds.
func TestTokenAnswersAreNotKept(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	first := w.redeem(c, w.code(c, m))
	for name, a := range map[string]answered{
		"machine": w.as(c, "grant_type", "client_credentials"), "code": first,
		"refresh":   w.renew(c, first.text("refresh_token")),
		"device":    w.poll(c, w.device(c, m)),
		"assertion": w.post("/oauth/token", "grant_type", jwtGrant, "assertion", w.account("read").sign(api, 60e9, "read")),
	} {
		a.want(200, "")
		if a.header.Get("Pragma") != "no-cache" || a.text("access_token") == "" || a.text("token_type") != "Bearer" {
			t.Errorf("%s: %v %s", name, a.header, a.body)
		}
		if seconds, ok := a.json["expires_in"].(float64); !ok || seconds <= 0 || seconds != float64(int(seconds)) {
			t.Errorf("%s: expires_in %v", name, a.json["expires_in"])
		}
	}
}

// TestGrantedScopeIsToldWhereItDiffers holds RFC 6749 §3.3: whoever is given less than was
// asked for is told so, even where the contract's answers have no scope.
func TestGrantedScopeIsToldWhereItDiffers(t *testing.T) {
	w := full(t, "delete: Remove data", "delete: {description: Remove data, granted_by: [owner]}",
		"    - path: /oauth/token\n", "    - path: /oauth/token\n      respond: [access_token, token_type, expires_in, refresh_token]\n")
	c, m := w.register(), w.member()
	b := w.signedIn(m) // a developer, who may not grant everything
	code := b.code(c, "scope", "read delete")
	first := w.redeem(c, code).want(200, "")
	if first.text("scope") != "read" {
		t.Errorf("asked for read and delete, answered %s", first.body)
	}
	whole := w.redeem(c, w.code(c, m)).want(200, "")
	w.change(func(tx *store.Tx) error {
		c.Credential.Scopes = []string{"read"}
		return tx.UpdateCredential(t.Context(), c.Credential)
	})
	if a := w.renew(c, whole.text("refresh_token")).want(200, ""); a.text("scope") != "read" {
		t.Errorf("the client lost write, and is answered %s", a.body)
	}
	if a := w.as(c, "grant_type", "client_credentials", "scope", "read").want(200, ""); a.text("scope") != "" {
		t.Errorf("what was asked for was granted, and the contract prints no scope: %s", a.body)
	}
}

// TestTokensCannotBeGuessed holds RFC 6749 §10.10, RFC 8628 §5.2 and RFC 9126 §7.1: each
// text that is good for something has 128 random bits or more, none comes twice, and a
// code does not hold the challenge that it is bound to (RFC 7636 §4.4).
func TestTokensCannotBeGuessed(t *testing.T) {
	w := full(t, formats["opaque"]...)
	c, p, m := w.register(), w.register(public), w.member()
	b := w.signedIn(m)
	kinds := map[string]func() string{
		"code":          func() string { return b.code(c, "prompt", "") },
		"access token":  func() string { return w.redeem(c, w.code(c, m)).text("access_token") },
		"refresh token": func() string { return w.redeem(c, w.code(c, m)).text("refresh_token") },
		"device code":   func() string { return w.deviceRequest(p).text("device_code") },
		"request_uri":   func() string { return w.pushAs(c).text("request_uri") },
		"client secret": func() string { return w.register().secret.Reveal() },
	}
	for name, issue := range kinds {
		seen := map[string]bool{}
		positions := map[int]map[byte]bool{}
		for range 8 {
			text := issue()
			if text == "" || seen[text] || strings.Contains(text, challenge) {
				t.Fatalf("%s: %q", name, text)
			}
			seen[text] = true
			for i := range len(text) {
				if positions[i] == nil {
					positions[i] = map[byte]bool{}
				}
				positions[i][text[i]] = true
			}
		}
		// A place that had several letters among eight is a random one, and each of them is
		// worth as many bits as there are letters of its sort.
		random, letters := 0, map[byte]bool{}
		for _, at := range positions {
			if len(at) > 3 {
				random++
				maps.Copy(letters, at)
			}
		}
		if bits := float64(random) * math.Log2(float64(len(letters))); random == 0 || bits < 128 {
			t.Errorf("%s: %d random letters of %d, want 128 bits", name, random, len(letters))
		}
	}
	jwts := full(t)
	machine := jwts.register()
	ids := map[string]bool{}
	for range 4 {
		jwts.advance(1e9)
		id := parseObject(t, part(t, jwts.as(machine, "grant_type", "client_credentials").text("access_token"), 1))["jti"].(string)
		if len(id) < 22 || ids[id] {
			t.Errorf("jti %q", id)
		}
		ids[id] = true
	}
}

// TestVerifiersHaveTheirForm holds RFC 7636 §4.1: a verifier that is too short to be
// secret is refused even when it gives the challenge.
func TestVerifiersHaveTheirForm(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	for name, v := range map[string]string{
		"42 letters": strings.Repeat("a", 42), "129 letters": strings.Repeat("a", 129), "a space": strings.Repeat("a", 42) + " ", "+": strings.Repeat("a", 42) + "+",
	} {
		code := w.code(c, m, func(c *store.Code) { c.Challenge = challengeOf(v) })
		if a := w.redeem(c, code, "code_verifier", v); a.status != 400 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	for _, v := range []string{strings.Repeat("a", 43), strings.Repeat("a", 128), strings.Repeat("-._~", 11)} {
		w.redeem(c, w.code(c, m, func(c *store.Code) { c.Challenge = challengeOf(v) }), "code_verifier", v).want(200, "")
	}
}

// TestHintsAreOnlyHints holds RFC 7009 §2.1 and RFC 7662 §2.1: whatever the hint, the
// token is found; and both endpoints take it from the form of a POST alone.
func TestHintsAreOnlyHints(t *testing.T) {
	for name, changes := range formats {
		t.Run(name, func(t *testing.T) {
			w := full(t, changes...)
			c, m := w.register(), w.member()
			for _, hint := range []string{"access_token", "refresh_token", "urn:example:unknown", ""} {
				for _, kind := range []string{"access_token", "refresh_token"} {
					text := w.redeem(c, w.code(c, m)).want(200, "").text(kind)
					ask := func() answered {
						return w.post("/oauth/introspect", "client_id", c.id(), "client_secret", c.secret.Reveal(), "token", text, "token_type_hint", hint)
					}
					if a := ask().want(200, ""); a.json["active"] != true {
						t.Errorf("%s with the hint %q: %s", kind, hint, a.body)
					}
					w.endToken(c, text, "token_type_hint", hint).want(200, "")
					if a := ask().want(200, ""); a.body != `{"active":false}` {
						t.Errorf("%s, revoked with the hint %q: %s", kind, hint, a.body)
					}
				}
			}
			for _, path := range []string{"/oauth/revoke", "/oauth/introspect"} {
				text := w.redeem(c, w.code(c, m)).text("access_token")
				query := "?token=" + text + "&client_id=" + c.id() + "&client_secret=" + c.secret.Reveal()
				if p := w.stranger().get(path + query); p.status != http.StatusMethodNotAllowed {
					t.Errorf("GET %s is answered %d", path, p.status)
				}
				w.post(path+query).want(400, "invalid_request")
				if got := w.reason(text); got != cardea.ReasonAllowed {
					t.Errorf("a token in the address of %s: %v", path, got)
				}
			}
		})
	}
}

// TestAccessTokensHaveTheirClaims holds RFC 9068 §2 and §3 for a contract that asks for
// nothing else: a signed at+jwt with every claim that a resource server needs, for a
// machine and for a person.
func TestAccessTokensHaveTheirClaims(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	for subject, text := range map[string]string{
		c.id(): w.as(c, "grant_type", "client_credentials", "scope", "read").text("access_token"),
		m.ID:   w.redeem(c, w.code(c, m)).text("access_token"),
	} {
		header, claims := parseObject(t, part(t, text, 0)), parseObject(t, part(t, text, 1))
		if diff := cmp.Diff(map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": "key-live"}, header); diff != "" {
			t.Error(diff)
		}
		for name, want := range map[string]any{
			"iss": "https://auth.example.test", "aud": "https://api.example.test", "sub": subject, "client_id": c.id(),
			"iat": float64(w.now().Unix()),
		} {
			if claims[name] != want {
				t.Errorf("%s is %v, want %v", name, claims[name], want)
			}
		}
		if claims["exp"].(float64) <= claims["iat"].(float64) || claims["jti"] == "" || claims["scope"] == "" {
			t.Errorf("claims %v", claims)
		}
	}
}

// TestTooMuchIsToldSo holds RFC 9126 §2.3 for every endpoint that reads a form.
func TestTooMuchIsToldSo(t *testing.T) {
	w := full(t)
	for _, path := range []string{"/oauth/par", "/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/device"} {
		w.post(path, "client_id", "x", "state", strings.Repeat("x", maxBody)).want(http.StatusRequestEntityTooLarge, "invalid_request")
	}
}

// TestResourceMetadataOfLess holds RFC 9728 §3.2: a member without values is not there.
func TestResourceMetadataOfLess(t *testing.T) {
	w := full(t, "  dpop: optional\n", "")
	doc, p := w.document("/.well-known/oauth-protected-resource")
	if strings.Contains(p.body, "[]") || strings.Contains(p.body, "null") || strings.Contains(p.body, `""`) {
		t.Errorf("an empty member: %s", p.body)
	}
	for _, name := range []string{"dpop_signing_alg_values_supported", "dpop_bound_access_tokens_required", "jwks_uri", "signed_metadata"} {
		if v, there := doc[name]; there {
			t.Errorf("%s is %v", name, v)
		}
	}
}

// challengeOf returns the S256 challenge of a verifier.
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
