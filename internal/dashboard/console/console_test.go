package console_test

import (
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard/console"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/dashboard/team"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/people"
)

var example, says, saysNot = dashtest.Example, dashtest.Says, dashtest.SaysNot

func key(t *testing.T, w *dashtest.World, in manage.CreateKey) manage.Key {
	t.Helper()
	made, err := w.Manage.CreateKey(t.Context(), dashtest.Operator, in)
	if err != nil {
		t.Fatal(err)
	}
	return made.Key
}

// pages are the console's pages, and posts its forms, about an organization and one of its
// members, a signing key and a management token.
func pages(o, signing, token string) []string {
	return []string{
		"/organizations", "/organizations/new", "/organizations/" + o, "/organizations/" + o + "/suspend", "/organizations/" + o + "/offboard",
		"/plans", "/contract", "/contract/impact", "/issuers", "/hooks", "/hooks/1", "/signing-keys", "/signing-keys/rotate",
		"/signing-keys/" + signing + "/revoke", "/staff", "/staff/usr_viewer_stafftest", "/staff/usr_owner_stafftest", "/staff/invite", "/tokens", "/tokens/" + token + "/revoke", "/health",
	}
}

func posts(o, member, signing, token string) map[string]url.Values {
	return map[string]url.Values{
		"/organizations/new":               {"name": {"Another"}, "plan": {"standard"}, "limits": {"plan"}},
		"/organizations/" + o:              {"name": {"Changed"}, "plan": {"standard"}, "limits": {"plan"}},
		"/organizations/" + o + "/suspend": {}, "/organizations/" + o + "/resume": {},
		"/organizations/" + o + "/offboard":                       {"confirm": {"One Corp"}},
		"/organizations/" + o + "/members/" + member + "/handoff": {},
		"/hooks/1": {"method": {"GET"}, "path": {"/v1/x"}}, "/hooks/secret": {},
		"/signing-keys/rotate": {}, "/signing-keys/" + signing + "/revoke": {},
		"/tokens": {"name": {"app"}}, "/tokens/" + token + "/revoke": {},
		"/staff/invite":               {"email": {"x@staff.test"}, "name": {"X"}, "role": {"owner"}},
		"/staff/usr_viewer_stafftest": {"name": {"X"}, "role": {"owner"}}, "/staff/usr_viewer_stafftest/disable": {},
		"/staff/usr_viewer_stafftest/enable": {}, "/staff/usr_viewer_stafftest/invitation": {}, "/staff/usr_viewer_stafftest/reset": {},
		"/staff/usr_viewer_stafftest/offboard": {"confirm": {"viewer@staff.test"}}, "/staff/usr_viewer_stafftest/sessions": {},
	}
}

// furnished is a world with a signing key and a management token.
func furnished(t *testing.T) (w *dashtest.World, signing, token string) {
	t.Helper()
	w = dashtest.New(t, example("conformance"), team.Area(), console.Area())
	keys, err := w.Manage.RotateSigningKeys(t.Context(), dashtest.Operator, manage.RotateSigningKeys{Environment: "live", Immediate: true})
	if err != nil {
		t.Fatal(err)
	}
	made, err := w.Manage.CreateManagementToken(t.Context(), dashtest.Operator, manage.CreateManagementToken{Name: "billing"})
	if err != nil {
		t.Fatal(err)
	}
	return w, keys.Items[0].ID, made.Token.ID
}

// To a customer's people the console does not exist, nor the pages of an organization by
// its id, their own included.
func TestTheConsoleDoesNotExistForMembers(t *testing.T) {
	w, signing, token := furnished(t)
	b := w.As(w.One, cardea.RoleOwner)
	before := w.Events()
	for _, path := range pages(w.One.ID, signing, token) {
		says(t, b.Get("/dashboard/console"+path), http.StatusNotFound, "There is no such page")
	}
	for path, form := range posts(w.One.ID, b.Member.ID, signing, token) {
		says(t, b.Post("/dashboard/console"+path, form), http.StatusNotFound, "There is no such page")
	}
	for _, o := range []string{w.One.ID, w.Two.ID} {
		says(t, b.Get("/dashboard/as/"+o+"/members"), http.StatusNotFound, "There is no such page")
	}
	says(t, b.Post("/dashboard/console/contract/impact", url.Values{"contract": {"cardea: 1"}}), http.StatusNotFound)
	if w.Events() != before {
		t.Error("something was changed")
	}
}

