package console

import (
	"context"
	"net/http"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// shownMembers is how many members the page of an organization shows; its own pages have
// all of them.
const shownMembers = 20

// organizationPage is the data of an organization's page, and of what is asked about it.
type organizationPage struct {
	Path, As     string // of this page, and of the organization's own pages
	Organization manage.Organization
	Form         organizationForm
	Plans        []web.Option
	Plan         *contract.Plan // nil where the contract has no plans, or this one no more

	Keys        manage.Counts
	Members     []manage.Member
	MoreMembers bool
	Clients     string // how many, as "3" or "200 or more"; "": the contract has none
	Accounts    string

	Problems map[string]string // of a confirmation
}

// load returns the page of the organization that the path names, or answers.
func load(v *web.Visit) (organizationPage, bool) {
	o, err := v.Manage.Organization(v.R.Context(), v.Actor, manage.ID{ID: v.Path("organization")})
	if err != nil {
		v.Fail(err)
		return organizationPage{}, false
	}
	p := organizationPage{
		Path: v.Base + "/organizations/" + o.ID, As: web.Prefix + "/as/" + o.ID, Organization: o, Form: formOf(o),
		Plans: planOptions(v, ""), Plan: v.Contract.Plan(o.Plan),
	}
	if p.Plan == nil && o.Plan != "" { // of an earlier contract: the form must not change it by being sent
		p.Plans = append([]web.Option{{Value: o.Plan, Text: o.Plan + " (not in the contract)"}}, p.Plans...)
	}
	return p, true
}

// count fills in what there is of an organization, in numbers.
func (p *organizationPage) count(v *web.Visit) error {
	ctx, most := v.R.Context(), manage.Page{Limit: access.MaxLimit}
	var err error
	if p.Keys, err = v.Manage.KeyCounts(ctx, v.Actor, manage.KeyFilter{Organization: p.Organization.ID}); err != nil {
		return err
	}
	members, err := v.Manage.Members(ctx, v.Actor, manage.MemberFilter{Organization: p.Organization.ID, Page: most})
	if err != nil {
		return err
	}
	p.Members, p.MoreMembers = members.Items, members.Next != ""
	filter := manage.ClientFilter{Organization: p.Organization.ID, Page: most}
	// Each is a walk through all credentials of the organization, so that it is not done
	// for what the contract has not.
	if v.Contract.Clients() != nil {
		clients, err := v.Manage.Clients(ctx, v.Actor, filter)
		if err != nil {
			return err
		}
		p.Clients = atLeast(len(clients.Items), clients.Next)
	}
	if v.Contract.ServiceAccounts() != nil {
		accounts, err := v.Manage.ServiceAccounts(ctx, v.Actor, filter)
		if err != nil {
			return err
		}
		p.Accounts = atLeast(len(accounts.Items), accounts.Next)
	}
	return nil
}

// MemberCount says how many members there are.
func (p organizationPage) MemberCount() string {
	if p.MoreMembers {
		return atLeast(len(p.Members), "more")
	}
	return atLeast(len(p.Members), "")
}

// Shown are the members that the page shows.
func (p organizationPage) Shown() []manage.Member {
	return p.Members[:min(len(p.Members), shownMembers)]
}

// atLeast returns a number in words: next is not "" when there are more than were counted.
func atLeast(n int, next string) string {
	text := figure(int64(n))
	switch {
	case n == 0:
		return "0"
	case next != "":
		return text + " or more"
	}
	return text
}

// showOrganization shows an organization.
func showOrganization(v *web.Visit) {
	if p, ok := load(v); ok {
		p.show(v, http.StatusOK)
	}
}

func (p organizationPage) show(v *web.Visit, status int) {
	if err := p.count(v); err != nil {
		v.Fail(err)
		return
	}
	v.Render(status, web.View{
		Title: p.Organization.Name, Template: "organization", Data: p, Crumbs: []web.Crumb{{Text: "Organizations", Path: "/organizations"}},
	})
}

// updateOrganization changes name, plan and limits.
func updateOrganization(v *web.Visit) {
	p, ok := load(v)
	if !ok {
		return
	}
	form, limits, ok := readForm(v)
	p.Form = form
	if !ok {
		p.show(v, http.StatusUnprocessableEntity)
		return
	}
	in := manage.UpdateOrganization{ID: p.Organization.ID, Name: &form.Name, Limits: limits, InheritLimits: limits == nil}
	if form.Plan != p.Organization.Plan {
		in.Plan = &form.Plan
	}
	_, err := v.Manage.UpdateOrganization(v.R.Context(), v.Actor, in)
	if p.Form.Problems, ok = v.Problems(err); ok {
		p.show(v, http.StatusUnprocessableEntity)
		return
	}
	p.done(v, "Changes saved. They hold from now on.", err)
}

func (p organizationPage) done(v *web.Visit, notice string, err error) {
	done(v, "/organizations/"+p.Organization.ID, notice, err)
}

// ask shows a page that asks whether something is meant, and says what would happen.
func (p organizationPage) ask(v *web.Visit, status int, template, title string) {
	if err := p.count(v); err != nil {
		v.Fail(err)
		return
	}
	v.Render(status, web.View{
		Title: title + " " + p.Organization.Name, Template: template, Block: "confirm", Data: p,
		Crumbs: []web.Crumb{{Text: "Organizations", Path: "/organizations"}, {Text: p.Organization.Name, Path: "/organizations/" + p.Organization.ID}},
	})
}

func askSuspend(v *web.Visit) {
	if p, ok := load(v); ok && mayChange(v) {
		p.ask(v, http.StatusOK, "suspend", "Suspend")
	}
}

// act returns what answers a button that does one thing to an organization, with what is
// said after its name when it is done.
func act(do func(*manage.Manager, context.Context, cardea.Actor, manage.ID) (manage.Organization, error), said string) func(*web.Visit) {
	return func(v *web.Visit) {
		if p, ok := load(v); ok {
			_, err := do(v.Manage, v.R.Context(), v.Actor, manage.ID{ID: p.Organization.ID})
			p.done(v, p.Organization.Name+said, err)
		}
	}
}

func askOffboard(v *web.Visit) {
	if p, ok := load(v); ok && mayChange(v) {
		p.ask(v, http.StatusOK, "offboard", "Offboard")
	}
}

// offboard ends a customer relation, once the customer's name is typed.
func offboard(v *web.Visit) {
	p, ok := load(v)
	if !ok {
		return
	}
	if v.Value("confirm") != p.Organization.Name {
		p.Problems = map[string]string{"confirm": "This is not its name. Nothing was done."}
		p.ask(v, http.StatusUnprocessableEntity, "offboard", "Offboard")
		return
	}
	out, err := v.Manage.OffboardOrganization(v.R.Context(), v.Actor, manage.Offboard{ID: p.Organization.ID, Reason: v.Value("reason")})
	p.done(v, p.Organization.Name+" is offboarded: "+atLeast(out.KeysRevoked, "")+" credentials revoked, "+
		atLeast(out.MembersDisabled, "")+" members disabled.", err)
}

// handOffPage is the data of the page that shows a hand-off link, once.
type handOffPage struct {
	Path   string // of the organization
	Member manage.Member
	Link   manage.Link
	URL    string
}

// handOff makes a link that lets its reader in as a member, and shows it: in this answer,
// and never again.
func handOff(v *web.Visit) {
	p, ok := load(v)
	if !ok {
		return
	}
	member, err := v.Manage.Member(v.R.Context(), v.Actor, manage.ID{ID: v.Path("member")})
	if err == nil && member.Organization != p.Organization.ID {
		err = access.NotFound("member")
	}
	var link manage.Link
	if err == nil {
		link, err = v.Manage.CreateHandoff(v.R.Context(), v.Actor, manage.CreateHandoff{Member: member.ID})
	}
	if err != nil {
		v.Fail(err)
		return
	}
	url := link.URL.Reveal()
	if link.URL.IsZero() {
		url = v.Origin() + "/" + link.Purpose + "/" + link.Secret.Reveal()
	}
	v.Render(http.StatusOK, web.View{Title: "Hand-off link for " + member.Name, Template: "handoff", Secret: true, Data: handOffPage{
		Path: p.Path, Member: member, Link: link, URL: url,
	}})
}
