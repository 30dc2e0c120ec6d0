package signin

import (
	"slices"
	"time"

	"github.com/cardea-dev/cardea/internal/pages"
	"github.com/cardea-dev/cardea/internal/password"
)

// minPassword is the least length of a password, for the hint beside the field.
const minPassword = password.MinLength

// instant returns a time as pages show it.
func (v *visit) instant(at time.Time) pages.Instant { return pages.Instant{At: at, Now: v.cfg.Now()} }

// offers reports whether the contract lets people sign in this way.
func (v *visit) offers(method string) bool {
	return slices.Contains(v.contract.SignIn().Methods, method)
}
