package activity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
)

// Each product has its pages where its own page says, under its own names.
func TestPagesAreWhereTheContractHasThem(t *testing.T) {
	for _, c := range []struct{ contract, path, heading, menu string }{
		{"cohera-api", "/usage", "<h1>Usage</h1>", ">Activity</h2>"},
		{"cohera-sdk", "/usage", "<h1>Usage</h1>", ">Usage</a>"},
		{"coherence", "/requests", "<h1>Request logs</h1>", ">Settings</h2>"},
		{"codehooks", "/audit", "<h1>Audit log</h1>", ">Activity</h2>"},
		{"coactive", "/limits", "<h1>Limits</h1>", ">Activity</h2>"},
	} {
		t.Run(c.contract, func(t *testing.T) {
			w := newEmptyWorld(t, c.contract)
			page := w.As(w.One, cardea.RoleViewer).Get("/dashboard" + c.path)
			says(t, page, http.StatusOK, c.menu)
			says(t, page, http.StatusOK, c.heading)
		})
	}
}

// The log shows what came, and each filter of its address narrows it to what it says.
func TestEveryFilterOfTheRequestLogIsInItsAddress(t *testing.T) {
	w := newWorld(t, "cohera-api")
	viewer := w.As(w.One, cardea.RoleViewer)
	says(t, viewer.Get("/dashboard/requests"), http.StatusOK, "No request yet")
	w.Advance(-2 * time.Hour)
	old := w.log(w.Export, store.RequestRow{})
	w.Advance(2 * time.Hour)
	good := w.log(w.Import, store.RequestRow{Latency: 12 * time.Millisecond})
	expired := w.log(w.Import, store.RequestRow{Status: 401, Reason: cardea.ReasonExpired, Step: cardea.StepStanding})
	lost := w.log(w.Export, store.RequestRow{Method: "POST", Path: "/v1/nothing", Route: "-", Status: 404, Reason: cardea.ReasonNoRoute, Step: cardea.StepRoute})
	broken := w.log(w.Export, store.RequestRow{Status: 502, Reason: cardea.ReasonUpstream, Step: cardea.StepUpstream})
	foreign := w.log(w.Foreign, store.RequestRow{})
	all := []string{old, good, expired, lost, broken}
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"", all},
		{"outcome=allowed", []string{old, good}},
		{"outcome=error", []string{expired, lost, broken}},
		{"status=401", []string{expired}},
		{"status=4xx", []string{expired, lost}},
		{"reason=expired", []string{expired}},
		{"method=POST", []string{lost}},
		{"route=-", []string{lost}},
		{"route=" + url.QueryEscape("GET /v1/entities"), []string{old, good, expired, broken}},
		{"key=" + w.Import.Key.ID, []string{good, expired}},
		{"environment=test", nil},
		{"environment=live", all},
		{"address=192.0.2.44", all},
		{"address=192.0.2.45", nil},
		{"period=1h", []string{good, expired, lost, broken}},
		{"to=2027-03-14T08:00", []string{old}},
		{"from=2027-03-14T08:00", []string{good, expired, lost, broken}},
		{"q=" + lost, []string{lost}},
		{"q=" + foreign, nil},
		{"q=/v1/no", []string{lost}},
		{"key=" + w.Foreign.Key.ID, nil},
		{"organization=" + w.Two.ID, all}, // a parameter of the console, and nothing here
		{"reason=nonsense&method=BREW&status=7&outcome=maybe&environment=mars", all},
	} {
		t.Run(c.query, func(t *testing.T) {
			page := viewer.Get("/dashboard/requests?" + c.query)
			for _, id := range append(all, foreign) {
				shown := strings.Contains(page.Body, `id="r-`+id+`"`)
				if want := strings.Contains(strings.Join(c.want, " "), id); page.Status != http.StatusOK || shown != want {
					t.Errorf("status %d, %s shown: %v, want %v", page.Status, id, shown, want)
				}
			}
		})
	}
	for _, text := range []string{"Nightly import", "Production", `<span class="why">expired</span>`, "12 ms"} {
		says(t, viewer.Get("/dashboard/requests"), http.StatusOK, text)
	}
}

