package signin

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/pages"
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

	// AnyHost serves the pages on host names that the contract does not know too, as
	// cardea dev does.
	AnyHost bool
}

// Server serves the pages. It is safe for concurrent use.
type Server struct {
	cfg    Config
	cross  *http.CrossOriginProtection
	routes map[string]route
}

// New returns a Server.
func New(c Config) *Server {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: c, cross: http.NewCrossOriginProtection()}
	s.routes = s.table()
	return s
}

// A route is what there is at a path: what GET shows and what POST does.
type route struct {
	get, post handler
	need      bool // somebody signed in; others are sent to sign in
	json      bool // POST takes a JSON object from a script, and answers with one
	tool      bool // POST is for programs, which have no cookies, and answers in JSON
}

// A handler serves a visit.
type handler func(*visit)

// table returns every path of this package.
func (s *Server) table() map[string]route {
	return map[string]route{
		"/signin":                   {get: signInPage, post: signIn},
		"/signin/sso":               {get: ssoPage, post: startSSO},
		people.CallbackPath:         {get: finishSSO},
		"/signin/passkey/begin":     {post: beginPasskey, json: true},
		"/signin/passkey/finish":    {post: finishPasskey, json: true},
		"/signin/device":            {get: devicePage, post: beginDevice, need: true, tool: true},
		"/signin/device/answer":     {post: answerDevice, need: true},
		"/signin/token":             {post: pollDevice, tool: true},
		"/signin/revoke":            {post: revoke, tool: true},
		"/signout":                  {get: signOutPage, post: signOut},
		"/invite":                   {post: useLink},
		"/handoff":                  {post: useHandoff},
		"/setup":                    {post: useSetup},
		"/account":                  {get: accountPage, need: true},
		"/account/password":         {post: changePassword, need: true},
		"/account/sessions/end":     {post: endSession, need: true},
		"/account/sessions/end-all": {post: endSessions, need: true},
		"/account/apps/withdraw":    {post: withdraw, need: true},
		"/account/passkeys/begin":   {post: beginRegistration, need: true, json: true},
		"/account/passkeys/finish":  {post: finishRegistration, need: true, json: true},
		"/account/passkeys/rename":  {post: renamePasskey, need: true},
		"/account/passkeys/remove":  {post: removePasskey, need: true},
	}
}

// Find returns the handler of a request by its host (with or without port), method and
// path, false when this package has none for it. Paths match exactly.
func (s *Server) Find(host, method, path string) (http.Handler, bool) {
	if !s.ours(host) {
		return nil, false
	}
	if strings.HasPrefix(path, pages.AssetPrefix) {
		if method != http.MethodGet && method != http.MethodHead {
			return nil, false
		}
		return pages.Asset(path)
	}
	r, ok := s.routes[path]
	if !ok && isLink(path) {
		r, ok = route{get: linkPage}, true
	}
	if !ok {
		return nil, false
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { s.serve(r, w, req) }), true
}

// ours reports whether the pages are served on a host: where people go (app), and where
// they are sent to say yes to an application, because a session belongs to one host.
func (s *Server) ours(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(host)
	c := s.cfg.Contract()
	if s.cfg.AnyHost && !c.Hosts().Knows(host) {
		return true
	}
	named := false
	for _, own := range hosts(c) {
		if own == "" {
			continue
		}
		if own == host {
			return true
		}
		named = true
	}
	return !named // a contract without hosts takes any
}

// hosts returns the hosts that people come to.
func hosts(c *contract.Contract) []string {
	list := []string{c.Hosts().App}
	e := c.Endpoints()
	for _, endpoint := range []*contract.Endpoint{e.Authorize, e.DevicePage, e.EndSession} {
		if endpoint != nil {
			list = append(list, endpoint.Host)
		}
	}
	return list
}
