package proxy

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/limit"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/record"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// worldContract is the contract of these tests; the upstreams are filled in.
const worldContract = `
cardea: 1
product: Acme
hosts: {api: api.acme.test}
environments:
  live: {label: Production, upstream: "%[1]s"}
  test: {label: Sandbox, upstream: "%[1]s/sandbox"}
ids: {request: req_, member: usr_, organization: org_}
scopes:
  read: Read
  write: Write
plans:
  standard: {label: Standard, per_minute: 1000000000}
  small: {label: Small, per_minute: 3}
default_plan: standard
keys:
  api_key:
    label: API key
    format: {prefix: {live: ck_live_, test: ck_test_}}
    present: [{header: Authorization, scheme: Bearer}]
    scopes: [read, write]
    default_scopes: [read, write]
rate_limit_headers:
  limit: X-RateLimit-Limit
  remaining: X-RateLimit-Remaining
  reset: X-RateLimit-Reset
  retry_after: Retry-After
errors:
  body: {error: {code: $code, message: $message, request_id: $request_id, status: $status}}
forwarding:
  request_id: X-Request-Id
  forwarded_for: X-Forwarded-For
  real_ip: x-real-ip
  forwarded_host: X-Forwarded-Host
  forwarded_port: X-Forwarded-Port
  forwarded_proto: X-Forwarded-Proto
  organization: X-Cardea-Organization
  subject: X-Cardea-Subject
  credential: X-Cardea-Credential
  scopes: X-Cardea-Scopes
  environment: X-Cardea-Environment
routes:
  - {match: "GET /v1/me", answer: {data: {organization: $organization.id, request_id: $request_id}}}
  - {match: "GET /v1/modules/{module}/records", scopes: [read]}
  - {match: "POST /v1/modules/{module}/records", scopes: [write]}
  - {match: "/v1/any/{rest...}", scopes: [read]}
  - {match: "/v1/public/{rest...}", public: true}
  - {match: "POST /v1/small", scopes: [write], max_body: 100B}
  - {match: "GET /v1/impatient", scopes: [read], timeout: 50ms}
  - match: GET /v1/open
    scopes: [read]
    cors: {origins: ["https://app.acme.test"], headers: [Authorization], exposed_headers: [X-RateLimit-Limit], max_age: 1h}
  - {match: "PUT /v1/passed", scopes: [write], cors: {pass: true}}
`

// A world is a Cardea without listeners: contract, store, authorizer and records.
type world struct {
	cfg          Config
	store        *store.DB
	manager      *manage.Manager
	authorizer   *authz.Authorizer
	organization string

	mu  sync.Mutex
	now time.Time // zero: real time
}

// loopback is where the clients of these tests come from.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

var operator = cardea.Actor{Type: "operator", ID: "test"}

// newWorld puts a world together in a directory.
func newWorld(dir, upstream string) (*world, error) {
	c, err := contract.Load("cardea.yaml", fmt.Appendf(nil, worldContract, upstream))
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	w := &world{}
	if w.store, err = store.Open(ctx, store.Config{Dir: dir, Now: w.clock}); err != nil {
		return nil, err
	}
	get := func() *contract.Contract { return c }
	limits := limit.NewTable(0)
	w.authorizer = authz.New(authz.Config{Contract: get, Store: w.store, Limits: limits, Now: w.clock})
	sealer, err := secret.NewSealer(make([]byte, 32))
	if err != nil {
		return nil, err
	}
	w.manager = manage.New(manage.Config{Store: w.store, Contract: get, Apply: w.authorizer.Apply, Sealer: sealer, Now: w.clock})
	org, err := w.manager.CreateOrganization(ctx, operator, manage.CreateOrganization{Name: "Acme"})
	if err != nil {
		return nil, err
	}
	w.organization = org.ID
	w.cfg = Config{
		Authorizer: w.authorizer, Contract: get, Now: w.clock,
		Recorder: record.New(record.Config{Store: w.store, Limits: limits, Now: w.clock}),
	}
	return w, nil
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now.IsZero() {
		return time.Now()
	}
	return w.now
}

// key creates a key with the given scopes, and returns its secret.
func (w *world) key(environment string, scopes ...string) (string, error) {
	k, err := w.manager.CreateKey(context.Background(), operator, manage.CreateKey{
		Kind: "api_key", Environment: environment, Organization: w.organization, Name: "test", Scopes: scopes,
	})
	if err != nil {
		return "", err
	}
	return k.Secret.Reveal(), nil
}

func (w *world) close() {
	_ = w.cfg.Recorder.Close()
	_ = w.store.Close()
}

// A gate is a whole door in front of an upstream.
type gate struct {
	*world
	*httptest.Server
	handler *Handler
	secret  string // of a live key with every scope
}

// newGate starts a door. edit may change its configuration.
func newGate(t *testing.T, upstream http.Handler, edit func(*Config)) *gate {
	t.Helper()
	up := httptest.NewServer(upstream)
	t.Cleanup(up.Close)
	return newGateTo(t, up.URL, edit)
}

func newGateTo(t *testing.T, base string, edit func(*Config)) *gate {
	t.Helper()
	w, err := newWorld(t.TempDir(), base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	if edit != nil {
		edit(&w.cfg)
	}
	g := &gate{world: w, handler: New(w.cfg)}
	g.Server = httptest.NewServer(g.handler)
	t.Cleanup(func() {
		g.Server.Close()
		g.handler.Close()
	})
	if g.secret, err = w.key("live"); err != nil {
		t.Fatal(err)
	}
	return g
}

// ask sends a request with the gate's key, unless the headers, in pairs of name and
// value, say otherwise ("Authorization", "" sends none).
func (g *gate) ask(t *testing.T, method, target, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, g.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+g.secret)
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
		}
	}
	res, err := g.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return res, readAll(t, res)
}
