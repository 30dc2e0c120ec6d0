package authz

import (
	"context"
	"net/http"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
)

// stranger refuses a credential that is nobody's, and counts the attempt against the
// client's address. Above the bound the answer is 429: guessing and broken clients
// become cheap to answer and visible. A valid credential from the same address is
// not held up, because only the refused are counted and only the refused are told.
func (j *judgement) stranger() cardea.Reason {
	if j.scheme != nil && j.scheme.bare && !j.Client.IsValid() {
		return cardea.ReasonInvalidCredential // asked about on behalf of nobody
	}
	if j.a.refused.exceeded(j.Client, j.now) {
		j.a.stats.throttled.Add(1)
		j.Limit.RetryAfter = 60 - j.now.Unix()%60
		return cardea.ReasonRateLimited
	}
	j.a.refused.add(j.Client, j.now)
	return cardea.ReasonInvalidCredential
}

// identify finds out who asks when the request is refused already, so that the answer
// can carry their limits. It changes no reason.
func (j *judgement) identify(ctx context.Context) {
	if !j.Client.IsValid() && j.req.Peer.IsValid() {
		return // the address could not be read: nothing is known about this request
	}
	if j.credential() != pass {
		return
	}
	if _, reason := j.shape(); reason != pass {
		j.forget()
		return
	}
	if reason, _ := j.verify(ctx); reason != pass {
		j.forget()
	}
}

// forget undoes what identify learned about a caller who is nobody.
func (j *judgement) forget() { j.entry, j.Limit = nil, cardea.Limit{} }

// refuse fills in the answer. Callers in good standing are told their limits.
func (j *judgement) refuse() {
	e := j.entry
	if e != nil && j.Step != cardea.StepLimit && j.Step != cardea.StepStanding && j.fault == sound && j.mayPeek() {
		j.peek()
	}
	if j.Environment == "" && e != nil {
		j.Environment = e.profile.env.Name
	}
	vars := contract.Vars{
		RequestID: j.req.ID, RetryAfter: j.Limit.RetryAfter, Allow: j.allow, Origin: j.a.origin(j.req), Kind: j.kindName(),
	}
	if j.Reason == cardea.ReasonUnavailable {
		vars.RetryAfter = 1
	}
	if j.Route != nil {
		vars.Scopes = j.Route.Scopes
	}
	if j.Denial = j.answer; j.Denial == nil {
		j.Denial = j.view.contract.Denial(j.Reason, vars)
	} else if j.Denial.Status == http.StatusUnauthorized && j.Denial.Header["Www-Authenticate"] == nil {
		// A hook need not know it, but every 401 says how to do better: RFC 9110 §15.5.2.
		challenge := j.view.contract.Denial(cardea.ReasonMissingCredential, vars)
		j.Denial.Header["Www-Authenticate"] = challenge.Header["Www-Authenticate"]
	}
	if e == nil {
		j.Limit = cardea.Limit{} // no known caller, no limit headers
	}
}

// kindName returns the name of the refused credential's kind as far as it was recognised,
// or "".
func (j *judgement) kindName() string {
	switch {
	case j.entry != nil:
		return j.entry.profile.kind.Name
	case j.form == signedForm:
		return j.view.contract.TokenKind().Name
	case j.form != nil:
		return j.form.kind.Name
	}
	return ""
}

// mayPeek reports whether the caller's credential is good, whatever the request is
// refused for: a revoked key learns nothing about its organization's use.
func (j *judgement) mayPeek() bool { return j.standing() == pass }
