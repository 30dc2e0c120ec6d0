package proxy

import (
	"bufio"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// A replyWriter watches what the standard path writes to the client: the status, the
// bytes, and interim responses, whose headers obey the same rules.
type replyWriter struct {
	http.ResponseWriter
	f      *forwarder
	p      *passage
	tunnel *tunnel // after an upgrade
}

// Unwrap lets [http.ResponseController] reach the server's writer.
func (w *replyWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader implements [http.ResponseWriter].
func (w *replyWriter) WriteHeader(status int) {
	switch {
	case status >= 200:
		w.p.started, w.p.status = true, status
		w.f.patience(w.ResponseWriter, time.Now())
	case status == http.StatusContinue:
		return // net/http says it when the transport begins to read the body
	case !w.p.r.ProtoAtLeast(1, 1):
		return // clients of HTTP/1.0 know of none, RFC 9110 §15.2
	default:
		h := w.Header()
		for name := range h {
			if !w.p.replies.reply(name) {
				delete(h, name)
			}
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (w *replyWriter) Write(b []byte) (int, error) {
	w.f.patience(w.ResponseWriter, time.Now())
	n, err := w.ResponseWriter.Write(b)
	w.p.written += int64(n)
	return n, err
}

// Hijack takes the client's connection over for a WebSocket. The connection is given
// up when both directions are silent for as long as the forwarder allows.
func (w *replyWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.p.started, w.p.status = true, http.StatusSwitchingProtocols
	w.tunnel = &tunnel{Conn: c, idle: w.f.idle}
	return w.tunnel, rw, nil
}

// A tunnel is a client's connection after an upgrade. One goroutine reads and another
// writes, and either may outlive the request.
type tunnel struct {
	net.Conn
	idle time.Duration
	sent atomic.Int64 // bytes, to the client
}

// Read reads what the client sends. It fails when nothing passed in either direction
// for the idle time: writing renews the deadline too.
func (t *tunnel) Read(b []byte) (int, error) {
	if err := t.SetReadDeadline(time.Now().Add(t.idle)); err != nil {
		return 0, err
	}
	return t.Conn.Read(b)
}

// Write sends the client what the upstream sent.
func (t *tunnel) Write(b []byte) (int, error) {
	if err := t.SetDeadline(time.Now().Add(t.idle)); err != nil {
		return 0, err
	}
	n, err := t.Conn.Write(b)
	t.sent.Add(int64(n))
	return n, err
}
