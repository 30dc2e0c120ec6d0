package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea/internal/manage"
)

// Whatever body and query arrive, decoding neither panics nor takes in what encoding the
// result again would not show, and its errors are text that can be sent.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"x","limits":{"per_minute":1}}`, `{"name":"x","name":"y"}`, `{"NAME":1}`, `[]`, `{"scopes":[null]}`, `{"expires_at":"2026-11-22T10:00:00Z"}`,
		`{"id":"org_1"}`, strings.Repeat("[", 100), "\x00", `{"scopes":["\ud800"]}`, ``,
	} {
		f.Add(seed, "limit=1&cursor=x")
	}
	f.Fuzz(func(t *testing.T, body, query string) {
		r := httptest.NewRequest(http.MethodPatch, "/v1/keys/key_1", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.SetPathValue("id", "key_1")
		var in manage.UpdateKey
		if err := decode(httptest.NewRecorder(), r, []string{"id"}, &in); err != nil {
			checkProblem(t, err, body)
		} else if in.ID != "key_1" {
			t.Errorf("the body decided the id")
		}
		g := httptest.NewRequest(http.MethodGet, "/v1/keys", nil)
		g.URL.RawQuery = query
		var filter manage.KeyFilter
		if err := decode(httptest.NewRecorder(), g, nil, &filter); err != nil {
			checkProblem(t, err, query)
		}
	})
}

// checkProblem holds an error's text to what may be sent.
func checkProblem(t *testing.T, err error, input string) {
	t.Helper()
	p := problemOf(err)
	if p.Status < 400 || p.Status > 499 {
		t.Errorf("bad input is answered %d: %v", p.Status, err)
	}
	text, err := json.Marshal(p)
	if err != nil || !utf8.Valid(text) {
		t.Errorf("the problem is no JSON: %v", err)
	}
	if len(text) > 1000 {
		t.Errorf("a problem of %d bytes for an input of %d", len(text), len(input))
	}
}
