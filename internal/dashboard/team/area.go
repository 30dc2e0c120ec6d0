package team

import (
	"embed"
	"slices"

	"github.com/cardea-dev/cardea/internal/web"
)

//go:embed templates/*.html
var files embed.FS

var templates = web.Parse(files, "templates")

// Area returns the area.
func Area() web.Area {
	return web.Area{
		Name: "team", Templates: templates,
		Routes: slices.Concat(
			roll{page: "members", path: "/members"}.routes(),
			roll{page: "staff", path: "/staff", console: true}.routes(),
			addressRoutes, issuerRoutes, organizationRoutes,
		),
	}
}