// Those of staff who only look see every page without a button that changes anything, and
// no form of theirs does.
func TestObserversLookAndChangeNothing(t *testing.T) {
	w, signing, token := furnished(t)
	for _, role := range []cardea.Role{cardea.RoleDeveloper, cardea.RoleViewer} {
		b := w.AsStaff(role)
		before := w.Events()
		for path, form := range posts(w.One.ID, w.Member(w.One, cardea.RoleOwner).ID, signing, token) {
			if a := b.Post("/dashboard/console"+path, form); a.Status != http.StatusForbidden {
				t.Errorf("%s: POST %s: %d", role, path, a.Status)
			}
		}
		if w.Events() != before {
			t.Errorf("%s: something was changed", role)
		}
		for _, path := range pages(w.One.ID, signing, token) {
			a := b.Get("/dashboard/console" + path)
			asks := strings.HasSuffix(path, "/new") || strings.HasSuffix(path, "/suspend") || strings.HasSuffix(path, "/offboard") ||
				strings.HasSuffix(path, "/revoke") || strings.HasSuffix(path, "/rotate") || strings.HasSuffix(path, "/invite") || path == "/hooks/1"
			switch {
			case asks && a.Status != http.StatusForbidden, !asks && a.Status != http.StatusOK:
				t.Errorf("%s: GET %s: %d", role, path, a.Status)
			case strings.Contains(a.Main(), `method="post"`) && path != "/contract/impact":
				t.Errorf("%s: %s has a form that would be refused", role, path)
			}
		}
		same, err := os.ReadFile(example("conformance"))
		if err != nil {
			t.Fatal(err)
		}
		says(t, b.Post("/dashboard/console/contract/impact", url.Values{"contract": {string(same)}}), http.StatusOK, "It is the contract in force")
	}
}

// A plan whose limits are agreed with each customer gets them in the console.
func TestACustomPlanIsSetForOneCustomer(t *testing.T) {
	for name, c := range map[string]struct{ plan, note string }{"cohera-api": {"custom", "Contact sales"}, "cohera-sdk": {"enterprise", "Custom"}} {
		t.Run(name, func(t *testing.T) {
			w := dashtest.New(t, example(name), console.Area())
			b := w.AsStaff(cardea.RoleOwner)
			says(t, b.Get("/dashboard/console/plans"), http.StatusOK, "set per customer", c.note, "/dashboard/console/organizations?plan="+c.plan)
			path := "/dashboard/console/organizations/" + w.One.ID
			says(t, b.Follow(b.Post(path, url.Values{"name": {"One Corp"}, "plan": {c.plan}, "limits": {"plan"}})), http.StatusOK, "Changes saved", "until you set limits here, nothing of this organization is limited")
			says(t, b.Follow(b.Post(path, url.Values{"name": {"One Corp"}, "plan": {c.plan}, "limits": {"own"}, "per_minute": {"2500"}, "burst": {"200"}, "per_day": {""}})),
				http.StatusOK, "their own", "2,500", "200", "no limit")
			o, err := w.Manage.Organization(t.Context(), dashtest.Operator, manage.ID{ID: w.One.ID})
			if err != nil || o.Plan != c.plan || o.Limits == nil || *o.Limits != (manage.Limits{PerMinute: 2500, Burst: 200}) {
				t.Errorf("the organization is %+v, %v", o, err)
			}
			for _, wrong := range []url.Values{{"per_minute": {"many"}}, {"per_minute": {"-1"}}, {"per_minute": {"1e3"}}, {"burst": {"5"}}, {"per_day": {"99999999999999999999"}}} {
				wrong["name"], wrong["plan"], wrong["limits"] = []string{"One Corp"}, []string{c.plan}, []string{"own"}
				says(t, b.Post(path, wrong), http.StatusUnprocessableEntity, `aria-invalid="true"`)
			}
			says(t, b.Follow(b.Post(path, url.Values{"name": {"One Corp"}, "plan": {"free"}, "limits": {"plan"}})), http.StatusOK, "the plan’s")
			if o, _ = w.Manage.Organization(t.Context(), dashtest.Operator, manage.ID{ID: w.One.ID}); o.Limits != nil || o.Plan != "free" {
				t.Errorf("the organization is %+v", o)
			}
		})
	}
}

