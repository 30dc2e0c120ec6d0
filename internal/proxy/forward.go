package proxy

import (
	"errors"
	"net"
	"net/http"
	"time"
)

// A forwarder carries passages to their upstreams, the fast way when the request is
// an ordinary one and the standard way otherwise. It is safe for concurrent use.
type forwarder struct {
	dialer    net.Dialer
	transport *http.Transport // to https upstreams
	once      *http.Transport // to http upstreams, without reuse
	upstreams upstreams
	timeout   time.Duration // until the response's head, unless the route says otherwise
	idle      time.Duration // silence allowed on a stream, in either direction
	bodyIdle  time.Duration // silence allowed while a client sends its body
	noFast    bool          // for comparison: everything goes the standard way
}

// forward carries the passage to its upstream and the answer back. When it returns an
// error and the passage has not started, the client has been told nothing yet;
// when it has started, the client's connection must be aborted.
func (f *forwarder) forward(p *passage) error {
	r := p.r
	if p.maxBody > 0 && r.ContentLength > p.maxBody {
		return errTooLarge
	}
	if p.up.fast && !f.noFast && r.ContentLength >= 0 && r.ContentLength <= fastBody && len(r.Trailer) == 0 {
		if err := f.fast(p); !errors.Is(err, errSpecial) {
			return err
		}
	}
	return f.standard(p)
}

// patience gives the client time to read what is written to it from now on. A client
// that stops reading is given up then, however little it was sent.
func (f *forwarder) patience(w http.ResponseWriter, now time.Time) {
	// A writer that has no deadlines is a test's.
	_ = http.NewResponseController(w).SetWriteDeadline(now.Add(f.idle + f.idle/8))
}

// close closes idle connections.
func (f *forwarder) close() {
	f.upstreams.close()
	f.transport.CloseIdleConnections()
}
