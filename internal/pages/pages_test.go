package pages_test

import (
	"fmt"
	"math"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/pages"
)

const attack = `"'><script>alert(1)</script><img src=x onerror=alert(1)>{{.}}`

// every holds one content of each type, with the attack in every text.
func every() map[string]any {
	now := time.Date(2027, 3, 14, 9, 26, 0, 0, time.UTC)
	at := pages.Instant{At: now.Add(-time.Hour), Now: now}
	client := pages.Client{
		Name: attack, Host: attack, HomeURL: "javascript:alert(1)", PolicyURL: "data:text/html,x", TermsURL: "https://x.example/\"onload=1",
		Unverified: true, Address: attack, Agent: attack,
	}
	scopes := []pages.Scope{{Name: attack, Description: attack, New: true}}
	fields := []pages.Field{{Name: attack, Value: attack}}
	return map[string]any{
		"sign-in": pages.SignIn{
			Action: "/signin", Continue: attack, Problem: attack, Email: attack, Organization: attack, Password: true, Passkey: true, SSO: true,
		},
		"second step":  pages.SignIn{Action: "/signin", Continue: attack, Title: attack, Organization: attack, Chosen: true, Password: true, SSO: true},
		"organization": pages.Organization{Action: "/signin", Continue: attack, Label: attack, Value: attack, Problem: attack},
		"leave":        pages.Leave{Host: attack, Text: attack, URL: `https://idp.example/x?a="><script>alert(1)</script>&b='`},
		"consent": pages.Consent{
			Action: "/x", Fields: fields, Problem: attack, Client: client, Scopes: scopes, Account: attack, Organization: attack, Environment: attack,
			Switch: "javascript:alert(1)", RedirectHost: attack, Local: true, Remembered: attack, Code: attack,
		},
		"device":   pages.Device{Action: "/x", Fields: fields, Code: attack, Problem: attack},
		"password": pages.NewPassword{Action: "/x", Heading: attack, Text: attack, Button: attack, Token: attack, Email: attack, Organization: attack, Problem: attack, MinLength: 10},
		"set up":   pages.SetUp{Action: "/x", Token: attack, Name: attack, Email: attack, Problem: attack, Password: true, MinLength: 10},
		"account": pages.Account{
			Problem: attack, Notice: attack, Name: attack, Email: attack, Organization: attack, Role: attack, HasPassword: true, MayPassword: true, MinLength: 10,
			MayAddPasskey: true, Passkeys: []pages.Passkey{{ID: attack, Name: attack, Created: at}},
			Sessions: []pages.Session{{ID: attack, Device: attack, Address: attack, Method: attack, Created: at, Seen: at}},
			Apps:     []pages.App{{Consent: attack, Client: client, Scopes: scopes, Since: at, Until: at}},
		},
		"empty account": pages.Account{Name: "Ada", MayPassword: true, MayAddPasskey: true},
		"message":       pages.Message{Heading: attack, Text: attack, Link: &pages.Link{URL: "javascript:alert(1)", Text: attack}, Button: &pages.Button{Action: "/x", Fields: fields, Text: attack}},
		"error":         pages.Error{Heading: attack, Text: attack, Reference: attack, Link: &pages.Link{URL: "/signin", Text: attack}},
	}
}

// render returns a page as it is sent.
func render(content any, redirectsTo string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	pages.Render(w, 200, pages.Page{
		Product: attack, Person: &pages.Person{Name: attack, Email: attack, Organization: attack}, Content: content, RedirectsTo: redirectsTo,
	})
	return w
}

// inline matches what the policy forbids, so that a page which needs it is found here.
var inline = regexp.MustCompile(`(?i)<script(?: src="/assets/[\w.-]+" defer)?>[^<]|<style|\sstyle="|\son[a-z]+="|="(?:javascript|data|vbscript):|<img|<iframe|<object|<base`)

// Guarantee: whatever anybody is called, it is text; and no page needs inline code.
func TestNamesAreTextAndNothingIsInline(t *testing.T) {
	for name, content := range every() {
		w := render(content, "")
		text := w.Body.String()
		if w.Code != 200 {
			t.Fatalf("%s: status %d\n%s", name, w.Code, text)
		}
		if found := inline.FindString(text); found != "" {
			t.Errorf("%s has %q inline\n%s", name, found, text)
		}
		if strings.Contains(text, "<script>alert") || strings.Contains(text, "<img") || strings.Contains(text, `ZgotmplZ" rel`) {
			t.Errorf("%s: a name is markup\n%s", name, text)
		}
		if !strings.HasSuffix(strings.TrimSpace(text), "</html>") {
			t.Errorf("%s does not end", name)
		}
	}
}

