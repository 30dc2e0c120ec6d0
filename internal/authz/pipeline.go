package authz

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/target"
)

// pass is a step's answer when it has no reason to refuse.
const pass = cardea.ReasonAllowed

// A judgement is one request on its way through the pipeline. It lives on the stack.
type judgement struct {
	Decision

	a    *Authorizer
	req  *cardea.Request
	view *view
	now  time.Time
	need int64 // the last change applied when the request began

	// What the steps find out, in their order.
	path   string
	query  string
	scheme *scheme
	text   string // the credential as presented
	form   *form
	hash   secret.Hash // where the cache has it
	role   role        // what a test credential plays

	audiences []string       // see [Authorizer.Assertion]
	answer    *cardea.Denial // what a hook answers
}

// Authorize judges a request: the ten steps, in their order. A Decision is complete
// whatever it says: a refusal carries its answer in the contract's shape.
//
// err is not nil when no decision was possible, because the database, an issuer or a hook
// did not answer; it is for the log. The Decision then refuses, with
// [cardea.ReasonUnavailable] or for a hook with [cardea.ReasonHook].
func (a *Authorizer) Authorize(ctx context.Context, r *cardea.Request) (Decision, error) {
	// The sequence number is read before anything else: whatever was changed before
	// the request arrived must be seen by it.
	j := judgement{a: a, req: r, need: a.applied.Load(), now: a.now()}
	j.view = a.current()
	j.Contract, j.requestID = j.view.contract, r.ID
	step, reason, err := j.decide(ctx)
	j.Step, j.Reason = step, reason
	if reason == pass {
		j.Allowed = true
		return j.Decision, nil
	}
	j.refuse()
	return j.Decision, err
}

// decide runs the steps. The first reason to refuse is the answer.
func (j *judgement) decide(ctx context.Context) (cardea.Step, cardea.Reason, error) {
	if reason := j.route(); reason != pass {
		j.identify(ctx) // for the headers of a known caller
		return cardea.StepRoute, reason, nil
	}
	if j.Preflight || j.Route.Public {
		return j.open(ctx)
	}
	if reason := j.credential(); reason != pass {
		return j.lastResort(ctx, reason)
	}
	if step, reason := j.shape(); reason != pass {
		return step, reason, nil
	}
	if reason, err := j.verify(ctx); reason != pass {
		return cardea.StepVerify, reason, err
	}
	if reason := j.standing(); reason != pass {
		return cardea.StepStanding, reason, nil
	}
	if reason := j.environment(); reason != pass {
		return cardea.StepEnvironment, reason, nil
	}
	if reason := j.address(); reason != pass {
		return cardea.StepAddress, reason, nil
	}
	if step, reason := j.play(); reason != pass {
		return step, reason, nil // a test credential on command
	}
	if reason := j.scope(); reason != pass {
		return cardea.StepScope, reason, nil
	}
	if reason := j.spent(); reason != pass {
		return cardea.StepLimit, reason, nil
	}
	if reason, err := j.hook(ctx); reason != pass {
		return cardea.StepHook, reason, err
	}
	reason, err := j.limit(ctx)
	return cardea.StepLimit, reason, err
}

// route is step 1: who asks, for what. It refuses a target with a second spelling, an
// address that cannot be read, and whatever no route was written for.
func (j *judgement) route() cardea.Reason {
	client, err := target.Client(j.req.Peer, j.req.Header, j.a.cfg.TrustedProxies)
	if err != nil {
		return cardea.ReasonBadRequest
	}
	j.Client = client
	parts, err := target.Parse(j.req.Target)
	if err != nil {
		return cardea.ReasonBadRequest
	}
	j.path, j.query = parts.Path, parts.Query
	method, preflight := j.method()
	m := j.view.contract.Match(method, parts.Path)
	if preflight && (m.Route == nil || m.Route.CORS == nil) {
		method, preflight = j.req.Method, false
		m = j.view.contract.Match(method, parts.Path)
	}
	if m.Route == nil {
		if j.allow = m.Allow; len(m.Allow) > 0 {
			return cardea.ReasonMethodNotAllowed
		}
		return cardea.ReasonNoRoute
	}
	if parts.EncodedSlash && !m.Route.AllowEncodedSlash {
		return cardea.ReasonBadRequest
	}
	if parts.EncodedDelim && j.ambiguous(method, m.Route) {
		return cardea.ReasonBadRequest
	}
	return j.locate(m, preflight)
}

// locate settles which environment the target itself asks for, if it names one, and
// whether the route exists there.
func (j *judgement) locate(m contract.Match, preflight bool) cardea.Reason {
	j.env = m.Environment
	if host := j.view.hostEnvironment(j.req.Host); host != nil {
		if j.env != nil && j.env != host {
			return cardea.ReasonNoRoute // the path's world is not on this host
		}
		j.env = host
	}
	if j.env != nil && !m.Route.Environments[j.env.Index] {
		return cardea.ReasonNoRoute
	}
	j.Route, j.Preflight = m.Route, preflight
	if j.env != nil {
		j.Environment = j.env.Name
	}
	return pass
}

// open ends the decision on a route that asks for no credential: one that is sent is
// not looked at, and nobody is charged.
func (j *judgement) open(ctx context.Context) (cardea.Step, cardea.Reason, error) {
	if reason := j.settle(); reason != pass {
		return cardea.StepRoute, reason, nil
	}
	reason, err := j.hook(ctx)
	return cardea.StepRoute, reason, err
}

// settle finds the environment of a request without a caller: the one that the target
// names, or the first in which the route exists.
func (j *judgement) settle() cardea.Reason {
	if j.env == nil {
		j.env = choose(j.view.contract, j.Route.Environments, nil)
	}
	if j.env == nil {
		return cardea.ReasonNoRoute
	}
	j.Environment = j.env.Name
	return pass
}

