package manage

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/hook"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// A Hook is a question that the contract has asked before a request goes on.
type Hook struct {
	ID    int    `json:"id"` // its place in the contract, from 1
	Match string `json:"match"`
	When  string `json:"when"` // "no_credential" or "always"

	// URL is the service that is asked, Condition the expression that decides in place:
	// one of the two.
	URL       string `json:"url,omitzero"`
	Condition string `json:"condition,omitzero"`

	TimeoutMS int64 `json:"timeout_ms"`
	Line      int   `json:"line"` // of the contract
}

// TestHook is the input of [Manager.TestHook]: a request that nobody sent.
type TestHook struct {
	ID int `json:"id"` // [Hook.ID]

	Method string `json:"method,omitzero"` // "": GET
	Path   string `json:"path"`            // may have a query
	Host   string `json:"host,omitzero"`

	Headers     map[string]string `json:"headers,omitzero"`
	Environment string            `json:"environment,omitzero"`
	Client      string            `json:"client,omitzero"` // its address

	// Credential is the id of the credential that the request seems to have been sent
	// with; "": none.
	Credential string `json:"credential,omitzero"`
}

// HookAnswer is what a hook answered to [TestHook].
type HookAnswer struct {
	Matches bool `json:"matches"` // the hook is asked about such requests
	Allow   bool `json:"allow"`

	// Status, Headers and Body are the refusal as the service worded it; none: the
	// contract's words are used.
	Status  int               `json:"status,omitzero"`
	Headers map[string]string `json:"headers,omitzero"`
	Body    string            `json:"body,omitzero"`

	// Fault says why there was no answer, which refuses the request; "": there was one.
	Fault     string `json:"fault,omitzero"`
	LatencyUS int64  `json:"latency_us"`
}

// HookSecret is the key that hooks' receivers check signatures with.
type HookSecret struct {
	Secret secret.Secret `json:"secret"`
}

// Hooks lists the contract's hooks in its order. Operators only.
func (m *Manager) Hooks(_ context.Context, actor cardea.Actor, _ None) (List[Hook], error) {
	if err := access.OperatorReads(actor); err != nil {
		return List[Hook]{}, err
	}
	out := List[Hook]{Items: []Hook{}}
	for i, h := range m.contract().Hooks() {
		view := Hook{
			ID: i + 1, Match: h.Match, When: "always", URL: h.URL, Condition: h.CEL,
			TimeoutMS: h.Timeout.Milliseconds(), Line: h.Line,
		}
		if h.OnlyUncredential {
			view.When = "no_credential"
		}
		out.Items = append(out.Items, view)
	}
	return out, nil
}

// TestHook asks a hook about a request that nobody sent, and tells what it answered. The
// service cannot tell it from a real one. Operators only.
func (m *Manager) TestHook(ctx context.Context, actor cardea.Actor, in TestHook) (HookAnswer, error) {
	if err := access.Operator(actor); err != nil {
		return HookAnswer{}, err
	}
	c := m.contract()
	if m.hooks == nil || in.ID < 1 || in.ID > len(c.Hooks()) {
		return HookAnswer{}, access.NotFound("hook")
	}
	question, err := m.question(ctx, c, actor, in)
	if err != nil {
		return HookAnswer{}, err
	}
	h := c.Hooks()[in.ID-1]
	begin := time.Now() // a duration, not a date: the clock may be one that tests move
	answer, err := m.hooks.Ask(ctx, h, question)
	out := HookAnswer{
		Matches: h.Matches(question.Method, question.Path) && (!h.OnlyUncredential || question.Principal == nil),
		Allow:   err == nil && answer.Allow, Status: answer.Status, Body: strings.ToValidUTF8(string(answer.Body), "\ufffd"),
		LatencyUS: time.Since(begin).Microseconds(),
	}
	if err != nil {
		out.Fault = err.Error()
	}
	for name := range answer.Header {
		if out.Headers == nil {
			out.Headers = map[string]string{}
		}
		out.Headers[name] = strings.ToValidUTF8(answer.Header.Get(name), "\ufffd")
	}
	return out, nil
}

// question returns the question about the request that an input describes.
func (m *Manager) question(ctx context.Context, c *contract.Contract, actor cardea.Actor, in TestHook) (hook.Question, error) {
	var p rules.Problems
	u, err := url.ParseRequestURI(in.Path)
	if err != nil || !strings.HasPrefix(in.Path, "/") || len(in.Path) > rules.MaxURL {
		p.Add(cardea.Invalid("path", "must be a path, perhaps with a query, of at most %d bytes", rules.MaxURL))
	}
	p.Add(rules.Filter("method", in.Method))
	p.Add(rules.Line("host", in.Host, rules.MaxEmail))
	p.Add(rules.Filter("credential", in.Credential))
	if in.Environment != "" && c.Environment(in.Environment) == nil {
		p.Add(cardea.Invalid("environment", "must be an environment of the contract"))
	}
	if in.Client != "" {
		_, invalid := rules.Address("client", in.Client)
		p.Add(invalid)
	}
	if len(in.Headers) > rules.MaxURIs {
		p.Add(cardea.Invalid("headers", "must have at most %d members", rules.MaxURIs))
	}
	header := http.Header{}
	for name, value := range in.Headers {
		p.Add(rules.Line("headers", name+value, rules.MaxURL))
		header.Set(name, value)
	}
	if err := p.Err(); err != nil {
		return hook.Question{}, err
	}
	q := hook.Question{
		RequestID: c.NewRequestID(), Method: in.Method, Path: u.Path, Query: u.Query(), Host: in.Host,
		Environment: in.Environment, ClientAddress: in.Client, Header: header,
	}
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	if in.Credential == "" {
		return q, nil
	}
	q.Principal, err = m.principal(ctx, c, actor, in.Credential)
	return q, err
}

// principal returns the caller that a credential stands for.
func (m *Manager) principal(ctx context.Context, c *contract.Contract, actor cardea.Actor, id string) (*cardea.Principal, error) {
	row, err := m.findAny(ctx, m.store.Reader, actor, id, access.Read)
	if err != nil {
		return nil, atField(err, "credential")
	}
	o, err := m.store.Organization(ctx, row.credential.Organization)
	if err != nil {
		return nil, err
	}
	cr := &row.credential
	granted, _ := c.ScopeSet(cr.Scopes...)
	p := &cardea.Principal{
		Organization: cr.Organization, Subject: cr.Member, Credential: cr.ID, Kind: cr.Kind, Environment: cr.Environment,
		Scopes: c.ScopeNames(c.Expand(granted)), Plan: o.Plan,
	}
	if p.Subject == "" {
		p.Subject = cr.ID
	}
	return p, nil
}

// RevealHookSecret shows the key that receivers of hooks check signatures with (Standard
// Webhooks). It leaves an audit event; if that cannot be written the key is not shown.
// Operators only.
func (m *Manager) RevealHookSecret(ctx context.Context, actor cardea.Actor, _ None) (HookSecret, error) {
	if err := access.Operator(actor); err != nil {
		return HookSecret{}, err
	}
	if m.hooks == nil {
		return HookSecret{}, access.NotFound("hook secret")
	}
	err := m.change(ctx, actor, func(tx *store.Tx) error {
		access.Record(tx, "hook_secret.reveal", "server", "hook_secret", "", nil)
		return nil
	})
	if err != nil {
		return HookSecret{}, err
	}
	return HookSecret{Secret: known("whsec_", m.hooks.Secret())}, nil
}