// A customer's whole life: created, found, suspended and resumed, offboarded once its name
// is typed.
func TestTheLifeOfACustomer(t *testing.T) {
	w := dashtest.New(t, example("conformance"), console.Area())
	b := w.AsStaff(cardea.RoleAdmin)
	saysNot(t, b.Get("/dashboard/console/organizations"), "No customer yet")
	made := b.Post("/dashboard/console/organizations/new", url.Values{"name": {"Third Corp"}, "plan": {"standard"}, "limits": {"plan"}})
	says(t, b.Follow(made), http.StatusOK, "Third Corp is created", "Open their pages", "Invite the first member")
	path := made.Location()
	id := path[strings.LastIndex(path, "/")+1:]
	says(t, b.Post("/dashboard/console/organizations/new", url.Values{"name": {""}, "plan": {"no such"}, "limits": {"plan"}}), http.StatusUnprocessableEntity, "must be a plan of the contract")

	found := b.Part("/dashboard/console/organizations?q=third")
	says(t, found, http.StatusOK, `id="table"`, "Third Corp", "Standard", "/dashboard/as/"+id)
	saysNot(t, found, "One Corp", "<html")
	says(t, b.Get("/dashboard/console/organizations?q=none-such"), http.StatusOK, "No organization matches")
	for _, wrong := range []string{"status=x", "cursor=x"} {
		says(t, b.Get("/dashboard/console/organizations?"+wrong), http.StatusUnprocessableEntity)
	}
	k := key(t, w, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: id, Name: "Server"})
	says(t, b.Get(path+"/suspend"), http.StatusOK, "Suspend Third Corp?", "Working keys", "1")
	says(t, b.Follow(b.Post(path+"/suspend", nil)), http.StatusOK, "is suspended", "Resume", "Suspended since")
	says(t, b.Get("/dashboard/console/organizations?status=suspended"), http.StatusOK, "Third Corp", "Suspended")
	says(t, b.Follow(b.Post(path+"/resume", nil)), http.StatusOK, "works again")

	says(t, b.Get(path+"/offboard"), http.StatusOK, "Offboard Third Corp?", "cannot be undone", "Working keys", "1", "Members", "0", "Type", "Third Corp")
	before := w.Events()
	says(t, b.Post(path+"/offboard", url.Values{"confirm": {"third corp"}}), http.StatusUnprocessableEntity, "Nothing was done")
	if w.Events() != before {
		t.Error("something was done")
	}
	says(t, b.Follow(b.Post(path+"/offboard", url.Values{"confirm": {"Third Corp"}, "reason": {"left"}})), http.StatusOK, "1 credentials revoked", "Suspended")
	if got, err := w.Manage.Key(t.Context(), dashtest.Operator, manage.ID{ID: k.ID}); err != nil || got.Status != manage.StatusRevoked {
		t.Errorf("the key is %+v, %v", got, err)
	}
	says(t, b.Get("/dashboard/console/organizations/org_none"), http.StatusNotFound)
	staff := "/dashboard/console/organizations/org_staff"
	says(t, b.Get(staff), http.StatusOK, "Your company", "Staff")
	saysNot(t, b.Get(staff), "Suspend", "Offboard")
	for _, act := range []string{"/suspend", "/offboard"} {
		says(t, b.Post(staff+act, url.Values{"confirm": {"Staff"}}), http.StatusConflict)
	}
}