// credential is step 2: exactly one credential is presented. Two are never chosen
// from, not even two equal ones: what reads them behind Cardea may choose another.
// Credentials in the query are not read at all (RFC 9700 §4.3.2).
func (j *judgement) credential() cardea.Reason {
	var found *carrier
	value := ""
	for i := range j.view.carriers {
		c := &j.view.carriers[i]
		values := j.req.Header[c.header]
		switch {
		case len(values) == 0:
			continue
		case len(values) > 1 || found != nil:
			return cardea.ReasonSeveralCredentials
		}
		found, value = c, values[0]
	}
	if found == nil {
		return cardea.ReasonMissingCredential
	}
	return j.read(found, value)
}

// read takes a header's value apart.
func (j *judgement) read(c *carrier, value string) cardea.Reason {
	if c.schemes[0].name == "" {
		j.scheme, j.text = &c.schemes[0], value
		return pass
	}
	for i := range c.schemes {
		if token, ok := c.schemes[i].token(value); ok {
			j.scheme, j.text = &c.schemes[i], token
			return pass
		}
	}
	if name, _, _ := strings.Cut(value, " "); isMalformed(name) || len(value) > maxCredential {
		return cardea.ReasonMalformedCredential
	}
	return j.stranger() // a scheme that no kind is sent with
}

// shape is step 3: the credential has the form of a kind, and its checksum holds. A
// typo ends here and costs no query. A text that is in the cache was checked when it
// came in.
func (j *judgement) shape() (cardea.Step, cardea.Reason) {
	if j.form = j.scheme.recognize(j.text); j.form != nil {
		j.hash = secret.HashOf(j.text)
		j.entry = j.view.table.get(&j.hash)
		if j.entry != nil || j.form.holds(j.text) {
			return cardea.StepShape, pass
		}
	}
	if j.scheme.signed && j.signed() || j.acts() {
		return cardea.StepShape, pass
	}
	switch {
	case hasComma(j.text):
		// Lists joined by a proxy. No credential has a comma.
		return cardea.StepCredential, cardea.ReasonSeveralCredentials
	case isMalformed(j.text):
		return cardea.StepCredential, cardea.ReasonMalformedCredential
	}
	return cardea.StepShape, j.stranger()
}

// verify is step 4: the credential exists, or proves itself. What the cache does not
// have, or has from before something it depends on changed, is asked of the store.
func (j *judgement) verify(ctx context.Context) (cardea.Reason, error) {
	if j.entry == nil || j.a.stale(j.entry) || !j.a.vouched(ctx, j.entry, j.now) {
		if reason, err := j.find(ctx); reason != pass {
			return reason, err
		}
	}
	p := j.entry.profile
	if j.form.kind != nil && p.kind != j.form.kind || j.role.word != "" && !p.env.TestCredentials {
		// A secret of a kind that is not sent this way, or with a word behind it where
		// words mean nothing.
		j.entry = nil
		return j.stranger(), nil
	}
	return j.possession(), nil
}

// find asks about a credential that is not in the cache, or not as it is now.
func (j *judgement) find(ctx context.Context) (cardea.Reason, error) {
	q := j.question(ctx)
	e, fault, err := j.a.lookup(ctx, j.view, &q)
	j.entry, j.fault = e, fault
	switch {
	case q.slow && errors.Is(err, errBusy):
		return j.stranger(), nil // its address has used up the patience there is
	case err != nil:
		return cardea.ReasonUnavailable, err // fail closed: unknown is not valid
	case e == nil:
		return j.stranger(), nil
	}
	return pass, nil
}

// question puts what is known of the credential so far.
func (j *judgement) question(ctx context.Context) question {
	q := question{
		hash: j.hash, place: j.hash, now: j.now, need: j.need, wanted: j.env, audiences: j.audiences,
		slow: j.entry == nil && j.a.refused.exceeded(j.Client, j.now),
	}
	switch {
	case j.form == signedForm:
		q.signed = j.text
		q.hash = flightHash(j.text, j.env, j.audiences != nil)
		if j.entry != nil && j.a.vouched(ctx, j.entry, j.now) {
			q.known = j.entry.token().verified
		}
	case j.form.kind == j.view.contract.TokenKind():
		q.opaque = true
	}
	return q
}

// environment is step 6: what the record says, what the prefix says and what the
// target asks for are one and the same world.
func (j *judgement) environment() cardea.Reason {
	env := j.entry.profile.env
	if j.form.env != nil && j.form.env != env {
		return cardea.ReasonWrongEnvironment
	}
	if !j.entry.profile.kind.Environments[env.Index] || j.env != nil && j.env != env {
		return cardea.ReasonWrongEnvironment
	}
	if j.Route != nil && !j.Route.Environments[env.Index] {
		return cardea.ReasonWrongEnvironment
	}
	j.env, j.Environment = env, env.Name
	return pass
}

// address is step 7: the credential's list and that of its organization in this
// environment both admit the client.
func (j *judgement) address() cardea.Reason {
	p, acc := j.entry.profile, j.entry.account
	if !admits(p.limited, p.addresses, j.Client) || !admits(acc.limited, acc.addresses, j.Client) {
		return cardea.ReasonAddress
	}
	return pass
}

// scope is step 8: every scope that the route needs was granted. The credential's
// set was closed over implied scopes when it was read.
func (j *judgement) scope() cardea.Reason {
	if !j.entry.profile.scopes.Contains(j.Route.Scopes) {
		return cardea.ReasonScope
	}
	return pass
}
