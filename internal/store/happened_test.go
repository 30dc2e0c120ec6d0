package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Whatever writes a credential, its secrets, a client or a service account's key notes
// what happened, so that webhooks are told. What only notes a use is not a change.
func TestWhateverWritesACredentialNotesWhatHappened(t *testing.T) {
	writes := regexp.MustCompile(`(?i)(INSERT INTO|UPDATE|DELETE FROM)\s+(credential|credential_secret|client|account_key)\s`)
	puts := map[string]bool{"clientDetails": true, "accountKeys": true}
	notes := map[string]bool{"happened": true, "becomes": true, "becomesClient": true, "endSecrets": true}
	exempt := map[string]string{
		"Touch":        "notes uses",
		"InsertClient": "its credential is inserted by InsertCredential",
		"load":         "fills an empty database from a backup",
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	set, found := token.NewFileSet(), 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || exempt[fn.Name.Name] != "" {
				continue
			}
			changes, noted := false, false
			ast.Inspect(fn, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					changes = changes || n.Kind == token.STRING && writes.MatchString(n.Value)
				case *ast.SelectorExpr:
					owner, _ := n.X.(*ast.Ident)
					changes = changes || owner != nil && puts[owner.Name] && n.Sel.Name == "put"
					noted = noted || notes[n.Sel.Name]
				}
				return true
			})
			if changes {
				found++
			}
			if changes && !noted {
				t.Errorf("%s: %s writes a credential and does not note what happened", name, fn.Name.Name)
			}
		}
	}
	if found < 8 {
		t.Errorf("only %d functions write credentials: does the test look at the right place?", found)
	}
}
