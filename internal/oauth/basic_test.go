package oauth

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
)

// basic builds an Authorization value.
func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// TestBasicIsReadBothWays: RFC 6749 §2.3.1 wants id and secret percent-encoded, and curl's
// -u does not do that. Both readings are kept, neither is mixed with the other.
func TestBasicIsReadBothWays(t *testing.T) {
	for _, c := range []struct {
		text, id, secret, rawID, raw string
		ok                           bool
	}{
		{basic("client", "secret"), "client", "secret", "client", "secret", true},
		{basic("a%20b", "c%2Bd"), "a b", "c+d", "a%20b", "c%2Bd", true},
		{basic("client", "a+b"), "client", "a b", "client", "a+b", true},
		{basic("client", "100%"), "client", "100%", "client", "100%", true},
		{basic("client", "a:b"), "client", "a:b", "client", "a:b", true},
		{basic("", "secret"), "", "", "", "", false},
		{basic("client", ""), "", "", "", "", false},
		{"Basic Y2xpZW50", "", "", "", "", false},
		{"Basic !!!", "", "", "", "", false},
		{"Basic " + base64.RawStdEncoding.EncodeToString([]byte("a:bc")), "", "", "", "", false},
		{basic("a\x00b", "c"), "", "", "", "", false},
		{basic("a\xff", "c"), "", "", "", "", false},
	} {
		p, ok := parseBasic(strings.TrimPrefix(c.text, "Basic "))
		if ok != c.ok || ok && (p.id != c.id || p.secret != c.secret || p.rawID != c.rawID || p.raw != c.raw) {
			t.Errorf("%q: %q %q / %q %q, %v", c.text, p.id, p.secret, p.rawID, p.raw, ok)
		}
	}
}

// FuzzBasic: parsing never panics, and the raw reading is what was sent.
func FuzzBasic(f *testing.F) {
	for _, seed := range []string{"Y2xpZW50OnNlY3JldA==", "OjE=", "====", "Y2w6JTI1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, ok := parseBasic(text)
		if !ok {
			return
		}
		if again := base64.StdEncoding.EncodeToString([]byte(p.rawID + ":" + p.raw)); again != text {
			t.Fatalf("%q was read as %q", text, again)
		}
		if id, err := url.QueryUnescape(p.rawID); err == nil && p.id != id && p.id != p.rawID {
			t.Fatalf("%q is neither reading of %q", p.id, p.rawID)
		}
	})
}

// FuzzVerifier: a code verifier passes only if it has the form of RFC 7636 §4.1 and its
// hash is the challenge.
func FuzzVerifier(f *testing.F) {
	f.Add(verifier)
	f.Add("")
	f.Add(strings.Repeat("a", 129))
	f.Fuzz(func(t *testing.T, text string) {
		if proves(challenge, text, true) && text != verifier {
			t.Fatalf("%q proves the challenge of another", text)
		}
		if isVerifier(text) != (len(text) >= 43 && len(text) <= 128 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") == "") {
			t.Fatalf("%q: the form is judged wrongly", text)
		}
	})
}
