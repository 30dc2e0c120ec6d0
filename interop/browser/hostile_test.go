package browser

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// payloads are texts that would be code if a page did not escape them, each another way.
// What they would leave behind has the attribute data-xss.
var payloads = []string{
	`"><img src=x data-xss onerror=alert(1)>`,
	`'><svg data-xss onload=alert(2)></svg>`,
	`<script data-xss>alert(3)</script>`,
	`</textarea></title></style><b data-xss>`,
	`<p data-xss hx-get="/dashboard" hx-trigger="load">`,
	"{{7*7}}${7*7}`<i data-xss>",
}

// payload returns one of them.
func payload(i int) string { return payloads[i%len(payloads)] }

// injected tells what of a page somebody else wrote.
const injected = `[...document.querySelectorAll("[data-xss], a[href^='javascript:' i], form[action^='javascript:' i], a[href^='data:' i]")].map(e => e.outerHTML.slice(0, 200))`

// hostileContract is the contract with everything switched on, whose every text for people
// is code.
func hostileContract(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/conformance/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	quoted := func(i int) string { return "'" + strings.ReplaceAll(payload(i), "'", "''") + "'" }
	changed := strings.NewReplacer(
		"product: Conformance", "product: "+quoted(0),
		"label: Production", "label: "+quoted(1),
		"label: Sandbox", "label: "+quoted(2),
		"delete: Remove data", "delete: "+quoted(3),
		"description: Create and change data", "description: "+quoted(4),
		"label: Standard", "label: "+quoted(0),
		"label: API key", "label: "+quoted(1),
		"label: Personal token", "label: "+quoted(2),
		"label: Application", "label: "+quoted(3),
		"app.example.test", apps["conformance"],
	).Replace(string(text))
	changed += "\npages:\n  keys: {title: " + quoted(5) + ", path: [" + quoted(0) + ", " + quoted(2) + "], labels: {create: " + quoted(1) + ", scopes: " + quoted(3) + ", expires: " + quoted(4) + "}}\n" +
		"  applications: {path: [" + quoted(0) + ", " + quoted(4) + "], labels: {create: " + quoted(2) + "}}\n"
	name := filepath.Join(t.TempDir(), "cardea.yaml")
	if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// furnish fills the demo organization with names that are code.
func (w *world) furnish(t *testing.T) {
	t.Helper()
	for i, p := range payloads {
		w.manage(t, "/v1/keys", map[string]any{"kind": "api_key", "environment": "live", "organization": w.Organization, "name": p, "scopes": []string{"read"}})
		w.manage(t, "/v1/clients", map[string]any{
			"organization": w.Organization, "environment": "live", "name": p,
			"redirect_uris": []string{"https://client.example/?" + url.PathEscape(p), "com.example.app:/" + strings.Trim(url.PathEscape(p), "%")},
		})
		w.manage(t, "/v1/service-accounts", map[string]any{"organization": w.Organization, "environment": "live", "name": p, "scopes": []string{"read"}})
		w.manage(t, "/v1/members", map[string]any{"organization": w.Organization, "email": "m" + string(rune('a'+i)) + "@example.com", "name": p, "role": "viewer"})
		w.manage(t, "/v1/organizations", map[string]any{"name": p})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.API+"/v1/"+url.PathEscape(p)+"?q="+url.QueryEscape(p), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("User-Agent", p)
		req.Header.Set("Authorization", "Bearer "+w.Secrets["api_key"]["live"])
		w.send(t, req)
	}
	status, out := w.tryManage(t, "/v1/clients", map[string]any{"organization": w.Organization, "environment": "live", "name": "x", "redirect_uris": []string{"javascript:alert(1)"}})
	if status < 400 {
		t.Errorf("a redirect URI is code: %v", out)
	}
}

// Nothing that anybody can write becomes a part of a page: names of keys, applications,
// members and organizations, redirect URIs, user agents, paths of requests, and the
// contract's own labels.
func TestWhatPeopleWriteIsNeverCode(t *testing.T) {
	t.Parallel()
	w, err := launch("conformance", hostileContract(t))
	if err != nil {
		t.Fatal(err)
	}
	w.furnish(t)
	for from, who := range map[string]person{"/dashboard": w.user(t, "owner"), "/dashboard/console": w.Staff} {
		b := newTab(t, w)
		call(b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: `Mozilla/5.0 ` + payload(0) + payload(2)})
		b.enter(who)
		shapes := b.crawl(from, func(path string) bool { return strings.HasPrefix(path, from) && (from != "/dashboard" || portal(path)) }, func(string) {
			if out := eval[[]string](b, injected); len(out) > 0 {
				t.Errorf("%s: %s", b.path(), strings.Join(out, "\n  "))
			}
			b.verdict()
		})
		t.Logf("%d pages", len(shapes))
	}
}
