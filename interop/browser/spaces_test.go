package browser

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// C3-10: the URL of a key set is named on the pages, and its tokens are accepted from then
// on, in that space alone, until it is removed.
func TestCodehooksKeySetIsNamedOnThePage(t *testing.T) {
	t.Parallel()
	w := open(t, "codehooks")
	b := enter(t, w, w.user(t, "owner"))
	b.menu("Project", "Space settings", "JWKS")
	b.inspect()
	b.picture("issuers")
	b.fill("JWKS URL or issuer", w.IssuerTLS)
	b.fill("Audience", "my-app")
	b.click("button", "Trust this issuer")
	b.sees("/.well-known/jwks.json")
	b.inspect()
	token := w.foreign(t, map[string]any{"sub": "auth0|5f7c", "aud": "my-app", "scope": "READ WRITE"})
	call := func(path string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.product().api+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		status, _ := w.send(t, req)
		return status
	}
	if got := call("/dev/myapi"); got != http.StatusOK {
		t.Errorf("a token of the issuer is answered %d", got)
	}
	if got := call("/prod/myapi"); got != http.StatusUnauthorized {
		t.Errorf("in another space it is answered %d", got)
	}
	b.follow("Remove…")
	b.submit("Remove")
	b.await("it is still there", func() bool { return !b.has("link", "Remove…") })
	if got := call("/dev/myapi"); got != http.StatusUnauthorized {
		t.Errorf("after the removal it is answered %d", got)
	}
}

// foreign has the development issuer sign a token.
func (w *world) foreign(t testing.TB, claims map[string]any) string {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.IssuerTLS+"/token", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	client := w.client()
	client.Transport.(*http.Transport).DialContext = nil
	_, text := w.sendBy(t, client, req)
	var out struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil || out.Token == "" {
		t.Fatalf("the issuer says %s (%v)", text, err)
	}
	return out.Token
}

// C3-20: exclusive addresses are named on the pages, and every other one is refused in the
// whole space, whatever token it has.
func TestCodehooksWhitelistShutsOthersOut(t *testing.T) {
	t.Parallel()
	w := open(t, "codehooks")
	b := enter(t, w, w.user(t, "owner"))
	from := func(address, path, secret string) int {
		client := w.client()
		client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
			return d.DialContext(ctx, network, w.TLS)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.product().api+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("x-apikey", secret)
		status, _ := w.sendBy(t, client, req)
		return status
	}
	b.menu("Project", "Space settings", "Whitelist")
	b.follow("prod")
	b.sees("Every address may call")
	b.inspect()
	b.fill("Address or network", "127.0.0.2")
	b.click("button", "Add")
	if b.has("button", "Close to all others") {
		b.inspect()
		b.click("button", "Close to all others")
	}
	b.sees("127.0.0.2")
	b.inspect()
	b.picture("addresses")
	secret := w.Secrets["api_token"]["prod"]
	for address, want := range map[string]int{"127.0.0.2": http.StatusOK, "127.0.0.3": http.StatusForbidden} {
		if got := from(address, "/prod/myapi", secret); got != want {
			t.Errorf("from %s: %d instead of %d", address, got, want)
		}
	}
	if got := from("127.0.0.3", "/dev/myapi", w.Secrets["api_token"]["dev"]); got != http.StatusOK {
		t.Errorf("in another space: %d", got)
	}
	b.follow("Remove 127.0.0.2")
	b.submit("Empty the list")
	b.sees("Every address may call")
	if got := from("127.0.0.3", "/prod/myapi", secret); got != http.StatusOK {
		t.Errorf("with an empty list: %d", got)
	}
}

// C3-21: a project has spaces, each with tokens of its own.
func TestCodehooksSpacesHaveTheirOwnTokens(t *testing.T) {
	t.Parallel()
	w := open(t, "codehooks")
	b := enter(t, w, w.user(t, "owner"))
	b.menu("Project", "Space settings", "Tokens")
	b.follow("prod")
	b.follow("Add API token")
	b.tick("prod")
	secret := b.create("Add API token", wish{name: "Only in prod", scopes: []string{"READ"}})
	b.kept()
	for path, want := range map[string]int{"/prod/myapi": http.StatusOK, "/dev/myapi": http.StatusUnauthorized} {
		if got, _ := w.request(t, http.MethodGet, path, secret); got != want {
			t.Errorf("%s: %d instead of %d", path, got, want)
		}
	}
	b.menu("Project", "Space settings", "Tokens")
	b.follow("dev")
	b.lacks("Only in prod")
	b.follow("prod")
	b.sees("Only in prod")
}

// C1-27: a service account's key file is downloaded once, with the private key in it; what
// it signs opens the API.
func TestCoheraSDKServiceAccountGetsItsKeyFile(t *testing.T) {
	t.Parallel()
	w := open(t, "cohera-sdk")
	b := enter(t, w, w.user(t, "owner"))
	b.menu("Settings", "Service accounts")
	b.inspect()
	b.follow("Create service account")
	b.fill("Name", "Reporting")
	b.tick("Read product data")
	b.inspect()
	b.click("button", "Create service account")
	b.sees("Reporting")
	dir := t.TempDir()
	_, err := chromedp.CallBrowser(b.ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID, DownloadPath: dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.has("link", "Create key") || b.has("button", "Create key") {
		b.follow("Create key")
	}
	b.find("button", "Create key and download service-account.json").press()
	var file struct {
		Account  string            `json:"client_id"`
		KeyID    string            `json:"key_id"`
		Private  string            `json:"private_key"`
		Issuer   string            `json:"issuer"`
		Audience string            `json:"audience"`
		Claims   map[string]string `json:"claims"`
	}
	b.await("no file comes", func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "service-account.json"))
		return err == nil && json.Unmarshal(text, &file) == nil
	})
	b.settle()
	if key := b.text(); strings.Contains(key, "PRIVATE KEY") {
		t.Error("the page shows the private key")
	}
	block, _ := pem.Decode([]byte(file.Private))
	if block == nil {
		t.Fatal("there is no private key in the file")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": file.Issuer, "sub": file.Account, "aud": file.Audience, "iat": now, "exp": now + 600, "scopes": []string{"read:products"},
	}
	for name, value := range file.Claims {
		claims[name] = value
	}
	w.answers(t, http.StatusOK, sign(t, key.(*rsa.PrivateKey), file.KeyID, claims))
}

// sign makes a JWT as the page's SDK does.
func sign(t testing.TB, key *rsa.PrivateKey, id string, claims map[string]any) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	text := part(map[string]string{"alg": "RS256", "typ": "JWT", "kid": id}) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}
