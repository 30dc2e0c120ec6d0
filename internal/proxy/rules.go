package proxy

import (
	"strings"

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
	caller   bool   // some fact is about the caller
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
		r.caller = r.caller || aboutCaller(f.Fact)
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

// aboutCaller reports whether a fact is about the caller rather than the request.
func aboutCaller(f contract.Fact) bool {
	switch f {
	case contract.FactOrganization, contract.FactSubject, contract.FactMember, contract.FactKind,
		contract.FactCredential, contract.FactScopes, contract.FactPlan:
		return true
	}
	return false
}

// facts sets what the upstream is told. A fact that is not known is not sent; since
// client-sent copies are always removed, its absence can be relied on.
func (c *call) facts() {
	var who caller
	if c.rules.caller {
		who = c.caller()
	}
	for i := range c.rules.facts {
		f := &c.rules.facts[i]
		if value := c.fact(f.Fact, &who); value != "" {
			c.own = append(c.own, field{f.Header, value})
		}
	}
}

// fact returns the value of one fact, "" when it is not known.
func (c *call) fact(f contract.Fact, who *caller) string {
	switch f {
	case contract.FactRequestID:
		return c.request.ID
	case contract.FactClientAddress, contract.FactRealIP, contract.FactForwardedFor:
		return c.clientText()
	case contract.FactForwardedHost:
		return c.r.Host
	case contract.FactForwardedPort:
		return c.port()
	case contract.FactForwardedProto, contract.FactForwardedScheme, contract.FactScheme:
		return c.proto()
	case contract.FactRoute:
		return c.decision.Route.Pattern
	case contract.FactEnvironment:
		return c.decision.Environment
	}
	return who.fact(f)
}

// A caller is who asks, as far as the upstream is told.
type caller struct {
	organization, subject, credential, kind, plan, scopes string
}

// caller returns the caller of an allowed request; zero on public routes.
func (c *call) caller() caller {
	p, ok := c.decision.Principal()
	if !ok || !c.decision.Allowed {
		return caller{}
	}
	return caller{
		organization: p.Organization, subject: p.Subject, credential: p.Credential,
		kind: p.Kind, plan: p.Plan, scopes: strings.Join(p.Scopes, " "),
	}
}

func (w *caller) fact(f contract.Fact) string {
	switch f {
	case contract.FactOrganization:
		return w.organization
	case contract.FactSubject:
		return w.subject
	case contract.FactMember:
		if w.subject != w.credential {
			return w.subject
		}
	case contract.FactKind:
		return w.kind
	case contract.FactCredential:
		return w.credential
	case contract.FactScopes:
		return w.scopes
	case contract.FactPlan:
		return w.plan
	}
	return ""
}
