package cardeatest_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/admin"
	"github.com/cardea-dev/cardea/cardeatest"
	"github.com/cardea-dev/cardea/examples"
)

// bearer returns the header of a secret.
func bearer(secret string) string { return "Authorization: Bearer " + secret }

// TestDemoSecretsWorkInTheirEnvironmentOnly holds that the kit's secrets get through,
// and that what is written with a test key stays out of live.
func TestDemoSecretsWorkInTheirEnvironmentOnly(t *testing.T) {
	s := cardeatest.Start(t, cardeatest.Config{})
	live, test := bearer(s.Secret("api_key", "live")), bearer(s.Secret("api_key", "test"))
	if a := call(t, s, "POST", "/v1/notes", test, "Content-Type: application/json"); a.Status/100 != 2 {
		t.Fatalf("write with the test key: %d %s", a.Status, a.Body)
	}
	if a := call(t, s, "GET", "/v1/notes", test); a.Status != 200 || strings.Contains(a.Body, `"data":[]`) {
		t.Errorf("test key does not see its own: %d %s", a.Status, a.Body)
	}
	if a := call(t, s, "GET", "/v1/notes", live); a.Status != 200 || !strings.Contains(a.Body, `"data":[]`) {
		t.Errorf("live key sees what the test key wrote: %d %s", a.Status, a.Body)
	}
	if a := call(t, s, "GET", "/v1/notes"); a.Status != 401 {
		t.Errorf("no key: %d", a.Status)
	}
}

// TestRevokedMeansNow holds that no request is accepted once the revocation returned.
func TestRevokedMeansNow(t *testing.T) {
	s := cardeatest.Start(t, cardeatest.Config{})
	for range 20 {
		made := newKey(t, s, admin.CreateKey{Kind: "api_key", Environment: "live"})
		if a := call(t, s, "GET", "/v1/notes", bearer(made.Secret.Reveal())); a.Status != 200 {
			t.Fatalf("new key: %d %s", a.Status, a.Body)
		}
		if _, err := s.Admin().RevokeKey(t.Context(), admin.RevokeKey{ID: made.Key.ID}); err != nil {
			t.Fatal(err)
		}
		if a := call(t, s, "GET", "/v1/notes", bearer(made.Secret.Reveal())); a.Status != 401 {
			t.Fatalf("revoked key: %d %s", a.Status, a.Body)
		}
	}
}

// TestRotationOverlaps holds that both secrets work until the old one's time is up.
func TestRotationOverlaps(t *testing.T) {
	s := cardeatest.Start(t, cardeatest.Config{})
	made := newKey(t, s, admin.CreateKey{Kind: "api_key", Environment: "live"})
	hour := int64(3600)
	rotated, err := s.Admin().RotateKey(t.Context(), admin.RotateKey{ID: made.Key.ID, OverlapSeconds: &hour})
	if err != nil {
		t.Fatal(err)
	}
	status := func(secret admin.Secret) int {
		return call(t, s, "GET", "/v1/notes", bearer(secret.Reveal())).Status
	}
	if o, n := status(made.Secret), status(rotated.Secret); o != 200 || n != 200 {
		t.Errorf("in the overlap: old %d, new %d", o, n)
	}
	s.Advance(time.Hour + time.Second)
	if o, n := status(made.Secret), status(rotated.Secret); o != 401 || n != 200 {
		t.Errorf("after the overlap: old %d, new %d", o, n)
	}
}

// TestAdvanceEndsKeys holds that time on Cardea's clock is what expiry goes by.
func TestAdvanceEndsKeys(t *testing.T) {
	s := cardeatest.Start(t, cardeatest.Config{})
	made := newKey(t, s, admin.CreateKey{Kind: "api_key", Environment: "live", ExpiresAt: s.Now().Add(30 * 24 * time.Hour)})
	if a := call(t, s, "GET", "/v1/notes", bearer(made.Secret.Reveal())); a.Status != 200 {
		t.Fatalf("before: %d %s", a.Status, a.Body)
	}
	s.Advance(30*24*time.Hour + time.Second)
	if a := call(t, s, "GET", "/v1/notes", bearer(made.Secret.Reveal())); a.Status != 401 {
		t.Errorf("after: %d %s", a.Status, a.Body)
	}
}

