package activity

import (
	"strconv"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/web"
)

// limitParameters are what the address of the page of limits may hold.
var limitParameters = []string{"environment", "key"}

// limitsPage is the data of the page of limits.
type limitsPage struct {
	At           address
	Environment  string
	Environments []web.Option
	Key          string
	KeyName      string

	PerCredential bool // each credential has the whole of it
	Owners        []limitOwner
	Refusals      []requestRow
	Log           string // the address of all refusals by a limit

	Plans   []planRow
	Note    string // what to do when more is needed, by the contract: "Contact sales"
	Support string // whom to ask, "" for nobody
	Mail    bool   // Support is an e-mail address
	Link    bool   // Support is an address of the web
}

// A limitOwner is somebody with limits, as they are shown.
type limitOwner struct {
	insight.LimitOwner
	Caller   credential
	Where    string // the label of the environment
	From     string // whose figures they are
	Gauges   []gauge
	Id       string // on the page
	Tightest string // how it stands, in a word or two
	Tone     string
}

// A gauge is one limit as it is shown.
type gauge struct {
	Text        string // "Requests a minute"
	Limit, Used int64
	Low, High   int64 // above Low it is close, above High there is nothing left
	Left        int64
	Again       string // when all of it is there again, "" when it is
	ResetAt     time.Time
}

// A planRow is a plan for comparison.
type planRow struct {
	Label   string
	Figures []string
	Note    string
	Current bool
}

// limits serves the page of limits: what is left of them now.
func limits(v *web.Visit) {
	a := here(v, limitParameters...)
	if settle(v, a) {
		return
	}
	n := newNames(v)
	page := limitsPage{
		At: a, Environments: environments(v), Environment: known(a.Get("environment"), environments(v)), Key: a.Get("key"),
		PerCredential: v.Contract.LimitsPer() == contract.LimitsPerCredential,
		Log:           at(v.Base+"/requests", "status", "429").String(),
	}
	if page.Key != "" {
		key := n.key(page.Key)
		if key == nil || key.Organization != v.Organization.ID {
			v.Fail(notFound("credential"))
			return
		}
		page.KeyName = n.credential(page.Key).Name
	}
	now, err := v.Insight.LimitsNow(v.R.Context(), v.Actor, insight.LimitsQuery{
		Organization: v.Organization.ID, Environment: page.Environment, Key: page.Key,
	})
	if err != nil {
		v.Fail(err)
		return
	}
	for i, o := range now.Owners {
		owner := ownerOf(v, n, o, now.At)
		owner.Id = "owner-" + strconv.Itoa(i)
		page.Owners = append(page.Owners, owner)
	}
	for _, r := range now.Refusals {
		page.Refusals = append(page.Refusals, rowOf(v, n, r))
	}
	page.plans(v)
	v.Render(200, web.View{Title: v.PageTitle("limits", "Limits"), Template: "limits", Block: "gauges", Data: page})
}

// windows are the limits and what they are called.
var windows = map[string]string{"minute": "Requests a minute", "burst": "Requests at once", "day": "Requests a day"}

// ownerOf returns somebody's limits as they are shown.
func ownerOf(v *web.Visit, n *names, o insight.LimitOwner, now time.Time) limitOwner {
	owner := limitOwner{LimitOwner: o, Where: environment(v.Contract, o.Environment), Tightest: "plenty left", Tone: "good"}
	if o.Key != "" {
		owner.Caller = n.credential(o.Key)
	}
	switch {
	case o.Own && o.Key != "":
		owner.From = "Its own limits, within those of the organization"
	case o.Own:
		owner.From = "Agreed for your organization, in place of a plan’s"
	case o.PlanLabel != "":
		owner.From = "Plan " + o.PlanLabel
	}
	for _, g := range o.Gauges {
		shown := gauge{Text: windows[g.Window], Limit: g.Limit, Used: g.Used, Left: g.Remaining, Low: g.Limit * 8 / 10, High: max(g.Limit-1, g.Limit*8/10), ResetAt: g.ResetAt}
		if g.Used > 0 && g.ResetAt.After(now) {
			shown.Again = span(g.ResetAt.Sub(now))
		}
		switch {
		case g.Remaining <= 0:
			owner.Tightest, owner.Tone = "used up", "danger"
		case g.Used > shown.Low && owner.Tone == "good":
			owner.Tightest, owner.Tone = "close to the limit", "warn"
		}
		owner.Gauges = append(owner.Gauges, shown)
	}
	return owner
}

// span returns a short time in words, rounded up: "12 seconds".
func span(d time.Duration) string {
	unit, name := time.Second, "second"
	switch {
	case d >= 2*time.Hour:
		unit, name = time.Hour, "hour"
	case d >= 2*time.Minute:
		unit, name = time.Minute, "minute"
	}
	n := int64((d + unit - 1) / unit)
	if n == 1 {
		return "1 " + name
	}
	return strconv.FormatInt(n, 10) + " " + name + "s"
}

// plans fills in what other plans there are and whom to ask.
func (page *limitsPage) plans(v *web.Visit) {
	for _, p := range v.Contract.Plans() {
		row := planRow{Label: p.Label, Note: p.Note, Current: p.Name == v.Organization.Plan}
		for _, f := range []struct {
			n    int64
			text string
		}{{p.PerMinute, " a minute"}, {p.Burst, " at once"}, {p.PerDay, " a day"}} {
			if f.n > 0 {
				row.Figures = append(row.Figures, grouped(f.n)+f.text)
			}
		}
		if p.Custom && p.Note != "" && page.Note == "" {
			page.Note = p.Note
		}
		page.Plans = append(page.Plans, row)
	}
	page.Support = v.Contract.Docs().Support
	page.Mail = strings.Contains(page.Support, "@") && !strings.Contains(page.Support, "/")
	page.Link = strings.HasPrefix(page.Support, "https://")
}

// grouped returns a number with its thousands apart.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
