package cardea_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/standards.md anew")

const (
	standardsTable = "internal/oauth/testdata/standards.tsv"
	standardsFile  = "docs/standards.md"
)

// standards are the documents whose requirements the table has, in order.
var standards = []struct{ number, title string }{
	{"6749", "The OAuth 2.0 Authorization Framework"},
	{"6750", "Bearer Token Usage"},
	{"7009", "Token Revocation"},
	{"7519", "JSON Web Token"},
	{"7523", "JWT Profile for Client Authentication and Authorization Grants"},
	{"7636", "Proof Key for Code Exchange"},
	{"7662", "Token Introspection"},
	{"8414", "Authorization Server Metadata"},
	{"8628", "Device Authorization Grant"},
	{"8693", "Token Exchange"},
	{"8725", "JSON Web Token Best Current Practices"},
	{"9068", "JWT Profile for Access Tokens"},
	{"9126", "Pushed Authorization Requests"},
	{"9207", "Authorization Server Issuer Identification"},
	{"9449", "Demonstrating Proof of Possession (DPoP)"},
	{"9700", "Best Current Practice for OAuth 2.0 Security"},
	{"9728", "Protected Resource Metadata"},
}

// A rule is one row of the table: what a standard demands, and what proves it.
type rule struct {
	rfc, section, binds, text string
	tests                     []string
	notApplicable             string // why nothing proves it
}

// TestEveryRequirementOfTheStandardsNamesItsTest holds docs/standards.md: each MUST that
// binds an authorization server or a resource server names tests that exist, or says why
// it does not apply.
func TestEveryRequirementOfTheStandardsNamesItsTest(t *testing.T) {
	rules := readRules(t)
	tests := findTests(t)
	for _, r := range rules {
		for _, name := range r.tests {
			if !tests.has(name) {
				t.Errorf("RFC %s §%s (%s) names %s, which is no test", r.rfc, r.section, r.text, name)
			}
		}
	}
	for _, s := range standards {
		if !slices.ContainsFunc(rules, func(r rule) bool { return r.rfc == s.number }) {
			t.Errorf("%s has nothing of RFC %s", standardsTable, s.number)
		}
	}
	want := standardsDocument(rules)
	if *update {
		if err := os.WriteFile(standardsFile, want, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(standardsFile)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(got), string(want)); d != "" {
		t.Errorf("docs/standards.md is not what %s says (-file +table); go test . -run Requirement -update writes it:\n%s", standardsTable, d)
	}
}

// readRules reads the table. Quotation marks in it are text.
func readRules(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile(standardsTable)
	if err != nil {
		t.Fatal(err)
	}
	var rules []rule
	seen := map[string]bool{}
	for i, line := range slices.Collect(strings.Lines(string(text))) {
		row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if i == 0 {
			continue
		}
		if len(row) != 5 || slices.Contains(row, "") {
			t.Fatalf("%s:%d: want five columns with something in each: %q", standardsTable, i+1, row)
		}
		r := rule{rfc: row[0], section: row[1], binds: row[2], text: row[3]}
		if why, ok := strings.CutPrefix(row[4], "not applicable: "); ok {
			r.notApplicable = why
		} else {
			r.tests = strings.Split(row[4], "; ")
		}
		known := slices.ContainsFunc(standards, func(s struct{ number, title string }) bool { return s.number == r.rfc })
		if !known || !slices.Contains([]string{"server", "resource", "both"}, r.binds) || seen[r.rfc+r.text] {
			t.Errorf("%s:%d: an unknown RFC, nobody whom it binds, or a row twice: %q", standardsTable, i+1, row)
		}
		seen[r.rfc+r.text] = true
		rules = append(rules, r)
	}
	return rules
}

// testNames has the tests of the module and of interop: for a Go test the texts in it,
// which are the names of its cases; for scripts of clients their text.
type testNames struct {
	cases map[string][]string
	texts map[string]string
}

// goTest is a Go test in a table, with one of its cases.
var goTest = regexp.MustCompile(`^([a-z0-9/]+\.(?:Test|Fuzz)\w+)(?:/(.+))?$`)

// has reports whether a name is that of a test: PACKAGE.TestName, PACKAGE.TestName/CASE,
// FILE (a script), or FILE: NAME for the clients of other languages.
func (n testNames) has(name string) bool {
	if m := goTest.FindStringSubmatch(name); m != nil {
		cases, ok := n.cases[m[1]]
		return ok && (m[2] == "" || slices.Contains(cases, m[2]))
	}
	file, inner, _ := strings.Cut(name, ": ")
	text, ok := n.texts[file]
	switch path.Ext(file) {
	case ".txtar":
		return ok && inner == ""
	case ".mjs":
		return ok && strings.Contains(text, "test('"+inner+"',")
	case ".py":
		return ok && strings.Contains(text, "def "+inner+"(")
	}
	return false
}

// findTests finds all tests.
func findTests(t *testing.T) testNames {
	t.Helper()
	names := testNames{cases: map[string][]string{}, texts: map[string]string{}}
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || len(d.Name()) > 1 && d.Name()[0] == '.') {
			return fs.SkipDir
		}
		name = filepath.ToSlash(name)
		switch {
		case d.IsDir():
		case strings.HasSuffix(name, "_test.go"):
			file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			names.add(path.Dir(name), file)
		case slices.Contains([]string{".txtar", ".mjs", ".py"}, path.Ext(name)):
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			names.texts[name] = string(text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// add adds the tests of a file in a folder.
func (n testNames) add(dir string, file *ast.File) {
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Test") && !strings.HasPrefix(f.Name.Name, "Fuzz") {
			continue
		}
		cases := []string{}
		ast.Inspect(f, func(node ast.Node) bool {
			if lit, ok := node.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil {
					cases = append(cases, text)
				}
			}
			return true
		})
		n.cases[dir+"."+f.Name.Name] = cases
	}
}