// What cannot be looked for is answered with a sentence, never with a failure.
func TestAFilterThatCannotBeIsAnsweredWithASentence(t *testing.T) {
	w := newWorld(t, "cohera-api")
	owner, staff := w.As(w.One, cardea.RoleOwner), w.AsStaff(cardea.RoleOwner)
	for _, path := range []string{
		"/requests?address=everywhere", "/requests?from=yesterday", "/requests?cursor=nonsense", "/requests?key=%21%21",
		"/audit?address=everywhere", "/audit?to=tomorrow", "/audit?cursor=nonsense", "/audit?target=%00",
	} {
		says(t, owner.Get("/dashboard"+path), http.StatusUnprocessableEntity, "This cannot be looked for")
		if part := owner.Part("/dashboard" + path); part.Status != http.StatusOK || !strings.Contains(part.Body, "This cannot be looked for") {
			t.Errorf("%s, in part: %d %s", path, part.Status, words(part))
		}
		says(t, staff.Get("/dashboard/console"+path), http.StatusUnprocessableEntity, "This cannot be looked for")
	}
	strange := []string{"%ff%fe", "%00", "-1", "9999999999999999999999", "{{.}}", "'%20OR%201=1", strings.Repeat("x", 3000), "0001-01-01", "9999-12-31T23:59", "%F0%9F%98%80"}
	for _, page := range []string{"/usage", "/limits", "/errors", "/requests", "/audit", "/webhooks", "/audit/export"} {
		for _, value := range strange {
			query := "?"
			for _, name := range []string{"q", "period", "by", "key", "environment", "organization", "status", "reason", "route", "method", "address", "from", "to", "cursor", "actor", "action", "target", "format"} {
				query += name + "=" + value + "&"
			}
			for _, a := range []string{"/dashboard", "/dashboard/console"} {
				if got := staffOr(owner, staff, a).Get(a + page + query); got.Status >= 500 {
					t.Errorf("%s%s with %.20q: status %d", a, page, value, got.Status)
				}
			}
		}
	}
}

// Pages of the log follow each other without a gap, though the present moves on and more
// comes in.
func TestPagesOfTheLogFollowEachOther(t *testing.T) {
	w := newWorld(t, "cohera-api")
	viewer := w.As(w.One, cardea.RoleViewer)
	want := map[string]bool{}
	for range 120 {
		w.Advance(time.Second)
		want[w.log(w.Import, store.RequestRow{})] = true
	}
	seen, page := map[string]bool{}, viewer.Get("/dashboard/requests?period=24h")
	for pages := 1; ; pages++ {
		for _, row := range strings.Split(page.Body, `<tr id="r-`)[1:] {
			id, _, _ := strings.Cut(row, `"`)
			if seen[id] {
				t.Errorf("%s is there twice", id)
			}
			seen[id] = true
		}
		if !strings.Contains(page.Body, `rel="next"`) {
			break
		}
		if pages > 5 {
			t.Fatal("the pages do not end")
		}
		w.Advance(time.Minute)
		w.log(w.Import, store.RequestRow{}) // newer than the first page
		page = viewer.Get(link(t, page, "Next page"))
		if strings.Contains(page.Body, "data-poll") {
			t.Error("an older part of the log asks for news")
		}
	}
	for id := range want {
		if !seen[id] {
			t.Errorf("%s is on no page", id)
		}
	}
}

// An address that a form has sent is told without what it leaves open, so that it can be
// passed on.
func TestAddressesAreShort(t *testing.T) {
	w := newWorld(t, "cohera-api")
	viewer := w.As(w.One, cardea.RoleViewer)
	a := viewer.Get("/dashboard/requests?q=&outcome=denied&status=&cursor=")
	if a.Status != http.StatusSeeOther || a.Location() != "/dashboard/requests?outcome=denied" {
		t.Errorf("%d to %q", a.Status, a.Location())
	}
	r := viewer.Part("/dashboard/requests?q=&outcome=denied")
	if r.Status != http.StatusOK || strings.Contains(r.Body, "<html") || !strings.Contains(r.Body, `<div id="log"`) {
		t.Errorf("in part: %d %s", r.Status, r.Body)
	}
}

// A request is explained by whoever may see it: what was decided, at which step, by which
// line, and what would fix it.
func TestARequestIsExplained(t *testing.T) {
	w := newWorld(t, "cohera-api")
	viewer := w.As(w.One, cardea.RoleViewer)
	id := w.log(w.Import, store.RequestRow{
		Method: "POST", Path: "/v1/entities", Route: "POST /v1/entities", Status: 403, Reason: cardea.ReasonScope, Step: cardea.StepScope,
		ContractLine: 101, BytesOut: 4096, Latency: 70 * time.Microsecond,
	})
	page := viewer.Get("/dashboard/requests/" + id)
	says(t, page, http.StatusOK, "POST", "/v1/entities", "403", "scope missing", "What happened", "Nightly import", "it lacks entities:write",
		"What would fix it", "entities:write", "Does the API have this path", "Yes", "May it be used from this IP address?", "Yes",
		"Does it have the scopes that the route needs?", "No", "Does nobody else object?", "Not asked", "cardea.yaml:101",
		id, "Nightly import", "Production", "192.0.2.44", "70 µs", "4.1 kB", "All answered like this")
	saysNot(t, page, "examples/") // where the contract lies on the server
	says(t, viewer.Get(link(t, page, "All answered like this")), http.StatusOK, `id="r-`+id)
	part := viewer.Part("/dashboard/requests/" + id)
	says(t, part, http.StatusOK, "drawer-content", "Open as a page", "What would fix it")
	if strings.Contains(part.Body, "<html") {
		t.Error("the drawer is a whole page")
	}
	ok := viewer.Get("/dashboard/requests/" + w.log(w.Import, store.RequestRow{}))
	says(t, ok, http.StatusOK, "200", "let through", "Is it within its limits?", "Yes")
	saysNot(t, ok, "Not asked", "What would fix it")
}

