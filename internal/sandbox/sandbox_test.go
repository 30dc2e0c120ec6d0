package sandbox_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea/internal/sandbox"
)

// body is an answer as a client reads it.
type body struct {
	Data        any    `json:"data"`
	Error       string `json:"error"`
	Environment string `json:"environment"`
	Request     struct {
		Method, Path, Query string
		Headers             map[string]string
		Lines               []string
	} `json:"request"`
}

// do sends a request and decodes the answer.
func do(t *testing.T, h http.Handler, method, target, text string, headers ...string) (int, body, http.Header) {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(text))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var b body
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &b); err != nil {
			t.Fatalf("%s %s: answer is not JSON: %v", method, target, err)
		}
	}
	return w.Code, b, w.Header()
}

// Guarantee: what was posted can be listed, read, replaced, merged and deleted, under
// any path.
func TestCollectionsKeepWhatWasPosted(t *testing.T) {
	for _, path := range []string{"/v1/notes", "/dev/myapi", "/api/v0/a/b%20c/notes", "/notes"} {
		s := sandbox.New("test")
		if code, b, _ := do(t, s, "GET", path, ""); code != 200 || len(b.Data.([]any)) != 0 {
			t.Fatalf("%s: unknown collection: %d %v, want 200 and an empty list", path, code, b.Data)
		}
		code, b, h := do(t, s, "POST", path, `{"title":"a","n":1}`)
		id, _ := b.Data.(map[string]any)["id"].(string)
		if code != 201 || id == "" || h.Get("Location") != path+"/"+id {
			t.Fatalf("%s: POST: %d %v, Location %q", path, code, b.Data, h.Get("Location"))
		}
		if code, b, _ := do(t, s, "GET", path+"/", ""); code != 200 || len(b.Data.([]any)) != 1 {
			t.Errorf("%s: list: %d %v", path, code, b.Data)
		}
		_, b, _ = do(t, s, "PATCH", path+"/"+id, `{"n":2}`)
		want := map[string]any{"id": id, "title": "a", "n": 2.0}
		if diff := cmp.Diff(want, b.Data); diff != "" {
			t.Errorf("%s: PATCH: %s", path, diff)
		}
		do(t, s, "PUT", path+"/"+id, `{"title":"b"}`)
		_, b, _ = do(t, s, "GET", path+"/"+id, "")
		if diff := cmp.Diff(map[string]any{"id": id, "title": "b"}, b.Data); diff != "" {
			t.Errorf("%s: after PUT: %s", path, diff)
		}
		if code, _, _ := do(t, s, "DELETE", path+"/"+id, ""); code != 200 {
			t.Errorf("%s: DELETE: %d", path, code)
		}
		for _, method := range []string{"GET", "PATCH", "DELETE"} {
			if code, b, _ := do(t, s, method, path+"/"+id, ""); code != 404 || b.Error == "" {
				t.Errorf("%s: %s after DELETE: %d %q, want 404", path, method, code, b.Error)
			}
		}
	}
}

// Guarantee: every answer shows the request's headers, so that what a gateway adds and
// removes can be seen.
func TestAnswersShowTheRequest(t *testing.T) {
	_, b, _ := do(t, sandbox.New("live"), "GET", "/v1/x%20y?a=b", "", "X-Cardea-Subject", "usr_1", "X-Two", "1", "X-Two", "2")
	if b.Environment != "live" || b.Request.Method != "GET" || b.Request.Path != "/v1/x%20y" || b.Request.Query != "a=b" {
		t.Errorf("request shown as %+v", b)
	}
	want := map[string]string{"host": "example.com", "x-cardea-subject": "usr_1", "x-two": "1, 2"}
	if diff := cmp.Diff(want, b.Request.Headers); diff != "" {
		t.Error(diff)
	}
	lines := []string{"Host: example.com", "X-Cardea-Subject: usr_1", "X-Two: 1", "X-Two: 2"}
	if diff := cmp.Diff(lines, b.Request.Lines); diff != "" {
		t.Error(diff)
	}
}

// Guarantee: any body is taken, and nobody can make the sandbox grow without bound.
func TestBodiesOfEveryKindAreBounded(t *testing.T) {
	s := sandbox.New("test")
	for text, member := range map[string]string{"": "id", "[1]": "value", "plain": "body", "\xff": "bytes", "null": "value"} {
		code, b, _ := do(t, s, "POST", "/v1/x", text)
		if _, ok := b.Data.(map[string]any)[member]; code != 201 || !ok {
			t.Errorf("POST %q: %d %v, want member %q", text, code, b.Data, member)
		}
	}
	large := `{"a":"` + strings.Repeat("x", 60<<10) + `"}`
	if code, _, _ := do(t, s, "POST", "/v1/x", large+large); code != 413 {
		t.Errorf("POST of 120 KiB: %d, want 413", code)
	}
	full := 0
	for i := range 400 {
		if code, _, _ := do(t, s, "POST", fmt.Sprintf("/v1/c%d", i), large); code == 507 {
			full++
		}
	}
	if full == 0 {
		t.Error("24 MB were stored, want 507 at 16 MiB")
	}
	small := sandbox.New("test")
	for range 1100 {
		do(t, small, "POST", "/v1/c", `{}`)
	}
	if _, b, _ := do(t, small, "GET", "/v1/c", ""); len(b.Data.([]any)) != 100 {
		t.Errorf("a list shows %d items, want 100", len(b.Data.([]any)))
	}
}

// Guarantee: the helpers do what their names say.
func TestHelpers(t *testing.T) {
	s := sandbox.New("test")
	for path, want := range map[string]int{
		"/v1/__sandbox/status/503": 503, "/__sandbox/status/204": 204, "/__sandbox/status/99": 400,
		"/__sandbox/delay/1": 200, "/__sandbox/nothing": 404, "/__sandbox/status/x": 404, "/__sandbox/ws": 426,
	} {
		if code, _, _ := do(t, s, "GET", path, ""); code != want {
			t.Errorf("GET %s: %d, want %d", path, code, want)
		}
	}
	if code, b, _ := do(t, s, "GET", "/v1/x", "", "X-Sandbox-Status", "503", "X-Sandbox-Delay", "1ms"); code != 503 || b.Request.Path != "/v1/x" {
		t.Errorf("X-Sandbox-Status: %d %v, want 503", code, b)
	}
	_, b, _ := do(t, s, "POST", "/__sandbox/count", "hello")
	want := map[string]any{"bytes": 5.0, "sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}
	if diff := cmp.Diff(want, b.Data); diff != "" {
		t.Error(diff)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/__sandbox/sse?n=3&ms=1", nil))
	if n := strings.Count(w.Body.String(), "data: "); n != 3 {
		t.Errorf("sse sent %d events, want 3", n)
	}
	w = httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/__sandbox/bytes/100000", nil))
	if w.Body.Len() != 100000 {
		t.Errorf("bytes sent %d, want 100000", w.Body.Len())
	}
}

// Guarantee: the WebSocket helper echoes what a client masks.
func TestWebSocketEchoes(t *testing.T) {
	server := httptest.NewServer(sandbox.New("test"))
	defer server.Close()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET /__sandbox/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 101 || res.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("handshake: %d %v", res.StatusCode, res.Header)
	}
	if _, err := c.Write([]byte{0x81, 0x82, 1, 2, 3, 4, 'h' ^ 1, 'i' ^ 2, 0x88, 0x80, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(in)
	if err != nil || string(got) != "\x81\x02hi\x88\x00" {
		t.Errorf("echo = %q, %v", got, err)
	}
}
