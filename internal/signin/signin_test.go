package signin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/pages"
	"github.com/cardea-dev/cardea/internal/signin"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// Guarantee: the session's cookie is bound to this host and to TLS, and out of reach of
// scripts and other sites; a form is followed by a GET.
func TestSignInGivesACookieThatStaysHere(t *testing.T) {
	w := newWorld(t, nil)
	w.get("/signin").want(t, 200, `action="/signin"`, `autocomplete="current-password"`, `autocomplete="username webauthn"`, "Sign in to Acme")
	a := w.post("/signin", "email", "ada@one.test", "password", goodPassword, "continue", "/oauth/authorize?client_id=x&state=%2F%2F")
	a.want(t, http.StatusSeeOther)
	if a.location() != "/oauth/authorize?client_id=x&state=%2F%2F" {
		t.Errorf("on to %q", a.location())
	}
	cookie := a.Header.Get("Set-Cookie")
	for _, piece := range []string{"__Host-session=cst_", "; Path=/;", "; HttpOnly", "; Secure", "; SameSite=Lax", "; Expires="} {
		if !strings.Contains(cookie, piece) {
			t.Errorf("the cookie lacks %q: %s", piece, cookie)
		}
	}
	if strings.Contains(cookie, "Domain") {
		t.Errorf("the cookie is other hosts' too: %s", cookie)
	}
	w.get("/account").want(t, 200, "Ada Lovelace", "One Corp", "Firefox on Linux", "this browser")
	if a := w.get("/signin?continue=/signin/device"); a.location() != "/signin/device" {
		t.Errorf("somebody signed in is asked again, or sent to %q", a.location())
	}
	w.get("/signin?again=1").want(t, 200, `type="password"`)
}

// Guarantee: after signing in nobody is sent anywhere but to a page of this host.
func TestContinueStaysHere(t *testing.T) {
	w := newWorld(t, nil)
	for _, text := range []string{
		"//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, `\/evil.example`, "https://evil.example", "https:evil.example",
		"https:/evil.example", "javascript:alert(1)", "data:text/html,x", "evil.example", "/%2f%2fevil.example", "/%2F/evil.example", "/%5cevil.example",
		"/account/..//evil.example", "/account\r\nLocation: https://evil.example", "/account\tx", "/\t/evil.example", "/\n/evil.example", " //evil.example",
		"/account#@evil.example", "/acc\x00ount", "/accoun%74", "/ACCOUNT", "/account/", "/@evil.example", "/.evil.example", "@evil.example", "?x", "",
		"/v1/things", "/signout", "/signin", "/signin/sso/callback?code=x", "/account/password", "/account?a=" + strings.Repeat("x", 2400), "/account?%zz",
		"/oauth/authorize/../../evil", "/oauth/token", "/account?é",
		"/account?x\r\nSet-Cookie: a=b", "/account?a\tb", "/account?a b", `/account?a\b`, "/account?a#b", "/account?\x00",
		"/dashboardx", "/dashboard/../account", "/dashboard//evil.example", "/dashboard/%2e%2e/x", "/dashboard/./x", "/dashboard\\evil", "/dashboard#x", "//dashboard", "/Dashboard",
	} {
		if a := w.post("/signin", "email", "ada@one.test", "password", goodPassword, "continue", text); a.location() != "/dashboard" {
			t.Errorf("%q leads to %q", text, a.location())
		}
		if a := w.get("/signin?continue=" + url.QueryEscape(text)); a.location() != "/dashboard" {
			t.Errorf("%q in a link leads to %q", text, a.location())
		}
		if a := w.get("/signin?again=1&continue=" + url.QueryEscape(text)); strings.Contains(a.text, `name="continue"`) {
			t.Errorf("%q is kept in the form", text)
		}
	}
}

func FuzzContinueStaysHere(f *testing.F) {
	w := newWorld(f, nil)
	base, _ := url.Parse(app + "/signin")
	for _, seed := range []string{"/account", "/dashboard/keys?status=expired", "/account?done=x", "//evil", `/\evil`, "/oauth/authorize?redirect_uri=https://evil"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		on := signin.Onward(w.server, w.inForce(), text)
		if on == "" {
			return
		}
		u, err := base.Parse(on)
		if err != nil || u.Host != "app.acme.test" || u.Scheme != "https" || on != text {
			t.Fatalf("%q leads to %q", text, on)
		}
		if u.Path != "/dashboard" && !strings.HasPrefix(u.Path, "/dashboard/") && u.Path != "/account" && u.Path != "/oauth/authorize" && u.Path != "/signin/device" {
			t.Fatalf("%q leads to the path %q", text, u.Path)
		}
	})
}

