package web

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/target"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// A Visit is one request of somebody who is signed in. It belongs to one goroutine.
type Visit struct {
	W http.ResponseWriter
	R *http.Request

	Contract *contract.Contract // in force when the request came
	Manage   *manage.Manager
	Insight  *insight.Insight
	Webhooks *webhook.Webhooks

	// Actor is in whose name everything is asked; Session and Person are who they are.
	Actor   cardea.Actor
	Session people.Session

	// Organization is whose pages these are: the member's own, or the one that an
	// operator has opened. Its id is "" in the console.
	Organization manage.Organization

	// Base is the path of the portal: "/dashboard", "/dashboard/as/org_…" or
	// "/dashboard/console". Links of a page begin with it.
	Base string

	// Form holds what a POST sent. GET's parameters are [Visit.Query].
	Form url.Values

	// Nonce is the answer's, for scripts and for elements that htmx may obey.
	Nonce string

	portal *Portal
	area   Area
	route  Route
	secure bool
	role   cardea.Role
	query  url.Values
	notice string
	id     string // of the request
}

// serve serves a visit: what holds for every page happens here, and a handler cannot
// leave it out.
func (p *Portal) serve(area Area, route Route, w http.ResponseWriter, r *http.Request) {
	v := &Visit{
		W: w, R: r, Contract: p.cfg.Contract(), Manage: p.cfg.Manage, Insight: p.cfg.Insight, Webhooks: p.cfg.Webhooks,
		Base: Prefix, Nonce: newNonce(), portal: p, area: area, route: route, query: r.URL.Query(),
	}
	v.id = v.Contract.NewRequestID()
	if header := v.Contract.RequestIDHeader(); header != "" {
		w.Header()[header] = []string{v.id}
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr) // "" of a test or a socket is no address
	client, err := target.Client(peer.Addr(), r.Header, p.cfg.TrustedProxies)
	v.secure = target.Scheme(peer.Addr(), r.Header, r.TLS != nil, p.cfg.TrustedProxies) == "https"
	switch {
	case err != nil:
		v.refuse(http.StatusBadRequest, "This request cannot be read", "Its address is not told correctly.")
	case r.Method != http.MethodGet && r.Method != http.MethodHead && p.cross.Check(r) != nil:
		v.refuse(http.StatusForbidden, "This request came from another site", "Nothing was done. Open the page here and try again.")
	case !people.MayHaveCookie(r, v.secure):
		v.refuse(http.StatusBadRequest, "This page needs HTTPS", "Signing in over a connection that others can read is not possible. Open this page with https.")
	case v.know(client) && v.enter() && v.read() && v.fresh():
		v.takeNotice()
		route.Serve(v)
	}
}

// know finds out whose visit it is; somebody who is not signed in is sent to do so.
func (v *Visit) know(client netip.Addr) bool {
	session, in, err := v.portal.cfg.People.Session(v.R.Context(), people.ReadCookie(v.R, v.secure))
	if err != nil {
		v.broken(err)
		return false
	}
	if !in {
		v.signIn()
		return false
	}
	v.Session, v.role = session, session.Member.Role
	actor, err := v.Manage.Actor(v.R.Context(), session.Member, session.Organization)
	if err != nil {
		v.Fail(err)
		return false
	}
	actor.RequestID = v.id
	if client.IsValid() {
		actor.Address = client.String()
	}
	v.Actor = actor
	return true
}

// signIn sends somebody to sign in, to come back where they were; a form that they sent
// is lost, as they are told, and a part of a page is asked for anew as a whole.
func (v *Visit) signIn() {
	there := Prefix
	if v.R.Method == http.MethodGet && !v.Partial() {
		there = v.R.URL.RequestURI()
	}
	to := "/signin?continue=" + url.QueryEscape(there)
	if v.R.Method != http.MethodGet {
		to += "&lost=1"
	}
	if v.Partial() {
		v.W.Header().Set("HX-Redirect", to)
		v.W.Header().Set("Cache-Control", "no-store")
		v.W.Header().Set("Referrer-Policy", "no-referrer")
		v.W.WriteHeader(http.StatusUnauthorized)
		return
	}
	redirect(v.W, to)
}

