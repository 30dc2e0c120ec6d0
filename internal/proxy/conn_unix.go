//go:build unix

package proxy

import "syscall"

// checkIdle sees whether an idle connection has anything to say, without waiting: the
// descriptor is in non-blocking mode, so "try again" is the only good answer.
func (c *conn) checkIdle(fd uintptr) {
	var b [1]byte
	_, err := syscall.Read(int(fd), b[:])
	c.idle = err == syscall.EAGAIN
}
