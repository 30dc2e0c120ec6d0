package cardea_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

// The tests in this file and in arch_docs_test.go hold the rules of the house: who may
// import whom, how large things get, what is documented.

const module = "github.com/cardea-dev/cardea"

// layers lists every package of the module, lowest first. A package imports from lower
// layers only: never up, never sideways.
var layers = [][]string{
	{"."},
	{"internal/sandbox", "internal/secret", "internal/limit", "internal/target", "internal/fetch", "internal/condition", "internal/password", "internal/strictyaml"},
	{"contract"},
	{"internal/token", "internal/hook", "internal/pages", "internal/store/group"},
	{"internal/store", "internal/clientdoc", "internal/discovery", "examples"},
	{"internal/store/storetest", "internal/pages/pagestest"},
	{"internal/record", "internal/signing", "internal/rules"},
	{"internal/access"},
	{"internal/authz", "internal/manage", "internal/webhook", "internal/people", "admin"},
	{"internal/insight"},
	{"internal/oauth", "internal/signin", "internal/proxy", "internal/api", "internal/web"},
	{"internal/api/apitest", "internal/dashboard/dashtest"},
	{"internal/dashboard/keys", "internal/dashboard/apps", "internal/dashboard/activity", "internal/dashboard/team", "internal/dashboard/console"},
	{"internal/dashboard"},
	{"internal/server"},
	{"internal/dev"},
	{"cmd/cardea", "cardeatest"},
	{"bench", "bench/fill"},
}

// standardOnly are packages that others import into their own programs: they pull in
// nothing but the standard library and the vocabulary.
var standardOnly = []string{".", "admin", "internal/sandbox", "internal/secret", "internal/limit", "internal/target", "internal/fetch"}

// A sourceFile is one parsed Go file of the module.
type sourceFile struct {
	path string // slash separated, from the module's root
	dir  string
	test bool
	text string
	ast  *ast.File
	fset *token.FileSet
}

// sources parses every Go file of the module.
func sources(t *testing.T) []sourceFile {
	t.Helper()
	fset := token.NewFileSet()
	var files []sourceFile
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || len(d.Name()) > 1 && d.Name()[0] == '.') {
			return fs.SkipDir
		}
		// interop is a module of its own, for clients of others.
		if d.IsDir() && d.Name() == "interop" {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		slash := filepath.ToSlash(name)
		files = append(files, sourceFile{
			path: slash, dir: path.Dir(slash), test: strings.HasSuffix(slash, "_test.go"),
			text: string(text), ast: parsed, fset: fset,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestImportsPointDownwards holds the layers: a package imports lower ones only.
func TestImportsPointDownwards(t *testing.T) {
	level := map[string]int{}
	for i, layer := range layers {
		for _, dir := range layer {
			level[dir] = i
		}
	}
	for _, f := range sources(t) {
		own, known := level[f.dir]
		if !known {
			t.Errorf("%s: package %s has no layer; give it one", f.path, f.dir)
			continue
		}
		for _, spec := range f.ast.Imports {
			dir, inside := importedDir(spec)
			if !inside || dir == f.dir || f.test {
				continue
			}
			if other, known := level[dir]; !known || other >= own {
				t.Errorf("%s imports %s, which is not in a lower layer", f.path, dir)
			}
			if kit := path.Base(dir); strings.HasSuffix(kit, "test") && !strings.HasSuffix(path.Base(f.dir), "test") {
				t.Errorf("%s imports %s, which is for tests only", f.path, dir)
			}
		}
	}
}

// TestPublicPackagesPullInNothing holds that using the vocabulary, the client or a pure
// package compiles no database driver.
func TestPublicPackagesPullInNothing(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || !slices.Contains(standardOnly, f.dir) {
			continue
		}
		for _, spec := range f.ast.Imports {
			dir, inside := importedDir(spec)
			name, _ := strconv.Unquote(spec.Path.Value)
			first, _, _ := strings.Cut(name, "/")
			if inside && !slices.Contains(standardOnly, dir) || !inside && strings.Contains(first, ".") {
				t.Errorf("%s imports %s: only the standard library is allowed there", f.path, name)
			}
		}
	}
}

// importedDir returns the directory in the module that an import names.
func importedDir(spec *ast.ImportSpec) (dir string, inside bool) {
	name, _ := strconv.Unquote(spec.Path.Value)
	if name == module {
		return ".", true
	}
	return strings.CutPrefix(name, module+"/")
}

// TestNoProductInTheCore holds that what one product's page says is a setting of its
// contract, never a line of code.
func TestNoProductInTheCore(t *testing.T) {
	products := regexp.MustCompile(`(?i)cohera|coherence|codehooks|coactive|\bcoho\b`)
	for _, f := range sources(t) {
		if f.test || f.dir == "examples" {
			continue
		}
		for i, line := range strings.Split(f.text, "\n") {
			if found := products.FindString(line); found != "" {
				t.Errorf("%s:%d: names the product %q", f.path, i+1, found)
			}
		}
	}
}

// Ceilings, read off codebases that stay readable. Lines.
const (
	fileCeiling     = 700
	functionCeiling = 100
	packageCeiling  = 6500 // contract, whose settings are many; the others are to stay below 4,500
	storeCeiling    = 8500 // one file a noun, on one set of connections: it grows with the nouns
	interfaces      = 10
)

// TestSizes holds the ceilings and reports how things stand: go test -v -run Sizes.
func TestSizes(t *testing.T) {
	var fileLines, functionLines []int
	packages := map[string]int{}
	declared := 0
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		lines := strings.Count(f.text, "\n")
		fileLines = append(fileLines, lines)
		packages[f.dir] += lines
		if lines > fileCeiling {
			t.Errorf("%s has %d lines, more than %d", f.path, lines, fileCeiling)
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				length := f.fset.Position(n.End()).Line - f.fset.Position(n.Pos()).Line + 1
				functionLines = append(functionLines, length)
				if length > functionCeiling {
					t.Errorf("%s: %s has %d lines, more than %d", f.path, n.Name.Name, length, functionCeiling)
				}
			case *ast.TypeSpec:
				if _, ok := n.Type.(*ast.InterfaceType); ok {
					declared++
				}
			}
			return true
		})
	}
	for dir, lines := range packages {
		ceiling := packageCeiling
		if dir == "internal/store" {
			ceiling = storeCeiling
		}
		if lines > ceiling {
			t.Errorf("package %s has %d lines, more than %d", dir, lines, ceiling)
		}
	}
	if declared > interfaces {
		t.Errorf("%d interfaces are declared, more than %d", declared, interfaces)
	}
	var packageLines []int
	for _, lines := range packages {
		packageLines = append(packageLines, lines)
	}
	t.Logf("files: %s; functions: %s; packages: %s; interfaces: %d",
		spread(fileLines), spread(functionLines), spread(packageLines), declared)
}

// spread describes a distribution: median, ninetieth percentile, largest.
func spread(values []int) string {
	if len(values) == 0 {
		return "none"
	}
	sort.Ints(values)
	at := func(share float64) string { return strconv.Itoa(values[int(share*float64(len(values)-1))]) }
	return "p50 " + at(.5) + ", p90 " + at(.9) + ", max " + at(1)
}
