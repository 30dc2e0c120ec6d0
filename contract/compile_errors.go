package contract

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/strictyaml"
)

// defaultWordings word the reasons that a contract leaves out.
var defaultWordings = map[cardea.Reason]Wording{
	cardea.ReasonUnavailable:         {http.StatusServiceUnavailable, "unavailable", "Service temporarily unavailable"},
	cardea.ReasonBadRequest:          {http.StatusBadRequest, "bad_request", "Bad request"},
	cardea.ReasonTooLarge:            {http.StatusRequestEntityTooLarge, "request_too_large", "Request body too large"},
	cardea.ReasonNoRoute:             {http.StatusNotFound, "not_found", "Not found"},
	cardea.ReasonMethodNotAllowed:    {http.StatusMethodNotAllowed, "method_not_allowed", "Method not allowed"},
	cardea.ReasonMissingCredential:   {http.StatusUnauthorized, "unauthorized", "Missing credentials"},
	cardea.ReasonMalformedCredential: {http.StatusBadRequest, "bad_request", "Malformed credentials"},
	cardea.ReasonSeveralCredentials:  {http.StatusBadRequest, "bad_request", "More than one credential"},
	cardea.ReasonInvalidCredential:   {http.StatusUnauthorized, "unauthorized", "Invalid credentials"},
	cardea.ReasonExpired:             {http.StatusUnauthorized, "unauthorized", "Credentials expired"},
	cardea.ReasonScope:               {http.StatusForbidden, "forbidden", "Insufficient permissions"},
	cardea.ReasonRateLimited: {
		http.StatusTooManyRequests, "rate_limit_exceeded",
		"Rate limit exceeded. Please retry after $retry_after seconds.",
	},
	cardea.ReasonUpstream:        {http.StatusBadGateway, "bad_gateway", "Bad gateway"},
	cardea.ReasonUpstreamTimeout: {http.StatusGatewayTimeout, "gateway_timeout", "Gateway timeout"},
}

// defaultBody is the error body of contracts without one.
const defaultBody = `{error: {code: $code, message: $message, request_id: $request_id}}`

var (
	messageVariables = []string{"request_id", "retry_after"}
	bodyVariables    = []string{"code", "message", "request_id", "status", "retry_after"}
)

// errors compiles a refusal for every reason: from its own entry, else from that of
// the reason it falls back to, else from the built-in wording.
func (k *compiler) errors() {
	given := map[cardea.Reason]errorDoc{}
	for _, e := range k.d.Errors.reasons {
		reason, _ := cardea.ParseReason(e.key.value)
		given[reason] = e.value
		k.checkError(reason, e.value)
	}
	body := k.d.Errors.body.node
	if body == nil {
		body = mustParse(defaultBody)
	}
	compileTemplate(k.r, body, bodyVariables) // once, for its problems
	quiet := strictyaml.New("", "")           // the same ones again for each reason
	for _, reason := range cardea.Reasons() {
		if reason == cardea.ReasonAllowed {
			continue
		}
		k.c.denials[reason] = k.refusal(quiet, reason, given, body)
	}
}

// refusal compiles one reason, and what differs for kinds of credential.
func (k *compiler) refusal(quiet *reporter, reason cardea.Reason, given map[cardea.Reason]errorDoc, body *yaml.Node) *refusal {
	r := k.worded(quiet, reason, wordsOf(reason, "", given, body))
	for _, source := range lineage(reason) {
		for _, kind := range given[source].Kinds.names() {
			if r.kinds == nil {
				r.kinds = map[string]*refusal{}
			}
			r.kinds[kind] = k.worded(quiet, reason, wordsOf(reason, kind, given, body))
		}
	}
	return r
}

// words are how a reason is worded, before they are put together.
type words struct {
	Wording
	body *yaml.Node
}

// wordsOf returns how a reason is worded for a kind of credential, "" for any. The
// nearest entry of its line of descent words it as a whole: a code of one entry with
// the message of another would say what nobody wrote. What differs for the kind is
// laid over that.
func wordsOf(reason cardea.Reason, kind string, given map[cardea.Reason]errorDoc, body *yaml.Node) words {
	w := words{builtIn(reason), body}
	var own *errorKindDoc
	for _, source := range lineage(reason) {
		doc := given[source]
		if i, ok := find(doc.Kinds.names(), kind); ok && own == nil {
			own = &doc.Kinds.entries[i].value
		}
		if common := doc.common(); common.given() {
			w.Wording = builtIn(source)
			w.over(common)
			break
		}
	}
	if own != nil {
		w.over(*own)
	}
	return w
}

