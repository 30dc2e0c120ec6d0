package keys

import (
	"embed"

	"github.com/cardea-dev/cardea/internal/web"
)

//go:embed templates/*.html
var files embed.FS

var templates = web.Parse(files, "templates")

// page is the pages' name in the contract.
const page = "keys"

// Area returns the pages of keys.
func Area() web.Area {
	route := func(pattern string, serve func(*web.Visit)) web.Route {
		return web.Route{Pattern: pattern, Page: page, Serve: serve}
	}
	return web.Area{
		Name: "keys", Templates: templates,
		Routes: []web.Route{
			route("GET /keys", list),
			route("GET /keys/new", newKey),
			route("POST /keys/new", create),
			route("GET /keys/revoke", confirmRevokeMany),
			route("POST /keys/revoke", revokeMany),
			route("GET /keys/{key}", show),
			route("GET /keys/{key}/edit", editForm),
			route("POST /keys/{key}/edit", edit),
			route("GET /keys/{key}/disable", confirmDisable),
			route("POST /keys/{key}/disable", disable),
			route("POST /keys/{key}/enable", enable),
			route("GET /keys/{key}/rotate", rotateForm),
			route("POST /keys/{key}/rotate", rotate),
			route("GET /keys/{key}/rotation", rotationNow),
			route("POST /keys/{key}/finish", finish),
			route("GET /keys/{key}/revoke", confirmRevoke),
			route("POST /keys/{key}/revoke", revoke),
			route("POST /keys/{key}/reveal", reveal),
		},
	}
}
