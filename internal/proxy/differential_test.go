package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// An observation is what the upstream got and what the client got back, in a form that
// can be compared: header lines sorted, framing and dates left out.
type observation struct {
	Upstream, Client string
}

// Guarantee: the fast path differs from the standard one in speed only. Upstream and
// client see the same requests and answers.
func TestFastAndStandardPathAgree(t *testing.T) {
	requests := map[string]string{
		"plain":            "GET /v1/x HTTP/1.1\r\nHost: a.test\r\n",
		"query":            "GET /v1/x?a=b&c=%2F%zz&&;d HTTP/1.1\r\nHost: a.test\r\n",
		"empty query":      "GET /v1/x? HTTP/1.1\r\nHost: a.test\r\n",
		"encoded path":     "GET /v1/a%20b/caf%C3%A9%2Fx HTTP/1.1\r\nHost: a.test\r\n",
		"host with port":   "GET /v1/x HTTP/1.1\r\nHost: a.test:8443\r\n",
		"HTTP/1.0":         "GET /v1/x HTTP/1.0\r\nHost: a.test\r\n",
		"repeated headers": "GET /v1/x HTTP/1.1\r\nHost: a.test\r\nAccept: a\r\nAccept: b\r\nX-Three: 1\r\nX-Three: 2\r\n",
		"empty value":      "GET /v1/x HTTP/1.1\r\nHost: a.test\r\nX-Empty:\r\n",
		"obs-text":         "GET /v1/x HTTP/1.1\r\nHost: a.test\r\nX-Text: caf\xc3\xa9 \xff\r\n",
		"user agent":       "GET /v1/x HTTP/1.1\r\nHost: a.test\r\nUser-Agent: curl/8\r\nAccept-Encoding: gzip, br\r\n",
		"HEAD":             "HEAD /v1/x HTTP/1.1\r\nHost: a.test\r\n",
		"DELETE":           "DELETE /v1/x HTTP/1.1\r\nHost: a.test\r\n",
		"OPTIONS":          "OPTIONS /v1/x HTTP/1.1\r\nHost: a.test\r\nOrigin: https://b.test\r\n",
		"own method":       "PURGE /v1/x HTTP/1.1\r\nHost: a.test\r\n",
		"POST empty":       "POST /v1/x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n",
		"POST unsaid":      "POST /v1/x HTTP/1.1\r\nHost: a.test\r\n",
		"POST":             "POST /v1/x HTTP/1.1\r\nHost: a.test\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello",
		"PATCH":            "PATCH /v1/x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello",
		"GET with a body":  "GET /v1/x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhello",
		"hop-by-hop":       "GET /v1/x HTTP/1.1\r\nHost: a.test\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: 3\r\n",
		"claims":           "GET /v1/x HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: 1.1.1.1\r\nX_Request_Id: 1\r\nAuthorization: Bearer x\r\n",
	}
	answers := map[string]string{
		"stated":       "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nX-A: 1\r\nX-A: 2\r\nVary: Accept\r\n\r\nok",
		"empty":        "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nLocation: /v1/x/1\r\n\r\n",
		"no content":   "HTTP/1.1 204 No Content\r\nETag: \"a\"\r\n\r\n",
		"not modified": "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
		"redirect":     "HTTP/1.1 302 Found\r\nLocation: https://b.test/\r\nContent-Length: 0\r\n\r\n",
		"error":        "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nRetry-After: 7\r\n\r\noops",
		"no reason":    "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
		"chunked":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n",
		"trailers":     "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Late: 2\r\n\r\n",
		"until close":  "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\nuntil the end" + hangUp,
		"HTTP/1.0":     "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok" + hangUp,
		"close":        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok" + hangUp,
		"early hints":  "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"continue":     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"spaces":       "HTTP/1.1 200 OK\r\nX-A:   a b \t \r\nContent-Length: 2\r\n\r\nok",
	}
	for rname, request := range requests {
		for aname, answer := range answers {
			if rname == "HEAD" {
				answer = headOnly(answer)
			}
			fast, standard := observe(t, false, request, answer), observe(t, true, request, answer)
			if diff := cmp.Diff(standard, fast); diff != "" {
				t.Errorf("%s, %s (-standard +fast):\n%s", rname, aname, diff)
			}
		}
	}
}

