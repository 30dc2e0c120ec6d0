package insight

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// Requests lists the request log, newest first. A member sees the requests of their
// organization. A page may hold fewer requests than asked, or none, and still have a next
// one: so many rows are looked at for a page.
func (i *Insight) Requests(ctx context.Context, actor cardea.Actor, in RequestFilter) (access.List[Request], error) {
	filter, err := i.requestFilter(ctx, actor, in)
	if err != nil {
		return access.List[Request]{}, err
	}
	scope := []string{
		"requests", filter.Organization, in.Environment, in.Key, in.Reason, in.Outcome, in.Method, in.Status, in.Route,
		filter.Client, in.Search, instant(in.From), instant(in.To),
	}
	return access.Paged(in.Page, scope, func(p store.Page) ([]store.RequestRow, string, error) {
		return i.store.Requests(ctx, filter, p)
	}, viewRequest)
}

// maxSearch bounds texts of a filter that are looked for in the log, in bytes. The log
// keeps no more of a path.
const maxSearch = 200

// unmatched stands in filters for the route of requests that matched none.
const unmatched = "-"

// requestFilter checks a filter and narrows it to what the actor may see.
func (i *Insight) requestFilter(ctx context.Context, actor cardea.Actor, in RequestFilter) (store.RequestFilter, error) {
	var p rules.Problems
	p.Add(rules.Filter("key", in.Key))
	p.Add(rules.Filter("environment", in.Environment))
	p.Add(rules.Filter("method", in.Method))
	if _, ok := cardea.ParseReason(in.Reason); !ok && in.Reason != "" {
		p.Add(cardea.Invalid("reason", "is no reason of a decision"))
	}
	p.Add(loggedText("route", in.Route))
	period(&p, in.From, in.To)
	out := store.RequestFilter{
		Credential: in.Key, Environment: in.Environment, Reason: in.Reason, Method: in.Method, Status: statusOf(&p, in.Status),
		Client: addressOf(&p, in.Address), Since: in.From, Until: in.To, Route: in.Route,
	}
	if in.Route == unmatched {
		out.Route, out.Unmatched = "", true
	}
	search(&p, in.Search, &out)
	outcome(&p, in, &out)
	if err := p.Err(); err != nil {
		return store.RequestFilter{}, err
	}
	var err error
	out.Organization, err = i.access.Scope(ctx, actor, in.Organization)
	return out, err
}

// loggedText reports a text that the log cannot hold.
func loggedText(field, text string) *cardea.Error {
	if len(text) > maxSearch || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return cardea.Invalid(field, "must be a text of at most %d bytes", maxSearch)
	}
	return nil
}

// search adds what is looked for: the beginning of a path, or a request by its id.
func search(p *rules.Problems, text string, out *store.RequestFilter) {
	switch {
	case text == "":
	case text[0] == '/':
		p.Add(loggedText("search", text))
		out.PathPrefix = text
	case rules.ValidID(text):
		out.RequestID = text
	default:
		p.Add(cardea.Invalid("search", "must be the id of a request, or the beginning of a path with its slash"))
	}
}

// outcome adds how the request ended.
func outcome(p *rules.Problems, in RequestFilter, out *store.RequestFilter) {
	switch in.Outcome {
	case "":
	case "allowed":
		if in.Reason != "" {
			p.Add(cardea.Invalid("outcome", "contradicts reason"))
		}
		out.Reason = cardea.ReasonAllowed.String()
	case "denied":
		out.Denied = true
	case "error":
		out.Errors = true
	case "old_secret":
		out.OldSecret = true
	default:
		p.Add(cardea.Invalid("outcome", "must be allowed, denied, error or old_secret"))
	}
}

// statusOf reads a status, "403", or a class, "4xx", as the store has them.
func statusOf(p *rules.Problems, text string) int {
	if text == "" {
		return 0
	}
	digits, class := strings.CutSuffix(text, "xx")
	n, err := strconv.Atoi(digits)
	if err != nil || len(text) != 3 || digits[0] < '1' || digits[0] > '5' || class && n > 5 {
		p.Add(cardea.Invalid("status", "must be a status such as 403, or a class such as 4xx"))
		return 0
	}
	return n
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
	e := s.explain()
	if e.Contract != nil && access.OperatorReads(actor) == nil {
		e.Contract.Text = lineOf(i.text(), e.Contract.Line)
	}
	return e, nil
}

// maxLine bounds the text of a line of the contract, in bytes.
const maxLine = 500

// lineOf returns a line of a text, counted from 1, without the space around it; "" when
// there is none.
func lineOf(text []byte, number int) string {
	n := 0
	for line := range bytes.Lines(text) {
		if n++; n == number {
			line = bytes.TrimSpace(line)
			return strings.ToValidUTF8(string(line[:min(len(line), maxLine)]), "�")
		}
	}
	return ""
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

// LastUsedEvery is how exact "last used" is as a rule: a use is noted once in this time.
// See [Insight.LastUsedAccuracy].
const LastUsedEvery = time.Minute

// LastUsedAccuracy returns how exact the last uses of credentials are right now: a
// minute, or longer while very many credentials are in use, up to an hour.
func (i *Insight) LastUsedAccuracy() time.Duration {
	if i.authz == nil {
		return LastUsedEvery
	}
	return i.authz.UseAccuracy()
}
