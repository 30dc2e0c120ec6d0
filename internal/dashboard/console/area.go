package console

import (
	"embed"
	"slices"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/web"
)

//go:embed templates/*.html
var files embed.FS

var templates = web.Parse(files, "templates")

// Area returns the area.
func Area() web.Area {
	return web.Area{
		Name: "console", Templates: templates,
		Routes: slices.Concat(organizationRoutes, contractRoutes, hookRoutes, signingRoutes, tokenRoutes, []web.Route{
			{Pattern: "GET /plans", Page: "plans", Console: true, Serve: plans},
			{Pattern: "GET /issuers", Page: "trusted_issuers", Console: true, Serve: issuers},
			{Pattern: "GET /health", Page: "health", Console: true, Serve: health},
		}),
	}
}

// mayChange reports whether the visitor may change anything, and answers when they may
// not: what the use case would say, said before a form is filled in for nothing.
func mayChange(v *web.Visit) bool {
	if v.May(access.Nobody) {
		return true
	}
	v.Fail(cardea.Errorf(cardea.KindForbidden, "your role may look at everything and change nothing"))
	return false
}

// done leads to a page after a change, with a sentence, or says why there was none.
func done(v *web.Visit, path, notice string, err error) {
	if err != nil {
		v.Fail(err)
		return
	}
	v.See(path, notice)
}

// nextPage returns the address of the next page of a list with the filter it has, "" on
// the last one.
func nextPage(v *web.Visit, cursor string) string {
	if cursor == "" {
		return ""
	}
	query := v.R.URL.Query()
	query.Set("cursor", cursor)
	return v.R.URL.Path + "?" + query.Encode()
}
