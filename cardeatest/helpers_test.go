package cardeatest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/cardeatest"
)

// An answer is a response that was read to its end.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// call sends a request with headers given as "Name: value".
func call(t *testing.T, s *cardeatest.Server, method, path string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// newKey creates a key of the demo organization and returns it with its secret.
func newKey(t *testing.T, s *cardeatest.Server, in admin.CreateKey) admin.KeySecret {
	t.Helper()
	if in.Organization == "" {
		in.Organization = s.Organization()
	}
	if in.Name == "" {
		in.Name = "made by a test"
	}
	made, err := s.Admin().CreateKey(t.Context(), in)
	if err != nil {
		t.Fatalf("create key: %v", err)
	}
	return made
}
