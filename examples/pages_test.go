// The five pages, run. Each folder's scripts replay the commands its page prints, with
// the real curl against the real `cardea dev`, host names and all; only placeholder
// secrets are replaced by variables.
//
// A script is one of testscript's, with these commands besides:
//
//	dev [FLAG…]                start Cardea on the folder's contract; shutdown, poweroff: end it
//	$ COMMAND                  what a page prints, for the shell; ! $ COMMAND must fail
//	status 200                 of the response, or of all of them: status 10x200 1x429
//	header NAME VALUE|~REGEXP  as it came over the wire; ! header NAME
//	body FILE [PRINTED=ACTUAL] the JSON a page prints, member by member in its order
//	json PATH VALUE|~REGEXP    a value in the output; ! json PATH
//	let NAME PATH|header:NAME  keep a value in a variable
//	equal, between, plus       compare texts and numbers
//	advance 720h               move Cardea's clock and stop it; clock :30|midnight|11-30
//	scope FILE SCOPE REQUEST…  200 with this scope alone, 403 with all the others
//	hammer KEY URL COMMAND…    use a key without a pause while the command takes it away
//	absent TEXT DIR            no file holds the text
//	browse allow|deny URL      a person signs in and answers; CODE, STATE, ISS, ERROR, LOCATION
//	jwt header|payload TOKEN   what a signed token says, for body and json
//	hook [asked|quiet|stop]    a hook of the product's, at HOOK_URL; what it was asked
//	sign NAME FILE CLAIM=JSON…  a token signed with a service account's key file
//	bend NAME TOKEN            a token whose signature is off by one bit
//
// Name the promises a script proves by their ids in its comments: docs/acceptance.md is
// made from them.
package examples_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// scratch is a directory for the whole run.
var scratch string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "cardea-pages-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // scripts mostly wait for others
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(dir) // leftovers of a test run are not its result
	os.Exit(code)
}

// TestPages runs every page's scripts: TestPages/cohera-api/keys is
// cohera-api/keys.txtar.
func TestPages(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("the pages' own commands need curl: apt-get install curl")
	}
	contracts, err := filepath.Glob("*/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, contract := range contracts {
		page := filepath.Dir(contract)
		scripts, err := filepath.Glob(page + "/*.txtar")
		if err != nil {
			t.Fatal(err)
		}
		if len(scripts) == 0 {
			continue
		}
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			runScripts(t, contract, scripts)
		})
	}
}

// runScripts runs the scripts of one contract, each with a Cardea of its own.
func runScripts(t *testing.T, contract string, scripts []string) {
	contract, err := filepath.Abs(contract)
	if err != nil {
		t.Fatal(err)
	}
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var files []string
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(file, []byte(prompts(string(text))), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	testscript.Run(t, testscript.Params{
		Files:               files,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			s := &script{contract: contract, work: env.WorkDir}
			env.Values[scriptKey{}] = s
			env.Setenv("HOME", env.WorkDir) // where curl finds its .curlrc
			env.Setenv("CONTRACT", contract)
			env.Setenv("CARDEA_CONTRACT", contract) // of the product's own command line
			env.Setenv("PATH", filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
			env.Defer(s.end)
			return nil
		},
		Cmds: commands,
	})
}

// prompts turns lines that begin with a prompt, as pages print commands, into a command
// of testscript: everything after "$ " is for the shell, up to a line that does not end
// in a backslash. Lines keep their numbers.
func prompts(text string) string {
	var out strings.Builder
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if strings.HasPrefix(line, "-- ") {
			out.WriteString(strings.Join(lines[i:], "")) // the files
			break
		}
		not, command, found := strings.Cut(line, "$ ")
		if !found || not != "" && not != "! " {
			out.WriteString(line)
			continue
		}
		held := 0
		for strings.HasSuffix(command, "\\\n") && i+1 < len(lines) {
			i, held = i+1, held+1
			command = strings.TrimSuffix(command, "\\\n") + " " + strings.TrimLeft(lines[i], " ")
		}
		quoted := strings.ReplaceAll(strings.TrimSuffix(command, "\n"), "'", "''")
		out.WriteString(not + "shell '" + quoted + "'\n" + strings.Repeat("\n", held))
	}
	return out.String()
}

// TestScriptsRunToTheirEnd holds that no script uses a command of testscript's own that
// ends it early or leaves it out: what stands behind would prove nothing.
func TestScriptsRunToTheirEnd(t *testing.T) {
	scripts, err := filepath.Glob("*/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts: %v", len(scripts), err)
	}
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if word, _, _ := strings.Cut(line, " "); word == "stop" || word == "skip" || word == "kill" || strings.HasPrefix(line, "[") {
				t.Errorf("%s:%d: %s", name, i+1, line)
			}
		}
	}
}

// TestPromptsBecomeShellCommands holds the reading of scripts: what a page prints goes
// to the shell unchanged.
func TestPromptsBecomeShellCommands(t *testing.T) {
	got := prompts("# say\n$ curl -X GET \"https://a\" \\\n  -H 'x: $A'\n! $ false\nstatus 200\n-- f --\n$ no\n")
	want := "# say\nshell 'curl -X GET \"https://a\"  -H ''x: $A'''\n\n! shell 'false'\nstatus 200\n-- f --\n$ no\n"
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
