package interop

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

// C0-31: "local validation" of a token with the page's own options passes with PyJWT. The
// page hands decode() the whole key set, which no PyJWT takes: PyJWKClient picks the key
// that the token's header names, a person's token being the one that names it.
func TestPyJWTValidatesThePagesToken(t *testing.T) {
	program, err := program()
	if err != nil {
		t.Fatal(err)
	}
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	contract, err := filepath.Abs("../examples/cohera-api/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(scratch, "page")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w, err := run(program, dir, contract, port, "--tls-listen", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client := w.Clients["authorization_code"]
	c := oauth2.Config{
		ClientID: client.ID, ClientSecret: client.Secret, RedirectURL: client.Redirect, Scopes: []string{"entities:read", "entities:write"},
		Endpoint: oauth2.Endpoint{AuthURL: w.Base + "/oauth/authorize", TokenURL: w.Base + "/oauth/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	verifier := oauth2.GenerateVerifier()
	at, err := w.visit(c.AuthCodeURL("state", oauth2.S256ChallengeOption(verifier)))
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.Exchange(t.Context(), back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	python, err := filepath.Abs("python/.venv/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	validate := exec.Command(python, "page.py")
	validate.Dir = "python"
	validate.Env = append(os.Environ(), "TLS="+w.TLS, "CA="+w.CA, "TOKEN="+token.AccessToken)
	out, err := validate.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"scope": "entities:read entities:write"`) {
		t.Errorf("%v\n%s", err, out)
	}
	resp, err := c.Client(t.Context(), token).Get(w.Base + "/v1/entities")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the API says %s", resp.Status)
	}
}
