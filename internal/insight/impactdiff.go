package insight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea/contract"
)

// contracts notes what is different between the contracts, whomever it concerns.
func (c *comparison) contracts() {
	c.scopes()
	c.environments()
	for _, old := range c.old.Kinds() {
		c.kind(old, c.new.Kind(old.Name))
	}
	c.reserved()
	c.issuers()
	c.hooks()
	c.rest()
	c.findRoutes()
}

// scopes notes which scopes grant less than they did.
func (c *comparison) scopes() {
	c.lost = map[string][]string{}
	for _, s := range c.old.Scopes() {
		for _, name := range append([]string{s.Name}, s.Aliases...) {
			c.scope(name)
		}
	}
}

// scope notes what a scope, by a name it can be granted under, no longer grants.
func (c *comparison) scope(name string) {
	granted := func(from *contract.Contract) []string {
		set, _ := from.ScopeSet(name)
		return from.ScopeNames(from.Expand(set))
	}
	was, is := granted(c.old), granted(c.new)
	var lost []string
	for _, scope := range was {
		if !slices.Contains(is, scope) {
			lost = append(lost, scope)
		}
	}
	if len(lost) == 0 {
		return
	}
	c.lost[name] = lost
	c.note(Breaks, "scope", name, c.scopeLine(name), c.scopeEffect(name))
}

func (c *comparison) scopeLine(name string) int {
	if s := c.new.Scope(name); s != nil {
		return s.Line
	}
	return 0
}

func (c *comparison) scopeEffect(name string) string {
	if c.new.Scope(name) == nil {
		return "the scope is gone: whoever was granted it loses it"
	}
	return "the scope no longer implies " + strings.Join(c.lost[name], ", ")
}

// environments notes environments that are gone.
func (c *comparison) environments() {
	for _, e := range c.old.Environments() {
		if c.new.Environment(e.Name) == nil {
			c.note(Breaks, "environment", e.Name, 0, effectNoEnvironment)
		}
	}
}

// What happens to credentials, where it is counted by looking at each.
const (
	effectNoEnvironment = "the environment is gone: its credentials are refused"
	effectNoKind        = "the kind is gone: its credentials are refused"
	effectOutside       = "the kind no longer exists in the environment: its credentials there are refused"
	effectForm          = "secrets have another form: those that exist are no longer recognised"
	effectExchangeOnly  = "the kind is good at a token endpoint only: the API refuses it"
	effectIdle          = "the idle time is shorter: what was not used for longer is refused"
	effectLifetime      = "the longest lifetime is shorter: what exists keeps a longer one"
)

// kind notes what a kind of key no longer allows.
func (c *comparison) kind(old, now *contract.KeyKind) {
	if now == nil {
		c.note(Breaks, "kind", old.Name, 0, effectNoKind)
		return
	}
	for _, e := range c.old.Environments() {
		c.kindIn(old, now, e)
	}
	for _, p := range old.Present {
		if !slices.ContainsFunc(now.Present, func(q contract.Presentation) bool { return q.Header == p.Header && q.Scheme == p.Scheme }) {
			how := strings.TrimSpace(p.Header + ": " + p.Scheme)
			c.note(Breaks, "kind", old.Name, now.Line, "it may no longer be sent as "+how)
		}
	}
	if now.ExchangeOnly && !old.ExchangeOnly {
		c.note(Breaks, "kind", old.Name, now.Line, effectExchangeOnly)
	}
	if now.RefuseBrowsers && !old.RefuseBrowsers {
		c.note(Warns, "kind", old.Name, now.Line, "requests from web pages are refused").uncounted()
	}
	if now.Idle > 0 && (old.Idle == 0 || now.Idle < old.Idle) {
		c.note(Breaks, "kind", old.Name, now.Line, effectIdle)
	}
	if !now.MaxLifetime.IsZero() && (old.MaxLifetime.IsZero() || now.MaxLifetime.After(c.now).Before(old.MaxLifetime.After(c.now))) {
		c.note(Warns, "kind", old.Name, now.Line, effectLifetime)
	}
}

// kindIn notes what a kind no longer is in an environment.
func (c *comparison) kindIn(old, now *contract.KeyKind, e *contract.Environment) {
	env := c.new.Environment(e.Name)
	if !old.Environments[e.Index] || env == nil {
		return
	}
	switch {
	case !now.Environments[env.Index]:
		c.note(Breaks, "kind", old.Name+" in "+e.Name, now.Line, effectOutside)
	case old.Prefixes[e.Index] != now.Prefixes[env.Index], old.Shape != now.Shape:
		c.note(Breaks, "kind", old.Name+" in "+e.Name, now.Line, effectForm)
	}
}

