package team

import (
	"context"
	"net/http"
	"slices"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/web"
)

// memberPage is the data of a member's page.
type memberPage struct {
	Path     string // of the member
	Console  bool
	Member   manage.Member
	Roles    []role
	Name     string
	Problems map[string]string
	You      bool // it is the visitor

	// Sessions are where they are signed in; SeesSessions says that the visitor may know.
	Sessions     []session
	SeesSessions bool

	// Keys are the credentials that are theirs.
	Keys     []manage.Key
	MoreKeys bool

	MayReset bool
	MayEnd   bool // sessions: everybody may end their own, in the portal
}

// A session is a place where a member is signed in, in words.
type session struct {
	manage.Session
	Device, How string
}

// show shows a member.
func (r roll) show(v *web.Visit) {
	if member, ok := r.member(v); ok {
		r.showMember(v, http.StatusOK, memberPage{Member: member, Name: member.Name, Roles: r.roles(member.Role)})
	}
}

// showMember completes the page of a member and shows it.
func (r roll) showMember(v *web.Visit, status int, p memberPage) {
	p.Path, p.Console, p.You = v.Base+r.path+"/"+p.Member.ID, r.console, v.Session.Member.ID == p.Member.ID
	needed := access.Admin
	if p.Member.Role == cardea.RoleOwner {
		needed = access.Own // an owner is signed out by owners
	}
	p.MayReset, p.MayEnd = v.May(access.Nobody), v.May(needed) || p.You && !v.Staff()
	if p.SeesSessions = p.You || v.May(access.ReadAdmin); p.SeesSessions {
		sessions, err := v.Manage.Sessions(v.R.Context(), v.Actor, manage.SessionFilter{Member: p.Member.ID})
		if err != nil {
			v.Fail(err)
			return
		}
		for _, s := range sessions.Items {
			p.Sessions = append(p.Sessions, session{s, people.DeviceName(s.UserAgent), people.MethodName(s.Method)})
		}
	}
	if !r.console {
		keys, err := v.Manage.Keys(v.R.Context(), v.Actor, manage.KeyFilter{Organization: p.Member.Organization, Member: p.Member.ID})
		if err != nil {
			v.Fail(err)
			return
		}
		p.Keys, p.MoreKeys = keys.Items, keys.Next != ""
	}
	v.Render(status, web.View{Title: called(p.Member), Template: "member", Crumbs: r.crumbs(v, manage.Member{}), Data: p})
}

// update changes the name or the role of a member.
func (r roll) update(v *web.Visit) {
	member, ok := r.member(v)
	if !ok {
		return
	}
	name, chosen := v.Value("name"), cardea.Role(v.Value("role"))
	_, err := v.Manage.UpdateMember(v.R.Context(), v.Actor, manage.UpdateMember{ID: member.ID, Name: &name, Role: &chosen})
	if problems, ok := v.Problems(err); ok {
		r.showMember(v, http.StatusUnprocessableEntity, memberPage{Member: member, Name: name, Roles: r.roles(chosen), Problems: problems})
		return
	}
	r.done(v, member, "Changes saved.", err)
}

// done leads back to a member's page after a change, or says why there was none.
func (r roll) done(v *web.Visit, member manage.Member, notice string, err error) {
	if err != nil {
		v.Fail(err)
		return
	}
	v.See(r.path+"/"+member.ID, notice)
}

// linkPage is the data of the page that shows a link, once.
type linkPage struct {
	Path   string // of the member
	Member manage.Member
	Link   manage.Link
	URL    string
}

// showLink makes a one-time link for a member and shows it: in this answer, and never
// again.
func (r roll) showLink(v *web.Visit, member manage.Member,
	create func(context.Context, cardea.Actor, manage.ID) (manage.Link, error), title string) {
	link, err := create(v.R.Context(), v.Actor, manage.ID{ID: member.ID})
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: title, Template: "link", Secret: true, Data: linkPage{
		Path: v.Base + r.path + "/" + member.ID, Member: member, Link: link, URL: linkURL(v, link),
	}})
}

// linkURL returns the whole of a one-time link: with the host that the server knows, else
// with the one that the reader is at.
func linkURL(v *web.Visit, link manage.Link) string {
	if !link.URL.IsZero() {
		return link.URL.Reveal()
	}
	return v.Origin() + "/" + link.Purpose + "/" + link.Secret.Reveal()
}

