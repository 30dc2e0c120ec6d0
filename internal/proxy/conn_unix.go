//go:build unix

package proxy

import (
	"io"
	"syscall"
)

// tripStep is called by the runtime's poller with the connection's descriptor, which is
// in non-blocking mode: first at once, then whenever there is something to read. It
// returns true when there is nothing more to wait for.
func (c *conn) tripStep(fd uintptr) bool {
	t := &c.trip
	if !t.idle {
		// "Try again" is the only good answer of a connection that should be silent.
		if _, err := syscall.Read(int(fd), c.buf[:1]); err != syscall.EAGAIN {
			return true
		}
		t.idle = true
		n, err := syscall.Write(int(fd), t.out)
		t.sent = max(n, 0)
		if err != nil && err != syscall.EAGAIN {
			t.err = err
			return true
		}
		return t.sent < len(t.out) // the rest is sent the ordinary way
	}
	n, err := syscall.Read(int(fd), c.buf)
	switch {
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return false
	case err != nil:
		t.err = err
	case n == 0:
		t.err = io.EOF
	default:
		t.read = n
	}
	return true
}