// Guarantee: the answer to an attempt that does not work is the same to the byte whoever
// it names (ASVS 6.3.8).
func TestRefusalsAreTheSameToTheByte(t *testing.T) {
	w := newWorld(t, nil)
	page := func(email, organization string) (int, string) {
		a := w.post("/signin", "email", email, "password", "wrong wrong", "organization", organization)
		text := strings.ReplaceAll(a.text, email, "")
		if organization != "" {
			text = strings.ReplaceAll(text, organization, "")
		}
		return a.StatusCode, text
	}
	status, member := page("ada@one.test", "")
	if status != http.StatusForbidden || !strings.Contains(member, `role="alert"`) {
		t.Fatalf("status %d\n%s", status, member)
	}
	for _, email := range []string{"nobody@one.test", "bob@two.test", "not-an-address"} {
		if s, text := page(email, ""); s != status || text != member {
			t.Errorf("%s: status %d\n%s", email, s, text)
		}
	}
	_, named := page("ada@one.test", "One Corp")
	for _, organization := range []string{"Two Corp", "No Such Corp", "org_one"} {
		if _, text := page("ada@one.test", organization); text != named {
			t.Errorf("%s:\n%s", organization, text)
		}
	}
}

// Guarantee (C4-05): where the contract asks for the organization first, the first page
// asks for it in the contract's words, and the second is the same for one that does not
// exist.
func TestOrganizationFirst(t *testing.T) {
	w := newWorld(t, nil)
	w.load(strings.Replace(acme, "sign_in: {", "sign_in: {title: Enter your org name, organization_first: true, ", 1))
	w.get("/signin").want(t, 200, "Enter your org name", `name="organization"`)
	if a := w.get("/signin"); strings.Contains(a.text, `type="password"`) {
		t.Error("the first page asks for a password")
	}
	a := w.post("/signin", "step", "organization", "organization", "One Corp", "continue", "/signin/device").want(t, http.StatusSeeOther)
	one := w.get(a.location()).want(t, 200, "One Corp", `type="password"`, `value="/signin/device"`, "Change")
	b := w.post("/signin", "step", "organization", "organization", "No Such Corp", "continue", "/signin/device").want(t, http.StatusSeeOther)
	none := w.get(b.location()).want(t, 200)
	if strings.ReplaceAll(one.text, "One Corp", "") != strings.ReplaceAll(none.text, "No Such Corp", "") {
		t.Errorf("the second page tells which organizations exist:\n%s\n%s", one.text, none.text)
	}
	w.post("/signin", "step", "organization", "organization", " ").want(t, 422, `role="alert"`)
	w.post("/signin", "email", "ada@one.test", "password", goodPassword).want(t, 422, "Enter your org name")
	w.post("/signin", "organization", "two corp", "email", "ada@one.test", "password", goodPassword).want(t, 403)
	if a := w.post("/signin", "organization", "one corp", "email", "ada@one.test", "password", goodPassword); a.location() != "/dashboard" {
		t.Errorf("status %d, to %q", a.StatusCode, a.location())
	}
}

// Guarantee: a token that somebody else planted is not the session afterwards, and the
// one before ends (ASVS 7.2.4).
func TestSigningInStartsAnotherSession(t *testing.T) {
	w := newWorld(t, nil)
	w.signIn("bob@two.test")
	old := w.cookie("__Host-session")
	w.signIn("ada@one.test")
	if w.cookie("__Host-session") == old {
		t.Fatal("the session is the one from before")
	}
	a := w.browserless(old)
	if a.StatusCode == 200 {
		t.Error("the session from before still works")
	}
	two := w.send(http.MethodGet, app+"/account", "", func(r *http.Request) {
		r.Header.Add("Cookie", "__Host-session="+w.cookie("__Host-session")) // besides the jar's
	})
	if two.StatusCode == 200 {
		t.Error("one of two session cookies was picked")
	}
}

// browserless asks for the account with a session and nothing else.
func (w *world) browserless(token string) answer {
	w.t.Helper()
	jar := w.Jar
	w.Jar = nil
	defer func() { w.Jar = jar }()
	return w.send(http.MethodGet, app+"/account", "", func(r *http.Request) { r.Header.Set("Cookie", "__Host-session="+token) })
}

