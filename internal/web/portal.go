package web

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// Config is what [New] needs.
type Config struct {
	// Manage, Insight and Webhooks are the use cases. Required.
	Manage   *manage.Manager
	Insight  *insight.Insight
	Webhooks *webhook.Webhooks

	// People knows who is signed in. Required.
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

	// AnyHost serves the dashboard on host names that the contract does not know too, as
	// cardea dev does.
	AnyHost bool
}

// A Portal serves the dashboard. It is safe for concurrent use.
type Portal struct {
	cfg    Config
	mux    *http.ServeMux
	cross  *http.CrossOriginProtection
	routes []Route
	sent   sent
}

// New returns the dashboard of some areas. Two routes with one pattern are a defect of
// the program, and a panic.
func New(c Config, areas ...Area) *Portal {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Portal{cfg: c, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection()}
	for _, area := range areas {
		for _, route := range area.Routes {
			p.add(area, route)
		}
	}
	p.mux.HandleFunc("GET "+Prefix, p.home)
	p.mux.HandleFunc("GET "+ConsolePrefix, p.home)
	p.mux.HandleFunc("GET "+asPrefix, p.home)
	return p
}

func (p *Portal) add(area Area, route Route) {
	p.routes = append(p.routes, route)
	for _, pattern := range route.patterns() {
		p.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { p.serve(area, route, w, r) })
	}
}

// Routes returns every route of every area, for tests that hold for all of them.
func (p *Portal) Routes() []Route { return slices.Clone(p.routes) }

// Find returns the handler of a request by its host (with or without port), method and
// undecoded path, false when the dashboard has nothing there.
func (p *Portal) Find(host, method, path string) (http.Handler, bool) {
	if path != Prefix && !strings.HasPrefix(path, Prefix+"/") && (path != "/" || !p.alone(host)) || !p.ours(host) {
		return nil, false
	}
	if strings.HasPrefix(path, assetPrefix) {
		return asset(path, method)
	}
	return http.HandlerFunc(p.dispatch), true
}

// dispatch finds the route. A path that is not in its shortest form, or that none has, is
// answered with a page that says so, never with a redirect to a guess.
func (p *Portal) dispatch(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/" {
		redirect(w, Prefix)
		return
	}
	clean := r.URL.EscapedPath() == r.URL.Path && path.Clean(r.URL.Path) == r.URL.Path
	if _, pattern := p.mux.Handler(r); clean && pattern != "" {
		p.mux.ServeHTTP(w, r)
		return
	}
	status, heading, text := http.StatusNotFound, "There is no such page", "The address may be mistyped, or what was here is gone."
	if allow := p.allowed(r); clean && allow != "" {
		w.Header().Set("Allow", allow)
		status, heading, text = http.StatusMethodNotAllowed, "This cannot be done here", "The address is right, but not for this."
	}
	p.serve(Area{Templates: base}, Route{Serve: func(v *Visit) { v.refuse(status, heading, text) }}, w, r)
}

// allowed returns the methods for which there is a route at a request's path.
func (p *Portal) allowed(r *http.Request) string {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := p.mux.Handler(other); pattern != "" {
			methods = append(methods, method)
		}
	}
	return strings.Join(methods, ", ")
}

// home leads to the first page of whoever is there.
func (p *Portal) home(w http.ResponseWriter, r *http.Request) {
	p.serve(Area{Templates: base}, Route{Serve: func(v *Visit) {
		for _, group := range v.menu() {
			for _, item := range group.Items {
				v.See(strings.TrimPrefix(item.Path, v.Base), "")
				return
			}
		}
		v.refuse(http.StatusNotFound, "There is nothing here", "Your role sees no page.")
	}}, w, r)
}

// ours reports whether the dashboard is served on a host.
func (p *Portal) ours(host string) bool {
	c := p.cfg.Contract()
	app := c.Hosts().App
	return app == "" || name(host) == app || p.cfg.AnyHost && !c.Hosts().Knows(name(host))
}

// alone reports whether a host has nothing else than Cardea's pages, so that its root is
// free to lead to them.
func (p *Portal) alone(host string) bool {
	hosts := p.cfg.Contract().Hosts()
	return hosts.App != "" && hosts.App != hosts.API && name(host) == hosts.App
}

// name returns the name of a Host header, without port and in lower case.
func name(host string) string {
	if n, _, err := net.SplitHostPort(host); err == nil {
		host = n
	}
	return strings.ToLower(host)
}
