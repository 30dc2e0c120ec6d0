package examples_test

import (
	"testing"

	"github.com/cardea-dev/cardea/contract"
)

// TestSandboxIsNotProduction holds, for pages that print "ck_test_: Sandbox", that a test
// key's requests go to another API than a live key's (C0-11, C2-37). `cardea dev` puts its
// own sandboxes there, so that no script can see it.
func TestSandboxIsNotProduction(t *testing.T) {
	for _, page := range []string{"cohera", "cohera-api", "cohera-sdk", "coherence"} {
		c, err := contract.LoadFile(page + "/cardea.yaml")
		if err != nil {
			t.Fatal(err)
		}
		live, test := c.Environment("live"), c.Environment("test")
		if live == nil || test == nil || live.Upstream == "" || test.Upstream == "" || live.Upstream == test.Upstream {
			t.Errorf("%s: live and test must each have an upstream of their own", page)
		}
	}
}
