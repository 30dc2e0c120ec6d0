package authz

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/hook"
	"github.com/cardea-dev/cardea/internal/store"
)

// hooked returns the contract of the tests with these hooks.
func hooked(t testing.TB, hooks ...string) *contract.Contract {
	return load(t, strings.Replace(acme, "errors:\n", "hooks: ["+strings.Join(hooks, ", ")+"]\nerrors:\n", 1))
}

// withHooks gives a world somebody to ask hooks.
func withHooks(c *Config) {
	c.Hooks = hook.New(hook.Config{Fetch: fetch.New(fetch.Config{AllowPrivate: true}), Sign: make([]byte, 32)})
}

// Guarantee: a hook that is always asked closes what it refuses, to known callers and on
// public routes; one for requests without a credential closes nothing to the others.
func TestHooksNarrow(t *testing.T) {
	w := newWorld(t, nil, withHooks)
	k := w.key(w.organization("standard"), "api_key", "live")
	w.contract.Store(hooked(t, `{match: "/v1/{rest...}", when: always, cel: "request.method == 'POST'"}`))
	d := w.expect(bearer("GET", "/v1/records", k), cardea.StepHook, cardea.ReasonHook)
	if d.Denial.Status != 403 || d.Explain().Detail == "" || !d.Identified() {
		t.Errorf("%+v, %+v", d.Denial, d.Explain())
	}
	w.expect(request("GET", "/v1/public"), cardea.StepRoute, cardea.ReasonHook)
	w.allow(bearer("GET", "/live/data", k))
	w.expect(bearer("POST", "/v1/records", k), cardea.StepScope, cardea.ReasonScope)
	w.contract.Store(hooked(t, `{match: "GET /v1/records", when: no_credential, cel: "false"}`))
	w.allow(bearer("GET", "/v1/records", k))
}

// Guarantee: without somebody to ask, and when a hook fails, the door is closed, and the
// log is told why.
func TestHooksFailClosed(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	for name, tt := range map[string]struct {
		adjust func(*Config)
		hook   string
	}{
		"nobody to ask": {func(*Config) {}, `{match: "/v1/{rest...}", when: always, cel: "true"}`},
		"no answer":     {withHooks, `{match: "/v1/{rest...}", when: always, url: "` + gone.URL + `"}`},
		"last resort":   {withHooks, `{match: "/v1/{rest...}", when: no_credential, url: "` + gone.URL + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil, tt.adjust)
			w.contract.Store(hooked(t, tt.hook))
			r := request("GET", "/v1/records")
			if name != "last resort" {
				r = bearer("GET", "/v1/records", w.key(w.organization("standard"), "api_key", "live"))
			}
			d, err := w.Authorize(t.Context(), r)
			if cardea.KindOf(err) != cardea.KindUnavailable || d.Allowed || d.Reason != cardea.ReasonHook || d.Denial == nil {
				t.Errorf("%v, %v", d.Reason, err)
			}
		})
	}
}

// Guarantee: where the contract says so, a hook decides about requests without any
// credential: who it lets pass is nobody in particular, and its refusal goes over the wire
// as it is. A request with a credential, however bad, never gets that far.
func TestHookAsLastResort(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		if strings.Contains(string(body), `"x-guest":"1"`) {
			_, _ = w.Write([]byte(`{"allow": true}`))
			return
		}
		if strings.Contains(string(body), `"x-guest":"2"`) {
			_, _ = w.Write([]byte(`{"allow": false, "status": 401}`))
			return
		}
		_, _ = w.Write([]byte(`{"allow": false, "status": 418, "headers": {"content-type": "text/plain"}, "body": "No soup!"}`))
	}))
	defer server.Close()
	w := newWorld(t, nil, withHooks)
	k := w.key(w.organization("standard"), "api_key", "live")
	w.contract.Store(hooked(t, `{match: "/{environment}/data", when: no_credential, url: "`+server.URL+`"}`))
	d := w.expect(request("GET", "/test/data", "X-Guest", "1"), cardea.StepHook, cardea.ReasonAllowed)
	if d.Identified() || d.Limit != (cardea.Limit{}) || d.Upstream() != "http://127.0.0.1:9001" || d.Environment != "test" {
		t.Errorf("%+v at %q", d.Decision, d.Upstream())
	}
	d = w.expect(request("GET", "/live/data"), cardea.StepHook, cardea.ReasonHook)
	if d.Denial.Status != 418 || string(d.Denial.Body) != "No soup!" || d.Denial.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("%+v", d.Denial)
	}
	if d := w.ask(request("GET", "/live/data", "X-Guest", "2")); d.Denial.Status != 401 || d.Denial.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("a 401 without a challenge: %+v", d.Denial)
	}
	n := asked.Load()
	w.expect(request("GET", "/live/data", "Authorization", "Bearer x", "X-Guest", "1"), cardea.StepShape, cardea.ReasonInvalidCredential)
	w.expect(request("GET", "/live/data", "X-Apikey", "x", "X-Api-Key", "x", "X-Guest", "1"), cardea.StepCredential, cardea.ReasonSeveralCredentials)
	w.expect(request("GET", "/live/data", "Authorization", "Basic eDp5", "X-Guest", "1"), cardea.StepCredential, cardea.ReasonInvalidCredential)
	w.expect(request("GET", "/v1/records", "X-Guest", "1"), cardea.StepCredential, cardea.ReasonMissingCredential)
	w.allow(bearer("GET", "/live/data", k))
	if asked.Load() != n {
		t.Error("the hook was asked about a request that has a credential, or that it does not match")
	}
}

