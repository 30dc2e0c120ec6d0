package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// actAs is the variable that turns this test's binary into the program.
const actAs = "CARDEA_TEST_ACT_AS"

// TestMain registers the program itself as the scripts' command `cardea`.
func TestMain(m *testing.M) {
	if os.Getenv(actAs) != "" {
		main()
		return
	}
	testscript.Main(m, map[string]func(){"cardea": main})
}

// A copy of the program that says for which machine or version it is stays the program; a
// link under a product's name is the product's command line.
func TestNamesOfTheProgram(t *testing.T) {
	for program, want := range map[string]string{
		"cardea": "", "/usr/local/bin/cardea": "", "cardea.exe": "", "./cardea-linux-amd64": "", "cardea-1.2": "", "cardea.test": "",
		"acme": "acme", "/usr/local/bin/acme.exe": "acme",
	} {
		if got := calledAs(program); got != want {
			t.Errorf("%s is the command line of %q, want %q", program, got, want)
		}
	}
}

// Where a product has several kinds of secret, each of its commands says which it is about.
func TestProductCommandsNameTheirKind(t *testing.T) {
	t.Setenv("CARDEA_CONTRACT", "../../examples/codehooks/cardea.yaml")
	var out bytes.Buffer
	if code := run(t.Context(), []string{"as", "coho", "--help"}, nil, &out, io.Discard); code != exitDone {
		t.Fatalf("the help ended with %d", code)
	}
	for _, want := range []string{"Admin token: create one", "API token: create one"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the help does not say %q:\n%s", want, &out)
		}
	}
}
