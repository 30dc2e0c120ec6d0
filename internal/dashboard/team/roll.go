package team

import (
	"cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// A roll is a place where the members of one organization are managed: the portal's page,
// or the console's page of the company's own people.
type roll struct {
	page, path string
	console    bool
}

func (r roll) routes() []web.Route {
	route := func(method, path string, serve func(*web.Visit)) web.Route {
		return web.Route{Pattern: method + " " + r.path + path, Page: r.page, Console: r.console, Serve: serve}
	}
	return []web.Route{
		route("GET", "", r.list),
		route("GET", "/invite", r.invite),
		route("POST", "/invite", r.sendInvite),
		route("GET", "/{member}", r.show),
		route("POST", "/{member}", r.update),
		route("POST", "/{member}/invitation", r.invitation),
		route("POST", "/{member}/reset", r.reset),
		route("GET", "/{member}/disable", r.askDisable),
		route("POST", "/{member}/disable", r.act((*manage.Manager).DisableMember, " is disabled, and so is every credential of theirs.")),
		route("POST", "/{member}/enable", r.act((*manage.Manager).EnableMember, " may come in again.")),
		route("GET", "/{member}/offboard", r.askOffboard),
		route("POST", "/{member}/offboard", r.offboard),
		route("POST", "/{member}/sessions", r.act((*manage.Manager).EndSessions, " is signed out everywhere.")),
		route("POST", "/{member}/sessions/{session}", r.endSession),
	}
}

// organization returns the id of the organization whose members these are. Whoever is in
// the console belongs to the company's own.
func (r roll) organization(v *web.Visit) string {
	if r.console {
		return v.Session.Organization.ID
	}
	return v.Organization.ID
}

// title returns the name of the page.
func (r roll) title(v *web.Visit) string {
	if r.console {
		return "Staff"
	}
	return v.PageTitle("members", "Members")
}

// member returns the member that the path names, or answers. A member of another
// organization is not here, whoever asks: an operator opens that organization's pages.
func (r roll) member(v *web.Visit) (manage.Member, bool) {
	member, err := v.Manage.Member(v.R.Context(), v.Actor, manage.ID{ID: v.Path("member")})
	if err == nil && member.Organization != r.organization(v) {
		err = access.NotFound("member")
	}
	if err != nil {
		v.Fail(err)
		return manage.Member{}, false
	}
	return member, true
}

// crumbs lead back from a page of a member, or from one that is about none yet.
func (r roll) crumbs(v *web.Visit, member manage.Member) []web.Crumb {
	crumbs := []web.Crumb{{Text: r.title(v), Path: r.path}}
	if member.ID != "" {
		crumbs = append(crumbs, web.Crumb{Text: called(member), Path: r.path + "/" + member.ID})
	}
	return crumbs
}

// called returns what people call a member.
func called(m manage.Member) string { return cmp.Or(m.Name, m.Email) }

// A role is a choice of a form.
type role struct {
	Value       cardea.Role
	Text, Means string
	Chosen      bool
}

// roles returns the roles that there are, with what they mean, from the most to the least.
func (r roll) roles(chosen cardea.Role) []role {
	all := []role{
		{Value: cardea.RoleOwner, Text: "Owner", Means: "Everything, other owners and single sign-on included."},
		{Value: cardea.RoleAdmin, Text: "Admin", Means: "Members, settings and every credential of the organization."},
		{Value: cardea.RoleDeveloper, Text: "Developer", Means: "Creates and manages credentials, and sees what happens."},
		{Value: cardea.RoleViewer, Text: "Viewer", Means: "Sees everything but secrets, and changes nothing but their own."},
	}
	if r.console {
		all[0].Means = "Operates: sees and changes every organization. One owner always remains."
		all[1].Means = "Operates, like an owner."
		all[2].Means = "Looks: sees every organization but no secret, and changes nothing."
		all[3].Means = "Looks, like a developer."
	}
	for i := range all {
		all[i].Chosen = all[i].Value == chosen
	}
	return all
}
