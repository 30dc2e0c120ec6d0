package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/admin"
)

// mutants are the values put in the place of a good one.
var mutants = []any{
	nil, true, 0, -1, 1.5, 1e30, "", "x", " ", "a\u202eb", strings.Repeat("y", 300), []any{}, []any{"x"}, []any{1}, map[string]any{}, map[string]any{"x": 1},
	map[string]any{"per_minute": -1, "burst": 0, "per_day": 0}, map[string]any{"per_minute": 1}, "2026-13-01T00:00:00Z", "2000-01-01T00:00:00Z",
}

// The server accepts nothing that the document refuses: whatever one does to a member of
// a good request. The transport holds every exchange to that.
func TestServerIsAsStrictAsTheDocument(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	o := must(w.client.CreateOrganization(ctx, admin.CreateOrganization{Name: "Acme"}))(t)
	m := must(w.client.CreateMember(ctx, admin.CreateMember{Organization: o.ID, Email: "a@example.com", Name: "A", Role: cardea.RoleOwner}))(t)
	k := must(w.client.CreateKey(ctx, admin.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "k"}))(t)
	client := must(w.client.CreateClient(ctx, admin.CreateClient{Environment: "live", Organization: o.ID, Name: "App", Grants: []string{"client_credentials"}}))(t)
	account := must(w.client.CreateServiceAccount(ctx, admin.CreateServiceAccount{Environment: "live", Organization: o.ID, Name: "Robot", Scopes: []string{"read"}}))(t)
	limits := map[string]any{"per_minute": 5, "burst": 1, "per_day": 9}
	later := w.clock().Add(time.Hour).Format(time.RFC3339)
	accepted := 0
	for _, c := range []struct {
		op   string
		body map[string]any
	}{
		{"POST /v1/organizations", map[string]any{"name": "x", "plan": "pro", "limits": limits}},
		{"PATCH /v1/organizations/" + o.ID, map[string]any{"name": "x", "plan": "pro", "limits": limits, "inherit_limits": false}},
		{"POST /v1/members", map[string]any{"organization": o.ID, "email": "b@example.com", "name": "x", "role": "viewer"}},
		{"PATCH /v1/members/" + m.ID, map[string]any{"name": "x", "role": "viewer"}},
		{"POST /v1/keys", map[string]any{"kind": "api_key", "environment": "test", "organization": o.ID, "member": m.ID, "name": "x",
			"scopes": []any{"read"}, "permissions": []any{"Read"}, "addresses": []any{"::1"}, "limits": limits, "expires_at": later, "never_expires": false}},
		{"PATCH /v1/keys/" + k.Key.ID, map[string]any{"name": "x", "scopes": []any{"read"}, "permissions": []any{}, "addresses": []any{},
			"limits": limits, "inherit_limits": false, "expires_at": later, "never_expires": false}},
		{"POST /v1/keys/" + k.Key.ID + "/rotate", map[string]any{"overlap_seconds": 0, "expires_at": later}},
		{"POST /v1/identify", map[string]any{"secret": k.Secret.Reveal()}},
		{"PUT /v1/address-lists/" + o.ID + "/live", map[string]any{"addresses": []any{"::1"}}},
		{"POST /v1/address-lists/" + o.ID + "/live/add", map[string]any{"addresses": []any{"::1"}}},
		{"POST /v1/audit/verify", map[string]any{}},
		{"POST /v1/management-tokens", map[string]any{"name": "x", "expires_at": later}},
		{"POST /v1/keys/" + k.Key.ID + "/revoke", map[string]any{"reason": "x"}},
		{"POST /v1/clients", map[string]any{"environment": "live", "organization": o.ID, "name": "x", "public": false, "grants": []any{"client_credentials"},
			"authentication": []any{"client_secret_post"}, "redirect_uris": []any{"https://example.com/cb"}, "origins": []any{"https://example.com"},
			"scopes": []any{"read"}, "permissions": []any{}, "first_party": false, "dpop_required": false, "logo_url": "https://example.com/l",
			"home_url": "https://example.com", "policy_url": "", "terms_url": "", "jwks_url": "", "addresses": []any{"::1"}, "limits": limits, "expires_at": later}},
		{"PATCH /v1/clients/" + client.Client.ID, map[string]any{"name": "x", "scopes": []any{"read"}, "addresses": []any{}, "limits": limits,
			"inherit_limits": false, "never_expires": false, "redirect_uris": []any{"https://example.com/cb"}, "grants": []any{"client_credentials"},
			"authentication": []any{"client_secret_post"}, "origins": []any{}, "jwks": map[string]any{"keys": []any{}}, "jwks_url": "", "dpop_required": true,
			"logo_url": "", "home_url": "", "policy_url": "", "terms_url": "", "first_party": true, "expires_at": later}},
		{"POST /v1/clients/" + client.Client.ID + "/rotate", map[string]any{"overlap_seconds": 0, "expires_at": later}},
		{"POST /v1/service-accounts", map[string]any{"environment": "live", "organization": o.ID, "name": "x", "scopes": []any{"read"}, "permissions": []any{},
			"addresses": []any{}, "limits": limits, "expires_at": later}},
		{"POST /v1/service-accounts/" + account.ID + "/keys", map[string]any{"algorithm": "ES256", "expires_at": later}},
		{"POST /v1/tokens/revoke", map[string]any{"id": "some-jti"}},
		{"POST /v1/tokens/revoke-all", map[string]any{"member": m.ID}},
		{"POST /v1/members/" + m.ID + "/password", map[string]any{"password": "seven ducks on a pond"}},
		{"PUT /v1/connections/" + o.ID, map[string]any{"issuer": "https://id.example.com", "client_id": "x", "client_secret": "y", "auto_join": true,
			"role": "viewer", "domains": []any{"example.com"}, "insecure": false}},
		{"PUT /v1/issuers", map[string]any{"organization": o.ID, "environment": "live", "url": "", "issuer": "", "audience": ""}},
		{"POST /v1/hooks/1/test", map[string]any{"method": "GET", "path": "/v1/things", "host": "api.test", "headers": map[string]any{"accept": "x"},
			"environment": "live", "client": "10.0.0.1", "credential": k.Key.ID}},
		{"POST /v1/signing-keys/rotate", map[string]any{"environment": "live", "immediate": false}},
	} {
		method, path, _ := strings.Cut(c.op, " ")
		send := func(body map[string]any) {
			text := must(json.Marshal(body))(t)
			a := w.send(method, path, string(text), nil)
			if a.status >= 500 {
				t.Errorf("%s: %d for %s", c.op, a.status, text)
			}
			if a.status < 300 {
				accepted++
			}
		}
		send(c.body)
		for name, good := range c.body {
			for _, bad := range mutants {
				c.body[name] = bad
				send(c.body)
			}
			delete(c.body, name)
			send(c.body)
			c.body[name] = good
		}
	}
	if accepted < 50 {
		t.Errorf("only %d requests were accepted: the test tries nothing", accepted)
	}
}
