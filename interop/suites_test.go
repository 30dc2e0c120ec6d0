package interop

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// suite runs the tests of another language, which find their clients in the environment.
func suite(t *testing.T, dir string, command ...string) {
	t.Helper()
	w := open(t)
	every := []string{"openid", "profile", "email", "offline_access", "read", "write"}
	clients := map[string]map[string]string{}
	for name, r := range map[string]registration{
		"machine":      {Grants: []string{"client_credentials"}, Scopes: []string{"read", "write"}},
		"confidential": {Grants: []string{"authorization_code", "refresh_token"}, RedirectURIs: []string{redirect}, Scopes: every},
		"public": {
			Public: true, Grants: []string{"authorization_code", "refresh_token", "device_code"}, RedirectURIs: []string{redirect}, Scopes: every,
		},
	} {
		r.Name = t.Name() + " " + name
		id, secret := w.register(t, r)
		clients[name] = map[string]string{"id": id, "secret": secret}
	}
	text, err := json.Marshal(map[string]any{
		"base": w.Base, "browser": w.browser, "management": w.Management, "token": w.Token, "organization": w.Org,
		"clients": clients, "account_file": w.AccountFile, "email": w.Users[0].Email,
	})
	if err != nil {
		t.Fatal(err)
	}
	world := filepath.Join(t.TempDir(), "world.json")
	if err := os.WriteFile(world, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(command[0], command[1:]...)
	c.Dir = dir
	c.Env = append(os.Environ(), "WORLD="+world, "OAUTHLIB_INSECURE_TRANSPORT=1", "AUTHLIB_INSECURE_TRANSPORT=1", "NODE_NO_WARNINGS=1")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	} else {
		t.Logf("%s", out)
	}
}

// openid-client and oauth4webapi: js/*.test.mjs.
func TestNodeClients(t *testing.T) { suite(t, "js", "node", "--test") }

// PyJWT, Authlib and requests-oauthlib: python/test_*.py.
func TestPythonClients(t *testing.T) {
	python, err := filepath.Abs("python/.venv/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	suite(t, "python", python, "-m", "unittest", "-v")
}
