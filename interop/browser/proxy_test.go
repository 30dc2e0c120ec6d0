package browser

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// strange is the one host beside a world's own that a tab can be sent to: pages for the
// tests of the tests.
const strange = "strange.example"

// A proxy is a browser's only way into the network: every host over TLS is its world.
type proxy struct {
	server string // for Chromium
	target string // address of the world's TLS listener

	mu      sync.Mutex
	hosts   map[string]bool // that were asked for
	strange http.Handler
}

// openProxy starts a proxy that ends with the tests.
func openProxy(target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{server: "http://" + l.Addr().String(), target: target, hosts: map[string]bool{}}
	s := &http.Server{Handler: p}
	go s.Serve(l) // ends with Close
	atEnd(func() { _ = s.Close() })
	return p, nil
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.hosts[r.Host] = true
	pages := p.strange
	p.mu.Unlock()
	if r.Method != http.MethodConnect {
		if pages != nil && strings.HasPrefix(r.Host, strange) {
			pages.ServeHTTP(w, r)
			return
		}
		http.Error(w, "nothing is there", http.StatusBadGateway)
		return
	}
	up, err := net.Dial("tcp", p.target)
	if err != nil {
		http.Error(w, "the world has ended", http.StatusBadGateway)
		return
	}
	down, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		_ = up.Close()
		return
	}
	_, _ = io.WriteString(down, "HTTP/1.1 200 Connected\r\n\r\n") // else the copies end at once
	go carry(up, down)
	carry(down, up)
}

// carry copies one direction of a connection, then closes both.
func carry(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}
