package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea/cardeatest"
	"github.com/cardea-dev/cardea/contract"
)

// TestReadmeTour runs the commands of README's console blocks, in order, in one shell,
// against what `cardea dev` runs, and compares what they print: "…" stands for anything.
func TestReadmeTour(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("README's tour needs curl: apt-get install curl")
	}
	s := cardeatest.Start(t, cardeatest.Config{})
	dir := t.TempDir()
	if err := os.Symlink(self(t), filepath.Join(dir, "cardea")); err != nil {
		t.Fatal(err)
	}
	steps := console(t)
	var script strings.Builder
	for i, step := range steps {
		fmt.Fprintf(&script, "echo '@@ %d'\n%s\n", i, step.command)
	}
	shell := exec.Command("sh", "-c", script.String())
	shell.Dir = dir
	shell.Env = append(os.Environ(),
		"PATH="+dir+string(filepath.ListSeparator)+os.Getenv("PATH"), actAs+"=cardea",
		"API="+s.URL(), "KEY="+s.Secret("api_key", "live"), "ORG="+s.Organization(),
		"CARDEA_URL="+s.ManagementURL(), "CARDEA_TOKEN="+s.ManagementToken())
	out, err := shell.CombinedOutput()
	if err != nil {
		t.Errorf("the shell: %v", err)
	}
	parts := strings.Split(string(out), "@@ ")[1:]
	if len(parts) != len(steps) {
		t.Fatalf("%d of %d commands ran:\n%s", len(parts), len(steps), out)
	}
	for i, step := range steps {
		_, got, _ := strings.Cut(parts[i], "\n")
		if !step.matches(got) {
			t.Errorf("$ %s\nREADME shows:\n%s\nit prints:\n%s", step.command, strings.Join(step.output, "\n"), got)
		}
	}
}

// TestReadmeContractLoads holds that the contract README begins with is a good one.
func TestReadmeContractLoads(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readme(t), -1)
	if len(blocks) == 0 {
		t.Fatal("README shows no contract")
	}
	for _, b := range blocks {
		if _, err := contract.Load("README.md", []byte(b[1])); err != nil {
			t.Error(err)
		}
	}
}

// A consoleStep is one command of a console block and what README says it prints.
type consoleStep struct {
	command string
	output  []string
}

// matches reports whether output is what README shows. A line that is only "…" stands
// for any lines. curl's progress is not compared.
func (s consoleStep) matches(got string) bool {
	var pattern strings.Builder
	for _, line := range s.output {
		if line == "…" {
			pattern.WriteString(`(?:.*\n)*`)
			continue
		}
		for i, fixed := range strings.Split(strings.TrimRight(line, " "), "…") {
			if i > 0 {
				pattern.WriteString(`.*`)
			}
			pattern.WriteString(regexp.QuoteMeta(fixed))
		}
		pattern.WriteString(`\s*`)
	}
	return regexp.MustCompile(`^` + pattern.String() + `$`).MatchString(got)
}

// console returns the commands of README's console blocks.
func console(t *testing.T) []consoleStep {
	t.Helper()
	var steps []consoleStep
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(readme(t), -1) {
		for line := range strings.SplitSeq(strings.TrimSpace(block[1]), "\n") {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				steps = append(steps, consoleStep{command: strings.ReplaceAll(command, "curl ", "curl -sS ")})
				continue
			}
			last := &steps[len(steps)-1]
			last.output = append(last.output, line)
		}
	}
	if len(steps) == 0 {
		t.Fatal("README has no commands")
	}
	return steps
}

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// self returns the path of this test's binary, which is also the program.
func self(t *testing.T) string {
	t.Helper()
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return name
}
