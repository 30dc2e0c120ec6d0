package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Guarantee: what two servers could cut into requests in different ways is refused
// before any of it reaches the upstream.
func TestAmbiguousRequestsNeverReachTheUpstream(t *testing.T) {
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	for name, raw := range map[string]string{
		"two lengths":              "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 38\r\n\r\n" + smuggled,
		"length list":              "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 38\r\n\r\n" + smuggled,
		"signed length":            "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nhi",
		"hexadecimal length":       "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0x2\r\n\r\nhi",
		"unknown coding":           "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n" + smuggled,
		"coding in disguise":       "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n" + smuggled,
		"two codings":              "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
		"space before colon":       "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length : 2\r\n\r\nhi",
		"space in a name":          "GET /x HTTP/1.1\r\nHost: a\r\nX Cardea-Subject: usr_root\r\n\r\n",
		"folded first line":        "GET /x HTTP/1.1\r\n Host: a\r\n\r\n",
		"header without a colon":   "GET /x HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",
		"NUL in a value":           "GET /x HTTP/1.1\r\nHost: a\r\nX-A: a\x00b\r\n\r\n",
		"CR in a value":            "GET /x HTTP/1.1\r\nHost: a\r\nX-A: a\rX-Cardea-Subject: usr_root\r\n\r\n",
		"two hosts":                "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"no host":                  "GET /x HTTP/1.1\r\n\r\n",
		"CR in the target":         "GET /x\rGET HTTP/1.1\r\nHost: a\r\n\r\n",
		"huge header":              "GET /x HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat("a", 2<<20) + "\r\n\r\n",
		"chunk size with a sign":   "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\nhi\r\n0\r\n\r\n",
		"chunk with bare LF":       "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\nhi\n0\n\n",
		"chunk longer than stated": "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhij\r\n0\r\n\r\n",
		"endless chunk extension":  "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("a", 64<<10) + "\r\nhi\r\n0\r\n\r\n",
	} {
		bothWays(t, func(t *testing.T, standard bool) {
			t.Run(name, func(t *testing.T) {
				var whole atomic.Int64
				up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if _, err := io.Copy(io.Discard, r.Body); err == nil {
						whole.Add(1)
					}
				}))
				defer up.Close()
				fr := newFront(t, up.URL, standard, nil)
				answer := send(t, fr, raw)
				if strings.HasPrefix(answer, "HTTP/1.1 2") || strings.Count(answer, "HTTP/1.1 ") > 1 {
					t.Errorf("answered %.200q", answer)
				}
				if n := whole.Load(); n != 0 {
					t.Errorf("%d whole requests reached the upstream", n)
				}
			})
		})
	}
}

// Guarantee: a request with both a length and a coding, which net/http reads by the
// coding as RFC 9112 §6.3 has it, reaches the upstream as exactly one request with one
// framing; what follows on its connection is not read at all.
func TestLengthAndCodingBecomeOneRequest(t *testing.T) {
	bothWays(t, func(t *testing.T, standard bool) {
		var seen atomic.Value
		var count atomic.Int64
		up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			count.Add(1)
			seen.Store(r.RequestURI + " " + string(b) + " " + r.Header.Get("Content-Length"))
		}))
		defer up.Close()
		fr := newFront(t, up.URL, standard, nil)
		answer := send(t, fr, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"+
			"2\r\nhi\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if n := count.Load(); n != 1 || seen.Load() != "/x hi " {
			t.Errorf("the upstream saw %d requests, the last %q; the client %q", n, seen.Load(), answer)
		}
	})
}

// Guarantee: no spelling of an identity, forwarding or override header survives, and
// no Connection header removes ours.
func TestClaimsNeverReachTheUpstream(t *testing.T) {
	var got http.Header
	up := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Clone() }))
	defer up.Close()
	claimed := []string{
		"X-Cardea-Subject", "x-cardea-subject", "X_Cardea_Subject", "X-Cardea.Subject", "X.Cardea~Subject", "X-Cardea_Subject", "x_cardea-subject",
		"X-Cardea-Anything", "X-Request-Id", "X_Request_Id", "Forwarded", "X-Forwarded-For",
		"X_Forwarded_For", "X-Forwarded-Host", "X-Forwarded-Whatever", "X-Real-Ip", "X-Original-Url",
		"X-Rewrite-Url", "X-Http-Method-Override", "X-Method-Override", "X-HTTP-Method", "Authorization",
		"Proxy-Authorization", "Proxy-Connection", "Proxy-Foo", "Keep-Alive", "Client-Cert", "True-Client-IP", "X-Hop",
	}
	raw := "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop, X-Cardea-Subject, x-request-id\r\nTE: trailers, deflate\r\n"
	for _, name := range claimed {
		raw += name + ": spoofed\r\n"
	}
	raw += "Accept: yes\r\nCookie: a=b\r\nX-Own: c\r\n\r\n"
	bothWays(t, func(t *testing.T, standard bool) {
		got = nil
		send(t, newFront(t, up.URL, standard, nil), raw)
		want := http.Header{
			"Accept": {"yes"}, "Cookie": {"a=b"}, "X-Own": {"c"}, "X-Cardea-Subject": {"usr_1"},
			"X-Request-Id": {"req_1"}, "Te": {"trailers"},
		}
		delete(got, "Accept-Encoding")
		delete(got, "Connection") // the transport's own
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the upstream's headers (-want +got):\n%s", diff)
		}
	})
}

// Guarantee: what only Cardea may say is not taken from the upstream, hop-by-hop
// headers end here, and ours keep their exact case.
func TestTheUpstreamCannotSpeakForCardea(t *testing.T) {
	base, _ := rawUpstream(t, func(_, _ int, _ *http.Request) string {
		return "HTTP/1.1 200 OK\r\nX-RateLimit-Limit: 9\r\nx-ratelimit-limit: 8\r\nX-Request-ID: theirs\r\n" +
			"Connection: X-Hop\r\nX-Hop: a\r\nKeep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\n" +
			"X-Kept: b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok"
	})
	bothWays(t, func(t *testing.T, standard bool) {
		answer := send(t, newFront(t, base, standard, nil), "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		head, _, _ := strings.Cut(answer, "\r\n\r\n")
		want := map[string]bool{
			"X-RateLimit-Limit: 300": true, "X-Request-Id: req_1": true, "X-Kept: b": true, "Set-Cookie: a=1": true,
			"Set-Cookie: b=2": true, "Content-Length: 2": true, "Connection: close": true,
		}
		got := make(map[string]bool)
		for _, line := range strings.Split(head, "\r\n")[1:] {
			if !strings.HasPrefix(line, "Date: ") {
				got[line] = true
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("the client's headers (-want +got):\n%s", diff)
		}
	})
}

// Guarantee: the upstream is told one host, the one the request was judged by. HTTP/2
// lets a client send a host header besides :authority, and net/http keeps it.
func TestOneHostReachesTheUpstream(t *testing.T) {
	for _, standard := range []bool{false, true} {
		g := newGate(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) }),
			func(c *Config) { c.StandardOnly = standard })
		r := httptest.NewRequest("GET", "/v1/public/x", nil)
		r.Host, r.Header["Host"] = "api.acme.test", []string{"other.test"}
		w := httptest.NewRecorder()
		g.handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.String() != "api.acme.test" {
			t.Errorf("standard %v: %d %s", standard, w.Code, w.Body)
		}
	}
}
