package examples_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// dial opens a connection to dev's plain listener: bytes go out as they are written, which
// no HTTP client would do with most of them.
func (d *dev) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.API, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// raw sends bytes and returns the first response. Body errors are of no interest: a
// server may cut off who does not speak HTTP.
func (d *dev) raw(t *testing.T, request string) (*http.Response, string) {
	t.Helper()
	conn := d.dial(t)
	go func() { _, _ = io.WriteString(conn, request) }() // the server need not read it all
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("no response: %v", err)
	}
	body, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	return resp, string(body)
}

// runDev starts Cardea on a page's contract for the length of a test. At the end it must
// have survived, end well, and have said no secret.
func runDev(t *testing.T, page string, args ...string) *dev {
	t.Helper()
	contract, err := filepath.Abs(page + "/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := startDev(t.TempDir(), contract, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.stop(); err != nil {
			t.Error(err)
		}
		if out := d.output.String(); strings.Contains(out, "panic") || strings.Contains(out, "goroutine ") {
			t.Errorf("it panicked:\n%s", out)
		}
	})
	return d
}

// lines joins header lines and ends the head.
func lines(all ...string) string { return strings.Join(all, "\r\n") + "\r\n\r\n" }

const host = "Host: api.cohera.io"

// TestHostileRequests sends what no well-meaning client sends. Nothing of it may reach
// the API as something else than it is, be answered with a redirect or a server error, or
// show a secret; and what Cardea itself refuses, it refuses in the page's shape.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	d := runDev(t, "cohera-api")
	generous(t, d)
	key := d.Secrets["api_key"]["live"]
	test := d.Secrets["api_key"]["test"]
	auth := "Authorization: Bearer " + key
	swapped := key[:len(key)-1] + string('A'+(key[len(key)-1]+1)%26)

	// shaped: the body has the page's shape. Framing errors are refused before there is
	// a request, and have none.
	const shaped, unshaped = true, false
	tests := []struct {
		name, request string
		shaped        bool
		status        []int
	}{
		{"empty bearer", lines("GET /v1/entities HTTP/1.1", host, "Authorization: Bearer"), shaped, []int{400, 401}},
		{"empty bearer and space", lines("GET /v1/entities HTTP/1.1", host, "Authorization: Bearer "), shaped, []int{400, 401}},
		{"empty header", lines("GET /v1/entities HTTP/1.1", host, "Authorization:"), shaped, []int{400, 401}},
		{"no scheme", lines("GET /v1/entities HTTP/1.1", host, "Authorization: "+key), shaped, []int{400, 401}},
		{"another scheme", lines("GET /v1/entities HTTP/1.1", host, "Authorization: Token "+key), shaped, []int{400, 401}},
		{"something after it", lines("GET /v1/entities HTTP/1.1", host, auth+" x"), shaped, []int{400, 401}},
		{"a list", lines("GET /v1/entities HTTP/1.1", host, auth+", Bearer "+key), shaped, []int{400, 401}},
		{"the same header twice", lines("GET /v1/entities HTTP/1.1", host, auth, auth), shaped, []int{400, 401}},
		{"two keys", lines("GET /v1/entities HTTP/1.1", host, auth, "Authorization: Bearer "+test), shaped, []int{400, 401}},
		{"two keys, other order", lines("GET /v1/entities HTTP/1.1", host, "Authorization: Bearer "+test, auth), shaped, []int{400, 401}},
		{"one bad and one good", lines("GET /v1/entities HTTP/1.1", host, "Authorization: Bearer x", auth), shaped, []int{400, 401}},
		{"key in the query", lines("GET /v1/entities?access_token="+key+" HTTP/1.1", host), shaped, []int{400, 401}},
		{"key in a cookie", lines("GET /v1/entities HTTP/1.1", host, "Cookie: authorization="+key), shaped, []int{401}},
		{"tab for space", lines("GET /v1/entities HTTP/1.1", host, "Authorization: Bearer\t"+key), shaped, []int{400, 401}},
		{"NUL in the key", lines("GET /v1/entities HTTP/1.1", host, auth+"\x00"), unshaped, []int{400, 401}},
		{"high bytes in the key", lines("GET /v1/entities HTTP/1.1", host, auth+"\xff\xfe"), shaped, []int{400, 401}},
		{"long key", lines("GET /v1/entities HTTP/1.1", host, auth+strings.Repeat("A", 9000)), shaped, []int{400, 401}},
		{"key in upper case", lines("GET /v1/entities HTTP/1.1", host, "Authorization: Bearer "+strings.ToUpper(key)), shaped, []int{401}},
		{"a typo", lines("GET /v1/entities HTTP/1.1", host, "Authorization: Bearer "+swapped), shaped, []int{401}},
		{"cut off", lines("GET /v1/entities HTTP/1.1", host, auth[:len(auth)-1]), shaped, []int{401}},
		{"a longer one", lines("GET /v1/entities HTTP/1.1", host, auth+"A"), shaped, []int{401}},
		{"the other environment's prefix", lines("GET /v1/entities HTTP/1.1", host, "Authorization: Bearer "+strings.Replace(key, "live", "test", 1)), shaped, []int{401}},

		{"encoded slash", lines("GET /v1/entities%2F1 HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"encoded slash in a segment", lines("GET /v1/entities/a%2fb HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"NUL in the path", lines("GET /v1/entities/%00 HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"dot segments", lines("GET /v1/entities/../entities HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"encoded dot segments", lines("GET /v1/entities/%2e%2e/entities HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"single dot", lines("GET /v1/./entities HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"dots at the end", lines("GET /v1/entities/.. HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"two slashes", lines("GET /v1//entities HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"two slashes first", lines("GET //v1/entities HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"semicolon", lines("GET /v1/entities;x=1 HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"semicolon, encoded", lines("GET /v1/entities%3bx=1 HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"backslash", lines("GET /v1\\entities HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"backslash, encoded", lines("GET /v1/entities%5c..%5cadmin HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"needless encoding", lines("GET /v1/%65ntities HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"double encoding", lines("GET /v1/entities/%252e%252e HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"encoded question mark", lines("GET /v1/entities%3Fa=b HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"encoded hash", lines("GET /v1/entities%23 HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"hash", lines("GET /v1/entities#x HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"broken encoding", lines("GET /v1/entities/%zz HTTP/1.1", host, auth), unshaped, []int{400, 404}},
		{"bytes that are no ASCII", lines("GET /v1/entit\xc3\xafes HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"overlong UTF-8", lines("GET /v1/entities/%c0%ae%c0%ae HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"upper case", lines("GET /V1/ENTITIES HTTP/1.1", host, auth), shaped, []int{400, 404}},
		{"asterisk", lines("OPTIONS * HTTP/1.1", host, auth), unshaped, []int{200, 400, 404, 405}},
		{"CONNECT", lines("CONNECT internal:22 HTTP/1.1", "Host: internal:22", auth), unshaped, []int{400, 404, 405}},
		{"TRACE", lines("TRACE /v1/entities HTTP/1.1", host, auth), shaped, []int{400, 404, 405}},
		{"method in lower case", lines("get /v1/entities HTTP/1.1", host, auth), shaped, []int{400, 404, 405, 501}},
		{"unknown method", lines("PURGE /v1/entities HTTP/1.1", host, auth), shaped, []int{400, 404, 405, 501}},
		{"admin route by method", lines("PATCH /v1/audit-logs HTTP/1.1", host, auth), shaped, []int{404, 405}},

		{"two lengths", "POST /v1/entities HTTP/1.1\r\n" + lines(host, auth, "Content-Length: 2", "Content-Length: 3") + "{}", unshaped, []int{400}},
		// Chunks win over the length (RFC 9112 §6.3), and the upstream gets one of them only.
		{"length and chunks", "POST /v1/entities HTTP/1.1\r\n" + lines(host, auth, "Content-Length: 2", "Transfer-Encoding: chunked") + "0\r\n\r\n", unshaped, []int{201, 400}},
		{"unknown coding", "POST /v1/entities HTTP/1.1\r\n" + lines(host, auth, "Transfer-Encoding: xchunked") + "0\r\n\r\n", unshaped, []int{400, 501}},
		{"chunked twice", "POST /v1/entities HTTP/1.1\r\n" + lines(host, auth, "Transfer-Encoding: chunked", "Transfer-Encoding: identity") + "0\r\n\r\n", unshaped, []int{400, 501}},
		{"negative length", "POST /v1/entities HTTP/1.1\r\n" + lines(host, auth, "Content-Length: -1"), unshaped, []int{400}},
		{"length with a sign", "POST /v1/entities HTTP/1.1\r\n" + lines(host, auth, "Content-Length: +2") + "{}", unshaped, []int{400}},
		{"space before the colon", lines("GET /v1/entities HTTP/1.1", host, "Authorization : Bearer "+key), unshaped, []int{400}},
		// A fold is a space (RFC 9112 §5.2): this is the key, sent as it should be.
		{"folded header", "GET /v1/entities HTTP/1.1\r\n" + host + "\r\nAuthorization: Bearer\r\n " + key + "\r\n\r\n", unshaped, []int{200, 400, 401}},
		{"no host", lines("GET /v1/entities HTTP/1.1", auth), unshaped, []int{400}},
		{"two hosts", lines("GET /v1/entities HTTP/1.1", host, "Host: evil.example", auth), unshaped, []int{400}},
		{"no version", lines("GET /v1/entities", host, auth), unshaped, []int{400, 505}},
		{"HTTP/3.0 in words", lines("GET /v1/entities HTTP/3.0", host, auth), unshaped, []int{400, 505}},
		{"header of a megabyte", lines("GET /v1/entities HTTP/1.1", host, auth, "X-Large: "+strings.Repeat("a", 1<<20)), unshaped, []int{400, 431}},
		{"10,000 headers", lines("GET /v1/entities HTTP/1.1", host, auth, strings.TrimSuffix(strings.Repeat("X-Many: 1\r\n", 10000), "\r\n")), unshaped, []int{400, 431}},
		{"path of 100 kB", lines("GET /v1/entities/"+strings.Repeat("a", 100<<10)+" HTTP/1.1", host, auth), unshaped, []int{400, 404, 414, 431}},
		{"TLS to a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", unshaped, []int{400}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			resp, body := d.raw(t, test.request)
			if !slices.Contains(test.status, resp.StatusCode) {
				t.Errorf("status %d, want one of %v\n%s", resp.StatusCode, test.status, body)
			}
			if strings.Contains(body, key[8:30]) || strings.Contains(fmt.Sprint(resp.Header), key[8:30]) {
				t.Error("the answer shows the key")
			}
			var answer struct {
				Error struct {
					Code, Message string
					RequestID     string `json:"request_id"`
				}
			}
			if test.shaped && (json.Unmarshal([]byte(body), &answer) != nil || answer.Error.Code == "" || answer.Error.Message == "" ||
				answer.Error.RequestID == "" || answer.Error.RequestID != resp.Header.Get("X-Request-Id")) {
				t.Errorf("the body has not the page's shape, or another request id than the header %s:\n%s", resp.Header.Get("X-Request-Id"), body)
			}
		})
	}

	// After all of that, it serves.
	resp, body := d.raw(t, lines("GET /v1/entities HTTP/1.1", host, auth))
	if resp.StatusCode != 200 {
		t.Errorf("a good request: %d %s", resp.StatusCode, body)
	}
}

// generous raises the demo organization's limits, which are not what the test is about.
func generous(t *testing.T, d *dev) {
	t.Helper()
	if status, body := d.manage(t, http.MethodPatch, "/v1/organizations/"+d.Organization, `{"limits":{"per_minute":1000000,"burst":0,"per_day":0}}`); status != 200 {
		t.Fatalf("limits: %d %s", status, body)
	}
}

// manage sends a request to the management API.
func (d *dev) manage(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, d.Management+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.ManagementToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// TestSmuggledRequestIsNotAnswered holds that bytes after a request whose framing is in
// doubt are never taken for another request.
func TestSmuggledRequestIsNotAnswered(t *testing.T) {
	t.Parallel()
	d := runDev(t, "cohera-api")
	generous(t, d)
	auth := "Authorization: Bearer " + d.Secrets["api_key"]["live"]
	hidden := lines("GET /v1/entities?hidden HTTP/1.1", host, auth)
	for name, first := range map[string]string{
		"two lengths":     "POST /v1/entities HTTP/1.1\r\n" + lines(host, auth, "Content-Length: 0", "Content-Length: 5"),
		"bad chunk":       "POST /v1/entities HTTP/1.1\r\n" + lines(host, auth, "Transfer-Encoding: chunked") + "zz\r\n",
		"chunk size line": "POST /v1/entities HTTP/1.1\r\n" + lines(host, auth, "Transfer-Encoding: chunked") + "ffffffffffffffffff\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn := d.dial(t)
			if _, err := io.WriteString(conn, first+hidden); err != nil {
				t.Fatal(err)
			}
			all, _ := io.ReadAll(conn) // until it hangs up on us, by whatever means
			if bytes.Contains(all, []byte("hidden")) || regexp.MustCompile(`HTTP/1.1 200`).Match(all) {
				t.Errorf("the hidden request was answered:\n%s", all)
			}
		})
	}
}

// TestBodiesOfAnySizePass sends 10 MB of JSON, in both ways a length is told, and holds
// that the API got every byte of it. The management API takes no such thing.
func TestBodiesOfAnySizePass(t *testing.T) {
	t.Parallel()
	d := runDev(t, "codehooks")
	client, err := d.client()
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	large := []byte(`{"text":"` + strings.Repeat("a", 10<<20) + `"}`)
	sum := sha256.Sum256(large)
	want := fmt.Sprintf(`"bytes":%d,"sha256":"%x"`, len(large), sum)
	for name, body := range map[string]io.Reader{
		"length": bytes.NewReader(large), "chunks": struct{ io.Reader }{bytes.NewReader(large)},
	} {
		req, err := http.NewRequest(http.MethodPost, "https://students-3bfe.api.codehooks.io/dev/__sandbox/count", body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Apikey", d.Secrets["api_token"]["dev"])
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		answer, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(answer, []byte(want)) {
			t.Errorf("%s: %d %v %.300s", name, resp.StatusCode, err, answer)
		}
	}
	// It may hang up on who goes on sending, but it makes nothing of it.
	if err := d.try("/v1/organizations", string(large), http.StatusCreated, nil); err == nil {
		t.Error("the management API took 10 MB")
	}
}

// TestManagementRefusesWhatItDoesNotUnderstand holds that a member that is unknown, given
// twice or in another case, and a name that would deceive who reads it, change nothing.
func TestManagementRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	d := runDev(t, "cohera-api")
	count := func() int {
		status, body := d.manage(t, http.MethodGet, "/v1/organizations", "")
		var list struct{ Items []struct{ ID string } }
		if err := json.Unmarshal([]byte(body), &list); status != 200 || err != nil {
			t.Fatalf("list: %d %v", status, err)
		}
		return len(list.Items)
	}
	before := count()
	for name, body := range map[string]string{
		"unknown member":      `{"name":"Acme","nmae":"x"}`,
		"member twice":        `{"name":"Acme","name":"Other"}`,
		"another case":        `{"Name":"Acme"}`,
		"nested unknown":      `{"name":"Acme","limits":{"per_minute":1,"burst":0,"per_day":0,"x":1}}`,
		"wrong type":          `{"name":1}`,
		"null":                `null`,
		"an array":            `[]`,
		"nothing":             ``,
		"two documents":       `{"name":"Acme"}{"name":"Acme"}`,
		"cut off":             `{"name":"Acme"`,
		"deep":                strings.Repeat("[", 100000),
		"NUL in a name":       `{"name":"Ac\u0000me"}`,
		"bidi in a name":      `{"name":"Ac\u202eme"}`,
		"zero width":          `{"name":"Ac\u200bme"}`,
		"line break":          `{"name":"Ac\nme"}`,
		"lone surrogate":      `{"name":"Ac\ud800me"}`,
		"invalid UTF-8":       "{\"name\":\"Ac\xffme\"}",
		"empty name":          `{"name":""}`,
		"blank name":          `{"name":"  "}`,
		"long name":           `{"name":"` + strings.Repeat("a", 10000) + `"}`,
		"a plan nobody has":   `{"name":"Acme","plan":"platinum"}`,
		"negative limit":      `{"name":"Acme","limits":{"per_minute":-1,"burst":0,"per_day":0}}`,
		"limit that is float": `{"name":"Acme","limits":{"per_minute":1.5,"burst":0,"per_day":0}}`,
	} {
		status, answer := d.manage(t, http.MethodPost, "/v1/organizations", body)
		if status != http.StatusBadRequest && status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, status, answer)
		}
		if strings.Contains(answer, "Acme") || strings.Contains(answer, "platinum") {
			t.Errorf("%s: the answer quotes the input: %s", name, answer)
		}
	}
	if after := count(); after != before {
		t.Errorf("%d organizations more", after-before)
	}
}

// TestUpstreamThatMisbehaves holds what a caller sees of an API that is broken: the
// page's error when nothing has been sent yet, and a broken transfer, never a whole-looking
// one, when something has.
func TestUpstreamThatMisbehaves(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"hangs up":          "",
		"garbage":           "\x00\x01\x02 garbage\r\n\r\n",
		"half a head":       "HTTP/1.1 200 OK\r\nContent-Type: te",
		"no status":         "HTTP/1.1 OK\r\n\r\n",
		"bad length":        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"two lengths":       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"endless head":      "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 20<<20),
		"half a body":       "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
		"half a chunk":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
		"no last chunk":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"garbage for chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhalf",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := runDev(t, "cohera-api", "--upstream", "http://"+fakeUpstream(t, answer))
			generous(t, d)
			conn := d.dial(t)
			if _, err := io.WriteString(conn, lines("GET /v1/entities HTTP/1.1", host, "Authorization: Bearer "+d.Secrets["api_key"]["live"])); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				if !strings.Contains(answer, "half") { // which may break off at once
					t.Fatal(err)
				}
				return
			}
			body, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				if err == nil || !strings.HasPrefix("half", string(body)) {
					t.Errorf("what broke off looks whole: %q", body)
				}
				return
			}
			if resp.StatusCode != http.StatusBadGateway || err != nil || !bytes.Contains(body, []byte(`"request_id":"req_`)) {
				t.Errorf("%d %v %s", resp.StatusCode, err, body)
			}
			if resp.Header["X-RateLimit-Limit"] == nil && resp.Header.Get("X-RateLimit-Limit") != "1000000" {
				t.Errorf("no limit headers: %v", resp.Header)
			}
		})
	}
}

// fakeUpstream answers every connection with the same bytes, and hangs up.
func fakeUpstream(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = http.ReadRequest(bufio.NewReader(conn)) // whatever it is
				_, _ = io.WriteString(conn, answer)
				_ = conn.Close()
			}()
		}
	}()
	return l.Addr().String()
}
