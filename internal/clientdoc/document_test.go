package clientdoc

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/target"
	"github.com/cardea-dev/cardea/internal/token"
)

const (
	id       = "https://agent.example.test/client.json"
	callback = "https://app.example.test/callback"
)

// parse reads a document of the address id.
func parse(text string) (*Document, error) {
	return Parse(id, []byte(text), []string{"RS256", "ES256"})
}

// TestDocumentsThatAreNone holds what a document and its address must be like: §3 and §4
// of the draft.
func TestDocumentsThatAreNone(t *testing.T) {
	keys := func() string {
		private, err := token.Generate("ES256")
		if err != nil {
			t.Fatal(err)
		}
		set, err := token.PublicJWKS([]token.Key{{ID: "k", Algorithm: "ES256", Public: private.Public()}})
		if err != nil {
			t.Fatal(err)
		}
		return string(set)
	}()
	good := `{"client_id":"` + id + `","client_name":"Agent","redirect_uris":["` + callback + `"]`
	for name, text := range map[string]string{
		"least":           good + `}`,
		"of the standard": good + `,"grant_types":["authorization_code"],"response_types":["code"],"token_endpoint_auth_method":"none","logo_uri":"x"}`,
		"with keys":       good + `,"token_endpoint_auth_method":"private_key_jwt","jwks":` + keys + `}`,
		"with key set":    good + `,"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://agent.example.test/jwks.json"}`,
		"more than known": good + `,"x":{"y":[1]},"software_statement":"e30.e30.e30"}`,
	} {
		if _, err := parse(text); err != nil {
			t.Errorf("%s: refused", name)
		}
	}
	bad := func(member string) string { return good + `,` + member + `}` }
	for name, text := range map[string]string{
		"empty": ``, "no JSON": `<html>`, "an array": `[` + good + `}]`, "two": good + `}` + good + `}`,
		"another id":      `{"client_id":"` + id + `/","client_name":"A","redirect_uris":["` + callback + `"]}`,
		"id in capitals":  `{"client_id":"HTTPS://agent.example.test/client.json","client_name":"A","redirect_uris":["` + callback + `"]}`,
		"no id":           `{"client_name":"A","redirect_uris":["` + callback + `"]}`,
		"id twice":        bad(`"client_id":"https://evil.example/x"`),
		"other case":      `{"Client_ID":"` + id + `","client_name":"A","redirect_uris":["` + callback + `"]}`,
		"no name":         `{"client_id":"` + id + `","redirect_uris":["` + callback + `"]}`,
		"control in name": `{"client_id":"` + id + `","client_name":"A\u0007B","redirect_uris":["` + callback + `"]}`,
		"long name":       `{"client_id":"` + id + `","client_name":"` + strings.Repeat("x", 101) + `","redirect_uris":["` + callback + `"]}`,
		"no redirect":     `{"client_id":"` + id + `","client_name":"A"}`,
		"none":            `{"client_id":"` + id + `","client_name":"A","redirect_uris":[]}`,
		"script":          `{"client_id":"` + id + `","client_name":"A","redirect_uris":["javascript:alert(1)"]}`,
		"one of two":      `{"client_id":"` + id + `","client_name":"A","redirect_uris":["` + callback + `","http://evil.example/"]}`,
		"secret":          bad(`"client_secret":"x"`),
		"null secret":     bad(`"client_secret":null`),
		"secret's end":    bad(`"client_secret_expires_at":0`),
		"secret_post":     bad(`"token_endpoint_auth_method":"client_secret_post"`),
		"secret_jwt":      bad(`"token_endpoint_auth_method":"client_secret_jwt"`),
		"keys without":    bad(`"token_endpoint_auth_method":"private_key_jwt"`),
		"both sorts":      bad(`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://a.example/","jwks":` + keys),
		"private key":     bad(`"token_endpoint_auth_method":"private_key_jwt","jwks":` + strings.Replace(keys, `"x":`, `"d":"AAAA","x":`, 1)),
		"no usable key":   bad(`"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[]}`),
		"http key set":    bad(`"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"http://agent.example.test/jwks.json"`),
		"implicit":        bad(`"response_types":["token"]`),
		"wrong type":      bad(`"scope":["read"]`),
		"too large":       bad(`"x":"` + strings.Repeat("x", MaxSize) + `"`),
	} {
		if _, err := parse(text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, good := range []string{id, "https://a.example/x", "https://a.example:8443/x/y.json"} {
		if CheckURL(good) != nil {
			t.Errorf("%s is refused", good)
		}
	}
	for _, bad := range []string{
		"https://a.example", "https://a.example/", "http://a.example/x", "https://a.example/x?y", "https://a.example/x?", "https://a.example/x#y",
		"https://u@a.example/x", "https://u:p@a.example/x", "https://a.example/../x", "https://a.example/./x", "https://a.example/%2e%2e/x",
		"https://A.example/x", "https:///x", "https://a.example/" + strings.Repeat("x", maxURL), "https://a.example\\@b.example/x", "https://127.1/x",
	} {
		if CheckURL(bad) == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
	d, err := parse(bad(`"client_uri":"javascript:alert(1)","policy_uri":"http://a.example/","tos_uri":"https://a.example/terms"`))
	if err != nil || d.HomeURL != "" || d.PolicyURL != "" || d.TermsURL != "https://a.example/terms" {
		t.Errorf("links %+v, %v", d, err)
	}
}

// TestDocumentsSayHowLong holds §5.2 of the draft: as long as the document says, five
// minutes at least and a day at most.
func TestDocumentsSayHowLong(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": minAge, "max-age=60": minAge, "public, max-age=3600": time.Hour, "MAX-AGE=7200": 2 * time.Hour,
		"max-age=31536000": maxAge, "no-store": minAge, "max-age=x": minAge, `max-age="3600"`: time.Hour,
		"max-age=-1": minAge, "max-age=99999999999999999999": minAge,
	} {
		h := http.Header{}
		h.Set("Cache-Control", header)
		if got := ageOf(h); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

// FuzzDocument holds what every document that is accepted has.
func FuzzDocument(f *testing.F) {
	f.Add(`{"client_id":"` + id + `","client_name":"A","redirect_uris":["` + callback + `"]}`)
	f.Add(`{"client_id":"` + id + `","client_name":"A","redirect_uris":["javascript:x"],"client_secret":""}`)
	f.Add(`{"client_id":"` + id + `","client_name":"A","redirect_uris":["` + callback + `"],"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://a.example/"}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parse(text)
		if err != nil {
			return
		}
		if d.ID != id || d.Name == "" || len(d.RedirectURIs) == 0 {
			t.Fatalf("%s: %+v", text, d)
		}
		for _, uri := range d.RedirectURIs {
			if target.CheckRedirectURI(uri) != nil {
				t.Fatalf("%s: %q", text, uri)
			}
		}
		if proves := (d.KeysURL != "") != (d.Keys != nil); d.Public == proves || d.Public && (d.Keys != nil || d.KeysURL != "") {
			t.Fatalf("%s: %+v", text, d)
		}
	})
}
