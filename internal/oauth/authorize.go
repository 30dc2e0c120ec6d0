package oauth

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/clientdoc"
	"github.com/cardea-dev/cardea/internal/people"
)

// authorize serves the authorization endpoint (RFC 6749 §3.1, RFC 9700). The order
// matters: nothing is sent to a redirect URI before client and URI are proved, nobody is
// asked to sign in for a request that could not succeed, and nobody is asked for consent
// before they are signed in.
func (s *Server) authorize(w http.ResponseWriter, r *request) {
	ctx := r.Context()
	q, err := r.readQuery()
	if err != nil {
		s.errorPage(w, r, err)
		return
	}
	who, signedIn, err := s.session(ctx, r)
	if err != nil {
		s.errorPage(w, r, err)
		return
	}
	if !signedIn && clientdoc.IsURL(q.get("client_id")) {
		// Only people of ours make Cardea fetch addresses that others chose.
		s.metadataSignIn(w, r, q)
		return
	}
	if id := q.get("client_id"); clientdoc.IsURL(id) && !s.mayFetch(r, id, who) {
		s.errorPage(w, r, errManyClients)
		return
	}
	if q, err = s.unpack(ctx, r, q); err != nil {
		s.errorPage(w, r, err)
		return
	}
	a, err := s.prove(ctx, r, &q)
	if err != nil {
		s.errorPage(w, r, err)
		return
	}
	err = s.examine(ctx, r, &q, a)
	switch {
	case err != nil && !signedIn && !a.prompt.none:
		// Told after signing in: a link must not make this host one that sends strangers
		// on to wherever some client's owner chose (RFC 9700 §4.11.2).
		s.signIn(w, r, &q, a, false)
		return
	case err != nil:
		s.sendError(w, r, a, err)
		return
	}
	if !signedIn || s.tooOld(r, &q, a, who) {
		s.signIn(w, r, &q, a, signedIn)
		return
	}
	s.decideOrAsk(w, r, a, who)
}

// decideOrAsk sends a code at once when the person has agreed already, and asks them
// otherwise.
func (s *Server) decideOrAsk(w http.ResponseWriter, r *request, a *asked, who people.Session) {
	if err := a.narrow(who.Member.Role); err != nil {
		s.sendError(w, r, a, err)
		return
	}
	have, needed, err := s.consented(r.Context(), r, a, who)
	switch {
	case err != nil:
		s.sendError(w, r, a, err)
	case needed && a.prompt.none:
		s.sendError(w, r, a, errConsentRequired)
	case needed:
		s.askConsent(w, r, a, who, have)
	default:
		s.sendCode(w, r, a, who, nil)
	}
}

// signInPath is where people sign in, on every host that has pages.
const signInPath = "/signin"

// signIn sends the person to sign in, and back here afterwards. again: they are signed
// in, and have to prove anew who they are.
func (s *Server) signIn(w http.ResponseWriter, r *request, q *query, a *asked, again bool) {
	if a.prompt.none {
		s.sendError(w, r, a, errLoginRequired)
		return
	}
	back := q.encode()
	if again || a.prompt.login || a.maxAge >= 0 || a.isPushed {
		back += "&" + againParameter + "=" + url.QueryEscape(s.sealAgain(a.client.id(), r.now))
	}
	s.toSignIn(w, r, back, q.get("login_hint"), again)
}

// toSignIn redirects to the sign-in page, which comes back with a query. hint is whom the
// application expects (OpenID Connect Core §3.1.2.1), for the form to be filled in.
func (s *Server) toSignIn(w http.ResponseWriter, r *request, query, hint string, again bool) {
	back := r.URL.Path
	if query != "" {
		back += "?" + query
	}
	location := signInPath + "?continue=" + url.QueryEscape(back)
	if hint != "" && len(hint) <= maxHint {
		location += "&login_hint=" + url.QueryEscape(hint)
	}
	if again {
		location += "&again=1"
	}
	seeOther(w, location)
}

// maxHint bounds a login_hint, in bytes: as long as addresses get (RFC 5321 §4.5.3.1.3).
const maxHint = 254

