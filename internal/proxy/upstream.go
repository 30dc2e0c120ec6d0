package proxy

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// errUpstreamURL is the refusal of a base URL. The contract checks them; this is the
// second lock.
var errUpstreamURL = errors.New("proxy: upstream is not an http or https base URL")

// An upstream is one base URL that requests are forwarded to, with the idle
// connections to it.
type upstream struct {
	scheme  string
	host    string // as in the URL: what Host would be, and what the Transport dials
	address string // host:port to dial
	prefix  string // path prefix without trailing slash, "" for none
	fast    bool   // plain HTTP/1.1: the fast path may be used

	pool pool
}

// parseUpstream reads a base URL: http or https, host, and optionally a path prefix.
func parseUpstream(base string) (*upstream, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return nil, errUpstreamURL
	}
	up := &upstream{scheme: u.Scheme, host: u.Host, prefix: strings.TrimRight(u.EscapedPath(), "/")}
	port := u.Port()
	switch u.Scheme {
	case "http":
		up.fast = true
		if port == "" {
			port = "80"
		}
	case "https":
		if port == "" {
			port = "443"
		}
	default:
		return nil, errUpstreamURL
	}
	up.address = net.JoinHostPort(u.Hostname(), port)
	return up, nil
}

// upstreams finds the upstream of a base URL. Reading takes no lock: the table is
// replaced as a whole, and only a changed contract brings new entries.
type upstreams struct {
	table atomic.Pointer[map[string]*upstream]
	mu    sync.Mutex // serializes writers
}

// get returns the upstream of a base URL, made on its first use.
func (t *upstreams) get(base string) (*upstream, error) {
	if table := t.table.Load(); table != nil {
		if up, ok := (*table)[base]; ok {
			return up, nil
		}
	}
	return t.add(base)
}

func (t *upstreams) add(base string) (*upstream, error) {
	up, err := parseUpstream(base)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next := map[string]*upstream{base: up}
	if table := t.table.Load(); table != nil {
		if old, ok := (*table)[base]; ok {
			return old, nil
		}
		for k, v := range *table {
			next[k] = v
		}
	}
	t.table.Store(&next)
	return up, nil
}

// close closes every idle connection.
func (t *upstreams) close() {
	if table := t.table.Load(); table != nil {
		for _, up := range *table {
			up.pool.close()
		}
	}
}
