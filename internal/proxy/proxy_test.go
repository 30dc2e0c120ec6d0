package proxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/sandbox"
)

// seen is what the sandbox shows of a request.
type seen struct {
	Request struct {
		Method, Path, Query string
		Headers             map[string]string
	} `json:"request"`
}

func parseSeen(t *testing.T, body string) seen {
	t.Helper()
	var s seen
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatalf("%v: %q", err, body)
	}
	return s
}

// Guarantee: an allowed request arrives with the facts about its caller, without its
// credential, under the environment's prefix, byte for byte; its answer tells limits
// and request id.
func TestAllowedRequestsAreForwarded(t *testing.T) {
	g := newGate(t, sandbox.New("live"), nil)
	res, body := g.ask(t, "GET", "/v1/modules/caf%C3%A9/records?limit=10&q=%2F", "", "X-Real-IP", "6.6.6.6", "X-Cardea-Subject", "usr_root")
	if res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	s := parseSeen(t, body)
	if s.Request.Path != "/v1/modules/caf%C3%A9/records" || s.Request.Query != "limit=10&q=%2F" {
		t.Errorf("target: %+v", s.Request)
	}
	h := s.Request.Headers
	host := strings.TrimPrefix(g.URL, "http://")
	_, port, _ := strings.Cut(host, ":")
	want := map[string]string{
		"host": host, "x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1", "x-forwarded-host": host,
		"x-forwarded-port": port, "x-forwarded-proto": "http", "x-cardea-organization": g.organization,
		"x-cardea-scopes": "read write", "x-cardea-environment": "live",
		"x-request-id": res.Header.Get("X-Request-Id"), "x-cardea-subject": h["x-cardea-credential"],
		"x-cardea-credential": h["x-cardea-credential"], "accept-encoding": "gzip", "user-agent": "Go-http-client/1.1",
	}
	if diff := cmp.Diff(want, h); diff != "" || !strings.HasPrefix(h["x-cardea-credential"], "key_") {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	test, err := g.key("test")
	if err != nil {
		t.Fatal(err)
	}
	_, body = g.ask(t, "GET", "/v1/modules/x/records", "", "Authorization", "", "Authorization", "Bearer "+test)
	if s := parseSeen(t, body); s.Request.Path != "/sandbox/v1/modules/x/records" || s.Request.Headers["x-cardea-environment"] != "test" {
		t.Errorf("test key: %+v", s.Request)
	}
}

// rawLines asks with raw bytes and returns the answer's head, line by line.
func rawLines(t *testing.T, g *gate, target, extra string) []string {
	t.Helper()
	answer := send(t, &front{Server: g.Server}, "GET "+target+" HTTP/1.1\r\nHost: api.acme.test\r\n"+
		"Authorization: Bearer "+g.secret+"\r\nConnection: close\r\n"+extra+"\r\n")
	head, _, _ := strings.Cut(answer, "\r\n\r\n")
	return strings.Split(head, "\r\n")
}

// Guarantee: limit headers, in exact case, and the request id are on every response
// that has a known caller, whatever it says.
func TestLimitHeadersAreOnEveryAnswerToAKnownCaller(t *testing.T) {
	g := newGate(t, sandbox.New("live"), nil)
	for _, tt := range []struct{ name, target, extra, status string }{
		{"allowed", "/v1/any/x", "", "200"},
		{"upstream's own error", "/v1/any/x", "X-Sandbox-Status: 503\r\n", "503"},
		{"time-out", "/v1/impatient", "X-Sandbox-Delay: 5s\r\n", "504"},
		{"no route", "/v2/nothing", "", "404"},
		{"no method", "/v1/small", "", "405"},
		{"answered by Cardea", "/v1/me", "", "200"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lines := rawLines(t, g, tt.target, tt.extra)
			if !strings.HasPrefix(lines[0], "HTTP/1.1 "+tt.status) {
				t.Fatalf("%s, want %s", lines[0], tt.status)
			}
			for _, name := range []string{"X-RateLimit-Limit: 1000000000", "X-RateLimit-Remaining: ", "X-RateLimit-Reset: ", "X-Request-Id: req_"} {
				n := 0
				for _, l := range lines {
					if strings.HasPrefix(l, name) {
						n++
					}
				}
				if n != 1 {
					t.Errorf("%d lines begin with %q:\n%s", n, name, strings.Join(lines, "\n"))
				}
			}
		})
	}
	res, _ := g.ask(t, "GET", "/v1/any/x", "", "Authorization", "")
	if res.StatusCode != 401 || res.Header.Get("X-RateLimit-Limit") != "" || res.Header.Get("X-Request-Id") == "" {
		t.Errorf("unknown caller: %d %v", res.StatusCode, res.Header)
	}
}

// wantDenial checks an error body of the contract's shape.
func wantDenial(t *testing.T, res *http.Response, body string, status int) {
	t.Helper()
	var e struct {
		Error struct {
			Code, Message string
			RequestID     string `json:"request_id"`
			Status        int
		}
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("%v: %q", err, body)
	}
	if res.StatusCode != status || e.Error.Status != status || e.Error.RequestID == "" ||
		e.Error.RequestID != res.Header.Get("X-Request-Id") || res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %v %+v, want %d in the contract's shape", res.StatusCode, res.Header, e, status)
	}
}