var linkText = regexp.MustCompile(`https://[a-z.]+/handoff/(cardea_link_[0-9A-Za-z]+)`)

// A hand-off link is in the answer to the form and nowhere else; there is none for the
// company's own people, and none for a member of another organization.
func TestAHandOffIsShownOnceAndForCustomersAlone(t *testing.T) {
	w := dashtest.New(t, example("conformance"), console.Area())
	b := w.AsStaff(cardea.RoleOwner)
	member, theirs := w.Member(w.One, cardea.RoleViewer), w.Member(w.Two, cardea.RoleOwner)
	path := "/dashboard/console/organizations/" + w.One.ID
	made := b.Post(path+"/members/"+member.ID+"/handoff", nil)
	says(t, made, http.StatusOK, "Hand-off link for Viewer Person", "15 minutes", "14 Mar 2027, 09:41 UTC")
	link := linkText.FindStringSubmatch(made.Body)
	if link == nil || made.Header.Get("Cache-Control") != "no-store" || strings.Contains(made.Body, "htmx.min") {
		t.Fatalf("link %q, %v", link, made.Header)
	}
	if _, ok, err := w.People.Link(t.Context(), link[1], people.From{}); !ok || err != nil {
		t.Error("the link is not good", err)
	}
	saysNot(t, b.Get(path), "cardea_link_")
	before := w.Events()
	says(t, b.Post(path+"/members/"+theirs.ID+"/handoff", nil), http.StatusNotFound)
	says(t, b.Post("/dashboard/console/organizations/org_staff/members/"+b.Member.ID+"/handoff", nil), http.StatusConflict)
	says(t, b.Post(path+"/members/"+b.Member.ID+"/handoff", nil), http.StatusNotFound)
	if w.Events() != before {
		t.Error("a link was made")
	}
}

// The page of the contract says what is in force, and what somebody should look at.
func TestTheContractInForceIsShown(t *testing.T) {
	w := dashtest.New(t, example("cohera-api"), console.Area())
	b := w.AsStaff(cardea.RoleViewer)
	says(t, b.Get("/dashboard/console/contract"), http.StatusOK, "cardea.yaml", w.Contract().Hash(), "Production", "entities:read", "Read entity data")
}

