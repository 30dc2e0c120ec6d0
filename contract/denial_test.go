package contract

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
)

const testRoutes = "routes:\n  - {match: \"GET /v1/things\", scopes: [read]}\n"

// The bodies are those of a page, byte for byte: member order, numbers as numbers.
func TestDenialBody(t *testing.T) {
	c := mustLoad(t, testHead+testRoutes+`errors:
  body: {error: {code: $code, message: $message, status: $status, request_id: $request_id}}
  unauthenticated: {code: unauthorized, message: Invalid API key provided}
  expired: {status: 401, code: expired, message: "Token \"old\" <expired>"}
  rate_limited:
    status: 429
    code: rate_limit_exceeded
    message: Rate limit exceeded. Please retry after $retry_after seconds.
    body: {error: {code: $code, message: $message, retry_after: $retry_after, list: [1, 2.5, true, null, "$$5 $", "in $retry_after s"]}}
  upstream_failed: {message: "Quote $request_id", body: {detail: $message}}
`)
	v := Vars{RequestID: `req_"x"`, RetryAfter: 30}
	for reason, want := range map[cardea.Reason]string{
		cardea.ReasonInvalidCredential: `{"error":{"code":"unauthorized","message":"Invalid API key provided","status":401,"request_id":"req_\"x\""}}`,
		cardea.ReasonRevoked:           `{"error":{"code":"unauthorized","message":"Invalid API key provided","status":401,"request_id":"req_\"x\""}}`,
		cardea.ReasonIdle:              `{"error":{"code":"expired","message":"Token \"old\" <expired>","status":401,"request_id":"req_\"x\""}}`,
		cardea.ReasonRateLimited:       `{"error":{"code":"rate_limit_exceeded","message":"Rate limit exceeded. Please retry after 30 seconds.","retry_after":30,"list":[1,2.5,true,null,"$5 $","in 30 s"]}}`,
		cardea.ReasonQuota:             `{"error":{"code":"rate_limit_exceeded","message":"Rate limit exceeded. Please retry after 30 seconds.","retry_after":30,"list":[1,2.5,true,null,"$5 $","in 30 s"]}}`,
		cardea.ReasonUpstream:          `{"detail":"Quote req_\"x\""}`,
		cardea.ReasonNoRoute:           `{"error":{"code":"not_found","message":"Not found","status":404,"request_id":"req_\"x\""}}`,
	} {
		if got := string(c.Denial(reason, v).Body); got != want {
			t.Errorf("%v: %s\nwant %s", reason, got, want)
		}
	}
	if w := c.Wording(cardea.ReasonQuota); w.Status != 429 || w.Message != "Rate limit exceeded. Please retry after $retry_after seconds." {
		t.Errorf("Wording = %+v", w)
	}
}

// Every reason is answered, by every contract, with valid JSON and a refusing status.
func TestEveryReasonHasADenial(t *testing.T) {
	for _, c := range []*Contract{Default(), mustLoad(t, testHead+testRoutes)} {
		for _, reason := range cardea.Reasons() {
			d := c.Denial(reason, Vars{RequestID: "req_1", RetryAfter: 1})
			if !json.Valid(d.Body) || d.Status < 400 || d.Header.Get("Content-Type") != "application/json" ||
				d.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%v: %d %v %s", reason, d.Status, d.Header, d.Body)
			}
			if strings.Contains(string(d.Body), "$") {
				t.Errorf("%v: a variable is left in %s", reason, d.Body)
			}
		}
	}
}

