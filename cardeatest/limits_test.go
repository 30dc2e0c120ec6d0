package cardeatest_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/cardeatest"
)

// limited calls once and returns the answer; the target is one that the demo key may
// read.
func limited(t *testing.T, s *cardeatest.Server, target string) answer {
	t.Helper()
	return call(t, s, http.MethodGet, target, "Authorization: Bearer "+s.Secret("api_key", "live"))
}

// spend makes n calls that must get through.
func spend(t *testing.T, s *cardeatest.Server, target string, n int) answer {
	t.Helper()
	var last answer
	for i := range n {
		if last = limited(t, s, target); last.Status != http.StatusOK {
			t.Fatalf("call %d of %d: %d %s", i+1, n, last.Status, last.Body)
		}
	}
	return last
}

// number returns a header's value as a number.
func number(t *testing.T, a answer, name string) int {
	t.Helper()
	n, err := strconv.Atoi(a.Header.Get(name))
	if err != nil {
		t.Errorf("%s: %q is no number", name, a.Header.Get(name))
	}
	return n
}

// TestPlanLimits holds the tiers that the pages print: as many requests at once as the
// burst says, as many in a minute as the tier says, and one more is refused with 429.
func TestPlanLimits(t *testing.T) {
	for _, tier := range []struct {
		row, example, plan string
		perMinute, burst   int
		target             string
	}{
		{"C0-49", "cohera-api", "free", 60, 10, "/v1/entities"},
		{"C0-50", "cohera-api", "professional", 300, 50, "/v1/entities"},
		{"C0-51", "cohera-api", "enterprise", 1000, 100, "/v1/entities"},
		{"C1-37", "cohera-sdk", "free", 60, 0, "/v1/certificates"},
		{"C1-38", "cohera-sdk", "pro", 600, 0, "/v1/certificates"},
	} {
		t.Run(tier.row+" "+tier.plan, func(t *testing.T) {
			s := start(t, tier.example)
			plan(t, s, tier.plan)
			nextMinute(s)
			if tier.burst == 0 {
				spend(t, s, tier.target, tier.perMinute)
			} else {
				// The burst at once, and then the same again each time the bucket has
				// filled up, until the minute is spent.
				refill := time.Duration(tier.burst) * time.Minute / time.Duration(tier.perMinute)
				for sent := 0; sent < tier.perMinute; sent += tier.burst {
					if sent > 0 {
						s.Advance(refill)
					}
					spend(t, s, tier.target, tier.burst)
					if sent == 0 {
						refused(t, limited(t, s, tier.target))
					}
				}
				s.Advance(refill / 2)
			}
			refused(t, limited(t, s, tier.target))
			nextMinute(s)
			spend(t, s, tier.target, 1)
		})
	}
}

// refused holds what a 429 looks like: C0-54 and C0-56.
func refused(t *testing.T, a answer) {
	t.Helper()
	if a.Status != http.StatusTooManyRequests {
		t.Fatalf("got %d %s, want 429", a.Status, a.Body)
	}
	if after := number(t, a, "Retry-After"); after < 1 || after > 60 {
		t.Errorf("Retry-After: %d", after)
	}
	if left := number(t, a, "X-RateLimit-Remaining"); left < 0 {
		t.Errorf("X-RateLimit-Remaining: %d", left)
	}
}

// TestRefusalBody holds C0-55: the number in the message, the member retry_after and
// the header Retry-After are one, and there is no request id in this body.
func TestRefusalBody(t *testing.T) {
	s := start(t, "cohera-api")
	plan(t, s, "free")
	nextMinute(s)
	spend(t, s, "/v1/entities", 10)
	a := limited(t, s, "/v1/entities")
	refused(t, a)
	var body struct {
		Error map[string]any `json:"error"`
	}
	if err := json.Unmarshal([]byte(a.Body), &body); err != nil {
		t.Fatalf("%v: %s", err, a.Body)
	}
	after := number(t, a, "Retry-After")
	if body.Error["code"] != "rate_limit_exceeded" || body.Error["retry_after"] != float64(after) ||
		body.Error["message"] != "Rate limit exceeded. Please retry after "+strconv.Itoa(after)+" seconds." {
		t.Errorf("body %s, Retry-After %d", a.Body, after)
	}
	if len(body.Error) != 3 {
		t.Errorf("members of error: %v", body.Error)
	}
}

