package oauth

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/cardea-dev/cardea/internal/pages"
	"github.com/cardea-dev/cardea/internal/people"
)

// sendError tells the client what is wrong, by the redirect URI that was proved: RFC
// 6749 §4.1.2.1.
func (s *Server) sendError(w http.ResponseWriter, r *request, a *asked, err error) {
	e := asError(err)
	s.logCause(r, e)
	s.sendBack(w, r, a, []param{{"error", e.Code}, {"error_description", e.Description}})
}

// sendBack sends the browser to the redirect URI with the answer: the state byte for
// byte, and who answers (RFC 9207), so that a client of several servers can tell.
func (s *Server) sendBack(w http.ResponseWriter, r *request, a *asked, answer []param) {
	if a.state != "" {
		answer = append(answer, param{"state", a.state})
	}
	answer = append(answer, param{"iss", s.issuer(r)})
	location := withQuery(a.redirect, answer)
	if r.fromOwnPage() {
		s.leave(w, r, a, location)
		return
	}
	seeOther(w, location)
}

// withQuery adds parameters to a URI, keeping its own query as it stands: RFC 6749 §3.1.2.
func withQuery(uri string, list []param) string {
	var b strings.Builder
	b.WriteString(uri)
	separator := byte('?')
	if strings.Contains(uri, "?") {
		separator = '&'
	}
	for _, p := range list {
		b.WriteByte(separator)
		b.WriteString(url.QueryEscape(p.name) + "=" + url.QueryEscape(p.value))
		separator = '&'
	}
	return b.String()
}

// fromOwnPage reports whether a browser came here from a page of ours, such as the
// sign-in form. Browsers hold every redirect after a form to the form-action of its page,
// which names this host alone: one that leads elsewhere would be blocked.
func (r *request) fromOwnPage() bool {
	if r.Method != http.MethodGet || r.Header.Get("Sec-Fetch-Mode") != "navigate" {
		return false
	}
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "same-origin" || site == "same-site"
}

// leave answers with a page that sends the browser on, in place of a redirect.
func (s *Server) leave(w http.ResponseWriter, r *request, a *asked, location string) {
	pages.Render(w, http.StatusOK, pages.Page{
		Product: r.contract.Product(),
		Content: pages.Leave{Host: redirectHost(a.redirect), URL: location},
	})
}

// redirectHost returns what people are told about where their browser goes: the host, or
// that it is a program on their device, which may be any.
func redirectHost(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return ""
	case u.Scheme == "https":
		return u.Host
	case u.Scheme == "http":
		return u.Host + " (a program on this device)"
	}
	return u.Scheme + " (an app on this device)"
}

// errorPage shows an error to the person, and sends nothing to anybody.
func (s *Server) errorPage(w http.ResponseWriter, r *request, err error) {
	e := asError(err)
	s.logCause(r, e)
	status := e.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	if e.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.after))
	}
	pages.Render(w, status, pages.Page{
		Product: r.contract.Product(),
		Content: pages.Error{
			Heading: "This link does not work", Reference: r.id,
			Text: sentence(e.Description) + " Go back to the application and start again; if that does not help, tell its makers.",
		},
	})
}

// sentence returns a description as a sentence.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// logCause logs the private cause of an error, if it has one.
func (s *Server) logCause(r *request, e *Error) {
	if e.cause != nil {
		s.log.LogAttrs(r.Context(), slog.LevelError, "oauth request failed",
			slog.String("request", r.id), slog.String("code", e.Code), slog.String("error", e.cause.Error()))
	}
}

// person returns who is signed in, for the head of a page.
func person(who people.Session) *pages.Person {
	name := who.Member.Name
	if name == "" {
		name = who.Member.Email
	}
	return &pages.Person{Name: name, Email: who.Member.Email, Organization: who.Organization.Name}
}
