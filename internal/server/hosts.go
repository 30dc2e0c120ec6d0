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

	// any lets names that the contract does not know serve everything, as `cardea dev`
	// does. Otherwise they get nothing: a server that answers to any name takes part in
	// DNS rebinding and in requests meant for somebody else.
	any bool
}

// ServeHTTP implements [http.Handler].
func (h *hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := h.contract()
	name, known := hostName(r.Host), c.Hosts()
	switch {
	case name == known.API, known.API == "", isEnvironment(c, name):
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