// Guarantee: every failure on the way is told in the contract's shape.
func TestFailuresHaveTheContractsShape(t *testing.T) {
	base, _ := rawUpstream(t, func(_, _ int, _ *http.Request) string { return "garbage\r\n\r\n" + hangUp })
	bad := newGateTo(t, base, nil)
	res, body := bad.ask(t, "GET", "/v1/any/x", "")
	wantDenial(t, res, body, 502)
	g := newGate(t, sandbox.New("live"), nil)
	res, body = g.ask(t, "GET", "/v1/impatient", "", "X-Sandbox-Delay", "5s")
	wantDenial(t, res, body, 504)
	res, body = g.ask(t, "POST", "/v1/small", strings.Repeat("x", 101))
	wantDenial(t, res, body, 413)
	res, body = g.ask(t, "GET", "/v1/any/x", "", "Authorization", "")
	wantDenial(t, res, body, 401)
	res, body = g.ask(t, "TRACE", "/v1/any/x", "")
	wantDenial(t, res, body, 404)
	for _, target := range []string{"/v1/any/a%2Fb", "/v1/any/../x", "/v1/any//x", "/v1/any/a;b", "/v1/any/%2e%2e/x", "/v1/any/%00"} {
		lines := rawLines(t, g, target, "")
		if lines[0] != "HTTP/1.1 400 Bad Request" {
			t.Errorf("%s: %s, want 400", target, lines[0])
		}
	}
	if lines := rawLines(t, g, "http://api.acme.test/v1/any/x", ""); lines[0] != "HTTP/1.1 400 Bad Request" {
		t.Errorf("absolute form: %s, want 400", lines[0])
	}
}

// Guarantee: public routes need no credential, get none, and tell the upstream of no
// caller, whatever is sent.
func TestPublicRoutesHaveNoCaller(t *testing.T) {
	g := newGate(t, sandbox.New("live"), nil)
	for _, authorization := range []string{"", "Bearer " + g.secret, "garbage"} {
		res, body := g.ask(t, "GET", "/v1/public/x", "", "Authorization", "", "Authorization", authorization,
			"X-Cardea-Organization", "org_1", "X-Cardea-Subject", "usr_1")
		h := parseSeen(t, body).Request.Headers
		if res.StatusCode != 200 || h["authorization"] != "" || h["x-cardea-subject"] != "" || h["x-cardea-organization"] != "" {
			t.Errorf("%q: %d %v", authorization, res.StatusCode, h)
		}
	}
}

// Guarantee: browsers get preflights answered without a credential, and see answers and
// refusals when their origin may; a route that passes preflights leaves all to the API.
func TestBrowsers(t *testing.T) {
	g := newGate(t, sandbox.New("live"), nil)
	res, body := g.ask(t, "OPTIONS", "/v1/open", "", "Authorization", "", "Origin", "https://app.acme.test",
		"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
	want := map[string]string{
		"Access-Control-Allow-Origin": "https://app.acme.test", "Access-Control-Allow-Methods": "GET",
		"Access-Control-Allow-Headers": "Authorization", "Access-Control-Max-Age": "3600",
	}
	for name, value := range want {
		if res.Header.Get(name) != value {
			t.Errorf("preflight: %s is %q, want %q", name, res.Header.Get(name), value)
		}
	}
	if res.StatusCode != 204 || body != "" || !strings.Contains(res.Header.Get("Vary"), "Origin") {
		t.Errorf("preflight: %d %v %q", res.StatusCode, res.Header, body)
	}
	res, _ = g.ask(t, "OPTIONS", "/v1/open", "", "Authorization", "", "Origin", "https://evil.test", "Access-Control-Request-Method", "GET")
	if res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("foreign origin: %v", res.Header)
	}
	for _, authorization := range []string{"Bearer " + g.secret, "Bearer wrong"} {
		res, _ = g.ask(t, "GET", "/v1/open", "", "Authorization", "", "Authorization", authorization, "Origin", "https://app.acme.test")
		if res.Header.Get("Access-Control-Allow-Origin") != "https://app.acme.test" || res.Header.Get("Vary") != "Origin" ||
			res.Header.Get("Access-Control-Expose-Headers") != "X-RateLimit-Limit" {
			t.Errorf("%d: %v", res.StatusCode, res.Header)
		}
	}
	res, _ = g.ask(t, "OPTIONS", "/v1/passed", "", "Authorization", "", "Origin", "https://x.test", "Access-Control-Request-Method", "PUT")
	if res.StatusCode != 204 || res.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("passed on: %d %v", res.StatusCode, res.Header)
	}
}

