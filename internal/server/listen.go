package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Bounds of every connection. A caller that needs longer for a header than this is no
// caller; bodies have no bound in time, since they may be of any size.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10

	// bodyPatience is how long a body may take that nobody asks for: before net/http
	// answers a refused request it reads the rest of it. Whoever wants the body sets
	// deadlines of its own.
	bodyPatience = 10 * time.Second
)

// A door is a listener with the server behind it.
type door struct {
	name     string // "api", "api-tls" or "management"
	listener net.Listener
	server   *http.Server
}

// openDoor binds an address.
func openDoor(name, address string, h http.Handler, tlsConfig *tls.Config, log *slog.Logger) (*door, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s listener: %s is in use by another program; stop it, or choose another address", name, address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s listener: %w", name, err)
	}
	d := &door{name: name, listener: l, server: &http.Server{
		Handler:           patient(h, bodyPatience),
		TLSConfig:         tlsConfig,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// "OPTIONS *" is answered like everything else, in the contract's shape.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
	return d, nil
}

// patient bounds the wait for bodies over HTTP/1. Over HTTP/2 an answer waits for none.
func patient(next http.Handler, wait time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 && r.ProtoMajor == 1 {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(wait))
		}
		next.ServeHTTP(w, r)
	})
}

// serve serves until the door is shut.
func (d *door) serve() error {
	var err error
	if d.server.TLSConfig != nil {
		err = d.server.ServeTLS(d.listener, "", "")
	} else {
		err = d.server.Serve(d.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("%s listener: %w", d.name, err)
}

// address returns the address that the door is bound to.
func (d *door) address() string {
	if d == nil {
		return ""
	}
	return d.listener.Addr().String()
}
