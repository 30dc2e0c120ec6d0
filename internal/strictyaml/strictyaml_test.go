package strictyaml

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// What could mean two things, or hide something, is refused with its place; what is
// plain is read.
func TestParse(t *testing.T) {
	for _, tt := range []struct {
		text, message string
		line, column  int
	}{
		{"a: 1\nb: [x, {c: d}]\n", "", 0, 0},
		{"", "empty", 1, 1},
		{"a: &x 1\nb: *x\n", "anchors", 1, 4},
		{"a: 1\nb:\n  <<: {c: 1}\n", "merge keys", 3, 3},
		{"a: !!str 1\n", "tags", 1, 4},
		{"a: 1\na: 2\n", "given twice", 2, 1},
		{"[a]: 1\n", "a key must be text", 1, 1},
		{"a: 1\n---\nb: 2\n---\nc: 3\n", "second document", 4, 1},
		{"a: \u202eb\n", "U+202E", 1, 4},
		{"a: \"\\u202e\"\n", "U+202E", 1, 4},
		{"a: \xff\n", "UTF-8", 1, 4},
		{"a: b\rc\n", "carriage return", 1, 5},
		{"a:\n\tb: 1\n", "", 2, 1},
		{strings.Repeat("[", MaxDepth+2) + strings.Repeat("]", MaxDepth+2), "levels deep", 1, 0},
		{"x: [" + strings.Repeat("a,", MaxNodes) + "]", "more than", 1, 0},
	} {
		r := New("test.yaml", tt.text)
		root := Parse(r, tt.text)
		problems := r.Problems()
		if tt.line == 0 {
			if root == nil || len(problems) != 0 {
				t.Errorf("%.40q: %v", tt.text, problems)
			}
			continue
		}
		if !problems.Failed() {
			t.Errorf("%.40q is taken", tt.text)
			continue
		}
		p := problems[0]
		if !strings.Contains(p.Message, tt.message) || p.Line != tt.line || tt.column > 0 && p.Column != tt.column {
			t.Errorf("%.40q: %v", tt.text, p)
		}
	}
}

// A slip of the finger is told from another word.
func TestDidYouMean(t *testing.T) {
	for name, want := range map[string]string{
		"prodct": `did you mean "product"?`, "PRODUCT": `did you mean "product"?`, "rpoduct": `did you mean "product"?`,
		"zzz": "known here: product, plans", strings.Repeat("p", 1000): "known here: product, plans",
	} {
		r := New("test.yaml", name)
		r.Errorf(Pos{}, "unknown").DidYouMean(name, []string{"product", "plans"})
		if got := r.Problems()[0].Suggestion; got != want {
			t.Errorf("%.20s: %s", name, got)
		}
	}
}

// A report names places inside the file and prints nothing that moves a cursor, stops
// at its bound, and says each thing once.
func TestReports(t *testing.T) {
	r := New("test.yaml", "a: \x1b[31mb\nc: d")
	r.Warnf(Pos{Line: 9, Column: 9, Width: 9}, "beyond the end")
	r.Errorf(Pos{Line: 1, Column: 4, Width: 2}, "first")
	r.Errorf(Pos{Line: 1, Column: 4, Width: 2}, "first")
	problems := r.Problems()
	if len(problems) != 2 || problems[0].Message != "first" || problems[1].Line != 2 || problems[1].Column != 5 {
		t.Errorf("%v", problems)
	}
	if got := problems.Error(); strings.ContainsRune(got, '\x1b') || !strings.Contains(got, "^~") || !strings.Contains(got, "warning") {
		t.Errorf("%q", got)
	}
	if r.LineText(2) != "c: d" || r.LineText(0)+r.LineText(3) != "" {
		t.Error("LineText")
	}
	for range 2 * MaxProblems {
		r.Errorf(Pos{Line: 1}, "again").Suggest("mend it")
	}
	if !r.Full() || len(r.list) != MaxProblems+1 {
		t.Errorf("%d problems", len(r.list))
	}
}

// However strange the text: parsing it ends, what comes out holds none of what is
// refused, and places are inside the text.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: 1", "- [x, {y: z}]", "a: &b c\nd: *b", "<<: {}", "? [a]\n: b", "\ufeffa: b", "--- a\n--- b", "a: |\n b\n c", "<<"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := New("fuzz.yaml", text)
		root := Parse(r, text)
		if (root == nil) && !r.Failed() {
			t.Fatal("nothing read and nothing reported")
		}
		for _, p := range r.Problems() {
			if p.Line < 1 || p.Line > len(r.lines) || p.Column < 1 || p.Column > utf8.RuneCountInString(r.lines[p.Line-1])+1 || p.Width < 1 {
				t.Fatalf("%+v", p)
			}
		}
		var out bytes.Buffer
		if err := r.Problems().Format(&out); err != nil || strings.ContainsFunc(out.String(), func(c rune) bool { return c != '\n' && Printable(c) != c }) {
			t.Fatalf("%q, %v", out.String(), err)
		}
		if root != nil && !r.Failed() {
			plain(t, root, 1)
		}
	})
}

// plain fails for a tree with anything in it that is refused.
func plain(t *testing.T, n *yaml.Node, depth int) {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || depth > MaxDepth {
		t.Fatalf("%+v", n)
	}
	for i, child := range n.Content {
		if key := n.Kind == yaml.MappingNode && i%2 == 0; key && (child.Kind != yaml.ScalarNode || child.Tag == "!!merge") {
			t.Fatalf("a key is %+v", child)
		}
		plain(t, child, depth+1)
	}
}
