package apps

import (
	"net/http"
	"slices"

	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/web"
)

// personal answers for staff, who have nothing of their own in a customer's organization,
// and reports whether to go on.
func personal(v *web.Visit) bool {
	if v.Staff() {
		v.Fail(access.NotFound("page of yours here: what is about you is on your account"))
		return false
	}
	return true
}

// A consentRow is an application that the person lets act for them.
type consentRow struct {
	manage.Consent
	Scopes []scopeWord
}

// consentsOf returns what the person has allowed and not withdrawn, newest first.
func consentsOf(v *web.Visit) ([]consentRow, error) {
	var rows []consentRow
	filter := manage.GrantFilter{Organization: v.Organization.ID, Member: v.Session.Member.ID, Page: manage.Page{Limit: access.MaxLimit}}
	for {
		list, err := v.Manage.Consents(v.R.Context(), v.Actor, filter)
		if err != nil {
			return nil, err
		}
		for _, c := range list.Items {
			if c.WithdrawnAt.IsZero() && !passed(v, c.ExpiresAt) {
				rows = append(rows, consentRow{c, scopeWords(v.Contract, c.Scopes)})
			}
		}
		if filter.Cursor = list.Next; list.Next == "" {
			return rows, nil
		}
	}
}

// consentOf returns the consent that the path names, which must be the person's own.
func consentOf(v *web.Visit) (consentRow, bool) {
	rows, err := consentsOf(v)
	return pick(v, rows, err, "application that you have allowed", func(c consentRow) bool { return c.ID == v.Path("consent") })
}

// authorizedTitle returns the name of the page of authorized applications.
func authorizedTitle(v *web.Visit) string {
	return v.PageTitle(authorizedPage, "Authorized applications")
}

func showAuthorized(v *web.Visit) {
	if !personal(v) {
		return
	}
	rows, err := consentsOf(v)
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: authorizedTitle(v), Template: "authorized", Data: rows})
}

func askWithdraw(v *web.Visit) {
	if !personal(v) {
		return
	}
	c, ok := consentOf(v)
	if !ok {
		return
	}
	ask(v, http.StatusOK, "Withdraw access of "+c.ClientName+"?", question{
		Action: v.Base + "/authorized/" + c.ID + "/withdraw", Cancel: v.Base + "/authorized", Button: "Withdraw access", Danger: true,
		Texts: []string{c.ClientName + " can no longer act for you from the moment you do this: its tokens for you are refused. What it has read or changed before, it keeps. It may ask you again."},
	}, []web.Crumb{{Text: authorizedTitle(v), Path: "/authorized"}})
}

func withdraw(v *web.Visit) {
	if !personal(v) {
		return
	}
	c, ok := consentOf(v)
	if !ok {
		return
	}
	if _, err := v.Manage.WithdrawConsent(v.R.Context(), v.Actor, manage.ID{ID: c.ID}); err != nil {
		v.Fail(err)
		return
	}
	v.See("/authorized", "Withdrawn. "+c.ClientName+" can no longer act for you.")
}

// A sessionRow is a place where the person is signed in.
type sessionRow struct {
	manage.Session
	Device, Method string
	Current        bool
}

// sessionsOf returns the person's live sessions, this one first.
func sessionsOf(v *web.Visit) ([]sessionRow, error) {
	list, err := v.Manage.Sessions(v.R.Context(), v.Actor, manage.SessionFilter{Member: v.Session.Member.ID})
	if err != nil {
		return nil, err
	}
	rules, now := v.Contract.SignIn(), v.Now()
	var rows []sessionRow
	for _, s := range list.Items {
		current := s.ID == v.Session.ID
		if !current && (!now.Before(s.ExpiresAt) || !now.Before(s.CreatedAt.Add(rules.SessionMax)) || !now.Before(s.SeenAt.Add(rules.SessionIdle))) {
			continue // it has ended by itself
		}
		rows = append(rows, sessionRow{s, people.DeviceName(s.UserAgent), people.MethodName(s.Method), current})
	}
	slices.SortStableFunc(rows, func(a, b sessionRow) int { return order(!a.Current) - order(!b.Current) })
	return rows, nil
}

// sessionsTitle returns the name of the page of sessions.
func sessionsTitle(v *web.Visit) string { return v.PageTitle(sessionsPage, "Sessions and devices") }

func showSessions(v *web.Visit) {
	if !personal(v) {
		return
	}
	rows, err := sessionsOf(v)
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: sessionsTitle(v), Template: "sessions", Data: rows})
}

func endSession(v *web.Visit) {
	if !personal(v) {
		return
	}
	rows, err := sessionsOf(v)
	session, ok := pick(v, rows, err, "session of yours", func(s sessionRow) bool { return s.ID == v.Path("session") })
	if !ok {
		return
	}
	if _, err := v.Manage.EndSession(v.R.Context(), v.Actor, manage.ID{ID: session.ID}); err != nil {
		v.Fail(err)
		return
	}
	v.See("/sessions", session.Device+" is signed out.")
}

func askEndOthers(v *web.Visit) {
	if !personal(v) {
		return
	}
	ask(v, http.StatusOK, "Sign out everywhere else?", question{
		Action: v.Base + "/sessions/end", Cancel: v.Base + "/sessions", Button: "Sign out everywhere else", Danger: true,
		Texts: []string{"Every other browser and command line where you are signed in has to sign in again. Your keys and tokens go on."},
	}, []web.Crumb{{Text: sessionsTitle(v), Path: "/sessions"}})
}

// endOthers ends every session of the person but this one.
func endOthers(v *web.Visit) {
	if !personal(v) {
		return
	}
	if _, err := v.Manage.EndOtherSessions(v.R.Context(), v.Actor, manage.ID{ID: v.Session.ID}); err != nil {
		v.Fail(err)
		return
	}
	v.See("/sessions", "You are signed in here only.")
}
