package signin

import (
	"errors"
	"net/http"
	"slices"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/pages"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
)

// A one-time link leads to a page with a button, and only the button uses it up: mail
// scanners and previews open links before people do.

// linkPage shows what a one-time link is for. It does not use it up.
func linkPage(v *visit) {
	link, ok, err := v.cfg.People.Link(v.r.Context(), linkText(v.r.URL.Path), v.from)
	switch {
	case err != nil:
		v.again(err, func(problem string) any { return pages.Error{Heading: "Not now", Text: problem} })
	case !ok:
		v.deadLink()
	default:
		v.show(http.StatusOK, v.linkContent(link, linkText(v.r.URL.Path)))
	}
}

// linkContent is the content of the page of a link, by what it is for.
func (v *visit) linkContent(link people.Link, text string) any {
	switch link.Purpose {
	case people.LinkHandoff:
		return v.handoffForm(link, text)
	case people.LinkSetup:
		return v.setupForm(text, people.Founder{}, "")
	}
	return v.linkForm(link, text, "")
}

func (v *visit) deadLink() {
	v.fail(http.StatusNotFound, "This link is not good any more", "It was used already, or its time is over. Ask whoever gave it to you for a new one.")
}

// linkForm is the content of the page of a link.
func (v *visit) linkForm(link people.Link, text, problem string) any {
	heading, words, button := "Choose a new password", "You are signed out everywhere else when you do.", "Save and sign in"
	if link.Purpose == people.LinkInvite {
		heading = "Welcome to " + v.contract.Product()
		words = "You were invited to " + link.Organization.Name + "."
		button = "Join " + link.Organization.Name
	}
	if !slices.Contains(v.contract.SignIn().Methods, people.MethodPassword) {
		return pages.Message{
			Heading: heading, Text: words,
			Button: &pages.Button{Action: "/invite", Fields: []pages.Field{{Name: "token", Value: text}}, Text: "Sign in"},
		}
	}
	if link.Purpose == people.LinkInvite {
		words += " Choose a password for your account."
	}
	return pages.NewPassword{
		Action: "/invite", Heading: heading, Text: words, Button: button, Token: text, Email: link.Member.Email,
		Organization: link.Organization.Name, Problem: problem, MinLength: minPassword,
	}
}

// useLink uses a one-time link.
func useLink(v *visit) {
	text := v.form.Get("token")
	link, ok, err := v.cfg.People.Link(v.r.Context(), text, v.from)
	if err == nil && (!ok || link.Purpose != people.LinkInvite && link.Purpose != people.LinkReset) {
		v.deadLink()
		return
	}
	if err == nil && v.form.Get("password") != v.form.Get("again") {
		v.show(http.StatusUnprocessableEntity, v.linkForm(link, text, "The two passwords are not the same."))
		return
	}
	if err == nil {
		var token secret.Secret
		var session people.Session
		if token, session, err = v.cfg.People.UseLink(v.r.Context(), text, v.form.Get("password"), v.from); err == nil {
			if v.enter(token, session) {
				v.see(rules.Portal)
			}
			return
		}
	}
	v.again(err, func(problem string) any { return v.linkForm(link, text, problem) })
}

// handoffForm is the content of the page of a hand-off. It names who the browser will be
// signed in as, since somebody else may have made the link.
func (v *visit) handoffForm(link people.Link, text string) any {
	who := link.Member.Name
	if who == "" {
		who = link.Member.Email
	}
	words := "You will be signed in as " + link.Member.Email + " of " + link.Organization.Name + ", for a day."
	if v.in && v.session.Member.ID != link.Member.ID {
		words += " You are signed in as " + v.session.Member.Email + " now, and will not be any more."
	}
	return pages.Message{
		Heading: "Continue to " + v.contract.Product(), Text: words,
		Button: &pages.Button{Action: "/handoff", Fields: []pages.Field{{Name: "token", Value: text}}, Text: "Continue as " + who},
	}
}

// useHandoff signs somebody in whom the product's own application knows.
func useHandoff(v *visit) {
	token, session, onward, err := v.cfg.People.UseHandoff(v.r.Context(), v.form.Get("token"), v.from)
	switch {
	case cardea.KindOf(err) == cardea.KindNotFound:
		v.deadLink()
	case err != nil:
		v.again(err, func(problem string) any { return pages.Error{Heading: "Not now", Text: problem} })
	case v.enter(token, session):
		v.see(next(v.onward(onward)))
	}
}

// setupForm is the content of the page that makes the first of the company's own people.
func (v *visit) setupForm(text string, who people.Founder, problem string) any {
	return pages.SetUp{
		Action: "/setup", Token: text, Name: who.Name, Email: who.Email, Problem: problem,
		Password: v.offers(people.MethodPassword), MinLength: minPassword,
	}
}

// founderProblem words what is wrong with what somebody typed about themselves.
func founderProblem(err error, problem string) string {
	var e *cardea.Error
	if errors.As(err, &e) {
		switch e.Field {
		case "name":
			return "Enter your name: one line, with at most 100 characters."
		case "email":
			return "Enter an email address, such as you@example.com."
		}
	}
	return problem
}

// useSetup makes the first of the company's own people, and signs them in.
func useSetup(v *visit) {
	text := v.form.Get("token")
	who := people.Founder{Name: v.form.Get("name"), Email: v.form.Get("email"), Password: v.form.Get("password")}
	shown := people.Founder{Name: bound(who.Name), Email: bound(who.Email)}
	if v.offers(people.MethodPassword) && who.Password != v.form.Get("again") {
		v.show(http.StatusUnprocessableEntity, v.setupForm(text, shown, "The two passwords are not the same."))
		return
	}
	token, session, err := v.cfg.People.UseSetup(v.r.Context(), text, who, v.from)
	switch {
	case cardea.KindOf(err) == cardea.KindNotFound:
		v.deadLink()
	case err != nil:
		v.again(err, func(problem string) any { return v.setupForm(text, shown, founderProblem(err, problem)) })
	case v.enter(token, session):
		v.see(rules.Portal)
	}
}
