package web

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// TestVendoredFilesAreTheOnesInTheManifest holds that every file of others is listed with
// its name, version and licence, and is byte for byte the one that was published.
func TestVendoredFilesAreTheOnesInTheManifest(t *testing.T) {
	text, err := os.ReadFile("thirdparty/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest []struct {
		File, Package, Version, Path, Licence, SHA256 string
		LicenceFile                                   string `json:"licence_file"`
	}
	if err := json.Unmarshal(text, &manifest, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{"manifest.json": true}
	for _, m := range manifest {
		content, err := os.ReadFile(filepath.Join("thirdparty", m.File))
		if err != nil {
			t.Error(err)
			continue
		}
		if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != m.SHA256 {
			t.Errorf("%s is not the published file: its SHA-256 is %x", m.File, sum)
		}
		if m.Package == "" || m.Version == "" || m.Path == "" || m.Licence == "" {
			t.Errorf("%s: package, version, path or licence is missing", m.File)
		}
		if _, err := os.Stat(filepath.Join("thirdparty", m.LicenceFile)); err != nil {
			t.Error(err)
		}
		listed[m.File], listed[m.LicenceFile] = true, true
	}
	entries, err := os.ReadDir("thirdparty")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !listed[entry.Name()] {
			t.Errorf("%s is not in the manifest", entry.Name())
		}
	}
}

// TestTemplatesHoldNoCode holds that no template of any area has code or style inside the
// page, or asks htmx to run some.
func TestTemplatesHoldNoCode(t *testing.T) {
	files, err := filepath.Glob("../dashboard/*/templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	own, err := filepath.Glob("templates/*.html")
	if err != nil || len(own) == 0 {
		t.Fatal("no templates", err)
	}
	for _, name := range append(files, own...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lower := strings.ToLower(string(text))
		for _, no := range []string{" style=", "<style", " onclick", " onload", " onerror", " onsubmit", "hx-on", "js:", "javascript:", "hx-vals", "hx-disable-", "<iframe", "<object", "<embed"} {
			if strings.Contains(lower, no) {
				t.Errorf("%s contains %q", name, no)
			}
		}
		for _, element := range strings.Split(lower, "<")[1:] {
			tag, _, _ := strings.Cut(element, ">")
			if strings.Contains(tag, " hx-") && !strings.Contains(tag, ".hx}}") {
				t.Errorf("%s: an element with htmx attributes and without {{$.HX}}: <%s", name, tag)
			}
		}
	}
}

// TestIconsThatPagesNameExist holds the sprite and its users together.
func TestIconsThatPagesNameExist(t *testing.T) {
	sprite, err := os.ReadFile("assets/icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range append(append([]entry{}, entries...), consoleEntries...) {
		if !strings.Contains(string(sprite), `id="`+e.icon+`"`) {
			t.Errorf("there is no icon %q", e.icon)
		}
	}
	files, _ := filepath.Glob("../dashboard/*/templates/*.html")
	own, _ := filepath.Glob("templates/*.html")
	for _, name := range append(files, own...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), `{{icon "`)[1:] {
			if icon, _, _ := strings.Cut(part, `"`); !strings.Contains(string(sprite), `id="`+icon+`"`) {
				t.Errorf("%s: there is no icon %q", name, icon)
			}
		}
	}
}

// A text that goes on from a field's name is a sentence without it.
func TestWhatIsWrongIsASentence(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"must be an IP address":    "This must be an IP address.",
		"Line 2: not an https URL": "Line 2: not an https URL.",
		"The date must be a date.": "The date must be a date.",
		"“a” is no date":           "“a” is no date.",
	} {
		if got := wrong(text); got != want {
			t.Errorf("%q is told as %q, not as %q", text, got, want)
		}
	}
}
