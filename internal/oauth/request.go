package oauth

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/target"
)

// A request is an HTTP request to an endpoint, with what all endpoints need to know of
// it. It is used by one goroutine.
type request struct {
	*http.Request

	contract *contract.Contract // in force when the request came; kept to its end
	binding  *binding
	now      time.Time
	id       string     // the request's id, also in the answer where the contract says so
	address  netip.Addr // the client's, trusted proxies taken into account
	origin   string     // scheme and host the client named: "https://auth.acme.test"

	params params               // of the body, once parsed
	caller caller               // once authenticated
	named  *contract.TokenGrant // once found, at the token endpoint
}

// A handler serves one endpoint under one contract.
type handler struct {
	s        *Server
	contract *contract.Contract
	binding  *binding
}

// ServeHTTP implements [http.Handler].
func (h *handler) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	s := h.s
	r := &request{Request: hr, contract: h.contract, binding: h.binding, now: s.now(), id: h.contract.NewRequestID()}
	if name := h.contract.RequestIDHeader(); name != "" {
		w.Header()[name] = []string{r.id}
	}
	peer, _ := netip.ParseAddrPort(hr.RemoteAddr) // the zero address has no rights anywhere
	var err error
	if r.address, err = target.Client(peer.Addr(), hr.Header, s.cfg.TrustedProxies); err != nil {
		s.fail(w, r, refuse(codeInvalidRequest, "X-Forwarded-For holds no address"))
		return
	}
	r.origin = s.originOf(hr, peer.Addr())
	if !r.secure() && fetch.Admits(r.address, false) {
		h.binding.refuse(s, w, r, errClear)
		return
	}
	if s.cors(w, r) {
		return
	}
	if !slices.Contains(h.binding.methods, hr.Method) {
		w.Header().Set("Allow", strings.Join(h.binding.methods, ", "))
		s.fail(w, r, &Error{Code: codeInvalidRequest, Description: "the endpoint does not have this method", status: http.StatusMethodNotAllowed})
		return
	}
	h.binding.serve(s, w, r)
}

// errClear refuses what came over the internet without TLS (RFC 6749 §3.1 and §3.2). This
// computer and private networks pass: a proxy that ends TLS may be there, without having
// been named.
var errClear = refuse(codeInvalidRequest, "use https; a proxy that speaks it for this server must be trusted and say so")

// originOf returns scheme and host as the client named them.
func (s *Server) originOf(hr *http.Request, peer netip.Addr) string {
	return target.Scheme(peer, hr.Header, hr.TLS != nil, s.cfg.TrustedProxies) + "://" + hr.Host
}

// actor returns who makes a change that a request to an endpoint asks for.
func (r *request) actor(kind, id string) cardea.Actor {
	return cardea.Actor{Type: kind, ID: id, Address: r.addressText(), RequestID: r.id}
}

// addressText returns the client's address, "" when it is not known.
func (r *request) addressText() string {
	if !r.address.IsValid() {
		return ""
	}
	return r.address.String()
}
