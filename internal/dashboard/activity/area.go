package activity

import (
	"embed"

	"github.com/cardea-dev/cardea/internal/web"
)

//go:embed templates/*.html
var files embed.FS

var templates = web.Parse(files, "templates")

// routes are the pages of an organization, with the name that the page has in the
// console; "" for those that are not there.
var table = []struct {
	pattern, page, console string
	serve                  func(*web.Visit)
}{
	{"GET /usage", "usage", "all_usage", usage},
	{"GET /limits", "limits", "", limits},
	{"GET /errors", "errors", "all_errors", groups},
	{"GET /requests", "request_log", "all_requests", requests},
	{"GET /requests/{request}", "request_log", "all_requests", request},
	{"GET /audit", "audit", "all_audit", audit},
	{"GET /audit/export", "audit", "all_audit", export},
	{"GET /webhooks", "webhooks", "all_webhooks", webhooks},
	{"GET /webhooks/new", "webhooks", "all_webhooks", newWebhook},
	{"POST /webhooks", "webhooks", "all_webhooks", createWebhook},
	{"GET /webhooks/{webhook}", "webhooks", "all_webhooks", showWebhook},
	{"GET /webhooks/{webhook}/edit", "webhooks", "all_webhooks", editWebhook},
	{"POST /webhooks/{webhook}", "webhooks", "all_webhooks", updateWebhook},
	{"POST /webhooks/{webhook}/test", "webhooks", "all_webhooks", testWebhook},
	{"POST /webhooks/{webhook}/reveal", "webhooks", "all_webhooks", revealWebhook},
	{"GET /webhooks/{webhook}/rotate", "webhooks", "all_webhooks", askRotateWebhook},
	{"POST /webhooks/{webhook}/rotate", "webhooks", "all_webhooks", rotateWebhook},
	{"POST /webhooks/{webhook}/disable", "webhooks", "all_webhooks", disableWebhook},
	{"POST /webhooks/{webhook}/enable", "webhooks", "all_webhooks", enableWebhook},
	{"GET /webhooks/{webhook}/delete", "webhooks", "all_webhooks", askDeleteWebhook},
	{"POST /webhooks/{webhook}/delete", "webhooks", "all_webhooks", deleteWebhook},
	{"GET /webhooks/{webhook}/deliveries/{delivery}", "webhooks", "all_webhooks", showDelivery},
	{"POST /webhooks/{webhook}/deliveries/{delivery}/redeliver", "webhooks", "all_webhooks", redeliver},
}

// Area returns the area. What an organization's pages show of one organization, those of
// the console show of all.
func Area() web.Area {
	area := web.Area{Name: "activity", Templates: templates}
	for _, r := range table {
		area.Routes = append(area.Routes, web.Route{Pattern: r.pattern, Page: r.page, Serve: r.serve})
		if r.console != "" {
			area.Routes = append(area.Routes, web.Route{Pattern: r.pattern, Page: r.console, Console: true, Serve: r.serve})
		}
	}
	return area
}