// What a changed contract would do is told in words and numbers, before it is done, and
// nothing is done.
func TestAChangedContractIsComparedAndNotApplied(t *testing.T) {
	text, err := os.ReadFile(example("conformance"))
	if err != nil {
		t.Fatal(err)
	}
	w := dashtest.New(t, example("conformance"), console.Area())
	b := w.AsStaff(cardea.RoleOwner)
	key(t, w, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: w.One.ID, Name: "Nightly <b>import</b>", Scopes: []string{"delete"}})
	hash, before := w.Contract().Hash(), w.Events()
	ask := func(text string) dashtest.Answer {
		return b.Post("/dashboard/console/contract/impact", url.Values{"contract": {text}})
	}
	says(t, b.Get("/dashboard/console/contract/impact"), http.StatusOK, "Nothing is applied", "Contract (YAML)")
	says(t, ask(string(text)), http.StatusOK, "It is the contract in force")
	says(t, ask(strings.ReplaceAll(string(text), "\n", "\r\n")), http.StatusOK, "It is the contract in force") // as browsers send it
	changed := regexp.MustCompile(`(?m)^  delete:.*\n`).ReplaceAllString(string(text), "")
	changed = strings.NewReplacer(", delete]", "]", "[delete]", "[write]").Replace(changed)
	broken := ask(changed)
	says(t, broken, http.StatusOK, "It would break something that works now", "1 credential", "Nightly <b>import</b>")
	if strings.Contains(broken.Body, "<b>import") {
		t.Error("the name of a key is markup")
	}
	for name, c := range map[string]struct {
		text   string
		status int
		say    string
	}{
		"no contract":  {"hello", 422, "It would not be loaded"},
		"nothing":      {"", 422, "must be the text of a contract"},
		"an anchor":    {"cardea: 1\nproduct: &a X\nissuer: *a\n", 422, "Line 2"},
		"markup":       {"cardea: 1\n<script>alert(1)</script>: </textarea><script>alert(1)</script>\n", 422, "Line 2"},
		"binary":       {"\x00\x01\xff", 400, "cannot be read"},
		"a megabyte":   {strings.Repeat("a: b\n", 1<<20/5), 413, "too large"},
		"many faults":  {"cardea: 1\n" + strings.Repeat("x", 100) + strings.Repeat(": 1\ny", 3000) + ": 1\n", 422, "It would not be loaded"},
		"half a meg":   {"cardea: 1\nproduct: \"" + strings.Repeat("x", 500_000) + "\"\n", 422, "It would not be loaded"},
		"deep nesting": {strings.Repeat("[", 50_000), 422, "It would not be loaded"},
	} {
		a := ask(c.text)
		if a.Status != c.status || !strings.Contains(html.UnescapeString(a.Body), c.say) {
			t.Errorf("%s: %d, not %q: %.600s", name, a.Status, c.say, a.Main())
		}
		if strings.Contains(a.Body, "<script>alert") {
			t.Errorf("%s: its text is markup", name)
		}
		if strings.Count(a.Body, "<li>") > 150 {
			t.Errorf("%s: a page of %d bytes", name, len(a.Body))
		}
	}
	if w.Contract().Hash() != hash || w.Events() != before {
		t.Error("something was changed")
	}
}

// A hook is tried with a request that nobody sent; the secret that receivers check with is
// shown on asking, which is on record.
func TestHooksAreTriedAndTheirSecretShownOnAsking(t *testing.T) {
	w := dashtest.New(t, example("conformance"), console.Area())
	b := w.AsStaff(cardea.RoleOwner)
	says(t, b.Get("/dashboard/console/hooks"), http.StatusOK, "DELETE /v1/{rest...}", "a condition", "Test")
	says(t, b.Get("/dashboard/console/hooks/1"), http.StatusOK, `value="DELETE" selected`, `value="/v1/rest"`)
	form := url.Values{"method": {"DELETE"}, "path": {"/v1/things/1"}, "environment": {"live"}, "headers": {"Accept: text/plain\r\n"}}
	says(t, b.Post("/dashboard/console/hooks/1", form), http.StatusOK, "The answer", "µs")
	k := key(t, w, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: w.One.ID, Name: "Server"})
	form.Set("credential", k.ID)
	says(t, b.Post("/dashboard/console/hooks/1", form), http.StatusOK, "The answer", "Allowed")
	for name, value := range map[string]string{"path": "no path", "headers": "no colon", "client": "nowhere", "credential": "key_none", "environment": "mars"} {
		wrong := url.Values{"method": {"GET"}, "path": {"/v1/x"}}
		wrong.Set(name, value)
		says(t, b.Post("/dashboard/console/hooks/1", wrong), http.StatusUnprocessableEntity, `aria-invalid="true"`)
	}
	says(t, b.Get("/dashboard/console/hooks/9"), http.StatusNotFound)
	before := w.Events()
	shown := b.Post("/dashboard/console/hooks/secret", nil)
	says(t, shown, http.StatusOK, "whsec_")
	if shown.Header.Get("Cache-Control") != "no-store" || strings.Contains(shown.Body, "htmx.min") || w.Events() != before+1 {
		t.Error("the secret is kept somewhere, or its showing is not on record")
	}
	saysNot(t, b.Get("/dashboard/console/hooks"), "whsec_")
}

