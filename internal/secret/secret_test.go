package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

var forms = []struct {
	shape, prefix string
	pattern       *regexp.Regexp
}{
	{ShapePrefix, "ck_live_", regexp.MustCompile(`^ck_live_[0-9A-Za-z]{38}$`)},
	{ShapePrefix, "at_", regexp.MustCompile(`^at_[0-9A-Za-z]{38}$`)},
	{ShapeUUID, "", regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)},
	{ShapeHex, "", regexp.MustCompile(`^[0-9a-f]{32}-[0-9a-f]{12}$`)},
}

func TestNewMakesTheFormItsContractNames(t *testing.T) {
	for _, f := range forms {
		seen := map[string]bool{}
		for range 200 {
			text := New(f.shape, f.prefix).Reveal()
			if !f.pattern.MatchString(text) || !Check(f.shape, f.prefix, text) {
				t.Errorf("%s: %q is not of its own form", f.shape, text)
			}
			if seen[text] {
				t.Errorf("%s: made twice", f.shape)
			}
			seen[text] = true
		}
	}
	if id := NewID("key_"); !regexp.MustCompile(`^key_[0-9A-Za-z]{22}$`).MatchString(id) {
		t.Errorf("id %q", id)
	}
}

// Guarantee: nothing but Reveal gives the text away, whatever prints it and however
// deep it is buried.
func TestSecretPrintsAsItsPrefix(t *testing.T) {
	s := New(ShapePrefix, "ck_live_")
	type outer struct {
		hidden Secret
		Shown  Secret
		Ptr    *Secret
		List   []Secret
		Map    map[string]Secret
		any    any
	}
	o := outer{s, s, &s, []Secret{s}, map[string]Secret{"k": s}, s}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%t", "%p", "%c", "%U", "%e", "%T", "% x", "%#x", "%10s"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", o)
		fmt.Fprintf(&out, verb+"\n", &o)
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("made", "secret", s, "outer", o, "ptr", &s)
	}
	for _, v := range []any{s, &s, o} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	fmt.Fprint(&out, errors.New(fmt.Sprint("wrapped: ", s)))

	text := out.String()
	body := s.Reveal()[len("ck_live_"):]
	for _, leak := range []string{body, body[:12], fmt.Sprintf("%x", body[:12]), fmt.Sprintf("%X", body[:12]), fmt.Sprintf("% x", body[:6])} {
		if strings.Contains(text, leak) {
			t.Fatalf("the secret leaks as %q", leak)
		}
	}
	if got := fmt.Sprint(s); got != "ck_live_…" {
		t.Errorf("prints as %q", got)
	}
	if got, want := s.Hint(), "ck_live_…"+body[len(body)-4:]; got != want {
		t.Errorf("hint %q, want %q", got, want)
	}
}

func TestZeroSecretIsHarmless(t *testing.T) {
	var s Secret
	if s.String() != "" || s.Hint() != "" || s.Reveal() != "" || !s.IsZero() {
		t.Errorf("zero secret: %q %q %q", s.String(), s.Hint(), s.Reveal())
	}
}

// Guarantee: a mistyped key is always refused by its form, so it never costs a query.
func TestEverySingleCharacterTypoIsRefused(t *testing.T) {
	const prefix = "ck_test_"
	for range 20 {
		text := New(ShapePrefix, prefix).Reveal()
		for i := range len(text) {
			for c := range 256 {
				if byte(c) == text[i] {
					continue
				}
				typo := text[:i] + string([]byte{byte(c)}) + text[i+1:]
				if CheckPrefixed(typo, prefix) {
					t.Fatalf("typo at %d accepted", i)
				}
			}
			if i > 0 && text[i] != text[i-1] {
				if CheckPrefixed(text[:i-1]+text[i:i+1]+text[i-1:i]+text[i+1:], prefix) {
					t.Fatalf("exchange at %d accepted", i)
				}
			}
			if CheckPrefixed(text[:i]+text[i+1:], prefix) || CheckPrefixed(text[:i]+"0"+text[i:], prefix) {
				t.Fatalf("lost or doubled character at %d accepted", i)
			}
		}
	}
}

