package console

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

var organizationRoutes = []web.Route{
	{Pattern: "GET /organizations", Page: "organizations", Console: true, Serve: organizations},
	{Pattern: "GET /organizations/new", Page: "organizations", Console: true, Serve: newOrganization},
	{Pattern: "POST /organizations/new", Page: "organizations", Console: true, Serve: createOrganization},
	{Pattern: "GET /organizations/{organization}", Page: "organizations", Console: true, Serve: showOrganization},
	{Pattern: "POST /organizations/{organization}", Page: "organizations", Console: true, Serve: updateOrganization},
	{Pattern: "GET /organizations/{organization}/suspend", Page: "organizations", Console: true, Serve: askSuspend},
	{Pattern: "POST /organizations/{organization}/suspend", Page: "organizations", Console: true, Serve: act((*manage.Manager).SuspendOrganization, " is suspended: every credential of theirs is refused.")},
	{Pattern: "POST /organizations/{organization}/resume", Page: "organizations", Console: true, Serve: act((*manage.Manager).ResumeOrganization, " works again, with the credentials that it had.")},
	{Pattern: "GET /organizations/{organization}/offboard", Page: "organizations", Console: true, Serve: askOffboard},
	{Pattern: "POST /organizations/{organization}/offboard", Page: "organizations", Console: true, Serve: offboard},
	{Pattern: "POST /organizations/{organization}/members/{member}/handoff", Page: "organizations", Console: true, Serve: handOff},
}

// organizationsPage is the data of the list.
type organizationsPage struct {
	Path   string
	Filter manage.OrganizationFilter
	Items  []manage.Organization
	Next   string
	Plans  []web.Option
}

// Filtered reports whether the list is narrowed.
func (p organizationsPage) Filtered() bool {
	return p.Filter.Search != "" || p.Filter.Plan != "" || p.Filter.Status != ""
}

// NoCustomer reports whether nobody is listed but the company's own people.
func (p organizationsPage) NoCustomer() bool {
	return !p.Filtered() && p.Filter.Cursor == "" && p.Next == "" && !slices.ContainsFunc(p.Items, func(o manage.Organization) bool { return !o.Staff })
}

// StatusOptions are the choices of the filter.
func (organizationsPage) StatusOptions() []web.Option {
	return []web.Option{{Value: "", Text: "Any status"}, {Value: "active", Text: "Active"}, {Value: "suspended", Text: "Suspended"}}
}

// organizations lists the organizations.
func organizations(v *web.Visit) {
	filter := manage.OrganizationFilter{
		Search: v.Query("q"), Plan: v.Query("plan"), Status: manage.OrganizationStatus(v.Query("status")),
		Page: manage.Page{Cursor: v.Query("cursor")},
	}
	found, err := v.Manage.Organizations(v.R.Context(), v.Actor, filter)
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: "Organizations", Template: "organizations", Block: "table", Wide: true, Data: organizationsPage{
		Path: v.Base + "/organizations", Filter: filter, Items: found.Items, Next: nextPage(v, found.Next), Plans: planOptions(v, "Any plan"),
	}})
}

// planOptions returns the contract's plans as choices, after one for none if it has a
// text.
func planOptions(v *web.Visit, none string) []web.Option {
	var options []web.Option
	if none != "" {
		options = append(options, web.Option{Text: none})
	}
	for _, p := range v.Contract.Plans() {
		options = append(options, web.Option{Value: p.Name, Text: p.Label})
	}
	return options
}

// organizationForm is what the forms of an organization hold.
type organizationForm struct {
	Name, Plan               string
	OwnLimits                bool // in place of the plan's
	PerMinute, Burst, PerDay string
	Problems                 map[string]string
}

// formOf returns the form of an organization as it is.
func formOf(o manage.Organization) organizationForm {
	f := organizationForm{Name: o.Name, Plan: o.Plan}
	if o.Limits != nil {
		f.OwnLimits = true
		f.PerMinute, f.Burst, f.PerDay = figure(o.Limits.PerMinute), figure(o.Limits.Burst), figure(o.Limits.PerDay)
	}
	return f
}

// figure returns a limit as the value of a field: nothing for none.
func figure(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// readForm reads the form that was sent, and the limits in it: nil for the plan's. ok is
// false when one of them is no number, as the form then says.
func readForm(v *web.Visit) (f organizationForm, limits *manage.Limits, ok bool) {
	f = organizationForm{
		Name: v.Value("name"), Plan: v.Value("plan"), OwnLimits: v.Value("limits") == "own",
		PerMinute: v.Value("per_minute"), Burst: v.Value("burst"), PerDay: v.Value("per_day"), Problems: map[string]string{},
	}
	if !f.OwnLimits {
		return f, nil, true
	}
	limits = &manage.Limits{}
	for _, field := range []struct {
		name, text string
		to         *int64
	}{{"limits.per_minute", f.PerMinute, &limits.PerMinute}, {"limits.burst", f.Burst, &limits.Burst}, {"limits.per_day", f.PerDay, &limits.PerDay}} {
		n, err := strconv.ParseInt(field.text, 10, 64)
		if err != nil && field.text != "" {
			f.Problems[field.name] = "must be a whole number; nothing for no limit"
		}
		*field.to = n
	}
	return f, limits, len(f.Problems) == 0
}

// newPage is the data of the form of a new organization.
type newPage struct {
	Path  string
	Form  organizationForm
	Plans []web.Option
}

func newOrganization(v *web.Visit) {
	if !mayChange(v) {
		return
	}
	form := organizationForm{Name: v.Query("name")}
	if p := v.Contract.DefaultPlan(); p != nil {
		form.Plan = p.Name
	}
	showNew(v, http.StatusOK, form)
}

func showNew(v *web.Visit, status int, form organizationForm) {
	v.Render(status, web.View{
		Title: "New organization", Template: "new", Crumbs: []web.Crumb{{Text: "Organizations", Path: "/organizations"}},
		Data: newPage{Path: v.Base + "/organizations", Form: form, Plans: planOptions(v, "")},
	})
}

// createOrganization creates an organization and leads to its page.
func createOrganization(v *web.Visit) {
	form, limits, ok := readForm(v)
	if !ok {
		showNew(v, http.StatusUnprocessableEntity, form)
		return
	}
	made, err := v.Manage.CreateOrganization(v.R.Context(), v.Actor, manage.CreateOrganization{Name: form.Name, Plan: form.Plan, Limits: limits})
	if form.Problems, ok = v.Problems(err); ok {
		showNew(v, http.StatusUnprocessableEntity, form)
		return
	}
	done(v, "/organizations/"+made.ID, made.Name+" is created. Invite its first member on its own pages.", err)
}
