package insight

import (
	"fmt"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// A situation is what an explanation is made from: the request as it was logged, and
// its caller as they are now.
type situation struct {
	contract     *contract.Contract
	request      store.RequestRow
	now          time.Time
	key          *manage.Key          // nil: no known key
	organization *manage.Organization // nil: no known caller
	listed       bool                 // the caller's environment has an address list

	// several: it stands for several requests, with callers that are not told.
	several bool
}

// explain words the situation.
func (s *situation) explain() Explanation {
	e := Explanation{Request: viewRequest(s.request), Key: s.key, Organization: s.organization}
	e.Detail, _, _ = strings.Cut(s.request.Detail, "\n") // earlier versions wrote a fix below it
	if s.request.ContractLine > 0 {
		e.Contract = &ContractPlace{Source: s.contract.Source(), Line: s.request.ContractLine}
	}
	if s.request.Reason == cardea.ReasonScope {
		e.MissingScopes = s.missingScopes()
	}
	e.Explanation, e.Fix = s.words()
	e.Steps = s.steps()
	if s.request.OldSecret {
		e.Explanation += " It was sent with the old secret of a rotation: somebody has not changed over yet."
	}
	return e
}

// sentences holds, by reason, what happened and what would let the request through. A
// test holds it complete. {caller}, {client} and the like are filled in by words.
var sentences = map[cardea.Reason][2]string{
	cardea.ReasonUnavailable: {
		"Cardea could not decide: its database did not answer, and it never guesses.",
		"Try again; if it goes on, look at /readyz and the server's log."},
	cardea.ReasonAllowed: {"{caller} was let through{route}.", ""},
	cardea.ReasonBadRequest: {
		"The request itself was refused: its target, a header or its framing can be read in more than one way, or is not in its canonical form.",
		"Send the path without encoded slashes, dots, double slashes or ';', and every header once."},
	cardea.ReasonTooLarge: {
		"The body was larger than the route allows.",
		"Send less, or raise max_body of the route in the contract."},
	cardea.ReasonNoRoute: {
		"No route of the contract matches this path{environment}. What the contract does not name is refused.",
		"Check the path for a typo; if the API has it, add a route to the contract."},
	cardea.ReasonMethodNotAllowed: {
		"The contract has routes for this path, and none for the method {method}.",
		"Use a method that the Allow header of the answer names, or add a route to the contract."},
	cardea.ReasonMissingCredential: {
		"No credential was sent.",
		"Send one, as: {present}."},
	cardea.ReasonMalformedCredential: {
		"A credential header was sent that does not parse.",
		"Send exactly: {present}."},
	cardea.ReasonSeveralCredentials: {
		"More than one credential was sent, or the same header twice. Cardea never chooses between them.",
		"Send one credential in one header."},
	cardea.ReasonInvalidCredential: {
		"The credential has the right form, and no key has such a secret.",
		"Check that it is a secret of this server; if it is lost, rotate the key."},
	cardea.ReasonRevoked: {
		"{caller} was revoked{revoked}. That is final.",
		"Create a new {noun} and use that."},
	cardea.ReasonDisabled: {
		"{caller} was disabled, or the member it belongs to was.{now}",
		"Enable the {noun}, or its member."},
	cardea.ReasonExpired: {
		"{caller} had expired{expired}.{now}",
		"Regenerate the key, or rotate it with a new expires_at."},
	cardea.ReasonIdle: {
		"{caller} had not been used for longer than its kind allows{idle}.{now}",
		"Regenerate the key: a new secret starts a new time."},
	cardea.ReasonSuperseded: {
		"The secret was replaced by a rotation of {caller}, and the time for which both worked is over.",
		"Use the new secret. If it is lost, rotate the key again."},
	cardea.ReasonExchangeOnly: {
		"{caller} is good for getting a token only; the API itself does not take it.",
		"Exchange it at the token endpoint and send the access token."},
	cardea.ReasonSuspended: {
		"The organization{organization} was suspended, and with it everything it has.",
		"Resume the organization."},
	cardea.ReasonWrongEnvironment: {
		"{caller} belongs to another environment than the one the request asked for. Environments are walls.",
		"Use a key of the environment that the request is for."},
	cardea.ReasonBrowser: {
		"The request came from a web page (it carries Origin), and this kind of key must not be used there.",
		"Call the API from a server."},
	cardea.ReasonAddress: {
		"The client's address, {client}, is not on the address list of {list}.",
		"Add {client} to the list, if it is one of yours."},
	cardea.ReasonScope: {
		"{caller} does not have every scope that the route needs{missing}.",
		"Give it {missing scopes}, or use one that has them."},
	cardea.ReasonHook: {
		"A hook of the contract refused the request.",
		"Ask whoever runs the hook; its log has the request id."},
	cardea.ReasonRateLimited: {
		"{caller} had used up the requests of the minute, or sent too many at once{limits}.",
		"Wait as long as Retry-After said; for more, change the plan, or the limits that the organization or the key was given."},
	cardea.ReasonQuota: {
		"{caller} had used up the requests of the day{limits}.",
		"Wait until midnight UTC; for more, change the plan, or the limits that the organization or the key was given."},
	cardea.ReasonUpstream: {
		"{caller} was let through, but the API behind Cardea could not be reached or answered something that is no HTTP.",
		"Look at the API and its log: Cardea's part went well."},
	cardea.ReasonUpstreamTimeout: {
		"{caller} was let through, but the API behind Cardea did not answer in time.",
		"Look at why the API is slow, or raise timeout of the route in the contract."},
}

// mistyped and throttled are for reasons that mean something else when an early step
// gives them, the others for reasons that mean something else of an access token.
var (
	tokenExpired = [2]string{
		"The access token of {caller} had expired, as access tokens soon do.",
		"Get a new one at the token endpoint, or refresh it."}
	tokenRevoked = [2]string{
		"The access token of {caller} was revoked, by itself or with everything that was issued up to then.",
		"Get a new one at the token endpoint; if a refresh token is refused too, sign in again."}
	mistyped = [2]string{
		"What was sent is no credential of this contract: its form is unknown, or its checksum is wrong, which a typo or a missing part does.",
		"Copy the secret again, whole, and send it as: {present}."}
	throttled = [2]string{
		"The client's address, {client}, sent too many unknown credentials in that minute.",
		"Find the program behind that address that keeps sending a dead credential."}
)

// sentence returns the sentences for the request.
func (s *situation) sentence() [2]string {
	early := s.request.Step >= cardea.StepCredential && s.request.Step <= cardea.StepVerify
	switch reason := s.request.Reason; {
	case reason == cardea.ReasonInvalidCredential && s.request.Step == cardea.StepShape:
		return mistyped
	case reason == cardea.ReasonRateLimited && early:
		return throttled
	case reason == cardea.ReasonExpired && s.byToken() && (s.key.ExpiresAt.IsZero() || s.key.ExpiresAt.After(s.request.At)):
		return tokenExpired
	case reason == cardea.ReasonRevoked && s.byToken() && s.key.RevokedAt.IsZero():
		return tokenRevoked
	default:
		return sentences[reason]
	}
}

// byToken reports whether the caller is known by access tokens only: a client, a service
// account, or a key that routes do not take.
func (s *situation) byToken() bool {
	if s.key == nil {
		return false
	}
	kind := s.contract.Kind(s.key.Kind)
	return sortOf(s.key.Kind) != "key" || kind != nil && kind.ExchangeOnly
}

// sortOf returns what credentials of a stored kind are called.
func sortOf(kind string) string {
	switch kind {
	case store.KindClient:
		return "client"
	case store.KindServiceAccount:
		return "service account"
	}
	return "key"
}

// words returns what happened and what would fix it.
func (s *situation) words() (explanation, fix string) {
	text := s.sentence()
	fill := strings.NewReplacer(
		"{caller}", s.caller(),
		"{client}", s.client(),
		"{noun}", s.noun(),
		"{method}", s.request.Method,
		"{route}", within(" to the route ", s.request.Route),
		"{environment}", within(" in the environment ", s.request.Environment),
		"{organization}", s.organizationName(),
		"{present}", s.presentations(),
		"{revoked}", s.revoked(),
		"{expired}", s.expired(),
		"{idle}", s.idle(),
		"{now}", s.standing(),
		"{list}", s.listOwner(),
		"{missing}", within(": it lacks ", strings.Join(s.missingScopes(), ", ")),
		"{missing scopes}", s.missingWords(),
		"{limits}", s.limits(),
	)
	explanation = fill.Replace(text[0])
	// A sentence may begin with a caller that has no name.
	return strings.ToUpper(explanation[:1]) + explanation[1:], fill.Replace(text[1])
}

// within returns before and text, "" for no text.
func within(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

func (s *situation) caller() string {
	switch {
	case s.key != nil:
		return fmt.Sprintf("the %s %q (%s)", sortOf(s.key.Kind), s.key.Name, s.key.ID)
	case s.request.Credential != "":
		return "the credential " + s.request.Credential
	}
	return "the request"
}

// noun returns the sort of credential that the request came with.
func (s *situation) noun() string {
	if s.key == nil {
		return sortOf("")
	}
	return sortOf(s.key.Kind)
}

func (s *situation) client() string {
	if s.several {
		return "the client's address"
	}
	if !s.request.Client.IsValid() {
		return "which is not known"
	}
	return s.request.Client.String()
}

func (s *situation) organizationName() string {
	if s.organization == nil {
		return ""
	}
	return fmt.Sprintf(" %q (%s)", s.organization.Name, s.organization.ID)
}

// presentations lists the ways to send a credential.
func (s *situation) presentations() string {
	var ways []string
	for _, p := range s.contract.Presentations() {
		ways = append(ways, strings.Join(strings.Fields(p.Header+": "+p.Scheme+" <secret>"), " "))
	}
	return strings.Join(ways, ", or ")
}

func (s *situation) revoked() string {
	if s.key == nil || s.key.RevokedAt.IsZero() {
		return ""
	}
	return " at " + s.key.RevokedAt.Format(time.RFC3339) + within(", because: ", s.key.RevokedReason)
}

func (s *situation) expired() string {
	if s.key == nil || s.key.ExpiresAt.IsZero() {
		return ""
	}
	if s.key.ExpiresAt.After(s.request.At) {
		return " (its expiry has been changed since)"
	}
	return " at " + s.key.ExpiresAt.Format(time.RFC3339)
}

func (s *situation) idle() string {
	if s.key == nil {
		return ""
	}
	kind := s.contract.Kind(s.key.Kind)
	if kind == nil || kind.Idle == 0 {
		return ""
	}
	return ", " + rules.Words(contract.Period{Duration: kind.Idle})
}

// standing says that the key works by now, when it does.
func (s *situation) standing() string {
	if s.key != nil && (s.key.Status == manage.StatusActive || s.key.Status == manage.StatusExpiring) {
		return " It works by now."
	}
	return ""
}

// listOwner says whose address list it was; when both have one, the request log does not
// say which refused.
func (s *situation) listOwner() string {
	own := s.key != nil && len(s.key.Addresses) > 0
	switch {
	case own && s.listed:
		return "the key, or of its environment"
	case own:
		return "the key"
	}
	return within("the environment ", s.request.Environment)
}

// missingScopes returns the scopes the route needs that the key does not have now.
func (s *situation) missingScopes() []string {
	if s.key == nil && !s.several {
		return nil
	}
	var granted contract.ScopeSet
	if s.key != nil {
		granted, _ = s.contract.ScopeSet(s.key.Scopes...)
	}
	for _, r := range s.contract.Routes() {
		if r.Pattern == s.request.Route {
			return s.contract.ScopeNames(r.Scopes.Without(s.contract.Expand(granted)))
		}
	}
	return nil
}

func (s *situation) missingWords() string {
	missing := s.missingScopes()
	switch len(missing) {
	case 0:
		return "the scopes of the route (by now it seems to have them)"
	case 1:
		return "the scope " + missing[0]
	}
	return "the scopes " + strings.Join(missing, ", ")
}

// limits says what the caller's limits are.
func (s *situation) limits() string {
	if s.organization == nil {
		return ""
	}
	l := s.organization.Limits
	if p := s.contract.Plan(s.organization.Plan); l == nil && p != nil {
		l = &manage.Limits{PerMinute: p.PerMinute, Burst: p.Burst, PerDay: p.PerDay}
	}
	if s.key != nil && s.key.Limits != nil {
		l = s.key.Limits
	}
	if l == nil {
		return ""
	}
	var parts []string
	for _, part := range []struct {
		n    int64
		text string
	}{{l.PerMinute, "%d a minute"}, {l.Burst, "%d at once"}, {l.PerDay, "%d a day"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf(part.text, part.n))
		}
	}
	return within(": the limits are ", strings.Join(parts, ", "))
}
