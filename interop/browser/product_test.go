package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A product is what a person reads on its Authentication page before they begin.
type product struct {
	api    string // base URL
	path   string // that a key of the kind below may GET
	write  string // that a key may POST to with more
	header string // that carries a key
	scheme string // before the key in it, with a blank

	menu   []string // where keys are
	create string   // the button there
	kind   string   // as the demo names it
}

// facts are the five products', by the name of their contract.
var facts = map[string]product{
	"cohera-api": {
		api: "https://api.cohera.io", path: "/v1/entities", write: "/v1/entities", header: "Authorization", scheme: "Bearer ",
		menu: []string{"Settings", "API Keys"}, create: "Create API Key", kind: "api_key",
	},
	"cohera-sdk": {
		api: "https://api.cohera.io", path: "/v1/products", write: "/v1/products", header: "Authorization", scheme: "Bearer ",
		menu: []string{"Settings", "API Keys"}, create: "Create New Key", kind: "api_key",
	},
	"coherence": {
		api: "https://api.getcoherence.io", path: "/v1/modules/crm/records", write: "/v1/modules/crm/records", header: "Authorization", scheme: "Bearer ",
		menu: []string{"Settings", "API"}, create: "Create API Key", kind: "api_key",
	},
	"codehooks": {
		api: "https://myapi.api.codehooks.example", path: "/dev/things", write: "/dev/things", header: "x-apikey",
		menu: []string{"Project", "Space settings", "Tokens"}, create: "Add API token", kind: "api_token",
	},
	"coactive": {
		api: "https://api.coactive.ai", path: "/api/v0/datasets", header: "Authorization", scheme: "Bearer ",
		menu: []string{"Settings", "Credentials"}, create: "Regenerate", kind: "personal_token",
	},
}

// product returns what is known of the world's product.
func (w *world) product() product { return facts[w.name] }

// request sends a request with a secret to the API, as curl would, and returns what is
// answered.
func (w *world) request(t testing.TB, method, path, secret string) (status int, body string) {
	t.Helper()
	p := w.product()
	req, err := http.NewRequestWithContext(t.Context(), method, p.api+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if secret != "" {
		req.Header[p.header] = []string{p.scheme + secret}
	}
	return w.send(t, req)
}

// send sends a request to the world.
func (w *world) send(t testing.TB, req *http.Request) (status int, body string) {
	t.Helper()
	return w.sendBy(t, w.client(), req)
}

// sendBy is send with a client whose connections are kept.
func (w *world) sendBy(t testing.TB, client *http.Client, req *http.Request) (status int, body string) {
	t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// answers fails unless the API answers a secret with a status.
func (w *world) answers(t testing.TB, want int, secret string) {
	t.Helper()
	if got, body := w.request(t, http.MethodGet, w.product().path, secret); got != want {
		t.Errorf("%s: GET %s says %d instead of %d: %.300s", w.name, w.product().path, got, want, body)
	}
}

// menu goes the way through the menu that a page describes: headings, then an entry.
func (b *tab) menu(path ...string) {
	b.t.Helper()
	last := len(path) - 1
	nav := b.find("navigation", "Pages")
	if last > 0 {
		heading := strings.Join(path[:last], " / ")
		if !strings.Contains(flat(nav.text()), flat(heading)) {
			b.fatal("the menu has no heading %q: %s", heading, nav.text())
		}
	}
	nav.find("link", path[last]).click()
	if got := eval[string](b, `document.querySelector('nav [aria-current="page"]')?.innerText ?? ""`); got != path[last] {
		b.t.Errorf("%s: the menu says that the page is %q instead of %q", b.world.name, got, path[last])
	}
}

// bustle leaves something to see on the pages about activity: requests that are answered
// and requests that are refused.
func (w *world) bustle(t testing.TB) {
	t.Helper()
	p := w.product()
	for environment, secret := range w.Secrets[p.kind] {
		if w.name == "codehooks" && environment != "dev" {
			continue
		}
		for range 4 {
			w.request(t, http.MethodGet, p.path, secret)
		}
		if p.write != "" {
			w.request(t, http.MethodPost, p.write, secret)
		}
		w.request(t, http.MethodGet, p.path, secret+"x")
		w.request(t, http.MethodGet, "/nothing/there", secret)
	}
	w.request(t, http.MethodGet, p.path, "")
}

// manage sends a change to the management API and reads the answer.
func (w *world) manage(t testing.TB, path string, in any) map[string]any {
	t.Helper()
	status, out := w.tryManage(t, path, in)
	if status >= 300 {
		t.Fatalf("%s: %d %v", path, status, out)
	}
	return out
}

func (w *world) tryManage(t testing.TB, path string, in any) (int, map[string]any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Management+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatalf("%s: %d %v", path, resp.StatusCode, err)
	}
	return resp.StatusCode, out
}

// read reads from the management API.
func (w *world) read(t testing.TB, path string, out any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Management+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.Token)
	status, body := w.sendBy(t, http.DefaultClient, req)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), out); err != nil {
		t.Fatal(err)
	}
}

// follow clicks what leads on, a link or a button.
func (b *tab) follow(name string) {
	b.t.Helper()
	role := "link"
	b.await(fmt.Sprintf("nothing leads on that is called %q; there are %s and %s", name, b.names("link"), b.names("button")), func() bool {
		for _, role = range []string{"link", "button"} {
			if b.has(role, name) {
				return true
			}
		}
		return false
	})
	b.click(role, name)
}

// secret returns the text of the page that can be copied, by its id.
func (b *tab) secret(id string) string {
	b.t.Helper()
	quoted, _ := json.Marshal(id) // a string always can be
	b.await("nothing is shown to be copied as "+id, func() bool {
		there, err := evaluate[bool](b, fmt.Sprintf("!!document.getElementById(%s)", quoted))
		return err == nil && there
	})
	return eval[string](b, fmt.Sprintf("document.getElementById(%s).innerText.trim()", quoted))
}
