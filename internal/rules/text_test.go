package rules

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestNamesAreOneHonestLine(t *testing.T) {
	for _, c := range []struct {
		name, text, says string // says: part of the refusal, "" for none
	}{
		{"plain", "Production Integration", ""},
		{"100 characters", strings.Repeat("é", 100), ""},
		{"Japanese", "本番環境", ""},
		{"emoji with joiner", "👩‍💻 laptop", ""},
		{"quotes and markup", `<b>"O'Neil" & sons</b>`, ""},
		{"empty", "", "required"},
		{"101 characters", strings.Repeat("é", 101), "at most 100"},
		{"a megabyte", strings.Repeat("a", 1<<20), "at most 100"},
		{"NUL", "a\x00b", "NUL"},
		{"line break", "a\nb", "control"},
		{"escape sequence", "a\x1b[31mb", "control"},
		{"C1 control", "a\u0085b", "control"},
		{"right-to-left override", "a\u202eb", "direction"},
		{"isolate", "a\u2066b", "direction"},
		{"mark", "a\u200fb", "direction"},
		{"Arabic letter mark", "a\u061cb", "direction"},
		{"line separator", "a\u2028b", "separators"},
		{"zero-width space", "a\u200bb", "invisible"},
		{"byte order mark", "a\ufeffb", "invisible"},
		{"tag", "a\U000e0041b", "invisible"},
		{"noncharacter", "a\ufffeb", "Unicode"},
		{"replacement", "a\ufffdb", "Unicode"},
		{"broken UTF-8", "a\xffb", "UTF-8"},
		{"surrogate half", "a\xed\xa0\x80b", "UTF-8"},
		{"leading space", " a", "begin or end"},
		{"trailing no-break space", "a\u00a0", "begin or end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Name("name", c.text)
			switch {
			case err == nil && c.says != "":
				t.Errorf("accepted")
			case err != nil && (c.says == "" || !strings.Contains(err.Public, c.says)):
				t.Errorf("refused: %v", err)
			case err != nil && len(err.Public) > 100:
				t.Errorf("the refusal is long enough to quote its input")
			}
		})
	}
}

func TestEmailsAreBareAddresses(t *testing.T) {
	for text, ok := range map[string]bool{
		"ada@example.com": true, "a+b@xn--bcher-kva.example": true,
		"": false, "ada": false, "Ada <ada@example.com>": false, "<ada@example.com>": false, "ada@example.com (x)": false,
		"a@b, c@d": false, "a\x00@b.c": false, "ada@example.com ": false, strings.Repeat("a", 250) + "@b.de": false,
	} {
		if err := Email("email", text); (err == nil) != ok {
			t.Errorf("an address of %d bytes: %v, want ok=%v", len(text), err, ok)
		}
	}
}

func TestAddressesAreCanonical(t *testing.T) {
	got, err := Addresses("addresses", []string{
		"2001:DB8::/32", "203.0.113.7", "203.0.113.7/32", "::ffff:203.0.113.9", "::ffff:198.51.100.0/120", "10.0.0.0/8", "10.0.0.0/9",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/9"), netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.7/32"), netip.MustParsePrefix("203.0.113.9/32"), netip.MustParsePrefix("2001:db8::/32"),
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	shown := strings.Join(ShowAddresses(got), " ")
	if shown != "10.0.0.0/8 10.0.0.0/9 198.51.100.0/24 203.0.113.7 203.0.113.9 2001:db8::/32" {
		t.Errorf("shown as %s", shown)
	}
}

func TestAddressesWithHostBitsSuggestWhatWasMeant(t *testing.T) {
	_, err := Addresses("addresses", []string{"10.0.0.1", "203.0.113.7/24"})
	if err == nil || err.Field != "addresses[1]" || !strings.Contains(err.Public, "203.0.113.0/24") {
		t.Errorf("refusal %v", err)
	}
	for _, text := range []string{"", "x", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "fe80::1%eth0", "::ffff:0:0/95", "01.2.3.4", "1.2.3.4/8/8", " 1.2.3.4"} {
		if _, err := Addresses("addresses", []string{text}); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"10.0.0.0/8", "::1", "::ffff:1.2.3.4/120", "1.2.3.4/24", "fe80::1%x", "/", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Address("addresses[0]", text)
		if err != nil {
			return
		}
		if !p.IsValid() || p != p.Masked() || p.Addr().Is4In6() || p.Addr().Zone() != "" {
			t.Errorf("%q became %v, which is not canonical", text, p)
		}
		if again, err := Address("", ShowAddresses([]netip.Prefix{p})[0]); err != nil || again != p {
			t.Errorf("%v does not come back: %v, %v", p, again, err)
		}
	})
}

func FuzzName(f *testing.F) {
	f.Add("Production")
	f.Add("a\u202eb")
	f.Fuzz(func(t *testing.T, text string) {
		if Name("name", text) != nil {
			return
		}
		if strings.ContainsAny(text, "\x00\r\n\t\u202a\u202e\u2066\u2028") || text == "" || len(text) > 400 {
			t.Errorf("%q is accepted", text)
		}
	})
}
