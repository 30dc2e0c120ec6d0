package apps_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/manage"
)

// attempt begins a try and returns the authorization request and the browser's cookie.
func attempt(t testing.TB, b *dashtest.Browser, client string) (url.Values, *http.Cookie) {
	t.Helper()
	a := b.Post("/dashboard/applications/"+client+"/try", form("scopes", "records:read"))
	want(t, a, http.StatusOK, "Open the consent screen")
	m := regexp.MustCompile(`href="(https://app\.example\.com/oauth/authorize\?[^"]*)"`).FindStringSubmatch(a.Body)
	if m == nil {
		t.Fatalf("no request:\n%s", a.Body)
	}
	u, err := url.Parse(html.UnescapeString(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Name == "__Host-try" {
			if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 600 {
				t.Errorf("the cookie is %v", c)
			}
			return u.Query(), c
		}
	}
	t.Fatal("no cookie")
	return nil, nil
}

const issuer = "https://app.example.com"

// TestTryingRunsTheFlow holds that the dashboard's address is registered on request, that
// the request is one that the authorization endpoint takes, and that its answer is shown
// with the line that exchanges it.
func TestTryingRunsTheFlow(t *testing.T) {
	s := newScene(t)
	b := s.As(s.One, cardea.RoleOwner)
	path := "/dashboard/applications/" + s.one.public + "/try"
	want(t, b.Get(path), http.StatusOK, "Missing", "https://app.example.com/dashboard/applications/try", "Add this address")
	want(t, b.Post(path, nil), http.StatusConflict, "Add this address")
	for range 2 { // twice is once
		want(t, b.Follow(b.Post(path+"/address", nil)), http.StatusOK, "The address is registered", "Prepare the request")
	}
	client, err := s.Manage.Client(t.Context(), dashtest.Operator, manage.ID{ID: s.one.public})
	if err != nil || !slices.Equal(client.RedirectURIs, []string{"https://app.acme.test/callback", "https://app.example.com/dashboard/applications/try"}) {
		t.Fatalf("%q %v", client.RedirectURIs, err)
	}
	q, cookie := attempt(t, b, s.one.public)
	if q.Get("client_id") != s.one.public || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 ||
		q.Get("scope") != "records:read" || len(q.Get("state")) < 20 {
		t.Errorf("the request is %v", q)
	}
	answer := "/dashboard/applications/try?code=ac_123&state=" + q.Get("state") + "&iss=" + url.QueryEscape(issuer)
	a := with(b, answer, cookie)
	want(t, a, http.StatusOK, "It works", "ac_123", "code_verifier=", "redirect_uri=https://app.example.com/dashboard/applications/try", "This line is complete", "https://api.acme.test/v1/records")
	not(t, a, "client_secret")
	if c := a.Header.Get("Set-Cookie"); !strings.Contains(c, "__Host-try=;") || !strings.Contains(c, "Max-Age=0") {
		t.Errorf("the attempt stays in the browser: %q", c)
	}
	// Without the cookie that it took, it is looked at no more.
	want(t, b.Get(answer), http.StatusBadRequest, "belongs to no try")
}

// TestAnswersThatNobodyAskedForAreNotLookedAt holds that the page of answers believes, and
// shows, nothing that a stranger may have put into its address: without the browser's own
// attempt, with another state, after ten minutes, in another session, or from another
// issuer.
func TestAnswersThatNobodyAskedForAreNotLookedAt(t *testing.T) {
	s := newScene(t)
	b, other := s.As(s.One, cardea.RoleOwner), s.As(s.One, cardea.RoleAdmin)
	want(t, b.Post("/dashboard/applications/"+s.one.public+"/try/address", nil), http.StatusSeeOther)
	q, cookie := attempt(t, b, s.one.public)
	state := q.Get("state")
	at := func(query string) string { return "/dashboard/applications/try?" + query }
	good := "code=stranger&state=" + state + "&iss=" + url.QueryEscape(issuer)
	for name, a := range map[string]dashtest.Answer{
		"no cookie":           b.Get(at(good)),
		"no state":            with(b, at("code=stranger&iss="+url.QueryEscape(issuer)), cookie),
		"another state":       with(b, at("code=stranger&state="+strings.ToLower(state)+"&iss="+url.QueryEscape(issuer)), cookie),
		"another session":     with(other, at(good), cookie),
		"two cookies":         with(b, at(good), cookie, &http.Cookie{Name: cookie.Name, Value: cookie.Value}),
		"a cookie of nothing": with(b, at("code=stranger&state=&iss="+url.QueryEscape(issuer)), &http.Cookie{Name: cookie.Name, Value: "e30"}),
		"no issuer":           with(b, at("code=stranger&state="+state), cookie),
		"another issuer":      with(b, at("code=stranger&state="+state+"&iss=https%3A%2F%2Fevil.test"), cookie),
	} {
		if a.Status != http.StatusBadRequest || a.Location() != "" {
			t.Errorf("%s: %d %s", name, a.Status, a.Location())
		}
		not(t, a, "stranger", "evil.test", "code_verifier")
	}
	a := with(b, at("error=%3Cb%3Ecall+this+number&error_description=call+0190&error_uri=https%3A%2F%2Fevil.test&state="+state+"&iss="+url.QueryEscape(issuer)), cookie)
	want(t, a, http.StatusOK, "neither a code nor an error that is known")
	not(t, a, "0190", "call this number", "evil.test")
	want(t, with(b, at("error=access_denied&state="+state+"&iss="+url.QueryEscape(issuer)), cookie), http.StatusOK, "The answer was no")
	s.Advance(10*time.Minute + time.Second)
	want(t, with(b, at(good), cookie), http.StatusBadRequest, "belongs to no try")
}

// TestTryingLeadsNowhereElse holds that nothing of the address or of the form decides
// where the browser goes, and that staff are told that members answer.
func TestTryingLeadsNowhereElse(t *testing.T) {
	s := newScene(t)
	b := s.As(s.One, cardea.RoleOwner)
	want(t, b.Post("/dashboard/applications/"+s.one.public+"/try/address", form("redirect_uri", "https://evil.test/", "address", "https://evil.test/")), http.StatusSeeOther)
	a := b.Post("/dashboard/applications/"+s.one.public+"/try?redirect_uri=https://evil.test/&next=https://evil.test/", form("redirect_uri", "https://evil.test/", "continue", "//evil.test", "scopes", "https://evil.test"))
	want(t, a, http.StatusOK)
	not(t, a, "evil.test")
	for _, query := range []string{"next=https://evil.test", "redirect_uri=//evil.test&return_to=//evil.test"} {
		if a := b.Get("/dashboard/applications/try?" + query); a.Location() != "" || strings.Contains(a.Body, "evil.test") {
			t.Errorf("%s: %d %s", query, a.Status, a.Location())
		}
	}
	staff := s.AsStaff(cardea.RoleOwner)
	want(t, staff.Get("/dashboard/as/"+s.One.ID+"/applications/"+s.one.public+"/try"), http.StatusOK, "As staff you cannot answer it")
	want(t, staff.Post("/dashboard/as/"+s.One.ID+"/applications/"+s.one.public+"/try", nil), http.StatusConflict)
}
