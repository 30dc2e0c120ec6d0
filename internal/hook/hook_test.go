package hook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/condition"
	"github.com/cardea-dev/cardea/internal/fetch"
)

var signKey = []byte("0123456789abcdef0123456789abcdef")

func newAsker(parallel int) *Asker {
	return New(Config{
		Fetch: fetch.New(fetch.Config{}), Sign: signKey, Parallel: parallel,
		Now: func() time.Time { return time.Unix(1_800_000_000, 0) },
	})
}

// serve starts a real service and returns a hook that asks it.
func serve(t *testing.T, h http.HandlerFunc) *contract.Hook {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a server notices only then that its client is gone
		r.Body = io.NopCloser(bytes.NewReader(body))
		h(w, r)
	}))
	t.Cleanup(server.Close)
	return &contract.Hook{Match: "/{rest...}", URL: server.URL + "/auth", Timeout: 5 * time.Second}
}

func answering(t *testing.T, body string) *contract.Hook {
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	})
}

var question = Question{
	RequestID: "req_1", Method: "GET", Path: "/dev/open", Query: url.Values{"a": {"1", "2"}}, Host: "shop.example",
	Environment: "dev", ClientAddress: "203.0.113.7", Route: "GET /{environment}/{rest...}",
	Header: http.Header{
		"Accept": {"*/*"}, "X-Plan": {"a", "b"}, "Authorization": {"Bearer sk_live_secret"}, "Cookie": {"session=secret"},
		"X-Api-Key": {"secret"}, "Dpop": {"secret"}, "proxy-authorization": {"Basic secret"}, "X-Odd": {"caf\xe9"},
	},
	Principal: &cardea.Principal{
		Organization: "org_1", Subject: "usr_1", Credential: "key_1", Kind: "api_key", Plan: "pro", Scopes: []string{"read"},
	},
}

// The service learns what it needs to decide, from somebody who can prove who asks, and
// no secret.
func TestTheQuestion(t *testing.T) {
	var got struct {
		header http.Header
		method string
		body   []byte
	}
	h := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got.header, got.method = r.Header, r.Method
		got.body, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, `{"allow": true}`)
	})
	a := newAsker(0)
	answer, err := a.Ask(context.Background(), h, question)
	if err != nil || !answer.Allow {
		t.Fatalf("%+v, %v", answer, err)
	}
	if got.method != "POST" || got.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s, %v", got.method, got.header)
	}
	if strings.Contains(string(got.body), "secret") || strings.Contains(fmt.Sprint(got.header), "secret") {
		t.Errorf("a credential is sent on: %s", got.body)
	}
	var body map[string]any
	if err := json.Unmarshal(got.body, &body); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"type": "request.authorize", "timestamp": "2027-01-15T08:00:00Z",
		"request": map[string]any{
			"id": "req_1", "method": "GET", "host": "shop.example", "path": "/dev/open", "query": map[string]any{"a": []any{"1", "2"}},
			"headers": map[string]any{"accept": "*/*", "x-plan": "a, b", "x-odd": "caf\ufffd"},
			"address": "203.0.113.7", "environment": "dev", "route": "GET /{environment}/{rest...}",
		},
		"principal": map[string]any{
			"subject": "usr_1", "organization": "org_1", "credential": "key_1", "kind": "api_key", "plan": "pro", "scopes": []any{"read"},
		},
	}
	if diff := cmp.Diff(want, body); diff != "" {
		t.Error(diff)
	}

	// As a receiver checks it, with the secret that Cardea shows.
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a.Secret(), "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", got.header.Get("Webhook-Id"), got.header.Get("Webhook-Timestamp"), got.body)
	if sum := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); got.header.Get("Webhook-Signature") != sum {
		t.Errorf("signature %s, want %s", got.header.Get("Webhook-Signature"), sum)
	}
	if got.header.Get("Webhook-Timestamp") != "1800000000" || !strings.HasPrefix(got.header.Get("Webhook-Id"), "msg_") {
		t.Errorf("headers: %v", got.header)
	}
}

