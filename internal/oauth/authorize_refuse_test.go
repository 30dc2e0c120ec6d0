package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
)

// TestNothingIsSentToAnUnprovedAddress holds RFC 6749 §4.1.2.1 and RFC 9700 §4.11: as
// long as client and redirect URI are not proved, the person sees an error page, and the
// browser goes nowhere.
func TestNothingIsSentToAnUnprovedAddress(t *testing.T) {
	w := full(t)
	m := w.member()
	c := w.register()
	native := w.register(public, func(c *store.Client) { c.RedirectURIs = []string{"http://127.0.0.1/cb", "http://localhost:3000/cb"} })
	several := w.register(func(c *store.Client) { c.RedirectURIs = []string{callback, "https://app.example.test/other"} })
	none := w.register(func(c *store.Client) { c.RedirectURIs = nil })
	old := w.register(func(c *store.Client) { c.RedirectURIs = []string{"javascript:alert(1)"} })
	revoked := w.register(func(c *store.Client) { c.Credential.RevokedAt = w.now() })
	cases := map[string]string{
		"no client":              authorizeURL(c, "client_id", ""),
		"unknown client":         authorizeURL(c, "client_id", "client_0000000000000000000000"),
		"client of another sort": authorizeURL(c, "client_id", "../../etc/passwd"),
		"NUL in the client":      "/oauth/authorize?client_id=%00",
		"revoked client":         authorizeURL(revoked),
		"another address":        authorizeURL(c, "redirect_uri", "https://evil.example/callback"),
		"longer":                 authorizeURL(c, "redirect_uri", callback+"/x"),
		"query added":            authorizeURL(c, "redirect_uri", callback+"?x=y"),
		"fragment added":         authorizeURL(c, "redirect_uri", callback+"#x"),
		"dot segments":           authorizeURL(c, "redirect_uri", callback+"/../x"),
		"upper case":             authorizeURL(c, "redirect_uri", strings.ToUpper(callback)),
		"user in front":          authorizeURL(c, "redirect_uri", "https://app.example.test@evil.example/callback"),
		"backslash":              authorizeURL(c, "redirect_uri", `https://evil.example\@app.example.test/callback`),
		"suffix of the host":     authorizeURL(c, "redirect_uri", "https://app.example.test.evil.example/callback"),
		"no scheme":              authorizeURL(c, "redirect_uri", "//app.example.test/callback"),
		"port added":             authorizeURL(c, "redirect_uri", "https://app.example.test:443/callback"),
		"http":                   authorizeURL(c, "redirect_uri", "http://app.example.test/callback"),
		"script":                 authorizeURL(c, "redirect_uri", "javascript:alert(1)"),
		"line break":             authorizeURL(c, "redirect_uri", callback+"\r\nX: y"),
		"percent-encoded":        authorizeURL(c, "redirect_uri", "https://app.example.test/callb%61ck"),
		"white space":            authorizeURL(c, "redirect_uri", callback+" "),
		"of another client":      authorizeURL(c, "redirect_uri", "http://127.0.0.1/cb"),
		"localhost, other port":  authorizeURL(native, "redirect_uri", "http://localhost:3001/cb"),
		"loopback, other path":   authorizeURL(native, "redirect_uri", "http://127.0.0.1:4000/other"),
		"loopback as a name":     authorizeURL(native, "redirect_uri", "http://127.0.0.1.evil.example/cb"),
		"none named of several":  authorizeURL(several, "redirect_uri", ""),
		"none registered":        authorizeURL(none, "redirect_uri", ""),
		"registered long ago":    authorizeURL(old, "redirect_uri", "javascript:alert(1)"),
		"the only one is bad":    authorizeURL(old, "redirect_uri", ""),
		"two addresses":          authorizeURL(c) + "&redirect_uri=https://evil.example/",
		"two clients":            authorizeURL(c) + "&client_id=" + native.id(),
		"bad escape":             authorizeURL(c) + "&x=%zz",
	}
	for name, path := range cases {
		t.Run(name, func(t *testing.T) {
			for who, b := range map[string]*browserOf{"nobody": w.stranger(), "somebody": w.signedIn(m)} {
				p := b.get(path)
				if p.at != nil || p.status != http.StatusBadRequest {
					t.Errorf("%s: answered %d to %v", who, p.status, p.at)
				}
				p.refuses(http.StatusBadRequest)
			}
		})
	}
}

