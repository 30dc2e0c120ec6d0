package store

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// texts returns every string of the package's sources with where it stands.
func texts(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				found[set.Position(lit.Pos()).String()] = text
			}
			return true
		})
	}
	return found
}

// SQLite takes $2 for a name and numbers names in the order in which they appear, so
// a text with $2 before $1 would silently swap its parameters.
func TestPlaceholdersAreNumberedInOrderOfFirstAppearance(t *testing.T) {
	placeholder, statements := regexp.MustCompile(`\$(\d+)`), 0
	for where, text := range texts(t) {
		next := 1
		for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
			n, err := strconv.Atoi(m[1])
			if err != nil || n > next {
				t.Errorf("%s: $%s comes before $%d in %q", where, m[1], next, text)
			}
			if n == next {
				next++
			}
		}
		if next > 1 {
			statements++
		}
	}
	if statements < 20 {
		t.Errorf("only %d statements were found: is the test looking in the right place?", statements)
	}
}

func TestStatementsUseNothingOfOneEngine(t *testing.T) {
	star := regexp.MustCompile(`(?i)select\s+\*`)
	foreign := regexp.MustCompile(`(?i)\b(now\(\)|strftime|julianday|datetime\(|ifnull|greatest|least\(|ilike|any\(|json_|jsonb|generate_series|rowid\b)|::`)
	statement := regexp.MustCompile(`(?i)\b(select|insert into|update|delete from)\s`)
	for where, text := range texts(t) {
		if !statement.MatchString(text) || strings.HasPrefix(where, "requestlog_postgres.go") {
			continue
		}
		if star.MatchString(text) {
			t.Errorf("%s: columns are always named: %q", where, text)
		}
		if hit := foreign.FindString(strings.ReplaceAll(text, "STRICT, WITHOUT ROWID", "")); hit != "" {
			t.Errorf("%s: %s is of one engine: %q", where, hit, text)
		}
	}
}

// schema reads tables and columns off a migration.
func schema(t *testing.T, folder string) map[string][]string {
	t.Helper()
	tables := map[string][]string{}
	create := regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\)`)
	alter := regexp.MustCompile(`ALTER TABLE (\w+) ADD COLUMN (\w+) `)
	column := regexp.MustCompile(`(?m)^  ([a-z]\w*) `)
	err := fs.WalkDir(migrations, folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations, path)
		if err != nil {
			return err
		}
		if strings.Contains(string(text), "+goose Down") {
			t.Errorf("%s: migrations go forward only", path)
		}
		for _, m := range alter.FindAllStringSubmatch(string(text), -1) {
			tables[m[1]] = append(tables[m[1]], m[2])
		}
		for _, m := range create.FindAllStringSubmatch(string(text), -1) {
			for _, c := range column.FindAllStringSubmatch(m[2], -1) {
				tables[m[1]] = append(tables[m[1]], c[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

func TestBothEnginesHaveTheSameTables(t *testing.T) {
	sqlite, postgres := schema(t, "migrations/sqlite"), schema(t, "migrations/postgres")
	maps.Copy(sqlite, schema(t, "migrations/usage"))
	for _, table := range []string{"request_log", "request_log_gap"} { // SQLite has them in day files
		delete(postgres, table)
	}
	if diff := cmp.Diff(sqlite, postgres); diff != "" {
		t.Errorf("tables differ (-sqlite +postgres):\n%s", diff)
	}
}

func TestBothEnginesHaveTheSameIndexes(t *testing.T) {
	index := regexp.MustCompile(`CREATE (?:UNIQUE )?INDEX [^;]*;`)
	indexes := func(folder string) []string {
		files, err := fs.Glob(migrations, folder+"/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, name := range files {
			text, err := fs.ReadFile(migrations, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range index.FindAllString(string(text), -1) {
				if !strings.Contains(line, " ON request_log") { // SQLite has them in day files
					list = append(list, line)
				}
			}
		}
		slices.Sort(list)
		return list
	}
	sqlite := append(indexes("migrations/sqlite"), indexes("migrations/usage")...)
	slices.Sort(sqlite)
	if diff := cmp.Diff(sqlite, indexes("migrations/postgres")); diff != "" {
		t.Errorf("indexes differ (-sqlite +postgres):\n%s", diff)
	}
}

func TestBackupHasEveryTableAndColumn(t *testing.T) {
	want, got := schema(t, "migrations/sqlite"), map[string][]string{}
	maps.Copy(want, schema(t, "migrations/usage"))
	for _, table := range backupTables {
		got[table.name] = strings.Split(table.columns, ", ")
	}
	for _, columns := range []map[string][]string{want, got} {
		for _, list := range columns {
			slices.Sort(list)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what a backup lacks (-) or has too much (+):\n%s", diff)
	}
}

func TestSchemaVersionIsThatOfTheLastMigration(t *testing.T) {
	for _, folder := range []string{"sqlite", "usage", "postgres"} {
		files, err := os.ReadDir(filepath.Join("migrations", folder))
		if err != nil {
			t.Fatal(err)
		}
		last, _, _ := strings.Cut(files[len(files)-1].Name(), "_")
		if n, err := strconv.Atoi(last); err != nil || n != schemaVersion {
			t.Errorf("%s ends at %s, the program says %d", folder, last, schemaVersion)
		}
	}
}