// Guarantee: nothing is changed by a page of another site, at any path (ASVS 3.5.1).
func TestOtherSitesChangeNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.signIn("ada@one.test")
	for path, methods := range signin.Paths(w.server) {
		if !strings.Contains(methods, "POST") {
			continue
		}
		for name, change := range map[string]func(*http.Request){
			"by Sec-Fetch-Site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
			"of a sibling host": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
			"by Origin": func(r *http.Request) {
				r.Header.Del("Sec-Fetch-Site")
				r.Header.Set("Origin", "https://evil.example")
			},
			"of no origin": func(r *http.Request) {
				r.Header.Del("Sec-Fetch-Site")
				r.Header.Set("Origin", "null")
			},
		} {
			if a := w.send(http.MethodPost, app+path, "", change); a.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s: status %d", path, name, a.StatusCode)
			}
		}
	}
	if !w.signedIn() {
		t.Error("another site signed somebody out")
	}
}

// Guarantee: GET changes nothing, other methods are not there, and every page says that
// it is nobody's to frame or keep.
func TestEveryPathKeepsToItsMethods(t *testing.T) {
	w := newWorld(t, nil)
	w.signIn("ada@one.test")
	for path, methods := range signin.Paths(w.server) {
		for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
			a := w.send(method, app+path, "", nil)
			allowed := strings.Contains(methods, method)
			if (a.StatusCode == http.StatusMethodNotAllowed) == allowed {
				t.Errorf("%s %s: status %d", method, path, a.StatusCode)
			}
			if !allowed && a.Header.Get("Allow") != methods {
				t.Errorf("%s %s: Allow is %q, want %q", method, path, a.Header.Get("Allow"), methods)
			}
			h := a.Header
			if h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s may be kept: %q", method, path, h.Get("Cache-Control"))
			}
			if a.StatusCode == http.StatusSeeOther {
				continue
			}
			if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") ||
				strings.Contains(csp, "unsafe") || h.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s %s: headers %v", method, path, h)
			}
			if strings.HasPrefix(h.Get("Content-Type"), "text/html") && (h.Get("X-Frame-Options") != "DENY" || h.Get("Referrer-Policy") != "no-referrer" ||
				h.Get("Cross-Origin-Opener-Policy") != "same-origin") {
				t.Errorf("%s %s: headers %v", method, path, h)
			}
		}
	}
	if !w.signedIn() {
		t.Error("a GET signed somebody out")
	}
}

// Guarantee: what is for people who are signed in is for nobody else, at every path.
func TestAccountIsForThoseSignedIn(t *testing.T) {
	w := newWorld(t, nil)
	for path, methods := range signin.Paths(w.server) {
		if !strings.HasPrefix(path, "/account") {
			continue
		}
		method := "POST"
		if strings.Contains(methods, "GET") {
			method = "GET"
		}
		a := w.send(method, app+path, "{}", func(r *http.Request) {
			if strings.Contains(path, "passkeys/begin") || strings.Contains(path, "passkeys/finish") {
				r.Header.Set("Content-Type", "application/json")
			}
		})
		if a.location() != "/signin?continue=%2Faccount" && a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: status %d, to %q", path, a.StatusCode, a.location())
		}
	}
	if a := w.get("/signin/device?user_code=WDJB-MJHT"); a.location() != "/signin?continue=%2Fsignin%2Fdevice%3Fuser_code%3DWDJB-MJHT" {
		t.Errorf("to %q", a.location())
	}
}

// Guarantee: bodies are bounded, of the type the page sends, and say each thing once.
func TestStrangeBodiesAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	asType := func(contentType string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Content-Type", contentType) }
	}
	for name, c := range map[string]struct {
		path, body string
		change     func(*http.Request)
		status     int
	}{
		"too large":             {"/signin", "password=" + strings.Repeat("x", 64<<10), nil, 413},
		"twice":                 {"/signin", "email=ada@one.test&password=x&email=bob@two.test", nil, 400},
		"not decodable":         {"/signin", "email=%zz", nil, 400},
		"semicolons":            {"/signin", "email=a;password=b", nil, 400},
		"not text":              {"/signin", "email=%ff", nil, 400},
		"plain text":            {"/signin", "email=a", asType("text/plain"), 415},
		"multipart":             {"/signin", "email=a", asType("multipart/form-data; boundary=x"), 415},
		"JSON for a form":       {"/signin", "{}", asType("application/json"), 415},
		"no type":               {"/signin", "email=a", func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		"form for JSON":         {"/signin/passkey/begin", "a=b", nil, 415},
		"not JSON":              {"/signin/passkey/finish", "{", asType("application/json"), 400},
		"JSON of another shape": {"/signin/passkey/finish", "[]", asType("application/json"), 400},
		"JSON twice":            {"/signin/passkey/finish", `{"credential":{},"credential":{}}`, asType("application/json"), 400},
		"no ticket":             {"/signin/passkey/finish", `{"credential":{}}`, asType("application/json"), 403},
	} {
		a := w.send(http.MethodPost, app+c.path, c.body, c.change)
		if a.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d\n%s", name, a.StatusCode, c.status, a.text)
		}
	}
}

