package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/internal/secret"
)

// Without a good token no operation does or says anything.
func TestEveryOperationNeedsAToken(t *testing.T) {
	w := newWorld(t)
	revoked := must(w.client.CreateManagementToken(t.Context(), admin.CreateManagementToken{Name: "x"}))(t)
	must(w.client.RevokeManagementToken(t.Context(), revoked.Token.ID))(t)
	expired := must(w.client.CreateManagementToken(t.Context(), admin.CreateManagementToken{Name: "y", ExpiresAt: w.clock().Add(time.Second)}))(t)
	w.mu.Lock()
	w.now = w.now.Add(time.Second)
	w.mu.Unlock()
	o := must(w.client.CreateOrganization(t.Context(), admin.CreateOrganization{Name: "x"}))(t)
	key := must(w.client.CreateKey(t.Context(), admin.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "k"}))(t)

	paths := []string{"GET /v1/keys", "POST /v1/keys", "GET /v1/keys/x", "POST /v1/keys/x/revoke", "POST /v1/backup",
		"GET /v1/audit-events", "POST /v1/management-tokens", "GET /v1/contract"}
	for name, value := range map[string][]string{
		"none":              nil,
		"empty":             {""},
		"no scheme":         {w.token},
		"another scheme":    {"Basic " + w.token},
		"empty token":       {"Bearer "},
		"wrong":             {"Bearer x"},
		"typo":              {"Bearer " + w.token[:len(w.token)-1] + "0"},
		"cut":               {"Bearer " + w.token[:len(w.token)-1]},
		"two spaces":        {"Bearer  " + w.token},
		"trailing garbage":  {"Bearer " + w.token + ",x"},
		"revoked":           {"Bearer " + revoked.Secret.Reveal()},
		"expired":           {"Bearer " + expired.Secret.Reveal()},
		"a key of the API":  {"Bearer " + key.Secret.Reveal()},
		"id of the token":   {"Bearer " + revoked.Token.ID},
		"twice":             {"Bearer " + w.token, "Bearer " + w.token},
		"good one and junk": {"Bearer x", "Bearer " + w.token},
	} {
		for _, op := range paths {
			method, path, _ := strings.Cut(op, " ")
			a := w.send(method, path, "", func(r *http.Request) {
				delete(r.Header, "Authorization")
				if value != nil {
					r.Header["Authorization"] = value
				}
			})
			if a.status != http.StatusUnauthorized && a.status != http.StatusTooManyRequests || a.header.Get("WWW-Authenticate") == "" && a.status == 401 {
				t.Errorf("%s with %s: %d", op, name, a.status)
			}
			if strings.Contains(a.body, w.token) {
				t.Errorf("%s with %s: the answer quotes the token", op, name)
			}
		}
	}
	if a := w.send("GET", "/v1/keys", "", nil); a.status != 200 {
		t.Errorf("the good token is held up by the bad ones: %d", a.status)
	}
	if text := w.log.String(); !strings.Contains(text, "authentication failed") || !strings.Contains(text, "client=127.0.0.1") || strings.Contains(text, w.token[:20]) {
		t.Errorf("the log does not tell of failed attempts, or tells too much:\n%s", text)
	}
	if a := w.send("GET", "/v1/keys?access_token="+w.token, "", func(r *http.Request) { r.Header.Del("Authorization") }); a.status != 401 {
		t.Errorf("a token in the URL: %d", a.status)
	}
}

func TestGuessingTokensIsThrottled(t *testing.T) {
	w := newWorld(t)
	for i := range 30 {
		a := w.send("GET", "/v1/keys", "", func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+secret.New(secret.ShapePrefix, "cardea_mt_").Reveal())
		})
		want := http.StatusUnauthorized
		if i >= 20 {
			want = http.StatusTooManyRequests
		}
		if a.status != want || want == 429 && a.header.Get("Retry-After") == "" {
			t.Fatalf("attempt %d: %d", i, a.status)
		}
	}
}

