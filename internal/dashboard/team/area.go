package team

import (
	"embed"

	"github.com/cardea-dev/cardea/internal/web"
)

//go:embed templates/*.html
var files embed.FS

// Area returns the area.
func Area() web.Area {
	return web.Area{
		Name: "team", Templates: web.Parse(files, "templates"),
		Routes: []web.Route{},
	}
}
