package manage

import (
	"context"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// Requests lists the request log, newest first. A member sees the requests of their
// organization.
func (m *Manager) Requests(ctx context.Context, actor cardea.Actor, in RequestFilter) (List[Request], error) {
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
		return List[Request]{}, err
	}
	organization, err := m.access.Scope(ctx, actor, in.Organization)
	if err != nil {
		return List[Request]{}, err
	}
	filter := store.RequestFilter{
		Organization: organization, Credential: in.Key, Reason: in.Reason, Denied: in.Outcome == "denied",
	}
	if in.Outcome == "allowed" {
		filter.Reason = cardea.ReasonAllowed.String()
	}
	scope := []string{"requests", organization, in.Key, in.Reason, in.Outcome}
	return access.Paged(in.Page, scope, func(p store.Page) ([]store.RequestRow, string, error) {
		return m.store.Requests(ctx, filter, p)
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
func (m *Manager) Explain(ctx context.Context, actor cardea.Actor, in ID) (Explanation, error) {
	if !rules.ValidID(in.ID) {
		return Explanation{}, access.NotFound("request in the log")
	}
	r, err := m.store.Request(ctx, in.ID)
	if err != nil {
		return Explanation{}, err
	}
	// A request without a known caller belongs to nobody's organization.
	need := access.Read
	if r.Organization == "" {
		need = access.ReadNobody
	}
	if err := m.access.Allow(ctx, m.store.Reader, actor, r.Organization, "request in the log", need); err != nil {
		return Explanation{}, err
	}
	s := situation{contract: m.contract(), request: r, now: m.now()}
	if err := m.fillSituation(ctx, &s); err != nil {
		return Explanation{}, err
	}
	return s.explain(), nil
}

// fillSituation adds who the caller is today.
func (m *Manager) fillSituation(ctx context.Context, s *situation) error {
	if s.request.Organization != "" {
		o, err := m.store.Organization(ctx, s.request.Organization)
		switch {
		case err == nil:
			view := viewOrganization(o)
			s.organization = &view
		case cardea.KindOf(err) != cardea.KindNotFound:
			return err
		}
	}
	if s.request.Credential == "" {
		return nil
	}
	c, err := m.store.Credential(ctx, s.request.Credential)
	if err != nil {
		if cardea.KindOf(err) == cardea.KindNotFound {
			return nil
		}
		return err
	}
	row, err := m.readKey(ctx, m.store.Reader, c)
	if err != nil {
		return err
	}
	view := row.view(s.contract, s.now)
	s.key = &view
	return m.fillList(ctx, s)
}

// fillList adds the address list of the caller's environment.
func (m *Manager) fillList(ctx context.Context, s *situation) error {
	id := AddressListID{Organization: s.request.Organization, Environment: s.request.Environment}
	prefixes, err := readList(ctx, m.store.Reader, id)
	s.listed = len(prefixes) > 0
	return err
}
