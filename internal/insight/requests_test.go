package insight_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/store"
)

// ids returns the ids of a list of requests.
func ids(list access.List[insight.Request]) string {
	var all []string
	for _, r := range list.Items {
		all = append(all, strings.TrimPrefix(r.ID, "req_"))
	}
	return strings.Join(all, " ")
}

// Every member of the filter narrows the list as it says, alone and with others; what
// looks like a pattern is a text.
func TestRequestsAreFilteredByWhatIsAsked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		me, k := w.member(o.ID, "me@example.com", cardea.RoleViewer), w.key(o.ID, "CI").Key
		add := func(id string, r store.RequestRow) {
			w.advance(time.Second)
			r.RequestID, r.Organization = "req_"+id, o.ID
			w.log(r)
		}
		add("a", store.RequestRow{Credential: k.ID, Status: 200, Reason: cardea.ReasonAllowed, Route: "GET /v1/things", Client: netip.MustParseAddr("192.0.2.7")})
		add("b", store.RequestRow{Credential: k.ID, Status: 404, Reason: cardea.ReasonAllowed, Route: "GET /v1/things", OldSecret: true})
		add("c", store.RequestRow{Status: 401, Reason: cardea.ReasonMissingCredential, Method: "POST", Path: "/v1/Things%2", Client: netip.MustParseAddr("2001:db8::1")})
		add("d", store.RequestRow{Credential: k.ID, Status: 429, Reason: cardea.ReasonRateLimited, Route: "POST /v1/things", Method: "POST", Environment: "test"})
		middle := w.clock()
		add("e", store.RequestRow{Status: 502, Reason: cardea.ReasonUpstream, Route: "GET /v1/things", Path: "/v1/_x"})
		for _, c := range []struct {
			f    insight.RequestFilter
			want string
		}{
			{insight.RequestFilter{}, "e d c b a"},
			{insight.RequestFilter{Key: k.ID}, "d b a"},
			{insight.RequestFilter{Status: "4xx"}, "d c b"},
			{insight.RequestFilter{Status: "404"}, "b"},
			{insight.RequestFilter{Outcome: "allowed"}, "b a"},
			{insight.RequestFilter{Outcome: "denied"}, "d c"},
			{insight.RequestFilter{Outcome: "error"}, "e d c b"},
			{insight.RequestFilter{Outcome: "old_secret"}, "b"},
			{insight.RequestFilter{Outcome: "error", Key: k.ID}, "d b"},
			{insight.RequestFilter{Reason: "rate_limited"}, "d"},
			{insight.RequestFilter{Method: "POST"}, "d c"},
			{insight.RequestFilter{Method: "post"}, ""},
			{insight.RequestFilter{Environment: "test"}, "d"},
			{insight.RequestFilter{Route: "GET /v1/things"}, "e b a"},
			{insight.RequestFilter{Route: "-"}, "c"},
			{insight.RequestFilter{Address: "192.0.2.7"}, "a"},
			{insight.RequestFilter{Address: "::ffff:192.0.2.7"}, "a"},
			{insight.RequestFilter{Address: "2001:DB8:0::1"}, "c"},
			{insight.RequestFilter{Search: "req_d"}, "d"},
			{insight.RequestFilter{Search: "req_d", Key: k.ID, Status: "2xx"}, ""},
			{insight.RequestFilter{Search: "/v1/things"}, "d b a"},
			{insight.RequestFilter{Search: "/v1/T"}, "c"},
			{insight.RequestFilter{Search: "/v1/_"}, "e"},
			{insight.RequestFilter{Search: "/%"}, ""},
			{insight.RequestFilter{Search: "/v_/"}, ""},
			{insight.RequestFilter{From: middle}, "e d"},
			{insight.RequestFilter{To: middle}, "c b a"},
			{insight.RequestFilter{From: middle, To: middle.Add(time.Second), Status: "4xx"}, "d"},
			{insight.RequestFilter{From: time.Unix(0, 0), To: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), Method: "POST"}, "d c"},
		} {
			if got := ids(must(w.Requests(w.ctx, me, c.f))(t)); got != c.want {
				t.Errorf("%+v: %s, want %s", c.f, got, c.want)
			}
		}
	})
}

// A filter that few requests pass never makes the store read everything: a page stops, and
// its successors find what is further back, each request once.
func TestRareRequestsAreFoundPageByPage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		var rows []store.RequestRow
		const n = 15_000 // more than twice what is looked at for a page
		for i := range n {
			r := store.RequestRow{At: w.clock().Add(-time.Duration(i) * 10 * time.Second), RequestID: fmt.Sprintf("req_%05d", i), Organization: o.ID,
				Environment: "live", Method: "GET", Path: "/v1/things", Route: "GET /v1/things", Status: 200, Reason: cardea.ReasonAllowed}
			if i == n-1 || i == 3 {
				r.Method = "DELETE"
			}
			rows = append(rows, r)
		}
		if err := w.store.AppendRequests(w.ctx, rows, nil); err != nil {
			t.Fatal(err)
		}
		var found []string
		pages := 0
		for f := (insight.RequestFilter{Organization: o.ID, Method: "DELETE"}); ; pages++ {
			page := must(w.Requests(w.ctx, operator, f))(t)
			for _, r := range page.Items {
				found = append(found, r.ID)
			}
			if f.Cursor = page.Next; page.Next == "" {
				break
			}
		}
		if !slices.Equal(found, []string{"req_00003", "req_14999"}) || pages < 2 || pages > 6 {
			t.Errorf("found %v on %d pages", found, pages+1)
		}
		// Groups look at the newest ones and say so; of errors alone they see all.
		g := must(w.Groups(w.ctx, operator, insight.RequestFilter{Organization: o.ID, From: w.clock().Add(-48 * time.Hour)}))(t)
		if !g.Truncated || g.Since.Before(g.From) || g.Since.Equal(g.From) || g.Items[0].Count >= n {
			t.Errorf("groups of everything: %+v", g)
		}
		if g := must(w.Groups(w.ctx, operator, insight.RequestFilter{Organization: o.ID, Outcome: "error"}))(t); g.Truncated || len(g.Items) != 0 {
			t.Errorf("groups of errors: %+v", g)
		}
	})
}

