package proxy

import (
	"github.com/cardea-dev/cardea/contract"
)

// rules are what a contract means for headers, worked out once.
type rules struct {
	contract *contract.Contract
	names    *nameSet // of requests
	replies  *nameSet // of responses
	browser  *nameSet // of responses where Cardea answers the CORS protocol
	facts    []contract.FactHeader
	limits   contract.LimitHeaders
	id       string // the request id's response header, or ""
	scopes   texts  // of sets of scopes
}

// corsHeaders are the response headers of the CORS protocol.
var corsHeaders = []string{
	"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials",
	"Access-Control-Allow-Methods", "Access-Control-Allow-Headers",
	"Access-Control-Expose-Headers", "Access-Control-Max-Age",
}

// rulesOf returns the rules of a contract. They are made when a new contract is first
// seen; requests that still run under an old one make it again, which is rare.
func (h *Handler) rulesOf(c *contract.Contract) *rules {
	if r := h.rules.Load(); r != nil && r.contract == c {
		return r
	}
	r := newRules(c)
	h.rules.Store(r)
	return r
}

func newRules(c *contract.Contract) *rules {
	r := &rules{contract: c, facts: c.Forwarding().List, limits: c.LimitHeaders(), id: c.RequestIDHeader()}
	var own, credentials []string
	for _, f := range r.facts {
		own = append(own, f.Header)
	}
	if r.id != "" {
		own = append(own, r.id) // a client's request id is not ours
	}
	for _, p := range c.Presentations() {
		credentials = append(credentials, p.Header)
	}
	r.names = requestNames(own, credentials)
	var mine []string
	for _, name := range []string{r.id, r.limits.Limit, r.limits.Remaining, r.limits.Reset} {
		if name != "" {
			mine = append(mine, name)
		}
	}
	if r.limits.Standard {
		mine = append(mine, "RateLimit", "RateLimit-Policy")
	}
	r.replies = replyNames(mine)
	r.browser = replyNames(append(mine, corsHeaders...))
	return r
}
