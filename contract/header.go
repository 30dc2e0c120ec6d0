package contract

import (
	"net/http"
	"strings"

	"github.com/cardea-dev/cardea"
)

// LimitHeaders names the rate-limit headers exactly as they go over the wire; "" for
// one that is not sent. Assign them as map keys: [http.Header.Set] would change case.
type LimitHeaders struct {
	Limit, Remaining, Reset string

	RetryAfter string // never empty; sent with refusals only

	// Standard asks for RateLimit and RateLimit-Policy as well, of
	// draft-ietf-httpapi-ratelimit-headers.
	Standard bool
}

// LimitHeaders returns the names of the rate-limit headers.
func (c *Contract) LimitHeaders() LimitHeaders { return c.limitHeaders }

// Forwarding is what the upstream is told about a request and its caller.
type Forwarding struct {
	// Headers names the header of each fact; a fact without a name is not sent.
	// Client-sent copies of every name here are always removed.
	Headers map[Fact]string

	// List is Headers as a list, in the file's order: for loops without a map.
	List []FactHeader
}

// A FactHeader is a fact and the header that tells it, in the contract's spelling.
type FactHeader struct {
	Fact   Fact
	Header string
}

// A Fact is something the upstream may be told, or a claim may say.
type Fact string

// The facts about the request.
const (
	FactRequestID       Fact = "request_id"       // the request's id
	FactClientAddress   Fact = "client_address"   // the client's address, trusted proxies taken into account
	FactRealIP          Fact = "real_ip"          // the same, for a second header
	FactForwardedFor    Fact = "forwarded_for"    // the same as X-Forwarded-For: no address of a stranger's choice
	FactForwardedHost   Fact = "forwarded_host"   // the host the client named
	FactForwardedPort   Fact = "forwarded_port"   // the port it connected to
	FactForwardedProto  Fact = "forwarded_proto"  // "https" or "http"
	FactForwardedScheme Fact = "forwarded_scheme" // the same, for a second header
	FactScheme          Fact = "scheme"           // the same, for a third
	FactRoute           Fact = "route"            // the pattern of the matching route
)

// The facts about the caller; none of them is known on public routes.
const (
	FactOrganization Fact = "organization" // the organization's id
	FactSubject      Fact = "subject"      // whom the credential speaks for
	FactMember       Fact = "member"       // the member's id, if the subject is one
	FactKind         Fact = "kind"         // the credential's kind
	FactCredential   Fact = "credential"   // the credential's id
	FactScopes       Fact = "scopes"       // the granted scopes, separated by spaces
	FactPlan         Fact = "plan"         // the plan's name
	FactEnvironment  Fact = "environment"  // the environment's name
)

// forwardFacts are the facts that a header may carry.
var forwardFacts = []Fact{
	FactRequestID, FactClientAddress, FactRealIP, FactForwardedFor, FactForwardedHost, FactForwardedPort,
	FactForwardedProto, FactForwardedScheme, FactScheme, FactRoute,
	FactOrganization, FactSubject, FactMember, FactKind, FactCredential, FactScopes, FactPlan, FactEnvironment,
}

// defaultForwarding is used by contracts without a forwarding section.
var defaultForwarding = []FactHeader{
	{FactRequestID, "X-Request-Id"},
	{FactForwardedFor, "X-Forwarded-For"},
	{FactForwardedHost, "X-Forwarded-Host"},
	{FactForwardedProto, "X-Forwarded-Proto"},
	{FactOrganization, "X-Cardea-Organization"},
	{FactSubject, "X-Cardea-Subject"},
	{FactKind, "X-Cardea-Kind"},
	{FactCredential, "X-Cardea-Credential"},
	{FactScopes, "X-Cardea-Scopes"},
	{FactPlan, "X-Cardea-Plan"},
	{FactEnvironment, "X-Cardea-Environment"},
}

// Forwarding returns what the upstream is told.
func (c *Contract) Forwarding() Forwarding { return c.forwarding }

// RequestIDHeader returns the response header that carries the request id.
func (c *Contract) RequestIDHeader() string { return c.requestIDHeader }

// headerName reports a name that cannot be, or must not be, a header of the contract.
func (k *compiler) headerName(t text) bool {
	switch {
	case !isToken(t.value):
		k.r.Errorf(t.pos, "%s is not a header name (RFC 9110 §5.1)", quote(t.value))
		return false
	case hopByHop[http.CanonicalHeaderKey(t.value)]:
		k.r.Errorf(t.pos, "%s belongs to the connection or the message and cannot be used", http.CanonicalHeaderKey(t.value))
		return false
	case strings.Contains(t.value, "_"):
		k.r.Errorf(t.pos, "header names with %s are dropped by many servers", quote("_")).
			Suggest("write %s", quote(strings.ReplaceAll(t.value, "_", "-")))
		return false
	}
	return true
}

