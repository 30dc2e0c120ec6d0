package dashboard_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/dashboard"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/web"
)

// conformance is a contract with every page that there is.
const conformance = "../../examples/conformance/cardea.yaml"

// wildcard matches what stands for an id in a pattern.
var wildcard = regexp.MustCompile(`\{[a-z_]+\}`)

// paths returns a path of each route with a method, below a portal or in the console, with
// ids that nothing has.
func paths(w *dashtest.World, method, below string) []string {
	var list []string
	for _, route := range w.Portal.Routes() {
		got, path, _ := strings.Cut(route.Pattern, " ")
		if got != method || route.Console != (below == web.ConsolePrefix) {
			continue
		}
		list = append(list, below+strings.TrimSuffix(wildcard.ReplaceAllString(path, "nothing"), "/"))
	}
	return list
}

var nonces = regexp.MustCompile(`nonce-([A-Za-z0-9]+)'`)

// Guarantee: whatever a page is, and whatever it answers, the browser is told to run
// nothing but our files, to frame it nowhere and to keep no copy; no two answers share a
// nonce.
func TestEveryAnswerCarriesThePolicy(t *testing.T) {
	w := dashtest.New(t, conformance, dashboard.Areas()...)
	owner, staff := w.As(w.One, cardea.RoleOwner), w.AsStaff(cardea.RoleOwner)
	seen := map[string]bool{}
	check := func(b *dashtest.Browser, path string) {
		t.Helper()
		a := b.Get(path)
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s (%d): kept or told to others: %v", path, a.Status, a.Header)
		}
		if a.Status >= 300 && a.Status < 400 || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
			return
		}
		csp := a.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s (%d): the policy lacks %s: %s", path, a.Status, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || a.Header.Get("X-Frame-Options") != "DENY" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s (%d): weak headers: %v", path, a.Status, a.Header)
		}
		nonce := nonces.FindStringSubmatch(csp)
		if nonce == nil || seen[nonce[1]] || !strings.Contains(a.Body, `nonce="`+nonce[1]+`"`) {
			t.Errorf("%s (%d): no nonce of its own", path, a.Status)
			return
		}
		seen[nonce[1]] = true
		if a.Status == http.StatusInternalServerError || a.Status == http.StatusServiceUnavailable {
			t.Errorf("%s: %d\n%s", path, a.Status, a.Body)
		}
	}
	for _, path := range paths(w, "GET", web.Prefix) {
		check(owner, path)
	}
	for _, path := range append(paths(w, "GET", web.Prefix+"/as/"+w.One.ID), paths(w, "GET", web.ConsolePrefix)...) {
		check(staff, path)
	}
	check(owner, "/dashboard/nowhere")
	if len(seen) < 40 {
		t.Errorf("only %d pages were seen", len(seen))
	}
}

// Guarantee: to a member, the console and the pages of other organizations, the operator's
// view of their own included, are not there.
func TestMembersSeeTheirOwnPagesOnly(t *testing.T) {
	w := dashtest.New(t, conformance, dashboard.Areas()...)
	owner := w.As(w.One, cardea.RoleOwner)
	for _, below := range []string{web.ConsolePrefix, web.Prefix + "/as/" + w.One.ID, web.Prefix + "/as/" + w.Two.ID, web.Prefix + "/as/org_staff"} {
		for _, path := range paths(w, "GET", below) {
			if a := owner.Get(path); a.Status != http.StatusNotFound {
				t.Errorf("GET %s: %d", path, a.Status)
			}
		}
		for _, path := range paths(w, "POST", below) {
			if a := owner.Post(path, url.Values{}); a.Status != http.StatusNotFound {
				t.Errorf("POST %s: %d", path, a.Status)
			}
		}
	}
}

// Guarantee: who is not signed in is sent to sign in, to come back to a page, never to a
// form's address.
func TestStrangersAreSentToSignIn(t *testing.T) {
	w := dashtest.New(t, conformance, dashboard.Areas()...)
	nobody := w.Nobody()
	for _, below := range []string{web.Prefix, web.ConsolePrefix} {
		for _, path := range paths(w, "GET", below) {
			if a := nobody.Get(path); a.Status != http.StatusSeeOther || a.Location() != "/signin?continue="+url.QueryEscape(path) {
				t.Errorf("GET %s: %d %s", path, a.Status, a.Location())
			}
			if a := nobody.Part(path); a.Status != http.StatusUnauthorized || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("part of %s: %d, kept: %v", path, a.Status, a.Header)
			}
		}
		for _, path := range paths(w, "POST", below) {
			if a := nobody.Post(path, url.Values{}); a.Status != http.StatusSeeOther || a.Location() != "/signin?continue="+url.QueryEscape(web.Prefix)+"&lost=1" {
				t.Errorf("POST %s: %d %s", path, a.Status, a.Location())
			}
		}
	}
}

// Guarantee: those of the company's people who only look change nothing, whatever they
// send where.
func TestObserversChangeNothing(t *testing.T) {
	w := dashtest.New(t, conformance, dashboard.Areas()...)
	observer := w.AsStaff(cardea.RoleViewer)
	before := lastEvent(t, w)
	form := url.Values{"name": {"x"}, "confirm": {"x"}, "email": {"x@example.com"}, "role": {"owner"}, "url": {"https://example.com"}}
	for _, path := range append(paths(w, "POST", web.Prefix+"/as/"+w.One.ID), paths(w, "POST", web.ConsolePrefix)...) {
		if a := observer.Post(path, form); a.Status < 400 && a.Status != http.StatusSeeOther {
			t.Errorf("POST %s: %d", path, a.Status)
		}
	}
	if after := lastEvent(t, w); after != before {
		t.Errorf("something was changed: event %d came after %d", after, before)
	}
}

// lastEvent returns the number of the newest audit event.
func lastEvent(t *testing.T, w *dashtest.World) int64 {
	t.Helper()
	events, err := w.Insight.AuditEvents(t.Context(), dashtest.Operator, insight.AuditFilter{Page: access.Page{Limit: 1}})
	if err != nil || len(events.Items) == 0 {
		t.Fatal("no audit events", err)
	}
	return events.Items[0].Seq
}
