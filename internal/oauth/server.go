package oauth

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/signing"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/token"
)

// Config is what [New] needs. Store, Contract and Authorizer are required.
type Config struct {
	// Store keeps clients, codes, consents and tokens.
	Store *store.DB

	// Contract returns the contract in force; each request asks once.
	Contract func() *contract.Contract

	// Authorizer verifies secrets and tokens.
	Authorizer *authz.Authorizer

	// People knows who is signed in. Nil: nobody can authorize anything.
	People *people.People

	// Fetch gets client id metadata documents. Nil: there are no such clients.
	Fetch *fetch.Client

	// Keys has our signing keys. Nil: JWTs cannot be issued.
	Keys *signing.Keys

	// Issuers has the key sets of others, clients' included. Nil: clients cannot register
	// a key set by its URL.
	Issuers *token.Cache

	// Sealer derives keys from the server's master key. Nil: there is none.
	Sealer *secret.Sealer

	// Now tells the time. Nil: [time.Now].
	Now cardea.Clock

	// Logger takes what an operator should look at. Nil: [slog.Default].
	Logger *slog.Logger

	// Apply makes every part of this process that keeps credentials in memory forget
	// what changed, [Server.Apply] included. It is called after a commit and before the
	// answer. Nil: the Authorizer and this Server are told, nobody else.
	Apply func(store.Changes)

	// TrustedProxies are the peers whose X-Forwarded-For and X-Forwarded-Proto are
	// believed; none by default.
	TrustedProxies []netip.Prefix

	// AnyHost serves every endpoint on host names that the contract does not know, for
	// development.
	AnyHost bool
}

// A Server serves the OAuth endpoints of a contract. It is safe for concurrent use.
type Server struct {
	cfg   Config
	store *store.DB
	now   cardea.Clock
	log   *slog.Logger
	apply func(store.Changes)

	table   atomic.Pointer[table]
	clients clients
	memo    memo
	proofs  *token.Replays

	browser // what endpoints for browsers keep
}

// New returns a Server. It reads nothing yet.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, store: cfg.Store, now: cfg.Now, log: cfg.Logger, apply: cfg.Apply}
	if s.now == nil {
		s.now = time.Now
	}
	s.proofs = token.NewReplays(maxProofs, s.now)
	if s.log == nil {
		s.log = slog.Default()
	}
	s.browser = newBrowser(cfg, s.now)
	if s.apply == nil {
		s.apply = func(changes store.Changes) {
			cfg.Authorizer.Apply(changes)
			s.Apply(changes)
		}
	}
	return s
}

// Apply makes the Server forget what changed: see [authz.Authorizer.Apply].
func (s *Server) Apply(changes store.Changes) {
	s.clients.forget(changes)
	s.memo.forget(changes)
}

// A binding is an endpoint at its place.
type binding struct {
	endpoint *contract.Endpoint
	methods  []string // besides OPTIONS, which cors answers
	token    *contract.TokenEndpoint
	public   bool // a document that pages of every origin may read
	page     bool // what people see

	// serve answers a request with one of the methods.
	serve func(*Server, http.ResponseWriter, *request)
}

// refuse answers with an error, for programs or for people.
func (b *binding) refuse(s *Server, w http.ResponseWriter, r *request, err error) {
	if b.page {
		s.errorPage(w, r, err)
		return
	}
	s.fail(w, r, err)
}

// A table finds the bindings of one contract.
type table struct {
	contract *contract.Contract
	paths    map[string][]*binding // :: path → bindings, on different hosts
}

// Find returns the handler of the endpoint at a host and path; ok is false when there
// is none. Paths are compared as they stand: path is the one that was sent, undecoded.
// The handler answers methods that the endpoint does not have, too.
func (s *Server) Find(host, method, path string) (h http.Handler, ok bool) {
	t := s.current()
	candidates := t.paths[path]
	if len(candidates) == 0 {
		return nil, false
	}
	host = bareHost(host)
	for _, b := range candidates {
		if b.endpoint.Host == "" || b.endpoint.Host == host {
			return &handler{s, t.contract, b}, true
		}
	}
	if s.cfg.AnyHost && !t.contract.Hosts().Knows(host) {
		return &handler{s, t.contract, candidates[0]}, true
	}
	return nil, false
}

// Handler serves every endpoint, and 404 elsewhere.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, ok := s.Find(r.Host, r.Method, r.URL.EscapedPath())
		if !ok {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// bareHost returns a host name without port and trailing dot, in lower case.
func bareHost(host string) string {
	host, _, _ = strings.Cut(host, ":") // names have no colon; addresses are nobody's
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// current returns the table of the contract in force.
func (s *Server) current() *table {
	c := s.cfg.Contract()
	if t := s.table.Load(); t != nil && t.contract == c {
		return t
	}
	t := &table{contract: c, paths: map[string][]*binding{}}
	for _, b := range append(s.machineBindings(c), s.browserBindings(c)...) {
		if b.endpoint != nil {
			t.paths[b.endpoint.Path] = append(t.paths[b.endpoint.Path], b)
		}
	}
	s.table.Store(t)
	return t
}

// machineBindings returns the endpoints that programs call. Those that the contract
// does not have are nil.
func (s *Server) machineBindings(c *contract.Contract) []*binding {
	post := []string{http.MethodPost}
	var all []*binding
	for _, e := range c.Endpoints().Token {
		all = append(all, &binding{endpoint: &e.Endpoint, methods: post, token: e, serve: (*Server).token})
	}
	e := c.Endpoints()
	return append(all,
		&binding{endpoint: e.Revoke, methods: post, serve: (*Server).revoke},
		&binding{endpoint: e.Introspect, methods: post, serve: (*Server).introspect})
}