// TestLimitsAreExactOnAStoppedClock holds that a test of limits does not depend on how
// fast the machine is: so many requests get through, and not one more.
func TestLimitsAreExactOnAStoppedClock(t *testing.T) {
	s := cardeatest.Start(t, cardeatest.Config{})
	s.StopClock(true)
	made := newKey(t, s, admin.CreateKey{Kind: "api_key", Environment: "live", Limits: &admin.Limits{PerMinute: 7}})
	for round := range 3 {
		for i := range 8 {
			want := http.StatusOK
			if i == 7 {
				want = http.StatusTooManyRequests
			}
			if a := call(t, s, "GET", "/v1/notes", bearer(made.Secret.Reveal())); a.Status != want {
				t.Errorf("round %d, request %d: %d, want %d", round, i+1, a.Status, want)
			}
		}
		s.Advance(time.Minute)
	}
}

// TestClientReachesTheContractsHosts holds that the kit's client verifies the
// certificate of the contract's own host name, over HTTP/2.
func TestClientReachesTheContractsHosts(t *testing.T) {
	text, _ := examples.Contract("coherence")
	s := cardeatest.Start(t, cardeatest.Config{Contract: string(text), TLS: true})
	req, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.getcoherence.io/v1/modules/contacts/records", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Secret("api_key", "live"))
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || resp.ProtoMajor != 2 {
		t.Errorf("%s %s %s, %v", resp.Proto, resp.Status, body, err)
	}
}

// TestExplainKnowsTheRequestJustMade holds that records are up to date when they are
// asked for.
func TestExplainKnowsTheRequestJustMade(t *testing.T) {
	s := cardeatest.Start(t, cardeatest.Config{})
	reader := newKey(t, s, admin.CreateKey{Kind: "api_key", Environment: "live", Scopes: []string{"read"}})
	a := call(t, s, "POST", "/v1/notes", bearer(reader.Secret.Reveal()))
	if a.Status != 403 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	e, err := s.Admin().ExplainRequest(t.Context(), a.Header.Get("X-Request-Id"))
	if err != nil {
		t.Fatal(err)
	}
	if e.Request.Reason != "forbidden" || e.Key == nil || e.Key.ID != reader.Key.ID || len(e.MissingScopes) != 1 || e.MissingScopes[0] != "write" || e.Fix == "" {
		t.Errorf("explanation: %+v", e)
	}
}

// TestDataIsKept holds that a second start on the same directory shows the same
// secrets, and that they work.
func TestDataIsKept(t *testing.T) {
	dir := t.TempDir()
	var first, organization string
	t.Run("first start", func(t *testing.T) {
		s := cardeatest.Start(t, cardeatest.Config{Data: dir})
		first, organization = s.Secret("api_key", "live"), s.Organization()
	})
	s := cardeatest.Start(t, cardeatest.Config{Data: dir})
	if s.Secret("api_key", "live") != first || s.Organization() != organization {
		t.Error("the second start shows another demo")
	}
	if a := call(t, s, "GET", "/v1/notes", bearer(first)); a.Status != 200 {
		t.Errorf("the kept secret: %d %s", a.Status, a.Body)
	}
}

// TestManagementNeedsItsToken holds that nothing on the management listener works
// without the token, the clock included.
func TestManagementNeedsItsToken(t *testing.T) {
	s := cardeatest.Start(t, cardeatest.Config{})
	stranger, err := admin.New(admin.Config{URL: s.ManagementURL(), Token: "cardea_mt_" + strings.Repeat("0", 38)})
	if err != nil {
		t.Fatal(err)
	}
	var refused *admin.Error
	if _, err := stranger.ListPlans(t.Context()); !errors.As(err, &refused) || refused.Status != 401 {
		t.Errorf("plans for a stranger: %v", err)
	}
	resp, err := http.Post(s.ManagementURL()+"/v1/dev/clock", "application/json", strings.NewReader(`{"advance": "720h"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("clock for a stranger: %s", resp.Status)
	}
}