// headOnly cuts the body off an answer to HEAD.
func headOnly(answer string) string {
	body, last := strings.CutSuffix(answer, hangUp)
	parts := strings.SplitAfter(body, "\r\n\r\n")
	if strings.HasPrefix(body, "HTTP/1.1 1") {
		body = parts[0] + parts[1]
	} else {
		body = parts[0]
	}
	if last {
		body += hangUp
	}
	return body
}

// observe sends a request through a front and notes both ends.
func observe(t *testing.T, standard bool, request, answer string) observation {
	t.Helper()
	var o observation
	base, _ := rawUpstream(t, func(_, _ int, r *http.Request) string {
		o.Upstream = fmt.Sprintf("%s %s %s\n%s", r.Method, r.RequestURI, r.Host, lines(r.Header))
		return answer
	})
	fr := newFront(t, base+"/prefix", standard, nil)
	head, body, _ := strings.Cut(request, "\r\n\r\n")
	head = strings.TrimSuffix(head, "\r\n")
	if strings.Contains(head, "Connection: ") {
		head = strings.Replace(head, "Connection: ", "Connection: close, ", 1)
	} else {
		head += "\r\nConnection: close"
	}
	o.Client = answerText(t, send(t, fr, head+"\r\n\r\n"+body), request[:strings.IndexByte(request, ' ')])
	if err := fr.lastError(); err != nil {
		o.Client += "\n" + err.Error()
	}
	return o
}

// answerText parses what the client got.
func answerText(t *testing.T, raw, method string) string {
	t.Helper()
	var text strings.Builder
	for in := bufio.NewReader(bytes.NewReader([]byte(raw))); ; {
		res, err := http.ReadResponse(in, &http.Request{Method: method})
		if err != nil {
			return fmt.Sprintf("%s%v", &text, err)
		}
		body, err := io.ReadAll(res.Body)
		fmt.Fprintf(&text, "%d %q %v\n%strailers %s", res.StatusCode, body, err, lines(res.Header), lines(res.Trailer))
		if res.StatusCode >= 200 {
			return text.String()
		}
	}
}

// lines are a header's lines, sorted, without what framing and the clock decide.
func lines(h http.Header) string {
	var all []string
	for name, values := range h {
		if name == "Date" || name == "Content-Length" || name == "Connection" || name == "Trailer" {
			continue
		}
		for _, v := range values {
			all = append(all, name+": "+v+"\n")
		}
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// Guarantee: the parser of the fast path accepts nothing that net/http's refuses, and
// reads what it accepts in the same way.
func FuzzHead(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "HTTP/1.0 404\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX-A: a\r\n b\r\n\r\n", "HTTP/1.1 204 \r\nConnection: close, x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n := headEnd([]byte(text), 0)
		if n == 0 {
			return
		}
		text = text[:n]
		var h head
		if h.parse(text) != nil {
			return
		}
		res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), &http.Request{Method: "GET"})
		if err != nil {
			t.Fatalf("net/http refuses %q: %v", text, err)
		}
		if res.StatusCode != h.status {
			t.Fatalf("%q: status %d, net/http says %d", text, h.status, res.StatusCode)
		}
		chunked := slices.Equal(res.TransferEncoding, []string{"chunked"})
		if !h.bodyless("GET") && (chunked != h.chunked || !chunked && res.ContentLength != h.length) {
			t.Fatalf("%q: length %d chunked %v, net/http says %d %v", text, h.length, h.chunked, res.ContentLength, res.TransferEncoding)
		}
		mine := make(http.Header)
		for _, field := range h.fields {
			mine[field.name] = append(mine[field.name], field.value)
		}
		for _, name := range []string{"Transfer-Encoding", "Trailer", "Content-Length", "Connection"} {
			delete(mine, name)
			delete(res.Header, name)
		}
		if diff := cmp.Diff(res.Header, mine); diff != "" && len(mine) > 0 {
			t.Fatalf("%q (-net/http +ours):\n%s", text, diff)
		}
	})
}
