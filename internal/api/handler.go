package api

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// Config is what [New] needs.
type Config struct {
	// Manager carries out the operations. Required.
	Manager *manage.Manager

	// Insight answers what is asked about what happened. Required.
	Insight *insight.Insight

	// Webhooks tells organizations what happens to their credentials. Required.
	Webhooks *webhook.Webhooks

	// Member returns the member whom a signed-in person's token stands for; ok is false
	// for a token that is none. Nil: nobody but operators.
	Member func(ctx context.Context, token string) (actor cardea.Actor, ok bool, err error)

	// MembersOnly refuses management tokens: for a listener that faces customers.
	MembersOnly bool

	// Logger gets one line per request that failed inside Cardea, with its cause, and per
	// failed authentication. Nil: [slog.Default].
	Logger *slog.Logger
}

// Handler serves the management API. It is safe for concurrent use.
type Handler struct {
	manager *manage.Manager
	insight *insight.Insight
	member  func(context.Context, string) (cardea.Actor, bool, error)
	members bool // only
	logger  *slog.Logger
	mux     *http.ServeMux
	browser http.CrossOriginProtection // its zero value trusts no other origin
}

// New returns the handler of everything under /v1. It panics if two operations share
// a pattern, as [http.ServeMux] does.
func New(c Config) *Handler {
	h := &Handler{manager: c.Manager, insight: c.Insight, member: c.Member, members: c.MembersOnly, logger: c.Logger, mux: http.NewServeMux()}
	if h.logger == nil {
		h.logger = slog.Default()
	}
	methods := map[string][]string{} // :: path → the methods it has
	for _, op := range operations(c) {
		method, path, _ := strings.Cut(op.Pattern, " ")
		methods[path] = append(methods[path], method)
		h.mux.HandleFunc(op.Pattern, func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, op) })
	}
	for path, allowed := range methods {
		h.mux.HandleFunc(path, h.wrongMethod(allowed))
	}
	h.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, cardea.Errorf(cardea.KindNotFound, "the management API has nothing at this path"))
	})
	return h
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := secret.NewID("req_")
	r = r.WithContext(context.WithValue(r.Context(), requestID{}, id))
	header := w.Header()
	header["X-Request-Id"] = []string{id}
	header.Set("Cache-Control", "no-store") // answers hold secrets and personal data
	header.Set("X-Content-Type-Options", "nosniff")
	defer h.recover(w, r)

	if err := h.checkBrowser(r); err != nil {
		h.fail(w, r, err)
		return
	}
	// ServeMux answers an unclean path with a redirect. An API that redirects sends
	// its callers' tokens along, so the path is refused instead.
	if path.Clean(r.URL.Path) != r.URL.Path {
		h.fail(w, r, cardea.Errorf(cardea.KindNotFound, "the path is not in its canonical form"))
		return
	}
	h.mux.ServeHTTP(w, r)
}

// checkBrowser refuses what a browser sends on behalf of another origin. The standard
// protection lets safe methods pass. Here they are refused too, since no page but one of
// this origin has any business with the management API: the check is shown every
// request as one that changes something.
func (h *Handler) checkBrowser(r *http.Request) *cardea.Error {
	probe := *r
	probe.Method = http.MethodPost
	if h.browser.Check(&probe) != nil {
		return cardea.Errorf(cardea.KindForbidden, "requests from web pages of other origins are refused")
	}
	return nil
}

// wrongMethod answers a path that exists with a method that does not.
func (h *Handler) wrongMethod(allowed []string) http.HandlerFunc {
	allow := strings.Join(allowed, ", ")
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		h.fail(w, r, &transportError{status: http.StatusMethodNotAllowed, name: "method_not_allowed",
			detail: "this path answers " + allow})
	}
}

// recover turns a panic into a 500: one request fails, not the server.
func (h *Handler) recover(w http.ResponseWriter, r *http.Request) {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler: // the way to drop a connection half-way
		panic(p)
	default:
		h.fail(w, r, fmt.Errorf("panic: %v", p))
	}
}

// requestID is the context key of the request's id.
type requestID struct{}

// idOf returns the request's id.
func idOf(r *http.Request) string {
	id, _ := r.Context().Value(requestID{}).(string)
	return id
}

// peerOf returns the address of the connection's other end. Forwarding headers are
// not read: the management API is not meant to stand behind a proxy of strangers.
func peerOf(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap().WithZone("")
}
