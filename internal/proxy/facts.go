package proxy

import (
	"maps"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/target"
)

// facts sets what the upstream is told. A fact that is not known is not sent; since
// client-sent copies are always removed, its absence can be relied on: on public
// routes there is no caller.
func (c *call) facts() {
	for i := range c.rules.facts {
		f := &c.rules.facts[i]
		if value := c.fact(f.Fact); value != "" {
			c.own = append(c.own, field{f.Header, value})
		}
	}
}

// fact returns the value of one fact, "" when it is not known.
func (c *call) fact(f contract.Fact) string {
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
	if !c.decision.Allowed || !c.decision.Identified() {
		return ""
	}
	return c.callerFact(f)
}

// callerFact returns a fact about the caller of an allowed request.
func (c *call) callerFact(f contract.Fact) string {
	d := &c.decision
	switch f {
	case contract.FactOrganization:
		return d.Organization()
	case contract.FactSubject:
		return d.Subject()
	case contract.FactMember:
		return d.Member()
	case contract.FactCredential:
		return c.credentialID()
	case contract.FactKind:
		if kind := d.Kind(); kind != nil {
			return kind.Name
		}
	case contract.FactPlan:
		if plan := d.Plan(); plan != nil {
			return plan.Name
		}
	case contract.FactScopes:
		return c.rules.scopes.of(d.Contract, d.Scopes())
	}
	return ""
}

// credentialID returns the id of the caller's credential.
func (c *call) credentialID() string {
	if c.credential == "" {
		c.credential = c.decision.Credential()
	}
	return c.credential
}

// clientText returns the client's address as text, "" when it is not known.
func (c *call) clientText() string {
	if c.client == "" && c.decision.Client.IsValid() {
		c.client = c.decision.Client.String()
	}
	return c.client
}

// proto returns the scheme the client used: what a trusted proxy says, or what this
// connection is.
func (c *call) proto() string {
	return target.Scheme(c.request.Peer, c.r.Header, c.r.TLS != nil, c.h.cfg.TrustedProxies)
}

// port returns the port the client connected to: what a trusted proxy says, what the
// client's Host names, or the scheme's own.
func (c *call) port() string {
	if target.IsTrusted(c.request.Peer, c.h.cfg.TrustedProxies) {
		if v := c.r.Header["X-Forwarded-Port"]; len(v) == 1 && isPort(v[0]) {
			return v[0]
		}
	}
	host := c.r.Host
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') && isPort(host[i+1:]) {
		return host[i+1:]
	}
	if c.proto() == "https" {
		return "443"
	}
	return "80"
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// texts remembers sets of scopes as text: there are few sets and many requests. The
// zero value is empty. It is safe for concurrent use.
type texts struct {
	table atomic.Pointer[map[contract.ScopeSet]string]
}

// maxTexts bounds how many sets are remembered; others are written out each time.
const maxTexts = 256

func (t *texts) of(c *contract.Contract, set contract.ScopeSet) string {
	table := t.table.Load()
	if table != nil {
		if text, ok := (*table)[set]; ok {
			return text
		}
	}
	text := strings.Join(c.ScopeNames(set), " ")
	next := make(map[contract.ScopeSet]string)
	if table != nil {
		if len(*table) >= maxTexts {
			return text
		}
		maps.Copy(next, *table)
	}
	next[set] = text
	t.table.Store(&next) // one of two writers at a time may be lost, and is made again
	return text
}
