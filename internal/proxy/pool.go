package proxy

import (
	"sync"
	"time"
)

// Bounds of a pool of idle connections.
const (
	maxIdle     = 256              // connections kept per upstream
	idleTimeout = 60 * time.Second // how long one is kept unused
)

// A pool keeps the idle connections to one upstream, last used first out: what is
// needed stays warm and the rest grows old. The zero value is an empty pool.
type pool struct {
	mu     sync.Mutex
	idle   []*conn // the last is the freshest
	sweep  *time.Timer
	closed bool
}

// take takes the freshest idle connection, or returns nil. Whether it is still good
// shows when it is used.
func (p *pool) take() *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	c := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	return c
}

// put keeps a connection for reuse, or closes it when there are enough.
func (p *pool) put(c *conn, now time.Time) {
	c.idleSince = now
	p.mu.Lock()
	if p.closed || len(p.idle) >= maxIdle {
		p.mu.Unlock()
		c.close()
		return
	}
	p.idle = append(p.idle, c)
	if p.sweep == nil {
		p.sweep = time.AfterFunc(idleTimeout/2, p.expire)
	}
	p.mu.Unlock()
}

// expire closes the connections that were idle for too long, oldest first, and comes
// back as long as there are any.
func (p *pool) expire() {
	limit := time.Now().Add(-idleTimeout)
	p.mu.Lock()
	old := 0
	for old < len(p.idle) && p.idle[old].idleSince.Before(limit) {
		old++
	}
	dead := append([]*conn(nil), p.idle[:old]...)
	p.idle = append(p.idle[:0], p.idle[old:]...)
	clear(p.idle[len(p.idle):cap(p.idle)])
	p.sweep = nil
	if len(p.idle) > 0 && !p.closed {
		p.sweep = time.AfterFunc(idleTimeout/2, p.expire)
	}
	p.mu.Unlock()
	for _, c := range dead {
		c.close()
	}
}

// close closes the idle connections; those in use are closed when they come back.
func (p *pool) close() {
	p.mu.Lock()
	dead := p.idle
	p.idle, p.closed = nil, true
	if p.sweep != nil {
		p.sweep.Stop()
		p.sweep = nil
	}
	p.mu.Unlock()
	for _, c := range dead {
		c.close()
	}
}