// over lays what an entry says over the words.
func (w *words) over(doc errorKindDoc) {
	if doc.Status.given {
		w.Status = int(doc.Status.value)
	}
	w.Code = doc.Code.or(w.Code)
	if doc.Message.given {
		w.Message = doc.Message.value
	}
	if doc.Body.given() {
		w.body = doc.Body.node
	}
}

// worded puts a refusal together.
func (k *compiler) worded(quiet *reporter, reason cardea.Reason, w words) *refusal {
	message := compileText(quiet, pos{}, w.Message, messageVariables)
	return &refusal{
		status: w.Status, code: w.Code, message: message,
		body:      settle(compileTemplate(quiet, w.body, bodyVariables), w.Wording, message),
		challenge: k.challenge(reason, w.Status),
	}
}

// lineage returns a reason and those it falls back to, nearest first.
func lineage(r cardea.Reason) []cardea.Reason {
	line := []cardea.Reason{r}
	for r.Parent() != r {
		r = r.Parent()
		line = append(line, r)
	}
	return line
}

// builtIn returns the built-in wording of a reason, or of the nearest one it falls back
// to.
func builtIn(r cardea.Reason) Wording {
	for _, source := range lineage(r) {
		if w, ok := defaultWordings[source]; ok {
			return w
		}
	}
	return defaultWordings[cardea.ReasonUnavailable]
}

// settle puts what is known now into a body: code, status and message. Only the
// request id and the seconds to wait are left for later. Whole variables become JSON
// values: status and retry_after numbers, the others strings.
func settle(body template, w Wording, message template) template {
	var out template
	add := func(p part) {
		if last := len(out) - 1; p.variable == "" && last >= 0 && out[last].variable == "" {
			out[last].literal += p.literal
			return
		}
		out = append(out, p)
	}
	for _, p := range body {
		mark := "" // the quotes around a whole value
		if p.alone {
			mark = `"`
		}
		switch p.variable {
		case "code":
			add(part{literal: mark + jsonInside(w.Code) + mark})
		case "status":
			add(part{literal: strconv.Itoa(w.Status)})
		case "message":
			add(part{literal: mark})
			for _, m := range message {
				add(m)
			}
			add(part{literal: mark})
		default:
			add(p)
		}
	}
	return out
}

// checkError reports what is wrong with one reason's entry.
func (k *compiler) checkError(reason cardea.Reason, v errorDoc) {
	k.checkWords(reason, v.common())
	for _, e := range v.Kinds.entries {
		k.checkWords(reason, e.value)
		known := append(slices.Clone(reservedKinds), k.d.Keys.names()...)
		if _, ok := find(known, e.key.value); !ok {
			k.r.Errorf(e.key.pos, "there is no kind of credential %s", quote(e.key.value)).DidYouMean(e.key.value, known)
		}
	}
}

// checkWords reports what is wrong with how a reason is worded.
func (k *compiler) checkWords(reason cardea.Reason, v errorKindDoc) {
	if s := v.Status; s.given && (s.value < 400 || s.value > 599) {
		k.r.Errorf(s.pos, "a refusal cannot have status %d", s.value).Suggest("use one from 400 to 599")
	}
	compileText(k.r, v.Message.pos, v.Message.value, messageVariables)
	if v.Body.given() {
		compileTemplate(k.r, v.Body.node, bodyVariables)
	}
	if strings.Contains(v.Message.value, "$retry_after") && !hasRetryAfter(reason) {
		k.r.Warnf(v.Message.pos, "$retry_after is 0 for this reason: waiting does not help")
	}
}

// mustParse parses a constant of this package.
func mustParse(s string) *yaml.Node {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(s), &document); err != nil {
		panic(err) // a constant of this package is wrong
	}
	return document.Content[0]
}

// unescapeInside undoes jsonInside.
func unescapeInside(s string) string {
	var out string
	if err := json.Unmarshal([]byte(`"`+s+`"`), &out); err != nil {
		return s
	}
	return out
}
