package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// A front is a server whose handler forwards everything to one upstream.
type front struct {
	*httptest.Server
	f *forwarder

	mu     sync.Mutex
	errors []error // what forward returned, nil included
}

// newFront starts a front. edit may change each passage before it is forwarded.
func newFront(t *testing.T, upstream string, standard bool, edit func(*passage)) *front {
	t.Helper()
	fr := &front{f: newForwarder(Config{})}
	fr.f.noFast = standard
	names := requestNames([]string{"X-Cardea-Subject", "X-Request-Id"}, []string{"Authorization"})
	replies := replyNames([]string{"X-RateLimit-Limit", "X-Request-Id"})
	fr.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up, err := fr.f.upstreams.get(upstream)
		if err != nil {
			t.Error(err)
			return
		}
		p := &passage{
			w: w, r: r, up: up, target: r.RequestURI, names: names, replies: replies,
			own:   []field{{"X-Cardea-Subject", "usr_1"}, {"x-request-id", "req_1"}},
			reply: []field{{"X-RateLimit-Limit", "300"}, {"X-Request-Id", "req_1"}}, timeout: 10 * time.Second,
		}
		if edit != nil {
			edit(p)
		}
		err = fr.f.forward(p)
		fr.mu.Lock()
		fr.errors = append(fr.errors, err)
		fr.mu.Unlock()
		answerFailure(w, p, err)
	}))
	t.Cleanup(func() {
		fr.Close()
		fr.f.close()
	})
	return fr
}

// answerFailure is what the handler does with a failed passage, in short.
func answerFailure(w http.ResponseWriter, p *passage, err error) {
	switch {
	case err == nil:
	case p.started, errors.Is(err, errGone):
		panic(http.ErrAbortHandler)
	case errors.Is(err, errTooLarge):
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	case errors.Is(err, errTimeout):
		http.Error(w, "timeout", http.StatusGatewayTimeout)
	case errors.Is(err, errBody):
		http.Error(w, "body", http.StatusBadRequest)
	default:
		http.Error(w, "upstream", http.StatusBadGateway)
	}
}

// lastError returns what the latest passage returned.
func (fr *front) lastError() error {
	fr.mu.Lock()
	defer fr.mu.Unlock()
	if len(fr.errors) == 0 {
		return nil
	}
	return fr.errors[len(fr.errors)-1]
}

// bothWays runs a test on the fast and on the standard path.
func bothWays(t *testing.T, test func(t *testing.T, standard bool)) {
	t.Run("fast", func(t *testing.T) { test(t, false) })
	t.Run("standard", func(t *testing.T) { test(t, true) })
}

// await waits until the condition holds.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Second); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%s: not within 5 s\n%s", what, buf[:runtime.Stack(buf, true)])
		}
	}
}

// noLeaks makes sure that the test leaves no goroutine behind. Call it first.
func noLeaks(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		await(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= before })
	})
}

// hangUp at the end of an answer ends the connection after it.
const hangUp = "<hang up>"

// rawUpstream answers every request with what script returns for it, byte for byte;
// hangUp ends the connection.
func rawUpstream(t *testing.T, script func(conn, request int, r *http.Request) string) (base string, requests func() int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	count := 0
	var wg sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	wg.Go(func() {
		for conns := 0; ; conns++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for n := 0; ; n++ {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					mu.Lock()
					count++
					mu.Unlock()
					answer, last := strings.CutSuffix(script(conns, n, r), hangUp)
					if _, err := io.WriteString(c, answer); err != nil || last {
						return
					}
				}
			})
		}
	})
	return "http://" + l.Addr().String(), func() int {
		mu.Lock()
		defer mu.Unlock()
		return count
	}
}

