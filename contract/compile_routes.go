package contract

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxRoutes bounds the search for conflicts, which compares every pair.
const maxRoutes = 2000

// A compiledPattern is a pattern and the route it leads to.
type compiledPattern struct {
	pattern
	route *Route
	at    pos
}

// routes compiles the routes and the table that finds them.
func (k *compiler) routes() {
	items := k.d.Routes.items
	if k.d.Routes.given && len(items) == 0 {
		k.r.Errorf(k.d.Routes.pos, "there are no routes, so everything would be refused")
	}
	if len(items) > maxRoutes {
		k.r.Errorf(items[maxRoutes].pos, "more than %d routes", maxRoutes)
		items = items[:maxRoutes]
	}
	defaults := k.corsSetting(k.d.CORS)
	k.noUpstream = make([]bool, len(k.c.environments))
	patterns := make([][]compiledPattern, len(items))
	for i := range items {
		route := k.route(&items[i], defaults)
		route.Index = i
		k.c.routes = append(k.c.routes, route)
		for _, p := range k.patterns(&items[i]) {
			patterns[i] = append(patterns[i], compiledPattern{p, route, items[i].Match.pos})
		}
	}
	k.conflicts(patterns)
	for _, p := range slices.Concat(patterns...) {
		k.shadows(p)
		k.c.table.add(p.pattern, p.route)
	}
}

