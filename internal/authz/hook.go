package authz

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/hook"
)

// hook is step 9: nobody whom the contract asks objects. A hook can only narrow: all that
// match must agree, and one that does not answer has not agreed.
func (j *judgement) hook(ctx context.Context) (cardea.Reason, error) {
	if len(j.view.hooks) == 0 {
		return pass, nil
	}
	return j.askAll(ctx, j.view.hooks)
}

// lastResort goes on from step 2 when no credential was sent: where the contract has hooks
// for that, they decide alone. Who passes is nobody in particular: there is no principal,
// and nobody is charged.
func (j *judgement) lastResort(ctx context.Context, missing cardea.Reason) (cardea.Step, cardea.Reason, error) {
	if missing != cardea.ReasonMissingCredential || !j.concerned(j.view.lastResort) {
		return cardea.StepCredential, missing, nil
	}
	if reason := j.settle(); reason != pass {
		return cardea.StepRoute, reason, nil
	}
	// An address whose attempts were refused too often shares a few turns, as for
	// credentials: a hook is somebody's service.
	if j.a.refused.exceeded(j.Client, j.now) {
		if j.a.turn(ctx, j.a.slow) != nil {
			return cardea.StepCredential, j.stranger(), nil
		}
		defer func() { <-j.a.slow }()
	}
	reason, err := j.askAll(ctx, j.view.lastResort)
	if reason == pass {
		reason, err = j.hook(ctx)
	}
	if reason != pass && err == nil {
		j.a.refused.add(j.Client, j.now)
	}
	return cardea.StepHook, reason, err
}

// concerned reports whether one of the hooks is asked about the request.
func (j *judgement) concerned(hooks []*contract.Hook) bool {
	for _, h := range hooks {
		if j.concerns(h) {
			return true
		}
	}
	return false
}

// concerns reports whether a hook is asked about the request, in either of the spellings
// that its path may have for the API behind.
func (j *judgement) concerns(h *contract.Hook) bool {
	if h.Matches(j.req.Method, j.path) {
		return true
	}
	plain := j.plainPath()
	return plain != j.path && h.Matches(j.req.Method, plain)
}

// plainPath returns the path with its delimiters decoded: the spelling that hooks are
// shown and match, so that none is got past by another.
func (j *judgement) plainPath() string {
	if strings.IndexByte(j.path, '%') < 0 {
		return j.path
	}
	return decodeDelims(j.path)
}

// errNoHooks is the error of a server that was given nothing to ask hooks with.
var errNoHooks = errors.New("nobody is there to ask the hook")

// askAll asks the hooks that match, in the contract's order, until one does not agree.
func (j *judgement) askAll(ctx context.Context, hooks []*contract.Hook) (cardea.Reason, error) {
	for _, h := range hooks {
		if !j.concerns(h) {
			continue
		}
		if j.a.cfg.Hooks == nil {
			return cardea.ReasonHook, unanswered(errNoHooks)
		}
		q, ok := j.toHook()
		if !ok {
			return cardea.ReasonBadRequest, nil
		}
		a, err := j.a.cfg.Hooks.Ask(ctx, h, q)
		switch {
		case err != nil:
			j.hookFailed = true
			return cardea.ReasonHook, unanswered(err)
		case !a.Allow:
			if a.Status != 0 {
				j.answer = &cardea.Denial{Status: a.Status, Header: a.Header, Body: a.Body}
			}
			return cardea.ReasonHook, nil
		}
	}
	return pass, nil
}

// unanswered is the error of a hook that did not answer, for the server's log. The request
// is refused as if the hook had refused it.
func unanswered(cause error) error {
	return &cardea.Error{Kind: cardea.KindUnavailable, Public: "the request could not be checked", Cause: cause}
}

// toHook describes the request to a hook, without what authenticates its sender. It is not
// ok when the query can be read in more than one way: the API behind may read what the hook
// was not shown.
func (j *judgement) toHook() (q hook.Question, ok bool) {
	query, err := url.ParseQuery(j.query)
	if err != nil {
		return hook.Question{}, false
	}
	host, _, _ := strings.Cut(j.req.Host, ":")
	q = hook.Question{
		RequestID: j.req.ID, Method: j.req.Method, Path: j.plainPath(), Query: query, Host: host,
		Environment: j.Environment, Header: j.harmless(), Route: j.Route.Pattern,
	}
	if j.Client.IsValid() {
		q.ClientAddress = j.Client.String()
	}
	if p, ok := j.Principal(); ok {
		q.Principal = &p
	}
	return q, true
}

// harmless returns the request's headers without those that carry credentials, and without
// those that claim what only Cardea may say.
func (j *judgement) harmless() http.Header {
	h := j.req.Header.Clone()
	for i := range j.view.carriers {
		delete(h, j.view.carriers[i].header)
	}
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Dpop"} {
		delete(h, name)
	}
	for name := range h {
		if j.claims(name) {
			delete(h, name)
		}
	}
	return h
}

// claims reports whether a header says what only a gateway may say: who the caller is, and
// where the request comes from. The API behind gets Cardea's own; a hook is told in the
// question itself, and must not take the caller's word.
func (j *judgement) claims(name string) bool {
	folded := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	for _, f := range j.view.contract.Forwarding().List {
		if strings.EqualFold(f.Header, folded) {
			return true
		}
	}
	return strings.HasPrefix(folded, "x-cardea-") || strings.HasPrefix(folded, "x-forwarded-") ||
		folded == "forwarded" || folded == "x-real-ip"
}
