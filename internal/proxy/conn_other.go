//go:build !unix

package proxy

// checkIdle never finds a connection idle: where it cannot be asked without waiting,
// connections of the fast path are not reused.
func (c *conn) checkIdle(uintptr) { c.idle = false }
