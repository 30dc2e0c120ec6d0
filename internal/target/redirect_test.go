package target

import (
	"net/url"
	"strings"
	"testing"
)

// TestRedirectURIsThatMayBeRegistered holds what a client may name as the place its
// codes go to.
func TestRedirectURIsThatMayBeRegistered(t *testing.T) {
	for _, uri := range []string{
		"https://app.example/callback", "https://app.example", "https://app.example:8443/cb?tenant=1&x=%2Fy",
		"https://xn--bcher-kva.example/", "https://192.0.2.1/cb", "https://[2001:db8::1]/cb",
		"http://127.0.0.1/cb", "http://127.0.0.1:8080/cb", "http://[::1]:1/cb", "http://localhost:3000/cb",
		"com.example.app:/cb", "com.example.app://cb/path", "https://app.example/a..b/.well-known",
	} {
		if err := CheckRedirectURI(uri); err != nil {
			t.Errorf("%s is refused: %v", uri, err)
		}
	}
}

// TestRedirectURIsThatMayNot holds that nothing may be registered which a browser could
// run, or read as another host than Cardea does.
func TestRedirectURIsThatMayNot(t *testing.T) {
	cases := []struct {
		uri  string
		want error
	}{
		{"", ErrRedirectForm},
		{"/callback", ErrRedirectForm},
		{"//app.example/callback", ErrRedirectForm},
		{"app.example/callback", ErrRedirectForm},
		{"https:app.example", ErrRedirectForm},
		{"https:///callback", ErrRedirectHost},
		{"https:/app.example/callback", ErrRedirectHost},
		{"HTTPS://app.example/callback", ErrRedirectForm},
		{"https://app.example/#", ErrRedirectFragment},
		{"https://app.example/cb#x", ErrRedirectFragment},
		{"https://user@app.example/", ErrRedirectUser},
		{"https://app.example:x@evil.example/", ErrRedirectUser},
		{"https://app.example@evil.example/", ErrRedirectUser},
		{"https://@evil.example/", ErrRedirectUser},
		{"https://App.example/", ErrRedirectHost},
		{"https://app.example:0443/", ErrRedirectHost},
		{"https://app.example:/", ErrRedirectHost},
		{"https://app.example:70000/", ErrRedirectHost},
		{"https://app%2eexample/", ErrRedirectForm},
		{"https://app_example/", ErrRedirectHost},
		{"https://*.example/", ErrRedirectHost},
		{"https://app.example./", ErrRedirectHost},
		{"https://0x7f.1/", ErrRedirectHost},
		{"https://2130706433/", ErrRedirectHost},
		{"https://127.1/", ErrRedirectHost},
		{"https://[::ffff:127.0.0.1%25eth0]/", ErrRedirectHost},
		{"https://[0:0:0:0:0:0:0:1]/", ErrRedirectHost},
		{"https://app.example\\@evil.example/", ErrRedirectByte},
		{"https://app.example/cb\r\nSet-Cookie: x=y", ErrRedirectByte},
		{"https://app.example/c b", ErrRedirectByte},
		{"https://app.example/\x00", ErrRedirectByte},
		{"https://äpp.example/", ErrRedirectByte},
		{"https://app.example/%zz", ErrRedirectByte},
		{"https://app.example/<script>", ErrRedirectByte},
		{"https://app.example/a/../b", ErrRedirectPath},
		{"https://app.example/a/%2e%2E/b", ErrRedirectPath},
		{"https://app.example/.", ErrRedirectPath},
		{"http://app.example/cb", ErrRedirectHTTP},
		{"http://127.0.0.2/cb", ErrRedirectHTTP},
		{"http://0.0.0.0/cb", ErrRedirectHTTP},
		{"http://localhost.evil.example/", ErrRedirectHTTP},
		{"http://127.0.0.1.evil.example/", ErrRedirectHTTP},
		{"http://127.0.0.1:80@evil.example/", ErrRedirectUser},
		{"javascript:alert(1)", ErrRedirectForm},
		{"javascript://app.example/%0aalert(1)", ErrRedirectScheme},
		{"data:/text/html,x", ErrRedirectScheme},
		{"vbscript:/x", ErrRedirectScheme},
		{"file:///etc/passwd", ErrRedirectScheme},
		{"blob:/x", ErrRedirectScheme},
		{"myapp://callback", ErrRedirectScheme},
		{"urn:ietf:wg:oauth:2.0:oob", ErrRedirectForm},
		{"com.example.app:callback", ErrRedirectForm},
		{"com.example.app://user@host/", ErrRedirectUser},
		{" https://app.example/", ErrRedirectByte},
		{"https://app.example/" + strings.Repeat("a", maxRedirect), ErrRedirectLength},
	}
	for _, c := range cases {
		if err := CheckRedirectURI(c.uri); err != c.want {
			t.Errorf("%q: %v, want %v", c.uri, err, c.want)
		}
	}
}

