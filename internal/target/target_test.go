package target_test

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cardea-dev/cardea/internal/target"
)

// Guarantee: a canonical target passes, split at the first "?" and byte for byte.
func TestParseAcceptsCanonicalTargets(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want target.Parts
	}{
		{"/", target.Parts{Path: "/"}},
		{"/v1/entities", target.Parts{Path: "/v1/entities"}},
		{"/v1/entities/", target.Parts{Path: "/v1/entities/"}},
		{"/v1/...", target.Parts{Path: "/v1/..."}},
		{"/v1/.well-known", target.Parts{Path: "/v1/.well-known"}},
		{"/a..b/..c", target.Parts{Path: "/a..b/..c"}},
		{"/x?", target.Parts{Path: "/x"}},
		{"/x?a=b&c=d?e/../f;g//", target.Parts{Path: "/x", Query: "a=b&c=d?e/../f;g//"}},
		{"/x?q=%2e%2F%00%41", target.Parts{Path: "/x", Query: "q=%2e%2F%00%41"}},
		{"/a%20b", target.Parts{Path: "/a%20b"}},
		{"/caf%C3%A9/%e2%82%ac/%F0%9F%94%91", target.Parts{Path: "/caf%C3%A9/%e2%82%ac/%F0%9F%94%91"}},
		{"/%EF%BF%BD", target.Parts{Path: "/%EF%BF%BD"}},
		{"/a%2Fb", target.Parts{Path: "/a%2Fb", EncodedSlash: true}},
		{"/a%2fb", target.Parts{Path: "/a%2fb", EncodedSlash: true}},
		{"/u/a%40b.example", target.Parts{Path: "/u/a%40b.example", EncodedDelim: true}},
		{"/u/a@b.example:x=1,2!$&'()*+", target.Parts{Path: "/u/a@b.example:x=1,2!$&'()*+"}},
		{"/%5B%7B%7c%22", target.Parts{Path: "/%5B%7B%7c%22"}},
		{"/" + strings.Repeat("a", target.MaxLength-1), target.Parts{Path: "/" + strings.Repeat("a", target.MaxLength-1)}},
	} {
		got, err := target.Parse(tt.raw)
		if err != nil || got != tt.want {
			t.Errorf("Parse(%.60q) = %+v, %v; want %+v", tt.raw, got, err, tt.want)
		}
	}
}

