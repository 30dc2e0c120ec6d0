package dashboard

import (
	"github.com/cardea-dev/cardea/internal/dashboard/activity"
	"github.com/cardea-dev/cardea/internal/dashboard/apps"
	"github.com/cardea-dev/cardea/internal/dashboard/console"
	"github.com/cardea-dev/cardea/internal/dashboard/keys"
	"github.com/cardea-dev/cardea/internal/dashboard/team"
	"github.com/cardea-dev/cardea/internal/web"
)

// New returns the dashboard with every area.
func New(c web.Config) *web.Portal {
	return web.New(c, keys.Area(), apps.Area(), activity.Area(), team.Area(), console.Area())
}
