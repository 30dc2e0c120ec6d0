package contract

import (
	"strings"
	"testing"
)

// What standards forbid about places and tokens, a contract cannot say.
func TestContractsKeepToTheStandards(t *testing.T) {
	for name, tt := range map[string]struct{ old, new, want string }{
		"issuer over http (RFC 8414 §2)":               {"issuer: https://auth", "issuer: http://auth", "https://"},
		"issuer with a query (RFC 8414 §2)":            {"issuer: https://auth.shop.example", `issuer: "https://auth.shop.example?x=y"`, "no query"},
		"issuer with a fragment (RFC 8414 §2)":         {"issuer: https://auth.shop.example", `issuer: "https://auth.shop.example#x"`, "fragment"},
		"authorize with a fragment (RFC 6749 §3.1)":    {"{host: app, path: /oauth/authorize}", `{host: app, path: "/oauth/authorize#x"}`, "plain path"},
		"token with a fragment (RFC 6749 §3.2)":        {"path: /oauth/token", `path: "/oauth/token#x"`, "plain path"},
		"token with a query (RFC 6749 §3.2)":           {"path: /oauth/token", `path: "/oauth/token?x=y"`, "plain path"},
		"public, no rotation (RFC 9700 §2.2.2)":        {"device_code]}\n", "device_code], public: true, authentication: [none]}\n", "rotate"},
		"password grant (RFC 9700 §2.4)":               {"        refresh_token: refresh_token\n", "        refresh_token: refresh_token\n        password: password\n", "password"},
		"algorithm none (RFC 9068 §2.1)":               {"format: jwt,", "format: jwt, algorithm: none,", "none"},
		"HS256 for everybody's tokens (RFC 8725 §3.2)": {"format: jwt,", "format: jwt, algorithm: HS256,", "HS256"},
	} {
		t.Run(name, func(t *testing.T) {
			text := oauthText + oauthEndpoints + oauthHosts
			if !strings.Contains(text, tt.old) {
				t.Fatalf("the contract has no %q", tt.old)
			}
			text = strings.Replace(text, tt.old, tt.new, 1)
			if tt.want == "rotate" {
				text = strings.Replace(text, "refresh: {lifetime: 30d}", "refresh: {lifetime: 30d, rotate: false}", 1)
			}
			if got := mustFail(t, "cardea.yaml", []byte(text)).Error(); !strings.Contains(got, tt.want) {
				t.Errorf("refused for something else: %s", got)
			}
		})
	}
	mustLoad(t, oauthText+oauthEndpoints+oauthHosts)
}

// A page may print an answer that no standard knows; its author hears of it.
func TestAnswersWithoutATokenTypeAreWarnedOf(t *testing.T) {
	text := oauthText + oauthEndpoints + oauthHosts
	for respond, want := range map[string]int{"[access_token, expires_in]": 1, "[access_token, token_type]": 0} {
		got := 0
		for _, p := range mustLoad(t, strings.Replace(text, "    - path: /oauth/token\n", "    - path: /oauth/token\n      respond: "+respond+"\n", 1)).Warnings() {
			if strings.Contains(p.Message, "token_type") {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d warnings, want %d", respond, got, want)
		}
	}
}
