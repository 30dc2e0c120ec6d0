package activity

import (
	"net/http"
	"path"
	"slices"
	"strconv"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/web"
)

// stepWords are the steps of a decision in their order, and what each asks.
var stepWords = []struct {
	step cardea.Step
	text string
}{
	{cardea.StepRoute, "Does the API have this path and method?"},
	{cardea.StepCredential, "Is there exactly one credential?"},
	{cardea.StepShape, "Does it look like one of ours?"},
	{cardea.StepVerify, "Does it exist?"},
	{cardea.StepStanding, "Is it in force: not revoked, disabled or expired?"},
	{cardea.StepEnvironment, "Does it belong to this environment?"},
	{cardea.StepAddress, "May it be used from this IP address?"},
	{cardea.StepScope, "Does it have the scopes that the route needs?"},
	{cardea.StepHook, "Does nobody else object?"},
	{cardea.StepLimit, "Is it within its limits?"},
}

// A step is one step of a decision as a page shows it.
type step struct {
	Name, Text string
	Passed     bool // it was asked, and the answer was yes
	Decided    bool // it was asked, and the answer was no
}

// requestPage is the data of the page of one request.
type requestPage struct {
	insight.Explanation
	Row          requestRow
	Steps        []step
	Upstream     bool // the decision was to let it through, and the API failed
	Refused      bool
	Scopes       []string // that the caller has; empty: none, or no caller is known
	Organization credential
	Found        string // what the decision noted, in a sentence
	Source       string // the contract's name: where it lies is the server's business
	Log          string // the address of the log with requests like it
	Around       string // the address of the log of the same caller
	Whole        bool   // it is the page, and not the drawer
}

// missingPage is the data of the page about a request that is not there.
type missingPage struct {
	ID   string
	Log  string
	Form string // a prefix of request ids, "" where they have none
}

// request serves one request: what was decided about it, and why.
func request(v *web.Visit) {
	id := v.Path("request")
	log := v.Base + "/requests"
	e, err := v.Insight.Explain(v.R.Context(), v.Actor, idOf(id))
	if err != nil {
		if cardea.KindOf(err) != cardea.KindNotFound {
			v.Fail(err)
			return
		}
		v.Render(http.StatusNotFound, web.View{
			Title: "No such request", Template: "missing", Data: missingPage{ID: id, Log: log},
			Crumbs: []web.Crumb{{Text: v.PageTitle("request_log", "Request log"), Path: "/requests"}},
		})
		return
	}
	if !console(v) && e.Request.Organization != v.Organization.ID {
		// Staff see this request too, and not on the pages of somebody else.
		v.Fail(notFound("request in the log"))
		return
	}
	n := newNames(v)
	page := requestPage{
		Explanation: e, Row: rowOf(v, n, e.Request), Refused: refused(e.Request.Reason), Whole: !v.Partial(),
		Steps: stepsOf(v.Contract, e), Upstream: e.Request.Step == cardea.StepUpstream.String(),
	}
	if page.Found = capital(e.Detail); page.Found != "" {
		page.Found += "."
	}
	if e.Contract != nil {
		page.Source = path.Base(e.Contract.Source)
	}
	if e.Key != nil {
		page.Scopes = e.Key.Scopes
	}
	page.Log = alike(at(log), e.Request).String()
	if e.Request.Key != "" {
		page.Around = at(log, "key", e.Request.Key).String()
	}
	v.Render(http.StatusOK, web.View{
		Title: e.Request.Method + " " + e.Request.Path, Template: "request", Block: "drawer", Data: page,
		Crumbs: []web.Crumb{{Text: v.PageTitle("request_log", "Request log"), Path: "/requests"}},
	})
}

// stepsOf returns the steps of the decision about a request: those that were passed, the
// one that decided, and those that were not reached or, on a public route, not needed.
func stepsOf(c *contract.Contract, e insight.Explanation) []step {
	public := slices.ContainsFunc(c.Routes(), func(r *contract.Route) bool { return r.Public && r.Pattern == e.Request.Route })
	steps := make([]step, 0, len(stepWords))
	for i, s := range stepWords {
		next := step{Name: s.step.String(), Text: s.text}
		for _, asked := range e.Steps {
			if asked.Name == next.Name && (!public || i == 0) {
				next.Passed, next.Decided = asked.Passed, !asked.Passed
			}
		}
		steps = append(steps, next)
	}
	return steps
}

// alike narrows the log to requests that were answered as this one was.
func alike(log address, r insight.Request) address {
	route := r.Route
	if route == "" {
		route = unmatched
	}
	return log.with("status", strconv.Itoa(r.Status), "reason", reasonFilter(r.Reason), "route", route, "outcome", outcomeFilter(r.Reason))
}

// reasonFilter and outcomeFilter return the filter for a reason: what was let through is
// an outcome.
func reasonFilter(name string) string {
	if refused(name) {
		return name
	}
	return ""
}

func outcomeFilter(name string) string {
	if refused(name) {
		return ""
	}
	return "allowed"
}