// TestDayLimit holds C1-37: the 1,001st request of a day is refused, and the headers
// then describe the day (C1-40).
func TestDayLimit(t *testing.T) {
	s := start(t, "cohera-sdk")
	plan(t, s, "free")
	now := s.Now().UTC()
	s.Advance(now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now))
	for sent := 0; sent < 1000; {
		n := min(60, 1000-sent)
		spend(t, s, "/v1/certificates", n)
		sent += n
		nextMinute(s)
	}
	a := limited(t, s, "/v1/certificates")
	if a.Status != http.StatusTooManyRequests {
		t.Fatalf("request 1,001 of the day: %d", a.Status)
	}
	if left, limit := number(t, a, "X-RateLimit-Remaining"), number(t, a, "X-RateLimit-Limit"); left != 0 || limit != 1000 {
		t.Errorf("limit %d, remaining %d; want those of the day", limit, left)
	}
	if after := number(t, a, "Retry-After"); after < 3600*20 {
		t.Errorf("Retry-After %d; want the rest of the day", after)
	}
	now = s.Now().UTC()
	s.Advance(now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now))
	spend(t, s, "/v1/certificates", 1)
}

// TestLimitHeadersOnEveryResponse holds C0-53 and C1-40: a known caller gets the three
// headers with a success, a refusal, no route and a failing API alike; Reset is the
// end of the minute in Unix seconds.
func TestLimitHeadersOnEveryResponse(t *testing.T) {
	s := start(t, "cohera-api")
	plan(t, s, "professional")
	nextMinute(s)
	reader := newKey(t, s, admin.CreateKey{Kind: "api_key", Environment: "live", Scopes: []string{"entities:read"}})
	credential := "Authorization: Bearer " + reader.Secret.Reveal()
	end := s.Now().Truncate(time.Minute).Add(time.Minute).Unix()
	for _, c := range []struct {
		name, method, target string
		status               int
		headers              []string
	}{
		{"success", "GET", "/v1/entities", 200, nil},
		{"API fails", "GET", "/v1/entities", 500, []string{"X-Sandbox-Status: 500"}},
		{"scope missing", "POST", "/v1/entities", 403, nil},
		{"no route", "GET", "/nowhere", 404, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := call(t, s, c.method, c.target, append(c.headers, credential)...)
			if a.Status != c.status {
				t.Errorf("status %d, want %d: %s", a.Status, c.status, a.Body)
			}
			if limit := number(t, a, "X-RateLimit-Limit"); limit != 300 {
				t.Errorf("X-RateLimit-Limit: %d", limit)
			}
			if left := number(t, a, "X-RateLimit-Remaining"); left < 290 || left > 300 {
				t.Errorf("X-RateLimit-Remaining: %d", left)
			}
			if reset := number(t, a, "X-RateLimit-Reset"); int64(reset) != end {
				t.Errorf("X-RateLimit-Reset: %d, want %d", reset, end)
			}
		})
	}
}

// TestCustomLimits holds C0-52 and C1-39 as far as limits go: an organization may have
// limits of its own, and so may a key on top of them.
func TestCustomLimits(t *testing.T) {
	for _, row := range []struct{ row, example, scope, target string }{
		{"C0-52", "cohera-api", "entities:read", "/v1/entities"},
		{"C1-39", "cohera-sdk", "read:certificates", "/v1/certificates"},
	} {
		t.Run(row.row, func(t *testing.T) {
			s := start(t, row.example)
			if _, err := s.Admin().UpdateOrganization(t.Context(), admin.UpdateOrganization{
				ID: s.Organization(), Limits: &admin.Limits{PerMinute: 4},
			}); err != nil {
				t.Fatal(err)
			}
			small := newKey(t, s, admin.CreateKey{
				Kind: "api_key", Environment: "live", Scopes: []string{row.scope}, Limits: &admin.Limits{PerMinute: 2},
			})
			nextMinute(s)
			credential := "Authorization: Bearer " + small.Secret.Reveal()
			for i, want := range []int{200, 200, 429} {
				if a := call(t, s, "GET", row.target, credential); a.Status != want {
					t.Errorf("call %d of the small key: %d, want %d", i+1, a.Status, want)
				}
			}
			for i, want := range []int{200, 200, 429} {
				if a := limited(t, s, row.target); a.Status != want {
					t.Errorf("call %d of the organization's other key: %d, want %d", i+1, a.Status, want)
				}
			}
		})
	}
}

// TestOrganizationSharesItsLimits holds C1-36: what one key of an organization spends is
// gone for the others.
func TestOrganizationSharesItsLimits(t *testing.T) {
	s := start(t, "cohera-sdk")
	plan(t, s, "free")
	nextMinute(s)
	other := newKey(t, s, admin.CreateKey{Kind: "api_key", Environment: "live", Scopes: []string{"read:certificates"}})
	spend(t, s, "/v1/certificates", 60)
	refused(t, call(t, s, "GET", "/v1/certificates", "Authorization: Bearer "+other.Secret.Reveal()))
}
