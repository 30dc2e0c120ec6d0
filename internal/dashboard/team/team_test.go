package team_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/dashboard/team"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/record"
)

var example, says, saysNot = dashtest.Example, dashtest.Says, dashtest.SaysNot

var linkText = regexp.MustCompile(`https://[a-z.]+/(invite|reset)/(cardea_link_[0-9A-Za-z]+)`)

// The link of an invitation is in the answer to the form, with its end, and on no page
// afterwards; it lets its reader in.
func TestTheLinkOfAnInvitationIsShownOnce(t *testing.T) {
	w := dashtest.New(t, example("conformance"), team.Area())
	b := w.As(w.One, cardea.RoleAdmin)
	says(t, b.Get("/dashboard/members"), http.StatusOK, "Members", "Invite a member", "Viewer Person", "viewer@one-corp.test", "Viewer", "Admin Person", "(you)")
	made := b.Post("/dashboard/members/invite", url.Values{"email": {"new@one-corp.test"}, "name": {"New Person"}, "role": {"developer"}})
	says(t, made, http.StatusOK, "Invitation for New Person", "shown once", "Good until", "21 Mar 2027, 09:26 UTC")
	link := linkText.FindStringSubmatch(made.Body)
	if link == nil || made.Header.Get("Cache-Control") != "no-store" || strings.Contains(made.Body, "htmx.min") {
		t.Fatalf("link %q, %v", link, made.Header)
	}
	if _, ok, err := w.People.Link(t.Context(), link[2], people.From{}); !ok || err != nil {
		t.Error("the link is not good", err)
	}
	list := b.Get("/dashboard/members?status=invited")
	says(t, list, http.StatusOK, "New Person", "Not yet", "Invited")
	saysNot(t, list, "Admin Person")
	path := "/dashboard/members/" + regexp.MustCompile(`members/(usr_[0-9A-Za-z]+)"`).FindStringSubmatch(list.Body)[1]
	page := b.Get(path)
	says(t, page, http.StatusOK, "New Person", "New invitation link")
	saysNot(t, page, "cardea_link_")

	again := b.Post(path+"/invitation", nil)
	says(t, again, http.StatusOK, "Invitation for New Person")
	if _, ok, _ := w.People.Link(t.Context(), link[2], people.From{}); ok {
		t.Error("the first link is still good")
	}
	says(t, b.Post("/dashboard/members/invite", url.Values{"email": {"new@one-corp.test"}, "name": {"Other"}, "role": {"viewer"}}), http.StatusUnprocessableEntity, "has a member with this address")
	says(t, b.Post("/dashboard/members/invite", url.Values{"email": {"no address"}, "name": {""}, "role": {"king"}}), http.StatusUnprocessableEntity, "must be owner, admin, developer or viewer")
}

// The search narrows the list, alone as a part of a page too.
func TestMembersAreSearched(t *testing.T) {
	w := dashtest.New(t, example("conformance"), team.Area())
	b := w.As(w.One, cardea.RoleViewer)
	part := b.Part("/dashboard/members?q=develop")
	says(t, part, http.StatusOK, `id="table"`, "Developer Person")
	if strings.Contains(part.Body, "<html") || strings.Contains(part.Body, "Owner Person") {
		t.Error("the part is not the part, or not narrowed")
	}
	says(t, b.Get("/dashboard/members?q=nobody-is-called-so"), http.StatusOK, "Nobody matches", "Show everybody")
	says(t, b.Get("/dashboard/members?role=owner"), http.StatusOK, "Owner Person")
	for _, wrong := range []string{"role=king", "status=x", "cursor=abc"} {
		says(t, b.Get("/dashboard/members?"+wrong), http.StatusUnprocessableEntity, "cannot be done as asked")
	}
	saysNot(t, b.Get("/dashboard/members"), "Invite a member")
	says(t, b.Get("/dashboard/members/invite"), http.StatusForbidden)
}