func TestKnownVector(t *testing.T) {
	// Computed with another program: CRC-32/IEEE of the first 40 characters is
	// 0x80065d15, written in base62. It pins the format, which scanners rely on.
	body := "ck_live_0123456789ABCDEFGHIJKLMNOPQRSTUV"
	text := body + checksum(body)
	if !CheckPrefixed(text, "ck_live_") || CheckPrefixed(text, "ck_test_") {
		t.Errorf("%q", text)
	}
	if got := checksum(body); got != "2LMN5Z" {
		t.Errorf("checksum %q, want %q", got, "2LMN5Z")
	}
}

// Guarantee: an id survives packing, and what is not an id of this form is not packed
// into another one's place.
func TestPackedIDsAreExact(t *testing.T) {
	for range 1000 {
		id := NewID("key_")
		packed, ok := PackID(id, "key_")
		if !ok || packed.Text("key_") != id {
			t.Fatalf("%s: packed to %s, %v", id, packed.Text("key_"), ok)
		}
	}
	top := PackedID{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}
	if got, ok := PackID(top.Text("k"), "k"); !ok || got != top {
		t.Errorf("largest id %s: %v", top.Text("k"), ok)
	}
	for _, odd := range []string{"", "key_", "key_short", "usr_0000000000000000000000", "key_zzzzzzzzzzzzzzzzzzzzzz",
		"key_8000000000000000000000", "key_000000000000000000000-", "key_00000000000000000000000"} {
		if _, ok := PackID(odd, "key_"); ok {
			t.Errorf("%q was packed", odd)
		}
	}
}

func FuzzPackID(f *testing.F) {
	f.Add(NewID("key_"))
	f.Fuzz(func(t *testing.T, id string) {
		if packed, ok := PackID(id, "key_"); ok && packed.Text("key_") != id {
			t.Errorf("%q became %q", id, packed.Text("key_"))
		}
	})
}

func TestRandomCharactersAreUniform(t *testing.T) {
	const n = 620_000
	counts := map[rune]int{}
	for _, c := range randomBase62(n) {
		counts[c]++
	}
	for _, c := range alphabet {
		// Expected 10,000, standard deviation 99: ten of them are no accident.
		if counts[c] < 9_000 || counts[c] > 11_000 {
			t.Errorf("%c: %d of %d", c, counts[c], n)
		}
	}
}

// Guarantee: recognising and hashing a credential allocates nothing.
func TestChecksDoNotAllocate(t *testing.T) {
	key, uuid, hex := New(ShapePrefix, "ck_live_").Reveal(), New(ShapeUUID, "").Reveal(), New(ShapeHex, "").Reveal()
	var h Hash
	n := testing.AllocsPerRun(100, func() {
		if !CheckPrefixed(key, "ck_live_") || !IsUUID(uuid) || !IsHex3212(hex) {
			t.Fatal("refused")
		}
		h = HashOf(key)
	})
	if n != 0 || h == (Hash{}) {
		t.Errorf("%v allocations", n)
	}
}

func FuzzCheckAcceptsOnlyWhatNewMakes(f *testing.F) {
	for _, form := range forms {
		f.Add(New(form.shape, form.prefix).Reveal(), form.prefix)
	}
	f.Add("", "")
	f.Add("ck_live_", "ck_live_")
	f.Fuzz(func(t *testing.T, text, prefix string) {
		if IsUUID(text) && !forms[2].pattern.MatchString(text) {
			t.Errorf("uuid %q", text)
		}
		if IsHex3212(text) && !forms[3].pattern.MatchString(text) {
			t.Errorf("hex %q", text)
		}
		if CheckPrefixed(text, prefix) {
			body := strings.TrimPrefix(text, prefix)
			if !regexp.MustCompile(`^[0-9A-Za-z]{38}$`).MatchString(body) || checksum(prefix+body[:32]) != body[32:] {
				t.Errorf("prefixed %q", text)
			}
		}
	})
}

func BenchmarkCheckPrefixed(b *testing.B) {
	key := New(ShapePrefix, "ck_live_").Reveal()
	b.ReportAllocs()
	for b.Loop() {
		CheckPrefixed(key, "ck_live_")
	}
}

func BenchmarkHashOf(b *testing.B) {
	key := New(ShapePrefix, "ck_live_").Reveal()
	b.ReportAllocs()
	for b.Loop() {
		HashOf(key)
	}
}
