package console

import (
	"net/http"

	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/web"
)

// healthPage is the data of the page of how Cardea is.
type healthPage struct {
	Path   string
	Health insight.Health
}

// health shows how Cardea is, and asks again while somebody looks.
func health(v *web.Visit) {
	found, err := v.Insight.Health(v.R.Context(), v.Actor, access.None{})
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: "Health", Template: "health", Block: "health", Data: healthPage{Path: v.Base + "/health", Health: found}})
}
