package dashboard

import (
	"github.com/cardea-dev/cardea/internal/dashboard/activity"
	"github.com/cardea-dev/cardea/internal/dashboard/apps"
	"github.com/cardea-dev/cardea/internal/dashboard/console"
	"github.com/cardea-dev/cardea/internal/dashboard/keys"
	"github.com/cardea-dev/cardea/internal/dashboard/team"
	"github.com/cardea-dev/cardea/internal/web"
)

// Areas returns every area of the dashboard.
func Areas() []web.Area {
	return []web.Area{keys.Area(), apps.Area(), activity.Area(), team.Area(), console.Area()}
}

// New returns the dashboard with every area.
func New(c web.Config) *web.Portal { return web.New(c, Areas()...) }
