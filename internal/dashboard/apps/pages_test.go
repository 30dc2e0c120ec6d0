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
					a := b.Get("/dashboard" + path)
					if path == "/applications" && name == "coactive" { // there they are credentials
						a = b.Follow(a)
					}
					want(t, a, http.StatusOK)
				}
			}
			b := w.AsStaff(cardea.RoleViewer)
			for _, path := range []string{"/applications", "/service-accounts", "/credentials"} {
				if a := b.Get("/dashboard/as/" + w.One.ID + path); a.Status != http.StatusOK && a.Location() != "/dashboard/as/"+w.One.ID+"/credentials" {
					t.Errorf("%s: %d", path, a.Status)
				}
			}
			want(t, b.Get("/dashboard/as/"+w.One.ID+"/sessions"), http.StatusNotFound)
		})
	}
}
