package authz

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Guarantee: the pipeline gives every reason it has, each with a complete answer and
// an explanation. The other reasons are the proxy's.
func TestEveryReason(t *testing.T) {
	w := newWorld(t, nil, func(c *Config) { c.RefusedPerMinute = 2 })
	requests := everyReason(w)
	// The zero Reason closes the database: it comes last.
	for _, reason := range append(cardea.Reasons()[1:], cardea.ReasonUnavailable) {
		switch reason {
		case cardea.ReasonTooLarge, cardea.ReasonUpstream, cardea.ReasonUpstreamTimeout:
			continue
		}
		t.Run(reason.String(), func(t *testing.T) {
			r := requests[reason]
			if r == nil {
				t.Fatal("no request leads to this reason")
			}
			if reason == cardea.ReasonUnavailable {
				_ = w.db.Close()
			}
			d, _ := w.Authorize(t.Context(), r)
			if d.Reason != reason || d.Contract == nil || d.Client != client {
				t.Fatalf("%v at %v", d.Reason, d.Step)
			}
			if d.Allowed {
				return
			}
			if d.Denial.Status < 400 || len(d.Denial.Body) == 0 || d.Denial.Header.Get("Content-Type") != "application/json" {
				t.Errorf("half an answer: %+v", d.Denial)
			}
			if x := d.Explain(); x.Detail == "" {
				t.Errorf("half an explanation: %+v", x)
			}
			if d.Upstream() != "" {
				t.Error("a refused request has no upstream")
			}
		})
	}
}

// everyReason returns a request for each reason.
func everyReason(w *world) map[cardea.Reason]*cardea.Request {
	o := w.organization("standard")
	gone := store.Organization{ID: secret.NewID("org_"), Plan: "standard", SuspendedAt: start}
	w.change(func(tx *store.Tx) error { return tx.InsertOrganization(w.t.Context(), gone) })
	get := func(kind string, adjust ...func(*store.Credential)) *cardea.Request {
		return bearer("GET", "/v1/records", w.key(o, kind, "live", adjust...))
	}
	space := w.key(o, "space", "live").Reveal()
	minute, daily := w.key(o, "api_key", "live", own(1, 0)), w.key(o, "api_key", "live", own(0, 1))
	for _, k := range []key{minute, daily} {
		w.allow(bearer("GET", "/v1/records", k))
	}
	rotated := w.key(o, "api_key", "live")
	w.change(func(tx *store.Tx) error { return tx.EndSecrets(w.t.Context(), rotated.ID, start) })
	hooked := strings.Replace(acme, "errors:\n", "hooks: [{match: \"GET /v1/live\", cel: \"true\"}]\nerrors:\n", 1)
	w.contract.Store(load(w.t, hooked))
	return map[cardea.Reason]*cardea.Request{
		cardea.ReasonAllowed:             get("api_key"),
		cardea.ReasonBadRequest:          request("GET", "/v1/../x"),
		cardea.ReasonNoRoute:             request("GET", "/nothing"),
		cardea.ReasonMethodNotAllowed:    request("PATCH", "/v1/records"),
		cardea.ReasonMissingCredential:   request("GET", "/v1/records"),
		cardea.ReasonMalformedCredential: request("GET", "/v1/records", "Authorization", "Bearer"),
		cardea.ReasonSeveralCredentials:  request("GET", "/v1/records", "X-Apikey", space, "X-Api-Key", space),
		cardea.ReasonInvalidCredential:   request("GET", "/v1/records", "X-Apikey", "nobody"),
		cardea.ReasonRevoked:             get("api_key", func(c *store.Credential) { c.RevokedAt = start }),
		cardea.ReasonDisabled:            get("api_key", func(c *store.Credential) { c.DisabledAt = start }),
		cardea.ReasonExpired:             get("api_key", func(c *store.Credential) { c.ExpiresAt = start }),
		cardea.ReasonIdle:                get("personal", func(c *store.Credential) { c.CreatedAt = start.AddDate(0, -2, 0) }, w.long()),
		cardea.ReasonSuperseded:          bearer("GET", "/v1/records", rotated),
		cardea.ReasonExchangeOnly:        get("exchange"),
		cardea.ReasonSuspended:           bearer("GET", "/v1/records", w.key(gone, "api_key", "live")),
		cardea.ReasonWrongEnvironment:    bearer("GET", "/v1/live", w.key(o, "api_key", "test")),
		cardea.ReasonBrowser:             request("GET", "/v1/records", "X-Apikey", space, "Origin", "https://x.test"),
		cardea.ReasonAddress:             get("api_key", func(c *store.Credential) { c.Addresses = []netip.Prefix{} }),
		cardea.ReasonScope:               get("api_key", func(c *store.Credential) { c.Scopes = nil }),
		cardea.ReasonHook:                bearer("GET", "/v1/live", w.key(o, "api_key", "live")),
		cardea.ReasonRateLimited:         bearer("GET", "/v1/records", minute),
		cardea.ReasonQuota:               bearer("GET", "/v1/records", daily),
		cardea.ReasonUnavailable:         get("api_key"),
	}
}

