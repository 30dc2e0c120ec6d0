package main

import (
	"os"
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
