package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

// fastBody is the largest request body of the fast path, in bytes. It is read whole
// before anything is sent, so that one write carries head and body, and no response
// can overtake its request. Larger and unbounded bodies stream the standard way.
const fastBody = 64 << 10

// An exchange is one request and its response on a connection of the fast path.
type exchange struct {
	p    *passage
	c    *conn
	head head

	now  time.Time   // when the exchange last looked at the clock
	end  time.Time   // when the present wait is over
	stop func() bool // ends the watch over the client; nil while there is none

	heard   bool      // the upstream has sent something
	dirty   bool      // bytes were written to the client that may still be buffered
	guarded time.Time // when the client's patience was last renewed
	out     []byte    // the request
	scratch []byte    // 32 KiB for a large response body, or nil
	small   []byte    // the connection's own buffer while scratch stands in for it
}

var exchanges = sync.Pool{New: func() any { return &exchange{out: make([]byte, 0, 2<<10)} }}

// maxPooledOut is how large a request buffer may be and still be kept.
const maxPooledOut = 16 << 10

// fast carries the passage over a pooled HTTP/1.1 connection, in this goroutine. It
// returns errSpecial, before anything happened, for a request that has to take the
// standard path.
func (f *forwarder) fast(p *passage) error {
	x := exchanges.Get().(*exchange)
	x.p = p
	err := x.run(f)
	x.release()
	return err
}

func (x *exchange) release() {
	if x.c != nil {
		x.c.close()
	}
	if x.stop != nil {
		x.stop()
	}
	clear(x.head.fields[:cap(x.head.fields)])
	if x.scratch != nil {
		scratches.Put((*[scratchSize]byte)(x.scratch))
	}
	out := x.out[:0]
	if cap(out) > maxPooledOut {
		out = make([]byte, 0, 2<<10)
	}
	*x = exchange{out: out, head: head{fields: x.head.fields[:0]}}
	exchanges.Put(x)
}

// run sends the request and relays the response. A request that got no answer at all
// on a connection that had been idle is sent once more, on a new one, if it may be
// repeated and has no body (RFC 9110 §9.2.2).
func (x *exchange) run(f *forwarder) error {
	p := x.p
	if err := x.prepare(f); err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		err := x.send(f, attempt > 0)
		if err == nil {
			err = x.readHead()
		}
		if err == nil {
			return x.relay(f)
		}
		again := attempt == 0 && x.c != nil && x.c.reused && !x.heard && p.r.ContentLength == 0 &&
			idempotent(p.r.Method) && errors.Is(err, errUpstream)
		if !again {
			return err
		}
		x.c.close()
		x.c = nil
	}
}

// prepare builds the request and reads the client's body behind it.
func (x *exchange) prepare(f *forwarder) error {
	p := x.p
	var err error
	if x.out, err = p.appendRequest(x.out[:0]); err != nil {
		if errors.Is(err, errSpecial) {
			return errSpecial
		}
		return fail(errBody, err)
	}
	n := int(p.r.ContentLength)
	if n == 0 {
		return nil
	}
	x.out = slices.Grow(x.out, n)
	body := x.out[len(x.out) : len(x.out)+n]
	client := http.NewResponseController(p.w)
	_ = client.SetReadDeadline(time.Now().Add(f.bodyIdle)) // not every writer has one
	if _, err := io.ReadFull(p.r.Body, body); err != nil {
		return bodyError(p.r.Context(), err)
	}
	_ = client.SetReadDeadline(time.Time{})
	x.out = x.out[:len(x.out)+n]
	return nil
}

// send sends the request: over an idle connection that turns out to be good, where the
// first bytes of the answer are read as well, or over a new one.
func (x *exchange) send(f *forwarder, fresh bool) error {
	for !fresh {
		c := x.p.up.pool.take()
		if c == nil {
			break
		}
		x.c = c
		x.arm()
		err := c.begin(x.out)
		if c.trip.idle {
			return x.sent(err)
		}
		c.close()
		x.c = nil
	}
	if err := x.dial(f); err != nil {
		return err
	}
	x.arm()
	return x.sendRest(x.out)
}

// sent goes on from where a reused connection came to.
func (x *exchange) sent(err error) error {
	c := x.c
	x.heard = c.trip.read > 0
	if err != nil {
		if err = x.wait(err); err != nil {
			return err
		}
	}
	return x.sendRest(x.out[c.trip.sent:])
}