// Without a credential the question has no principal: nobody is taken for somebody.
func TestNobodyIsNoPrincipal(t *testing.T) {
	var body []byte
	h := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"allow":true}`)
	})
	if _, err := newAsker(0).Ask(context.Background(), h, Question{RequestID: "req_1", Method: "GET", Path: "/"}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(body), "principal") || !strings.Contains(string(body), `"query":{}`) {
		t.Errorf("%s", body)
	}
}

// A refusal is the service's own, within the bounds of what a refusal may say.
func TestRefusals(t *testing.T) {
	for body, want := range map[string]Answer{
		`{"allow":false}`: {},
		`{"allow":false,"status":403,"body":"No soup!"}`: {
			Status: 403, Header: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, Body: []byte("No soup!"),
		},
		`{"allow":false,"status":401,"headers":{"www-authenticate":"Basic realm=\"x\"","content-type":"application/json"},"body":"{}"}`: {
			Status: 401, Header: http.Header{"Www-Authenticate": {`Basic realm="x"`}, "Content-Type": {"application/json"}}, Body: []byte("{}"),
		},
		`{"allow":false,"status":302,"headers":{"Location":"https://shop.example/login"}}`: {
			Status: 302, Header: http.Header{"Location": {"https://shop.example/login"}},
		},
		`{"allow":false,"status":429,"headers":{"Retry-After":"7","Cache-Control":"no-store"}}`: {
			Status: 429, Header: http.Header{"Retry-After": {"7"}, "Cache-Control": {"no-store"}},
		},
	} {
		got, err := newAsker(0).Ask(context.Background(), answering(t, body), question)
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

// What is not understood to the last letter is no answer, and never a yes.
func TestStrangeAnswersCloseTheDoor(t *testing.T) {
	for _, body := range []string{
		``, `null`, `true`, `[]`, `{}`, `{"allow":null}`, `{"allow":"true"}`, `{"allow":1}`, `{"Allow":true}`, `{"ALLOW":true}`,
		`{"allow":true,"allow":true}`, `{"allow":false,"allow":true}`, `{"allow":true}{}`, `{"allow":true} x`, `{"allow":true`,
		`{"allow":true,"extra":1}`, `{"allow":true,"status":403}`, `{"allow":true,"body":""}`, `{"allow":true,"headers":{}}`,
		`{"allow":false,"status":200}`, `{"allow":false,"status":204}`, `{"allow":false,"status":500}`, `{"allow":false,"status":101}`,
		`{"allow":false,"status":-1}`, `{"allow":false,"status":403.5}`, `{"allow":false,"status":"403"}`, `{"allow":false,"body":"x"}`,
		`{"allow":false,"status":304}`, `{"allow":false,"status":302}`, `{"allow":false,"status":302,"headers":{"Location":"/login"}}`,
		`{"allow":false,"status":302,"headers":{"Location":"http://shop.example/"}}`,
		`{"allow":false,"status":302,"headers":{"Location":"javascript:alert(1)"}}`,
		`{"allow":false,"status":302,"headers":{"Location":"https://shop.example@evil.example/"}}`,
		`{"allow":false,"status":302,"headers":{"Location":"https://a.example/","location":"https://b.example/"}}`,
		`{"allow":false,"status":403,"headers":{"Location":"https://shop.example/"}}`,
		`{"allow":false,"status":403,"headers":{"Set-Cookie":"a=b"}}`,
		`{"allow":false,"status":403,"headers":{"Connection":"close"}}`,
		`{"allow":false,"status":403,"headers":{"Transfer-Encoding":"chunked"}}`,
		`{"allow":false,"status":403,"headers":{"Access-Control-Allow-Origin":"*"}}`,
		`{"allow":false,"status":403,"headers":{"X-Request-Id":"1"}}`,
		`{"allow":false,"status":403,"headers":{"Content-Type":"text/plain\r\nSet-Cookie: a=b"}}`,
		`{"allow":false,"status":403,"headers":{"Content-Type":"\u0000"}}`,
	} {
		got, err := newAsker(0).Ask(context.Background(), answering(t, body), question)
		if !errors.Is(err, ErrAnswer) || got.Allow || got.Status != 0 {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "evil") {
			t.Errorf("the error repeats the answer: %v", err)
		}
	}
}

// Whatever happens to a service, a request it should have been asked about is refused.
func TestFailingServicesCloseTheDoor(t *testing.T) {
	const yes = `{"allow":true}`
	reply := func(w http.ResponseWriter, status int, kind, body string) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
	handlers := map[string]http.HandlerFunc{
		"slow header": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"slow body": func(w http.ResponseWriter, r *http.Request) {
			reply(w, 200, "application/json", `{"allow":`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"dies": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"dies in the body": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			reply(w, 200, "application/json", yes)
			panic(http.ErrAbortHandler)
		},
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, "application/json", yes+strings.Repeat(" ", 65<<10))
		},
		"error":      func(w http.ResponseWriter, _ *http.Request) { reply(w, 500, "application/json", yes) },
		"created":    func(w http.ResponseWriter, _ *http.Request) { reply(w, 201, "application/json", yes) },
		"html":       func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, "text/html", yes) },
		"no type":    func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, "", yes) },
		"no content": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/yes" {
				reply(w, 200, "application/json", yes)
				return
			}
			http.Redirect(w, r, "/yes", http.StatusTemporaryRedirect)
		},
		"compressed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			reply(w, 200, "application/json", yes)
		},
	}
	for name, handler := range handlers {
		t.Run(name, func(t *testing.T) {
			h := serve(t, handler)
			h.Timeout = 100 * time.Millisecond
			start := time.Now()
			got, err := newAsker(0).Ask(context.Background(), h, question)
			if err == nil || got.Allow {
				t.Errorf("%+v, %v", got, err)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
			if err != nil && strings.Contains(err.Error(), h.URL) {
				t.Errorf("the error holds the URL: %v", err)
			}
		})
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	if got, err := newAsker(0).Ask(context.Background(), &contract.Hook{URL: gone.URL, Timeout: time.Second}, question); err == nil || got.Allow {
		t.Errorf("nobody is there: %+v, %v", got, err)
	}
}

// A request that is gone is not asked about any longer.
func TestTheContextEndsAQuestion(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	h := serve(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	if _, err := newAsker(0).Ask(ctx, h, question); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A hook that hangs holds so many requests and no more, and none of another hook.
func TestASlowHookTakesOnlyItsShare(t *testing.T) {
	hang := make(chan struct{})
	arrived := make(chan struct{}, 100)
	slow := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-hang
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"allow":true}`)
	})
	a := newAsker(2)
	g := a.gate(slow.URL)
	var wg sync.WaitGroup
	for range 2 + 2*waitingFor {
		wg.Go(func() {
			if got, err := a.Ask(context.Background(), slow, question); err != nil || !got.Allow {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	<-arrived
	<-arrived
	for g.waiting.Load() < 2*waitingFor { // the rest is on its way to the gate
		runtime.Gosched()
	}
	if _, err := a.Ask(context.Background(), slow, question); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	if len(arrived) != 0 {
		t.Error("more than two were asked at once")
	}
	if got, err := a.Ask(context.Background(), answering(t, `{"allow":true}`), question); err != nil || !got.Allow {
		t.Errorf("another hook: %+v, %v", got, err)
	}
	close(hang)
	wg.Wait()
	if len(g.turns) != 0 || g.waiting.Load() != 0 {
		t.Error("turns were not given back")
	}
}

// Who waits for a turn waits no longer than the hook's timeout.
func TestWaitingEnds(t *testing.T) {
	a := newAsker(1)
	h := answering(t, `{"allow":true}`)
	h.Timeout = 50 * time.Millisecond
	if err := a.gate(h.URL).enter(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Ask(context.Background(), h, question); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// A condition decides in place; one that cannot be decided closes the door.
func TestConditions(t *testing.T) {
	for text, want := range map[string]struct{ allow, fails bool }{
		`credential.plan == "pro" && request.headers["accept"] == "*/*"`:         {allow: true},
		`request.environment == "live"`:                                          {},
		`request.headers["x-missing"] == ""`:                                     {fails: true},
		`"authorization" in request.headers || "cookie" in request.headers`:      {},
		`now == timestamp("2027-01-15T08:00:00Z") && request.query["a"] != []`:   {allow: true},
		`request.path == "/dev/open" && request.address.startsWith("203.0.113")`: {allow: true},
	} {
		c, err := condition.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := newAsker(0).Ask(context.Background(), &contract.Hook{Condition: c, CEL: text, Timeout: time.Second}, question)
		if got.Allow != want.allow || (err != nil) != want.fails {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

// However an answer looks: it allows only by saying so, and its header is from the list.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`{"allow":true}`, `{"allow":false,"status":403,"headers":{"Location":"x"},"body":"b"}`, `{"allow":false}`, `{`, "\xff",
		`{"allow":false,"status":302,"headers":{"location":"https://a.example/"}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parse(fetch.Response{Status: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: body})
		if err != nil {
			if !cmp.Equal(got, Answer{}) || !errors.Is(err, ErrAnswer) {
				t.Fatalf("%+v, %v", got, err)
			}
			return
		}
		var plain struct {
			Allow bool `json:"allow"`
		}
		if err := json.Unmarshal(body, &plain); err != nil || plain.Allow != got.Allow {
			t.Fatalf("%s: %+v, %v", body, got, err)
		}
		if got.Allow && (got.Status != 0 || got.Body != nil) || got.Status != 0 && (got.Status < 300 || got.Status > 499) {
			t.Fatalf("%s: %+v", body, got)
		}
		for name, values := range got.Header {
			if !answerHeaders[name] || len(values) != 1 || strings.ContainsAny(values[0], "\r\n\x00") {
				t.Fatalf("%s: %v", body, got.Header)
			}
		}
	})
}
