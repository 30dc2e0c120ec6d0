package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/cardea-dev/cardea/internal/sandbox"
)

// Guarantee: events pass as they come, one by one, while the answer goes on.
func TestEventsAreFlushedAtOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, standard bool) {
		noLeaks(t)
		next := make(chan string)
		up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.(http.Flusher).Flush()
			for event := range next {
				_, _ = io.WriteString(w, event)
				w.(http.Flusher).Flush()
			}
		}))
		defer up.Close()
		fr := newFront(t, up.URL, standard, nil)
		res, err := fr.Client().Get(fr.URL + "/events")
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(res.Body)
		for i := range 5 {
			event := fmt.Sprintf("data: %d\n", i)
			next <- event
			if line, err := in.ReadString('\n'); err != nil || line != event {
				t.Fatalf("read %q, %v; want %q before the next is sent", line, err, event)
			}
		}
		close(next)
		if rest := readAll(t, res); rest != "" {
			t.Errorf("rest: %q", rest)
		}
		fr.Client().CloseIdleConnections()
	})
}

// Guarantee: bodies of any size pass in both directions, byte for byte, in any framing.
func TestBodiesOfAnySizePass(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", r.Header.Get("X-Length"))
		}
		b, _ := io.ReadAll(r.Body) // a server of HTTP/1 cannot echo while it reads
		_, _ = w.Write(b)
	}))
	defer up.Close()
	bothWays(t, func(t *testing.T, standard bool) {
		fr := newFront(t, up.URL, standard, nil)
		for _, size := range []int{0, 1, 2047, 2048, 4095, 4096, 4097, fastBody - 1, fastBody, fastBody + 1, 1 << 20, 20 << 20} {
			for _, path := range []string{"/length", "/chunked"} {
				for _, stated := range []bool{true, false} {
					var body io.Reader = patterned(size)
					if stated {
						b, _ := io.ReadAll(body)
						body = bytes.NewReader(b)
					}
					r, _ := http.NewRequest("POST", fr.URL+path, body)
					r.Header.Set("X-Length", fmt.Sprint(size))
					res, err := fr.Client().Do(r)
					if err != nil {
						t.Fatalf("%d bytes, %s, stated %v: %v", size, path, stated, err)
					}
					got := sha256.New()
					n, err := io.Copy(got, res.Body)
					res.Body.Close()
					want := sha256.New()
					_, _ = io.Copy(want, patterned(size))
					if err != nil || n != int64(size) || !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
						t.Errorf("%d bytes, %s, stated %v: %d came back, %v", size, path, stated, n, err)
					}
				}
			}
		}
	})
}

// Guarantee: a body that was read to its end has ended. The transport asks once more, and
// net/http closes bodies when the response begins: an error then would cut the response.
func TestBodyEndsOnce(t *testing.T) {
	s := &standard{f: newForwarder(Config{}), p: &passage{timeout: time.Minute}, slow: time.NewTimer(time.Minute)}
	defer s.slow.Stop()
	src := io.NopCloser(iotest.DataErrReader(strings.NewReader("all")))
	b := &clientBody{s: s, src: src, client: http.NewResponseController(httptest.NewRecorder())}
	if got, err := io.ReadAll(b); string(got) != "all" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	b.src = io.NopCloser(iotest.ErrReader(http.ErrBodyReadAfterClose))
	if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF || b.err.Load() != nil {
		t.Errorf("after the end: %d, %v", n, err)
	}
}

// patterned is n bytes in which shifts and losses show.
func patterned(n int) io.Reader {
	return io.LimitReader(&counter{}, int64(n))
}

type counter struct{ n uint32 }

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(c.n*2654435761>>24) ^ byte(c.n)
		c.n++
	}
	return len(b), nil
}

// Guarantee: trailers pass in both directions, except those that Cardea owns.
func TestTrailersPassBothWays(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum, X-RateLimit-Limit")
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%v", r.Trailer)
		w.Header().Set("X-Sum", "1")
		w.Header().Set("X-RateLimit-Limit", "99999")
		w.Header().Set(http.TrailerPrefix+"X-Late", "2")
	}))
	defer up.Close()
	bothWays(t, func(t *testing.T, standard bool) {
		fr := newFront(t, up.URL, standard, nil)
		res, err := fr.Client().Get(fr.URL + "/x")
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, res)
		if s, l := res.Trailer.Get("X-Sum"), res.Trailer.Get("X-Late"); s != "1" || l != "2" {
			t.Errorf("response trailers: %v", res.Trailer)
		}
		if v := res.Trailer.Get("X-RateLimit-Limit"); v != "" {
			t.Errorf("the upstream's limit header came as a trailer: %q", v)
		}
		answer := send(t, fr, "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"+
			"Trailer: X-Good, X-Cardea-Subject\r\nConnection: close\r\n\r\n"+
			"2\r\nhi\r\n0\r\nX-Good: yes\r\nX-Cardea-Subject: usr_root\r\n\r\n")
		if !strings.Contains(answer, "map[X-Good:[yes]]") {
			t.Errorf("request trailers: %q", answer)
		}
	})
}

