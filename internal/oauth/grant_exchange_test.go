package oauth

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// exchangeGrant is the grant_type of token exchange on the wire.
const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"

// TestTokenOfATrustedIssuerIsExchanged: RFC 8693. The subject token is verified as for a
// request; what is issued is never wider, never longer, and says who acts.
func TestTokenOfATrustedIssuerIsExchanged(t *testing.T) {
	idp := newSigner(t)
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(idp.jwks)
	}))
	defer keys.Close()
	w := newWorld(t, acme(t, "jwks_url: https://idp.example.test/.well-known/jwks.json", "jwks_url: "+keys.URL+"\n    insecure_private_jwks: true"))
	c, p := w.register(), w.register(public)
	subject := func(sub, scope string, lifetime time.Duration, more ...token.Member) string {
		return idp.sign(t, "JWT", append([]token.Member{
			{Name: "iss", Value: "https://idp.example.test"}, {Name: "sub", Value: sub}, {Name: "aud", Value: api},
			{Name: "exp", Value: w.now().Add(lifetime).Unix()}, {Name: "iat", Value: w.now().Unix()},
			{Name: "scope", Value: scope}, {Name: "org_id", Value: w.org.ID},
		}, more...)...)
	}
	try := func(c registered, text string, pairs ...string) answered {
		return w.as(c, append([]string{"grant_type", exchangeGrant, "subject_token_type", typeJWT, "subject_token", text}, pairs...)...)
	}
	for _, c := range []registered{c, p} {
		a := try(c, subject("alice", "read write", time.Hour)).want(200, "")
		claims := part(t, a.text("access_token"), 1)
		if a.text("issued_token_type") != typeAccessToken || a.text("scope") != "read write" || a.text("refresh_token") != "" ||
			!strings.Contains(claims, `"sub":"alice"`) || !strings.Contains(claims, `"act":{"sub":"`+c.id()+`"}`) {
			t.Errorf("answer %s, claims %s", a.body, claims)
		}
		if got := w.reason(a.text("access_token")); got != cardea.ReasonAllowed {
			t.Errorf("the token: %v", got)
		}
	}
	if a := try(c, subject("alice", "read write", time.Hour), "scope", "read").want(200, ""); a.text("scope") != "read" {
		t.Errorf("scope %q", a.text("scope"))
	}
	if a := try(c, subject("alice", "read", 10*time.Minute)).want(200, ""); a.json["expires_in"] != float64(600) {
		t.Errorf("expires_in %v, and the subject token ends after 600", a.json["expires_in"])
	}
	small := w.register(func(c *store.Client) { c.Credential.Scopes = []string{"read"} })
	if a := try(small, subject("alice", "read write", time.Hour)).want(200, ""); a.text("scope") != "read" {
		t.Errorf("scope %q: wider than the client", a.text("scope"))
	}
	good := subject("alice", "read", time.Hour)
	try(c, good, "scope", "write").want(400, "invalid_scope")
	try(c, good, "audience", api).want(200, "")
	try(c, good, "audience", "https://evil.test").want(400, "invalid_target")
	try(c, good, "resource", "https://evil.test").want(400, "invalid_target")
	try(c, good, "requested_token_type", typeAccessToken).want(200, "")
	try(c, good, "requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token").want(400, "invalid_request")
	try(c, good, "actor_token", good).want(400, "invalid_request")
	try(c, "").want(400, "invalid_request")
	w.as(c, "grant_type", exchangeGrant, "subject_token", good).want(400, "invalid_request")
	elsewhere := w.organization()
	for name, bad := range map[string]string{
		"expired":                  subject("alice", "read", -time.Minute),
		"a subject like a member":  subject(secret.NewID("usr_"), "read", time.Hour),
		"a subject like a client":  subject(c.id(), "read", time.Hour),
		"a subject that begins so": subject("usr_bob", "read", time.Hour),
		"another organization":     strings.Clone(idp.sign(t, "JWT", token.Member{Name: "iss", Value: "https://idp.example.test"}, token.Member{Name: "sub", Value: "bob"}, token.Member{Name: "aud", Value: api}, token.Member{Name: "exp", Value: w.now().Add(time.Hour).Unix()}, token.Member{Name: "iat", Value: w.now().Unix()}, token.Member{Name: "org_id", Value: elsewhere.ID})),
		"signed by a stranger":     newSigner(t).sign(t, "JWT", token.Member{Name: "iss", Value: "https://idp.example.test"}),
		"one of our own":           w.as(c, "grant_type", "client_credentials").text("access_token"),
		"no JWT":                   "x",
	} {
		if a := try(c, bad); a.status != 400 || a.text("error") != "invalid_request" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	// Nobody exchanges without saying who they are.
	w.post("/oauth/token", "grant_type", exchangeGrant, "subject_token_type", typeJWT, "subject_token", good).want(400, "invalid_request")
}
