package signin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea/internal/pages"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/secret"
)

// signInPage shows the first step of signing in, or the second when there is an
// organization, or neither to somebody who is signed in and was not asked again.
func signInPage(v *visit) {
	query := v.r.URL.Query()
	on := v.onward(query.Get("continue"))
	if v.in && query.Get("again") != "1" {
		v.see(next(on))
		return
	}
	notice, problem := "", ""
	switch {
	case v.in:
	case query.Get("out") == "1":
		notice = "You are signed out. Close the window if others use this computer."
	case query.Get("lost") == "1":
		problem = "You were signed out meanwhile, so what you sent was not done. Sign in and do it again."
	}
	organization := bound(query.Get("organization"))
	if v.contract.SignIn().OrganizationFirst && organization == "" {
		form := v.organizationForm(on, "/signin", "", problem)
		form.Notice = notice
		v.show(http.StatusOK, form)
		return
	}
	form := v.signInForm(on, organization, bound(query.Get("login_hint")), problem)
	form.Notice = notice
	v.show(http.StatusOK, form)
}

// bound cuts what a link wants to see in a field.
func bound(text string) string {
	if len(text) > 254 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return text
}

// signInForm is the content of the page that asks who somebody is. It is the same for an
// organization that does not exist.
func (v *visit) signInForm(on, organization, email, problem string) pages.SignIn {
	rules := v.contract.SignIn()
	offered := func(method string) bool { return slices.Contains(rules.Methods, method) }
	form := pages.SignIn{
		Action: "/signin", Continue: on, Problem: problem, Email: email, Organization: organization,
		Chosen: rules.OrganizationFirst, Password: offered(people.MethodPassword), SSO: offered(people.MethodSSO),
		Passkey: v.cfg.People.PasskeysAt(v.origin),
	}
	if !rules.OrganizationFirst {
		form.Title = v.title()
	}
	return form
}

// organizationForm is the content of the page that asks for the organization.
func (v *visit) organizationForm(on, action, organization, problem string) pages.Organization {
	form := pages.Organization{Action: action, Continue: on, Label: "Organization", Value: organization, Problem: problem}
	if v.contract.SignIn().OrganizationFirst && v.title() != "" {
		form.Label = v.title()
	}
	return form
}

// title returns the contract's own word for signing in, "" when it has none.
func (v *visit) title() string {
	if t := v.contract.SignIn().Title; t != "Sign in" {
		return t
	}
	return ""
}

// signIn takes a step of signing in.
func signIn(v *visit) {
	on := v.onward(v.form.Get("continue"))
	organization := strings.TrimSpace(v.form.Get("organization"))
	first := v.contract.SignIn().OrganizationFirst
	if v.form.Get("step") == "organization" || first && organization == "" {
		if organization == "" {
			v.show(http.StatusUnprocessableEntity, v.organizationForm(on, "/signin", "", "Enter the name of your organization."))
			return
		}
		to := "/signin?again=1&organization=" + url.QueryEscape(bound(organization))
		if on != "" {
			to += "&continue=" + url.QueryEscape(on)
		}
		v.see(to)
		return
	}
	token, session, err := v.cfg.People.SignIn(v.r.Context(), people.Attempt{
		Organization: organization, Email: v.form.Get("email"), Password: v.form.Get("password"),
		Address: v.from.Address, UserAgent: v.from.UserAgent, RequestID: v.from.RequestID,
	})
	if err != nil {
		v.again(err, func(problem string) any {
			return v.signInForm(on, bound(organization), bound(v.form.Get("email")), problem)
		})
		return
	}
	if v.enter(token, session) {
		v.see(next(on))
	}
}

// again shows a form again with what was wrong, or the page for what is ours to mend.
func (v *visit) again(err error, form func(problem string) any) {
	status, text, ok := v.problem(err)
	if !ok {
		v.broken(err)
		return
	}
	v.show(status, form(text))
}

// enter gives the browser a new session in place of the one it may have had.
func (v *visit) enter(token secret.Secret, session people.Session) bool {
	if v.in {
		if err := v.cfg.People.EndSession(v.r.Context(), v.session, v.session.ID, v.from); err != nil {
			v.broken(err)
			return false
		}
	}
	people.SetCookie(v.w, v.r, v.secure, token, session.ExpiresAt)
	return true
}

// signOutPage asks whether to sign out, or says that it is done.
func signOutPage(v *visit) {
	if v.in {
		v.show(http.StatusOK, pages.Message{Heading: "Sign out?", Button: &pages.Button{Action: "/signout", Text: "Sign out"}})
		return
	}
	v.show(http.StatusOK, pages.Message{
		Heading: "You are signed out", Text: "Close the window if others use this computer.",
		Link: &pages.Link{URL: "/signin", Text: "Sign in again"},
	})
}

// signedOut is where people are sent when they have signed out.
const signedOut = "/signin?out=1"

// signOut ends the session, wherever its token may have got to.
func signOut(v *visit) {
	if v.in {
		if err := v.cfg.People.EndSession(v.r.Context(), v.session, v.session.ID, v.from); err != nil {
			v.broken(err)
			return
		}
	}
	people.ClearCookie(v.w, v.r, v.secure)
	v.see(signedOut)
}
