package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
)

// back returns the address that the sign-in page goes back to.
func (p page) back() string {
	p.t.Helper()
	back := p.goesTo("/signin").Get("continue")
	if !strings.HasPrefix(back, "/oauth/authorize?") {
		p.t.Fatalf("goes back to %q", back)
	}
	return back
}

// TestSigningInComesBackHere holds that the way through the sign-in page changes nothing
// about the request, and that the address it goes back to is always on this host.
func TestSigningInComesBackHere(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	b := w.stranger()
	p := b.get(authorizeURL(c, "state", "a b&c=d#e", "scope", "read write"))
	if again := p.at.Query().Get("again"); again != "" {
		t.Error("somebody who is not signed in is asked to do it again")
	}
	b.signIn(m)
	if q := b.allow(b.get(p.back())).goesTo(callback); q.Get("state") != "a b&c=d#e" || q.Get("code") == "" {
		t.Errorf("the client is told %v", q)
	}
	// A host of the attacker's in the request's own line goes nowhere.
	r, _ := http.NewRequest(http.MethodGet, w.http.URL+authorizeURL(c), http.NoBody)
	r.Host = "evil.example"
	if q := w.stranger().send(r); q.at == nil || q.at.Host != "" || q.at.Path != "/signin" {
		t.Errorf("goes to %v", q.at)
	}
}

// TestSigningInAgain holds prompt=login and max_age (OpenID Connect Core §3.1.2.1): the
// person proves anew who they are, once, and no application can say that they have.
func TestSigningInAgain(t *testing.T) {
	w := full(t)
	c, m := w.register(func(c *store.Client) { c.FirstParty = true }), w.member()
	b := w.signedIn(m)
	w.advance(time.Minute)
	for _, pairs := range [][]string{{"prompt", "login"}, {"max_age", "0"}, {"max_age", "59"}} {
		t.Run(strings.Join(pairs, "="), func(t *testing.T) {
			b := w.signedIn(m)
			w.advance(time.Minute)
			first := b.get(authorizeURL(c, pairs...))
			if first.goesTo("/signin").Get("again") != "1" {
				t.Errorf("goes to %s", first.at)
			}
			back := first.back()
			if p := b.get(back); p.goesTo("/signin").Get("again") != "1" {
				t.Error("coming back without having signed in is enough")
			}
			w.advance(10 * time.Second)
			b.signIn(m)
			w.advance(10 * time.Second)
			b.get(back).goesTo(callback)
		})
	}
	b.get(authorizeURL(c, "max_age", "600")).goesTo(callback)
	b.get(authorizeURL(c, "max_age", "60", "prompt", "none")).errs("login_required")

	t.Run("forged", func(t *testing.T) {
		back := b.get(authorizeURL(c, "prompt", "login")).back()
		mark := mustQuery(t, back).Get(againParameter)
		if mark == "" {
			t.Fatal("no mark")
		}
		for name, value := range map[string]string{
			"a number": "1", "empty": "", "changed": mark[:len(mark)-2] + "AA", "of another application": w.sealAgain("client_other", start),
			"too old": w.sealAgain(c.id(), start.Add(-2*time.Hour)), "of the future": w.sealAgain(c.id(), w.now().Add(time.Hour)),
		} {
			b.get(authorizeURL(c, "prompt", "login", againParameter, value)).goesTo("/signin")
			_ = name
		}
	})
	t.Run("a mark from before this sign-in", func(t *testing.T) {
		// The person signed in after the mark was made, for another request: good enough,
		// they have proved who they are since the application sent them.
		b.signIn(m)
		b.get(authorizeURL(c, "prompt", "login", againParameter, w.sealAgain(c.id(), w.now()))).goesTo(callback)
	})
}

