package dashboard_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/manage"
)

var onceField = regexp.MustCompile(`name="once" value="([A-Z0-9]{26})"`)

// Guarantee: reloading the page with a new secret makes no second key and rotates nothing
// again, while the same form opened anew, or refused before, may be sent.
func TestAFormThatMadeASecretIsNotSentTwice(t *testing.T) {
	w := dashtest.New(t, conformance, dashboard.Areas()...)
	owner, admin := w.As(w.One, cardea.RoleOwner), w.As(w.One, cardea.RoleAdmin)
	count := func() int {
		t.Helper()
		keys, err := w.Manage.Keys(t.Context(), dashtest.Operator, manage.KeyFilter{Organization: w.One.ID})
		if err != nil {
			t.Fatal(err)
		}
		return len(keys.Items)
	}
	fields := func() url.Values {
		t.Helper()
		m := onceField.FindStringSubmatch(owner.Get("/dashboard/keys/new").Body)
		if m == nil {
			t.Fatal("the form has no mark")
		}
		return url.Values{"name": {"Nightly"}, "kind": {"api_key"}, "environment": {"live"}, "scope": {"read"}, "expires": {"2027-06-01"}, "once": {m[1]}}
	}
	form := fields()
	wrong := fields()
	wrong.Set("once", form.Get("once"))
	wrong.Set("name", "")
	if a := owner.Post("/dashboard/keys/new", wrong); a.Status != http.StatusUnprocessableEntity {
		t.Fatalf("without a name: %d\n%s", a.Status, a.Body)
	}
	if a := owner.Post("/dashboard/keys/new", form); a.Status != http.StatusOK || count() != 1 {
		t.Fatalf("the first time: %d, %d keys\n%s", a.Status, count(), a.Body)
	}
	if a := owner.Post("/dashboard/keys/new", form); a.Status != http.StatusConflict || count() != 1 {
		t.Errorf("the second time: %d, %d keys", a.Status, count())
	}
	if a := admin.Post("/dashboard/keys/new", form); a.Status != http.StatusOK || count() != 2 {
		t.Errorf("somebody else with the same mark: %d, %d keys", a.Status, count())
	}
	if a := owner.Post("/dashboard/keys/new", fields()); a.Status != http.StatusOK || count() != 3 {
		t.Errorf("the form anew: %d, %d keys", a.Status, count())
	}
}