// Guarantee: every field has a label, every form a method and an action, and what is
// wrong is announced (WCAG 2.2, 1.3.1, 3.3.1, 4.1.2).
func TestPagesAreUsableWithoutSeeingThem(t *testing.T) {
	field := regexp.MustCompile(`<input ([^>]*)>`)
	id := regexp.MustCompile(`\bid="([^"]*)"`)
	for name, content := range every() {
		text := render(content, "").Body.String()
		for _, m := range field.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], `type="hidden"`) || strings.HasSuffix(m[1], " hidden") {
				continue
			}
			got := id.FindStringSubmatch(m[1])
			if got == nil || !strings.Contains(text, `<label for="`+got[1]+`">`) {
				t.Errorf("%s: a field without a label: %s", name, m[0])
			}
		}
		for _, form := range regexp.MustCompile(`<form [^>]*>`).FindAllString(text, -1) {
			if !strings.Contains(form, `method="post"`) || !strings.Contains(form, `action="/`) {
				t.Errorf("%s: %s", name, form)
			}
		}
		if strings.Contains(fmt.Sprintf("%+v", content), "Problem:"+attack) && !strings.Contains(text, `role="alert"><p>&#34;`) {
			t.Errorf("%s: the problem is not announced", name)
		}
		for _, piece := range []string{`<html lang="en">`, `<meta name="viewport"`, "<main id=\"main\"", `href="#main"`, "<title>", "<h1>"} {
			if strings.Count(text, piece) != 1 {
				t.Errorf("%s: %d times %s", name, strings.Count(text, piece), piece)
			}
		}
	}
}

// Guarantee: a page is framed, kept and sniffed by nobody, and its forms stay here but
// for the one place that was proved.
func TestHeadersOfEveryPage(t *testing.T) {
	for name, content := range every() {
		h := render(content, "").Header()
		for header, want := range map[string]string{
			"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"Cross-Origin-Opener-Policy": "same-origin", "Content-Type": "text/html; charset=utf-8",
		} {
			if h.Get(header) != want {
				t.Errorf("%s: %s is %q, want %q", name, header, h.Get(header), want)
			}
		}
		csp := h.Get("Content-Security-Policy")
		for _, piece := range []string{"default-src 'none'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, piece) {
				t.Errorf("%s: the policy lacks %s: %s", name, piece, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "script-src") != strings.Contains(render(content, "").Body.String(), "<script src=") {
			t.Errorf("%s: policy %s", name, csp)
		}
	}
}

func TestFormsMayLeadToTheProvedPlaceOnly(t *testing.T) {
	for uri, want := range map[string]string{
		"":                                    "form-action 'self'",
		"https://app.example/cb?x=1":          "form-action 'self' https://app.example",
		"https://app.example:8443/cb":         "form-action 'self' https://app.example:8443",
		"http://127.0.0.1:51004/cb":           "form-action 'self' http://127.0.0.1:51004",
		"http://[::1]:51004/cb":               "form-action 'self' http:",
		"com.example.app:/cb":                 "form-action 'self' com.example.app:",
		"https://a.example; script-src *":     "form-action 'self'",
		"https://a.example;x/":                "form-action 'self'",
		"https://*/":                          "form-action 'self'",
		"javascript:alert(1)":                 "form-action 'self'",
		"data:text/html,x":                    "form-action 'self'",
		"//evil.example":                      "form-action 'self'",
		"https://user@evil.example/":          "form-action 'self' https://evil.example",
		"https://":                            "form-action 'self'",
		"x\r\nSet-Cookie: a=b://evil.example": "form-action 'self'",
	} {
		csp := render(pages.Consent{Action: "/x"}, uri).Header().Get("Content-Security-Policy")
		if _, after, _ := strings.Cut(csp, "frame-ancestors 'none'; "); after != want {
			t.Errorf("%q: %s, want %s", uri, after, want)
		}
	}
}

// Guarantee: a consent page shows an application's logo from its one host over TLS, and
// no address of it ends the directive or brings in more.
func TestLogosComeFromOneHost(t *testing.T) {
	for address, source := range map[string]string{
		"https://cdn.app.example/logo.png": "https://cdn.app.example", "https://cdn.app.example:8443/logo.png?v=1": "https://cdn.app.example:8443",
		"": "", "http://cdn.app.example/logo.png": "", "data:image/png;base64,x": "", "javascript:alert(1)": "", "//cdn.app.example/x": "",
		"https://cdn.app.example; script-src *": "", "https://*/x": "", "https://[2001:db8::1]/x": "",
		`https://cdn.app.example/"><script>alert(1)</script>`: "https://cdn.app.example",
	} {
		w := render(pages.Consent{Action: "/x", Client: pages.Client{Name: "App", LogoURL: address}}, "")
		csp := w.Header().Get("Content-Security-Policy")
		want := strings.TrimSpace("img-src 'self' data: " + source)
		if _, after, _ := strings.Cut(csp, "style-src 'self'; "); !strings.HasPrefix(after, want+";") {
			t.Errorf("%q: %s", address, csp)
		}
		body := w.Body.String()
		if strings.Contains(body, "<img") != (source != "") || strings.Contains(body, "<script>alert") {
			t.Errorf("%q: %s", address, body)
		}
		if source != "" && !strings.Contains(body, `referrerpolicy="no-referrer"`) {
			t.Errorf("%q: the host is told where the picture is shown", address)
		}
	}
}

// Guarantee: the page in between leads where it was told, to applications' own schemes
// too, and to nothing that runs.
func TestLeavingLeadsWhereItWasTold(t *testing.T) {
	for url, want := range map[string]string{
		"https://idp.example/authorize?a=1&b=2": `href="https://idp.example/authorize?a=1&amp;b=2"`,
		"com.example.app:/cb?code=x":            `href="com.example.app:/cb?code=x"`,
		"http://127.0.0.1:51004/cb?code=x":      `href="http://127.0.0.1:51004/cb?code=x"`,
	} {
		w := render(pages.Leave{Host: "there", URL: url}, "")
		text := w.Body.String()
		refresh := strings.Replace(want, `href="`, `content="0;url=`, 1)
		if w.Code != 200 || !strings.Contains(text, want) || !strings.Contains(text, refresh) {
			t.Errorf("%s: status %d\n%s", url, w.Code, text)
		}
	}
	for _, url := range []string{"javascript:alert(1)", "data:text/html,x", "/relative", "//evil.example", "", "vbscript:x", "file:///etc/passwd", "JavaScript:alert(1)"} {
		if w := render(pages.Leave{Host: "there", URL: url}, ""); w.Code != 500 || strings.Contains(w.Body.String(), "alert") {
			t.Errorf("%q: status %d\n%s", url, w.Code, w.Body)
		}
	}
}

func TestContentOfAnotherTypeIsADefect(t *testing.T) {
	for _, content := range []any{nil, "text", &pages.Error{}} {
		if w := render(content, ""); w.Code != 500 || w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%T: status %d", content, w.Code)
		}
	}
}