// posts are the forms of the pages of an organization, for a member and a session of it.
func posts(member, session string) map[string]url.Values {
	return map[string]url.Values{
		"/members/invite":                             {"email": {"x@one-corp.test"}, "name": {"X"}, "role": {"viewer"}},
		"/members/" + member:                          {"name": {"Changed"}, "role": {"viewer"}},
		"/members/" + member + "/invitation":          {},
		"/members/" + member + "/reset":               {},
		"/members/" + member + "/disable":             {},
		"/members/" + member + "/enable":              {},
		"/members/" + member + "/offboard":            {"confirm": {"admin@one-corp.test"}},
		"/members/" + member + "/sessions":            {},
		"/members/" + member + "/sessions/" + session: {},
		"/addresses":                   {"environment": {"live"}, "address": {"192.0.2.1"}, "meant": {"1"}},
		"/addresses/remove":            {"environment": {"live"}, "address": {"192.0.2.0/24"}},
		"/addresses/clear":             {"environment": {"live"}},
		"/issuers":                     {"environment": {"live"}, "url": {"https://idp.example.test"}},
		"/issuers/remove":              {"environment": {"live"}},
		"/organization":                {"name": {"Changed"}},
		"/organization/sign-on":        {"issuer": {"https://idp.example.test"}, "client_id": {"c"}, "role": {"viewer"}},
		"/organization/sign-on/remove": {},
	}
}

// sessionOf returns a session of a member.
func sessionOf(t *testing.T, w *dashtest.World, member string) string {
	t.Helper()
	list, err := w.Store.Sessions(t.Context(), member)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	return list[0].ID
}

// Developers and viewers change nothing of an organization, and see no buttons that would.
func TestOnlyAdminsChangeAnOrganization(t *testing.T) {
	w := dashtest.New(t, example("conformance"), team.Area())
	w.As(w.One, cardea.RoleAdmin)
	admin := w.Member(w.One, cardea.RoleAdmin)
	for _, role := range []cardea.Role{cardea.RoleDeveloper, cardea.RoleViewer} {
		b := w.As(w.One, role)
		before := w.Events()
		for path, form := range posts(admin.ID, sessionOf(t, w, admin.ID)) {
			// Whose sessions there are is not for them to know; one is as good as none.
			if a := b.Post("/dashboard"+path, form); a.Status != http.StatusForbidden {
				t.Errorf("%s: POST %s: %d", role, path, a.Status)
			}
		}
		if w.Events() != before {
			t.Errorf("%s: something was changed", role)
		}
		for _, path := range []string{"/members", "/members/" + admin.ID, "/addresses", "/issuers", "/organization"} {
			a := b.Get("/dashboard" + path)
			says(t, a, http.StatusOK)
			saysNot(t, a, `method="post"`, "/disable", "Remove", "client_secret")
		}
		for _, path := range []string{"/members/invite", "/members/" + admin.ID + "/disable", "/members/" + admin.ID + "/offboard", "/organization/sign-on"} {
			says(t, b.Get("/dashboard"+path), http.StatusForbidden)
		}
	}
}

// What belongs to another organization is not there: for its id, for its sessions, and for
// an operator on the pages of the wrong one too.
func TestMembersOfOthersAreNotThere(t *testing.T) {
	w := dashtest.New(t, example("conformance"), team.Area())
	owner, operator := w.As(w.One, cardea.RoleOwner), w.AsStaff(cardea.RoleOwner)
	w.As(w.Two, cardea.RoleAdmin)
	theirs := w.Member(w.Two, cardea.RoleAdmin)
	session := sessionOf(t, w, theirs.ID)
	before := w.Events()
	check := func(b *dashtest.Browser, base, list string) {
		t.Helper()
		for path, form := range posts(theirs.ID, session) {
			if strings.Contains(path, theirs.ID) {
				if a := b.Post(base+strings.Replace(path, "/members", list, 1), form); a.Status != http.StatusNotFound {
					t.Errorf("POST %s%s: %d", base, path, a.Status)
				}
			}
		}
		for _, path := range []string{"", "/disable", "/offboard"} {
			says(t, b.Get(base+list+"/"+theirs.ID+path), http.StatusNotFound, "This is not here")
		}
		mine := w.Member(w.One, cardea.RoleViewer)
		if list == "/members" {
			says(t, b.Post(base+"/members/"+mine.ID+"/sessions/"+session, nil), http.StatusNotFound)
		}
	}
	check(owner, "/dashboard", "/members")
	check(operator, "/dashboard/as/"+w.One.ID, "/members")
	check(operator, "/dashboard/console", "/staff")
	if w.Events() != before {
		t.Error("something was changed")
	}
}

