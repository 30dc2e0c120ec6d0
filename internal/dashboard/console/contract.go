package console

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

var contractRoutes = []web.Route{
	{Pattern: "GET /contract", Page: "contract", Console: true, Serve: showContract},
	{Pattern: "GET /contract/impact", Page: "contract", Console: true, Serve: askImpact},
	{Pattern: "POST /contract/impact", Page: "contract", Console: true, Serve: showImpact},
}

// contractPage is the data of the page of the contract in force.
type contractPage struct {
	Path   string
	Info   manage.ContractInfo
	Health insight.ContractHealth
}

// showContract shows the contract in force and how it came into force.
func showContract(v *web.Visit) {
	info, err := v.Manage.ContractInfo(v.R.Context(), v.Actor, manage.None{})
	if err != nil {
		v.Fail(err)
		return
	}
	health, err := v.Insight.Health(v.R.Context(), v.Actor, access.None{})
	if err != nil {
		v.Fail(err)
		return
	}
	v.Render(http.StatusOK, web.View{Title: "Contract", Template: "contract", Data: contractPage{
		Path: v.Base + "/contract", Info: info, Health: health.Contract,
	}})
}

// impactPage is the data of the page that says what a changed contract would do.
type impactPage struct {
	Path   string
	Source string // the file that the contract in force came from
	Text   string
	Wrong  string // with the text as such, before it is read
	Asked  bool
	Impact insight.Impact
}

// mostShown bounds what the page shows of each sort: a text that is no contract can have a
// problem in every line.
const mostShown = 100

// Problems are the problems that are shown.
func (p impactPage) Problems() []insight.Problem {
	return p.Impact.Problems[:min(len(p.Impact.Problems), mostShown)]
}

// MoreProblems is how many are not shown.
func (p impactPage) MoreProblems() int { return max(len(p.Impact.Problems)-mostShown, 0) }

// A severity is a part of the changes under a heading.
type severity struct {
	Heading, Kind string
	Changes       []insight.Change
}

// Severities are the changes by how bad they are, the worst first.
func (p impactPage) Severities() []severity {
	parts := []severity{
		{Heading: "Breaks: something that works now would be refused", Kind: "danger"},
		{Heading: "Look at: nobody is refused today, but somebody must act", Kind: "warn"},
		{Heading: "Good to know", Kind: "plain"},
	}
	for _, c := range p.Impact.Changes {
		c.Effect = sentence(c.Effect)
		switch c.Severity {
		case insight.Breaks:
			parts[0].Changes = append(parts[0].Changes, c)
		case insight.Warns:
			parts[1].Changes = append(parts[1].Changes, c)
		default:
			parts[2].Changes = append(parts[2].Changes, c)
		}
	}
	return parts
}

// sentence returns a text with a capital letter and a full stop.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(text[size:], ".") + "."
}

// askImpact shows the form.
func askImpact(v *web.Visit) { renderImpact(v, http.StatusOK, impactPage{}) }

// showImpact says what the contract that was sent would do. It changes nothing, and is a
// form because a contract is too long for an address.
func showImpact(v *web.Visit) {
	// Browsers send the lines of a field with CRLF, whatever the file has.
	p := impactPage{Text: strings.ReplaceAll(v.Form.Get("contract"), "\r\n", "\n"), Asked: true}
	found, err := v.Insight.Impact(v.R.Context(), v.Actor, insight.ImpactInput{Contract: p.Text})
	if wrong, ok := v.Problems(err); ok {
		p.Asked, p.Wrong = false, wrong["contract"]
		renderImpact(v, http.StatusUnprocessableEntity, p)
		return
	}
	if err != nil {
		v.Fail(err)
		return
	}
	p.Impact = found
	status := http.StatusOK
	if !p.Impact.Valid {
		status = http.StatusUnprocessableEntity
	}
	renderImpact(v, status, p)
}

func renderImpact(v *web.Visit, status int, p impactPage) {
	p.Path, p.Source = v.Base+"/contract", v.Contract.Source()
	v.Render(status, web.View{
		Title: "What would a changed contract do?", Template: "impact", Crumbs: []web.Crumb{{Text: "Contract", Path: "/contract"}}, Data: p,
	})
}
