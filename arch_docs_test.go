package cardea_test

import (
	"go/ast"
	"go/build"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestExportedNamesAreDocumented holds that every exported name outside of main has a
// comment of its own or stands in a commented group.
func TestExportedNamesAreDocumented(t *testing.T) {
	for _, f := range sources(t) {
		if f.test || f.ast.Name.Name == "main" {
			continue
		}
		report := func(name *ast.Ident) {
			t.Errorf("%s: exported %s has no comment", f.fset.Position(name.Pos()), name.Name)
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
					report(d.Name)
				}
			case *ast.GenDecl:
				undocumented(d, report)
			}
		}
	}
}

// undocumented calls report with the exported names of a declaration that have no
// comment: neither their own, nor their group's, nor one at the end of the line.
func undocumented(d *ast.GenDecl, report func(*ast.Ident)) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
				report(s.Name)
			}
		case *ast.ValueSpec:
			if d.Doc != nil || s.Doc != nil || s.Comment != nil {
				continue
			}
			for _, name := range s.Names {
				if name.IsExported() {
					report(name)
				}
			}
		}
	}
}

// exportedReceiver reports whether a function is no method, or one of an exported type.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	name := receiverName(d)
	return ast.IsExported(name)
}

// receiverName returns the name of a method's type.
func receiverName(d *ast.FuncDecl) string {
	expr := d.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

// TestPackagesHaveComments holds that every package says what it is for.
func TestPackagesHaveComments(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range sources(t) {
		if !f.test {
			documented[f.dir] = documented[f.dir] || f.ast.Doc != nil
		}
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment", dir)
		}
	}
}

// bracket finds what looks like a link to a Go name in a comment.
var bracket = regexp.MustCompile(`\[\*?([A-Za-z][\w/]*(?:\.[A-Za-z]\w*){0,2})\](?:$|[^(:\w\[])`)

// TestDocLinksResolve holds that a [Name] in a doc comment names something that is
// there: a renamed function takes its links along.
func TestDocLinksResolve(t *testing.T) {
	known := declaredNames{}
	files := sources(t)
	imported := map[string]map[string]string{} // :: folder → name → import path
	for _, f := range files {
		if imported[f.dir] == nil {
			imported[f.dir] = map[string]string{"cardea": module}
		}
		importNames(f.ast, imported[f.dir])
	}
	for _, f := range files {
		if f.test {
			continue
		}
		for _, group := range f.ast.Comments {
			if !isDoc(f.ast, group) {
				continue
			}
			for _, m := range bracket.FindAllStringSubmatch(prose(group.Text()), -1) {
				if !resolves(known, f, imported[f.dir], m[1]) {
					t.Errorf("%s: [%s] resolves to nothing", f.fset.Position(group.Pos()), m[1])
				}
			}
		}
	}
}

// prose returns the text of a comment without its code blocks.
func prose(text string) string {
	var p comment.Parser
	var b strings.Builder
	for _, block := range p.Parse(text).Content {
		if _, code := block.(*comment.Code); code {
			continue
		}
		b.WriteString(string((&comment.Printer{}).Comment(&comment.Doc{Content: []comment.Block{block}})))
		b.WriteByte('\n')
	}
	return b.String()
}

// isDoc reports whether a comment is a package's, a declaration's or a field's, and not
// a remark between statements.
func isDoc(file *ast.File, group *ast.CommentGroup) bool {
	if file.Doc == group {
		return true
	}
	found := false
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			found = found || n.Doc == group
		case *ast.FuncDecl:
			found = found || n.Doc == group
			return false
		case *ast.TypeSpec:
			found = found || n.Doc == group
		case *ast.ValueSpec:
			found = found || n.Doc == group
		case *ast.Field:
			found = found || n.Doc == group
		}
		return true
	})
	return found
}

// resolves reports whether a link such as T, T.Method, pkg, pkg.T or net/http.T.Method
// means something in f.
func resolves(known declaredNames, f sourceFile, imports map[string]string, link string) bool {
	if own := known.in(f.dir); !strings.Contains(link, "/") && (own[link] || own.embedded(link)) {
		return true
	}
	first, rest, _ := strings.Cut(link, ".")
	importPath := first
	if full, ok := imports[first]; ok {
		importPath = full
	}
	dir := importDir(importPath)
	switch {
	case ast.IsExported(first), dir == "":
		return false
	case rest == "":
		// A lower-case word in brackets is prose unless it is a package.
		return true
	}
	return known.in(dir)[rest]
}

// importDir returns the directory of a package of this module or of the standard
// library, "" for any other.
func importDir(importPath string) string {
	if importPath == module {
		return "."
	}
	if dir, ok := strings.CutPrefix(importPath, module+"/"); ok {
		return dir
	}
	if first, _, _ := strings.Cut(importPath, "/"); strings.Contains(first, ".") {
		return ""
	}
	return path.Join(filepath.ToSlash(build.Default.GOROOT), "src", importPath)
}

// importNames adds the names that a file's imports have in it, with their paths.
func importNames(file *ast.File, names map[string]string) {
	for _, spec := range file.Imports {
		full, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(full)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = full
	}
}

// declaredNames maps a directory to the names it declares: T, F, T.Method, T.Field.
type declaredNames map[string]nameSet

// A nameSet holds names, and "T embeds U" for embedded types.
type nameSet map[string]bool

// embedded reports whether T.Name is U.Name of a U that T embeds.
func (names nameSet) embedded(link string) bool {
	outer, member, found := strings.Cut(link, ".")
	for name := range names {
		if inner, ok := strings.CutPrefix(name, outer+" embeds "); found && ok && names[inner+"."+member] {
			return true
		}
	}
	return false
}

// in returns the names declared in a directory; a directory that cannot be read
// declares none.
func (d declaredNames) in(dir string) nameSet {
	if names, ok := d[dir]; ok {
		return names
	}
	names := nameSet{}
	d[dir] = names
	files, _ := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*.go"))
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, decl := range file.Decls {
			declare(names, decl)
		}
	}
	return names
}

// declare adds the names of one declaration.
func declare(names map[string]bool, decl ast.Decl) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		name := decl.Name.Name
		if decl.Recv != nil {
			name = receiverName(decl) + "." + name
		}
		names[name] = true
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				for _, name := range s.Names {
					names[name.Name] = true
				}
			case *ast.TypeSpec:
				names[s.Name.Name] = true
				members(names, s)
			}
		}
	}
}

// members adds the fields and methods that a type's own declaration lists.
func members(names map[string]bool, s *ast.TypeSpec) {
	var list *ast.FieldList
	switch typ := s.Type.(type) {
	case *ast.StructType:
		list = typ.Fields
	case *ast.InterfaceType:
		list = typ.Methods
	default:
		return
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			names[s.Name.Name+"."+name.Name] = true
		}
		if embedded, ok := field.Type.(*ast.Ident); ok && len(field.Names) == 0 {
			names[s.Name.Name+" embeds "+embedded.Name] = true
		}
	}
}
