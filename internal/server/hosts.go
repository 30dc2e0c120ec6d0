package server

import (
	"net"
	"net/http"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
)

// hosts sends a request to the door of the host it names.
type hosts struct {
	contract func() *contract.Contract

	// api is the door to the API behind Cardea.
	api http.Handler

	// own are the doors to Cardea's endpoints and pages. They are asked first, and know
	// which host and path each of theirs is at.
	own []finder

	// manage is the management API for people who signed in, below managePrefix on the
	// product's app host.
	manage http.Handler

	// any lets names that the contract does not know serve everything, as `cardea dev`
	// does. Otherwise they get nothing: a server that answers to any name takes part in
	// DNS rebinding and in requests meant for somebody else.
	any bool
}

// A finder returns the handler for a host, a method and an undecoded path, and whether it
// has one.
type finder func(host, method, path string) (http.Handler, bool)

// managePrefix is where the management API is on the app host.
const managePrefix = "/cardea"

// ServeHTTP implements [http.Handler].
func (h *hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := h.contract()
	name, known := hostName(r.Host), c.Hosts()
	front := name == known.API || known.API == "" || isEnvironment(c, name)
	if front || h.any || name == known.Auth || name == known.App {
		path := r.URL.EscapedPath()
		for _, find := range h.own {
			if own, ok := find(r.Host, r.Method, path); ok {
				own.ServeHTTP(w, r)
				return
			}
		}
		if (name == known.App || h.any) && strings.HasPrefix(path, managePrefix+"/v1/") {
			h.manage.ServeHTTP(w, r)
			return
		}
	}
	switch {
	case front:
		h.api.ServeHTTP(w, r)
	case name == known.Auth, name == known.App:
		refuse(w, r, c, cardea.ReasonNoRoute, 0)
	case h.any:
		h.api.ServeHTTP(w, r)
	default:
		refuse(w, r, c, cardea.ReasonNoRoute, http.StatusMisdirectedRequest)
	}
}

// isEnvironment reports whether a host name belongs to one environment.
func isEnvironment(c *contract.Contract, name string) bool {
	for _, e := range c.Environments() {
		if e.Host != "" && e.Host == name {
			return true
		}
	}
	return false
}

// hostName returns a Host header's name: lower case, without port and final dot.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// refuse answers with the contract's words for a reason. A status other than 0 replaces
// the contract's: the shape of the body is the product's, what happened is HTTP's.
func refuse(w http.ResponseWriter, r *http.Request, c *contract.Contract, reason cardea.Reason, status int) {
	id := c.NewRequestID()
	denial := c.Denial(reason, contract.Vars{RequestID: id})
	for name, values := range denial.Header {
		w.Header()[name] = values
	}
	if name := c.RequestIDHeader(); name != "" {
		w.Header()[name] = []string{id}
	}
	if status == 0 {
		status = denial.Status
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(denial.Body)
	}
}