// TestRedirectURIsAreComparedAsTheyStand holds exact comparison, and that the port of
// a loopback IP address is all that may differ (RFC 8252 §7.3).
func TestRedirectURIsAreComparedAsTheyStand(t *testing.T) {
	cases := []struct {
		registered, given string
		want              bool
	}{
		{"https://app.example/cb", "https://app.example/cb", true},
		{"https://app.example/cb", "https://app.example/cb/", false},
		{"https://app.example/cb", "https://app.example/cb?x", false},
		{"https://app.example/cb", "https://app.example/CB", false},
		{"https://app.example/cb", "https://app.example:443/cb", false},
		{"https://app.example/cb", "https://app.example:8443/cb", false},
		{"https://app.example/cb", "http://app.example/cb", false},
		{"https://app.example/cb", "https://app.example/c%62", false},
		{"https://app.example/cb", "https://app.example.evil.example/cb", false},
		{"https://app.example", "https://app.example/", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", true},
		{"http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb", true},
		{"http://127.0.0.1:1/cb", "http://127.0.0.1/cb", true},
		{"http://[::1]/cb?a=b", "http://[::1]:9/cb?a=b", true},
		{"http://127.0.0.1/cb", "http://127.0.0.1:49152/other", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:49152/cb?x=y", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:65536/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:0/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:080/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb", false},
		{"http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", false},
		{"http://127.0.0.1", "http://127.0.0.1.evil.example", false},
		{"http://127.0.0.1/cb", "http://[::1]:80/cb", false},
		{"http://127.0.0.1/cb", "https://127.0.0.1:80/cb", false},
		{"https://127.0.0.1/cb", "https://127.0.0.1:80/cb", false},
		{"http://localhost:3000/cb", "http://localhost:3000/cb", true},
		{"http://localhost/cb", "http://localhost:3000/cb", false},
		{"com.example.app:/cb", "com.example.app:/cb2", false},
	}
	for _, c := range cases {
		if got := MatchRedirectURI(c.registered, c.given); got != c.want {
			t.Errorf("MatchRedirectURI(%q, %q) = %v", c.registered, c.given, got)
		}
	}
}

// TestOriginsOfRedirectURIs holds that they are written as browsers do.
func TestOriginsOfRedirectURIs(t *testing.T) {
	for uri, want := range map[string]string{
		"https://app.example/cb": "https://app.example", "https://app.example:443/": "https://app.example",
		"https://app.example:8443/": "https://app.example:8443", "http://127.0.0.1:80/": "http://127.0.0.1",
		"http://[::1]:3000/cb": "http://[::1]:3000", "com.example.app:/cb": "",
	} {
		if got := RedirectOrigin(uri); got != want {
			t.Errorf("RedirectOrigin(%q) = %q, want %q", uri, got, want)
		}
	}
}

// FuzzRedirectURI holds that what is accepted is read alike by a parser, and that
// whatever matches a registered URI could have been registered itself.
func FuzzRedirectURI(f *testing.F) {
	for _, seed := range []string{"https://app.example/cb", "http://127.0.0.1:8080/cb", "com.example.app:/cb",
		"javascript:alert(1)", "https://a@b/", "https://a\\b/", "http://[::1]/"} {
		f.Add(seed, seed)
	}
	f.Add("http://127.0.0.1/cb", "http://127.0.0.1:1@evil.example/cb")
	f.Fuzz(func(t *testing.T, registered, given string) {
		if CheckRedirectURI(registered) != nil {
			return
		}
		u, err := url.Parse(registered)
		if err != nil || u.User != nil || u.Fragment != "" || !u.IsAbs() {
			t.Fatalf("%q is accepted", registered)
		}
		if u.Scheme == "https" || u.Scheme == "http" {
			if want := u.Scheme + "://" + u.Host; !strings.HasPrefix(registered, want) || u.Hostname() == "" {
				t.Fatalf("%q goes to %q", registered, want)
			}
		} else if !strings.Contains(u.Scheme, ".") {
			t.Fatalf("%q is accepted", registered)
		}
		if MatchRedirectURI(registered, given) {
			if err := CheckRedirectURI(given); err != nil {
				t.Fatalf("%q matches %q and is refused: %v", given, registered, err)
			}
			g, _ := url.Parse(given)
			if g.Hostname() != u.Hostname() || g.Scheme != u.Scheme {
				t.Fatalf("%q matches %q", given, registered)
			}
		}
	})
}