// Guarantee: a hook never sees what authenticates its sender.
func TestHooksSeeNoCredential(t *testing.T) {
	w := newWorld(t, nil, withHooks)
	o := w.organization("standard")
	seen := `request.headers.exists(h, h == 'authorization' || h == 'x-apikey' || h == 'x-admintoken' || h == 'dpop')`
	w.contract.Store(hooked(t, `{match: "/v1/{rest...}", when: always, cel: "!(`+seen+`)"}`))
	w.allow(bearer("GET", "/v1/records", w.key(o, "api_key", "live")))
	space := w.key(o, "space", "live", func(c *store.Credential) { c.Scopes = []string{"read"} })
	w.allow(request("GET", "/v1/records", "X-Apikey", space.Reveal()))
	w.allow(request("GET", "/v1/records", "X-Admintoken", w.key(o, "admin_token", "live").Reveal()))
}

// Guarantee: who has no request left is refused before a hook is asked, so that one caller
// cannot keep a hook from answering about all others.
func TestWhoHasNoRequestLeftCostsNoQuestion(t *testing.T) {
	var asked atomic.Int32
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"allow":true}`))
	}))
	defer service.Close()
	w := newWorld(t, nil, withHooks)
	k := w.key(w.organization("small"), "api_key", "live")
	w.contract.Store(hooked(t, `{match: "/v1/{rest...}", when: always, url: "`+service.URL+`"}`))
	for range 60 {
		w.allow(bearer("GET", "/v1/records", k))
	}
	d := w.expect(bearer("GET", "/v1/records", k), cardea.StepLimit, cardea.ReasonRateLimited)
	if d.Limit.Limit != 60 || d.Limit.Remaining != 0 || d.Limit.RetryAfter == 0 {
		t.Errorf("limit %+v", d.Limit)
	}
	if n := asked.Load(); n != 60 {
		t.Errorf("asked %d times", n)
	}
}

// Guarantee: no spelling of a request gets past a hook that is asked about it: not HEAD for
// GET, not an escape for a delimiter, which the API behind may decode, and not a query that
// parsers take apart in different ways.
func TestNoSpellingGetsPastAHook(t *testing.T) {
	w := newWorld(t, nil, withHooks)
	k := w.key(w.organization("standard"), "api_key", "live")
	for _, match := range []string{"GET /v1/records/@all", "GET /v1/records/{id}"} {
		w.contract.Store(hooked(t, `{match: "`+match+`", when: always, cel: "request.path != '/v1/records/@all'"}`))
		w.allow(bearer("GET", "/v1/records/1", k))
		w.expect(bearer("GET", "/v1/records/@all", k), cardea.StepHook, cardea.ReasonHook)
		w.expect(bearer("HEAD", "/v1/records/@all", k), cardea.StepHook, cardea.ReasonHook)
		w.expect(bearer("GET", "/v1/records/%40all", k), cardea.StepHook, cardea.ReasonHook)
	}
	w.contract.Store(hooked(t, `{match: "GET /v1/records", when: always, cel: "!('all' in request.query)"}`))
	w.allow(bearer("GET", "/v1/records?page=1", k))
	w.expect(bearer("GET", "/v1/records?page=1&all=1", k), cardea.StepHook, cardea.ReasonHook)
	w.expect(bearer("GET", "/v1/records?page=1;all=1", k), cardea.StepHook, cardea.ReasonBadRequest)
}

// Guarantee: a hook is not told by the caller who the caller is, or from where: a header
// that the API behind would take for Cardea's word is not shown.
func TestCallersDoNotIntroduceThemselvesToHooks(t *testing.T) {
	w := newWorld(t, nil, withHooks)
	k := w.key(w.organization("standard"), "api_key", "live")
	for _, name := range []string{"X-Cardea-Subject", "X_Cardea_Subject", "X-Forwarded-For", "Forwarded", "X-Real-Ip"} {
		shown := strings.ToLower(name)
		w.contract.Store(hooked(t, `{match: "/v1/{rest...}", when: always, cel: "!('`+shown+`' in request.headers) && 'x-other' in request.headers"}`))
		r := bearer("GET", "/v1/records", k)
		r.Header[name], r.Header["X-Other"] = []string{"127.0.0.9"}, []string{"1"}
		w.allow(r)
	}
}