// Guarantee: what a trusted proxy says about the client's connection is passed on, and
// what a stranger says is not.
func TestOnlyTrustedProxiesSayHowTheClientConnected(t *testing.T) {
	extra := []string{"X-Forwarded-Proto", "https", "X-Forwarded-Port", "8443"}
	for _, trusted := range []bool{false, true} {
		g := newGate(t, sandbox.New("live"), func(c *Config) {
			if trusted {
				c.TrustedProxies = loopback
			}
		})
		_, body := g.ask(t, "GET", "/v1/any/x", "", extra...)
		h := parseSeen(t, body).Request.Headers
		if got := h["x-forwarded-proto"] == "https" && h["x-forwarded-port"] == "8443"; got != trusted {
			t.Errorf("trusted %v: %v", trusted, h)
		}
	}
}

// Guarantee: every request is recorded: who, what, why, and how it ended.
func TestEveryRequestIsRecorded(t *testing.T) {
	var mu sync.Mutex
	observed := map[cardea.Reason]int{}
	g := newGate(t, sandbox.New("live"), func(c *Config) {
		c.Observe = func(reason cardea.Reason, _ string, _ int, _ time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			observed[reason]++
		}
	})
	type outcome struct {
		Route  string
		Path   string
		Status int
		Reason cardea.Reason
		Step   cardea.Step
		Known  bool
	}
	want := map[string]outcome{}
	add := func(res *http.Response, o outcome) { want[res.Header.Get("X-Request-Id")] = o }
	res, _ := g.ask(t, "GET", "/v1/any/x?key=secret", "")
	add(res, outcome{"/v1/any/{rest...}", "/v1/any/x", 200, cardea.ReasonAllowed, cardea.StepLimit, true})
	res, _ = g.ask(t, "GET", "/v1/impatient", "", "X-Sandbox-Delay", "5s")
	add(res, outcome{"GET /v1/impatient", "/v1/impatient", 504, cardea.ReasonUpstreamTimeout, cardea.StepUpstream, true})
	res, _ = g.ask(t, "GET", "/v1/any/x", "", "Authorization", "")
	add(res, outcome{"/v1/any/{rest...}", "/v1/any/x", 401, cardea.ReasonMissingCredential, cardea.StepCredential, false})
	if err := g.cfg.Recorder.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := map[string]outcome{}
	for id := range want {
		row, err := g.store.Request(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		got[id] = outcome{row.Route, row.Path, row.Status, row.Reason, row.Step, row.Credential != ""}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request log (-want +got):\n%s", diff)
	}
	mu.Lock()
	defer mu.Unlock()
	if observed[cardea.ReasonAllowed] != 1 || observed[cardea.ReasonUpstreamTimeout] != 1 || observed[cardea.ReasonMissingCredential] != 1 {
		t.Errorf("observed: %v", observed)
	}
}

// Guarantee: requests of different callers at the same time never get each other's
// facts, answers or limits, on either path.
func TestCallersAreNeverMixedUp(t *testing.T) {
	g := newGate(t, sandbox.New("live"), nil)
	var wg sync.WaitGroup
	for worker := range 8 {
		k, err := g.manager.CreateKey(t.Context(), operator, manage.CreateKey{
			Kind: "api_key", Environment: "live", Organization: g.organization, Name: fmt.Sprint(worker),
		})
		if err != nil {
			t.Fatal(err)
		}
		id, key := k.Key.ID, k.Secret.Reveal()
		wg.Go(func() {
			for i := range 50 {
				headers := []string{"Authorization", "", "Authorization", "Bearer " + key, "X-Worker", fmt.Sprint(worker)}
				if i%3 == 0 {
					headers = append(headers, "TE", "trailers") // the standard path
				}
				res, body := g.ask(t, "GET", "/v1/any/x", "", headers...)
				h := parseSeen(t, body).Request.Headers
				if h["x-cardea-credential"] != id || h["x-worker"] != fmt.Sprint(worker) || h["x-request-id"] != res.Header.Get("X-Request-Id") {
					t.Errorf("worker %d got %v", worker, h)
				}
			}
		})
	}
	wg.Wait()
}

// Guarantee: when the database is gone, callers that are known go on and strangers get
// a 503 in the contract's shape, never access and never a 500.
func TestWithoutTheDatabaseOnlyKnownCallersPass(t *testing.T) {
	g := newGate(t, sandbox.New("live"), nil)
	unseen, err := g.key("live")
	if err != nil {
		t.Fatal(err)
	}
	if res, body := g.ask(t, "GET", "/v1/any/x", ""); res.StatusCode != 200 {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	_ = g.cfg.Recorder.Close() // what is recorded from here on is lost, and nobody waits
	if err := g.store.Close(); err != nil {
		t.Fatal(err)
	}
	if res, body := g.ask(t, "GET", "/v1/any/x", ""); res.StatusCode != 200 {
		t.Errorf("known caller: %d %s", res.StatusCode, body)
	}
	res, body := g.ask(t, "GET", "/v1/any/x", "", "Authorization", "", "Authorization", "Bearer "+unseen)
	wantDenial(t, res, body, 503)
	res, body = g.ask(t, "GET", "/v1/me", "")
	wantDenial(t, res, body, 503)
}