// An admin does nothing to an owner, and the last owner stays one.
func TestOwnersAreProtected(t *testing.T) {
	w := dashtest.New(t, example("conformance"), team.Area())
	admin, owner := w.As(w.One, cardea.RoleAdmin), w.As(w.One, cardea.RoleOwner)
	staff, path := w.AsStaff(cardea.RoleOwner), "/dashboard/members/"+owner.Member.ID
	before := w.Events()
	for _, act := range []string{"/disable", "/offboard", "/reset"} {
		says(t, admin.Post(path+act, url.Values{"confirm": {owner.Member.Email}}), http.StatusForbidden)
	}
	says(t, admin.Post(path, url.Values{"name": {"X"}, "role": {"viewer"}}), http.StatusForbidden)
	says(t, admin.Post("/dashboard/members/"+admin.Member.ID, url.Values{"name": {"X"}, "role": {"owner"}}), http.StatusForbidden)
	says(t, owner.Post(path, url.Values{"name": {"X"}, "role": {"viewer"}}), http.StatusUnprocessableEntity, "last owner", `value="X"`)
	says(t, owner.Post(path+"/disable", nil), http.StatusConflict, "last owner")

	console := "/dashboard/console/staff/" + staff.Member.ID
	says(t, staff.Post(console, url.Values{"name": {"X"}, "role": {"viewer"}}), http.StatusUnprocessableEntity, "last owner")
	says(t, staff.Post(console+"/disable", nil), http.StatusConflict, "last owner")
	says(t, staff.Post(console+"/offboard", url.Values{"confirm": {staff.Member.Email}}), http.StatusConflict, "last owner")
	if w.Events() != before {
		t.Error("something was changed")
	}
}

// A person who leaves is gone in one act: their address typed, nothing of theirs works.
func TestOffboardingAMemberEndsEverythingOfTheirs(t *testing.T) {
	w := dashtest.New(t, example("conformance"), team.Area())
	b, leaves := w.As(w.One, cardea.RoleOwner), w.As(w.One, cardea.RoleDeveloper)
	actor := cardea.Actor{Type: "member", ID: leaves.Member.ID}
	k, err := w.Manage.CreateKey(t.Context(), actor, manage.CreateKey{Kind: "personal_token", Environment: "live", Member: leaves.Member.ID, Name: "Laptop"})
	if err != nil {
		t.Fatal(err)
	}
	path := "/dashboard/members/" + leaves.Member.ID
	says(t, b.Get(path), http.StatusOK, "Signed in", "Unknown device", "by password", "192.0.2.7", "Credentials of their own", "Laptop", "Offboard")
	ask := b.Part(path + "/offboard")
	says(t, ask, http.StatusOK, "Offboard Developer Person?", "Working credentials", "1", "Sessions", "1", "developer@one-corp.test")
	if strings.Contains(ask.Body, "<html") {
		t.Error("the part is a whole page")
	}
	before := w.Events()
	says(t, b.Post(path+"/offboard", url.Values{"confirm": {"developer"}}), http.StatusUnprocessableEntity, "Nothing was done")
	if w.Events() != before {
		t.Error("something was done")
	}
	says(t, b.Follow(b.Post(path+"/offboard", url.Values{"confirm": {leaves.Member.Email}, "reason": {"left"}})), http.StatusOK, "is offboarded", "Disabled", "Nowhere at the moment")
	if got, err := w.Manage.Key(t.Context(), dashtest.Operator, manage.ID{ID: k.Key.ID}); err != nil || got.Status != manage.StatusRevoked || got.RevokedReason != "left" {
		t.Errorf("the key is %+v, %v", got, err)
	}
	if a := leaves.Get("/dashboard/members"); !strings.HasPrefix(a.Location(), "/signin") {
		t.Errorf("they are still in: %d", a.Status)
	}
	says(t, b.Follow(b.Post(path+"/enable", nil)), http.StatusOK, "may come in again")
}

