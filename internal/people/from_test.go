package people

import "testing"

// TestWhatStrangersSayIsPlainText: user agents and names are shown on pages and terminals,
// to people who decide by them.
func TestWhatStrangersSayIsPlainText(t *testing.T) {
	for text, want := range map[string]string{
		"curl/8":                "curl/8",
		"a\x1b[31mb\u009b31mc":  "a[31mb31mc",
		"a\u202eb\u2066c\u200f": "abc",
		"a\nb\u2028c\u0085d":    "abcd",
		"Zoë 🦊 שלום":            "Zoë 🦊 שלום",
		"\xff\xfea":             "a",
	} {
		if got := bounded(text, 100); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := bounded("aé", 2); got != "a" {
		t.Errorf("cut to %q", got)
	}
}
