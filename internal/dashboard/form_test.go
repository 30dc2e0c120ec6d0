package dashboard_test

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A form is what a page lets its visitor send.
type form struct {
	page   string // where it is
	method string
	action string // path and query
	ticks  bool   // it has boxes to tick
	fields url.Values
}

var (
	tag       = regexp.MustCompile(`(?s)<(/?)(form|input|select|option|textarea|button|a)\b((?:[^>"']|"[^"]*"|'[^']*')*)>`)
	attribute = regexp.MustCompile(`([a-z-]+)(?:="([^"]*)"|='([^']*)')?`)
)

// attributes reads the attributes of a tag.
func attributes(text string) map[string]string {
	all := map[string]string{}
	for _, m := range attribute.FindAllStringSubmatch(text, -1) {
		all[m[1]] = html.UnescapeString(m[2] + m[3])
	}
	return all
}

// read returns the forms and links of a page, filled in as somebody would who ticks every
// box. It understands what our templates write, no more.
func read(page, text string) (forms []*form, links []string) {
	var open *form
	var choice string // name of the select that is open
	byID := map[string]*form{}
	type late struct{ id, name, value string }
	var outside []late // fields that name their form
	for _, m := range tag.FindAllStringSubmatch(text, -1) {
		closing, name, a := m[1] == "/", m[2], attributes(m[3])
		switch {
		case name == "form" && closing:
			open = nil
		case closing:
			if name == "select" {
				choice = ""
			}
		case name == "form":
			open = &form{page: page, method: strings.ToUpper(a["method"]), action: resolve(page, a["action"]), fields: url.Values{}}
			forms = append(forms, open)
			byID[a["id"]] = open
		case name == "a":
			if href := resolve(page, a["href"]); a["href"] != "" && strings.HasPrefix(href, "/dashboard") {
				links = append(links, href)
			}
		case name == "select":
			choice = a["name"]
		case name == "option":
			if _, selected := a["selected"]; open != nil && choice != "" && (selected || open.fields.Get(choice) == "") {
				open.fields.Set(choice, a["value"])
			}
		case name == "button" && a["formaction"] != "":
			of := open
			if of == nil {
				of = byID[a["form"]]
			}
			if of != nil {
				forms = append(forms, &form{page: page, method: "POST", action: resolve(page, a["formaction"]), fields: of.fields})
			}
		case a["name"] != "" && a["form"] != "":
			outside = append(outside, late{a["form"], a["name"], filled(a)})
		case a["name"] != "" && open != nil:
			add(open, a["name"], filled(a), a["type"])
			open.ticks = open.ticks || a["type"] == "checkbox"
		}
	}
	for _, f := range outside {
		if of := byID[f.id]; of != nil {
			of.fields.Add(f.name, f.value)
		}
	}
	return forms, links
}

// add adds a field; of radio buttons only the first.
func add(f *form, name, value, kind string) {
	if kind == "radio" && f.fields.Has(name) {
		return
	}
	if !slices.Contains(f.fields[name], value) {
		f.fields.Add(name, value)
	}
}

// filled returns what is in a field once somebody filled it in.
func filled(a map[string]string) string {
	switch {
	case a["data-expect"] != "":
		return a["data-expect"]
	case a["value"] != "" || a["type"] == "hidden" || a["type"] == "search":
		return a["value"]
	case a["type"] == "checkbox", a["type"] == "radio":
		return "on"
	case a["type"] == "email":
		return "somebody@example.com"
	case a["type"] == "url":
		return "https://example.com/x"
	case a["type"] == "date":
		return "2027-06-01"
	case a["type"] == "number":
		return "7"
	}
	return "Some text"
}

// resolve returns the path and query that a link of a page leads to.
func resolve(page, reference string) string {
	here, err := url.Parse("https://app.example.com" + page)
	if err != nil {
		return reference
	}
	u, err := here.Parse(reference)
	if err != nil || u.Host != here.Host {
		return reference
	}
	u.Fragment = ""
	return u.RequestURI()
}