// Guarantee: with Expect: 100-continue, the body is only asked for when the upstream
// wants it.
func TestExpectContinueIsTheUpstreamsDecision(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.Copy(w, r.Body)
	}))
	defer up.Close()
	fr := newFront(t, up.URL, false, nil)
	for path, want := range map[string]string{"/accept": "HTTP/1.1 100 Continue\r\n", "/refuse": "HTTP/1.1 403 Forbidden\r\n"} {
		c, err := net.Dial("tcp", fr.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", path)
		in := bufio.NewReader(c)
		if line, err := in.ReadString('\n'); err != nil || line != want {
			t.Errorf("%s: first line %q, %v; want %q", path, line, err, want)
		}
		if path == "/accept" {
			_, _ = in.ReadString('\n')
			_, _ = io.WriteString(c, "hello")
			res, err := http.ReadResponse(in, nil)
			if err != nil || readAll(t, res) != "hello" {
				t.Errorf("answer after the body: %v %v", res, err)
			}
		}
		c.Close()
	}
}

// Guarantee: a WebSocket works through the door, with Cardea's headers in the
// handshake; no other upgrade opens a tunnel.
func TestOnlyWebSocketsUpgrade(t *testing.T) {
	noLeaks(t)
	up := httptest.NewServer(sandbox.New("test"))
	defer up.Close()
	fr := newFront(t, up.URL, false, nil)
	c, err := net.Dial("tcp", fr.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(c, "GET /__sandbox/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != 101 || res.Header.Get("Sec-WebSocket-Accept") == "" || res.Header.Get("X-Request-Id") != "req_1" {
		t.Fatalf("handshake: %d %v", res.StatusCode, res.Header)
	}
	if _, err := c.Write([]byte{0x81, 0x82, 1, 2, 3, 4, 'h' ^ 1, 'i' ^ 2, 0x88, 0x80, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(in); err != nil || string(got) != "\x81\x02hi\x88\x00" {
		t.Errorf("echo = %q, %v", got, err)
	}
	c.Close()
	for _, raw := range []string{
		"GET /v1/x HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n",
		"POST /v1/x HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
		"GET /v1/x HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
	} {
		answer := send(t, fr, raw)
		if strings.HasPrefix(answer, "HTTP/1.1 101") || strings.Contains(answer, "upgrade") || strings.Contains(answer, "http2-settings") {
			t.Errorf("%q was answered %q", raw, answer)
		}
	}
}

// Guarantee: a WebSocket that is silent in both directions ends.
func TestSilentWebSocketsEnd(t *testing.T) {
	noLeaks(t)
	up := httptest.NewServer(sandbox.New("test"))
	defer up.Close()
	fr := newFront(t, up.URL, false, nil)
	fr.f.idle = 50 * time.Millisecond
	c, err := net.Dial("tcp", fr.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprint(c, "GET /__sandbox/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if _, err := io.ReadAll(c); err != nil {
		t.Errorf("the connection did not end: %v", err)
	}
}

// Guarantee: when the client goes away, so does the upstream's request.
func TestClientDisconnectCancelsTheUpstream(t *testing.T) {
	bothWays(t, func(t *testing.T, standard bool) {
		for _, path := range []string{"/silent", "/streaming"} {
			t.Run(path[1:], func(t *testing.T) {
				noLeaks(t)
				began, ended := make(chan struct{}), make(chan struct{})
				up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/streaming" {
						w.(http.Flusher).Flush()
					}
					close(began)
					<-r.Context().Done()
					close(ended)
				}))
				defer up.Close()
				fr := newFront(t, up.URL, standard, nil)
				ctx, cancel := context.WithCancel(t.Context())
				r, _ := http.NewRequestWithContext(ctx, "GET", fr.URL+path, nil)
				go func() {
					<-began
					cancel()
				}()
				res, err := fr.Client().Do(r)
				if err == nil {
					_, err = io.ReadAll(res.Body)
					res.Body.Close()
				}
				if !errors.Is(err, context.Canceled) {
					t.Errorf("client: %v", err)
				}
				select {
				case <-ended:
				case <-time.After(5 * time.Second):
					t.Error("the upstream's request went on")
				}
				fr.Client().CloseIdleConnections()
			})
		}
	})
}

