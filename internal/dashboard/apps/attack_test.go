package apps_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard/apps"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/manage"
)

// fields are what every form of the area may send: enough for each to be accepted from
// somebody who may.
func fields(o manage.Organization, pattern string) url.Values {
	name := "Website of " + o.Name
	if strings.Contains(pattern, "{account}") {
		name = "Nightly of " + o.Name
	}
	return form("name", "New name", "type", "web", "environment", "live", "redirect_uris", "https://app.acme.test/callback", "scopes", "records:read",
		"grants", "authorization_code", "overlap_seconds", "60", "kind", "personal_token", "reason", "because", "confirm", name)
}

// TestNobodyReachesAnotherOrganization holds that whatever is another organization's is
// not there, for every page and every form, members and staff alike: staff see an
// organization's things on the pages of that organization.
func TestNobodyReachesAnotherOrganization(t *testing.T) {
	s := newScene(t)
	before := s.state(t, s.Two)
	owner, operator := s.As(s.One, cardea.RoleOwner), s.AsStaff(cardea.RoleOwner)
	for _, route := range apps.Area().Routes {
		method, pattern, _ := strings.Cut(route.Pattern, " ")
		if !strings.Contains(pattern, "{") {
			continue
		}
		for who, path := range map[*dashtest.Browser]string{
			owner: "/dashboard" + s.two.path(pattern), operator: "/dashboard/as/" + s.One.ID + s.two.path(pattern),
		} {
			var a dashtest.Answer
			if method == http.MethodGet {
				a = who.Get(path)
			} else {
				a = who.Post(path, fields(s.Two, pattern))
			}
			if a.Status != http.StatusNotFound {
				t.Errorf("%s %s as %s: %d %s", method, path, who.Member.Email, a.Status, text(a))
			}
			not(t, a, "Two Corp", s.two.secret)
		}
	}
	if after := s.state(t, s.Two); after != before {
		t.Errorf("something was done:\n%s\n%s", before, after)
	}
	list := owner.Get("/dashboard/applications?q=Two")
	want(t, list, http.StatusOK, "Nothing matches")
}

// TestMixedIdsAreNotThere holds that a thing is found below its own parent only.
func TestMixedIdsAreNotThere(t *testing.T) {
	s := newScene(t)
	owner := s.As(s.One, cardea.RoleOwner)
	for _, path := range []string{
		"/applications/" + s.one.public + "/grants/" + s.one.grant + "/revoke", "/applications/" + s.one.public + "/consents/" + s.one.consent + "/withdraw",
		"/applications/" + s.one.client + "/grants/" + s.two.grant + "/revoke", "/applications/" + s.one.client + "/consents/" + s.two.consent + "/withdraw",
		"/service-accounts/" + s.one.account + "/keys/" + s.two.accountKey + "/revoke", "/applications/" + s.one.account + "/revoke",
		"/service-accounts/" + s.one.client + "/revoke", "/credentials/" + s.one.client + "/revoke", "/sessions/" + s.one.session + "/end",
	} {
		if a := owner.Post("/dashboard"+path, fields(s.One, "")); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, a.Status, text(a))
		}
	}
}

// TestViewersAndObserversChangeNothing holds that every form is refused to those who may
// only look, but for what is their own.
func TestViewersAndObserversChangeNothing(t *testing.T) {
	s := newScene(t)
	own := map[string]bool{ // a person's own business in any role
		"POST /credentials": true, "POST /credentials/{key}/regenerate": true, "POST /credentials/{key}/reveal": true,
		"POST /credentials/{key}/revoke": true, "POST /authorized/{consent}/withdraw": true, "POST /sessions/{session}/end": true,
		"POST /sessions/end": true, "POST /applications/{client}/grants/{grant}/revoke": true, "POST /applications/{client}/consents/{consent}/withdraw": true,
		"POST /applications/{client}/try": true, // asks for nothing but a page
	}
	before := s.state(t, s.One)
	viewer, observer := s.As(s.One, cardea.RoleViewer), s.AsStaff(cardea.RoleViewer)
	for _, route := range apps.Area().Routes {
		method, pattern, _ := strings.Cut(route.Pattern, " ")
		if method != http.MethodPost {
			continue
		}
		if !own[route.Pattern] {
			if a := viewer.Post("/dashboard"+s.one.path(pattern), fields(s.One, pattern)); a.Status != http.StatusForbidden {
				t.Errorf("a viewer: %s: %d %s", route.Pattern, a.Status, text(a))
			}
		}
		a := observer.Post("/dashboard/as/"+s.One.ID+s.one.path(pattern), fields(s.One, pattern))
		if a.Status < 400 || a.Status >= 500 {
			t.Errorf("an observer: %s: %d %s", route.Pattern, a.Status, text(a))
		}
		not(t, a, s.one.secret, "PRIVATE KEY")
	}
	if after := s.state(t, s.One); after != before {
		t.Errorf("something was done:\n%s\n%s", before, after)
	}
}