// reserved notes what becomes of clients and service accounts, and of their tokens.
func (c *comparison) reserved() {
	if c.old.Clients() != nil && c.new.Clients() == nil {
		c.note(Breaks, "kind", c.old.ClientKind().Name, 0, effectNoKind)
	}
	if c.old.ServiceAccounts() != nil && c.new.ServiceAccounts() == nil {
		c.note(Breaks, "kind", c.old.AccountKind().Name, 0, effectNoKind)
	}
	if old, now := c.old.Clients(), c.new.Clients(); old != nil && now != nil {
		for _, g := range old.Grants {
			if !slices.Contains(now.Grants, g) {
				c.note(Breaks, "grant", string(g), now.Line, effectNoGrant)
			}
		}
		for _, a := range old.Authentication {
			if !slices.Contains(now.Authentication, a) {
				c.note(Breaks, "client authentication", string(a), now.Line, effectNoAuthentication)
			}
		}
	}
	if old, now := c.old.ServiceAccounts(), c.new.ServiceAccounts(); old != nil && now != nil && now.MaxLifetime < old.MaxLifetime {
		c.note(Warns, "service_accounts", "max_lifetime", now.Line, "tokens that its holders sign for longer than "+now.MaxLifetime.String()+" are refused").uncounted()
	}
	for what, pair := range map[string][2]string{"issuer": {c.old.Issuer(), c.new.Issuer()}, "audience": {c.old.Audience(), c.new.Audience()}} {
		if pair[0] != "" && pair[0] != pair[1] {
			c.note(Warns, what, pair[1], 0, "access tokens that were issued so far are refused: clients need new ones").uncounted()
		}
	}
}

const (
	effectNoGrant          = "clients can no longer use the grant"
	effectNoAuthentication = "clients can no longer authenticate so"
)

// issuers notes which issuers are no longer trusted.
func (c *comparison) issuers() {
	trusted := map[string]*contract.TrustedIssuer{}
	for _, t := range c.new.TrustedIssuers() {
		trusted[t.Name] = t
	}
	for _, old := range c.old.TrustedIssuers() {
		now := trusted[old.Name]
		switch {
		case now == nil || now.Issuer != old.Issuer:
			c.note(Breaks, "trusted issuer", old.Name, 0, "it is no longer trusted: its tokens are refused").uncounted()
		case now.Audience != old.Audience:
			c.note(Breaks, "trusted issuer", old.Name, now.Line, "tokens must have another audience").uncounted()
		case now.MaxLifetime > 0 && (old.MaxLifetime == 0 || now.MaxLifetime < old.MaxLifetime):
			c.note(Warns, "trusted issuer", old.Name, now.Line, "tokens that live longer than "+now.MaxLifetime.String()+" are refused").uncounted()
		}
	}
	if c.old.OrganizationIssuers() != nil && c.new.OrganizationIssuers() == nil {
		c.note(Breaks, "organization_issuers", "", 0, effectNoOwnIssuers)
	}
}

const effectNoOwnIssuers = "organizations can no longer name issuers: the tokens of theirs are refused"

// hooks notes which questions are no longer, or newly, asked.
func (c *comparison) hooks() {
	describe := func(h *contract.Hook) string { return h.Match + "\x00" + h.URL + h.CEL }
	has := func(list []*contract.Hook, h *contract.Hook) bool {
		return slices.ContainsFunc(list, func(o *contract.Hook) bool {
			return describe(o) == describe(h) && o.OnlyUncredential == h.OnlyUncredential
		})
	}
	for _, h := range c.new.Hooks() {
		if !has(c.old.Hooks(), h) {
			c.note(Warns, "hook", h.Match, h.Line, "a new or changed hook is asked, and may refuse").uncounted()
		}
	}
	for _, h := range c.old.Hooks() {
		if !has(c.new.Hooks(), h) {
			c.note(Warns, "hook", h.Match, 0, "the hook is no longer asked: what it refused may pass").uncounted()
		}
	}
}

// rest notes changes of what all callers see.
func (c *comparison) rest() {
	if c.old.LimitsPer() != c.new.LimitsPer() {
		c.note(Warns, "limits", string(c.new.LimitsPer()), 0, "requests are counted for the "+string(c.new.LimitsPer())+", and no longer for the "+string(c.old.LimitsPer())).uncounted()
	}
	if c.old.IPListPer() != c.new.IPListPer() {
		c.note(Warns, "ip_lists", string(c.new.IPListPer()), 0, "address lists are kept for something else: some may no longer be looked at").uncounted()
	}
	old, now := c.old.LimitHeaders(), c.new.LimitHeaders()
	if old != now {
		c.note(Warns, "limit headers", now.Limit, 0, "clients that read the rate-limit headers find other names").uncounted()
	}
	for _, pair := range [][3]string{
		{"api", c.old.Hosts().API, c.new.Hosts().API}, {"auth", c.old.Hosts().Auth, c.new.Hosts().Auth}, {"app", c.old.Hosts().App, c.new.Hosts().App},
	} {
		if pair[1] != "" && pair[1] != pair[2] {
			c.note(Breaks, "host", pair[0], 0, fmt.Sprintf("%s is no longer answered for", pair[1])).uncounted()
		}
	}
	c.endpoints()
}

// endpoints notes paths of Cardea's own that are gone.
func (c *comparison) endpoints() {
	paths := func(from *contract.Contract) map[string]bool {
		all, e := map[string]bool{}, from.Endpoints()
		for _, t := range e.Token {
			all[t.Path] = true
		}
		for _, one := range []*contract.Endpoint{e.Authorize, e.JWKS, e.Revoke, e.Introspect, e.UserInfo, e.Device, e.PAR} {
			if one != nil {
				all[one.Path] = true
			}
		}
		return all
	}
	now := paths(c.new)
	var gone []string
	for path := range paths(c.old) {
		if !now[path] {
			gone = append(gone, path)
		}
	}
	slices.Sort(gone)
	for _, path := range gone {
		c.note(Breaks, "endpoint", path, 0, "the endpoint is gone: who calls it gets no answer").uncounted()
	}
}
