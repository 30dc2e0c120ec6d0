package authz

import (
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Guarantee: in an environment for tests a good key with a word behind it is answered as
// the word says; anywhere else, and behind a bad key, such a text is no credential.
func TestCredentialsThatActOnCommand(t *testing.T) {
	w := newWorld(t, nil, func(c *Config) { c.RefusedPerMinute = -1 })
	o := w.organization("standard")
	test, live := w.key(o, "api_key", "test"), w.key(o, "api_key", "live")
	spaceTest, spaceLive := w.key(o, "space", "test"), w.key(o, "space", "live")
	dead := w.key(o, "api_key", "test", func(c *store.Credential) { c.RevokedAt = start })
	ask := func(k key, word string) *cardea.Request {
		return request("GET", "/v1/records", "Authorization", "Bearer "+k.Reveal()+word)
	}
	for name, r := range map[string]*cardea.Request{"test": ask(test, "_expired"), "live": ask(live, "_expired")} {
		w.expect(r, cardea.StepShape, cardea.ReasonInvalidCredential) // the contract has no such environment
		_ = name
	}
	w.contract.Store(load(t, strings.Replace(acme, "label: Sandbox,", "label: Sandbox, test_credentials: true,", 1)))
	for word, want := range map[string]struct {
		step   cardea.Step
		reason cardea.Reason
		status int
	}{
		"expired": {cardea.StepStanding, cardea.ReasonExpired, 401}, "revoked": {cardea.StepStanding, cardea.ReasonRevoked, 401},
		"disabled": {cardea.StepStanding, cardea.ReasonDisabled, 401}, "address_refused": {cardea.StepAddress, cardea.ReasonAddress, 403},
		"forbidden": {cardea.StepScope, cardea.ReasonScope, 403}, "rate_limited": {cardea.StepLimit, cardea.ReasonRateLimited, 429},
		"quota_exceeded": {cardea.StepLimit, cardea.ReasonQuota, 429},
	} {
		for range 2 {
			d := w.expect(ask(test, "_"+word), want.step, want.reason)
			if d.Denial.Status != want.status || !strings.Contains(d.Explain().Detail, word) || d.Credential() != test.ID {
				t.Errorf("%s: %d, %q", word, d.Denial.Status, d.Explain().Detail)
			}
			if want.status == 429 && (d.Denial.Header.Get("Retry-After") == "" || d.Limit.Remaining != 0 || d.Limit.Limit == 0) {
				t.Errorf("%s: %v, %+v", word, d.Denial.Header, d.Limit)
			}
		}
		for name, r := range map[string]*cardea.Request{
			"live": ask(live, "_"+word), "no key": ask(key{Secret: secret.New(secret.ShapePrefix, "ck_test_")}, "_"+word),
			"live UUID": request("GET", "/v1/records", "X-Apikey", spaceLive.Reveal()+"_"+word),
			"two words": ask(test, "_"+word+"_"+word),
		} {
			if d := w.ask(r); d.Reason != cardea.ReasonInvalidCredential || d.Identified() {
				t.Errorf("%s, %s: %v", word, name, d.Reason)
			}
		}
		typo := test.Reveal()[:20] + string(rot(test.Reveal()[20])) + test.Reveal()[21:]
		w.expect(request("GET", "/v1/records", "Authorization", "Bearer "+typo+"_"+word), cardea.StepShape, cardea.ReasonInvalidCredential)
		w.expect(request("GET", "/v1/records", "X-Apikey", spaceTest.Reveal()+"_"+word), want.step, want.reason)
	}
	w.expect(ask(dead, "_forbidden"), cardea.StepStanding, cardea.ReasonRevoked) // a word makes nothing better
	for range 3 {
		w.allow(ask(test, "_flaky"))
		d := w.expect(ask(test, "_flaky"), cardea.StepLimit, cardea.ReasonUnavailable)
		if d.Denial.Status != 503 || d.Denial.Header.Get("Retry-After") == "" {
			t.Errorf("flaky: %+v", d.Denial)
		}
	}
	w.expect(ask(test, "_unknown"), cardea.StepShape, cardea.ReasonInvalidCredential)
	w.allow(ask(test, ""))
}
