package proxy

import "time"

// Config configures.
type Config struct {
	DialTimeout, Timeout, Idle, BodyIdle time.Duration
}

func newForwarder(c Config) *forwarder {
	f := &forwarder{idle: 5 * time.Minute, bodyIdle: 10 * time.Second}
	f.dialer.Timeout = 5 * time.Second
	f.transport = newTransport(f)
	return f
}
