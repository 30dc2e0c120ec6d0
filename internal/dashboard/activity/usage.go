package activity

import (
	"net/http"

	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// usageParameters are what the address of the page of usage may hold.
var usageParameters = []string{"period", "by", "key", "environment", "organization"}

// usagePage is the data of the page of usage.
type usagePage struct {
	At                    address
	Period                string
	By                    string
	Periods, Environments []web.Option
	Environment           string
	Tabs                  []tab
	Total                 insight.UsageCounts
	Latency               string
	Chart                 web.Chart
	Caption               string
	Tables                []usageTable
	Accuracy              string // of the numbers, in words

	// Key is the credential that all of it is about, nil on the page about all.
	Key    *manage.Key
	Caller credential
	Limits string // the address of its limits
	Log    string // the address of its requests

	All   bool   // of all organizations
	Whose string // the organization that the console is narrowed to
}

// A tab is one way to divide the usage.
type tab struct {
	Text, Path string
	Current    bool
}

// A usageTable is the usage divided in one way.
type usageTable struct {
	Title     string // of the table, and for screen readers
	Heading   string // of the first column
	Rows      []usageRow
	Truncated bool
}

// A usageRow is the usage of one part.
type usageRow struct {
	Text, Path string // Path leads further in, "" nowhere
	Muted      bool   // Text is no name
	Mono       bool   // Text is code
	Counts     insight.UsageCounts
	Latency    string
	Log        string     // the address of the requests
	Whose      credential // in the console: the organization that a credential belongs to
	Top        int64      // the most that a row of the table has
}

// usage serves the page of usage: of everything, or of one credential.
func usage(v *web.Visit) {
	a := here(v, usageParameters...)
	if settle(v, a) {
		return
	}
	n := newNames(v)
	p, choices := offered(a.Get("period"), "24h", "90d", "7d")
	page := usagePage{
		At: a, Period: p.name, Periods: choices, Environments: environments(v), All: console(v),
		Environment: known(a.Get("environment"), environments(v)), Whose: n.organization(organizationOf(v, a)),
	}
	query := insight.UsageQuery{
		Organization: organizationOf(v, a), Environment: page.Environment, Key: a.Get("key"), From: v.Now().Add(-p.length),
	}
	title := v.PageTitle("usage", "Usage")
	var crumbs []web.Crumb
	if query.Key != "" {
		key := n.key(query.Key)
		if key == nil || !console(v) && key.Organization != v.Organization.ID {
			v.Fail(notFound("credential"))
			return
		}
		page.about(v, n, key)
		crumbs = []web.Crumb{{Text: title, Path: "/usage"}}
		title = "Usage of " + page.Caller.Name
	}
	if err := page.fill(v, n, query); err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: title, Template: "usage", Block: "numbers", Data: page, Chart: true, Crumbs: crumbs})
}

// about makes the page one about a credential.
func (page *usagePage) about(v *web.Visit, n *names, key *manage.Key) {
	page.Key, page.Caller = key, n.credential(key.ID)
	page.Log = at(v.Base+"/requests", "key", key.ID).String()
	page.Limits = at(portalOf(v, key.Organization)+"/limits", "key", key.ID).String()
}

// fill asks for the numbers: a line over time, and the tables.
func (page *usagePage) fill(v *web.Visit, n *names, query insight.UsageQuery) error {
	series, err := v.Insight.Series(v.R.Context(), v.Actor, query)
	if err != nil {
		return err
	}
	page.draw(series)
	divided := page.divisions(v)
	for _, d := range divided {
		query.By = d.by
		u, err := v.Insight.Usage(v.R.Context(), v.Actor, query)
		if err != nil {
			return err
		}
		page.Total, page.Latency = u.Total, took(u.Total.AverageLatencyUS)
		page.Tables = append(page.Tables, page.table(v, n, d, u))
	}
	return nil
}

// draw turns a series into a chart.
func (page *usagePage) draw(s insight.Series) {
	page.Chart = web.Chart{Times: s.At, Bars: s.Step == "day"}
	page.Caption = "Requests by " + s.Step
	for _, line := range s.Lines {
		page.Chart.Lines = append(page.Chart.Lines,
			web.Line{Name: "Requests", Tone: "accent", Values: line.Requests},
			web.Line{Name: "Refused", Tone: "danger", Values: line.Denied})
	}
}