// A request that is not there, or not there for this reader, is answered with a page that
// helps.
func TestARequestOfOthersIsNotThere(t *testing.T) {
	w := newWorld(t, "cohera-api")
	owner, staff := w.As(w.One, cardea.RoleOwner), w.AsStaff(cardea.RoleViewer)
	foreign := w.log(w.Foreign, store.RequestRow{})
	nobody := w.log(zeroKey, store.RequestRow{Status: 401, Reason: cardea.ReasonInvalidCredential, Step: cardea.StepVerify})
	for _, id := range []string{foreign, nobody, "req_none", "nothing"} {
		says(t, owner.Get("/dashboard/requests/"+id), http.StatusNotFound, "No such request", "reload the page", "Another request id")
	}
	says(t, staff.Get("/dashboard/console/requests/"+foreign), http.StatusOK, "Two Corp", "/dashboard/as/"+w.Two.ID)
	says(t, staff.Get("/dashboard/console/requests/"+nobody), http.StatusOK, "nobody known")
	says(t, staff.Get("/dashboard/as/"+w.Two.ID+"/requests/"+foreign), http.StatusOK, "Somebody else’s")
	for _, id := range []string{foreign, nobody} {
		if a := staff.Get("/dashboard/as/" + w.One.ID + "/requests/" + id); a.Status != http.StatusNotFound {
			t.Errorf("another organization's request on the pages of one: %d", a.Status)
		}
	}
}

// Errors come as people ask for them: what, how often, where, since when, what would fix
// it, and which requests these are.
func TestErrorsAreCountedTogether(t *testing.T) {
	w := newWorld(t, "cohera-api")
	viewer := w.As(w.One, cardea.RoleViewer)
	says(t, viewer.Get("/dashboard/errors"), http.StatusOK, "Nothing went wrong")
	var sample string
	for range 12 {
		w.Advance(time.Second)
		sample = w.log(w.Import, store.RequestRow{Status: 401, Reason: cardea.ReasonExpired, Step: cardea.StepStanding})
	}
	w.log(w.Export, store.RequestRow{Status: 401, Reason: cardea.ReasonExpired, Step: cardea.StepStanding, At: w.Now().Add(-time.Minute)})
	w.log(w.Export, store.RequestRow{Path: "/v1/x", Method: "PUT", Route: "-", Status: 404, Reason: cardea.ReasonNoRoute, Step: cardea.StepRoute})
	w.log(w.Import, store.RequestRow{Status: 500, Reason: cardea.ReasonAllowed})
	w.log(w.Foreign, store.RequestRow{Status: 403, Reason: cardea.ReasonScope, Step: cardea.StepScope})
	w.Advance(time.Second)
	page := viewer.Get("/dashboard/errors")
	says(t, page, http.StatusOK, "401", "expired", "×13", "on", "GET /v1/entities", "What would fix it", "Since", "Last", "Credentials", "2", sample)
	says(t, page, http.StatusOK, "PUT", "of a path that no route matches")
	says(t, page, http.StatusOK, "500", "answered by the API", "×1")
	saysNot(t, page, "scope missing</h2", "×1 on GET /v1/entities</span>403")
	log := viewer.Get(link(t, page, "See these requests"))
	if n := strings.Count(log.Body, `<tr id="r-`); log.Status != http.StatusOK || n != 13 {
		t.Errorf("the link leads to %d requests, not to 13: %s", n, words(log))
	}
	denied := viewer.Get("/dashboard/errors?outcome=denied")
	saysNot(t, denied, "answered by the API")
	says(t, viewer.Get("/dashboard/errors?key="+w.Export.Key.ID), http.StatusOK, "Only with", "Export", "×1")
	says(t, viewer.Get("/dashboard/errors?reason=revoked"), http.StatusOK, "No error like this")
	says(t, w.AsStaff(cardea.RoleViewer).Get("/dashboard/console/errors"), http.StatusOK, "403", "scope missing", "×1")
}