// A 401 always challenges; it says why unless nothing was sent. RFC 6750 §3.
func TestChallenge(t *testing.T) {
	c := mustLoad(t, testHead+testRoutes+"errors:\n  address_refused: {status: 401}\n")
	needed, _ := c.ScopeSet("write", "read")
	for reason, want := range map[cardea.Reason]string{
		cardea.ReasonMissingCredential:   `Bearer realm="Shop"`,
		cardea.ReasonInvalidCredential:   `Bearer realm="Shop", error="invalid_token"`,
		cardea.ReasonExpired:             `Bearer realm="Shop", error="invalid_token"`,
		cardea.ReasonAddress:             `Bearer realm="Shop", error="invalid_token"`,
		cardea.ReasonScope:               `Bearer realm="Shop", error="insufficient_scope", scope="read write"`,
		cardea.ReasonSeveralCredentials:  `Bearer realm="Shop", error="invalid_request"`,
		cardea.ReasonMalformedCredential: `Bearer realm="Shop", error="invalid_request"`,
		cardea.ReasonHook:                "",
		cardea.ReasonNoRoute:             "",
		cardea.ReasonRateLimited:         "",
	} {
		if got := c.Denial(reason, Vars{Scopes: needed}).Header.Get("WWW-Authenticate"); got != want {
			t.Errorf("%v: %s\nwant %s", reason, got, want)
		}
	}
	keysOnly := mustLoad(t, strings.Replace(testHead, "{header: Authorization, scheme: Bearer}", "{header: x-key}", 1)+testRoutes)
	if got := keysOnly.Denial(cardea.ReasonMissingCredential, Vars{}).Header.Get("WWW-Authenticate"); got != `ApiKey realm="Shop"` {
		t.Errorf("without Bearer: %s", got)
	}
}

func TestDenialHeaders(t *testing.T) {
	c := mustLoad(t, testHead+testRoutes+"rate_limit_headers: {limit: X-RateLimit-Limit, retry_after: X-Retry-In}\n")
	got := c.Denial(cardea.ReasonRateLimited, Vars{RetryAfter: 7}).Header
	if v := got["X-Retry-In"]; len(v) != 1 || v[0] != "7" {
		t.Errorf("headers: %v", got)
	}
	if v := c.Denial(cardea.ReasonScope, Vars{}).Header["X-Retry-In"]; v != nil {
		t.Errorf("a refusal that time does not cure: %v", v)
	}
	if v := c.Denial(cardea.ReasonMethodNotAllowed, Vars{Allow: []string{"GET", "HEAD"}}).Header.Get("Allow"); v != "GET, HEAD" {
		t.Errorf("Allow: %q", v)
	}
	want := LimitHeaders{Limit: "X-RateLimit-Limit", RetryAfter: "X-Retry-In"}
	if diff := cmp.Diff(want, c.LimitHeaders()); diff != "" {
		t.Error(diff)
	}
}

// Whatever a value holds, the answer stays one JSON document with that value in it.
func FuzzTemplateValues(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\x00\x1f", "\xff\xfe", "\u2028</script>", "é👍", "$code"} {
		f.Add(s)
	}
	c := mustLoad(f, testHead+`errors:
  body: {a: $request_id, b: "<$request_id>", "k\"ey": 1}
routes:
  - {match: "GET /v1/me", answer: {id: $member.id, text: "I am $member.id."}}
`)
	answer := c.Routes()[0].Answer
	f.Fuzz(func(t *testing.T, s string) {
		valid := strings.ToValidUTF8(s, "\x00")
		var body struct{ A, B string }
		text := c.Denial(cardea.ReasonNoRoute, Vars{RequestID: s}).Body
		if err := json.Unmarshal(text, &body); err != nil {
			t.Fatalf("%q: %v in %s", s, err, text)
		}
		if valid == s && (body.A != s || body.B != "<"+s+">") {
			t.Fatalf("%q became %q", s, body)
		}
		var me struct {
			ID   *string
			Text string
		}
		text = answer.Render(nil, func(string) string { return s })
		if err := json.Unmarshal(text, &me); err != nil {
			t.Fatalf("%q: %v in %s", s, err, text)
		}
		if s == "" && me.ID != nil || s != "" && me.ID == nil {
			t.Fatalf("%q: id is %v", s, me.ID)
		}
	})
}

func BenchmarkDenial(b *testing.B) {
	c := Default()
	needed, _ := c.ScopeSet("read")
	for _, reason := range []cardea.Reason{cardea.ReasonInvalidCredential, cardea.ReasonScope, cardea.ReasonRateLimited} {
		b.Run(reason.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Denial(reason, Vars{RequestID: "req_0123456789012345678901", RetryAfter: 30, Scopes: needed})
			}
		})
	}
}
