package insight

import (
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
)

// Whatever refuses a request, there is a sentence that says so and one that helps.
func TestEveryReasonHasItsSentences(t *testing.T) {
	for _, r := range cardea.Reasons() {
		s, ok := sentences[r]
		if !ok || s[0] == "" || (s[1] == "") != (r == cardea.ReasonAllowed) {
			t.Errorf("%v: sentences %q", r, s)
		}
		if strings.Count(s[0]+s[1], "{") != strings.Count(s[0]+s[1], "}") {
			t.Errorf("%v: a placeholder is not closed", r)
		}
	}
	if len(sentences) != len(cardea.Reasons()) {
		t.Errorf("%d sentences for %d reasons", len(sentences), len(cardea.Reasons()))
	}
}