// Errors come first, then what is most frequent; each group has the newest of its
// requests and says what would help.
func TestAlikeRequestsAreGrouped(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		keys := []string{w.key(o.ID, "one").Key.ID, w.key(o.ID, "two").Key.ID}
		n := 0
		add := func(times int, r store.RequestRow) {
			for i := range times {
				w.advance(time.Minute)
				n++
				r.RequestID, r.Organization, r.Credential = fmt.Sprintf("req_%02d", n), o.ID, keys[i%2]
				w.log(r)
			}
		}
		add(9, store.RequestRow{Status: 200, Reason: cardea.ReasonAllowed, Route: "GET /v1/things"})
		add(2, store.RequestRow{Status: 403, Reason: cardea.ReasonScope, Route: "POST /v1/things", Method: "POST"})
		w.advance(14 * time.Hour) // over midnight: another day of the log
		add(1, store.RequestRow{Status: 403, Reason: cardea.ReasonScope, Route: "POST /v1/things", Method: "POST"})
		add(5, store.RequestRow{Status: 401, Reason: cardea.ReasonExpired, Route: "GET /v1/things"})
		add(1, store.RequestRow{Status: 404, Reason: cardea.ReasonNoRoute})
		got := must(w.Groups(w.ctx, operator, insight.RequestFilter{Organization: o.ID}))(t)
		type group struct {
			Status            int
			Reason, Route     string
			Count, Keys       int64
			Sample, FixBegins string
		}
		var groups []group
		for _, g := range got.Items {
			fix, _, _ := strings.Cut(g.Fix, ",")
			groups = append(groups, group{g.Status, g.Reason, g.Route, g.Count, g.Keys, g.Sample, fix})
			if g.First.After(g.Last) {
				t.Errorf("%+v ends before it begins", g)
			}
		}
		want := []group{
			{401, "expired", "GET /v1/things", 5, 2, "req_17", "Regenerate the key"},
			{403, "forbidden", "POST /v1/things", 3, 2, "req_12", "Give it the scopes write"},
			{404, "not_found", "", 1, 1, "req_18", "Check the path for a typo; if the API has it"},
			{200, "allowed", "GET /v1/things", 9, 2, "req_09", ""},
		}
		if diff := cmp.Diff(want, groups); diff != "" {
			t.Error(diff)
		}
		if got.Truncated || !got.Since.Equal(got.From) || got.To.Sub(got.From) != 24*time.Hour {
			t.Errorf("frame %+v", got)
		}
	})
}

// A request's steps are those up to the one that refused it; an operator reads the line
// of the contract.
func TestExplainTellsTheSteps(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Acme")
	line := 1 + strings.Count(acme[:strings.Index(acme, `{match: "POST`)], "\n")
	w.log(store.RequestRow{RequestID: "req_1", Organization: o.ID, Status: 403, Reason: cardea.ReasonScope, Step: cardea.StepScope, ContractLine: line})
	w.log(store.RequestRow{RequestID: "req_2", Organization: o.ID, Status: 200, Reason: cardea.ReasonAllowed})
	w.log(store.RequestRow{RequestID: "req_3", Organization: o.ID, Status: 503, Reason: cardea.ReasonUnavailable, ContractLine: 9999})
	e := must(w.Explain(w.ctx, observer, access.ID{ID: "req_1"}))(t)
	if n := len(e.Steps); n != 8 || e.Steps[7].Name != "scope" || e.Steps[7].Passed || !e.Steps[6].Passed {
		t.Errorf("steps %+v", e.Steps)
	}
	if want := `- {match: "POST /v1/things", scopes: [write, delete]}`; e.Contract == nil || e.Contract.Text != want {
		t.Errorf("contract %+v, want the line %s", e.Contract, want)
	}
	if e := must(w.Explain(w.ctx, operator, access.ID{ID: "req_2"}))(t); len(e.Steps) != 11 || !e.Steps[10].Passed {
		t.Errorf("steps of an allowed request %+v", e.Steps)
	}
	if e := must(w.Explain(w.ctx, operator, access.ID{ID: "req_3"}))(t); len(e.Steps) != 0 || e.Contract.Text != "" {
		t.Errorf("steps of no decision %+v, %+v", e.Steps, e.Contract)
	}
}
