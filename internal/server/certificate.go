package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// A certificateFile is a certificate kept in two PEM files. It is read again when the
// files have changed, so that a renewal needs no restart; a pair that does not load
// leaves the old one in use.
type certificateFile struct {
	cert, key string
	log       *slog.Logger
	current   atomic.Pointer[tls.Certificate]
	stamp     atomic.Value // string: what the files looked like when current was read
}

// newCertificateFile reads the pair for the first time.
func newCertificateFile(cert, key string, log *slog.Logger) (*certificateFile, error) {
	c := &certificateFile{cert: cert, key: key, log: log}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("TLS certificate: %w", err)
	}
	c.current.Store(&pair)
	c.stamp.Store(c.look())
	return c, nil
}

// reload reads the pair again if the files have changed since.
func (c *certificateFile) reload() {
	look := c.look()
	if look == c.stamp.Load() {
		return
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		c.log.Error("TLS certificate not loaded, the old one stays in use", slog.String("error", err.Error()))
		return
	}
	c.current.Store(&pair)
	c.stamp.Store(look)
	c.log.Info("TLS certificate loaded")
}

// look describes the files' state without reading them.
func (c *certificateFile) look() string {
	s := ""
	for _, name := range []string{c.cert, c.key} {
		if info, err := os.Stat(name); err == nil {
			s += fmt.Sprint(info.Size(), info.ModTime().Format(time.RFC3339Nano), ";")
		}
	}
	return s
}

// get is a [tls.Config] callback.
func (c *certificateFile) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}

// tlsConfig returns the configuration of the TLS listener.
func tlsConfig(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: get,
		NextProtos:     []string{"h2", "http/1.1"},
	}
}
