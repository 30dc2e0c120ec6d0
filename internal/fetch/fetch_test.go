package fetch_test

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea/internal/fetch"
)

// open lets a test reach its own servers.
var open = fetch.Options{AllowPrivate: true, AllowHTTP: true}

// serve starts a server on the loopback interface and counts its requests.
func serve(t *testing.T, h http.HandlerFunc) (url string, hits *atomic.Int64) {
	t.Helper()
	hits = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		h(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, hits
}

func text(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) }
}

// client returns a Client whose connections end with the test.
func client(t *testing.T, c fetch.Config) *fetch.Client {
	t.Helper()
	out := fetch.New(c)
	t.Cleanup(out.CloseIdleConnections)
	return out
}

func TestGetReturnsTheAnswer(t *testing.T) {
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Saw", r.Method+" "+r.Header.Get("Accept")+" "+r.Header.Get("User-Agent"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	})
	o := open
	o.Accept = "text/tea"
	got, err := client(t, fetch.Config{}).Get(t.Context(), url+"/pot", o)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != 418 || string(got.Body) != "short and stout" || got.URL != url+"/pot" {
		t.Errorf("got %d %q from %s", got.Status, got.Body, got.URL)
	}
	if saw := got.Header.Get("X-Saw"); saw != "GET text/tea Cardea" {
		t.Errorf("the server saw %q", saw)
	}
}

func TestPostSendsBodyAndHeader(t *testing.T) {
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Method+" "+r.Header.Get("Content-Type")+" "+r.Header.Get("Webhook-Id")+" "+string(body))
	})
	header := http.Header{"Webhook-Id": {"msg_1"}}
	got, err := client(t, fetch.Config{}).Post(t.Context(), url, "application/json", []byte(`{}`), header, open)
	if err != nil {
		t.Fatal(err)
	}
	if want := "POST application/json msg_1 {}"; string(got.Body) != want {
		t.Errorf("the server saw %q, want %q", got.Body, want)
	}
	if diff := cmp.Diff(http.Header{"Webhook-Id": {"msg_1"}}, header); diff != "" {
		t.Errorf("the caller's header was changed:\n%s", diff)
	}
}

// The loopback interface is reached by no spelling of it, literal or by name.
func TestThisMachineIsNotReached(t *testing.T) {
	url, hits := serve(t, text("secret"))
	port := url[strings.LastIndex(url, ":"):]
	for _, host := range []string{
		"127.0.0.1", "localhost", "127.1", "0x7f.0.0.1", "2130706433", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::]",
		"[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "127.0.0.1.",
	} {
		o := fetch.Options{AllowHTTP: true, Timeout: time.Second}
		if _, err := client(t, fetch.Config{}).Get(t.Context(), "http://"+host+port+"/", o); err == nil {
			t.Errorf("%s was reached", host)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the server got %d requests", n)
	}
}

// Names are checked where they are used: an answer of the DNS that changes between two
// questions opens nothing.
func TestANameThatChangesItsAddressGainsNothing(t *testing.T) {
	url, hits := serve(t, text("secret"))
	port := url[strings.LastIndex(url, ":"):]
	resolver, asked := dns(t, "192.0.2.1", "127.0.0.1", "10.0.0.1", "127.0.0.1")
	c := client(t, fetch.Config{Resolver: resolver})
	for range 4 {
		_, err := c.Get(t.Context(), "http://rebind.example"+port+"/", fetch.Options{AllowHTTP: true})
		if !errors.Is(err, fetch.ErrAddress) {
			t.Errorf("got %v, want ErrAddress", err)
		}
	}
	if n := asked.Load(); n < 4 {
		t.Errorf("the name was looked up %d times, not for every request", n)
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the server got %d requests", n)
	}
	o := fetch.Options{AllowHTTP: true, AllowPrivate: true}
	if got, err := c.Get(t.Context(), "http://rebind.example"+port+"/", o); err != nil || string(got.Body) != "secret" {
		t.Errorf("the name does not lead to the server at all: %v", err)
	}
}

// A connection that one caller was allowed to make is not there for another.
func TestAnAllowedConnectionIsNotShared(t *testing.T) {
	url, hits := serve(t, text("secret"))
	c := client(t, fetch.Config{})
	if _, err := c.Get(t.Context(), url, open); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Get(t.Context(), url, fetch.Options{AllowHTTP: true}); !errors.Is(err, fetch.ErrAddress) {
		t.Errorf("got %v, want ErrAddress", err)
	}
	if n := hits.Load(); n != 1 {
		t.Errorf("the server got %d requests", n)
	}
}

func TestARedirectIsTheAnswer(t *testing.T) {
	url, hits := serve(t, text("secret"))
	from, _ := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, url, http.StatusFound) })
	got, err := client(t, fetch.Config{}).Get(t.Context(), from, open)
	if err != nil || got.Status != http.StatusFound {
		t.Errorf("got %d, %v", got.Status, err)
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the redirect was followed")
	}
}

func TestNoProxyIsUsed(t *testing.T) {
	proxy, hits := serve(t, text("proxied"))
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, proxy)
	}
	url, _ := serve(t, text("direct"))
	resolver, _ := dns(t, "127.0.0.1")
	c := client(t, fetch.Config{Resolver: resolver})
	got, err := c.Get(t.Context(), "http://api.example"+url[strings.LastIndex(url, ":"):]+"/", open)
	if err != nil || string(got.Body) != "direct" || hits.Load() != 0 {
		t.Errorf("got %q, %v; the proxy got %d requests", got.Body, err, hits.Load())
	}
}