// send writes raw bytes to the front and returns everything that comes back until the
// connection ends, which the bytes should ask for.
func send(t *testing.T, fr *front, raw string) string {
	t.Helper()
	c, err := net.Dial("tcp", fr.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(c, raw); err != nil {
		return "" // refused while being sent
	}
	b, _ := io.ReadAll(c)
	return string(b)
}

// get asks the front with a client of its own connection.
func get(t *testing.T, fr *front, path string) (*http.Response, string, error) {
	t.Helper()
	res, err := fr.Client().Get(fr.URL + path)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res, string(b), err
}

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// Guarantee: an answer that readers could understand differently is a 502, and never
// reaches the client in any part.
func TestGarbageFromTheUpstreamIsABadGateway(t *testing.T) {
	huge := "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", maxResponseHead) + "\r\n\r\n"
	for name, answer := range map[string]string{
		"not http":              "hello\r\n\r\n",
		"status of two digits":  "HTTP/1.1 20 OK\r\n\r\n",
		"status of four digits": "HTTP/1.1 2000 OK\r\n\r\n",
		"status 0":              "HTTP/1.1 000 OK\r\n\r\n",
		"status 600":            "HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n",
		"http 2 preface":        "HTTP/2.0 200 OK\r\n\r\n",
		"lengths that differ":   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok.",
		"length list":           "HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok.",
		"negative length":       "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
		"signed length":         "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
		"length not a number":   "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",
		"unknown coding":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
		"two codings":           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"coding twice":          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"header without colon":  "HTTP/1.1 200 OK\r\nContent-Length 2\r\n\r\nok",
		"space before colon":    "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
		"empty name":            "HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\nok",
		"NUL in a value":        "HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 2\r\n\r\nok",
		"control in a value":    "HTTP/1.1 200 OK\r\nX-A: a\x01b\r\nContent-Length: 2\r\n\r\nok",
		"CR in a value":         "HTTP/1.1 200 OK\r\nX-A: a\rb\r\nContent-Length: 2\r\n\r\nok",
		"fold at the start":     "HTTP/1.1 200 OK\r\n X-A: a\r\nContent-Length: 2\r\n\r\nok",
		"headers without end":   huge,
		"switching unasked":     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
		"end of file at once":   "",
		"end inside the head":   "HTTP/1.1 200 OK\r\nContent-Le",
	} {
		bothWays(t, func(t *testing.T, standard bool) {
			t.Run(name, func(t *testing.T) {
				base, _ := rawUpstream(t, func(_, _ int, _ *http.Request) string { return answer + hangUp })
				fr := newFront(t, base, standard, nil)
				res, body, err := get(t, fr, "/x")
				if err != nil {
					t.Fatal(err)
				}
				if res.StatusCode != 502 || body != "upstream\n" {
					t.Errorf("%d %q, want 502", res.StatusCode, body)
				}
			})
		})
	}
}

// Guarantee: the fast path is stricter than net/http: what states its length in two
// ways, or breaks lines in an old manner, is refused as well.
func TestFastPathRefusesAmbiguousAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"length and coding":    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"length twice, alike":  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
		"folded line":          "HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
		"bare line feeds":      "HTTP/1.1 200 OK\nContent-Length: 2\n\nok\r\n\r\n",
		"coding in HTTP/1.0":   "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"body of an interim":   "HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nok",
		"endless interim":      strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 8) + okAnswer,
		"space in the version": "HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nok",
	} {
		t.Run(name, func(t *testing.T) {
			base, _ := rawUpstream(t, func(_, _ int, _ *http.Request) string { return answer })
			res, body, err := get(t, newFront(t, base, false, nil), "/x")
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != 502 || body != "upstream\n" {
				t.Errorf("%d %q, want 502", res.StatusCode, body)
			}
		})
	}
}