// arm sets the time that the upstream has for its head.
func (x *exchange) arm() {
	x.now = time.Now()
	x.end = x.now.Add(x.p.timeout)
	x.c.arm(x.now, x.end)
}

// dial makes a new connection.
func (x *exchange) dial(f *forwarder) error {
	client := x.p.r.Context()
	c, err := dial(client, &f.dialer, x.p.up)
	switch {
	case err == nil:
		x.c = c
		return nil
	case client.Err() != nil:
		return fail(errGone, err)
	case os.IsTimeout(err):
		return fail(errTimeout, err)
	}
	return fail(errUpstream, err)
}

// sendRest writes what is left of the request.
func (x *exchange) sendRest(rest []byte) error {
	for len(rest) > 0 {
		n, err := x.c.nc.Write(rest)
		if err == nil {
			return nil
		}
		rest = rest[n:]
		if err = x.wait(err); err != nil {
			return err
		}
	}
	return nil
}

// readHead reads and parses the response's head. Interim responses (1xx) are passed
// on as they come, except 100, which nobody asked for.
func (x *exchange) readHead() error {
	const maxInterim = 5
	for range maxInterim + 1 {
		if err := x.fillHead(); err != nil {
			return err
		}
		switch h := &x.head; {
		case h.status >= 200:
			return nil
		case h.status == http.StatusSwitchingProtocols || h.chunked || h.length > 0:
			return fail(errUpstream, errGarbage)
		case h.status != http.StatusContinue && x.p.r.ProtoAtLeast(1, 1):
			x.interim() // clients of HTTP/1.0 know of none, RFC 9110 §15.2
		}
	}
	return fail(errUpstream, errGarbage)
}

// fillHead reads until one whole head is there, and parses it.
func (x *exchange) fillHead() error {
	c, looked := x.c, 0
	for {
		if n := headEnd(c.unread(), looked); n > 0 {
			text := string(c.buf[c.r : c.r+n])
			c.r += n
			if err := x.head.parse(text); err != nil {
				return fail(errUpstream, err)
			}
			return nil
		}
		looked = c.w - c.r
		if !c.room(maxResponseHead) {
			return fail(errUpstream, errGarbage)
		}
		if err := x.fill(); err != nil {
			return err
		}
	}
}

// interim passes a 1xx response on.
func (x *exchange) interim() {
	h := x.p.w.Header()
	x.head.apply(h, x.p.replies)
	delete(h, "Content-Type")
	x.p.w.WriteHeader(x.head.status)
	clear(h)
}

// fill reads what the upstream has sent, waiting for it if need be. Before it waits,
// the client gets whatever was written for it so far.
func (x *exchange) fill() error {
	c := x.c
	for {
		n, err := c.nc.Read(c.buf[c.w:])
		if n > 0 {
			c.w += n
			x.heard = true
			return nil
		}
		if err = x.wait(err); err != nil {
			return err
		}
	}
}

// wait judges why reading or writing stopped. It returns nil when the exchange is
// merely slow: from then on the client is watched, so that a request nobody waits for
// is given up.
func (x *exchange) wait(err error) error {
	ctx := x.p.r.Context()
	switch {
	case ctx.Err() != nil:
		return fail(errGone, err)
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return fail(errUpstream, err)
	}
	x.now = time.Now()
	if !x.now.Before(x.end) {
		return fail(errTimeout, err)
	}
	if x.stop == nil {
		c := x.c
		x.stop = context.AfterFunc(ctx, func() { _ = c.nc.SetDeadline(time.Unix(1, 0)) })
	}
	x.c.setDeadline(x.end)
	if ctx.Err() != nil { // the watch may have struck before the deadline was set
		return fail(errGone, err)
	}
	return nil
}

// finish gives the connection back, when the whole response was read and nothing may
// still act on it.
func (x *exchange) finish() {
	c := x.c
	x.c = nil
	if !x.head.reusable() || c.r != c.w {
		c.close()
		return
	}
	if x.stop != nil {
		stopped := x.stop()
		x.stop = nil
		if !stopped { // the watch has struck and may yet set a deadline
			c.close()
			return
		}
	}
	if x.small != nil {
		c.buf = x.small
	}
	if len(c.buf) > readBuffer {
		c.buf = make([]byte, readBuffer)
	}
	c.r, c.w, c.reused = 0, 0, true
	c.up.pool.put(c, x.now)
}