// Sessions are ended one by one and all together.
func TestSessionsOfAMemberEnd(t *testing.T) {
	w := dashtest.New(t, example("conformance"), team.Area())
	b, one, two := w.As(w.One, cardea.RoleAdmin), w.As(w.One, cardea.RoleViewer), w.As(w.One, cardea.RoleViewer)
	path := "/dashboard/members/" + one.Member.ID
	session := sessionOf(t, w, one.Member.ID)
	says(t, b.Follow(b.Post(path+"/sessions/"+session, nil)), http.StatusOK, "Signed out there.")
	in := 0
	for _, browser := range []*dashtest.Browser{one, two} {
		if browser.Get("/dashboard/members").Status == http.StatusOK {
			in++
		}
	}
	if in != 1 {
		t.Errorf("%d of two sessions are left", in)
	}
	says(t, b.Follow(b.Post(path+"/sessions", nil)), http.StatusOK, "is signed out everywhere", "Nowhere")
	says(t, b.Follow(b.Post(path, url.Values{"name": {"Renamed"}, "role": {"developer"}})), http.StatusOK, "Changes saved.", "Renamed", "Developer")
	says(t, b.Follow(b.Post(path+"/disable", nil)), http.StatusOK, "is disabled", "Enable")
	// A reset link is for operators: whoever has it is that person.
	b.Post(path+"/enable", nil)
	says(t, b.Post(path+"/reset", nil), http.StatusForbidden)
	saysNot(t, b.Get(path), "Reset link")
	operator := w.AsStaff(cardea.RoleAdmin)
	as := "/dashboard/as/" + w.One.ID + "/members/" + one.Member.ID
	says(t, operator.Get(as), http.StatusOK, "Reset link")
	says(t, operator.Post(as+"/reset", nil), http.StatusOK, "Reset link for Renamed", "/reset/cardea_link_")
}

