package token_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea/internal/token"
)

// vectors is a file of Project Wycheproof, as far as it is used.
type vectors struct {
	Groups []struct {
		Comment string         `json:"comment"`
		Public  jsontext.Value `json:"public"`
		Private jsontext.Value `json:"private"`
		Tests   []struct {
			ID      int      `json:"tcId"`
			Comment string   `json:"comment"`
			JWS     string   `json:"jws"`
			Result  string   `json:"result"`
			Flags   []string `json:"flags"`
		} `json:"tests"`
	} `json:"testGroups"`
}

// stricter are the valid vectors that are refused on purpose.
var stricter = map[string]string{
	"emptyPayload": "a JWT has claims",
	"Figure20":     "the header says PS384, the key PS256",
}

// Not a single vector of the JSON web crypto suites that is invalid verifies, and every
// valid one of an algorithm we use does. Those of symmetric keys never verify.
func TestWycheproof(t *testing.T) {
	for _, name := range []string{"json_web_signature_test.json", "json_web_key_test.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", "wycheproof", name))
		if err != nil {
			t.Fatal(err)
		}
		var file vectors
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		valid, invalid := 0, 0
		for _, group := range file.Groups {
			document := group.Public
			if document == nil {
				document = group.Private
			}
			if !strings.Contains(string(document), `"keys"`) {
				document = jsontext.Value(`{"keys":[` + string(document) + `]}`)
			}
			set, err := token.ParseKeySet(document, token.All())
			if err != nil && set != nil {
				t.Fatal("a set with an error")
			}
			ours := len(set.Keys()) > 0
			for _, test := range group.Tests {
				err := token.VerifySignature(test.JWS, set.Find)
				want := test.Result == "valid" && ours && stricter[test.Comment] == ""
				if (err == nil) != want {
					t.Errorf("%s: %s %d (%s, %s %v): %v", name, group.Comment, test.ID, test.Result, test.Comment, test.Flags, err)
				}
				if want {
					valid++
				} else {
					invalid++
				}
			}
		}
		t.Logf("%s: %d accepted, %d refused", name, valid, invalid)
		if want := map[string]int{"json_web_signature_test.json": 26, "json_web_key_test.json": 1}[name]; valid != want {
			t.Errorf("%s: %d vectors were accepted, want %d", name, valid, want)
		}
	}
}