// A division is one way to divide the usage, and what the parts are called.
type division struct{ by, text, heading string }

// divisions returns the tables that a page has: one, chosen by a tab, or for a credential
// all that say something.
func (page *usagePage) divisions(v *web.Visit) []division {
	keys := division{"key", v.PageTitle("keys", "Credentials"), "Credential"}
	more := []division{
		{"route", "Routes", "Route"}, {"status", "Statuses", "Status"}, {"reason", "Refusals", "Reason"},
	}
	if page.Key != nil {
		return more
	}
	all := []division{keys}
	if v.Contract.Clients() != nil {
		all = append(all, division{"client", v.PageTitle("applications", "Applications"), "Application"})
	}
	all = append(append(all, more...), division{"environment", "Environments", "Environment"})
	chosen := all[0]
	for _, d := range all {
		if d.by == page.At.Get("by") {
			chosen = d
		}
	}
	for _, d := range all {
		page.Tabs = append(page.Tabs, tab{Text: d.text, Path: page.At.With("by", d.by), Current: d == chosen})
	}
	page.By = chosen.by
	return []division{chosen}
}

// maxRows is how many rows a table has: who asks least is found by a filter.
const maxRows = 50

// others is the route that the usage of those too many to count one by one is under.
const others = "*"

// table returns a division as it is shown.
func (page *usagePage) table(v *web.Visit, n *names, d division, u insight.Usage) usageTable {
	t := usageTable{Title: d.text, Heading: d.heading, Truncated: u.Truncated || len(u.Rows) > maxRows}
	for _, r := range u.Rows[:min(len(u.Rows), maxRows)] {
		if d.by == "reason" && !refused(r.Group) {
			continue
		}
		row := usageRow{Text: r.Name, Counts: r.Counts, Latency: took(r.Counts.AverageLatencyUS)}
		log := at(v.Base+"/requests", "period", logPeriod(page.Period), "key", page.At.Get("key"), "environment", page.Environment,
			"organization", page.At.Get("organization"))
		page.name(v, &row, d.by, r.Group, &log)
		if row.Text == "" {
			row.Text = r.Group
		}
		if key := n.key(page.callerIn(d.by, r.Group)); key != nil {
			row.Whose = credential{
				ID: key.Organization, Name: n.organization(key.Organization), Path: at(portalOf(v, key.Organization)+"/usage", "key", key.ID).String(),
			}
		}
		if r.Group != others || d.by != "route" {
			row.Log = log.String()
		}
		t.Rows = append(t.Rows, row)
	}
	for i := range t.Rows {
		t.Rows[i].Top = max(t.Rows[0].Counts.Requests, 1)
	}
	return t
}

// callerIn returns the credential that a row of the console's table is about, "" for none
// and on an organization's own pages, where it is clear whose it is.
func (page *usagePage) callerIn(by, group string) string {
	if page.All && (by == "key" || by == "client") {
		return group
	}
	return ""
}

// logPeriod returns the period of the request log for one of usage: the log is not kept
// for as long.
func logPeriod(name string) string {
	if name == "90d" {
		return "30d"
	}
	return name
}

// name names a part of the usage and says where it leads.
func (page *usagePage) name(v *web.Visit, row *usageRow, by, group string, log *address) {
	switch {
	case (by == "key" || by == "client") && group == "":
		row.Text, row.Muted = "Without a known credential", true
	case by == "key" || by == "client":
		row.Path = page.At.With("key", group, "by", "")
		*log = log.with("key", group)
	case by == "route" && group == others:
		row.Text, row.Muted = "Other routes", true
	case by == "organization":
		row.Path = at(portalOf(v, group)+"/usage", "period", page.Period).String()
		*log = log.with("organization", group)
	case by == "route" && group == "":
		row.Text, row.Muted = "No route matched", true
		*log = log.with("route", unmatched)
	case by == "route":
		row.Mono = true
		*log = log.with("route", group)
	case by == "status":
		*log = log.with("status", group)
	case by == "reason":
		row.Text = reason(group)
		*log = log.with("reason", group)
	case by == "environment":
		row.Text = environment(v.Contract, group)
		if group == "" {
			row.Text, row.Muted = "None", true
		} else {
			row.Path, *log = page.At.With("environment", group), log.with("environment", group)
		}
	}
}