func own(perMinute, perDay int64) func(*store.Credential) {
	return func(c *store.Credential) { c.Limits = &store.Limits{PerMinute: perMinute, PerDay: perDay} }
}

// long makes a key's secret as old as the key: see [lastUse].
func (w *world) long() func(*store.Credential) {
	return func(c *store.Credential) { w.secretAt = c.CreatedAt }
}

// Guarantee: a route that Cardea answers says who the caller is.
func TestAnswer(t *testing.T) {
	w := newWorld(t, nil)
	o := w.organization("standard")
	member := func(email string, role cardea.Role) store.Member {
		m := store.Member{ID: secret.NewID("usr_"), Organization: o.ID, Email: email, Name: "\"" + email, Role: role}
		w.change(func(tx *store.Tx) error { return tx.InsertMember(t.Context(), m) })
		return m
	}
	owner, developer := member("owner@acme.test", cardea.RoleOwner), member("dev@acme.test", cardea.RoleDeveloper)
	for name, tt := range map[string]struct {
		key  key
		want store.Member
	}{
		"its member":           {w.key(o, "personal", "live", func(c *store.Credential) { c.Member = developer.ID }), developer},
		"the member who made":  {w.key(o, "api_key", "live", func(c *store.Credential) { c.CreatedBy = "member:" + developer.ID }), developer},
		"the owner, else":      {w.key(o, "api_key", "live", func(c *store.Credential) { c.CreatedBy = "operator:mt_1" }), owner},
		"not another's member": {w.key(o, "api_key", "live", func(c *store.Credential) { c.CreatedBy = "member:usr_other" }), owner},
	} {
		d := w.allow(bearer("GET", "/v1/users/me", tt.key))
		body, err := w.Answer(t.Context(), &d)
		want := `{"data":{"id":"` + tt.want.ID + `","email":"` + tt.want.Email + `","name":"\"` + tt.want.Email + `","key":"key","org":"Acme"}}`
		if diff := cmp.Diff(want, string(body)); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	d := w.ask(request("GET", "/v1/users/me"))
	if _, err := w.Answer(t.Context(), &d); err == nil {
		t.Error("a refused request was answered")
	}
}

// Guarantee: no request, however made, panics, is half decided, or passes a route that
// needs a credential without exactly the credential that exists.
func FuzzAuthorize(f *testing.F) {
	w := newWorld(f, nil, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	o := w.organization("custom")
	o.Limits = &store.Limits{}
	w.change(func(tx *store.Tx) error { return tx.UpdateOrganization(f.Context(), o) })
	live, space := w.key(o, "api_key", "live").Reveal(), w.key(o, "space", "test").Reveal()
	f.Add("GET", "/v1/records", "api.acme.test", "Bearer KEY", "", "203.0.113.9", "")
	f.Add("HEAD", "/test/data?x=%20", "eu.acme.test:80", "", "UUID", "10.0.0.1", "::1, 10.1.1.1")
	f.Add("OPTIONS", "/v1/files/a%2fb", "", "bearer  KEY", "KEY", "", "x")
	f.Add("POST", "/v1/records/%40bulk", "", "Bearer KEY,Bearer KEY", "\x00", "10.0.0.1", "")
	f.Fuzz(func(t *testing.T, method, target, host, authorization, apikey, peer, forwarded string) {
		fill := strings.NewReplacer("KEY", live, "UUID", space)
		authorization, apikey = fill.Replace(authorization), fill.Replace(apikey)
		r := request(method, target)
		r.Host = host
		r.Peer, _ = netip.ParseAddr(peer)
		for name, value := range map[string]string{"Authorization": authorization, "X-Apikey": apikey, "X-Forwarded-For": forwarded} {
			if value != "" {
				r.Header[name] = []string{value}
			}
		}
		d, err := w.Authorize(t.Context(), r)
		if err != nil || d.Allowed == (d.Denial != nil) || d.Allowed != (d.Reason == cardea.ReasonAllowed) {
			t.Fatalf("half a decision: %v, %v", d.Reason, err)
		}
		if !d.Allowed {
			if d.Denial.Status < 400 || len(d.Denial.Body) == 0 {
				t.Fatalf("half a denial: %v", d.Denial)
			}
			d.Explain()
			return
		}
		if d.Route.Public || d.Preflight {
			return
		}
		scheme, token, _ := strings.Cut(authorization, " ")
		byKey := strings.EqualFold(scheme, "Bearer") && strings.TrimLeft(token, " ") == live && apikey == ""
		if byUUID := authorization == "" && apikey == space; !byKey && !byUUID {
			t.Fatal("allowed without a credential")
		}
	})
}
