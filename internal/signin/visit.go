package signin

import (
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/pages"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/target"
)

// maxBody bounds what is read of a request, in bytes. An authenticator's answer is the
// largest thing that is sent.
const maxBody = 64 << 10

// A visit is one request, with what every handler needs to know of it.
type visit struct {
	*Server
	w        http.ResponseWriter
	r        *http.Request
	route    route
	tool     bool // it is a program's
	contract *contract.Contract
	from     people.From
	secure   bool   // TLS here, or at a trusted proxy
	origin   string // "https://app.example.com"
	form     url.Values
	body     []byte // of a JSON request

	session people.Session // whose this is, when in
	in      bool
}

// serve serves a visit: what holds for every page happens here, and a handler cannot
// leave it out.
func (s *Server) serve(route route, w http.ResponseWriter, r *http.Request) {
	v := &visit{Server: s, w: w, r: r, route: route, contract: s.cfg.Contract()}
	v.from = people.From{UserAgent: r.UserAgent(), RequestID: v.contract.NewRequestID()}
	if name := v.contract.RequestIDHeader(); name != "" {
		w.Header()[name] = []string{v.from.RequestID}
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr) // "" of a test or a socket is no address
	client, err := target.Client(peer.Addr(), r.Header, s.cfg.TrustedProxies)
	if err != nil {
		v.fail(http.StatusBadRequest, "This request cannot be read", "Its address is not told correctly.")
		return
	}
	v.from.Address = client
	scheme := target.Scheme(peer.Addr(), r.Header, r.TLS != nil, s.cfg.TrustedProxies)
	v.secure, v.origin = scheme == "https", scheme+"://"+r.Host
	v.dispatch()
}

// dispatch calls the handler of the method.
func (v *visit) dispatch() {
	route := v.route
	get := v.r.Method == http.MethodGet || v.r.Method == http.MethodHead
	v.tool = route.tool && !get
	h := route.post
	if get {
		h = route.get
	}
	switch {
	case !get && v.r.Method != http.MethodPost, h == nil:
		v.w.Header().Set("Allow", allowed(route))
		v.fail(http.StatusMethodNotAllowed, "This cannot be done here", "The address is right, but not for this.")
		return
	case !get && v.cross.Check(v.r) != nil:
		v.fail(http.StatusForbidden, "This request came from another site", "Nothing was done. Open the page here and try again.")
		return
	case !v.tool && !people.MayHaveCookie(v.r, v.secure):
		v.fail(http.StatusBadRequest, "This page needs HTTPS", "Signing in over a connection that others can read is not possible. Open this page with https.")
		return
	case !get && !v.read():
		return
	}
	if v.know() {
		h(v)
	}
}

// allowed returns the methods of a route.
func allowed(route route) string {
	switch {
	case route.get == nil:
		return "POST"
	case route.post == nil:
		return "GET, HEAD"
	}
	return "GET, HEAD, POST"
}

