package examples_test

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdJWT takes a signed token apart: jwt header|payload TOKEN. What it says becomes the
// output, for body and json to look at. Nothing is verified here.
func (s *script) cmdJWT(ts *testscript.TestScript, args []string) {
	parts := map[string]int{"header": 0, "payload": 1}
	if len(args) != 2 {
		ts.Fatalf("usage: jwt header|payload TOKEN")
	}
	i, ok := parts[args[0]]
	pieces := strings.Split(args[1], ".")
	if !ok || len(pieces) != 3 {
		ts.Fatalf("not a part of a signed token")
	}
	text, err := base64.RawURLEncoding.DecodeString(pieces[i])
	ts.Check(err)
	s.output = text
}

// bend returns a token with one bit of its signature flipped: bend VARIABLE TOKEN.
func (s *script) cmdBend(ts *testscript.TestScript, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: bend VARIABLE TOKEN")
	}
	i := strings.LastIndexByte(args[1], '.')
	signature, err := base64.RawURLEncoding.DecodeString(args[1][i+1:])
	ts.Check(err)
	signature[len(signature)/2] ^= 1
	ts.Setenv(args[0], fmt.Sprintf("%s.%s", args[1][:i], base64.RawURLEncoding.EncodeToString(signature)))
}
