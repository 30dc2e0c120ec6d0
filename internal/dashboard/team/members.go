package team

import (
	"net/http"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// membersPage is the data of the list.
type membersPage struct {
	Path    string // of the list
	Console bool
	Filter  manage.MemberFilter
	Members []manage.Member
	Next    string // the address of the next page
	You     string // the visitor's own id
}

// list shows the members.
func (r roll) list(v *web.Visit) {
	filter := manage.MemberFilter{
		Organization: r.organization(v), Search: v.Query("q"), Role: cardea.Role(v.Query("role")), Status: manage.MemberStatus(v.Query("status")),
		Page: manage.Page{Cursor: v.Query("cursor")},
	}
	found, err := v.Manage.Members(v.R.Context(), v.Actor, filter)
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{
		Title: r.title(v), Template: "members", Block: "table", Wide: true,
		Data: membersPage{
			Path: v.Base + r.path, Console: r.console, Filter: filter, Members: found.Items,
			Next: nextPage(v, found.Next), You: v.Session.Member.ID,
		},
	})
}

// Filtered reports whether the list is narrowed.
func (p membersPage) Filtered() bool {
	return p.Filter.Search != "" || p.Filter.Role != "" || p.Filter.Status != ""
}

// RoleOptions are the choices of the filter.
func (membersPage) RoleOptions() []web.Option {
	return []web.Option{{Value: "", Text: "Any role"}, {Value: "owner", Text: "Owner"}, {Value: "admin", Text: "Admin"},
		{Value: "developer", Text: "Developer"}, {Value: "viewer", Text: "Viewer"}}
}

// StatusOptions are the choices of the filter.
func (membersPage) StatusOptions() []web.Option {
	return []web.Option{{Value: "", Text: "Any status"}, {Value: "active", Text: "Active"}, {Value: "invited", Text: "Invited"}, {Value: "disabled", Text: "Disabled"}}
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

// invitePage is the data of the form that invites.
type invitePage struct {
	Path        string
	Console     bool
	Email, Name string
	Roles       []role
	Problems    map[string]string
}

// invite shows the form. A link to it may fill it in.
func (r roll) invite(v *web.Visit) {
	if !v.May(access.Admin) {
		v.Fail(errMayNot())
		return
	}
	chosen := cardea.Role(v.Query("role"))
	if !chosen.Valid() {
		chosen = cardea.RoleDeveloper
	}
	r.showInvite(v, http.StatusOK, invitePage{Email: v.Query("email"), Name: v.Query("name"), Roles: r.roles(chosen)})
}

// inviteText returns the name of the act.
func (r roll) inviteText(v *web.Visit) string {
	if r.console {
		return "Invite a colleague"
	}
	return v.Label(r.page, "create", "Invite a member")
}

// errMayNot is what the use case would say, said before a form is filled in for nothing.
func errMayNot() error { return cardea.Errorf(cardea.KindForbidden, "your role does not allow this") }

func (r roll) showInvite(v *web.Visit, status int, p invitePage) {
	p.Path, p.Console = v.Base+r.path, r.console
	v.Render(status, web.View{
		Title: r.inviteText(v), Template: "invite", Crumbs: r.crumbs(v, manage.Member{}), Data: p,
	})
}

// sendInvite creates a member and shows the link of their invitation. Somebody who signs
// in through their company needs none.
func (r roll) sendInvite(v *web.Visit) {
	in := manage.CreateMember{
		Organization: r.organization(v), Email: v.Value("email"), Name: v.Value("name"), Role: cardea.Role(v.Value("role")),
	}
	member, err := v.Manage.CreateMember(v.R.Context(), v.Actor, in)
	if problems, ok := v.Problems(err); ok {
		r.showInvite(v, http.StatusUnprocessableEntity, invitePage{Email: in.Email, Name: in.Name, Roles: r.roles(in.Role), Problems: problems})
		return
	}
	if err != nil {
		v.Fail(err)
		return
	}
	r.showLink(v, member, v.Manage.CreateInvitation, "Invitation for "+called(member))
}
