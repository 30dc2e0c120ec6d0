package activity

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// auditParameters are what the address of the audit log may hold.
var auditParameters = []string{"actor", "action", "target", "address", "organization", "period", "from", "to", "cursor"}

// auditPage is the data of the audit log.
type auditPage struct {
	At       address
	Filter   auditFilter
	Items    []auditRow
	Next     string
	Behind   bool
	All      bool // of all organizations
	Narrowed bool
	Detailed bool

	CSV, JSON string // the addresses of the exports
}

// An auditFilter is the part of an address that narrows events, as a form shows it.
type auditFilter struct {
	insight.AuditFilter
	Actions, Actors, Periods   []web.Option
	Period, FromField, ToField string
	ActorName, Whose           string
	Problems                   map[string]string
}

// An auditRow is an event as it is shown.
type auditRow struct {
	insight.AuditEvent
	Who, What    credential
	Deed         string
	Differences  []difference
	Made         bool // the differences are what it was made with
	Organization credential
	OnlyActor    string // the address of all that the actor did
	OnlyTarget   string // the address of all that was done to the target
}

// audit serves the audit log.
func audit(v *web.Visit) {
	a := here(v, auditParameters...)
	if settle(v, a) {
		return
	}
	n := newNames(v)
	page := auditPage{At: a, Filter: readAuditFilter(v, a, n), All: console(v), Behind: a.Get("cursor") != ""}
	page.Narrowed = a.Narrowed(slices.DeleteFunc(slices.Clone(auditParameters), func(name string) bool { return name == "cursor" })...)
	page.Detailed = a.Narrowed("target", "address", "from", "to", "organization")
	download := at(a.Path + "/export").with(page.Filter.pairs()...)
	page.CSV, page.JSON = download.With("format", "csv"), download.With("format", "json")
	if len(page.Filter.Problems) == 0 {
		list, err := v.Insight.AuditEvents(v.R.Context(), v.Actor, page.Filter.AuditFilter)
		if problems, ok := v.Problems(err); ok {
			page.Filter.Problems = problems
		} else if err != nil {
			v.Fail(err)
			return
		}
		for _, e := range list.Items {
			page.Items = append(page.Items, eventOf(v, n, a, e))
		}
		if list.Next != "" {
			page.Next = page.Filter.older(a, list.Next)
		}
	}
	v.Render(status(v, page.Filter.Problems), web.View{
		Title: v.PageTitle("audit", "Audit log"), Template: "audit", Block: "events", Data: page, Wide: true,
	})
}

// readAuditFilter reads what an address narrows events to.
func readAuditFilter(v *web.Visit, a address, n *names) auditFilter {
	f := auditFilter{Problems: map[string]string{}, Actions: nouns}
	if v.Staff() {
		f.Actions = slices.Concat(nouns, operatorNouns)
	}
	f.Organization, f.Action = organizationOf(v, a), action(a.Get("action"))
	f.Actions = withChoice(f.Action, f.Actions)
	f.Actor, f.Target, f.Address = a.Get("actor"), a.Get("target"), a.Get("address")
	f.Cursor, f.Limit = a.Get("cursor"), pageSize
	f.Whose = n.organization(organizationIn(v, a))
	f.actors(v, n)
	log := requestFilter{Problems: f.Problems}
	log.readPeriod(v.Now(), a)
	f.Period, f.From, f.To, f.Periods = log.Period, log.From, log.To, log.Periods
	f.FromField, f.ToField = log.FromField(), log.ToField()
	return f
}

// organizationIn returns the organization that the console is narrowed to, "" elsewhere.
func organizationIn(v *web.Visit, a address) string {
	if console(v) {
		return a.Get("organization")
	}
	return ""
}

// action returns an action, or how some begin, that an address names; "" for what cannot
// be one.
func action(text string) string {
	for _, r := range text {
		if (r < 'a' || r > 'z') && r != '_' && r != '.' {
			return ""
		}
	}
	if len(text) > 64 {
		return ""
	}
	return text
}

