package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/token"
)

// TestUnknownErrorsSayNothing: a cause that nobody classified is a server error without
// text, and what may pass is a 503 that says when to come again.
func TestUnknownErrorsSayNothing(t *testing.T) {
	w := newWorld(t, acme(t))
	for _, c := range []struct {
		name   string
		err    error
		status int
		code   string
		after  bool
	}{
		{"a defect", errors.New("pq: secret text"), 500, "server_error", false},
		{"a panic's", fmt.Errorf("deep: %w", errors.New("secret text")), 500, "server_error", false},
		{"too many signatures", fmt.Errorf("sign: %w", token.ErrBusy), 503, "temporarily_unavailable", true},
		{"no database", cardea.Errorf(cardea.KindUnavailable, "secret text"), 503, "temporarily_unavailable", true},
		{"a full disk", cardea.Errorf(cardea.KindStorageFull, "secret text"), 503, "temporarily_unavailable", true},
		{"a deadline", fmt.Errorf("query: %w", context.DeadlineExceeded), 503, "temporarily_unavailable", true},
		{"a refusal", fmt.Errorf("wrapped: %w", errRefresh), 400, "invalid_grant", false},
		{"throttled", errThrottled, 429, "temporarily_unavailable", true},
	} {
		out := httptest.NewRecorder()
		hr := httptest.NewRequest(http.MethodPost, "/oauth/token", nil)
		w.fail(out, &request{Request: hr, contract: w.contract.Load(), id: "req_1"}, c.err)
		if out.Code != c.status || !strings.Contains(out.Body.String(), `"error":"`+c.code+`"`) || strings.Contains(out.Body.String(), "secret") {
			t.Errorf("%s: %d %s", c.name, out.Code, out.Body)
		}
		if (out.Header().Get("Retry-After") != "") != c.after {
			t.Errorf("%s: Retry-After %q", c.name, out.Header().Get("Retry-After"))
		}
	}
	if !strings.Contains(w.logged(), "req_1") {
		t.Error("the operator is not told which request failed")
	}
}

// TestObjectsKeepTheirOrder: pages print the members of an answer in an order.
func TestObjectsKeepTheirOrder(t *testing.T) {
	text, err := object{{"b", 1}, {"a", "<&>\u2028\""}, {"none", nil}, {"list", []string{"x"}}}.text()
	if want := `{"b":1,"a":"<&>` + "\u2028" + `\"","list":["x"]}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
}