// patterns parses a route's match, once for each of its methods.
func (k *compiler) patterns(v *routeDoc) []pattern {
	if !v.Match.given {
		return nil
	}
	p, err := parsePattern(v.Match.value)
	if err != nil {
		k.r.Errorf(v.Match.pos, "%s", err.Error())
		return nil
	}
	if !v.Methods.given {
		return []pattern{p}
	}
	if p.method != "" {
		k.r.Errorf(v.Methods.pos, "the match names a method already").Suggest("write it without: %s", quote(p.path()))
		return nil
	}
	if len(v.Methods.items) == 0 {
		k.r.Errorf(v.Methods.pos, "this list names no method").Suggest("remove the line for all of them")
	}
	var all []pattern
	seen := map[string]bool{}
	for _, m := range v.Methods.items {
		if !m.given {
			continue
		}
		if err := checkMethod(m.value); err != nil {
			p := k.r.Errorf(m.pos, "%s", err.Error())
			p.DidYouMean(m.value, []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
			continue
		}
		if seen[m.value] {
			k.r.Errorf(m.pos, "%s is listed twice", m.value)
			continue
		}
		seen[m.value] = true
		all = append(all, pattern{method: m.value, segments: p.segments})
	}
	return all
}

// path returns the pattern without its method.
func (p pattern) path() string { return pattern{segments: p.segments}.String() }

// route compiles one route: its own settings over the contract's.
func (k *compiler) route(v *routeDoc, defaults *CORS) *Route {
	r := &Route{
		Pattern: v.Match.value, Line: v.Match.Line, Summary: v.Summary.value,
		Public: v.Public.value, Scopes: k.scopeSet(v.Scopes),
		Environments: k.environmentSet(v.Environments),
		CORS:         defaults, MaxBody: k.d.MaxBody.value,
		Timeout:            k.positive(v.Timeout, k.positive(k.d.Timeout, 0)),
		AllowEncodedSlash:  v.EncodedSlash.value,
		environmentSegment: -1,
	}
	if p, err := parsePattern(v.Match.value); err == nil {
		r.Methods = methodsOf(p, v.Methods)
		r.environmentSegment = k.environmentSegment(p, v)
	}
	if v.CORS != nil {
		r.CORS = k.corsSetting(v.CORS)
	}
	if v.MaxBody.given {
		r.MaxBody = v.MaxBody.value
	}
	k.destination(r, v)
	k.checkRoute(r, v)
	return r
}

// methodsOf returns the methods of a route, nil for any.
func methodsOf(p pattern, l list[text]) []string {
	if p.method != "" {
		return []string{p.method}
	}
	var methods []string
	for _, m := range l.items {
		methods = append(methods, m.value)
	}
	return methods
}

// environmentSegment finds the wildcard that names the environment.
func (k *compiler) environmentSegment(p pattern, v *routeDoc) int {
	for i, s := range p.segments {
		if !s.wild || s.text != "environment" {
			continue
		}
		if s.multi {
			k.r.Errorf(v.Match.pos, "{environment...} cannot name an environment").Suggest("write {environment}")
			continue
		}
		return i
	}
	return -1
}

// destination decides what answers the route: an upstream in each environment it
// exists in, or Cardea.
func (k *compiler) destination(r *Route, v *routeDoc) {
	r.Upstreams = make([]string, len(k.c.environments))
	if v.Answer.given() {
		r.Answer = &Answer{body: compileTemplate(k.r, v.Answer.node, answerVariables)}
		if v.Upstream.given() {
			k.r.Errorf(v.Upstream.at(), "the route is answered by Cardea and has an upstream").Suggest("remove one of the two")
		}
		if v.Public.value {
			k.r.Errorf(v.Answer.pos, "a public route has no caller to answer about")
		}
		return
	}
	own := k.upstreams(v.Upstream)
	for i, env := range k.c.environments {
		if r.Upstreams[i] = own[i]; r.Upstreams[i] == "" {
			r.Upstreams[i] = env.Upstream
		}
		named := k.d.Environments.entries[i].value.Upstream.Line > 0 || v.Upstream.at().Line > 0 || k.d.Upstream.at().Line > 0
		if r.Environments[i] && r.Upstreams[i] == "" && !named && !k.noUpstream[i] {
			k.noUpstream[i] = true
			k.r.Errorf(v.Match.pos, "the route has no upstream in the environment %s", quote(env.Name)).
				Suggest("add upstream: to the contract, to the environment or to the route")
		}
	}
}

// checkRoute reports settings that contradict each other.
func (k *compiler) checkRoute(r *Route, v *routeDoc) {
	switch {
	case v.Public.value && v.Scopes.given:
		k.r.Errorf(v.Scopes.pos, "a public route takes no credential, so it cannot need scopes").
			Suggest("remove public or scopes")
	case v.Scopes.given && len(v.Scopes.items) == 0:
		k.r.Errorf(v.Scopes.pos, "this list names no scope").Suggest("remove the line if any credential will do")
	}
	if v.EncodedSlash.value && r.Answer != nil {
		k.r.Warnf(v.EncodedSlash.pos, "this has no effect: Cardea answers the route itself")
	}
	if !r.Public && len(k.c.presentations) == 0 && k.d.Keys.Line == 0 && !k.noCredentials {
		k.noCredentials = true
		k.r.Errorf(v.Match.pos, "nothing can be called: the contract has no kind of credential").
			Suggest("add keys, or make the route public")
	}
}

// conflicts reports patterns that match the same requests without one being more
// specific than the other, as [net/http.ServeMux] does.
//
// The patterns of one route differ in their method alone, so that most pairs of routes
// are settled by one look at their paths.
func (k *compiler) conflicts(routes [][]compiledPattern) {
	for i, these := range routes {
		for _, those := range routes[:i] {
			if len(these) == 0 || len(those) == 0 || comparePaths(these[0].segments, those[0].segments) == disjoint {
				continue
			}
			for _, p := range these {
				for _, q := range those {
					k.conflict(p, q)
				}
			}
		}
		if k.r.Full() {
			return
		}
	}
}

// conflict reports two patterns between which a request could not decide. Which of two
// routes applies must never depend on their order in the file.
func (k *compiler) conflict(p, q compiledPattern) {
	switch p.compare(q.pattern) {
	case equivalent:
		k.r.Errorf(p.at, "%s matches the same requests as %s", quote(p.pattern.String()), quote(q.pattern.String())).
			Suggest("the other is on line %d; remove one", q.at.Line)
	case overlaps:
		k.r.Errorf(p.at, "%s and %s match some of the same requests, and neither is more specific",
			quote(p.pattern.String()), quote(q.pattern.String())).
			Suggest("the other is on line %d; make one more specific, or give both the same methods", q.at.Line)
	}
}

// shadows reports a route on the API host that an endpoint of Cardea's own hides.
func (k *compiler) shadows(p compiledPattern) {
	for _, e := range k.c.endpoints.all() {
		if e.Host != k.c.hosts.API {
			continue
		}
		endpoint, err := parsePattern(e.Path)
		if err != nil {
			continue
		}
		if comparePaths(p.segments, endpoint.segments) == equivalent {
			k.r.Errorf(p.at, "%s is the path of the %s endpoint", quote(e.Path), e.name).
				Suggest("the endpoint is on line %d; requests go there and never to this route", e.at.Line)
		}
	}
}

// positive returns a duration that is more than nothing, the fallback when it is not
// given.
func (k *compiler) positive(l length, fallback time.Duration) time.Duration {
	if l.given && l.value.IsZero() {
		k.r.Errorf(l.pos, "0 would leave no time at all").Suggest("remove the line for the default")
	}
	return k.duration(l, fallback)
}

// corsSetting compiles how browsers are treated.
func (k *compiler) corsSetting(v *corsDoc) *CORS {
	if v == nil {
		return nil
	}
	c := &CORS{Pass: v.Pass.value, MaxAge: k.duration(v.MaxAge, 0), Credentials: v.Credentials.value}
	for _, o := range v.Origins.items {
		if o.given {
			k.checkOrigin(o, v)
			c.Origins = append(c.Origins, o.value)
		}
	}
	for _, h := range v.Headers.items {
		if h.given && k.corsHeader(h, v) {
			c.Headers = append(c.Headers, h.value)
		}
	}
	for _, h := range v.Exposed.items {
		if h.given && k.corsHeader(h, v) {
			c.ExposedHeaders = append(c.ExposedHeaders, h.value)
		}
	}
	switch {
	case c.Pass && (v.Origins.given || v.Headers.given || v.Exposed.given || v.MaxAge.given || v.Credentials.given):
		k.r.Errorf(v.Pass.pos, "with pass, the upstream decides; nothing else can be set here")
	case !c.Pass && len(v.Origins.items) == 0:
		k.r.Errorf(v.pos, "no origin may call").Suggest("add origins: [https://app.example.com], or pass: true")
	}
	return c
}

// checkOrigin reports what is not an origin as browsers send it (RFC 6454 §6.2): it is
// compared byte by byte, so that a slash too many would never match.
func (k *compiler) checkOrigin(o text, v *corsDoc) {
	if o.value == "*" {
		if v.Credentials.value {
			k.r.Errorf(o.pos, "any web page could call with its visitor's cookies").
				Suggest("list the origins, or remove credentials")
		}
		return
	}
	u, err := url.Parse(o.value)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || o.value != u.Scheme+"://"+strings.ToLower(u.Host) {
		k.r.Errorf(o.pos, "%s is not an origin", quote(o.value)).
			Suggest("write scheme and host, without a path: https://app.example.com")
		return
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		k.r.Warnf(o.pos, "pages of this origin travel unencrypted; whoever changes one on its way may call")
	}
}

// corsHeader reports what cannot be in a list of headers. "*" stands for all of them
// only where no cookies are sent along (Fetch standard).
func (k *compiler) corsHeader(h text, v *corsDoc) bool {
	if h.value == "*" && !v.Credentials.value {
		return true
	}
	if !isToken(h.value) {
		k.r.Errorf(h.pos, "%s is not a header name (RFC 9110 §5.1)", quote(h.value))
		return false
	}
	return true
}