// Guarantee: too many attempts are told when to come back, in words and in a header.
func TestThrottledIsToldWhenToComeBack(t *testing.T) {
	w := newWorld(t, nil)
	for range 10 {
		w.post("/signin", "email", "ada@one.test", "password", "wrong wrong").want(t, 403)
	}
	a := w.post("/signin", "email", "ada@one.test", "password", goodPassword).want(t, 429, "Too many attempts. Try again in 4 minutes.", `role="alert"`)
	if got := a.Header.Get("Retry-After"); got != "188" {
		t.Errorf("Retry-After is %s", got)
	}
	w.advance(4 * time.Minute)
	w.signIn("ada@one.test")
}

// Guarantee: no session travels in the clear; on this computer there is one without TLS.
func TestPlainHTTPIsForThisComputerOnly(t *testing.T) {
	w := newWorld(t, func(c *signin.Config) { c.AnyHost = true })
	for _, host := range []string{"app.acme.test", "192.0.2.1", "localhost.evil.example", "notlocalhost"} {
		a := w.send(http.MethodPost, "http://"+host+"/signin", "email=ada@one.test&password="+url.QueryEscape(goodPassword), nil)
		if a.StatusCode != 400 || a.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: status %d, cookie %q", host, a.StatusCode, a.Header.Get("Set-Cookie"))
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]", "app.localhost"} {
		a := w.send(http.MethodPost, "http://"+host+"/signin", "email=ada@one.test&password="+url.QueryEscape(goodPassword), nil)
		if cookie := a.Header.Get("Set-Cookie"); a.StatusCode != 303 || !strings.HasPrefix(cookie, "session=cst_") || strings.Contains(cookie, "Secure") {
			t.Errorf("%s: status %d, cookie %q", host, a.StatusCode, cookie)
		}
	}
}

// Guarantee: what a proxy says is believed of trusted ones only.
func TestOnlyTrustedProxiesAreBelieved(t *testing.T) {
	forwarded := func(r *http.Request) {
		r.Header.Set("X-Forwarded-Proto", "https")
		r.Header.Set("X-Forwarded-For", "203.0.113.7")
	}
	body := "email=ada@one.test&password=" + url.QueryEscape(goodPassword)
	w := newWorld(t, nil)
	if a := w.send(http.MethodPost, "http://app.acme.test/signin", body, forwarded); a.StatusCode != 400 {
		t.Errorf("a stranger's word: status %d", a.StatusCode)
	}
	w = newWorld(t, func(c *signin.Config) { c.TrustedProxies = proxies })
	a := w.send(http.MethodPost, "http://app.acme.test/signin", body, forwarded)
	if !strings.HasPrefix(a.Header.Get("Set-Cookie"), "__Host-session=") {
		t.Errorf("status %d, cookie %q", a.StatusCode, a.Header.Get("Set-Cookie"))
	}
	rows, err := w.store.Sessions(t.Context(), "usr_ada")
	if err != nil || len(rows) != 1 || rows[0].Address != "203.0.113.7" {
		t.Errorf("%+v, %v", rows, err)
	}
	a = w.send(http.MethodGet, "http://app.acme.test/signin", "", func(r *http.Request) {
		forwarded(r)
		r.Header.Set("X-Forwarded-For", "not an address")
	})
	a.want(t, 400)
}