// Signing keys are rotated and revoked, and the page says what that breaks.
func TestSigningKeysAreRotatedAndRevoked(t *testing.T) {
	w, signing, _ := furnished(t)
	b := w.AsStaff(cardea.RoleAdmin)
	w.Advance(time.Hour)
	says(t, b.Get("/dashboard/console/signing-keys"), http.StatusOK, "Production", signing, "RS256", "Signs", "Sandbox")
	says(t, b.Get("/dashboard/console/signing-keys/rotate?environment=live"), http.StatusOK, "Rotate signing keys of Production?", "No token is refused")
	says(t, b.Get("/dashboard/console/signing-keys/rotate?environment=mars"), http.StatusNotFound)
	says(t, b.Follow(b.Post("/dashboard/console/signing-keys/rotate", url.Values{"environment": {"live"}})), http.StatusOK, "New keys are published", "Published", "signs from", signing, "Signs", "signs until")
	says(t, b.Post("/dashboard/console/signing-keys/rotate", url.Values{"environment": {"mars"}}), http.StatusUnprocessableEntity)
	says(t, b.Get("/dashboard/console/signing-keys/"+signing+"/revoke"), http.StatusOK, "every token that", "is refused", "Rotate instead")
	says(t, b.Follow(b.Post("/dashboard/console/signing-keys/"+signing+"/revoke", nil)), http.StatusOK, "The key is revoked", signing, "Revoked")
	for _, path := range []string{"/dashboard/console/signing-keys/key-none/revoke", "/dashboard/console/signing-keys/x%3Cb%3E/revoke"} {
		says(t, b.Get(path), http.StatusNotFound)
	}
	says(t, b.Post("/dashboard/console/signing-keys/key-none/revoke", nil), http.StatusNotFound)
}

// A management token is shown once, in the answer to the form.
func TestAManagementTokenIsShownOnce(t *testing.T) {
	w := dashtest.New(t, example("conformance"), team.Area(), console.Area())
	b := w.AsStaff(cardea.RoleOwner)
	says(t, b.Get("/dashboard/console/tokens"), http.StatusOK, "No management token yet")
	made := b.Post("/dashboard/console/tokens", url.Values{"name": {"billing <i>app</i>"}, "expires": {"2027-12-31"}})
	says(t, made, http.StatusOK, "shown once", "cardea_mt_")
	text := regexp.MustCompile(`cardea_mt_[0-9A-Za-z]{20,}`).FindString(made.Body)
	if text == "" || made.Header.Get("Cache-Control") != "no-store" || strings.Contains(made.Body, "htmx.min") || strings.Contains(made.Body, "<i>app") {
		t.Fatalf("token %q, %v", text, made.Header)
	}
	list := b.Get("/dashboard/console/tokens")
	says(t, list, http.StatusOK, "billing <i>app</i>", "1 Jan 2028, 00:00 UTC", "Active", "Revoke")
	saysNot(t, list, text)
	says(t, b.Post("/dashboard/console/tokens", url.Values{"name": {""}}), http.StatusUnprocessableEntity, `aria-invalid="true"`)
	says(t, b.Post("/dashboard/console/tokens", url.Values{"name": {"x"}, "expires": {"2020-01-01"}}), http.StatusUnprocessableEntity, "must be in the future")
	says(t, b.Post("/dashboard/console/tokens", url.Values{"name": {"x"}, "expires": {"soon"}}), http.StatusUnprocessableEntity, "must be a day")
	path := regexp.MustCompile(`/dashboard/console/tokens/mt_[0-9A-Za-z]+`).FindString(list.Body)
	says(t, b.Get(path+"/revoke"), http.StatusOK, "Revoke billing")
	says(t, b.Follow(b.Post(path+"/revoke", nil)), http.StatusOK, "refused from now on", "Revoked")
	for _, path := range []string{"/dashboard/console/tokens/mt_none/revoke"} {
		says(t, b.Get(path), http.StatusNotFound)
		says(t, b.Post(path, nil), http.StatusNotFound)
	}
}

