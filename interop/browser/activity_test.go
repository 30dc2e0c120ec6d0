package browser

import (
	"net/http"
	"strings"
	"testing"
)

// reload opens the page again until it says a text: numbers come a few seconds later.
func (b *tab) reload(text string) {
	b.t.Helper()
	path := b.path()
	b.await("the page does not come to say "+text, func() bool {
		b.visit(path)
		return strings.Contains(flat(b.text()), flat(text))
	})
}

// C1-32, C1-33: how much each key is used is on the pages, and when it was last, so that
// unused ones are found and deleted.
func TestCoheraSDKUsageTellsOfEachKey(t *testing.T) {
	t.Parallel()
	w := open(t, "cohera-sdk")
	b := enter(t, w, w.user(t, "owner"))
	made := map[string]string{}
	for _, name := range []string{"Busy bee", "Never used"} {
		b.visit("/dashboard/keys/new")
		made[name] = b.create("Create New Key", wish{name: name, environment: "Sandbox", scopes: []string{"read:products"}})
		b.kept()
	}
	for range 3 {
		w.answers(t, http.StatusOK, made["Busy bee"])
	}
	b.menu("Usage")
	b.reload("Busy bee")
	b.visit("/dashboard/keys")
	if row := b.row("Never used"); !strings.Contains(row, "Never") {
		t.Errorf("the list does not tell that a key was never used: %s", row)
	}
	b.await("the list does not tell when the key was used", func() bool {
		b.visit("/dashboard/keys")
		return !strings.Contains(strings.ReplaceAll(b.row("Busy bee"), "Never\n", "Never "), "30 days\tNever")
	})
	b.follow("Never used")
	b.revoke("Revoke", "Never used")
	w.answers(t, http.StatusUnauthorized, made["Never used"])
}

// row returns what the row of a table says that is headed by a text.
func (b *tab) row(text string) string { b.t.Helper(); return b.within(text).text() }

// C2-29, C2-31: requests are listed under Settings, and the use of the limits can be
// watched.
func TestCoherenceRequestsAndLimitsAreOnThePages(t *testing.T) {
	t.Parallel()
	w := open(t, "coherence")
	b := enter(t, w, w.user(t, "developer"))
	secret := w.Secrets["api_key"]["live"]
	w.answers(t, http.StatusOK, secret)
	if status, _ := w.request(t, http.MethodGet, "/v1/emails", secret); status != http.StatusForbidden {
		t.Logf("the demo's key may read emails: %d", status)
	}
	b.menu("Settings", "Request logs")
	b.reload("/v1/modules/crm/records")
	b.inspect()
	b.follow("GET /v1/modules/crm/records")
	b.sees("The decision, step by step")
	b.inspect()
	b.visit("/dashboard/limits")
	b.sees("600")
	b.inspect()
}

// C0-52, C1-39: a customer's own limits are set in the console, and hold for the next
// request.
func TestOperatorGivesACustomerLimitsOfTheirOwn(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]string{"cohera-api": "Custom", "cohera-sdk": "Enterprise"} {
		contract := "../../examples/" + name + "/cardea.yaml"
		w, err := launch(name, contract)
		if err != nil {
			t.Fatal(err)
		}
		b := enter(t, w, w.Staff)
		b.visit("/dashboard/console/organizations/" + w.Organization)
		b.inspect()
		b.fill("Plan", plan)
		b.tick("Their own")
		b.fill("A minute", "4321")
		b.fill("A day", "99999")
		b.click("button", "Save changes")
		b.sees("4,321", plan)
		b.inspect()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.product().api+w.product().path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+w.Secrets["api_key"]["live"])
		resp, err := w.client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header["X-RateLimit-Limit"]; len(got) != 1 || got[0] != "4321" {
			if got := resp.Header.Get("X-Ratelimit-Limit"); got != "4321" {
				t.Errorf("%s: the limit is %v", name, resp.Header)
			}
		}
		w.stop()
	}
}

// A chart is drawn for the scheme that the reader prefers, also when they change their mind.
func TestChartsFollowTheScheme(t *testing.T) {
	t.Parallel()
	w := open(t, "cohera-sdk")
	w.bustle(t)
	b := enter(t, w, w.user(t, "owner"))
	b.visit("/dashboard/usage")
	const drawn = `(() => { const c = document.querySelector(".plot canvas"); return c && c.width > 300 ? c.toDataURL() : "" })()`
	seen := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		b.await("the chart is not drawn in "+scheme, func() bool {
			picture, err := evaluate[string](b, drawn)
			if err != nil || picture == "" || seen[picture] {
				return false
			}
			seen[picture] = true
			return true
		})
	}
}