const standardsHead = `# What the standards demand, and what proves it

Every MUST, MUST NOT, REQUIRED and SHALL of these documents that binds an authorization
server or a resource server (an API), in our words, with the tests that prove it. What
binds clients is not here; what a server does when clients break it is. A requirement of
something that Cardea does not offer says so.

A test is ` + "`PACKAGE.TestName`" + `, where needed with the case of its table after a slash, a script
of ` + "`examples`" + `, or a test of one of the clients in ` + "`interop`" + `. The document is written by
` + "`go test . -run Requirement -update`" + ` from ` + "`internal/oauth/testdata/standards.tsv`" + ` and held by
the same test.

`

// standardsDocument renders the document.
func standardsDocument(rules []rule) []byte {
	var out bytes.Buffer
	out.WriteString(standardsHead)
	out.WriteString("| RFC | requirements | proved | not applicable |\n|---|---|---|---|\n")
	var parts bytes.Buffer
	total, inapplicable := 0, 0
	for _, s := range standards {
		fmt.Fprintf(&parts, "\n## RFC %s: %s\n\n| § | binds | requirement | proved by |\n|---|---|---|---|\n", s.number, s.title)
		all, without := 0, 0
		for _, r := range rules {
			if r.rfc != s.number {
				continue
			}
			all++
			if r.notApplicable != "" {
				without++
			}
			place := "section-" + r.section
			if r.section[0] >= 'A' {
				place = "appendix-" + r.section
			}
			fmt.Fprintf(&parts, "| [%s](https://www.rfc-editor.org/rfc/rfc%s#%s) | %s | %s | %s |\n",
				r.section, r.rfc, place, r.binds, strings.ReplaceAll(r.text, "|", `\|`), proof(r))
		}
		fmt.Fprintf(&out, "| [%s](#rfc-%s-%s) | %d | %d | %d |\n", s.number, s.number, anchor(s.title), all, all-without, without)
		total, inapplicable = total+all, inapplicable+without
	}
	fmt.Fprintf(&out, "| all | %d | %d | %d |\n", total, total-inapplicable, inapplicable)
	out.Write(parts.Bytes())
	return out.Bytes()
}

// proof renders what proves a rule.
func proof(r rule) string {
	if r.notApplicable != "" {
		return "not applicable: " + r.notApplicable
	}
	var out []string
	for _, name := range r.tests {
		out = append(out, "`"+strings.ReplaceAll(name, "|", `\|`)+"`")
	}
	return strings.Join(out, "<br>")
}

// anchor returns a heading as the end of a link to it.
func anchor(title string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '-':
			return '-'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, strings.ToLower(title))
	return kept
}