// Colleagues are invited, and what they may do is said in the console's words.
func TestColleaguesAreInvited(t *testing.T) {
	w := dashtest.New(t, example("conformance"), team.Area(), console.Area())
	b := w.AsStaff(cardea.RoleOwner)
	says(t, b.Get("/dashboard/console/staff"), http.StatusOK, "own people", "Invite a colleague", "Management tokens", "viewer@staff.test")
	saysNot(t, b.Get("/dashboard/console/staff"), "one-corp.test")
	says(t, b.Get("/dashboard/console/staff/invite"), http.StatusOK, "Operates: sees and changes every organization")
	says(t, b.Post("/dashboard/console/staff/invite", url.Values{"email": {"new@staff.test"}, "name": {"New Colleague"}, "role": {"admin"}}), http.StatusOK, "Invitation for New Colleague", "/invite/cardea_link_")
	says(t, b.Get("/dashboard/console/staff?q=colleague"), http.StatusOK, "New Colleague", "Invited")
	says(t, b.Follow(b.Post("/dashboard/console/staff/usr_viewer_stafftest", url.Values{"name": {"Viewer Person"}, "role": {"admin"}})), http.StatusOK, "Changes saved.")
	says(t, w.AsStaff(cardea.RoleViewer).Get("/dashboard/console/organizations/new"), http.StatusOK, "New organization")
}

// The page of health is whole without JavaScript, and a part of it is fetched again.
func TestHealthIsToldAndAskedAgain(t *testing.T) {
	w := dashtest.New(t, example("conformance"), console.Area())
	b := w.AsStaff(cardea.RoleViewer)
	says(t, b.Get("/dashboard/console/health"), http.StatusOK, "Reachable", "Program", "Store", "Queues")
	part := b.Part("/dashboard/console/health")
	says(t, part, http.StatusOK, `id="health"`, `data-poll="10"`, `hx-nonce=`)
	if strings.Contains(part.Body, "<html") || strings.Contains(part.Body, "<h1") {
		t.Error("the part is a whole page")
	}
}

// Everybody whose tokens are accepted is on one page, with the keys there are of them.
func TestIssuersOfEverybodyAreShown(t *testing.T) {
	w := dashtest.New(t, example("conformance"), console.Area())
	idp := dashtest.Provider(t, "ES256")
	url := idp.URL + "/.well-known/jwks.json"
	if _, err := w.Manage.SetOrganizationIssuer(t.Context(), dashtest.Operator, manage.SetOrganizationIssuer{Organization: w.Two.ID, Environment: "test", URL: &url}); err != nil {
		t.Fatal(err)
	}
	says(t, w.AsStaff(cardea.RoleViewer).Get("/dashboard/console/issuers"), http.StatusOK, "partner", "https://idp.example.test", "Not fetched yet",
		"/dashboard/as/"+w.Two.ID+"/issuers?environment=test", idp.URL, "1 key", "key-of-theirs")
}

// Names and URLs of customers are text in the console.
func TestNamesAreNoMarkupInTheConsole(t *testing.T) {
	w := dashtest.New(t, example("conformance"), team.Area(), console.Area())
	b := w.AsStaff(cardea.RoleOwner)
	evil := `"><script>alert(1)</script>`
	made := b.Post("/dashboard/console/organizations/new", url.Values{"name": {evil}, "plan": {"standard"}, "limits": {"plan"}})
	path := made.Location()
	id := path[strings.LastIndex(path, "/")+1:]
	m, err := w.Manage.CreateMember(t.Context(), dashtest.Operator, manage.CreateMember{Organization: id, Email: "a+b@evil.test", Name: evil, Role: cardea.RoleOwner})
	if err != nil {
		t.Fatal(err)
	}
	bodies := []dashtest.Answer{
		b.Follow(made), b.Get("/dashboard/console/organizations"), b.Get(path), b.Get(path + "/offboard"), b.Get(path + "/suspend"),
		b.Post(path+"/offboard", url.Values{"confirm": {evil + "x"}}), b.Post(path+"/members/"+m.ID+"/handoff", nil),
		b.Get("/dashboard/console/organizations?q=" + url.QueryEscape(evil)), b.Get("/dashboard/console/organizations/new?name=" + url.QueryEscape(evil)),
		b.Get("/dashboard/as/" + id + "/members"),
	}
	for i, a := range bodies {
		if a.Status >= 500 || strings.Contains(a.Body, "<script>alert") {
			t.Errorf("page %d: %d, or a name is markup", i, a.Status)
		}
	}
}