// Guarantee: whatever has another spelling, or means different things to different
// servers, is refused.
func TestParseRefusesEveryOtherSpelling(t *testing.T) {
	for _, tt := range []struct {
		raw  string
		want error
	}{
		{"", target.ErrForm},
		{"*", target.ErrForm},
		{"v1/x", target.ErrForm},
		{"http://api.example/v1/x", target.ErrForm},
		{"api.example:443", target.ErrForm},
		{"?a=b", target.ErrForm},
		{"//", target.ErrSegment},
		{"//evil.example/x", target.ErrSegment},
		{"/v1//x", target.ErrSegment},
		{"/v1//?q", target.ErrSegment},
		{"/.", target.ErrSegment},
		{"/..", target.ErrSegment},
		{"/./x", target.ErrSegment},
		{"/v1/../admin", target.ErrSegment},
		{"/v1/..", target.ErrSegment},
		{"/v1/..?q", target.ErrSegment},
		{"/v1/.?q", target.ErrSegment},
		{"/v1/%2e%2e/admin", target.ErrEncoded},
		{"/v1/.%2E/admin", target.ErrEncoded},
		{"/v1/%65ntities", target.ErrEncoded},
		{"/v1/%7Euser", target.ErrEncoded},
		{"/v1/a%5cb", target.ErrEncoded},
		{"/v1/a%5Cb", target.ErrEncoded},
		{"/v1/a%252fb", target.ErrEncoded},
		{"/v1/a%00", target.ErrEncoded},
		{"/v1/a%0d%0aX:y", target.ErrEncoded},
		{"/v1/a%7f", target.ErrEncoded},
		{"/v1/a%3bb", target.ErrEncoded},
		{"/v1/a%3Fb", target.ErrEncoded},
		{"/v1/a%23b", target.ErrEncoded},
		{"/v1/a;b=c", target.ErrByte},
		{"/v1/a\\b", target.ErrByte},
		{"/v1/a#b", target.ErrByte},
		{"/v1/x?a#b", target.ErrByte},
		{"/v1/a b", target.ErrByte},
		{"/v1/x?a b", target.ErrByte},
		{"/v1/a\x00", target.ErrByte},
		{"/v1/a\r\n", target.ErrByte},
		{"/v1/a\x7f", target.ErrByte},
		{"/v1/caf\xc3\xa9", target.ErrByte},
		{"/v1/x?\xc3\xa9", target.ErrByte},
		{"/v1/{id}", target.ErrByte},
		{"/v1/a|b", target.ErrByte},
		{"/v1/%", target.ErrEscape},
		{"/v1/%4", target.ErrEscape},
		{"/v1/%zz", target.ErrEscape},
		{"/v1/%u002f", target.ErrEscape},
		{"/v1/x?%", target.ErrEscape},
		{"/v1/x?%g0", target.ErrEscape},
		{"/v1/%c0%ae%c0%ae/x", target.ErrCharacter},
		{"/v1/%c0%af", target.ErrCharacter},
		{"/v1/%e0%80%af", target.ErrCharacter},
		{"/v1/%ed%a0%80", target.ErrCharacter},
		{"/v1/%C3", target.ErrCharacter},
		{"/v1/%C3x", target.ErrCharacter},
		{"/v1/%C3%2e", target.ErrCharacter},
		{"/v1/%ff", target.ErrCharacter},
		{"/" + strings.Repeat("a", target.MaxLength), target.ErrLength},
	} {
		got, err := target.Parse(tt.raw)
		if !errors.Is(err, tt.want) || got != (target.Parts{}) {
			t.Errorf("Parse(%.60q) = %+v, %v; want %v", tt.raw, got, err, tt.want)
		}
	}
}

// Guarantee: the gate costs no allocation on the way to a route.
func TestParseDoesNotAllocate(t *testing.T) {
	n := testing.AllocsPerRun(100, func() {
		if _, err := target.Parse("/v1/modules/contacts/records/caf%C3%A9?limit=10"); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("Parse allocates %v times, want 0", n)
	}
}

// Guarantee: no decoder or cleaner finds another path in a target that passed, and
// nothing of the target is lost.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"/", "/v1/a?b", "/%2e%2e", "/a%2Fb", "//x", "/%C3%A9", "/a/../b",
		"http://x/", "*", "/%c0%ae", "/;a", "/x?%zz", "/%EF%BF%BD/%F0%9F%94%91"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := target.Parse(raw)
		if err != nil {
			return
		}
		if p.Path != raw && p.Path+"?"+p.Query != raw {
			t.Fatalf("Parse(%q) lost something: %+v", raw, p)
		}
		u, err := url.ParseRequestURI(raw)
		if err != nil {
			t.Fatalf("net/url refuses %q: %v", raw, err)
		}
		if u.EscapedPath() != p.Path || u.RawQuery != p.Query || u.Host != "" {
			t.Fatalf("net/url reads %q as %q ? %q", raw, u.EscapedPath(), u.RawQuery)
		}
		if !utf8.ValidString(u.Path) {
			t.Fatalf("%q decodes to bytes that are not UTF-8", raw)
		}
		// A cleaner of the decoded path changes nothing but a slash at the end.
		clean, decoded := path.Clean(u.Path), u.Path
		if decoded != "/" && !p.EncodedSlash && clean != strings.TrimSuffix(decoded, "/") {
			t.Fatalf("%q cleans to %q", decoded, clean)
		}
		if p.EncodedSlash != (strings.Count(decoded, "/") != strings.Count(p.Path, "/")) {
			t.Fatalf("%q: EncodedSlash = %v", raw, p.EncodedSlash)
		}
		if strings.ContainsAny(decoded, "\x00\\;%?#") {
			t.Fatalf("%q decodes to a forbidden byte: %q", raw, decoded)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := target.Parse("/v1/modules/contacts/records?limit=10"); err != nil {
			b.Fatal(err)
		}
	}
}