// Guarantee: half a body never passes for a whole one. The client's connection breaks.
func TestUpstreamThatDiesHalfWayBreaksTheAnswer(t *testing.T) {
	for name, answer := range map[string]string{
		"stated length":     "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
		"chunk":             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
		"between chunks":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
		"last chunk":        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
		"size not a number": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n",
		"chunk too long":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhalf\r\n0\r\n\r\n",
		"size too large":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nffffffffffffffff1\r\n",
		"negative size":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n-1\r\n",
	} {
		bothWays(t, func(t *testing.T, standard bool) {
			t.Run(name, func(t *testing.T) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				go func() {
					c, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = http.ReadRequest(bufio.NewReader(c))
					_, _ = io.WriteString(c, answer)
					_ = c.Close()
				}()
				fr := newFront(t, "http://"+l.Addr().String(), standard, nil)
				if res, body, err := get(t, fr, "/x"); err == nil {
					t.Errorf("the client read %q with status %d as whole", body, res.StatusCode)
				}
			})
		})
	}
}

// Guarantee: a connection that the upstream closed while idle costs nobody an error,
// and a request that may not be repeated is not.
func TestClosedIdleConnectionsAreNoticed(t *testing.T) {
	bothWays(t, func(t *testing.T, standard bool) {
		base, requests := rawUpstream(t, func(_, n int, _ *http.Request) string {
			if n == 0 {
				return okAnswer
			}
			return hangUp
		})
		fr := newFront(t, base, standard, nil)
		for i := range 20 {
			// The upstream drops the connection on its second request, unanswered.
			res, body, err := get(t, fr, "/x")
			if err != nil || res.StatusCode != 200 || body != "ok" {
				t.Fatalf("request %d: %v %v %q", i, err, res, body)
			}
		}
		if n := requests(); n < 20 || n > 40 {
			t.Errorf("the upstream saw %d requests for 20", n)
		}
		before := requests()
		get(t, fr, "/x") // leaves an idle connection that will not answer again
		res, err := fr.Client().Post(fr.URL+"/x", "text/plain", strings.NewReader("pay"))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		want := 502
		if standard {
			want = 200 // it uses no connection twice
		}
		if n := requests() - before; res.StatusCode != want || n > 3 {
			t.Errorf("POST on a dead connection: %d, upstream saw %d requests; want %d and no repetition", res.StatusCode, n, want)
		}
	})
}

// Guarantee: bytes that nobody asked for are never taken for an answer to somebody
// else's request.
func TestUnsolicitedBytesCondemnTheConnection(t *testing.T) {
	for name, extra := range map[string]string{
		"with the answer": okAnswer + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen",
	} {
		bothWays(t, func(t *testing.T, standard bool) {
			t.Run(name, func(t *testing.T) {
				base, _ := rawUpstream(t, func(conn, n int, _ *http.Request) string { return extra })
				fr := newFront(t, base, standard, nil)
				for range 10 {
					res, body, err := get(t, fr, "/x")
					if err != nil || res.StatusCode != 200 || body != "ok" {
						t.Fatalf("%v %v %q, want ok", err, res, body)
					}
				}
			})
		})
	}
}

// Guarantee: bytes that arrive while a connection is idle condemn it too.
func TestLateBytesCondemnTheConnection(t *testing.T) {
	late := make(chan func(), 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					if _, err := http.ReadRequest(in); err != nil {
						return
					}
					_, _ = io.WriteString(c, okAnswer)
					select {
					case late <- func() { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen") }:
					default:
					}
				}
			}()
		}
	}()
	fr := newFront(t, "http://"+l.Addr().String(), false, nil)
	if _, body, err := get(t, fr, "/x"); err != nil || body != "ok" {
		t.Fatal(err, body)
	}
	(<-late)()
	up, _ := fr.f.upstreams.get("http://" + l.Addr().String())
	await(t, "the bytes arrive", func() bool {
		up.pool.mu.Lock()
		defer up.pool.mu.Unlock()
		return len(up.pool.idle) == 1
	})
	for range 3 {
		if _, body, err := get(t, fr, "/x"); err != nil || body != "ok" {
			t.Fatalf("%v %q, want ok", err, body)
		}
	}
}

func readAll(t *testing.T, res *http.Response) string {
	t.Helper()
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
