package token_test

import (
	"testing"

	"github.com/cardea-dev/cardea/internal/token"
)

// Claims that nobody here knows change nothing (RFC 7519 §4), whatever they are called.
func TestUnknownClaimsAreIgnored(t *testing.T) {
	set := keySet(t, "ES256")
	c, err := token.Verify(forge(t, header("ES256"), claims(`"https://example.com/is_root":true`, `"SUB":"root"`, `"admin":[1,{"a":null}]`, `"":""`), "ES256"), set.Find, expect())
	if err != nil || c.Subject != "user" {
		t.Errorf("got %q, %v", c.Subject, err)
	}
}