// read reads the body as the route wants it, or answers.
func (v *visit) read() bool {
	want := "application/x-www-form-urlencoded"
	if v.route.json {
		want = "application/json" // which no other site's form can send
	}
	if got, _, err := mime.ParseMediaType(v.r.Header.Get("Content-Type")); err != nil || got != want {
		v.fail(http.StatusUnsupportedMediaType, "This request cannot be read", "It is not of the type that this page sends.")
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.w, v.r.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		v.fail(status, "This request cannot be read", "It is too large, or was cut off.")
		return false
	}
	if v.route.json {
		v.body = body
		return true
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !plain(form) {
		v.fail(http.StatusBadRequest, "This request cannot be read", "Go back, reload the page and try again.")
		return false
	}
	v.form = form
	return true
}

// plain reports whether a form has each member once, as text.
func plain(form url.Values) bool {
	for name, values := range form {
		if len(values) != 1 || !utf8.ValidString(name) || !utf8.ValidString(values[0]) {
			return false
		}
	}
	return true
}

// know finds out whose visit it is; somebody who must be signed in and is not is sent to
// sign in.
func (v *visit) know() bool {
	if v.tool {
		return true
	}
	session, in, err := v.cfg.People.Session(v.r.Context(), people.ReadCookie(v.r, v.secure))
	if err != nil {
		v.broken(err)
		return false
	}
	v.session, v.in = session, in
	if !v.route.need || in {
		return true
	}
	there := "/account"
	if v.r.Method == http.MethodGet && v.r.URL.Path != there {
		there = v.r.URL.RequestURI()
	}
	if v.route.json {
		v.answer(http.StatusUnauthorized, refusal{Problem: "You are signed out.", Go: signInAt(there, false)})
		return false
	}
	v.see(signInAt(there, false))
	return false
}

// signInAt returns where to sign in, to continue at a path; again also for somebody who
// is signed in.
func signInAt(there string, again bool) string {
	to := "/signin?continue=" + url.QueryEscape(there)
	if again {
		to += "&again=1"
	}
	return to
}

// see sends the browser to a path of this host by GET (303, never 307: a form's secrets
// stay here).
func (v *visit) see(path string) {
	h := v.w.Header()
	h.Set("Location", path)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	v.w.WriteHeader(http.StatusSeeOther)
}

// show answers with a page.
func (v *visit) show(status int, content any) {
	p := pages.Page{Product: v.contract.Product(), Content: content}
	if v.in {
		p.Person = &pages.Person{Name: name(v.session), Email: v.session.Member.Email, Organization: v.session.Organization.Name}
	}
	pages.Render(v.w, status, p)
}

// name returns what to call a person.
func name(s people.Session) string {
	if s.Member.Name != "" {
		return s.Member.Name
	}
	return s.Member.Email
}

// fail answers with an error page, or with what a script or a program understands.
func (v *visit) fail(status int, heading, text string) {
	switch {
	case v.tool:
		v.answer(status, tokenError{"invalid_request"})
	case v.route.json:
		v.answer(status, refusal{Problem: heading + ". " + text})
	default:
		v.show(status, pages.Error{Heading: heading, Text: text, Reference: v.from.RequestID})
	}
}

// broken answers when there was no way to find out.
func (v *visit) broken(err error) {
	v.logBroken(err)
	v.w.Header().Set("Retry-After", "5")
	v.fail(http.StatusServiceUnavailable, "This does not work right now", "Try again in a moment.")
}

// logBroken logs a cause that nobody is told.
func (v *visit) logBroken(err error) {
	v.cfg.Logger.LogAttrs(v.r.Context(), slog.LevelError, "a page could not be served",
		slog.String("request_id", v.from.RequestID), slog.String("error", err.Error()))
}

// problem returns the status and the text of an error that people are told, and sets the
// headers that go with it; ok is false for one that is ours to mend.
func (v *visit) problem(err error) (status int, text string, ok bool) {
	var throttled *people.ThrottledError
	if errors.As(err, &throttled) {
		v.w.Header().Set("Retry-After", strconv.Itoa(int(throttled.Wait/time.Second)+1))
		return http.StatusTooManyRequests, "Too many attempts. Try again in " + minutes(throttled.Wait) + ".", true
	}
	var e *cardea.Error
	if !errors.As(err, &e) || e.Public == "" {
		return 0, "", false
	}
	switch e.Kind {
	case cardea.KindInvalid, cardea.KindConflict:
		return http.StatusUnprocessableEntity, e.Public, true
	case cardea.KindUnauthorized, cardea.KindForbidden:
		return http.StatusForbidden, e.Public, true
	case cardea.KindNotFound:
		return http.StatusNotFound, e.Public, true
	case cardea.KindUnavailable:
		v.w.Header().Set("Retry-After", "2")
		return http.StatusServiceUnavailable, e.Public, true
	}
	return 0, "", false
}

// minutes returns a wait in words, rounded up.
func minutes(d time.Duration) string {
	n := int((d + time.Minute - 1) / time.Minute)
	if n <= 1 {
		return "a minute"
	}
	return strconv.Itoa(n) + " minutes"
}