// The numbers of usage are of whom they say, and lead to the requests behind them.
func TestUsageIsDividedAsAsked(t *testing.T) {
	w := newWorld(t, "cohera-api")
	viewer := w.As(w.One, cardea.RoleViewer)
	says(t, viewer.Get("/dashboard/usage"), http.StatusOK, "No requests in this time")
	w.use(w.Import, 1500, cardea.ReasonAllowed, 2)
	w.use(w.Import, 212, cardea.ReasonExpired, 4)
	w.use(w.Export, 30, cardea.ReasonRateLimited, 4)
	w.use(w.Foreign, 7777, cardea.ReasonAllowed, 2)
	page := viewer.Get("/dashboard/usage")
	says(t, page, http.StatusOK, "Requests", "1,742", "Refused", "242", "Refused by a limit", "30", "Answered", "1.7 MB", "Average time", "20 ms",
		"Requests by day", "The same as a table", "Nightly import", "1,712", "212", "Export", "30")
	saysNot(t, page, "7,777", "Somebody else’s")
	for by, want := range map[string][]string{
		"route": {"GET /v1/entities", "1,742"}, "status": {"2xx", "1,500", "4xx", "242"}, "reason": {"expired", "212", "rate limit", "30"},
		"environment": {"Production", "1,742"}, "client": {"OAuth Applications"},
	} {
		says(t, viewer.Get("/dashboard/usage?by="+by), http.StatusOK, append([]string{`aria-current="page"`}, want...)...)
	}
	own := viewer.Get(link(t, page, "Nightly import"))
	says(t, own, http.StatusOK, "<h1>Usage of Nightly import</h1>", "API Key", w.Import.Key.Hint, "Manage", "Limits", "Requests", "1,712", "Routes", "GET /v1/entities", "Statuses", "Refusals", "expired")
	saysNot(t, own, "1,742", "rate limit")
	says(t, viewer.Get("/dashboard/usage?period=24h"), http.StatusOK, "Requests by hour")
	for _, path := range []string{"/dashboard/usage?key=" + w.Foreign.Key.ID, "/dashboard/usage?key=key_none", "/dashboard/limits?key=" + w.Foreign.Key.ID} {
		if a := viewer.Get(path); a.Status != http.StatusNotFound {
			t.Errorf("%s: status %d", path, a.Status)
		}
	}
	staff := w.AsStaff(cardea.RoleViewer)
	says(t, staff.Get("/dashboard/console/usage"), http.StatusOK, "9,519", "Somebody else’s", "of", "/dashboard/as/"+w.Two.ID+"/usage?key="+w.Foreign.Key.ID, "Two Corp", "7,777")
	says(t, staff.Get("/dashboard/console/usage?organization="+w.Two.ID), http.StatusOK, "Only of", "Two Corp", "7,777")
	if a := staff.Get("/dashboard/as/" + w.One.ID + "/usage?key=" + w.Foreign.Key.ID); a.Status != http.StatusNotFound {
		t.Errorf("another organization's key on the pages of one: %d", a.Status)
	}
}

// Whoever has limits sees what is left of them, whose they are, and whom to ask for more.
func TestGaugesTellWhatIsLeft(t *testing.T) {
	w := newWorld(t, "cohera-api")
	viewer := w.As(w.One, cardea.RoleViewer)
	for range 14 {
		w.Authorizer.Authorize(t.Context(), request(w, w.Import.Secret.Reveal()))
	}
	w.log(w.Import, store.RequestRow{Status: 429, Reason: cardea.ReasonRateLimited, Step: cardea.StepLimit})
	page := viewer.Get("/dashboard/limits")
	says(t, page, http.StatusOK, "Production", "used up", "Plan Free", "for all credentials together",
		"Requests a minute", "10", "of 60", "50 left", "all of it again in", "Requests at once", "10", "of 10", "0 left", "Sandbox", "plenty left",
		"Last refused by a limit", "429", "rate limit", "Nightly import", "When you need more", "Free", "yours", "60 a minute, 10 at once",
		"Professional", "300 a minute, 50 at once", "Custom", "Contact sales")
	says(t, viewer.Part("/dashboard/limits?environment=test"), http.StatusOK, `<div id="gauges"`, `data-poll=`, "Sandbox")
	says(t, w.AsStaff(cardea.RoleViewer).Get("/dashboard/as/"+w.One.ID+"/limits"), http.StatusOK, "of 60")
	own := int64(7)
	key, err := w.Manage.UpdateKey(t.Context(), dashtest.Operator, manage.UpdateKey{ID: w.Export.Key.ID, Limits: &manage.Limits{PerDay: own}})
	if err != nil || key.Limits == nil {
		t.Fatal(key.Limits, err)
	}
	says(t, viewer.Get("/dashboard/limits?key="+w.Export.Key.ID), http.StatusOK, "Only", "Export", "Its own limits", "Requests a day", "of 7")
	says(t, newEmptyWorld(t, "coactive").viewer().Get("/dashboard/limits"), http.StatusOK, "support@coactive.ai")
}
