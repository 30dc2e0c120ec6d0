package cardeatest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/cardeatest"
	"github.com/cardea-dev/cardea/examples"
)

// start runs an example's contract on a clock that stands still.
func start(t *testing.T, example string) *cardeatest.Server {
	t.Helper()
	text, ok := examples.Contract(example)
	if !ok {
		t.Fatalf("no example %s", example)
	}
	s := cardeatest.Start(t, cardeatest.Config{Contract: string(text)})
	s.StopClock(true)
	return s
}

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

// plan puts the demo organization on a plan.
func plan(t *testing.T, s *cardeatest.Server, name string) {
	t.Helper()
	if _, err := s.Admin().UpdateOrganization(t.Context(), admin.UpdateOrganization{ID: s.Organization(), Plan: &name}); err != nil {
		t.Fatalf("plan %s: %v", name, err)
	}
}

// nextMinute moves the clock to the start of a minute, so that what follows falls into
// one window.
func nextMinute(s *cardeatest.Server) {
	now := s.Now()
	s.Advance(now.Truncate(time.Minute).Add(time.Minute).Sub(now))
}
