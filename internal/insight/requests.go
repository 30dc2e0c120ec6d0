package insight

import (
	"context"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// Requests lists the request log, newest first. A member sees the requests of their
// organization.
func (i *Insight) Requests(ctx context.Context, actor cardea.Actor, in RequestFilter) (access.List[Request], error) {
	var p rules.Problems
	p.Add(rules.Filter("key", in.Key))
	if _, ok := cardea.ParseReason(in.Reason); !ok && in.Reason != "" {
		p.Add(cardea.Invalid("reason", "is no reason of a decision"))
	}
	if in.Outcome != "" && in.Outcome != "denied" && in.Outcome != "allowed" {
		p.Add(cardea.Invalid("outcome", "must be allowed or denied"))
	}
	if in.Outcome == "allowed" && in.Reason != "" {
		p.Add(cardea.Invalid("outcome", "contradicts reason"))
	}
	if err := p.Err(); err != nil {
		return access.List[Request]{}, err
	}
	organization, err := i.access.Scope(ctx, actor, in.Organization)
	if err != nil {
		return access.List[Request]{}, err
	}
	filter := store.RequestFilter{
		Organization: organization, Credential: in.Key, Reason: in.Reason, Denied: in.Outcome == "denied",
	}
	if in.Outcome == "allowed" {
		filter.Reason = cardea.ReasonAllowed.String()
	}
	scope := []string{"requests", organization, in.Key, in.Reason, in.Outcome}
	return access.Paged(in.Page, scope, func(p store.Page) ([]store.RequestRow, string, error) {
		return i.store.Requests(ctx, filter, p)
	}, viewRequest)
}

func viewRequest(r store.RequestRow) Request {
	v := Request{
		ID: r.RequestID, At: r.At, Key: r.Credential, Organization: r.Organization, Environment: r.Environment,
		Method: r.Method, Host: r.Host, Path: r.Path, Route: r.Route, Status: r.Status,
		Reason: r.Reason.String(), Step: r.Step.String(), LatencyUS: r.Latency.Microseconds(),
		BytesOut: r.BytesOut, OldSecret: r.OldSecret,
	}
	if r.Client.IsValid() {
		v.Client = r.Client.String()
	}
	return v
}

// Explain says why a request was answered as it was: what happened, which line of the
// contract decided, who the caller is, and what would let the request through.
func (i *Insight) Explain(ctx context.Context, actor cardea.Actor, in access.ID) (Explanation, error) {
	if !rules.ValidID(in.ID) {
		return Explanation{}, access.NotFound("request in the log")
	}
	r, err := i.store.Request(ctx, in.ID)
	if err != nil {
		return Explanation{}, err
	}
	// A request without a known caller belongs to nobody's organization.
	need := access.Read
	if r.Organization == "" {
		need = access.ReadNobody
	}
	if err := i.access.Allow(ctx, i.store.Reader, actor, r.Organization, "request in the log", need); err != nil {
		return Explanation{}, err
	}
	s := situation{contract: i.contract(), request: r, now: i.now()}
	if err := i.fillSituation(ctx, actor, &s); err != nil {
		return Explanation{}, err
	}
	return s.explain(), nil
}

// fillSituation adds who the caller is today.
func (i *Insight) fillSituation(ctx context.Context, actor cardea.Actor, s *situation) error {
	r := &s.request
	if r.Organization != "" {
		o, err := i.manager.Organization(ctx, actor, access.ID{ID: r.Organization})
		switch {
		case err == nil:
			s.organization = &o
		case cardea.KindOf(err) != cardea.KindNotFound:
			return err
		}
	}
	if r.Credential == "" {
		return nil
	}
	key, err := i.manager.Credential(ctx, actor, access.ID{ID: r.Credential})
	if err != nil {
		if cardea.KindOf(err) == cardea.KindNotFound {
			return nil
		}
		return err
	}
	s.key = &key
	list, err := i.store.AddressList(ctx, r.Organization, r.Environment)
	if err != nil && cardea.KindOf(err) != cardea.KindNotFound {
		return err
	}
	s.listed = err == nil && len(list.Prefixes) > 0
	return nil
}