func TestNoCookieIsKept(t *testing.T) {
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "who", Value: "you"})
		_, _ = io.WriteString(w, r.Header.Get("Cookie"))
	})
	c := client(t, fetch.Config{})
	for range 2 {
		if got, err := c.Get(t.Context(), url, open); err != nil || len(got.Body) != 0 {
			t.Errorf("sent the cookie %q, %v", got.Body, err)
		}
	}
}

func TestNoCompressionIsAskedForNorAccepted(t *testing.T) {
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "" {
			t.Errorf("Accept-Encoding: %s", got)
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(make([]byte, 100<<20>>10))
		_ = z.Close()
	})
	if _, err := client(t, fetch.Config{}).Get(t.Context(), url, open); !errors.Is(err, fetch.ErrEncoding) {
		t.Errorf("got %v, want ErrEncoding", err)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	exact, _ := serve(t, text(strings.Repeat("x", 1000)))
	endless, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
	})
	headers, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 64 {
			w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("x", 1<<10))
		}
	})
	c := client(t, fetch.Config{})
	for _, test := range []struct {
		name, url string
		most      int64
		ok        bool
	}{
		{"as long as allowed", exact, 1000, true},
		{"a byte longer", exact, 999, false},
		{"without end", endless, 1 << 20, false},
		{"without end, no limit given", endless, 0, false},
		{"large headers", headers, 0, false},
	} {
		o := open
		o.MaxBytes = test.most
		got, err := c.Get(t.Context(), test.url, o)
		if (err == nil) != test.ok {
			t.Errorf("%s: got %d bytes, %v", test.name, len(got.Body), err)
		}
		if !test.ok && test.url != headers && !errors.Is(err, fetch.ErrTooLarge) {
			t.Errorf("%s: got %v, want ErrTooLarge", test.name, err)
		}
		answer, err := c.HTTP(o).Get(test.url)
		if err != nil {
			continue // refused by its length
		}
		if _, err := io.ReadAll(answer.Body); (err == nil) != test.ok {
			t.Errorf("%s, for a library: %v", test.name, err)
		}
		_ = answer.Body.Close()
	}
}

func TestAnAnswerThatDoesNotComeEndsInTime(t *testing.T) {
	silent, _ := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	drip, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "{")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	for name, url := range map[string]string{"no answer": silent, "half an answer": drip} {
		o := open
		o.Timeout = 50 * time.Millisecond
		_, err := client(t, fetch.Config{}).Get(t.Context(), url, o)
		if !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
			t.Errorf("%s: got %v, want a timeout", name, err)
		}
	}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

func TestOnlyHTTPSUnlessAllowed(t *testing.T) {
	url, hits := serve(t, text("plain"))
	c := client(t, fetch.Config{AllowPrivate: true})
	for _, bad := range []string{
		url, "", "/", "//host/", "ftp://host/", "file:///etc/passwd", "https:", "https://", "https:///path",
		"https:host", "https://user@host/", "https://user:secret@host/", "https://host/#part", "https://host/%zz",
		"https://ho st/", "javascript:alert(1)", "HTTPS//host",
	} {
		if _, err := c.Get(t.Context(), bad, fetch.Options{}); !errors.Is(err, fetch.ErrURL) {
			t.Errorf("%q: got %v, want ErrURL", bad, err)
		}
		if _, err := c.HTTP(fetch.Options{}).Get(bad); err == nil {
			t.Errorf("%q: a library's request went out", bad)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("the server got %d requests", n)
	}
}

func TestCertificatesAreChecked(t *testing.T) {
	server := httptest.NewTLSServer(text("private"))
	t.Cleanup(server.Close)
	server.Config.ErrorLog = nil
	if _, err := client(t, fetch.Config{AllowPrivate: true}).Get(t.Context(), server.URL, fetch.Options{}); err == nil {
		t.Error("a certificate of nobody was believed")
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	got, err := client(t, fetch.Config{AllowPrivate: true, Roots: roots}).Get(t.Context(), server.URL, fetch.Options{})
	if err != nil || string(got.Body) != "private" {
		t.Errorf("got %q, %v", got.Body, err)
	}
}

// A URL may carry a secret in its query; errors end up in logs.
func TestErrorsDoNotHoldTheURL(t *testing.T) {
	c := client(t, fetch.Config{})
	for _, url := range []string{"http://127.0.0.1:1/?key=hush", "https://127.0.0.1:1/?key=hush", "gopher://x/?key=hush"} {
		_, err := c.Get(t.Context(), url, fetch.Options{AllowHTTP: true})
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("got %v", err)
		}
	}
}

// dns starts a DNS server that answers one question after another with the given IPv4
// addresses, the last of them for ever, and counts its questions for them.
func dns(t *testing.T, addresses ...string) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	asked := new(atomic.Int64)
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(answer(buf[:n], addresses, asked), from)
		}
	}()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}
	return &net.Resolver{PreferGo: true, Dial: dial}, asked
}

// answer makes a response to a question (RFC 1035 §4.1): one A record of ten seconds,
// or none when it asks for something else.
func answer(question []byte, addresses []string, asked *atomic.Int64) []byte {
	end := 12
	for end < len(question) && question[end] != 0 {
		end += int(question[end]) + 1
	}
	end += 5 // the root label, type and class
	out := append([]byte(nil), question[:end]...)
	copy(out[2:], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}) // a response, one question
	if question[end-3] != 1 {                                 // not A
		return out
	}
	i := min(int(asked.Add(1)), len(addresses)) - 1
	out[7] = 1
	out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 10, 0, 4)
	a := netip.MustParseAddr(addresses[i]).As4()
	return append(out, a[:]...)
}