// mustQuery returns the query of an address.
func mustQuery(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// TestSessionsThatAreNone holds that nothing but a live session counts: an ended, an
// idle, a foreign or a made-up one leads to the sign-in page.
func TestSessionsThatAreNone(t *testing.T) {
	w := full(t)
	c, m := w.register(func(c *store.Client) { c.FirstParty = true }), w.member()
	b := w.signedIn(m)
	b.get(authorizeURL(c)).goesTo(callback)
	good := b.cookie
	for _, cookie := range []string{"x", good + "x", good[:len(good)-1], "cst_" + strings.Repeat("0", 40)} {
		b.cookie = cookie
		b.get(authorizeURL(c)).goesTo("/signin")
	}
	b.cookie = good
	t.Run("two cookies", func(t *testing.T) {
		r, _ := http.NewRequest(http.MethodGet, w.http.URL+authorizeURL(c), http.NoBody)
		r.AddCookie(&http.Cookie{Name: "session", Value: w.signedIn(m).cookie})
		b.send(r).goesTo("/signin") // somebody slipped theirs in
	})
	t.Run("idle", func(t *testing.T) {
		w.advance(13 * time.Hour)
		b.get(authorizeURL(c)).goesTo("/signin")
		b.signIn(m)
	})
	t.Run("disabled", func(t *testing.T) {
		m.DisabledAt = w.now()
		w.change(func(tx *store.Tx) error { return tx.UpdateMember(t.Context(), m) })
		b.get(authorizeURL(c)).goesTo("/signin")
	})
}

// TestLeavingAfterAForm holds that a browser which comes from a page of ours gets a page
// that sends it on in place of a redirect: browsers block redirects after a form that
// lead where its policy does not allow, and the sign-in page allows this host alone.
func TestLeavingAfterAForm(t *testing.T) {
	w := full(t)
	c := w.register(func(c *store.Client) { c.FirstParty = true })
	b := w.signedIn(w.member())
	b.header.Set("Sec-Fetch-Mode", "navigate")
	b.header.Set("Sec-Fetch-Site", "same-origin")
	p := b.get(authorizeURL(c))
	if p.status != http.StatusOK || p.at != nil || !strings.Contains(p.body, `content="0;url=https://app.example.test/callback?code=ac_`) {
		t.Errorf("answered %d to %v\n%s", p.status, p.at, p.body)
	}
	app := w.register(func(c *store.Client) { c.FirstParty, c.RedirectURIs = true, []string{"com.example.app:/cb"} })
	if p := b.get(authorizeURL(app, "redirect_uri", "com.example.app:/cb")); !strings.Contains(p.body, `href="com.example.app:/cb?code=ac_`) {
		t.Errorf("an app's own address is not kept\n%s", p.body)
	}
	b.header.Set("Sec-Fetch-Site", "cross-site") // straight from the application
	b.get(authorizeURL(c)).goesTo(callback)
}

// TestIDTokenTellsWhenAndWhy walks OpenID Connect's code flow: nonce and auth_time come
// back in the ID token.
func TestIDTokenTellsWhenAndWhy(t *testing.T) {
	w := full(t)
	c, m := w.register(), w.member()
	b := w.signedIn(m)
	w.advance(time.Minute)
	code := b.code(c, "scope", "openid profile email", "nonce", "n-0S6_WzA2Mj")
	got := w.as(c, "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier).want(200, "")
	claims := parseObject(t, part(t, got.text("id_token"), 1))
	for name, want := range map[string]any{
		"iss": "https://auth.example.test", "sub": m.ID, "aud": c.id(), "nonce": "n-0S6_WzA2Mj",
		"auth_time": float64(start.Unix()), "iat": float64(w.now().Unix()), "exp": float64(w.now().Add(time.Hour).Unix()),
		"at_hash": accessTokenHash("RS256", got.text("access_token")),
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	if len(claims) != 8 {
		t.Errorf("the ID token says %v", claims)
	}
	if h := parseObject(t, part(t, got.text("id_token"), 0)); h["typ"] != "JWT" || h["kid"] == nil || h["alg"] != "RS256" {
		t.Errorf("header %v", h)
	}
	// Without openid there is none.
	code = b.code(c, "scope", "read", "nonce", "x")
	if got := w.as(c, "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier); got.text("id_token") != "" {
		t.Error("an ID token without openid")
	}
}