func TestPagesAreOnTheHostsOfPeopleOnly(t *testing.T) {
	w := newWorld(t, nil)
	for host, want := range map[string]bool{
		"app.acme.test": true, "APP.acme.test:8443": true, "api.acme.test": false, "evil.example": false, "": false, "app.acme.test.": false,
	} {
		if _, ok := w.server.Find(host, "GET", "/signin"); ok != want {
			t.Errorf("%q: %v", host, ok)
		}
	}
	for _, path := range []string{"/", "/signin/", "/Signin", "/signin/../signin", "/account/x", "/invite/", "/invite/a/b", "/assets/", "/assets/cardea.css", "/v1/things"} {
		if _, ok := w.server.Find("app.acme.test", "GET", path); ok {
			t.Errorf("%q is served", path)
		}
	}
}

func TestAssetsMayBeKeptForEver(t *testing.T) {
	w := newWorld(t, nil)
	for path, contentType := range map[string]string{
		pages.StylePath: "text/css; charset=utf-8", pages.ScriptPath: "text/javascript; charset=utf-8", pages.IconPath: "image/svg+xml",
	} {
		a := w.get(path).want(t, 200)
		if a.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || a.Header.Get("Content-Type") != contentType || a.text == "" {
			t.Errorf("%s: %v", path, a.Header)
		}
		if _, ok := w.server.Find("app.acme.test", "POST", path); ok {
			t.Errorf("%s takes a POST", path)
		}
	}
	page := w.get("/signin")
	if !strings.Contains(page.text, pages.StylePath) || !strings.Contains(page.text, pages.ScriptPath) {
		t.Error("the page does not lead to its assets")
	}
}

// Guarantee: whatever anybody calls themselves, it is text on every page.
func TestNamesAreTextOnEveryPage(t *testing.T) {
	w := newWorld(t, nil)
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)>'{{.}}`
	ctx := t.Context()
	storetest.Change(t, w.store, func(tx *store.Tx) error {
		m, err := tx.Member(ctx, "usr_ada")
		if err != nil {
			return err
		}
		m.Name = attack
		if err := tx.UpdateMember(ctx, m); err != nil {
			return err
		}
		if err := tx.UpdateOrganization(ctx, store.Organization{ID: "org_one", Name: attack}); err != nil {
			return err
		}
		if err := tx.InsertClient(ctx, store.Client{Public: true, HomeURL: "javascript:alert(1)", Credential: store.Credential{
			ID: "client_x", Kind: store.KindClient, Environment: "live", Organization: "org_one", Name: attack, CreatedBy: "test",
		}}); err != nil {
			return err
		}
		if _, err := tx.SaveConsent(ctx, store.Consent{ID: "grt_x", Member: "usr_ada", Client: "client_x", Organization: "org_one", Scopes: []string{attack}}); err != nil {
			return err
		}
		return tx.InsertPasskey(ctx, store.Passkey{ID: []byte(attack), Member: "usr_ada", Name: attack, Data: []byte("{}")})
	})
	sneaky := func(r *http.Request) { r.Header.Set("User-Agent", attack) }
	w.send(http.MethodPost, app+"/signin", "email=ada@one.test&password="+url.QueryEscape(goodPassword), sneaky).want(t, 303)
	look := func(name string, a answer) {
		t.Helper()
		for _, bad := range []string{"<script>alert", "<img", `="javascript:`} {
			if strings.Contains(a.text, bad) {
				t.Errorf("%s: %q is in the page", name, bad)
			}
		}
	}
	look("account", w.get("/account?done="+url.QueryEscape(attack)).want(t, 200, "&lt;script&gt;"))
	look("sign-in", w.get("/signin?again=1&organization="+url.QueryEscape(attack)+"&login_hint="+url.QueryEscape(attack)).want(t, 200, "&lt;script&gt;"))
	look("refusal", w.post("/signin", "email", attack, "password", "x", "organization", attack, "continue", attack).want(t, 403, "&lt;script&gt;"))
	look("company", w.get("/signin/sso?organization="+url.QueryEscape(attack)))
	look("company refused", w.post("/signin/sso", "organization", attack))
	look("device", w.get("/signin/device?user_code="+url.QueryEscape(attack)).want(t, 200, "&lt;script&gt;"))
	look("device refused", w.post("/signin/device/answer", "user_code", attack))
	look("link", w.get("/invite/"+url.PathEscape(strings.ReplaceAll(attack, "/", ""))))
	look("passkey", w.post("/account/passkeys/rename", "id", "x", "name", attack))
	w.load(strings.NewReplacer("product: Acme", "product: "+fmt.Sprintf("%q", attack)).Replace(acme))
	look("product", w.get("/account").want(t, 200))
}
