package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestBodyNobodyWantsHoldsNothing holds that a refused request whose body never comes is
// answered, and its connection closed, without waiting for it.
func TestBodyNobodyWantsHoldsNothing(t *testing.T) {
	s := httptest.NewServer(patient(http.NotFoundHandler(), 50*time.Millisecond))
	defer s.Close()
	for _, framing := range []string{"Content-Length: 1000", "Transfer-Encoding: chunked"} {
		c, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /x HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", framing)
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		in := bufio.NewReader(c)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("%s: %v", framing, err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusNotFound || !res.Close {
			t.Errorf("%s: %d, close %v, %v", framing, res.StatusCode, res.Close, err)
		}
		if _, err := in.ReadByte(); err == nil || isTimeout(err) {
			t.Errorf("%s: the connection stays open: %v", framing, err)
		}
	}
}

func isTimeout(err error) bool {
	n, ok := err.(net.Error)
	return ok && n.Timeout()
}