// TestLoopbackPortsMayDiffer holds RFC 8252 §7.3: a program gets the port it listens on
// at the last moment.
func TestLoopbackPortsMayDiffer(t *testing.T) {
	w := full(t)
	c := w.register(public, func(c *store.Client) { c.RedirectURIs = []string{"http://127.0.0.1/cb", "http://[::1]:1/cb?a=b"} })
	b := w.signedIn(w.member())
	for _, uri := range []string{"http://127.0.0.1:49152/cb", "http://127.0.0.1/cb", "http://[::1]:50000/cb?a=b"} {
		p := b.get(authorizeURL(c, "redirect_uri", uri)).asks()
		back := b.allow(p)
		if !strings.HasPrefix(back.at.String(), uri) || back.at.Query().Get("code") == "" {
			t.Errorf("%s: goes to %s", uri, back.at)
		}
	}
}

// TestErrorsGoToTheProvedClient holds the codes of RFC 6749 §4.1.2.1 and its extensions,
// and that every error carries state and issuer (RFC 9207 §2).
func TestErrorsGoToTheProvedClient(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	narrow := w.register(func(c *store.Client) { c.Credential.Scopes = []string{"read"} })
	machine := w.register(func(c *store.Client) { c.Grants = []string{"client_credentials"} })
	open := w.register(public, func(c *store.Client) { c.RedirectURIs = []string{callback} })
	cases := map[string]struct{ url, code string }{
		"no response_type":     {authorizeURL(c, "response_type", ""), "invalid_request"},
		"token":                {authorizeURL(c, "response_type", "token"), "unsupported_response_type"},
		"code token":           {authorizeURL(c, "response_type", "code token"), "unsupported_response_type"},
		"id_token":             {authorizeURL(c, "response_type", "id_token"), "unsupported_response_type"},
		"fragment":             {authorizeURL(c, "response_mode", "fragment"), "invalid_request"},
		"request object":       {authorizeURL(c, "request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported"},
		"foreign request_uri":  {authorizeURL(c, "request_uri", "https://evil.example/request"), "request_uri_not_supported"},
		"grant not allowed":    {authorizeURL(machine), "unauthorized_client"},
		"unknown scope":        {authorizeURL(c, "scope", "read everything"), "invalid_scope"},
		"scope beyond":         {authorizeURL(narrow, "scope", "read delete"), "invalid_scope"},
		"plain":                {authorizeURL(c, "code_challenge_method", "plain"), "invalid_request"},
		"no method":            {authorizeURL(c, "code_challenge_method", ""), "invalid_request"},
		"method alone":         {authorizeURL(c, "code_challenge", ""), "invalid_request"},
		"short challenge":      {authorizeURL(c, "code_challenge", challenge[1:]), "invalid_request"},
		"challenge, last bits": {authorizeURL(c, "code_challenge", challenge[:42]+"N"), "invalid_request"},
		"challenge, alphabet":  {authorizeURL(c, "code_challenge", challenge[:42]+"="), "invalid_request"},
		"public, no challenge": {authorizeURL(open, "code_challenge", "", "code_challenge_method", ""), "invalid_request"},
		"other resource":       {authorizeURL(c, "resource", "https://other.example.test"), "invalid_target"},
		"resource, fragment":   {authorizeURL(c, "resource", "https://api.example.test#x"), "invalid_target"},
		"relative resource":    {authorizeURL(c, "resource", "/v1"), "invalid_target"},
		"resources":            {authorizeURL(c, "resource", "https://api.example.test") + "&resource=https%3A%2F%2Fevil.example", "invalid_target"},
		"prompt none login":    {authorizeURL(c, "prompt", "none login"), "invalid_request"},
		"max_age":              {authorizeURL(c, "max_age", "-1"), "invalid_request"},
		"thumbprint":           {authorizeURL(c, "dpop_jkt", "x"), "invalid_request"},
		"two scopes":           {authorizeURL(c) + "&scope=write", "invalid_request"},
		"two states":           {authorizeURL(c) + "&state=other", "invalid_request"},
		"two challenges":       {authorizeURL(c) + "&code_challenge=" + challenge, "invalid_request"},
		"empty and not":        {authorizeURL(c) + "&scope=", "invalid_request"},
		"nobody, prompt none":  {authorizeURL(c, "prompt", "none"), "login_required"},
	}
	for name, one := range cases {
		t.Run(name, func(t *testing.T) {
			b := w.stranger()
			first := b.get(one.url)
			if !strings.Contains(one.url, "prompt=none") {
				// A stranger is not sent on: RFC 9700 §4.11.2.
				back := first.back()
				b.signIn(m)
				first = b.get(back)
			}
			q := first.errs(one.code)
			wantState := "xyz"
			if name == "two states" {
				wantState = ""
			}
			if q.Get("state") != wantState || q.Get("iss") != "https://auth.example.test" || q.Get("error_description") == "" {
				t.Errorf("the client is told %v", q)
			}
		})
	}
}

// TestWhatIsNotKnownIsIgnored holds RFC 6749 §3.1: unknown parameters and empty ones ask
// for nothing, a scope may have a raw space, and a POST is as good as a GET.
func TestWhatIsNotKnownIsIgnored(t *testing.T) {
	w := full(t)
	c := w.register()
	b := w.signedIn(w.member())
	for name, path := range map[string]string{
		"unknown":       authorizeURL(c, "extra", "foobar", "display", "popup", "ui_locales", "se", "claims_locales", "se", "acr_values", "1"),
		"empty":         authorizeURL(c) + "&response_mode=&request=&request_uri=&nonce=&prompt=&max_age=&resource=&dpop_jkt=",
		"raw space":     strings.Replace(authorizeURL(c, "scope", "SCOPE"), "SCOPE", "read%20write", 1),
		"plus":          strings.Replace(authorizeURL(c, "scope", "SCOPE"), "SCOPE", "read+write", 1),
		"unknown value": authorizeURL(c, "prompt", "create"),
	} {
		t.Run(name, func(t *testing.T) { b.get(path).asks() })
	}
	_, query, _ := strings.Cut(authorizeURL(c), "?")
	values, _ := url.ParseQuery(query)
	var pairs []string
	for name := range values {
		pairs = append(pairs, name, values.Get(name))
	}
	b.submit("/oauth/authorize", pairs...).asks()
	// A POST of nobody's leads to the sign-in page, and from there back by GET.
	q := w.stranger().submit("/oauth/authorize", pairs...).goesTo("/signin")
	b.get(q.Get("continue")).asks()
}

// TestStateComesBackByteForByte holds RFC 6749 §4.1.2 for whatever a client puts there.
func TestStateComesBackByteForByte(t *testing.T) {
	w := full(t)
	c := w.register(func(c *store.Client) { c.FirstParty = true })
	b := w.signedIn(w.member())
	for _, state := range []string{
		"a", "a b", "a+b", "a%2Bb", "&error=x", "#fragment", `"><script>alert(1)</script>`, "ä€😀", "=&;?/:@",
		strings.Repeat("x", 4000), `{"a":[1,2]}`, "%00", "..//..",
	} {
		for _, path := range []string{authorizeURL(c, "state", state), authorizeURL(c, "state", state, "response_type", "token")} {
			if got := b.get(path).goesTo(callback).Get("state"); got != state {
				t.Errorf("state %.40q comes back as %.40q", state, got)
			}
		}
	}
}

// TestRedirectsKeepTheirOwnQuery holds RFC 6749 §3.1.2.
func TestRedirectsKeepTheirOwnQuery(t *testing.T) {
	w := full(t)
	uri := "https://app.example.test/callback?tenant=a%2Fb"
	c := w.register(func(c *store.Client) { c.RedirectURIs, c.FirstParty = []string{uri}, true })
	b := w.signedIn(w.member())
	if p := b.get(authorizeURL(c, "redirect_uri", uri)); !strings.HasPrefix(p.at.String(), uri+"&code=ac_") {
		t.Errorf("goes to %s", p.at)
	}
}

// TestMissingRedirectURI holds RFC 6749 §3.1.2.3: with one registered there is no need to
// name it, neither here nor at the token endpoint.
func TestMissingRedirectURI(t *testing.T) {
	w := full(t)
	c := w.register()
	b := w.signedIn(w.member())
	code := b.code(c, "redirect_uri", "")
	w.as(c, "grant_type", "authorization_code", "code", code, "code_verifier", verifier).want(200, "")
}

// TestPagesOfAuthorizationAreNobodysToFrame holds RFC 9700 §4.16 and §4.2.4 for pages and
// redirects: no frame, no referrer, no cache, no page of another origin.
func TestPagesOfAuthorizationAreNobodysToFrame(t *testing.T) {
	w := full(t)
	c := w.register()
	b := w.signedIn(w.member())
	b.header.Set("Origin", "https://app.example.test")
	for name, path := range map[string]string{
		"question": authorizeURL(c), "error": authorizeURL(c, "client_id", "x"), "redirect": authorizeURL(c, "prompt", "none"),
		"device": "/device",
	} {
		p := b.get(path)
		h := p.header
		if h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Referrer-Policy %q, Cache-Control %q", name, h.Get("Referrer-Policy"), h.Get("Cache-Control"))
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: pages of other origins may read it", name)
		}
		if name == "redirect" {
			continue
		}
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "frame-ancestors 'none'") || !strings.Contains(csp, "default-src 'none'") || h.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: Content-Security-Policy %q, X-Frame-Options %q", name, csp, h.Get("X-Frame-Options"))
		}
	}
	p := b.get(authorizeURL(c))
	if csp := p.header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://app.example.test") {
		t.Errorf("the browser will not follow the answer: %s", csp)
	}
	// A preflight gets no leave for these pages either.
	r, _ := http.NewRequest(http.MethodOptions, w.http.URL+"/oauth/authorize", http.NoBody)
	r.Header.Set("Access-Control-Request-Method", "POST")
	if p := b.send(r); p.header.Get("Access-Control-Allow-Origin") != "" || p.header.Get("Access-Control-Allow-Methods") != "" {
		t.Error("a preflight is let in")
	}
}