// TestFormsOfOtherSitesAreRefused holds that a form counts only when a page of this site
// sent it.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	s := newScene(t)
	owner := s.As(s.One, cardea.RoleOwner)
	for _, route := range apps.Area().Routes {
		method, pattern, _ := strings.Cut(route.Pattern, " ")
		if method != http.MethodPost {
			continue
		}
		if a := owner.Do(crossSite(owner, "/dashboard"+s.one.path(pattern), fields(s.One, pattern))); a.Status != http.StatusForbidden {
			t.Errorf("%s: %d", route.Pattern, a.Status)
		}
	}
}

// hostile are redirect URIs that nobody may register, and what a page might do with them.
var hostile = []string{
	"javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,<script>alert(1)</script>", "https://app.acme.test/\"><script>alert(1)</script>",
	"https://app.acme.test/cb\r\nSet-Cookie: session=x", "https://app.acme.test/cb%0d%0aX: y z", "http://app.acme.test/cb", "https://app.acme.test@evil.test/",
	"//evil.test/cb", "https://evil.test\\@app.acme.test/", "vbscript:x", "file:///etc/passwd", "https://app.acme.test/cb#fragment",
}

// TestHostileRedirectURIsAreRefused holds that they are neither stored nor shown as
// anything but text, at creation, at a change, and where one may be asked about.
func TestHostileRedirectURIsAreRefused(t *testing.T) {
	s := newScene(t)
	owner := s.As(s.One, cardea.RoleOwner)
	for _, uri := range hostile {
		f := fields(s.One, "")
		f.Set("redirect_uris", uri)
		for _, path := range []string{"/dashboard/applications", "/dashboard/applications/" + s.one.client + "/edit"} {
			a := owner.Post(path, f)
			want(t, a, http.StatusUnprocessableEntity, "redirect URI")
			unmarked(t, a, `"><script>`, `href="javascript`, `href="data:`)
		}
		a := owner.Get("/dashboard/applications/" + s.one.client + "?redirect_uri=" + url.QueryEscape(uri))
		want(t, a, http.StatusOK, "No.")
		unmarked(t, a, `"><script>`)
	}
	client, err := s.Manage.Client(t.Context(), dashtest.Operator, manage.ID{ID: s.one.client})
	if err != nil || len(client.RedirectURIs) != 1 || client.RedirectURIs[0] != "https://app.acme.test/callback" {
		t.Errorf("%v %v", client.RedirectURIs, err)
	}
}

// TestNamesAreText holds that markup in whatever people choose stays text on every page.
func TestNamesAreText(t *testing.T) {
	const evil = `<img src=x onerror=alert(1)>"'><script>alert(1)</script>`
	s := newScene(t)
	name := evil
	ctx := t.Context()
	if _, err := s.Manage.UpdateClient(ctx, dashtest.Operator, manage.UpdateClient{ID: s.one.client, Name: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Manage.UpdateServiceAccount(ctx, dashtest.Operator, manage.UpdateKey{ID: s.one.account, Name: &name}); err != nil {
		t.Fatal(err)
	}
	owner, viewer := s.As(s.One, cardea.RoleOwner), s.As(s.One, cardea.RoleViewer)
	for _, route := range apps.Area().Routes {
		method, pattern, _ := strings.Cut(route.Pattern, " ")
		if method != http.MethodGet {
			continue
		}
		for _, b := range []*dashtest.Browser{owner, viewer} {
			unmarked(t, b.Get("/dashboard"+s.one.path(pattern)+"?q="+url.QueryEscape(evil)+"&name="+url.QueryEscape(evil)), "<img", "<script>alert")
		}
	}
	unmarked(t, owner.Post("/dashboard/applications/"+s.one.client+"/reveal", nil), "<img", "<script>alert")
	unmarked(t, owner.Post("/dashboard/applications/"+s.one.client+"/revoke", form("confirm", evil+"x")), "<img", "<script>alert")
	a := owner.Post("/dashboard/applications", form("name", evil, "type", "web", "redirect_uris", evil, "origins", evil, "logo_url", evil, "expires_at", evil))
	want(t, a, http.StatusUnprocessableEntity)
	unmarked(t, a, "<img", "<script>alert")
}
