package contract

import (
	"bytes"
	"errors"
	testflag "flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea/internal/strictyaml"
)

var update = testflag.Bool("update", false, "rewrite the expected output of testdata/bad")

// Every broken contract is refused with exactly the text its author needs.
func TestBadContracts(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			problems := mustFail(t, name+".yaml", data)
			got := problems.Error() + "\n"
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// mustFail loads what must not load, and checks what holds for every report.
func mustFail(t *testing.T, name string, data []byte) Problems {
	t.Helper()
	c, err := Load(name, data)
	if err == nil || c != nil {
		t.Fatal("it loads")
	}
	var problems Problems
	if !errors.As(err, &problems) || !problems.Failed() {
		t.Fatalf("the error is %T without an error in it", err)
	}
	checkPlaces(t, data, problems)
	return problems
}

// checkPlaces checks that every problem lies inside the file, that its source is that
// line, and that nothing printed can move a terminal's cursor.
func checkPlaces(t *testing.T, data []byte, problems Problems) {
	t.Helper()
	lines := strings.Split(string(data), "\n")
	for _, p := range problems {
		if p.Line < 1 || p.Line > len(lines) {
			t.Fatalf("line %d of %d: %s", p.Line, len(lines), p.Message)
		}
		line := strings.TrimSuffix(lines[p.Line-1], "\r")
		if p.Source != line && len(data) <= strictyaml.MaxSize {
			t.Errorf("line %d is %q, not %q", p.Line, line, p.Source)
		}
		if p.Column < 1 || p.Column > utf8.RuneCountInString(line)+1 {
			t.Fatalf("%d:%d is outside %q: %s", p.Line, p.Column, line, p.Message)
		}
		if p.Width < 1 || p.Message == "" {
			t.Errorf("width %d, message %q", p.Width, p.Message)
		}
	}
	var out bytes.Buffer
	if err := problems.Format(&out); err != nil {
		t.Fatal(err)
	}
	if strings.IndexFunc(out.String(), func(r rune) bool { return r != '\n' && strictyaml.Printable(r) != r }) >= 0 {
		t.Errorf("the report has control characters: %q", out.String())
	}
}

// A file far larger than any contract is refused before it is parsed.
func TestLargeFileIsRefusedUnparsed(t *testing.T) {
	data := bytes.Repeat([]byte("a: [[[[[[[[[[[[[[\n"), 10<<20/18)
	start := time.Now()
	problems := mustFail(t, "large.yaml", data)
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
	if len(problems) != 1 || !strings.Contains(problems[0].Message, "larger than") {
		t.Errorf("problems: %v", problems)
	}

	file := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadFile(file); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("LoadFile: %v", err)
	}
}

// Many small values within the size limit are bounded as well.
func TestTooManyValues(t *testing.T) {
	data := []byte("cardea: 1\nx: [" + strings.Repeat("a,", strictyaml.MaxNodes) + "]\n")
	problems := mustFail(t, "many.yaml", data)
	if !strings.Contains(problems[0].Message, "more than") {
		t.Errorf("problems: %v", problems[0])
	}
}

// A report stays readable however much is wrong.
func TestReportIsBounded(t *testing.T) {
	data := []byte(strings.Repeat("unknown_field_x: 1\n", 5000))
	if problems := mustFail(t, "many.yaml", data); len(problems) > strictyaml.MaxProblems+1 {
		t.Errorf("%d problems", len(problems))
	}
}

// Texts that are large in one dimension cost no more than their size: none of them
// keeps a reload busy.
func TestHostileTextsAreCheap(t *testing.T) {
	var routes, keys, fields, implied strings.Builder
	routes.WriteString(testHead + "routes:\n")
	implied.WriteString("cardea: 1\nscopes:\n")
	keys.WriteString("cardea: 1\nkeys:\n")
	for i := range 2000 {
		fmt.Fprintf(&routes, "  - {match: \"/{a}/{b}/c%d/d\", methods: [GET, POST, PUT, PATCH, DELETE]}\n", i)
		fmt.Fprintf(&keys, "  k%d: {format: {prefix: sk%d_}, present: [{header: x-key}]}\n", i, i)
		fmt.Fprintf(&implied, "  s%d: {implies: [s%d]}\n", i, i+1)
		fmt.Fprintf(&fields, "unknownfield%d: {a: b}\n", i)
	}
	for name, text := range map[string]string{
		"routes":     routes.String(),
		"keys":       keys.String(),
		"scopes":     implied.String(),
		"fields":     fields.String(),
		"undeclared": testHead + "routes:\n  - {match: /, scopes: [" + strings.Repeat("q,", 40_000) + "]}\n",
		"lines":      strings.Repeat("a:\n", 340_000),
		"flow":       "[" + strings.Repeat("a,", 520_000),
		"commented":  strings.Repeat("a: b #c\n", 120_000),
		"documents":  strings.Repeat("--- a\n", 170_000),
		"invisible":  strings.Repeat("\u200b", 340_000),
		"dashes":     strings.Repeat("- ", 500_000),
		"questions":  strings.Repeat("? ", 500_000),
		"literal":    "a: |\n" + strings.Repeat(" x\n", 300_000),
	} {
		start := time.Now()
		_, err := Load(name, []byte(text))
		if took := time.Since(start); took > 10*time.Second { // usually below half a second
			t.Errorf("%s: %v", name, took)
		}
		if (err == nil) != (name == "routes") {
			t.Errorf("%s: %.200v", name, err)
		}
	}
}
