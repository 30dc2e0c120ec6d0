package proxy

import (
	"context"
	"net"
	"syscall"
	"time"
)

// Bounds of what is read from an upstream.
const (
	readBuffer      = 4 << 10  // kept with every idle connection
	maxResponseHead = 64 << 10 // status line and headers, and trailers
)

// slowAfter is how long the goroutine simply waits for the upstream before it goes to
// the trouble of watching the client as well. Deadlines are set this coarsely, so
// that a quick exchange usually sets none.
const slowAfter = 250 * time.Millisecond

// A conn is a connection to an upstream and the bytes read from it. It belongs to one
// goroutine at a time.
type conn struct {
	nc   net.Conn
	raw  syscall.RawConn
	up   *upstream
	buf  []byte
	r, w int // buf[r:w] is unread

	deadline  time.Time // as set on nc
	idleSince time.Time
	reused    bool // has served a request before

	trip trip
}

// A trip is a request on its way through a connection that was idle, and the first
// bytes of its answer.
type trip struct {
	step func(fd uintptr) bool // (*conn).tripStep, bound once
	out  []byte                // the request

	idle bool // the connection was open and silent, so that the request was sent
	sent int  // bytes of out
	read int  // bytes of the answer
	err  error
}

// begin sends a request over a connection that was idle and waits for the beginning of
// the answer, in one go: a look whether the connection is still good, a write, a wait,
// and a read. Compared to doing these one by one it saves a read in vain.
//
// Good means open and silent. Bytes that nobody asked for would be taken for the
// answer to the next request, of another client (response queue poisoning), so they
// condemn the connection: trip.idle is then false and nothing was sent. An error means
// that the wait was interrupted or that there will be no answer.
func (c *conn) begin(out []byte) error {
	c.trip = trip{step: c.trip.step, out: out}
	if c.raw == nil || c.r != c.w {
		return nil
	}
	err := c.raw.Read(c.trip.step)
	c.trip.out = nil
	c.w += c.trip.read
	if err == nil {
		err = c.trip.err
	}
	return err
}

// dial connects to an upstream.
func dial(ctx context.Context, d *net.Dialer, up *upstream) (*conn, error) {
	nc, err := d.DialContext(ctx, "tcp", up.address)
	if err != nil {
		return nil, err
	}
	c := &conn{nc: nc, up: up, buf: make([]byte, readBuffer)}
	if sc, ok := nc.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn()
	}
	c.trip.step = c.tripStep
	return c, nil
}

func (c *conn) close() { _ = c.nc.Close() }

// arm makes sure that the connection's deadline is near: no later than end, and not
// much later than slowAfter from now. It mostly finds one that will do.
func (c *conn) arm(now, end time.Time) {
	if c.deadline.After(now.Add(slowAfter/4)) && !c.deadline.After(end) {
		return
	}
	d := now.Add(slowAfter)
	if d.After(end) {
		d = end
	}
	c.setDeadline(d)
}

func (c *conn) setDeadline(t time.Time) {
	c.deadline = t
	_ = c.nc.SetDeadline(t) // fails on a closed connection only, and so will the next read
}

// unread returns what was read from the connection and not used yet.
func (c *conn) unread() []byte { return c.buf[c.r:c.w] }

// room makes space for reading more behind the unread bytes, up to max of them.
func (c *conn) room(max int) bool {
	if c.r == c.w {
		c.r, c.w = 0, 0
	}
	if c.w < len(c.buf) {
		return true
	}
	if c.r > 0 {
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
		return true
	}
	if len(c.buf) >= max {
		return false
	}
	next := make([]byte, min(2*len(c.buf), max))
	c.w = copy(next, c.buf[:c.w])
	c.buf = next
	return true
}
