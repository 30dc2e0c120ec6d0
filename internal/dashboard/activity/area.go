package activity

import (
	"embed"

	"github.com/cardea-dev/cardea/internal/web"
)

//go:embed templates/*.html
var files embed.FS

// Area returns the area. What an organization's pages show of one organization, those of
// the console show of all.
func Area() web.Area {
	area := web.Area{Name: "activity", Templates: web.Parse(files, "templates")}
	for _, r := range []struct {
		pattern, page, console string // console: the name of the page there, "" for none
		serve                  func(*web.Visit)
	}{
		{"GET /usage", "usage", "all_usage", usage},
		{"GET /limits", "limits", "", limits},
		{"GET /errors", "errors", "all_errors", groups},
		{"GET /requests", "request_log", "all_requests", requests},
		{"GET /requests/{request}", "request_log", "all_requests", request},
		{"GET /audit", "audit", "all_audit", audit},
		{"GET /audit/export", "audit", "all_audit", export},
	} {
		area.Routes = append(area.Routes, web.Route{Pattern: r.pattern, Page: r.page, Serve: r.serve})
		if r.console != "" {
			area.Routes = append(area.Routes, web.Route{Pattern: r.pattern, Page: r.console, Console: true, Serve: r.serve})
		}
	}
	return area
}