// seeOther redirects after whatever method: RFC 9700 §4.12 wants 303, so that a form
// with a password is never sent on.
func seeOther(w http.ResponseWriter, location string) {
	h := w.Header()
	h["Cache-Control"] = noStore
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Location", location)
	w.WriteHeader(http.StatusSeeOther)
}

// metadataSignIn is signIn for a request whose client is not known before somebody is
// signed in.
func (s *Server) metadataSignIn(w http.ResponseWriter, r *request, q query) {
	switch terms := r.contract.Clients(); {
	case len(q.repeated) > 0:
		s.errorPage(w, r, errRepeated)
	case terms == nil || !terms.MetadataDocuments || clientdoc.CheckURL(q.get("client_id")) != nil:
		s.errorPage(w, r, errUnknownClient)
	case slices.Contains(strings.Fields(q.get("prompt")), "none"):
		s.errorPage(w, r, errLoginRequired)
	default:
		s.toSignIn(w, r, q.encode(), q.get("login_hint"), false)
	}
}

// signOutPath is where people are asked whether to sign out.
const signOutPath = "/signout"

// endSession serves an application's wish that the person signs out (OpenID Connect
// RP-Initiated Logout §2). The person is asked: the wish may be anybody's link. No address
// to go to afterwards can be registered, so none that is sent is looked at (§3).
func (s *Server) endSession(w http.ResponseWriter, _ *request) { seeOther(w, signOutPath) }

// errStaff: applications act for customers. One of the company's own people would give
// them what belongs to none.
var errStaff = &Error{Code: codeAccessDenied, status: http.StatusForbidden,
	Description: "you are signed in as one of the operators, for whom no application acts: sign out, and sign in as a member of an organization"}

// session returns who is signed in.
func (s *Server) session(ctx context.Context, r *request) (people.Session, bool, error) {
	token := people.ReadCookie(r.Request, r.secure())
	if token == "" || s.people == nil {
		return people.Session{}, false, nil
	}
	who, in, err := s.people.Session(ctx, token)
	if err == nil && who.Organization.Staff {
		return people.Session{}, false, errStaff
	}
	return who, in, err
}

// secure reports whether the browser speaks TLS, here or at a trusted proxy.
func (r *request) secure() bool { return strings.HasPrefix(r.origin, "https://") }

// browserBindings returns the endpoints that people's browsers and readers of metadata
// come to.
func (s *Server) browserBindings(c *contract.Contract) []*binding {
	e := c.Endpoints()
	get, post := []string{http.MethodGet}, []string{http.MethodPost}
	both := append(get, post...)
	all := []*binding{
		{endpoint: e.Authorize, methods: both, page: true, serve: (*Server).authorize},
		{endpoint: beside(e.Authorize, decisionSuffix), methods: post, page: true, serve: (*Server).decide},
		{endpoint: e.PAR, methods: post, serve: (*Server).push},
		{endpoint: e.Device, methods: post, serve: (*Server).startDevice},
		{endpoint: e.DevicePage, methods: both, page: true, serve: (*Server).devicePage},
		{endpoint: e.UserInfo, methods: both, serve: (*Server).userInfo},
		{endpoint: e.EndSession, methods: both, serve: (*Server).endSession},
		{endpoint: e.JWKS, methods: readMethods, public: true, serve: (*Server).serveJWKS},
	}
	return append(all, documentBindings(c)...)
}

// beside returns the endpoint whose path is that of e and a suffix, nil for nil.
func beside(e *contract.Endpoint, suffix string) *contract.Endpoint {
	if e == nil {
		return nil
	}
	return &contract.Endpoint{Host: e.Host, Path: e.Path + suffix}
}

// narrow takes away the scopes that a member of a role may not grant to anybody.
func (a *asked) narrow(role cardea.Role) error {
	left := a.scopes.set.Intersect(a.client.contract.GrantableBy(role))
	if left == a.scopes.set {
		return nil
	}
	if left.IsEmpty() {
		return errMayNotGrant
	}
	a.scopes = grantedScopes{set: left, text: strings.Join(a.client.contract.ScopeNames(left), " ")}
	return nil
}
