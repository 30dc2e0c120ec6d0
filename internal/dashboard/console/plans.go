package console

import (
	"net/http"

	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// plansPage is the data of the page of plans.
type plansPage struct {
	Plans []manage.Plan
	Per   string // whose requests are counted together
}

// plans shows the contract's plans and who has them.
func plans(v *web.Visit) {
	found, err := v.Manage.Plans(v.R.Context(), v.Actor, manage.None{})
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: "Plans", Template: "plans", Data: plansPage{Plans: found.Items, Per: string(v.Contract.LimitsPer())}})
}
