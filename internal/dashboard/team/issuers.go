package team

import (
	"net/http"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

var issuerRoutes = []web.Route{
	{Pattern: "GET /issuers", Page: "issuers", Serve: issuers},
	{Pattern: "POST /issuers", Page: "issuers", Serve: setIssuer},
	{Pattern: "GET /issuers/remove", Page: "issuers", Serve: askRemoveIssuer},
	{Pattern: "POST /issuers/remove", Page: "issuers", Serve: removeIssuer},
}

// issuersPage is the data of the page of an organization's trusted issuer.
type issuersPage struct {
	Path, Title  string
	Environment  *contract.Environment // nil where one issuer is for all
	Environments []tab
	Own          *contract.OrganizationIssuers
	Scopes       []string // the most that its tokens may do
	Audience     string   // that its tokens must have, when none is named

	Issuer                        manage.OrganizationIssuer // its URL is "" when there is none
	URL, IssuerText, AudienceText string                    // what the form holds
	Problems                      map[string]string
}

// EnvironmentName returns the name of the environment, "" where one issuer is for all.
func (p issuersPage) EnvironmentName() string {
	if p.Environment == nil {
		return ""
	}
	return p.Environment.Name
}

// Query returns what comes after the path of this issuer's page.
func (p issuersPage) Query() string {
	if p.Environment == nil {
		return ""
	}
	return "?" + environmentParam + "=" + p.Environment.Name
}

// issuerPage returns the page of the environment that a request names, or answers.
func issuerPage(v *web.Visit, name string) (issuersPage, bool) {
	own := v.Contract.OrganizationIssuers()
	if own == nil {
		v.Fail(cardea.Errorf(cardea.KindNotFound, "organizations have no issuers of their own here"))
		return issuersPage{}, false
	}
	p := issuersPage{
		Path: v.Base + "/issuers", Title: v.PageTitle("issuers", "Trusted issuers"), Own: own, Audience: v.Contract.Audience(),
		Scopes: v.Contract.ScopeNames(own.Scopes),
	}
	if own.PerEnvironment {
		var ok bool
		if p.Environment, ok = environment(v, name); !ok {
			return issuersPage{}, false
		}
		p.Environments = environmentTabs(v, "/issuers", p.Environment)
	}
	found, err := v.Manage.OrganizationIssuers(v.R.Context(), v.Actor, manage.IssuerFilter{
		Organization: v.Organization.ID, Environment: p.EnvironmentName(),
	})
	if err != nil {
		v.Fail(err)
		return issuersPage{}, false
	}
	if len(found.Items) > 0 {
		p.Issuer = found.Items[0]
		p.URL, p.IssuerText, p.AudienceText = p.Issuer.JWKSURL, p.Issuer.Issuer, p.Issuer.Audience
	}
	return p, true
}

// issuers shows the issuer of an environment.
func issuers(v *web.Visit) {
	if p, ok := issuerPage(v, v.Query(environmentParam)); ok {
		p.show(v, http.StatusOK)
	}
}

func (p issuersPage) show(v *web.Visit, status int) {
	v.Render(status, web.View{Title: p.Title, Template: "issuers", Data: p})
}

// setIssuer names an issuer in place of the one there may be.
func setIssuer(v *web.Visit) {
	p, ok := issuerPage(v, v.Value(environmentParam))
	if !ok {
		return
	}
	p.URL, p.IssuerText, p.AudienceText = v.Value("url"), v.Value("issuer"), v.Value("audience")
	if p.URL == "" { // which would remove it: that is another button
		p.Problems = map[string]string{"url": "is required"}
		p.show(v, http.StatusUnprocessableEntity)
		return
	}
	_, err := v.Manage.SetOrganizationIssuer(v.R.Context(), v.Actor, manage.SetOrganizationIssuer{
		Organization: v.Organization.ID, Environment: p.EnvironmentName(), URL: &p.URL, Issuer: p.IssuerText, Audience: p.AudienceText,
	})
	if problems, ok := v.Problems(err); ok {
		p.Problems = problems
		p.show(v, http.StatusUnprocessableEntity)
		return
	}
	p.done(v, "The issuer is trusted: its keys were fetched.", err)
}

func (p issuersPage) done(v *web.Visit, notice string, err error) {
	if err != nil {
		v.Fail(err)
		return
	}
	v.See("/issuers"+p.Query(), notice)
}

// askRemoveIssuer asks whether the issuer is to go.
func askRemoveIssuer(v *web.Visit) {
	p, ok := issuerPage(v, v.Query(environmentParam))
	if !ok {
		return
	}
	if p.Issuer.JWKSURL == "" {
		v.Fail(access.NotFound("issuer"))
		return
	}
	v.Render(http.StatusOK, web.View{
		Title: "Remove the issuer", Template: "remove-issuer", Block: "confirm", Data: p,
		Crumbs: []web.Crumb{{Text: p.Title, Path: "/issuers" + p.Query()}},
	})
}

// removeIssuer ends the trust.
func removeIssuer(v *web.Visit) {
	p, ok := issuerPage(v, v.Value(environmentParam))
	if !ok {
		return
	}
	none := ""
	_, err := v.Manage.SetOrganizationIssuer(v.R.Context(), v.Actor, manage.SetOrganizationIssuer{
		Organization: v.Organization.ID, Environment: p.EnvironmentName(), URL: &none,
	})
	p.done(v, "The issuer is removed: its tokens are refused.", err)
}