// actors fills in who can be chosen: the organization's members.
func (f *auditFilter) actors(v *web.Visit, n *names) {
	f.Actors = []web.Option{{Text: "Anybody"}}
	if organization := f.Organization; organization != "" {
		list, err := v.Manage.Members(v.R.Context(), v.Actor, manage.MemberFilter{
			Organization: organization, Page: manage.Page{Limit: 100},
		})
		if err == nil { // without it there is less to choose from
			for _, m := range list.Items {
				text := m.Email
				if m.Name != "" {
					text = m.Name + " (" + m.Email + ")"
				}
				f.Actors = append(f.Actors, web.Option{Value: m.ID, Text: text})
			}
		}
	}
	if f.Actor != "" && known(f.Actor, f.Actors) == "" {
		text := f.Actor
		if m := n.member(f.Actor); m != nil {
			text = m.Name
		} else if key := n.key(f.Actor); key != nil {
			text = key.Name
		}
		f.Actors = append(f.Actors, web.Option{Value: f.Actor, Text: text})
	}
	for _, o := range f.Actors {
		if o.Value == f.Actor && f.Actor != "" {
			f.ActorName = o.Text
		}
	}
}

// pairs returns the filter as parameters of an address, its period held.
func (f *auditFilter) pairs() []string {
	pairs := []string{"actor", f.Actor, "action", f.Action, "target", f.Target, "address", f.Address}
	if f.Whose != "" {
		pairs = append(pairs, "organization", f.Organization)
	}
	if !f.From.IsZero() {
		pairs = append(pairs, "from", f.From.Format(exact))
	}
	if !f.To.IsZero() {
		pairs = append(pairs, "to", f.To.Format(exact))
	}
	return pairs
}

// older returns the address of the next part of the list; see [requestFilter.older].
func (f *auditFilter) older(a address, cursor string) string {
	if f.Period != "" {
		a = a.with("period", "", "from", f.From.Format(exact))
	}
	return a.with("cursor", cursor).String()
}

// Problem returns what is wrong with the filter, in a sentence; "" for nothing.
func (f auditFilter) Problem() string { return requestFilter{Problems: f.Problems}.Problem() }

// eventOf returns an event as it is shown.
func eventOf(v *web.Visit, n *names, a address, e insight.AuditEvent) auditRow {
	row := auditRow{
		AuditEvent: e, Who: actorOf(v, n, e.Actor), What: targetOf(v, n, e), Deed: deed(e.Action),
		OnlyActor: a.With("actor", e.Actor.ID), OnlyTarget: a.With("target", e.Target.ID),
	}
	row.Differences, row.Made = differences(&e)
	if console(v) && e.Organization != "" {
		row.Organization = credential{ID: e.Organization, Name: n.organization(e.Organization), Path: portalOf(v, e.Organization)}
	}
	return row
}

// export serves the events that the audit log shows, all of them, as a file.
func export(v *web.Visit) {
	a := here(v, append([]string{"format"}, auditParameters...)...)
	f := readAuditFilter(v, a, newNames(v))
	format := a.Get("format")
	kinds := map[string]string{insight.FormatCSV: "text/csv; charset=utf-8; header=present", insight.FormatJSON: "application/jsonl"}
	names := map[string]string{insight.FormatCSV: "csv", insight.FormatJSON: "jsonl"}
	if kinds[format] == "" {
		v.Fail(cardea.Invalid("format", "must be csv or json"))
		return
	}
	if len(f.Problems) > 0 {
		v.Fail(cardea.Invalid("", "%s", strings.ToLower(f.Problem())))
		return
	}
	file := &download{v: v, kind: kinds[format], name: "audit-log-" + v.Now().UTC().Format("2006-01-02") + "." + names[format]}
	err := v.Insight.ExportAudit(v.R.Context(), v.Actor, f.AuditFilter, format, file)
	switch {
	case err != nil && !file.begun:
		v.Fail(err)
	case err != nil:
		panic(http.ErrAbortHandler) // half a file must not look like a whole one
	case !file.begun:
		file.begin()
	}
}

// A download is a file that the browser keeps. Nothing is sent before its first byte, so
// that an error until then can be answered with a page.
type download struct {
	v          *web.Visit
	kind, name string
	begun      bool
}

func (d *download) begin() {
	d.begun = true
	h := d.v.W.Header()
	h.Set("Content-Type", d.kind)
	h.Set("Content-Disposition", `attachment; filename="`+d.name+`"`)
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	d.v.W.WriteHeader(http.StatusOK)
}

// Write sends bytes of the file.
func (d *download) Write(p []byte) (int, error) {
	if !d.begun {
		d.begin()
	}
	return d.v.W.Write(p)
}
