package activity

import (
	"net/http"
	"strconv"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/web"
)

// reasonWords say in two or three words why a request was answered as it was.
var reasonWords = map[cardea.Reason]string{
	cardea.ReasonUnavailable:         "could not be decided",
	cardea.ReasonAllowed:             "let through",
	cardea.ReasonBadRequest:          "unreadable request",
	cardea.ReasonTooLarge:            "body too large",
	cardea.ReasonNoRoute:             "no such route",
	cardea.ReasonMethodNotAllowed:    "method not allowed",
	cardea.ReasonMissingCredential:   "no credential",
	cardea.ReasonMalformedCredential: "malformed credential",
	cardea.ReasonSeveralCredentials:  "several credentials",
	cardea.ReasonInvalidCredential:   "unknown credential",
	cardea.ReasonRevoked:             "revoked",
	cardea.ReasonDisabled:            "disabled",
	cardea.ReasonExpired:             "expired",
	cardea.ReasonIdle:                "unused for too long",
	cardea.ReasonSuperseded:          "old secret",
	cardea.ReasonExchangeOnly:        "not exchanged for a token",
	cardea.ReasonSuspended:           "organization suspended",
	cardea.ReasonWrongEnvironment:    "wrong environment",
	cardea.ReasonBrowser:             "sent from a web page",
	cardea.ReasonAddress:             "address not on the list",
	cardea.ReasonScope:               "scope missing",
	cardea.ReasonHook:                "refused by a hook",
	cardea.ReasonRateLimited:         "rate limit",
	cardea.ReasonQuota:               "day’s requests used up",
	cardea.ReasonUpstream:            "the API failed",
	cardea.ReasonUpstreamTimeout:     "the API took too long",
}

// reason returns the words for a reason by its name.
func reason(name string) string {
	r, ok := cardea.ParseReason(name)
	if !ok {
		return name
	}
	return reasonWords[r]
}

// refused reports whether Cardea refused a request.
func refused(name string) bool { return name != "" && name != cardea.ReasonAllowed.String() }

// reasonOptions are the choices of a field for a reason, but for the one of what was let
// through, which is an outcome.
func reasonOptions() []web.Option {
	options := []web.Option{{Text: "Any reason"}}
	for _, r := range cardea.Reasons() {
		if r != cardea.ReasonAllowed {
			options = append(options, web.Option{Value: r.String(), Text: reasonWords[r]})
		}
	}
	return options
}

// outcomes are the choices of a field for an outcome.
var outcomes = []web.Option{
	{Text: "Any outcome"}, {Value: "allowed", Text: "Let through"}, {Value: "denied", Text: "Refused"},
	{Value: "error", Text: "Errors of any kind"},
}

// statuses are the choices of a field for a status.
func statuses() []web.Option {
	options := []web.Option{{Text: "Any status"}}
	for _, class := range []string{"2xx", "3xx", "4xx", "5xx"} {
		options = append(options, web.Option{Value: class, Text: class})
	}
	for _, code := range []int{200, 201, 204, 400, 401, 403, 404, 405, 413, 422, 429, 500, 502, 503, 504} {
		options = append(options, web.Option{Value: strconv.Itoa(code), Text: strconv.Itoa(code) + " " + http.StatusText(code)})
	}
	return options
}

// methods are the choices of a field for a method.
func methods() []web.Option {
	options := []web.Option{{Text: "Any method"}}
	for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} {
		options = append(options, web.Option{Value: m, Text: m})
	}
	return options
}

// unmatched is what a filter calls requests that no route matched.
const unmatched = "-"

// routes are the choices of a field for a route.
func routes(c *contract.Contract) []web.Option {
	options := []web.Option{{Text: "Any route"}}
	for _, r := range c.Routes() {
		options = append(options, web.Option{Value: r.Pattern, Text: r.Pattern})
	}
	return append(options, web.Option{Value: unmatched, Text: "No route matched"})
}

// known returns a value if it is one of a field's choices, and "" otherwise.
func known(value string, options []web.Option) string {
	for _, o := range options {
		if o.Value == value {
			return value
		}
	}
	return ""
}

// withChoice returns the choices of a field with one that an address names and that was
// not offered: a status that is seldom, a route that the contract no longer has.
func withChoice(value string, options []web.Option) []web.Option {
	if value == "" || known(value, options) != "" {
		return options
	}
	return append(options, web.Option{Value: value, Text: value})
}

// isStatus reports whether a text is a status or a class of them.
func isStatus(text string) bool {
	if len(text) == 3 && text[1:] == "xx" {
		return text[0] >= '1' && text[0] <= '5'
	}
	n, err := strconv.Atoi(text)
	return err == nil && len(text) == 3 && n >= 100 && n < 600
}

// tone returns the kind of badge for a status.
func tone(status int) string {
	switch {
	case status >= 500:
		return "danger"
	case status >= 400:
		return "warn"
	case status >= 300:
		return "plain"
	}
	return "good"
}

// took returns a time that something took, in microseconds, in words.
func took(us int64) string {
	d := time.Duration(us) * time.Microsecond
	switch {
	case us <= 0:
		return ""
	case d < time.Millisecond:
		return strconv.FormatInt(us, 10) + " µs"
	case d < 10*time.Millisecond:
		return strconv.FormatFloat(d.Seconds()*1000, 'f', 1, 64) + " ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
}
