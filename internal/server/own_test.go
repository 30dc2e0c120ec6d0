package server

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/people"
)

// issuingContract has endpoints on three hosts.
const issuingContract = `cardea: 1
product: Test
hosts: {api: api.example.com, auth: auth.example.com, app: app.example.com}
issuer: https://auth.example.com
audience: https://api.example.com
environments:
  live: {upstream: "http://127.0.0.1:9"}
scopes: {read: Read}
clients: {grants: [client_credentials, authorization_code], authentication: [client_secret_post]}
tokens: {access: {format: jwt, lifetime: 1h, algorithm: ES256}}
endpoints:
  token: [{host: api, path: /oauth/token, grants: {client_credentials: client_credentials, authorization_code: authorization_code}}]
  authorize: {host: app, path: /oauth/authorize}
  jwks: {host: auth, path: /.well-known/jwks.json}
routes:
  - {match: "GET /v1/{path...}", public: true}
`

// issuingServer returns a server with endpoints of its own, not running yet.
func issuingServer(t *testing.T) *Server {
	t.Helper()
	settings := DefaultSettings()
	settings.Listen, settings.ManagementListen, settings.Data = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
	s, err := New(t.Context(), Config{
		Settings: settings, ContractText: []byte(issuingContract), Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask sends a request to the product's listener.
func ask(s *Server, method, host, target, authorization string) (int, string) {
	r := httptest.NewRequest(method, target, nil)
	r.Host, r.TLS = host, &tls.ConnectionState{} // people's pages need it
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	s.api.server.Handler.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Body) // a recorder's body never fails
	return w.Code, string(body)
}

// Each endpoint is at the host that the contract gives it, in its one spelling, and
// nowhere else.
func TestEndpointsAreAtTheirOwnHost(t *testing.T) {
	s := issuingServer(t)
	for _, c := range []struct {
		method, host, target string
		want                 int
	}{
		{"GET", "auth.example.com", "/.well-known/jwks.json", http.StatusOK},
		{"GET", "AUTH.example.com.:443", "/.well-known/jwks.json", http.StatusOK},
		{"GET", "api.example.com", "/.well-known/jwks.json", http.StatusNotFound},
		{"GET", "app.example.com", "/.well-known/jwks.json", http.StatusNotFound},
		{"GET", "evil.example", "/.well-known/jwks.json", http.StatusMisdirectedRequest},
		{"GET", "auth.example.com", "/.well-known/jwks%2ejson", http.StatusNotFound},
		{"GET", "auth.example.com", "//.well-known/jwks.json", http.StatusNotFound},
		{"POST", "api.example.com", "/oauth/token", http.StatusBadRequest},
		{"POST", "auth.example.com", "/oauth/token", http.StatusNotFound},
		{"GET", "app.example.com", "/signin", http.StatusOK},
		{"GET", "api.example.com", "/signin", http.StatusNotFound},
		{"GET", "auth.example.com", "/signin", http.StatusNotFound},
		{"GET", "api.example.com", "/v1/things", http.StatusBadGateway}, // asked of the API, which is not there
		{"GET", "app.example.com", "/v1/things", http.StatusNotFound},
		{"GET", "api.example.com", "/cardea/v1/keys", http.StatusNotFound},
	} {
		if got, body := ask(s, c.method, c.host, c.target, ""); got != c.want {
			t.Errorf("%s %s%s: %d, want %d: %s", c.method, c.host, c.target, got, c.want, body)
		}
	}
}

// On the app host the management API is for people who signed in. A management token is
// worth nothing there: it belongs to operators and their own listener.
func TestManagementAtTheAppHostIsForPeopleAlone(t *testing.T) {
	s := issuingServer(t)
	token, err := s.ManagementToken()
	if err != nil {
		t.Fatal(err)
	}
	if got, body := ask(s, "GET", "app.example.com", "/cardea/v1/keys", "Bearer "+token); got != http.StatusUnauthorized {
		t.Errorf("a management token at the app host: %d %s", got, body)
	}
	if got, _ := ask(s, "GET", "app.example.com", "/cardea/v1/keys", ""); got != http.StatusUnauthorized {
		t.Errorf("nobody at the app host: %d", got)
	}
	session := signIn(t, s)
	if got, body := ask(s, "GET", "app.example.com", "/cardea/v1/keys", "Bearer "+session); got != http.StatusOK {
		t.Errorf("a person at the app host: %d %s", got, body)
	}
	// and the other way round: a session opens nothing on the operators' listener
	r := httptest.NewRequest("GET", "/v1/keys", nil)
	r.Header.Set("Authorization", "Bearer "+session)
	w := httptest.NewRecorder()
	s.management.server.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("a session at the operators' listener: %d", w.Code)
	}
}

// signIn makes a member and returns the token of a session.
func signIn(t *testing.T, s *Server) string {
	t.Helper()
	ctx, operator := context.Background(), cardea.Actor{Type: "system", ID: "test"}
	o, err := s.manager.CreateOrganization(ctx, operator, manage.CreateOrganization{Name: "Acme"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.manager.CreateMember(ctx, operator, manage.CreateMember{Organization: o.ID, Email: "jo@acme.example", Name: "Jo", Role: cardea.RoleViewer})
	if err != nil {
		t.Fatal(err)
	}
	const password = "seven lamps above the harbour"
	if _, err := s.manager.SetPassword(ctx, operator, manage.SetPassword{Member: m.ID, Password: password}); err != nil {
		t.Fatal(err)
	}
	token, _, err := s.people.SignIn(ctx, people.Attempt{Email: "jo@acme.example", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

// A secret that a hook's receiver checks signatures with is the same after a restart: it
// is made of the master key.
func TestHookSecretOutlivesARestart(t *testing.T) {
	key := []byte(strings.Repeat("k", masterKeyBytes))
	var secrets []string
	for range 2 {
		secret, err := hookKey(key)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, string(secret))
	}
	if secrets[0] != secrets[1] || strings.Contains(secrets[0], string(key)) {
		t.Errorf("two starts, two keys: %x", secrets)
	}
}
