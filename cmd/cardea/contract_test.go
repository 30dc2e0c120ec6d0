package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea/admin"
)

// What a contract would do is told so that somebody decides by it: what breaks first,
// where it stands in the file, whom it concerns.
func TestImpactIsReadable(t *testing.T) {
	for _, c := range []struct {
		name  string
		found admin.Impact
		want  string
	}{
		{"changes", admin.Impact{Valid: true, Breaks: true, Changes: []admin.ContractChange{
			{Severity: "breaks", What: "scope", Where: "items:delete", Credentials: 7, Examples: []string{"CI", "Billing", "Nightly", "a\x1b[2Jb", "Old"},
				Effect: "the scope is gone: whoever was granted it loses it"},
			{Severity: "breaks", What: "plan", Where: "starter", Line: 14, Organizations: 1, Effect: "the limits become lower: 100 a minute (300 now)"},
			{Severity: "warns", What: "issuer", Where: "https://id.example.com", Credentials: -1, Organizations: -1,
				Effect: "access tokens that were issued so far are refused: clients need new ones"},
			{Severity: "informs", What: "kind", Where: "admin_token", Effect: "the kind is gone: its credentials are refused"},
		}}, `breaks  scope items:delete (next.yaml)
        the scope is gone: whoever was granted it loses it
        concerns 7 live credentials: CI, Billing, Nightly, a�[2Jb, Old and 2 more
breaks  plan starter (next.yaml:14)
        the limits become lower: 100 a minute (300 now)
        concerns 1 organization
warns   issuer https://id.example.com (next.yaml)
        access tokens that were issued so far are refused: clients need new ones
        concerns whoever uses it: nobody counts them
informs kind admin_token (next.yaml)
        the kind is gone: its credentials are refused
        concerns nobody now
breaking: 2, to know of: 1, of no concern to anybody: 1
`},
		{"none", admin.Impact{Valid: true}, "no credential, organization or route notices the difference\n"},
		{"broken", admin.Impact{Problems: []admin.ContractProblem{{Severity: "error", Line: 3, Column: 5, Text: "no such plan", Hint: "did you mean pro?"}}},
			"next.yaml:3:5: error: no such plan\n    did you mean pro?\nnext.yaml is no contract: nothing was compared\n"},
	} {
		var out strings.Builder
		printImpact(&out, "next.yaml", c.found)
		if diff := cmp.Diff(c.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
