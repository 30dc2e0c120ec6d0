package dashtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cardea-dev/cardea/internal/token"
)

// Provider returns an identity provider with one key, "key-of-theirs": its metadata and
// its key set at /.well-known/jwks.json, and the key set at /bare/jwks.json, which does not
// tell whose it is.
func Provider(t testing.TB, algorithm string) *httptest.Server {
	t.Helper()
	private, err := token.Generate(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	set, err := token.PublicJWKS([]token.Key{{ID: "key-of-theirs", Algorithm: algorithm, Public: private.Public()}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, server.URL, server.URL+"/.well-known/jwks.json")
	})
	for _, path := range []string{"/.well-known/jwks.json", "/bare/jwks.json"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) })
	}
	return server
}
