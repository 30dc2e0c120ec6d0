package console

import (
	"net/http"

	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// issuersPage is the data of the page of everybody whose tokens are accepted.
type issuersPage struct {
	Trusted []manage.TrustedIssuer      // by the contract
	Own     []manage.OrganizationIssuer // by organizations
	Next    string
	MayOwn  bool // the contract lets organizations name some
}

// issuers shows the identity providers that the contract trusts, and those that
// organizations do.
func issuers(v *web.Visit) {
	trusted, err := v.Manage.TrustedIssuers(v.R.Context(), v.Actor, manage.None{})
	if err != nil {
		v.Fail(err)
		return
	}
	own, err := v.Manage.OrganizationIssuers(v.R.Context(), v.Actor, manage.IssuerFilter{Page: manage.Page{Cursor: v.Query("cursor")}})
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: "Trusted issuers", Template: "issuers", Wide: true, Data: issuersPage{
		Trusted: trusted.Items, Own: own.Items, Next: nextPage(v, own.Next), MayOwn: v.Contract.OrganizationIssuers() != nil,
	}})
}
