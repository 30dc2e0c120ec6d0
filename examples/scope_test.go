package examples_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdScope holds what a page says about a scope: scope FILE SCOPE 'METHOD URL'…. FILE is
// the page's table of scopes, "name: description" in each line. A key with this scope
// alone is answered 200 on each request; a key with all others, scopes that mean
// everything (those the page calls "full access") left out, is answered 403. Both are
// keys of the live environment.
func (s *script) cmdScope(ts *testscript.TestScript, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: scope FILE SCOPE 'METHOD URL'…")
	}
	var others []string
	found := false
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		scope, description, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case scope == args[1]:
			found = true
		case !strings.Contains(strings.ToLower(description), "full access"):
			others = append(others, scope)
		}
	}
	if !found {
		ts.Fatalf("%s is not in %s", args[1], args[0])
	}
	with := s.createKey(ts, args[1])
	without := s.createKey(ts, strings.Join(others, ","))
	for _, request := range args[2:] {
		method, url, _ := strings.Cut(request, " ")
		if status := s.call(ts, with, method, url); status != http.StatusOK {
			ts.Fatalf("%s with %s alone: %d, want 200", request, args[1], status)
		}
		if status := s.call(ts, without, method, url); status != http.StatusForbidden {
			ts.Fatalf("%s with every scope but %s: %d, want 403", request, args[1], status)
		}
	}
}

// createKey creates a key with some scopes and returns its secret.
func (s *script) createKey(ts *testscript.TestScript, scopes string) string {
	ts.Check(ts.Exec("cardea", "keys", "create", "scopes", "--org", s.dev.Organization, "--env", "live", "--scope", scopes, "-o", "json"))
	var made struct {
		Secret string `json:"secret"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &made))
	return made.Secret
}

// call sends a request that the sandbox answers with 200, whatever it is about, and
// returns the status of the answer.
func (s *script) call(ts *testscript.TestScript, key, method, url string) int {
	client, err := s.dev.client()
	ts.Check(err)
	defer client.CloseIdleConnections()
	req, err := http.NewRequest(method, url, nil)
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("X-Sandbox-Status", "200")
	resp, err := client.Do(req)
	ts.Check(err)
	_, err = io.Copy(io.Discard, resp.Body)
	ts.Check(errors.Join(err, resp.Body.Close()))
	return resp.StatusCode
}
