package activity

import (
	"strconv"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/web"
)

// groupParameters are what the address of the page of errors may hold.
var groupParameters = []string{"period", "outcome", "status", "reason", "method", "route", "key", "environment", "organization"}

// groupsPage is the data of the page of errors.
type groupsPage struct {
	At     address
	Filter requestFilter
	Groups insight.Groups
	Items  []groupRow
	Period string
	Total  int64
	All    bool // of all organizations

	Narrowed bool
}

// A groupRow is alike requests as they are shown.
type groupRow struct {
	insight.Group
	What string // "expired"
	On   string // "GET /v1/things", "" when no route matched
	Tone string
	Log  string // the address of the log with all of them
}

// groupOutcomes are the choices for what is grouped.
var groupOutcomes = []web.Option{{Value: "error", Text: "Errors of any kind"}, {Value: "denied", Text: "Refused requests"}}

// groups serves the page of errors: alike ones counted together, most frequent first.
func groups(v *web.Visit) {
	a := here(v, groupParameters...)
	if settle(v, a) {
		return
	}
	n := newNames(v)
	f := readRequestFilter(v, a, n)
	p, choices := offered(a.Get("period"), "1h", "30d", "24h")
	f.Period, f.Periods, f.Outcomes = p.name, choices, groupOutcomes
	f.From, f.To, f.Limit = v.Now().Add(-p.length), time.Time{}, 0
	f.Outcome = known(f.Outcome, groupOutcomes)
	if f.Outcome == "" {
		f.Outcome = "error"
	}
	page := groupsPage{At: a, Filter: f, All: console(v), Period: p.text}
	page.Narrowed = a.Narrowed("status", "reason", "method", "route", "key", "environment", "organization")
	found, err := v.Insight.Groups(v.R.Context(), v.Actor, f.RequestFilter)
	if problems, ok := v.Problems(err); ok {
		page.Filter.Problems = problems
	} else if err != nil {
		v.Fail(err)
		return
	}
	page.Groups = found
	for _, g := range found.Items {
		page.Items, page.Total = append(page.Items, groupOf(v, a, p, g)), page.Total+g.Count
	}
	v.Render(status(v, page.Filter.Problems), web.View{
		Title: v.PageTitle("errors", "Errors"), Template: "errors", Block: "groups", Data: page, Wide: true,
	})
}

// groupOf returns a group as it is shown, with the way to its requests.
func groupOf(v *web.Visit, a address, p period, g insight.Group) groupRow {
	row := groupRow{Group: g, What: reason(g.Reason), Tone: tone(g.Status)}
	if !refused(g.Reason) {
		row.What = "answered by the API"
	}
	// A route names its method, unless it takes several.
	if row.On = g.Route; g.Route != "" && !strings.Contains(g.Route, " ") {
		row.On = g.Method + " " + g.Route
	}
	route := g.Route
	if route == "" {
		route = unmatched
	}
	row.Log = at(v.Base+"/requests", "status", strconv.Itoa(g.Status), "reason", reasonFilter(g.Reason), "outcome", outcomeFilter(g.Reason),
		"method", g.Method, "route", route, "period", p.name, "key", a.Get("key"), "environment", a.Get("environment"),
		"organization", a.Get("organization")).String()
	return row
}
