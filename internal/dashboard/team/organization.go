package team

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/web"
)

var organizationRoutes = []web.Route{
	{Pattern: "GET /organization", Page: "organization", Serve: organization},
	{Pattern: "POST /organization", Page: "organization", Serve: rename},
	{Pattern: "GET /organization/sign-on", Page: "organization", Serve: signOn},
	{Pattern: "POST /organization/sign-on", Page: "organization", Serve: setSignOn},
	{Pattern: "GET /organization/sign-on/remove", Page: "organization", Serve: askRemoveSignOn},
	{Pattern: "POST /organization/sign-on/remove", Page: "organization", Serve: removeSignOn},
}

// organizationPage is the data of the organization's settings.
type organizationPage struct {
	Path     string
	Name     string
	Problems map[string]string

	Plan   *contract.Plan // nil where the contract has no plans
	Limits manage.Limits  // in force
	Own    bool           // they are the organization's own, not its plan's

	// Connection is how members sign in through their company; nil: they do not.
	// SeesConnection is false when the contract offers no such way, or the visitor may not
	// know.
	Connection     *manage.Connection
	SeesConnection bool
	MayConnect     bool
}

// title returns the name of the page.
func title(v *web.Visit) string { return v.PageTitle("organization", "Organization settings") }

// organization shows the settings.
func organization(v *web.Visit) { showOrganization(v, http.StatusOK, v.Organization.Name, nil) }

func showOrganization(v *web.Visit, status int, name string, problems map[string]string) {
	p := organizationPage{
		Path: v.Base + "/organization", Name: name, Problems: problems, Plan: v.Contract.Plan(v.Organization.Plan),
		MayConnect:     v.May(access.Own),
		SeesConnection: v.May(access.ReadAdmin) && slices.Contains(v.Contract.SignIn().Methods, people.MethodSSO),
	}
	if p.Plan != nil {
		p.Limits = manage.Limits{PerMinute: p.Plan.PerMinute, Burst: p.Plan.Burst, PerDay: p.Plan.PerDay}
	}
	if v.Organization.Limits != nil {
		p.Limits, p.Own = *v.Organization.Limits, true
	}
	if p.SeesConnection {
		var err error
		if p.Connection, err = connection(v); err != nil {
			v.Fail(err)
			return
		}
	}
	v.Render(status, web.View{Title: title(v), Template: "organization", Data: p})
}

// connection returns how members sign in through their company, nil when they do not.
func connection(v *web.Visit) (*manage.Connection, error) {
	found, err := v.Manage.Connection(v.R.Context(), v.Actor, manage.ConnectionID{Organization: v.Organization.ID})
	switch {
	case cardea.KindOf(err) == cardea.KindNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &found, nil
}

// rename changes the organization's name.
func rename(v *web.Visit) {
	name := v.Value("name")
	_, err := v.Manage.UpdateOrganization(v.R.Context(), v.Actor, manage.UpdateOrganization{ID: v.Organization.ID, Name: &name})
	if problems, ok := v.Problems(err); ok {
		showOrganization(v, http.StatusUnprocessableEntity, name, problems)
		return
	}
	organizationDone(v, "The name is changed.", err)
}

func organizationDone(v *web.Visit, notice string, err error) {
	if err != nil {
		v.Fail(err)
		return
	}
	v.See("/organization", notice)
}

// signOnPage is the data of the form of single sign-on.
type signOnPage struct {
	Path     string // of the form
	Back     string
	Is       bool // there is a connection
	HasKept  bool // with a secret, which stays when none is typed
	Form     manage.SetConnection
	Domains  string
	Roles    []web.Option
	Callback string // what the provider must be told
	Problems map[string]string
}

// signOn shows the form of single sign-on.
func signOn(v *web.Visit) {
	found, err := connection(v)
	if err != nil {
		v.Fail(err)
		return
	}
	if !v.May(access.Own) {
		v.Fail(errMayNot())
		return
	}
	form := manage.SetConnection{Role: cardea.RoleViewer}
	if found != nil {
		form = manage.SetConnection{
			Issuer: found.Issuer, ClientID: found.ClientID, AutoJoin: found.AutoJoin, Role: found.Role, Domains: found.Domains, Insecure: found.Insecure,
		}
	}
	showSignOn(v, http.StatusOK, form, found, nil)
}

func showSignOn(v *web.Visit, status int, form manage.SetConnection, found *manage.Connection, problems map[string]string) {
	v.Render(status, web.View{
		Title: "Single sign-on", Template: "sign-on", Crumbs: []web.Crumb{{Text: title(v), Path: "/organization"}},
		Data: signOnPage{
			Path: v.Base + "/organization/sign-on", Back: v.Base + "/organization", Is: found != nil, HasKept: found != nil && found.HasSecret,
			Form: form, Domains: strings.Join(form.Domains, "\n"), Problems: problems,
			Roles: roll{}.options(), Callback: v.Origin() + people.CallbackPath,
		},
	})
}

// options returns the roles as choices, from the least.
func (r roll) options() []web.Option {
	var options []web.Option
	for _, role := range r.roles("") {
		options = append([]web.Option{{Value: string(role.Value), Text: role.Text}}, options...)
	}
	return options
}

// setSignOn names the provider through which members sign in.
func setSignOn(v *web.Visit) {
	form := manage.SetConnection{
		Organization: v.Organization.ID, Issuer: v.Value("issuer"), ClientID: v.Value("client_id"), ClientSecret: v.Value("client_secret"),
		AutoJoin: v.Value("auto_join") != "", Role: cardea.Role(v.Value("role")), Domains: v.Lines("domains"),
	}
	found, err := connection(v)
	if err == nil {
		form.Insecure = found != nil && found.Insecure && v.May(access.Nobody) // which the form does not change
		_, err = v.Manage.SetConnection(v.R.Context(), v.Actor, form)
	}
	if problems, ok := v.Problems(err); ok {
		form.ClientSecret = ""
		showSignOn(v, http.StatusUnprocessableEntity, form, found, problems)
		return
	}
	organizationDone(v, "Members sign in through their company now.", err)
}

// askRemoveSignOn asks whether single sign-on is to end.
func askRemoveSignOn(v *web.Visit) {
	found, err := connection(v)
	if err == nil && found == nil {
		err = access.NotFound("connection")
	}
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{
		Title: "Remove single sign-on", Template: "remove-sign-on", Block: "confirm",
		Crumbs: []web.Crumb{{Text: title(v), Path: "/organization"}},
		Data:   signOnPage{Path: v.Base + "/organization/sign-on", Back: v.Base + "/organization", Form: manage.SetConnection{Issuer: found.Issuer}},
	})
}

// removeSignOn ends single sign-on.
func removeSignOn(v *web.Visit) {
	_, err := v.Manage.DeleteConnection(v.R.Context(), v.Actor, manage.ConnectionID{Organization: v.Organization.ID})
	organizationDone(v, "Single sign-on is removed. Sessions that there are stay.", err)
}