// Guarantee: an upstream that hangs costs the client its patience once: 504 after the
// time-out, and the connection is not used again.
func TestHangingUpstreamTimesOut(t *testing.T) {
	bothWays(t, func(t *testing.T, standard bool) {
		noLeaks(t)
		up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}))
		defer up.Close()
		fr := newFront(t, up.URL, standard, func(p *passage) { p.timeout = 30 * time.Millisecond })
		res, body, err := get(t, fr, "/x")
		if err != nil || res.StatusCode != 504 {
			t.Errorf("GET: %v %v %q, want 504", err, res, body)
		}
		res, err = fr.Client().Post(fr.URL+"/x", "text/plain", patterned(1<<20))
		if err != nil || res.StatusCode != 504 {
			t.Errorf("POST: %v %v, want 504", err, res)
		}
		if res != nil {
			res.Body.Close()
		}
		fr.Client().CloseIdleConnections()
	})
}

// Guarantee: nobody listening is a 502, at once.
func TestUnreachableUpstreamIsABadGateway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + l.Addr().String()
	l.Close()
	bothWays(t, func(t *testing.T, standard bool) {
		fr := newFront(t, base, standard, nil)
		if res, _, err := get(t, fr, "/x"); err != nil || res.StatusCode != 502 {
			t.Errorf("%v %v, want 502", err, res)
		}
	})
}

// Guarantee: a body over the route's limit is refused, whether it states its length or
// not, and its end never reaches the upstream.
func TestBodyLimit(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err == nil && n > 1000 {
			t.Errorf("the upstream read a whole body of %d bytes", n)
		}
		fmt.Fprint(w, n)
	}))
	defer up.Close()
	bothWays(t, func(t *testing.T, standard bool) {
		fr := newFront(t, up.URL, standard, func(p *passage) { p.maxBody = 1000 })
		for size, want := range map[int]int{1000: 200, 1001: 413, 1 << 20: 413} {
			for _, stated := range []bool{true, false} {
				var body io.Reader = strings.NewReader(strings.Repeat("x", size))
				if !stated {
					body = io.MultiReader(body)
				}
				res, err := fr.Client().Post(fr.URL+"/x", "text/plain", body)
				if err != nil {
					t.Errorf("%d bytes, stated %v: %v", size, stated, err)
					continue
				}
				res.Body.Close()
				if res.StatusCode != want {
					t.Errorf("%d bytes, stated %v: %d, want %d", size, stated, res.StatusCode, want)
				}
			}
		}
	})
}

// Guarantee: a client that stops in the middle of its body is given up.
func TestSlowBodiesAreGivenUp(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	defer up.Close()
	bothWays(t, func(t *testing.T, standard bool) {
		fr := newFront(t, up.URL, standard, nil)
		fr.f.bodyIdle = 30 * time.Millisecond
		c, err := net.Dial("tcp", fr.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprint(c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("the connection was not given up: %v", err)
		}
	})
}

// Guarantee: an https upstream is reached by HTTP/2 with its certificate checked, and
// clients of HTTP/2 are served.
func TestHTTP2OnBothSides(t *testing.T) {
	up := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Seen", fmt.Sprint(r.Proto, " ", r.RequestURI, " ", r.Header.Get("X-Cardea-Subject"), " ", r.Host))
		_, _ = io.Copy(w, r.Body)
	}))
	up.EnableHTTP2 = true
	up.StartTLS()
	defer up.Close()
	roots := up.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	fr := newFront(t, up.URL, false, nil)
	if res, _, err := get(t, fr, "/x"); err != nil || res.StatusCode != 502 {
		t.Errorf("unknown authority: %v %v, want 502", err, res)
	}
	fr.f.transport = newTransport(fr.f, &tls.Config{RootCAs: roots})
	front := httptest.NewUnstartedServer(fr.Config.Handler)
	front.EnableHTTP2 = true
	front.StartTLS()
	defer front.Close()
	r, _ := http.NewRequest("POST", front.URL+"/a%2Fb?q=1", strings.NewReader("hello"))
	r.Host = "api.acme.test"
	res, err := front.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if body := readAll(t, res); body != "hello" || res.ProtoMajor != 2 {
		t.Errorf("%s %q", res.Proto, body)
	}
	if seen, want := res.Header.Get("X-Seen"), "HTTP/2.0 /a%2Fb?q=1 usr_1 api.acme.test"; seen != want {
		t.Errorf("upstream saw %q, want %q", seen, want)
	}
	fr.f.transport.CloseIdleConnections()
}
