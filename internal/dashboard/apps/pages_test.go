package apps_test

import (
	"net/http"
	"testing"

	"github.com/cardea-dev/cardea"
)

// TestEveryPageIsShownForEveryContract holds that no page of the area fails, whatever the
// contract leaves out, for any role.
func TestEveryPageIsShownForEveryContract(t *testing.T) {
	for _, name := range examples {
		t.Run(name, func(t *testing.T) {
			w := example(t, name)
			for _, role := range []cardea.Role{cardea.RoleOwner, cardea.RoleViewer} {
				b := w.As(w.One, role)
				for _, path := range []string{"/applications", "/service-accounts", "/credentials", "/authorized", "/sessions", "/sessions/end"} {
					want(t, b.Get("/dashboard"+path), http.StatusOK)
				}
			}
			b := w.AsStaff(cardea.RoleViewer)
			for _, path := range []string{"/applications", "/service-accounts", "/credentials"} {
				want(t, b.Get("/dashboard/as/"+w.One.ID+path), http.StatusOK)
			}
			want(t, b.Get("/dashboard/as/"+w.One.ID+"/sessions"), http.StatusNotFound)
		})
	}
}
