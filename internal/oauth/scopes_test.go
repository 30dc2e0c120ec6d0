package oauth

import (
	"strings"
	"testing"

	"github.com/cardea-dev/cardea/contract"
)

// set returns the set of named scopes.
func set(t testing.TB, c *contract.Contract, names ...string) contract.ScopeSet {
	t.Helper()
	s, unknown := c.ScopeSet(names...)
	if len(unknown) > 0 {
		t.Fatalf("unknown scopes %v", unknown)
	}
	return s
}

// TestScopesAreNeverWider: whatever is asked for, what is granted is within what may be
// had, and unknown scopes are refused rather than left out.
func TestScopesAreNeverWider(t *testing.T) {
	c := acme(t)
	for _, one := range []struct {
		asked, most, fallback string
		want                  string // granted text; "!" is refused
	}{
		{"", "read write", "read write", "read write"},
		{"", "read write", "read", "read"},
		{"", "read", "read delete", "read"},
		{"write read", "read write", "read", "write read"},
		{"read read", "read write", "read", "read"},
		{"read  write", "read write", "read", "read write"},
		{"read", "write", "write", "read"}, // write implies read
		{"write", "read", "read", "!"},
		{"delete", "read write", "read", "!"},
		{"read nonsense", "read write", "read", "!"},
		{"READ", "read write", "read", "!"},
		{" ", "read", "read", "!"},
		{strings.Repeat("read ", contract.MaxScopes+1), "read", "read", "!"},
	} {
		most, fallback := set(t, c, strings.Fields(one.most)...), set(t, c, strings.Fields(one.fallback)...)
		got, err := chooseScopes(c, one.asked, most, fallback)
		switch {
		case one.want == "!" && err == nil:
			t.Errorf("%q within %q was granted as %q", one.asked, one.most, got.text)
		case one.want != "!" && (err != nil || got.text != one.want):
			t.Errorf("%q within %q: %q, %v; want %q", one.asked, one.most, got.text, err, one.want)
		}
	}
}

// FuzzScope: whatever is granted is within what may be had.
func FuzzScope(f *testing.F) {
	for _, seed := range []string{"", "read", "read write", "write\tread", "openid  read", "delete"} {
		f.Add(seed)
	}
	c := acme(f)
	most := set(f, c, "write")
	f.Fuzz(func(t *testing.T, asked string) {
		got, err := chooseScopes(c, asked, most, most)
		if err != nil {
			return
		}
		if !c.Expand(most).Contains(got.set) {
			t.Fatalf("%q granted more: %q", asked, got.text)
		}
		if again, _, ok := parseScopes(c, got.text); got.text != "" && (!ok || again != got.set) {
			t.Fatalf("%q is told as %q, which is another set", asked, got.text)
		}
	})
}