// allow records a request from an address that was let through.
func allow(t *testing.T, w *dashtest.World, address string) {
	t.Helper()
	w.Recorder.Add(record.Event{
		At: w.Now(), RequestID: "of " + address, Organization: w.One.ID, Environment: "dev", Method: "GET", Path: "/dev/x", Status: 200,
		Reason: cardea.ReasonAllowed, Client: netip.MustParseAddr(address),
	})
	if err := w.Recorder.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// The first address on a list shuts all others out, so that it is asked about, and callers
// that it would refuse are named. The last one is not removed by removing.
func TestAListWarnsBeforeItShutsOrOpens(t *testing.T) {
	w := dashtest.New(t, example("codehooks"), team.Area())
	b := w.As(w.One, cardea.RoleOwner)
	page := b.Get("/dashboard/addresses")
	says(t, page, http.StatusOK, "<h1>Whitelist</h1>", `aria-current="page">dev`, "prod", "Every address may call", "refuses nobody", "Address or network")
	allow(t, w, "198.51.100.9")
	allow(t, w, "203.0.113.5")
	form := url.Values{"environment": {"dev"}, "address": {"203.0.113.0/24"}}
	ask := b.Post("/dashboard/addresses", form)
	says(t, ask, http.StatusOK, "Close dev to all other addresses?", "203.0.113.0/24", "would be refused", "198.51.100.9", `name="meant"`, "Close to all others")
	saysNot(t, ask, "203.0.113.5")
	if list := addresses(t, w, "dev"); len(list) != 0 {
		t.Errorf("it is closed already: %v", list)
	}
	form.Set("meant", "1")
	says(t, b.Follow(b.Post("/dashboard/addresses", form)), http.StatusOK, "203.0.113.0/24 is on the list.", "203.0.113.0/24", "Remove")
	says(t, b.Follow(b.Post("/dashboard/addresses", url.Values{"environment": {"dev"}, "address": {"2001:db8::1"}})), http.StatusOK, "2001:db8::1 is on the list.")
	if list := addresses(t, w, "prod"); len(list) != 0 {
		t.Errorf("another environment has %v", list)
	}
	allow(t, w, "203.0.113.8")
	says(t, b.Get("/dashboard/addresses/remove?environment=dev&address=203.0.113.0/24"), http.StatusOK, "Remove 203.0.113.0/24?", "would be refused", "203.0.113.8")
	for _, wrong := range []string{"", "203.0.113.7/24", "somewhere", "<script>alert(1)</script>"} {
		a := b.Post("/dashboard/addresses", url.Values{"environment": {"dev"}, "address": {wrong}})
		says(t, a, http.StatusUnprocessableEntity, `aria-invalid="true"`)
		if strings.Contains(a.Body, "<script>alert") {
			t.Error("markup of the form is on the page")
		}
	}
	says(t, b.Get("/dashboard/addresses/remove?environment=dev&address=2001:db8::1"), http.StatusOK, "Remove 2001:db8::1?")
	says(t, b.Follow(b.Post("/dashboard/addresses/remove", url.Values{"environment": {"dev"}, "address": {"2001:db8::1"}})), http.StatusOK, "is removed")
	says(t, b.Get("/dashboard/addresses/remove?environment=dev&address=203.0.113.0/24"), http.StatusOK, "Open dev to every address?", "every address may call", "/addresses/clear")
	says(t, b.Post("/dashboard/addresses/remove", url.Values{"environment": {"dev"}, "address": {"203.0.113.0/24"}}), http.StatusConflict)
	says(t, b.Follow(b.Post("/dashboard/addresses/clear", url.Values{"environment": {"dev"}})), http.StatusOK, "every address may call", "Every address may call")
	for _, path := range []string{"/dashboard/addresses?environment=nowhere", "/dashboard/addresses/remove?environment=dev&address=192.0.2.9"} {
		says(t, b.Get(path), http.StatusNotFound)
	}
}

// The reader's own address is offered, and its absence from a closed list is told.
func TestTheReadersOwnAddressIsOffered(t *testing.T) {
	w := dashtest.New(t, example("codehooks"), team.Area())
	b := w.As(w.One, cardea.RoleOwner)
	says(t, b.Get("/dashboard/addresses"), http.StatusOK, "You are at", "192.0.2.1", "Add this address") // httptest's
	set := manage.Addresses{AddressListID: manage.AddressListID{Organization: w.One.ID, Environment: "dev"}, Addresses: []string{"203.0.113.7"}}
	if _, err := w.Manage.SetAddressList(t.Context(), dashtest.Operator, set); err != nil {
		t.Fatal(err)
	}
	says(t, b.Get("/dashboard/addresses"), http.StatusOK, "not on the list: your own calls would be refused")
	says(t, b.Follow(b.Post("/dashboard/addresses", url.Values{"environment": {"dev"}, "address": {"192.0.2.1"}})), http.StatusOK, "is on the list")
	saysNot(t, b.Get("/dashboard/addresses"), "would be refused", "Add this address")
	none := dashtest.New(t, example("coherence"), team.Area())
	says(t, none.As(none.One, cardea.RoleOwner).Get("/dashboard/addresses"), http.StatusNotFound)
}

func addresses(t *testing.T, w *dashtest.World, environment string) []string {
	t.Helper()
	list, err := w.Manage.AddressList(t.Context(), dashtest.Operator, manage.AddressListID{Organization: w.One.ID, Environment: environment})
	if err != nil {
		t.Fatal(err)
	}
	return list.Addresses
}

// An issuer is set by the URL of its key set; the page names its keys, and says when they
// cannot be fetched any more.
func TestAnIssuerIsSetShownAndRemoved(t *testing.T) {
	w := dashtest.New(t, example("codehooks"), team.Area())
	b, idp := w.As(w.One, cardea.RoleOwner), dashtest.Provider(t, "RS256")
	says(t, b.Get("/dashboard/issuers?environment=prod"), http.StatusOK, "<h1>JWKS</h1>", "JWKS URL", "RS256", "READ, WRITE")
	form := url.Values{"environment": {"prod"}, "url": {idp.URL + "/.well-known/jwks.json"}}
	says(t, b.Follow(b.Post("/dashboard/issuers", form)), http.StatusOK, "its keys were fetched", "Keys are good", idp.URL+"/.well-known/jwks.json", "key-of-theirs", `href="/dashboard/issuers/remove?environment=prod"`, "Replace the issuer")
	says(t, b.Get("/dashboard/issuers?environment=dev"), http.StatusOK, "Name an issuer")
	for _, wrong := range []string{"", "not a url", idp.URL + "/nothing", "javascript:alert(1)"} {
		a := b.Post("/dashboard/issuers", url.Values{"environment": {"prod"}, "url": {wrong}})
		says(t, a, http.StatusUnprocessableEntity, `aria-invalid="true"`)
	}
	idp.Close()
	w.Advance(24 * time.Hour)
	if _, err := w.Manage.SetOrganizationIssuer(t.Context(), dashtest.Operator, manage.SetOrganizationIssuer{
		Organization: w.One.ID, Environment: "prod", URL: &form["url"][0], Issuer: idp.URL,
	}); err == nil {
		t.Log("the keys from before were good enough")
	}
	b = w.As(w.One, cardea.RoleOwner)
	says(t, b.Get("/dashboard/issuers?environment=prod"), http.StatusOK, "Last attempt", "there was no connection")
	says(t, b.Get("/dashboard/issuers/remove?environment=prod"), http.StatusOK, "Remove the issuer?", idp.URL)
	says(t, b.Follow(b.Post("/dashboard/issuers/remove", url.Values{"environment": {"prod"}})), http.StatusOK, "its tokens are refused", "Name an issuer")
	says(t, b.Get("/dashboard/issuers/remove?environment=prod"), http.StatusNotFound)
	none := dashtest.New(t, example("coherence"), team.Area())
	says(t, none.As(none.One, cardea.RoleOwner).Get("/dashboard/issuers"), http.StatusNotFound)
}

// A provider's client secret goes in and never comes out; only owners touch the provider.
func TestSingleSignOnKeepsItsSecret(t *testing.T) {
	w := dashtest.New(t, example("conformance"), team.Area())
	b, admin := w.As(w.One, cardea.RoleOwner), w.As(w.One, cardea.RoleAdmin)
	form := url.Values{
		"issuer": {"https://login.example.test"}, "client_id": {"cardea"}, "client_secret": {"very-secret-indeed"},
		"auto_join": {"1"}, "domains": {"one-corp.test\r\n"}, "role": {"viewer"},
	}
	says(t, admin.Post("/dashboard/organization/sign-on", form), http.StatusForbidden)
	says(t, admin.Get("/dashboard/organization"), http.StatusOK, "An owner can connect one")
	says(t, b.Get("/dashboard/organization/sign-on"), http.StatusOK, "Redirect URI", "https://app.example.com/signin/sso/callback")
	says(t, b.Follow(b.Post("/dashboard/organization/sign-on", form)), http.StatusOK, "sign in through their company", "https://login.example.test", "never shown again", "one-corp.test")
	for _, path := range []string{"/dashboard/organization", "/dashboard/organization/sign-on", "/dashboard/organization/sign-on/remove"} {
		if a := b.Get(path); a.Status != http.StatusOK || strings.Contains(a.Body, "very-secret-indeed") {
			t.Errorf("%s: %d, or it shows the secret", path, a.Status)
		}
	}
	form.Set("client_secret", "another-secret")
	form.Set("issuer", "http://insecure.example.test")
	wrong := b.Post("/dashboard/organization/sign-on", form)
	says(t, wrong, http.StatusUnprocessableEntity, "must be an https URL")
	saysNot(t, wrong, "another-secret")
	says(t, admin.Post("/dashboard/organization/sign-on/remove", nil), http.StatusForbidden)
	says(t, b.Follow(b.Post("/dashboard/organization/sign-on/remove", nil)), http.StatusOK, "Single sign-on is removed", "Connect a provider")
	says(t, b.Get("/dashboard/organization/sign-on/remove"), http.StatusNotFound)
}

// The settings say what the plan allows, in the contract's words where it has no figures.
func TestSettingsShowThePlanAsTheContractDoes(t *testing.T) {
	w := dashtest.New(t, example("cohera-api"), team.Area())
	b := w.As(w.One, cardea.RoleOwner)
	says(t, b.Get("/dashboard/organization"), http.StatusOK, "Free", "60", "10", "no limit", w.One.ID, "Production", "live", "Sandbox", "test")
	custom := "custom"
	if _, err := w.Manage.UpdateOrganization(t.Context(), dashtest.Operator, manage.UpdateOrganization{ID: w.One.ID, Plan: &custom}); err != nil {
		t.Fatal(err)
	}
	says(t, b.Get("/dashboard/organization"), http.StatusOK, "Custom", "Contact sales")
	if _, err := w.Manage.UpdateOrganization(t.Context(), dashtest.Operator, manage.UpdateOrganization{ID: w.One.ID, Limits: &manage.Limits{PerMinute: 2500, Burst: 200}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(example("cohera-api"))
	if err != nil {
		t.Fatal(err)
	}
	says(t, b.Get("/dashboard/organization"), http.StatusOK, "Single sign-on")
	w.Load(string(text) + "\nsign_in: {methods: [password]}\n")
	saysNot(t, b.Get("/dashboard/organization"), "Single sign-on")
	page := b.Get("/dashboard/organization")
	says(t, page, http.StatusOK, "Custom", "with limits of your own", "2,500", "200")
	saysNot(t, page, "Contact sales", "/console/")
	says(t, b.Follow(b.Post("/dashboard/organization", url.Values{"name": {"One & Only"}})), http.StatusOK, "The name is changed.", "One & Only")
	says(t, b.Post("/dashboard/organization", url.Values{"name": {""}}), http.StatusUnprocessableEntity, `aria-invalid="true"`)
}

// Names are text, whatever is in them.
func TestNamesAreNoMarkup(t *testing.T) {
	w := dashtest.New(t, example("conformance"), team.Area())
	evil := `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	owner := w.As(w.One, cardea.RoleOwner)
	says(t, owner.Follow(owner.Post("/dashboard/organization", url.Values{"name": {evil}})), http.StatusOK)
	viewer := w.Member(w.One, cardea.RoleViewer)
	path := "/dashboard/members/" + viewer.ID
	owner.Follow(owner.Post(path, url.Values{"name": {evil}, "role": {"viewer"}}))
	for _, page := range []string{"/dashboard/members", path, path + "/disable", path + "/offboard", "/dashboard/organization", "/dashboard/members?q=" + url.QueryEscape(evil),
		"/dashboard/members/invite?name=" + url.QueryEscape(evil) + "&email=" + url.QueryEscape(evil)} {
		a := owner.Get(page)
		says(t, a, http.StatusOK)
		if strings.Contains(a.Body, "<script>alert") || strings.Contains(a.Body, "<img src=x") {
			t.Errorf("%s: a name is markup", page)
		}
	}
	a := owner.Post(path+"/reset", nil)
	b := w.AsStaff(cardea.RoleOwner).Post("/dashboard/as/"+w.One.ID+"/members/"+viewer.ID+"/reset", nil)
	if strings.Contains(a.Body+b.Body, "<script>alert") {
		t.Error("a name is markup beside a link")
	}
}