// What identity providers call themselves, and what a contract calls its things, is text on
// every page of the portal and the console.
func TestIssuersAndContractsAreNoMarkup(t *testing.T) {
	text, err := os.ReadFile(example("conformance"))
	if err != nil {
		t.Fatal(err)
	}
	const evil = `<script>alert(1)</script>`
	changed := strings.NewReplacer("label: Production", `label: 'P"`+evil+`'`, "product: Conformance", `product: 'C"`+evil+`'`,
		"label: API key", `label: 'K"`+evil+`'`, "read: Read data", `read: 'R"`+evil+`'`, "label: Standard", `label: 'S"`+evil+`', note: 'N"`+evil+`'`).Replace(string(text))
	w := dashtest.NewText(t, changed+"\npages:\n  members: {path: ['M"+evil+"'], labels: {create: 'I"+evil+"'}}\n  ip_list: {path: ['L"+evil+"'], labels: {add: 'A"+evil+"', remove: 'R"+evil+"'}}\n",
		team.Area(), console.Area())
	if w.Contract().Environments()[0].Label == "Production" || w.Contract().Plans()[0].Note == "" {
		t.Fatal("the contract is not the one that was meant")
	}
	url := dashtest.Provider(t, "ES256").URL + "/bare/jwks.json"
	if _, err := w.Manage.SetOrganizationIssuer(t.Context(), dashtest.Operator, manage.SetOrganizationIssuer{
		Organization: w.One.ID, Environment: "live", URL: &url, Issuer: `"><b>` + evil, Audience: `'` + evil,
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Manage.AddAddresses(t.Context(), dashtest.Operator, manage.Addresses{
		AddressListID: manage.AddressListID{Organization: w.One.ID, Environment: "live"}, Addresses: []string{"192.0.2.1"},
	}); err != nil {
		t.Fatal(err)
	}
	keys, err := w.Manage.RotateSigningKeys(t.Context(), dashtest.Operator, manage.RotateSigningKeys{Environment: "live"})
	if err != nil {
		t.Fatal(err)
	}
	staff, owner, shown := w.AsStaff(cardea.RoleOwner), w.As(w.One, cardea.RoleOwner), 0
	check := func(b *dashtest.Browser, path string) {
		t.Helper()
		a := b.Get(path)
		if a.Status >= 500 || strings.Contains(a.Body, evil) {
			t.Errorf("%s: %d, or its words are markup", path, a.Status)
		}
		if strings.Contains(a.Main(), "&lt;script&gt;alert(1)") {
			shown++
		}
	}
	for _, path := range append(pages(w.One.ID, keys.Items[0].ID, "mt_none"), "/signing-keys/rotate?environment=live") {
		check(staff, "/dashboard/console"+path)
	}
	for _, path := range []string{"/members", "/members/invite", "/members/" + owner.Member.ID, "/addresses", "/addresses/remove?environment=live&address=192.0.2.1",
		"/issuers", "/issuers/remove?environment=live", "/organization", "/organization/sign-on"} {
		check(owner, "/dashboard"+path)
		check(staff, "/dashboard/as/"+w.One.ID+path)
	}
	if shown < 20 {
		t.Errorf("the words are on %d pages only", shown)
	}
}