// invitation makes another link for a member who has not come yet.
func (r roll) invitation(v *web.Visit) {
	if member, ok := r.member(v); ok {
		r.showLink(v, member, v.Manage.CreateInvitation, "Invitation for "+called(member))
	}
}

// reset makes a link for a member who has lost what they sign in with.
func (r roll) reset(v *web.Visit) {
	if member, ok := r.member(v); ok {
		r.showLink(v, member, v.Manage.CreateResetLink, "Reset link for "+called(member))
	}
}

// confirmPage is the data of a page that asks whether something is meant.
type confirmPage struct {
	Path     string // of the member
	Console  bool
	Member   manage.Member
	Keys     int64 // credentials of the member that work
	Sessions int
	Problems map[string]string
}

// askDisable asks whether a member is to be shut out.
func (r roll) askDisable(v *web.Visit) { r.ask(v, "disable", "Disable ") }

// askOffboard asks whether everything of a member is to end.
func (r roll) askOffboard(v *web.Visit) { r.ask(v, "offboard", "Offboard ") }

func (r roll) ask(v *web.Visit, template, title string) {
	member, ok := r.member(v)
	if !ok {
		return
	}
	if !v.May(access.Admin) {
		v.Fail(errMayNot())
		return
	}
	r.showConfirm(v, http.StatusOK, template, title, confirmPage{Member: member})
}

// showConfirm says in numbers what will happen, and asks.
func (r roll) showConfirm(v *web.Visit, status int, template, title string, p confirmPage) {
	p.Path, p.Console = v.Base+r.path+"/"+p.Member.ID, r.console
	counts, err := v.Manage.KeyCounts(v.R.Context(), v.Actor, manage.KeyFilter{Organization: p.Member.Organization, Member: p.Member.ID})
	if err != nil {
		v.Fail(err)
		return
	}
	sessions, err := v.Manage.Sessions(v.R.Context(), v.Actor, manage.SessionFilter{Member: p.Member.ID})
	if err != nil {
		v.Fail(err)
		return
	}
	p.Keys, p.Sessions = counts.Active, len(sessions.Items)
	v.Render(status, web.View{Title: title + called(p.Member), Template: template, Block: "confirm", Crumbs: r.crumbs(v, p.Member), Data: p})
}

// act returns what answers a button that does one thing to a member, with what is said
// after their name when it is done.
func (r roll) act(do func(*manage.Manager, context.Context, cardea.Actor, manage.ID) (manage.Member, error), said string) func(*web.Visit) {
	return func(v *web.Visit) {
		if member, ok := r.member(v); ok {
			_, err := do(v.Manage, v.R.Context(), v.Actor, manage.ID{ID: member.ID})
			r.done(v, member, called(member)+said, err)
		}
	}
}

// offboard ends everything of a member, once their address is typed.
func (r roll) offboard(v *web.Visit) {
	member, ok := r.member(v)
	if !ok {
		return
	}
	if v.Value("confirm") != member.Email {
		r.showConfirm(v, http.StatusUnprocessableEntity, "offboard", "Offboard ", confirmPage{
			Member: member, Problems: map[string]string{"confirm": "This is not their e-mail address. Nothing was done."}})
		return
	}
	_, err := v.Manage.RevokeAll(v.R.Context(), v.Actor, manage.RevokeAll{
		Member: member.ID, Reason: v.Value("reason"), Disable: true,
	})
	r.done(v, member, called(member)+" is offboarded: nothing of theirs works any more.", err)
}

// endSession signs a member out in one place.
func (r roll) endSession(v *web.Visit) {
	member, ok := r.member(v)
	if !ok {
		return
	}
	sessions, err := v.Manage.Sessions(v.R.Context(), v.Actor, manage.SessionFilter{Member: member.ID})
	if err == nil && !slices.ContainsFunc(sessions.Items, func(s manage.Session) bool { return s.ID == v.Path("session") }) {
		err = access.NotFound("session")
	}
	if err == nil {
		_, err = v.Manage.EndSession(v.R.Context(), v.Actor, manage.ID{ID: v.Path("session")})
	}
	r.done(v, member, "Signed out there.", err)
}
