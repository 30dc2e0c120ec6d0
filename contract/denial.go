package contract

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/cardea-dev/cardea"
)

// Vars are the values an error template may use besides the contract's own.
type Vars struct {
	RequestID  string
	RetryAfter int64    // seconds; 0: no Retry-After
	Scopes     ScopeSet // the scopes the route needs, for WWW-Authenticate
	Allow      []string // the methods the path takes, for Allow (RFC 9110 §10.2.1)

	// Kind is the name of the refused credential's kind, "" when it is not known: an
	// expired key and an expired token may be worded differently.
	Kind string

	// Origin is scheme, host and port the request was sent to
	// ("https://api.example.com"): where the API's metadata is when the contract names
	// no host. "": it is left out.
	Origin string
}

// A refusal is a compiled denial of one reason.
type refusal struct {
	status    int
	code      string
	message   template // the inside of a JSON string
	body      template // with code, status and message already in place
	challenge challenge
	kinds     map[string]*refusal // what differs for a kind of credential
}

// denials holds a refusal for every reason.
type denials [256]*refusal

// Denial renders the contract's answer for a reason: status, Content-Type,
// Cache-Control, WWW-Authenticate on 401 and for missing scopes (RFC 6750 §3),
// Retry-After, Allow, and the body with JSON-escaped values. A reason it does not know
// is answered as [cardea.ReasonUnavailable].
func (c *Contract) Denial(reason cardea.Reason, v Vars) *cardea.Denial {
	r := c.denials[reason]
	if r == nil {
		r = c.denials[cardea.ReasonUnavailable]
	}
	if own := r.kinds[v.Kind]; own != nil {
		r = own
	}
	header := make(http.Header, 5)
	header["Content-Type"] = jsonType
	header["Cache-Control"] = noStore
	if r.challenge.schemes != nil {
		header["Www-Authenticate"] = r.challenge.render(c, v)
	}
	if v.RetryAfter > 0 {
		header[c.limitHeaders.RetryAfter] = []string{strconv.FormatInt(v.RetryAfter, 10)}
	}
	if len(v.Allow) > 0 {
		header["Allow"] = []string{strings.Join(v.Allow, ", ")}
	}
	return &cardea.Denial{Status: r.status, Header: header, Body: r.render(v)}
}

// Shared by all denials, which nobody changes in place: doors copy them.
var (
	jsonType = []string{"application/json"}
	noStore  = []string{"no-store"}
)

// render appends the pieces of the body. Only the request id and the seconds to wait
// are left to fill in.
func (r *refusal) render(v Vars) []byte {
	size := len(v.RequestID) + 20
	for _, p := range r.body {
		size += len(p.literal)
	}
	dst := make([]byte, 0, size)
	for _, p := range r.body {
		switch p.variable {
		case "":
			dst = append(dst, p.literal...)
		case "retry_after":
			dst = strconv.AppendInt(dst, v.RetryAfter, 10)
		case "request_id":
			if p.alone {
				dst = appendJSONString(dst, v.RequestID)
			} else {
				dst = appendJSONInside(dst, v.RequestID)
			}
		}
	}
	return dst
}

// A Wording is how the contract words a reason, for pages and explanations.
type Wording struct {
	Status  int
	Code    string
	Message string // with $retry_after and $request_id still in it
}

// Wording returns how the contract words a reason.
func (c *Contract) Wording(reason cardea.Reason) Wording {
	r := c.denials[reason]
	if r == nil {
		r = c.denials[cardea.ReasonUnavailable]
	}
	var b strings.Builder
	for _, p := range r.message {
		if p.variable != "" {
			b.WriteString("$" + p.variable)
		} else {
			b.WriteString(unescapeInside(p.literal))
		}
	}
	return Wording{Status: r.status, Code: r.code, Message: b.String()}
}