// enter finds out whose pages are asked for. To members the pages of others and the
// console do not exist.
func (v *Visit) enter() bool {
	staff := v.Actor.Type != access.TypeMember
	asked := v.R.PathValue("organization")
	switch {
	case v.route.Console && staff:
		v.Base = ConsolePrefix
		return true
	case !staff && !v.route.Console && asked == "":
		asked = v.Session.Organization.ID
	case staff && asked != "":
		v.Base = Prefix + "/as/" + asked
	case staff && v.route.Pattern == "": // home, or no page
		v.Base = ConsolePrefix
		return true
	default:
		v.Organization = manage.Organization{ID: v.Session.Organization.ID, Name: v.Session.Organization.Name}
		v.refuse(http.StatusNotFound, "There is no such page", "The address may be mistyped, or it is not for you.")
		return false
	}
	organization, err := v.Manage.Organization(v.R.Context(), v.Actor, manage.ID{ID: asked})
	if err != nil {
		v.Base = Prefix
		if staff {
			v.Base = ConsolePrefix
		}
		v.Fail(err)
		return false
	}
	v.Organization = organization
	return true
}

// Query returns a parameter of the address, "" when it is not there.
func (v *Visit) Query(name string) string { return v.query.Get(name) }

// Path returns the value of a wildcard in the route's pattern.
func (v *Visit) Path(name string) string { return v.R.PathValue(name) }

// Partial reports whether htmx asks for a part of a page.
func (v *Visit) Partial() bool {
	return v.R.Header.Get("HX-Request") == "true" && v.R.Header.Get("HX-Request-Type") == "partial"
}

// Staff reports whether the visitor is one of the company's own people.
func (v *Visit) Staff() bool { return v.Actor.Type != access.TypeMember }

// May reports whether the visitor may do, in this organization, what takes a right. It
// is for leaving out buttons; the use cases decide.
func (v *Visit) May(need access.Right) bool { return access.May(v.Actor, v.role, need) }

// See sends the browser to a path below [Visit.Base], with a sentence for the top of that
// page or "". By GET: a form's members stay here.
func (v *Visit) See(path, notice string) {
	if notice != "" {
		v.leaveNotice(notice)
	}
	redirect(v.W, v.Base+path)
}

// redirect answers 303 to a path of this host.
func redirect(w http.ResponseWriter, path string) {
	h := w.Header()
	h.Set("Location", path)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}

// Problems returns what people are told about an error that they can mend, by field; ""
// is the key of what concerns none. ok is false for every other error, which is for
// [Visit.Fail]. A form that was refused is shown again with status 422.
func (v *Visit) Problems(err error) (byField map[string]string, ok bool) {
	byField = map[string]string{}
	for _, e := range manage.Problems(err) {
		if e.Kind != cardea.KindInvalid && e.Kind != cardea.KindConflict || e.Public == "" {
			return nil, false
		}
		byField[e.Field] = e.Public
	}
	return byField, len(byField) > 0
}

// Fail answers with an error of a use case.
func (v *Visit) Fail(err error) {
	var throttled *people.ThrottledError
	if errors.As(err, &throttled) {
		v.W.Header().Set("Retry-After", strconv.Itoa(int(throttled.Wait.Seconds())+1))
		v.refuse(http.StatusTooManyRequests, "Too many attempts", "Wait a little and try again.")
		return
	}
	problems := manage.Problems(err)
	if len(problems) == 0 || problems[0].Public == "" {
		v.broken(err)
		return
	}
	text := problems[0].Public
	switch problems[0].Kind {
	case cardea.KindInvalid:
		v.refuse(http.StatusUnprocessableEntity, "This cannot be done as asked", sentence(problems[0].Field, text))
	case cardea.KindConflict:
		v.refuse(http.StatusConflict, "This cannot be done now", sentence("", text))
	case cardea.KindForbidden, cardea.KindUnauthorized:
		v.refuse(http.StatusForbidden, "You may not do this", sentence("", text)+" An owner or admin of your organization can, or can change your role.")
	case cardea.KindNotFound:
		v.refuse(http.StatusNotFound, "This is not here", sentence("", text)+" It may have been removed, or the address is mistyped.")
	case cardea.KindUnavailable:
		v.W.Header().Set("Retry-After", "2")
		v.refuse(http.StatusServiceUnavailable, "This does not work right now", sentence("", text))
	default:
		v.broken(err)
	}
}

// broken answers when there was no way to find out.
func (v *Visit) broken(err error) {
	v.portal.cfg.Logger.LogAttrs(v.R.Context(), slog.LevelError, "a page of the dashboard could not be served",
		slog.String("request_id", v.id), slog.String("error", err.Error()))
	v.W.Header().Set("Retry-After", "5")
	v.refuse(http.StatusServiceUnavailable, "This does not work right now", "Nothing was changed, as far as is known. Try again in a moment.")
}

// refuse answers with a page that says what is wrong and what to do.
func (v *Visit) refuse(status int, heading, text string) {
	v.area.Templates = base
	v.Render(status, View{Title: heading, Template: "refusal", Data: refusal{Text: text, Reference: v.id}})
}

// A refusal is the data of the page that refuses.
type refusal struct{ Text, Reference string }
