package oauth

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
)

// TestPagesThatPrintAnAuthorizationURL replays the addresses that two pages print, on the
// hosts they print: a confidential client without a challenge, scopes with a raw space,
// several redirect URIs, and a token endpoint elsewhere.
func TestPagesThatPrintAnAuthorizationURL(t *testing.T) {
	for name, one := range map[string]struct{ authorize, query, scope string }{
		"coherence":  {"https://app.getcoherence.io/oauth/authorize", "response_type=code&scope=read write", "read write"},
		"cohera-sdk": {"https://auth.cohera.io/oauth/authorize", "response_type=code&scope=read:certificates+read:suppliers", "read:certificates read:suppliers"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, example(t, name))
			c := w.register(func(c *store.Client) {
				c.RedirectURIs = []string{"https://yourapp.com/other", "https://yourapp.com/callback"}
			})
			b := w.signedIn(w.member())
			w.Server.cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			b.header.Set("X-Forwarded-Proto", "https") // the pages' addresses are https
			at, err := url.Parse(one.authorize)
			if err != nil {
				t.Fatal(err)
			}
			// The raw space goes over the wire as a browser sends it, encoded; a program that
			// does not is understood all the same, as FuzzAuthorizeQuery's parser shows.
			for _, space := range []string{"%20", "+"} {
				query := "client_id=" + c.id() + "&redirect_uri=https://yourapp.com/callback&" + strings.ReplaceAll(one.query, " ", space)
				r, _ := http.NewRequest(http.MethodGet, w.http.URL+at.Path+"?"+query, http.NoBody)
				r.Host = at.Host
				p := b.send(r)
				if p.status == http.StatusOK {
					r := w.form(at.Path+decisionSuffix, "request", p.asks().field("request"), "decision", "allow")
					r.Host = at.Host
					r.Header.Set("Sec-Fetch-Site", "same-origin")
					p = b.send(r)
				}
				q := p.goesTo("https://yourapp.com/callback")
				if q.Has("state") || q.Get("code") == "" {
					t.Fatalf("the client is told %v", q)
				}
				got := w.as(c, "grant_type", "authorization_code", "code", q.Get("code"), "redirect_uri", "https://yourapp.com/callback").want(200, "")
				if got.text("scope") != one.scope || got.text("refresh_token") == "" {
					t.Errorf("granted %s", got.body)
				}
			}
		})
	}
	if q, err := parseQuery("scope=read write"); err != nil || q.get("scope") != "read write" {
		t.Errorf("a raw space: %q, %v", q.get("scope"), err)
	}
}

// TestCodesAreForOneClientAMinuteAndAChallenge holds what a stolen code runs into: RFC
// 6749 §4.1.2, RFC 9700 §2.1.1 and §4.5.
func TestCodesAreForOneClientAMinuteAndAChallenge(t *testing.T) {
	w := full(t)
	c, thief := w.register(), w.register()
	b := w.signedIn(w.member())
	redeem := func(c registered, code string, pairs ...string) answered {
		return w.as(c, append([]string{"grant_type", "authorization_code", "code", code, "redirect_uri", callback}, pairs...)...)
	}
	code := b.code(c)
	redeem(thief, code, "code_verifier", verifier).want(400, "invalid_grant")
	redeem(c, code).want(400, "invalid_grant") // intercepted: no verifier
	redeem(c, code, "code_verifier", strings.Repeat("x", 43)).want(400, "invalid_grant")
	redeem(c, code, "code_verifier", challenge).want(400, "invalid_grant") // the challenge is no verifier
	w.advance(codeLifetime - time.Second)
	redeem(c, code, "code_verifier", verifier).want(200, "")
	late := b.code(c)
	w.advance(codeLifetime)
	redeem(c, late, "code_verifier", verifier).want(400, "invalid_grant")
	// Downgrade: somebody took the challenge out of the address (RFC 9700 §4.8.2).
	bare := b.code(c, "code_challenge", "", "code_challenge_method", "")
	redeem(c, bare, "code_verifier", verifier).want(400, "invalid_grant")
	redeem(c, bare).want(200, "")
}

// TestCookiesOverTLS holds that over TLS only the cookie counts which no other host and
// no plain connection can have set.
func TestCookiesOverTLS(t *testing.T) {
	w := full(t)
	c := w.register(func(c *store.Client) { c.FirstParty = true })
	b := w.signedIn(w.member())
	plain := w.http
	w.http = httptest.NewTLSServer(w.Handler())
	defer w.http.Close()
	get := func(name string) string {
		r, _ := http.NewRequest(http.MethodGet, w.http.URL+authorizeURL(c), http.NoBody)
		r.AddCookie(&http.Cookie{Name: name, Value: b.cookie})
		client := *w.http.Client()
		client.CheckRedirect = noRedirects.CheckRedirect
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.Header.Get("Location")
	}
	if at := get("__Host-session"); !strings.HasPrefix(at, callback+"?code=") {
		t.Errorf("goes to %s", at)
	}
	if at := get("session"); !strings.HasPrefix(at, "/signin?") {
		t.Errorf("a cookie that any connection could have set: goes to %s", at)
	}
	w.http = plain
}

// TestSigningInIsHinted holds login_hint, and that nothing else of the request goes to
// the sign-in page besides the way back.
func TestSigningInIsHinted(t *testing.T) {
	w := full(t)
	c := w.register()
	q := w.stranger().get(authorizeURL(c, "login_hint", "ada+x@example.test")).goesTo("/signin")
	if q.Get("login_hint") != "ada+x@example.test" || len(q) != 2 {
		t.Errorf("the sign-in page is told %v", q)
	}
	if q := w.stranger().get(authorizeURL(c, "login_hint", strings.Repeat("x", 300))).goesTo("/signin"); q.Has("login_hint") {
		t.Error("a hint that is no address goes on")
	}
}

// TestSigningOutIsAsked holds that an application's wish ends no session by itself.
func TestSigningOutIsAsked(t *testing.T) {
	w := full(t, "openid: {}", "openid: {}\n  end_session: {path: /oauth/logout}")
	m := w.member()
	b := w.signedIn(m)
	doc, _ := w.document("/.well-known/openid-configuration")
	if doc["end_session_endpoint"] != w.http.URL+"/oauth/logout" {
		t.Errorf("end_session_endpoint is %v", doc["end_session_endpoint"])
	}
	if q := b.get("/oauth/logout?post_logout_redirect_uri=https://evil.example/&state=x").goesTo("/signout"); len(q) != 0 {
		t.Errorf("goes on with %v", q)
	}
	if _, live, err := w.Server.people.Session(t.Context(), b.cookie); !live || err != nil {
		t.Errorf("the session ended: %v", err)
	}
}
