package signin

import (
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/people"
)

// Config is what [New] needs.
type Config struct {
	// People knows who people are. Required.
	People *people.People

	// Contract returns the contract in force. Required.
	Contract func() *contract.Contract

	// Now tells the time. Nil: time.Now.
	Now cardea.Clock

	// Logger gets what nobody is told. Nil: nothing is logged.
	Logger *slog.Logger

	// TrustedProxies are the networks of proxies whose X-Forwarded-For and
	// X-Forwarded-Proto are believed. None by default.
	TrustedProxies []netip.Prefix

	// AnyHost serves the pages on every host name, as cardea dev does.
	AnyHost bool
}

// Server serves the pages. It is safe for concurrent use.
type Server struct {
	cfg Config
}

// New returns a Server.
func New(c Config) *Server { return &Server{cfg: c} }

// Find returns the handler of a request by its host (with or without port), method and
// path, false when this package has none for it.
func (s *Server) Find(host, method, path string) (http.Handler, bool) {
	return nil, false
}
