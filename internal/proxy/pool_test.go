package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"
	"time"
)

// Guarantee: only http and https base URLs are upstreams; their prefix is kept as it is
// spelled.
func TestParseUpstream(t *testing.T) {
	for base, want := range map[string]string{
		"http://127.0.0.1:9000":        "127.0.0.1:9000",
		"http://api.internal":          "api.internal:80",
		"https://api.internal/v2/":     "api.internal:443/v2",
		"http://[::1]:9000/a%20b":      "[::1]:9000/a%20b",
		"":                             "",
		"127.0.0.1:9000":               "",
		"ftp://x":                      "",
		"http://":                      "",
		"http://:80":                   "",
		"http://user:secret@x":         "",
		"http://x?q":                   "",
		"http://x#f":                   "",
		"http://x/\r\nX-Injected: yes": "",
	} {
		up, err := parseUpstream(base)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q was taken as %+v", base, up)
		case want != "" && (err != nil || up.address+up.prefix != want):
			t.Errorf("%q: %+v, %v; want %s", base, up, err, want)
		}
	}
}

// idleConn is a connection for pool tests, and its other end.
func idleConn(up *upstream) (*conn, net.Conn) {
	a, b := net.Pipe()
	return &conn{nc: a, up: up, buf: make([]byte, readBuffer)}, b
}

// Guarantee: a pool keeps no more than its bound, gives the freshest first, closes what
// was idle for too long, and everything at the end.
func TestPoolIsBounded(t *testing.T) {
	up := &upstream{}
	closed := func(other net.Conn) bool {
		_ = other.SetReadDeadline(time.Now())
		_, err := other.Read(make([]byte, 1))
		return errors.Is(err, io.EOF)
	}
	now := time.Now()
	var conns []*conn
	var others []net.Conn
	for range maxIdle + 1 {
		c, o := idleConn(up)
		conns, others = append(conns, c), append(others, o)
		up.pool.put(c, now)
	}
	if !closed(others[maxIdle]) || closed(others[0]) {
		t.Error("the pool kept more than its bound, or less")
	}
	if c := up.pool.take(); c != conns[maxIdle-1] {
		t.Error("not the freshest connection")
	}
	up.pool.idle[0].idleSince = now.Add(-2 * idleTimeout)
	up.pool.expire()
	if !closed(others[0]) || closed(others[1]) || len(up.pool.idle) != maxIdle-2 {
		t.Errorf("expiry left %d connections", len(up.pool.idle))
	}
	up.pool.close()
	if !closed(others[1]) || up.pool.take() != nil {
		t.Error("close left connections open")
	}
	c, o := idleConn(up)
	up.pool.put(c, now)
	if !closed(o) {
		t.Error("a connection came back to a closed pool and was kept")
	}
}

// ended is a connection from which nothing more comes.
type ended struct{ net.Conn }

func (ended) Read([]byte) (int, error)         { return 0, io.EOF }
func (ended) SetDeadline(time.Time) error      { return nil }
func (ended) SetWriteDeadline(time.Time) error { return nil }

// Guarantee: the chunked decoder takes nothing that net/http's refuses, and decodes
// what it takes to the same bytes.
func FuzzChunked(f *testing.F) {
	for _, seed := range []string{"0\r\n\r\n", "2\r\nhi\r\n0\r\n\r\n", "2;a=b\r\nhi\r\n0\r\nX-A: b\r\n\r\n", "2 \r\nhi\r\n0\r\n\r\n",
		"ffffffffffffffff\r\n", "2\nhi\n0\n\n", "2\r\nhix\r\n0\r\n\r\n", "00002\r\nhi\r\n000\r\n\r\n", ";\r\n", "2\r\nhi\r\n0\r\n"} {
		f.Add([]byte(seed))
	}
	fw := newForwarder(Config{})
	f.Fuzz(func(t *testing.T, data []byte) {
		w := httptest.NewRecorder()
		p := &passage{w: w, r: httptest.NewRequest("GET", "/", nil), replies: replyNames(nil)}
		x := &exchange{p: p, c: &conn{nc: ended{}, buf: append([]byte(nil), data...), w: len(data)}, end: time.Now().Add(time.Hour)}
		x.head = head{status: 200, chunked: true}
		if err := x.relayChunks(fw); err != nil {
			return
		}
		want, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(data)))
		if err != nil || !bytes.Equal(want, w.Body.Bytes()) {
			t.Fatalf("%q decodes to %q; net/http says %q, %v", data, w.Body.Bytes(), want, err)
		}
	})
}

// Guarantee: header names and tokens are read as RFC 9110 has them.
func TestConnectionNames(t *testing.T) {
	got := connectionNames([]string{"close, X-Hop ,keep-alive", " upgrade,,x-two"})
	if strings.Join(got, " ") != "X-Hop X-Two" {
		t.Errorf("connectionNames = %q", got)
	}
	if hasToken([]string{"a, Trailers"}, "trailer") || !hasToken([]string{"a, Trailers"}, "trailers") {
		t.Error("hasToken is wrong")
	}
	for name, want := range map[string]bool{"": false, "X-A": true, "X A": false, "X:A": false, "X\xe9": false, "!#$%&'*+-.^_`|~": true} {
		if validName(name) != want {
			t.Errorf("validName(%q) = %v", name, !want)
		}
	}
}
