// Package hook asks the questions that a contract's hooks put before a request goes
// on: a service of the product answers by HTTP, or a condition decides in place.
//
// An answer can only be yes, or a refusal that the service words itself. Everything
// else (no answer, a late one, one that is not understood) is an error, and callers
// take an error for a refusal: a hook that fails closes the door.
package hook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/condition"
	"github.com/cardea-dev/cardea/internal/fetch"
)

// Errors of a question. All of them close the door.
var (
	// ErrBusy: so many questions wait for this hook that another one is not asked.
	ErrBusy = errors.New("hook: too many questions wait for an answer")
	// ErrAnswer: the service answered something else than a proper answer.
	ErrAnswer = errors.New("hook: the answer is not understood")
)

// Config is what an [Asker] needs.
type Config struct {
	Fetch *fetch.Client
	Sign  []byte           // the key requests are signed with; at least 24 bytes
	Now   func() time.Time // nil means time.Now
	// Logger is told of answers that are not understood; nil: nobody is.
	Logger *slog.Logger
	// Parallel is how many questions one hook answers at a time; 0 means 64. More wait
	// for a turn, as long as the hook's timeout allows and at most four times as many.
	Parallel int
}

// An Asker asks hooks. It is safe for concurrent use.
type Asker struct {
	config Config
	mu     sync.Mutex
	gates  map[string]*gate // by URL
}

// New returns an Asker.
func New(c Config) *Asker {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Parallel <= 0 {
		c.Parallel = 64
	}
	return &Asker{config: c, gates: map[string]*gate{}}
}

// Secret returns the key that requests are signed with in the form that receivers'
// libraries take (Standard Webhooks): "whsec_" and base64.
func (a *Asker) Secret() string { return SecretText(a.config.Sign) }

// A Question is the request a hook is asked about.
type Question struct {
	RequestID string
	Method    string
	Path      string // canonical
	Query     url.Values
	Host      string // without port

	// Environment is the contract's name of the environment, "" when it is not known.
	Environment   string
	ClientAddress string
	Route         string // the pattern of the matching route

	// Header is the request's. Whoever asks removes what carries credentials; the
	// usual ones are never sent on, whatever is in here.
	Header http.Header

	// Principal is the caller, nil when no credential was sent.
	Principal *cardea.Principal
}

// An Answer is what a hook decided.
type Answer struct {
	Allow bool

	// The refusal's response; zero when the request may go on, and for conditions,
	// whose refusals the contract words.
	Status int
	Header http.Header
	Body   []byte
}

// Ask asks one hook. It returns an error when there is no answer: the request must
// then be refused. It never waits longer than the hook's timeout.
func (a *Asker) Ask(ctx context.Context, h *contract.Hook, q Question) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	if h.Condition != nil {
		yes, err := h.Condition.Eval(ctx, q.input(a.config.Now()))
		if err != nil {
			return Answer{}, fmt.Errorf("hook: %w", err)
		}
		return Answer{Allow: yes}, nil
	}
	g := a.gate(h.URL)
	if err := g.enter(ctx); err != nil {
		return Answer{}, err
	}
	defer g.leave()
	return a.post(ctx, h, q)
}

// input is what a condition sees of the question.
func (q *Question) input(now time.Time) *condition.Input {
	in := &condition.Input{
		Method: q.Method, Path: q.Path, Host: q.Host, Query: q.Query, Header: flat(q.Header),
		Address: q.ClientAddress, Environment: q.Environment, Time: now,
	}
	if p := q.Principal; p != nil {
		in.Credential = condition.Credential{
			Subject: p.Subject, Organization: p.Organization, Kind: p.Kind, Plan: p.Plan, Scopes: p.Scopes,
		}
	}
	return in
}
