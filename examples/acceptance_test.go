package examples_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/acceptance.md anew")

const acceptanceFile = "../docs/acceptance.md"

// A promise is one row of testdata/acceptance.tsv: a literal text of a page and what
// must hold for it to be true.
type promise struct {
	id, page, literal, check, kind string
}

// TestEveryPromiseIsProvedOrPlanned holds docs/acceptance.md: each of the pages' promises
// names the tests that replay it, found by its id in them, or what it comes with. A row
// that is neither proved nor planned fails, and so does a plan for a row that no page has.
func TestEveryPromiseIsProvedOrPlanned(t *testing.T) {
	promises := readPromises(t)
	later := readLater(t)
	marks := findMarks(t)
	known := map[string]bool{}
	for _, p := range promises {
		known[p.id] = true
		if len(marks[p.id]) == 0 && later[p.id] == "" {
			t.Errorf("%s has no test and is not in testdata/later.tsv: %s", p.id, p.literal)
		}
	}
	for id, files := range marks {
		if !known[id] {
			t.Errorf("%s names promise %s, which no page makes", files[0], id)
		}
	}
	for id := range later {
		if !known[id] {
			t.Errorf("testdata/later.tsv names promise %s, which no page makes", id)
		}
	}
	want := acceptanceTable(promises, later, marks)
	if *update {
		if err := os.WriteFile(acceptanceFile, want, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(acceptanceFile)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(got), string(want)); d != "" {
		t.Errorf("docs/acceptance.md is not what the tests say (-file +tests); go test ./examples -run Promise -update writes it:\n%s", d)
	}
}

// readPromises reads the rows of the five pages, in order.
func readPromises(t *testing.T) []promise {
	t.Helper()
	var all []promise
	for _, row := range readTable(t, "testdata/acceptance.tsv", 5)[1:] {
		all = append(all, promise{row[0], row[1], row[2], row[3], row[4]})
	}
	return all
}

// readLater reads what promises that are not (wholly) proved yet come with.
func readLater(t *testing.T) map[string]string {
	t.Helper()
	later := map[string]string{}
	for _, row := range readTable(t, "testdata/later.tsv", 2)[1:] {
		if later[row[0]] != "" {
			t.Errorf("testdata/later.tsv names %s twice", row[0])
		}
		later[row[0]] = row[1]
	}
	return later
}

// readTable reads a file of tab-separated columns. Quotation marks are text: the rows
// quote pages.
func readTable(t *testing.T, name string, columns int) [][]string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		row := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(row) != columns {
			t.Fatalf("%s: %d columns instead of %d: %s", name, len(row), columns, line)
		}
		rows = append(rows, row)
	}
	return rows
}

var (
	mark  = regexp.MustCompile(`\bC[0-4]-[0-9]{2}[a-c]?\b`)
	claim = regexp.MustCompile(`^(#|\s*//|func Test)`) // a line that may hold marks
)

// findMarks returns, by promise, the tests that name it in a comment: scripts of pages, Go
// tests of this folder, and those of clients that nobody here wrote.
func findMarks(t *testing.T) map[string][]string {
	t.Helper()
	marks := map[string][]string{}
	look := func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "acceptance_test.go" {
			return err
		}
		if d.IsDir() {
			if d.Name() == "node_modules" || d.Name() == ".venv" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".txtar") && !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		script, _, _ := strings.Cut(string(text), "\n-- ")
		for line := range strings.Lines(script) {
			if !claim.MatchString(line) {
				continue
			}
			for _, id := range mark.FindAllString(line, -1) {
				if name := filepath.ToSlash(name); !slices.Contains(marks[id], name) {
					marks[id] = append(marks[id], name)
				}
			}
		}
		return nil
	}
	if err := errors.Join(filepath.WalkDir(".", look), filepath.WalkDir("../interop", look)); err != nil {
		t.Fatal(err)
	}
	return marks
}

const acceptanceHead = `# What the pages promise, and what proves it

Five products' Authentication pages are what Cardea is measured by. This table has every
promise they print, by id (the page's number, then the row's), with the tests that replay
it: the page's own command, run by curl against ` + "`cardea dev`" + `. A promise about something
that is not built yet says what it comes with; a promise with both is proved over HTTP and
waits for its other half.

A script ` + "`examples/NAME/PART.txtar`" + ` is the test ` + "`TestPages/NAME/PART`" + ` of ` + "`./examples`" + `.
The table is written by ` + "`go test ./examples -run Promise -update`" + ` and held by the same test.

`

// acceptanceTable renders the document.
func acceptanceTable(promises []promise, later map[string]string, marks map[string][]string) []byte {
	var proved, partly, planned int
	var rows bytes.Buffer
	for _, p := range promises {
		var tests []string
		for _, name := range marks[p.id] {
			file := path.Join("../examples", name)
			tests = append(tests, fmt.Sprintf("[%s](%s)", strings.TrimPrefix(strings.TrimSuffix(name, ".txtar"), "../"), file))
		}
		switch {
		case len(tests) == 0:
			planned++
		case later[p.id] != "":
			partly++
		default:
			proved++
		}
		fmt.Fprintf(&rows, "| %s | %s | %s | %s |\n", p.id, cell(p.literal), strings.Join(tests, "<br>"), later[p.id])
	}
	var out bytes.Buffer
	out.WriteString(acceptanceHead)
	fmt.Fprintf(&out, "%d promises: %d proved, %d proved in part, %d to come.\n\n", len(promises), proved, partly, planned)
	out.WriteString("| id | promise | proved by | comes with |\n|---|---|---|---|\n")
	out.Write(rows.Bytes())
	return out.Bytes()
}

// cell shortens a text for a table.
func cell(text string) string {
	text = strings.ReplaceAll(text, "|", "\\|")
	const most = 140
	if runes := []rune(text); len(runes) > most {
		text = strings.TrimRight(string(runes[:most]), " ") + "…"
		if strings.Count(text, "`")%2 == 1 {
			text += "`"
		}
	}
	return text
}
