// Package cardeatest runs a whole Cardea inside a test: the decision, the door, the
// store, a sandbox in place of the API, demo data and a clock that can be moved.
//
//	func TestMyClient(t *testing.T) {
//		s := cardeatest.Start(t, cardeatest.Config{ContractFile: "cardea.yaml"})
//		client := myclient.New(s.URL(), s.Secret("api_key", "live"))
//		…
//		s.Advance(31 * 24 * time.Hour) // what happens when the key was idle for a month?
//	}
//
// It listens on free ports of loopback and ends with the test. Everything is real but
// the API; set Config.Upstream to put a real one behind it.
package cardeatest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/internal/dev"
)

// Config says what to run. Its zero value runs a small built-in contract.
type Config struct {
	// Contract is the text of a contract, ContractFile the name of a file with one.
	// Neither: a built-in one with a key kind "api_key" in the environments "live" and
	// "test", and the scopes read, write and admin.
	Contract     string
	ContractFile string

	// Upstream is the base URL of a real API; "" is a sandbox that stores JSON and
	// echoes the headers it got.
	Upstream string

	// TLS also serves the contract's host names over TLS, with a certificate that
	// [Server.Client] trusts.
	TLS bool

	// Data is the directory to keep data in; "" is a temporary one.
	Data string

	// Log receives what the server logs, at level debug; nil: it is shown when the test
	// fails or is verbose.
	Log io.Writer
}

// A Server is a running Cardea. Its methods are safe for concurrent use.
type Server struct {
	dev   *dev.Dev
	ready dev.Ready
	admin *admin.Client
}

// Start starts a Cardea that ends with the test. A Cardea that does not start fails
// the test.
func Start(t testing.TB, c Config) *Server {
	t.Helper()
	cfg := dev.Config{Contract: c.ContractFile, Upstream: c.Upstream, Data: c.Data}
	if c.Contract != "" {
		cfg.ContractText = []byte(c.Contract)
	}
	if cfg.Data == "" {
		cfg.Data = t.TempDir()
	}
	if c.TLS {
		cfg.TLSListen = "127.0.0.1:0"
	}
	log := c.Log
	if log == nil {
		log = t.Output()
	}
	cfg.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))

	d, err := dev.New(t.Context(), cfg)
	if err != nil {
		t.Fatalf("start Cardea: %v", err)
	}
	s := &Server{dev: d, ready: d.Ready()}
	s.admin, err = admin.New(admin.Config{URL: s.ready.Management, Token: s.ready.ManagementToken})
	if err != nil {
		t.Fatalf("management client: %v", err)
	}
	// Not the test's context: it ends before cleanups run, whose requests still count.
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("stop Cardea: %v", err)
		}
	})
	return s
}

// URL returns the base URL of the API, without a trailing slash.
func (s *Server) URL() string { return s.ready.API }

// ManagementURL returns the base URL of the management API.
func (s *Server) ManagementURL() string { return s.ready.Management }

// ManagementToken returns a working management token.
func (s *Server) ManagementToken() string { return s.ready.ManagementToken }

// Organization returns the id of the demo organization.
func (s *Server) Organization() string { return s.ready.Organization }

// Secret returns a working secret of the demo organization, with every scope that its
// kind may have; "" when the contract has no such kind or environment.
func (s *Server) Secret(kind, environment string) string { return s.ready.Secrets[kind][environment] }

// Admin returns a client of the management API.
func (s *Server) Admin() *admin.Client { return s.admin }

// Advance moves Cardea's clock forward. It panics when the clock would go back: a test
// that asks for that has a mistake.
func (s *Server) Advance(by time.Duration) {
	if err := s.dev.Advance(by); err != nil {
		panic("cardeatest: " + err.Error())
	}
}

// StopClock stops Cardea's clock, so that a test of limits does not depend on how fast
// the machine is; StopClock(false) lets it run on from what it shows.
func (s *Server) StopClock(stop bool) { s.dev.StopClock(stop) }

// Now tells the time on Cardea's clock.
func (s *Server) Now() time.Time { return s.dev.Now() }

// CAFile returns the PEM file of the certificate authority, "" without Config.TLS.
func (s *Server) CAFile() string { return s.ready.CA }

// TLSAddress returns the address of the TLS listener, "" without Config.TLS.
func (s *Server) TLSAddress() string { return s.ready.TLS }

// Client returns an HTTP client to which every host name is this server: with
// Config.TLS, "https://api.example.com/v1/things" reaches it with the certificate
// verified, else "http://…" does. It follows no redirects.
func (s *Server) Client() *http.Client {
	transport := &http.Transport{ForceAttemptHTTP2: true}
	var dialer net.Dialer
	plain := ""
	if u, err := url.Parse(s.ready.API); err == nil {
		plain = u.Host
	}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if _, port, _ := net.SplitHostPort(address); port == "443" && s.ready.TLS != "" {
			return dialer.DialContext(ctx, network, s.ready.TLS)
		}
		return dialer.DialContext(ctx, network, plain)
	}
	if pem, err := os.ReadFile(s.ready.CA); err == nil {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
