package rules

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea/internal/store"
)

// An origin passes in the one form that browsers send, and a domain in the one that
// addresses are compared in.
func TestOriginsAndDomainsHaveOneSpelling(t *testing.T) {
	for text, ok := range map[string]bool{
		"https://app.example.com": true, "https://app.example.com:8443": true, "http://localhost:3000": true, "http://127.0.0.1:8080": true,
		"https://App.example.com": false, "https://app.example.com/": false, "https://app.example.com:443": false, "http://localhost:80": false,
		"http://app.example.com": false, "null": false, "*": false, "": false, "https://": false, "https://user@app.example.com": false,
		"https://app.example.com?x": false, "https://app.example.com#x": false, "ftp://app.example.com": false, "https://a b": false,
	} {
		if err := checkOrigin(text); (err == nil) != ok {
			t.Errorf("origin %q: %v", text, err)
		}
	}
	for text, ok := range map[string]bool{
		"example.com": true, "a.b-c.example": true, "example": false, "*.example.com": false, "Example.com": false, "-a.com": false,
		"a-.com": false, "a..com": false, "": false, ".com": false, "a.com.": false, strings.Repeat("a", 64) + ".com": false, "a@b.com": false,
	} {
		if err := Domain(text); (err == nil) != ok {
			t.Errorf("domain %q: %v", text, err)
		}
	}
}

func FuzzOrigin(f *testing.F) {
	for _, seed := range []string{"https://app.example.com", "http://[::1]:3000", "https://a:443", "null", "https://a%2eb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkOrigin(text) != nil {
			return
		}
		rest, secure := strings.CutPrefix(text, "https://")
		if !secure {
			rest = strings.TrimPrefix(text, "http://")
		}
		if rest == "" || rest == text || strings.ContainsAny(rest, "/?#@\\ \t\r\n%*") || text != strings.ToLower(text) {
			t.Errorf("%q is accepted as an origin", text)
		}
		if !secure && !strings.HasPrefix(rest, "localhost") && !strings.HasPrefix(rest, "127.") && !strings.HasPrefix(rest, "[") {
			t.Errorf("%q is accepted without TLS", text)
		}
	})
}

func FuzzDomain(f *testing.F) {
	f.Add("example.com")
	f.Add("a..b")
	f.Fuzz(func(t *testing.T, text string) {
		if Domain(text) == nil && (!strings.Contains(text, ".") || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || len(text) > 253) {
			t.Errorf("%q is accepted as a domain", text)
		}
	})
}

// Whatever is sent as keys, nothing private or symmetric is stored.
func FuzzSetKeys(f *testing.F) {
	f.Add([]byte(`{"keys":[]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"1","alg":"ES256"}]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow","alg":"HS256","kid":"1"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var client store.Client
		if SetKeys(&client, jsontext.Value(text)) != nil || client.PublicKeys == nil {
			return
		}
		for _, member := range []string{`"d":`, `"k":`, `"p":`} {
			if strings.Contains(string(client.PublicKeys), member) {
				t.Errorf("a private member %s is stored: %s", member, client.PublicKeys)
			}
		}
	})
}