// hopByHop are names whose meaning the HTTP machinery owns: RFC 9110 §7.6.1, framing,
// and routing.
var hopByHop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true, "Host": true, "Content-Length": true, "Content-Type": true,
	"Content-Encoding": true, "Expect": true, "Date": true, "Location": true, "Set-Cookie": true, "Origin": true,
}

// callersOwn are request headers with a meaning of their own: telling a fact in one
// would change what the request asks for.
var callersOwn = map[string]bool{
	"Authorization": true, "Proxy-Authorization": true, "Cookie": true, "Accept": true, "Accept-Encoding": true,
	"Accept-Language": true, "User-Agent": true, "Range": true, "If-Match": true, "If-None-Match": true,
	"Cache-Control": true, "Forwarded": true, "Referer": true,
}

// limitHeaders compiles the names of the rate-limit headers: the usual ones without a
// section, exactly those named with one.
func (k *compiler) limitHeaders() {
	v := k.d.LimitHeaders
	h := LimitHeaders{RetryAfter: v.RetryAfter.or("Retry-After"), Standard: v.Standard.value}
	if v.Line == 0 {
		h.Limit, h.Remaining, h.Reset = "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"
	} else {
		h.Limit, h.Remaining, h.Reset = v.Limit.value, v.Remaining.value, v.Reset.value
	}
	seen := map[string]text{}
	for _, t := range []text{v.Limit, v.Remaining, v.Reset, v.RetryAfter} {
		if !t.given || !k.headerName(t) {
			continue
		}
		canonical := http.CanonicalHeaderKey(t.value)
		if first, taken := seen[canonical]; taken {
			k.r.Errorf(t.pos, "two rate-limit headers are called %s", quote(t.value)).
				Suggest("the other is on line %d", first.Line)
		}
		seen[canonical] = t
		if v.Standard.value && (canonical == "Ratelimit" || canonical == "Ratelimit-Policy") {
			k.r.Errorf(t.pos, "standard: true sends this header in another form")
		}
	}
	k.c.limitHeaders = h
}

// forwarding compiles what the upstream is told. With a section, only what it names.
func (k *compiler) forwarding() {
	pairs := defaultForwarding
	if k.d.Forwarding.given {
		pairs = k.forwardHeaders()
	}
	f := Forwarding{Headers: make(map[Fact]string, len(pairs)), List: pairs}
	for _, p := range pairs {
		f.Headers[p.Fact] = p.Header
	}
	k.c.forwarding = f
	for i, kind := range k.c.kinds {
		k.strippedHeaders(k.d.Keys.entries[i].value.Present, kind)
	}
}

// strippedHeaders reports ways to send a key in headers that are removed from every
// request because Cardea sets them, or because strangers must not.
func (k *compiler) strippedHeaders(at list[presentDoc], kind *KeyKind) {
	for _, way := range kind.Present {
		taken := strings.HasPrefix(way.Header, "X-Cardea-") || strings.HasPrefix(way.Header, "X-Forwarded-") ||
			way.Header == "Forwarded" || way.Header == "X-Real-Ip"
		for _, p := range defaultForwarding {
			taken = taken || !k.d.Forwarding.given && http.CanonicalHeaderKey(p.Header) == way.Header
		}
		if taken {
			k.r.Errorf(at.pos, "%s is removed from requests, so no key would arrive in it", way.Header).
				Suggest("choose another header, such as X-Api-Key")
		}
	}
}

// forwardHeaders checks the section's headers: one fact each, and none that means
// something else already.
func (k *compiler) forwardHeaders() []FactHeader {
	var pairs []FactHeader
	seen := map[string]int{}
	for _, e := range k.d.Forwarding.headers {
		t := e.value
		if !t.given || !k.headerName(t) {
			continue
		}
		canonical := http.CanonicalHeaderKey(t.value)
		if callersOwn[canonical] {
			k.r.Errorf(t.pos, "%s is the caller's own header; the upstream needs it as it was sent", canonical)
		}
		if line, taken := seen[canonical]; taken {
			k.r.Errorf(t.pos, "the header %s carries two facts", quote(t.value)).Suggest("the other is on line %d", line)
		}
		seen[canonical] = t.Line
		for _, way := range k.c.presentations {
			if way.Header == canonical {
				k.r.Errorf(t.pos, "callers send credentials in %s", quote(t.value)).
					Suggest("the upstream must not mistake one for the other: choose another name")
			}
		}
		pairs = append(pairs, FactHeader{Fact(e.key.value), t.value})
	}
	return pairs
}

// A denial's Retry-After belongs to refusals that time cures.
func hasRetryAfter(r cardea.Reason) bool {
	return r == cardea.ReasonRateLimited || r == cardea.ReasonQuota || r == cardea.ReasonUnavailable
}
