package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea/admin"
)

// serve returns a client of a server that answers everything with handler.
func serve(t *testing.T, handler http.HandlerFunc) *admin.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := admin.New(admin.Config{URL: server.URL + "/", Token: "cardea_mt_token"})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestTheTokenGoesNowhereElse(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a redirect was followed, with Authorization %q", r.Header.Get("Authorization"))
	}))
	defer other.Close()
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer cardea_mt_token" {
			t.Errorf("Authorization %q", got)
		}
		if strings.Contains(r.URL.String(), "token") {
			t.Errorf("the token is in the URL")
		}
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	_, err := client.GetContract(t.Context())
	var e *admin.Error
	if !errors.As(err, &e) || e.Status != http.StatusTemporaryRedirect || strings.Contains(err.Error(), "cardea_mt_") {
		t.Errorf("error %v", err)
	}
}

func TestIDsCannotLeaveTheirPlaceInThePath(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/v1/keys/..%2Fmanagement-tokens%3Fx/revoke" || r.URL.RawQuery != "" {
			t.Errorf("path %s", r.URL.EscapedPath())
		}
		_, _ = io.WriteString(w, `{}`)
	})
	if _, err := client.RevokeKey(t.Context(), admin.RevokeKey{ID: "../management-tokens?x"}); err != nil {
		t.Error(err)
	}
}

func TestAnswersThatAreNoProblemKeepTheirStatus(t *testing.T) {
	for _, body := range []string{"", "<html>Bad Gateway</html>", `{"title":5}`, `{}`, `null`} {
		client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, body)
		})
		_, err := client.GetKey(t.Context(), "key_1")
		var e *admin.Error
		if !errors.As(err, &e) || e.Status != http.StatusBadGateway || e.Error() != "Bad Gateway" {
			t.Errorf("body %q: error %v", body, err)
		}
	}
}

func TestGarbageIsAnError(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"id":`) })
	if _, err := client.GetKey(t.Context(), "key_1"); err == nil {
		t.Error("half an answer is accepted")
	}
	for _, err := range client.ListKeys(t.Context(), admin.KeyFilter{}) {
		if err == nil {
			t.Error("half a list is accepted")
		}
	}
}

func TestACutOffBackupIsAnError(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 100_000))
		panic(http.ErrAbortHandler)
	})
	backup, err := client.CreateBackup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer backup.Close()
	if _, err := io.Copy(io.Discard, backup); err == nil {
		t.Error("a cut-off backup looks complete")
	}
}

func TestURLsThatCannotBeAManagementListenerAreRefused(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:8081", "ftp://x", "http://", "http://user:pass@x", "http://x?token=y", "unix:///x", "http://%zz"} {
		if _, err := admin.New(admin.Config{URL: url}); err == nil {
			t.Errorf("%q is accepted", url)
		}
	}
}

func TestSecretsPrintRedacted(t *testing.T) {
	var created admin.KeySecret
	if err := json.Unmarshal([]byte(`{"key":{},"secret":"ck_live_0123456789abcdef"}`), &created); err != nil {
		t.Fatal(err)
	}
	if created.Secret.Reveal() != "ck_live_0123456789abcdef" {
		t.Errorf("revealed %q", created.Secret.Reveal())
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", created, "secret", created.Secret)
	text, err := json.Marshal(created)
	if err != nil {
		t.Fatal(err)
	}
	printed := ""
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		printed += fmt.Sprintf(verb, created) + fmt.Sprintf(verb, created.Secret)
	}
	for what, s := range map[string]string{"fmt": printed, "slog": log.String(), "JSON": string(text)} {
		if strings.Contains(s, "0123456789") || !strings.Contains(s, "ck_live_…") {
			t.Errorf("%s shows %s", what, s)
		}
	}
}

// The package comment's example.
func ExampleClient_ListKeys() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := `{"items":[{"id":"key_1","name":"CI","status":"active"}],"next":"abc"}`
		if r.URL.Query().Get("cursor") == "abc" {
			page = `{"items":[{"id":"key_2","name":"Laptop","status":"idle"}]}`
		}
		_, _ = io.WriteString(w, page)
	}))
	defer server.Close()

	client, err := admin.New(admin.Config{URL: server.URL, Token: "cardea_mt_…"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for key, err := range client.ListKeys(context.Background(), admin.KeyFilter{Organization: "org_1"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(key.ID, key.Name, key.Status)
	}
	// Output:
	// key_1 CI active
	// key_2 Laptop idle
}
