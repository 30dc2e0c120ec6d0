package activity

import (
	"maps"
	"slices"
	"time"

	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/web"
)

// requestParameters are what the address of the request log may hold.
var requestParameters = []string{
	"q", "outcome", "status", "reason", "method", "route", "key", "environment", "address", "organization",
	"period", "from", "to", "cursor",
}

// A requestFilter is the part of an address that narrows requests, as a form shows it.
type requestFilter struct {
	insight.RequestFilter
	Period string

	Outcomes, Statuses, Reasons, Methods, Routes, Environments, Periods []web.Option

	// KeyName is what the credential that it is narrowed to is called, Whose the
	// organization in the console.
	KeyName, Whose string

	Problems map[string]string
}

// requestsPage is the data of the request log.
type requestsPage struct {
	At     address
	Filter requestFilter
	Items  []requestRow
	Next   string // the address of the next part, "" at the end
	Behind bool   // it is not the first part
	Sparse bool   // there is more, and this part is not full
	Live   bool   // news are asked for
	All    bool   // of all organizations

	Narrowed bool // by anything
	Detailed bool // by what is not in the first row of fields
}

// A requestRow is a line of the log.
type requestRow struct {
	insight.Request
	Caller       credential
	Organization credential
	Where        string // the label of its environment
	Why          string // "" when it was let through
	Tone         string
	Took         string
}

// requests serves the request log.
func requests(v *web.Visit) {
	a := here(v, requestParameters...)
	if settle(v, a) {
		return
	}
	n := newNames(v)
	page := requestsPage{At: a, Filter: readRequestFilter(v, a, n), All: console(v), Behind: a.Get("cursor") != ""}
	page.Narrowed = a.Narrowed(slices.DeleteFunc(slices.Clone(requestParameters), func(name string) bool { return name == "cursor" })...)
	page.Detailed = a.Narrowed("reason", "method", "route", "key", "address", "from", "to", "organization")
	page.Live = !page.Behind && page.Filter.To.IsZero()
	if len(page.Filter.Problems) == 0 {
		list, err := v.Insight.Requests(v.R.Context(), v.Actor, page.Filter.RequestFilter)
		if problems, ok := v.Problems(err); ok {
			page.Filter.Problems = problems
		} else if err != nil {
			v.Fail(err)
			return
		}
		for _, r := range list.Items {
			page.Items = append(page.Items, rowOf(v, n, r))
		}
		if list.Next != "" {
			page.Next = page.Filter.older(a, list.Next)
			page.Sparse = len(list.Items) < pageSize
		}
	}
	v.Render(status(v, page.Filter.Problems), web.View{
		Title: v.PageTitle("request_log", "Request log"), Template: "requests", Block: "log", Data: page, Wide: true,
	})
}

// pageSize is how many rows a part of a list has.
const pageSize = 50

// readRequestFilter reads what an address narrows requests to.
func readRequestFilter(v *web.Visit, a address, n *names) requestFilter {
	f := requestFilter{
		Outcomes: outcomes, Methods: methods(), Environments: environments(v), Problems: map[string]string{},
		Reasons: reasonOptions(),
	}
	f.Organization = organizationOf(v, a)
	f.Outcome, f.Method = known(a.Get("outcome"), outcomes), known(a.Get("method"), f.Methods)
	f.Reason, f.Environment = reasonOf(a.Get("reason")), known(a.Get("environment"), f.Environments)
	if isStatus(a.Get("status")) {
		f.Status = a.Get("status")
	}
	f.Route, f.Key, f.Address, f.Search = a.Get("route"), a.Get("key"), a.Get("address"), a.Get("q")
	f.Statuses, f.Routes = withChoice(f.Status, statuses()), withChoice(f.Route, routes(v.Contract))
	f.Cursor, f.Limit = a.Get("cursor"), pageSize
	f.KeyName, f.Whose = n.credential(f.Key).Name, n.organization(f.Organization)
	f.readPeriod(v.Now(), a)
	return f
}

// readPeriod reads the period: one up to now, or with a beginning and an end.
func (f *requestFilter) readPeriod(now time.Time, a address) {
	p, choices := offered(a.Get("period"), "1h", "30d", "")
	f.Periods = append([]web.Option{{Text: "Any time"}}, choices...)
	if p.name != "" {
		f.Period, f.From = p.name, now.Add(-p.length)
	}
	for name, t := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		text := a.Get(name)
		at, ok := instant(text)
		if !ok {
			f.Problems[name] = "This is no time. Write it like 2027-03-14T09:30."
			continue
		}
		if text != "" {
			*t, f.Period = at, ""
		}
	}
}

// older returns the address of the next part of a list. A place in a list belongs to one
// period, so one that would move on with the time is held.
func (f *requestFilter) older(a address, cursor string) string {
	if f.Period != "" {
		a = a.with("period", "", "from", f.From.Format(exact))
	}
	return a.with("cursor", cursor).String()
}

// FromField and ToField return the period as fields of a form show it.
func (f requestFilter) FromField() string {
	if f.Period != "" {
		return ""
	}
	return field(f.From)
}

// ToField is the end of the period, as a field shows it.
func (f requestFilter) ToField() string { return field(f.To) }

// Problem returns what is wrong with the filter, in a sentence; "" for nothing. What
// belongs to a field that is not shown is said here.
func (f requestFilter) Problem() string {
	if len(f.Problems) == 0 {
		return ""
	}
	first := slices.Sorted(maps.Keys(f.Problems))[0]
	return "This cannot be looked for: " + first + " " + f.Problems[first]
}

// rowOf returns a line of the log as it is shown.
func rowOf(v *web.Visit, n *names, r insight.Request) requestRow {
	row := requestRow{
		Request: r, Where: environment(v.Contract, r.Environment), Tone: tone(r.Status), Took: took(r.LatencyUS),
		Caller: n.credential(r.Key),
	}
	if refused(r.Reason) {
		row.Why = reason(r.Reason)
	}
	if console(v) && r.Organization != "" {
		row.Organization = credential{ID: r.Organization, Name: n.organization(r.Organization), Path: portalOf(v, r.Organization)}
	}
	return row
}
