package examples_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/cardea-dev/cardea/contract"
	"github.com/rogpeppe/go-internal/testscript"
)

// cmdScope holds what a page says about a scope: scope FILE SCOPE 'METHOD URL'…. FILE is
// the page's table of scopes, "name: description" in each line. A key with this scope
// alone is answered 200 on each request; a key with all others, scopes that mean
// everything (those the page calls "full access") left out, is answered 403. Both are
// keys of the live environment; with scope of-a-person FILE … they are access tokens that
// a person consented to.
func (s *script) cmdScope(ts *testscript.TestScript, args []string) {
	credential := s.createKey
	if len(args) > 0 && args[0] == "of-a-person" {
		credential, args = s.consentTo, args[1:]
	}
	if len(args) < 3 {
		ts.Fatalf("usage: scope [of-a-person] FILE SCOPE 'METHOD URL'…")
	}
	var others []string
	found := false
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		scope, description, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case scope == args[1]:
			found = true
		case !meansEverything(description):
			others = append(others, scope)
		}
	}
	if !found {
		ts.Fatalf("%s is not in %s", args[1], args[0])
	}
	with := credential(ts, args[1:2])
	without := credential(ts, others)
	for _, request := range args[2:] {
		method, address, _ := strings.Cut(request, " ")
		if status := s.call(ts, with, method, address); status != http.StatusOK {
			ts.Fatalf("%s with %s alone: %d, want 200", request, args[1], status)
		}
		if status := s.call(ts, without, method, address); status != http.StatusForbidden {
			ts.Fatalf("%s with every scope but %s: %d, want 403", request, args[1], status)
		}
	}
}

// meansEverything reports whether a page describes a scope as all others together.
func meansEverything(description string) bool {
	d := strings.ToLower(description)
	return strings.Contains(d, "full access") || strings.Contains(d, "administrative access")
}

// createKey creates a key with some scopes and returns its secret.
func (s *script) createKey(ts *testscript.TestScript, scopes []string) string {
	ts.Check(ts.Exec("cardea", "keys", "create", "scopes", "--org", s.dev.Organization, "--env", "live",
		"--scope", strings.Join(scopes, ","), "-o", "json"))
	var made struct {
		Secret string `json:"secret"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &made))
	return made.Secret
}

// consentTo has a person consent to some scopes and returns the application's access
// token.
func (s *script) consentTo(ts *testscript.TestScript, scopes []string) string {
	app := s.dev.Clients["authorization_code"]
	endpoints := s.endpoints(ts)
	s.cmdBrowse(ts, []string{"allow", endpoints.authorize + "?" + url.Values{
		"response_type": {"code"}, "client_id": {app.ClientID}, "redirect_uri": {app.RedirectURI},
		"scope": {strings.Join(scopes, " ")},
	}.Encode()})
	client, err := s.dev.client()
	ts.Check(err)
	defer client.CloseIdleConnections()
	resp, err := client.PostForm(endpoints.token, url.Values{
		"grant_type": {"authorization_code"}, "client_id": {app.ClientID}, "client_secret": {app.ClientSecret},
		"redirect_uri": {app.RedirectURI}, "code": {ts.Getenv("CODE")},
	})
	ts.Check(err)
	var made struct {
		AccessToken string `json:"access_token"`
	}
	ts.Check(errors.Join(json.NewDecoder(resp.Body).Decode(&made), resp.Body.Close()))
	return made.AccessToken
}

// endpoints returns where the page's contract has its authorization and token endpoints.
func (s *script) endpoints(ts *testscript.TestScript) (e struct{ authorize, token string }) {
	c, err := contract.LoadFile(s.contract)
	ts.Check(err)
	e.authorize, e.token = c.Endpoints().Authorize.URL(), c.Endpoints().Token[0].URL()
	return e
}

// call sends a request that the sandbox answers with 200, whatever it is about, and
// returns the status of the answer.
func (s *script) call(ts *testscript.TestScript, key, method, address string) int {
	client, err := s.dev.client()
	ts.Check(err)
	defer client.CloseIdleConnections()
	req, err := http.NewRequest(method, address, nil)
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("X-Sandbox-Status", "200")
	resp, err := client.Do(req)
	ts.Check(err)
	_, err = io.Copy(io.Discard, resp.Body)
	ts.Check(errors.Join(err, resp.Body.Close()))
	return resp.StatusCode
}
