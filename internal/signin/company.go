package signin

import (
	"net/http"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/internal/pages"
)

// ssoPage asks for the organization whose identity provider to go to.
func ssoPage(v *visit) {
	query := v.r.URL.Query()
	v.show(http.StatusOK, v.organizationForm(v.onward(query.Get("continue")), "/signin/sso", bound(query.Get("organization")), ""))
}

// startSSO sends the browser to the organization's identity provider: by a page that
// goes on by itself, because the policy of pages keeps the answers to forms on this host.
func startSSO(v *visit) {
	on := v.onward(v.form.Get("continue"))
	organization := strings.TrimSpace(v.form.Get("organization"))
	if organization == "" {
		v.show(http.StatusOK, v.organizationForm(on, "/signin/sso", "", ""))
		return
	}
	departure, err := v.cfg.People.StartSSO(v.r.Context(), organization, v.origin, on, v.in, v.from)
	if err != nil {
		v.again(err, func(problem string) any {
			return v.organizationForm(on, "/signin/sso", bound(organization), problem)
		})
		return
	}
	v.setTicket(ssoTicket, departure.Ticket, 15*time.Minute)
	v.show(http.StatusOK, pages.Leave{Host: departure.Host, URL: departure.URL})
}

// finishSSO is where the identity provider sends the browser back to. It begins a session
// on a GET, which the protocol leaves no choice in: the state that must match is in a
// cookie of this browser.
func finishSSO(v *visit) {
	token, session, on, err := v.cfg.People.FinishSSO(v.r.Context(), v.origin, v.takeTicket(ssoTicket), v.r.URL.Query(), v.from)
	if err != nil {
		v.again(err, func(problem string) any { return v.organizationForm("", "/signin/sso", "", problem) })
		return
	}
	if v.enter(token, session) {
		v.see(next(v.onward(on)))
	}
}
