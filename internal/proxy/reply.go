package proxy

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
)

// setReply works out the headers of every answer to this request: its id, the limits
// of a known caller, and the CORS protocol's.
func (c *call) setReply() {
	c.replies = c.rules.replies
	if c.rules.id != "" {
		c.reply = append(c.reply, field{c.rules.id, c.request.ID})
	}
	if c.decision.Limit.Limit > 0 {
		c.setLimits(&c.decision.Limit)
	}
	route := c.decision.Route
	if route == nil || route.CORS == nil || route.CORS.Pass {
		return
	}
	c.replies = c.rules.browser
	if !c.decision.Preflight || !c.decision.Allowed {
		c.setCORS(route.CORS)
	}
}

// setLimits adds the rate-limit headers, in the contract's spelling.
func (c *call) setLimits(l *cardea.Limit) {
	names := &c.rules.limits
	// The three numbers share one string.
	var buf [64]byte
	b := strconv.AppendInt(buf[:0], l.Limit, 10)
	first := len(b)
	b = strconv.AppendInt(b, l.Remaining, 10)
	second := len(b)
	text := string(strconv.AppendInt(b, l.Reset, 10))
	c.setNamed(names.Limit, text[:first])
	c.setNamed(names.Remaining, text[first:second])
	c.setNamed(names.Reset, text[second:])
	if names.Standard {
		c.setStandardLimits(l)
	}
}

// setNamed adds a header unless the contract does not send it.
func (c *call) setNamed(name, value string) {
	if name != "" {
		c.reply = append(c.reply, field{name, value})
	}
}

// setStandardLimits adds the fields of draft-ietf-httpapi-ratelimit-headers.
func (c *call) setStandardLimits(l *cardea.Limit) {
	window, seconds := l.Window, "60"
	switch window {
	case "day":
		seconds = "86400"
	case "":
		window = "minute"
	}
	left := strconv.FormatInt(max(0, l.Reset-c.at.Unix()), 10)
	c.setNamed("RateLimit-Policy", `"`+window+`";q=`+strconv.FormatInt(l.Limit, 10)+`;w=`+seconds)
	c.setNamed("RateLimit", `"`+window+`";r=`+strconv.FormatInt(l.Remaining, 10)+`;t=`+left)
}

// setCORS adds what a browser needs to show the answer to its page: on denials too, so
// that a page can tell them apart.
func (c *call) setCORS(cors *contract.CORS) {
	allowed, ok := c.allowed(cors)
	if allowed != "*" {
		c.setNamed("Vary", "Origin")
	}
	if !ok {
		return
	}
	c.setNamed("Access-Control-Allow-Origin", allowed)
	if cors.Credentials {
		c.setNamed("Access-Control-Allow-Credentials", "true")
	}
	if len(cors.ExposedHeaders) > 0 {
		c.setNamed("Access-Control-Expose-Headers", strings.Join(cors.ExposedHeaders, ", "))
	}
}

// allowed returns the value of Access-Control-Allow-Origin for the request's origin.
func (c *call) allowed(cors *contract.CORS) (value string, ok bool) {
	origin := c.r.Header["Origin"]
	if len(origin) != 1 {
		return "", false
	}
	return cors.Allows(origin[0])
}

// preflight answers a CORS preflight (Fetch standard, "CORS-preflight fetch"). An
// origin that may not call gets an answer without permission: browsers then refuse.
func (c *call) preflight(cors *contract.CORS) {
	h := c.w.Header()
	c.decorate(h)
	h["Vary"] = []string{"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
	if value, ok := c.allowed(cors); ok {
		h["Access-Control-Allow-Origin"] = []string{value}
		if wanted := c.r.Header["Access-Control-Request-Method"]; len(wanted) == 1 && validName(wanted[0]) {
			h["Access-Control-Allow-Methods"] = wanted
		}
		if len(cors.Headers) > 0 {
			h["Access-Control-Allow-Headers"] = []string{strings.Join(cors.Headers, ", ")}
		}
		if cors.Credentials {
			h["Access-Control-Allow-Credentials"] = []string{"true"}
		}
		if cors.MaxAge > 0 {
			h["Access-Control-Max-Age"] = []string{strconv.Itoa(int(cors.MaxAge.Seconds()))}
		}
	}
	c.started, c.status = true, http.StatusNoContent
	c.w.WriteHeader(http.StatusNoContent)
}