// What is not exactly the documented input is refused, clearly, without quoting it, and
// without an effect.
func TestInputIsStrict(t *testing.T) {
	w := newWorld(t)
	o := must(w.client.CreateOrganization(t.Context(), admin.CreateOrganization{Name: "Acme"}))(t)
	const marker = "zebra-crossing"
	for _, c := range []struct {
		name, op, body string
		status         int
		says           string // part of the detail, or of a field error
		change         func(*http.Request)
	}{
		{"unknown member", "POST /v1/organizations", `{"name":"x","zebra-crossing":1}`, 400, "it knows name, plan, limits", nil},
		{"duplicate member", "POST /v1/organizations", `{"name":"zebra-crossing","name":"b"}`, 400, "twice", nil},
		{"duplicate in depth", "POST /v1/organizations", `{"name":"x","limits":{"per_minute":1,"per_minute":2}}`, 400, "twice", nil},
		{"another case", "POST /v1/organizations", `{"NAME":"zebra-crossing"}`, 400, "it knows", nil},
		{"wrong type", "POST /v1/organizations", `{"name":["zebra-crossing"]}`, 400, "must be a string", nil},
		{"number for a string", "POST /v1/organizations", `{"name":5}`, 400, "must be a string", nil},
		{"fraction", "POST /v1/organizations", `{"name":"x","limits":{"per_minute":1.5}}`, 400, "whole number", nil},
		{"overflow", "POST /v1/organizations", `{"name":"x","limits":{"per_minute":99999999999999999999}}`, 400, "whole number", nil},
		{"array", "POST /v1/organizations", `["zebra-crossing"]`, 400, "object", nil},
		{"null", "POST /v1/organizations", `null`, 400, "object", nil},
		{"half of the limits", "PATCH /v1/organizations/" + o.ID, `{"limits":{"per_minute":5}}`, 400, "0 is no limit", nil},
		{"unknown limit", "PATCH /v1/organizations/" + o.ID, `{"limits":{"per_minute":5,"burst":0,"per_day":0,"per_hour":1}}`, 400, "", nil},
		{"null member", "PATCH /v1/organizations/" + o.ID, `{"limits":null}`, 400, "null", nil},
		{"null in a list", "POST /v1/keys", `{"name":"x","scopes":[null]}`, 400, "null", nil},
		{"cut off", "POST /v1/organizations", `{"name":"zebra-crossing"`, 400, "well-formed", nil},
		{"two values", "POST /v1/organizations", `{"name":"x"}{"name":"y"}`, 400, "", nil},
		{"comment", "POST /v1/organizations", `{/*zebra-crossing*/"name":"x"}`, 400, "well-formed", nil},
		{"trailing comma", "POST /v1/organizations", `{"name":"x",}`, 400, "well-formed", nil},
		{"broken UTF-8", "POST /v1/organizations", "{\"name\":\"\xff\"}", 400, "UTF-8", nil},
		{"surrogate half", "POST /v1/organizations", `{"name":"\ud800"}`, 400, "UTF-8", nil},
		{"NUL", "POST /v1/organizations", `{"name":"zebra-crossing\u0000"}`, 400, "NUL", nil},
		{"bidi", "POST /v1/organizations", `{"name":"zebra-crossing\u202e"}`, 400, "direction", nil},
		{"deep", "POST /v1/organizations", `{"name":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, 400, "nested", nil},
		{"deep and unclosed", "POST /v1/organizations", strings.Repeat(`{"name":`, 100000), 400, "nested", nil},
		{"10 MB", "POST /v1/organizations", `{"name":"` + strings.Repeat("a", 10<<20) + `"}`, 413, "1 MiB", nil},
		{"form", "POST /v1/organizations", `name=x`, 415, "application/json", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }},
		{"plain text", "POST /v1/organizations", `{"name":"x"}`, 415, "application/json", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }},
		{"no type", "POST /v1/organizations", `{"name":"x"}`, 415, "application/json", func(r *http.Request) { r.Header.Del("Content-Type") }},
		{"another charset", "POST /v1/organizations", `{"name":"x"}`, 415, "application/json", func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-16") }},
		{"compressed", "POST /v1/organizations", `{"name":"x"}`, 415, "compressed", func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }},
		{"nothing", "POST /v1/organizations", ``, 400, "required", nil},
		{"mass assignment", "POST /v1/organizations", `{"name":"x","id":"org_mine","suspended_at":"2026-01-01T00:00:00Z"}`, 400, "it knows", nil},
		{"mass assignment on a key", "POST /v1/keys", `{"name":"x","organization":"` + o.ID + `","created_by":"operator:root"}`, 400, "it knows", nil},
		{"secret of one's own choice", "POST /v1/keys", `{"name":"x","organization":"` + o.ID + `","secret":"ck_live_zebra-crossing"}`, 400, "it knows", nil},
		{"id in the body too", "PATCH /v1/organizations/" + o.ID, `{"id":"org_other","name":"x"}`, 400, "it knows", nil},
		{"query on a POST", "POST /v1/organizations?name=zebra-crossing", `{"name":"x"}`, 400, "no query", nil},
		{"unknown parameter", "GET /v1/keys?zebra-crossing=1", ``, 400, "it knows organization", nil},
		{"parameter twice", "GET /v1/keys?kind=api_key&kind=zebra-crossing", ``, 400, "more than once", nil},
		{"path member in the query", "GET /v1/keys/x?id=y", ``, 400, "", nil},
		{"limit too large", "GET /v1/keys?limit=100000", ``, 400, "from 1 to 200", nil},
		{"limit no number", "GET /v1/keys?limit=zebra-crossing", ``, 400, "whole number", nil},
		{"tampered cursor", "GET /v1/keys?cursor=zebra-crossing", ``, 400, "cursor", nil},
		{"SQL in a cursor", "GET /v1/keys?cursor=JyBPUiAxPTEgLS0", ``, 400, "cursor", nil},
		{"NUL in a filter", "GET /v1/keys?organization=%00", ``, 400, "organization", nil},
		{"broken escape", "GET /v1/keys?kind=%zz", ``, 400, "query", nil},
		{"semicolon", "GET /v1/keys?kind=a;zebra-crossing=b", ``, 400, "query", nil},
		{"time of another form", "GET /v1/usage?from=yesterday", ``, 400, "RFC 3339", nil},
		{"NUL in an id", "GET /v1/keys/%00", ``, 404, "no such key", nil},
		{"quote in an id", "GET /v1/keys/'%20OR%201=1", ``, 404, "no such key", nil},
		{"slash in an id", "GET /v1/keys/a%2Fb", ``, 404, "no such key", nil},
		{"dots", "GET /v1/organizations/../keys", ``, 404, "canonical", func(r *http.Request) { r.URL.Opaque = "/v1/organizations/../keys" }},
		{"double slash", "GET /v1//keys", ``, 404, "canonical", nil},
		{"trailing slash", "GET /v1/keys/", ``, 404, "canonical", nil},
		{"nowhere", "GET /v2/keys", ``, 404, "nothing", nil},
		{"wrong method", "DELETE /v1/keys", ``, 405, "GET, POST", nil},
		{"trace", "TRACE /v1/keys", ``, 405, "", nil},
		{"override", "POST /v1/keys/x", ``, 405, "GET, PATCH", func(r *http.Request) { r.Header.Set("X-HTTP-Method-Override", "PATCH") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			method, path, _ := strings.Cut(c.op, " ")
			a := w.send(method, path, c.body, c.change)
			if a.status != c.status || !strings.Contains(fmt.Sprint(a.Detail, a.Errors), c.says) {
				t.Errorf("%d %q %v, want %d with %q", a.status, a.Detail, a.Errors, c.status, c.says)
			}
			if strings.Contains(a.body, marker) {
				t.Errorf("the answer quotes the input")
			}
			if strings.Contains(a.header.Get("Location"), "/") {
				t.Errorf("redirected")
			}
		})
	}
	count(t, "organizations", w.client.ListOrganizations(t.Context(), admin.OrganizationFilter{}), 1)
	count(t, "keys", w.client.ListKeys(t.Context(), admin.KeyFilter{}), 0)
	if strings.Contains(w.log.String(), marker) {
		t.Errorf("the log quotes the input")
	}
}

func TestBrowsersOfOtherOriginsAreRefused(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*http.Request){
		"cross-site":  func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"same-site":   func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"origin":      func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"null origin": func(r *http.Request) { r.Header.Set("Origin", "null") },
	} {
		for _, op := range []string{"POST /v1/organizations", "GET /v1/keys", "PATCH /v1/keys/x", "GET /v1/health"} {
			method, path, _ := strings.Cut(op, " ")
			if a := w.send(method, path, "", change); a.status != http.StatusForbidden {
				t.Errorf("%s, %s: %d", op, name, a.status)
			}
		}
	}
	preflight := w.send("OPTIONS", "/v1/keys", "", func(r *http.Request) {
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Access-Control-Request-Method", "POST")
	})
	if preflight.status < 400 || preflight.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("preflight: %d", preflight.status)
	}
	same := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") }
	if a := w.send("GET", "/v1/keys", "", same); a.status != 200 {
		t.Errorf("same origin: %d", a.status)
	}
}

// A list that is narrowed to an organization holds nothing of another.
func TestFiltersKeepOrganizationsApart(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	var ids []string
	for _, name := range []string{"One", "Two"} {
		o := must(w.client.CreateOrganization(ctx, admin.CreateOrganization{Name: name}))(t)
		must(w.client.CreateMember(ctx, admin.CreateMember{Organization: o.ID, Email: "a@example.com", Name: "A", Role: cardea.RoleViewer}))(t)
		must(w.client.CreateKey(ctx, admin.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: name}))(t)
		ids = append(ids, o.ID)
	}
	for k, err := range w.client.ListKeys(ctx, admin.KeyFilter{Organization: ids[0], Page: admin.Page{Limit: 1}}) {
		if err != nil || k.Organization != ids[0] {
			t.Errorf("key of %s, %v", k.Organization, err)
		}
	}
	for m, err := range w.client.ListMembers(ctx, admin.MemberFilter{Organization: ids[1]}) {
		if err != nil || m.Organization != ids[1] {
			t.Errorf("member of %s, %v", m.Organization, err)
		}
	}
	for e, err := range w.client.ListAuditEvents(ctx, admin.AuditFilter{Organization: ids[0]}) {
		if err != nil || e.Organization != ids[0] {
			t.Errorf("event of %s, %v", e.Organization, err)
		}
	}
	// A cursor of one organization's list does not open another's.
	must(w.client.CreateKey(ctx, admin.CreateKey{Kind: "api_key", Environment: "live", Organization: ids[0], Name: "second"}))(t)
	page := must(w.client.KeysPage(ctx, admin.KeyFilter{Organization: ids[0], Page: admin.Page{Limit: 1}}))(t)
	_, err := w.client.KeysPage(ctx, admin.KeyFilter{Organization: ids[1], Page: admin.Page{Cursor: page.Next}})
	var refused *admin.Error
	if !errors.As(err, &refused) || refused.Status != 400 || refused.Errors[0].Field != "cursor" {
		t.Errorf("another organization's cursor: %v", err)
	}
}

// The secret of a key is in one answer; every other answer and the log are without it.
func TestSecretsAreInOneAnswerOnly(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	o := must(w.client.CreateOrganization(ctx, admin.CreateOrganization{Name: "Acme"}))(t)
	k := must(w.client.CreateKey(ctx, admin.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "k"}))(t)
	text := k.Secret.Reveal()
	for _, path := range []string{"/v1/keys", "/v1/keys/" + k.Key.ID, "/v1/audit-events", "/v1/usage", "/v1/requests", "/v1/management-tokens"} {
		if a := w.send("GET", path, "", nil); a.status != 200 || strings.Contains(a.body, text) || strings.Contains(a.body, w.token) {
			t.Errorf("%s: %d, or with a secret", path, a.status)
		}
	}
	if a := w.send("POST", "/v1/keys/"+k.Key.ID+"/reveal", "", nil); a.status != http.StatusConflict || strings.Contains(a.body, text) {
		t.Errorf("reveal: %d", a.status)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		if strings.Contains(fmt.Sprintf(verb, k), text[8:]) {
			t.Errorf("%s prints the secret", verb)
		}
	}
	if strings.Contains(w.log.String(), text) {
		t.Errorf("the log has the secret")
	}
}

func TestRevokingTwiceIsFine(t *testing.T) {
	w := newWorld(t)
	o := must(w.client.CreateOrganization(t.Context(), admin.CreateOrganization{Name: "Acme"}))(t)
	k := must(w.client.CreateKey(t.Context(), admin.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "k"}))(t)
	for range 2 {
		if a := w.send("POST", "/v1/keys/"+k.Key.ID+"/revoke", "", nil); a.status != 200 {
			t.Errorf("revoke: %d %s", a.status, a.Detail)
		}
	}
}

// An error nobody classified is a 500 without a word about why; the log has the why.
func TestInternalErrorsSayNothing(t *testing.T) {
	w := newWorld(t)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	a := w.send("GET", "/v1/keys", "", nil)
	if a.status < 500 || strings.Contains(a.body, "sql") || strings.Contains(a.body, "closed") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if !strings.Contains(w.log.String(), a.RequestID) {
		t.Errorf("the log does not know the request")
	}
	if a := w.send("GET", "/v1/health", "", nil); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("health of a closed store: %d", a.status)
	}
}

func TestClientErrorsCarryTheProblem(t *testing.T) {
	w := newWorld(t)
	_, err := w.client.GetKey(t.Context(), "key_none")
	var e *admin.Error
	if !errors.As(err, &e) || e.Status != 404 || e.Type != "urn:cardea:problem:not_found" || e.RequestID == "" || e.Error() != "no such key" {
		t.Errorf("error %#v", err)
	}
	_, err = w.client.CreateOrganization(t.Context(), admin.CreateOrganization{Plan: "gold"})
	if !errors.As(err, &e) || len(e.Errors) != 2 || !strings.HasPrefix(e.Error(), "name: ") {
		t.Errorf("error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.client.GetContract(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
}