// TestPagesQuoteNobody holds that what clients and requests say cannot become markup.
func TestPagesQuoteNobody(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`
	w := full(t)
	c := w.register(func(c *store.Client) {
		c.Credential.Name = evil
		c.HomeURL, c.PolicyURL, c.TermsURL = "javascript:alert(1)", `https://x.example/"onclick="alert(1)`, "data:text/html,x"
	})
	m := w.member()
	w.change(func(tx *store.Tx) error {
		m.Name = evil
		return tx.UpdateMember(t.Context(), m)
	})
	b := w.signedIn(m)
	for _, path := range []string{
		authorizeURL(c, "state", evil, "nonce", evil), authorizeURL(c, "client_id", evil), authorizeURL(c, "redirect_uri", evil),
		"/device?user_code=" + url.QueryEscape(evil), "/oauth/authorize?" + url.QueryEscape(evil) + "=" + url.QueryEscape(evil),
	} {
		p := b.get(path)
		for _, bad := range []string{"<script>alert", "<img src=x", `"onclick="`, "javascript:alert", "data:text/html"} {
			if strings.Contains(p.body, bad) {
				t.Errorf("%s: the page has %s", path, bad)
			}
		}
	}
}

// TestQuestionsGrowOld holds that a page which was left open answers nothing later on.
func TestQuestionsGrowOld(t *testing.T) {
	w := full(t)
	c := w.register()
	b := w.signedIn(w.member())
	p := b.get(authorizeURL(c)).asks()
	w.advance(consentTime - time.Second)
	q := b.get(authorizeURL(c)).asks()
	w.advance(time.Second)
	b.allow(p).refuses(http.StatusBadRequest)
	b.allow(q).goesTo(callback)
}