// Guarantee: every pair of text and ground has a contrast of 4.5:1, and every edge of a
// field 3:1, in light and in dark (WCAG 2.2, 1.4.3, 1.4.11).
func TestContrast(t *testing.T) {
	css, err := os.ReadFile("assets/cardea.css")
	if err != nil {
		t.Fatal(err)
	}
	colours := map[string][2]string{}
	for _, m := range regexp.MustCompile(`--([\w-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\)`).FindAllStringSubmatch(string(css), -1) {
		colours[m[1]] = [2]string{m[2], m[3]}
	}
	for _, pair := range []struct {
		text, ground string
		least        float64
	}{
		{"text", "ground", 4.5}, {"text", "surface", 4.5}, {"text", "sunken", 4.5}, {"muted", "ground", 4.5}, {"muted", "surface", 4.5}, {"muted", "sunken", 4.5},
		{"accent", "surface", 4.5}, {"accent", "ground", 4.5}, {"accent-strong", "surface", 4.5}, {"accent-strong", "tint", 4.5}, {"on-accent", "accent", 4.5},
		{"on-accent", "accent-strong", 4.5}, {"danger", "surface", 4.5}, {"danger", "danger-tint", 4.5}, {"warn", "warn-tint", 4.5}, {"good", "good-tint", 4.5},
		{"edge", "surface", 3}, {"edge", "ground", 3},
	} {
		text, ok := colours[pair.text]
		ground, ok2 := colours[pair.ground]
		if !ok || !ok2 {
			t.Fatalf("the stylesheet has no --%s or --%s", pair.text, pair.ground)
		}
		for i, scheme := range []string{"light", "dark"} {
			if c := contrast(text[i], ground[i]); c < pair.least {
				t.Errorf("%s on %s, %s: %.2f, want %.1f", pair.text, pair.ground, scheme, c, pair.least)
			}
		}
	}
}

// contrast is WCAG's ratio of two colours.
func contrast(a, b string) float64 {
	light := func(hex string) float64 {
		n, _ := strconv.ParseUint(hex, 16, 32)
		sum := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			c := float64(n>>(16-8*i)&0xff) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		return sum
	}
	x, y := light(a), light(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestInstantsInWords(t *testing.T) {
	now := time.Date(2027, 3, 14, 9, 26, 0, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		0: "just now", time.Minute: "just now", 2 * time.Minute: "2 minutes ago", time.Hour: "1 hour ago", 47 * time.Hour: "1 day ago",
		30 * 24 * time.Hour: "12 Feb 2027", -time.Hour: "14 Mar 2027",
	} {
		if got := (pages.Instant{At: now.Add(-ago), Now: now}).Short(); got != want {
			t.Errorf("%v: %q, want %q", ago, got, want)
		}
	}
}

// Guarantee: no redirect URI widens the policy by more than one source.
func FuzzRedirectAddsOneSource(f *testing.F) {
	f.Add("https://app.example/cb")
	f.Add("com.example.app:/x")
	f.Add("https://a;b ' *")
	f.Fuzz(func(t *testing.T, uri string) {
		csp := render(pages.Device{Action: "/x"}, uri).Header().Get("Content-Security-Policy")
		_, after, _ := strings.Cut(csp, "form-action 'self'")
		if !regexp.MustCompile(`^( [a-z][a-z0-9+.-]*:(//[A-Za-z0-9.:-]+)?)?$`).MatchString(after) {
			t.Fatalf("%q adds %q", uri, after)
		}
	})
}
