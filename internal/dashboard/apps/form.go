package apps

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/web"
)

// problems are what is wrong with a form, by field, as sentences.
type problems map[string]string

// refused shows what can be mended, and returns it by the names of the form's fields;
// with any other error it answers, and ok is false. Entries of a list are told with their
// number: "redirect_uris[1]" is the second line of the field redirect_uris.
func refused(v *web.Visit, err error) (p problems, ok bool) {
	found, ok := v.Problems(err)
	if !ok {
		v.Fail(err)
		return nil, false
	}
	p = problems{}
	for field, text := range found {
		name, rest, listed := strings.Cut(field, "[")
		text = asSentence(text, field == "")
		if n, err := strconv.Atoi(strings.TrimSuffix(rest, "]")); listed && err == nil {
			text = "Line " + strconv.Itoa(n+1) + ": " + text
		}
		p[name] = strings.TrimSpace(p[name] + " " + text)
	}
	return p, true
}

// asSentence returns the text of a problem as people read it beside its field. Many begin
// with what the field is or must be.
func asSentence(text string, alone bool) string {
	for _, verb := range []string{"is ", "must ", "has ", "does ", "contradicts "} {
		if strings.HasPrefix(text, verb) && !alone {
			text = "this " + text
			break
		}
	}
	if text = capital(text); !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// other returns the problems of fields that a form does not show, as one text.
func (p problems) other(shown ...string) string {
	var texts []string
	for field, text := range p {
		switch {
		case field == "":
			texts = append(texts, text)
		case !slices.Contains(shown, field):
			texts = append(texts, capital(strings.ReplaceAll(field, "_", " "))+": "+text)
		}
	}
	slices.Sort(texts)
	return strings.Join(texts, " ")
}

// dayEnd reads the value of a date field as the last second of that day in UTC; zero for
// an empty one. ok is false for a text that is no date.
func dayEnd(text string) (at time.Time, ok bool) {
	if text == "" {
		return time.Time{}, true
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, false
	}
	return day.Add(24*time.Hour - time.Second), true
}

// chosen returns the values of check boxes, never nil: that none is chosen is a choice.
func chosen(v *web.Visit, name string) []string {
	return append([]string{}, v.Form[name]...)
}

// A scopeGroup is the scopes of one resource.
type scopeGroup struct {
	Resource string // "entities"; "" for scopes that name none
	Scopes   []scopeChoice
}

// scopeChoices are all the check boxes of a form.
type scopeChoices []scopeGroup

// All returns the names of all scopes.
func (c scopeChoices) All() []string {
	names := []string{}
	for _, g := range c {
		for _, s := range g.Scopes {
			names = append(names, s.Name)
		}
	}
	return names
}

// Count returns how many scopes there are.
func (c scopeChoices) Count() int { return len(c.All()) }

// A scopeChoice is one check box.
type scopeChoice struct {
	scopeWord
	Chosen bool
}

// scopeGroups returns the scopes that may be chosen, those of one resource together.
// Scopes are written resource first or last; the resource is the side that tells more of
// them apart.
func scopeGroups(c *contract.Contract, set contract.ScopeSet, chosen []string) scopeChoices {
	var scopes []*contract.Scope
	before, after := map[string]bool{}, map[string]bool{}
	for _, s := range c.Scopes() {
		if !set.Has(s.Index) {
			continue
		}
		scopes = append(scopes, s)
		if a, b, ok := strings.Cut(s.Name, ":"); ok {
			before[a], after[b] = true, true
		}
	}
	var groups scopeChoices
	for _, s := range scopes {
		resource, action, ok := strings.Cut(s.Name, ":")
		if !ok {
			resource = ""
		} else if len(after) > len(before) {
			resource = action
		}
		i := slices.IndexFunc(groups, func(g scopeGroup) bool { return g.Resource == resource })
		if i < 0 {
			groups = append(groups, scopeGroup{Resource: resource})
			i = len(groups) - 1
		}
		text := s.Description
		if text == "" {
			text = s.Name
		}
		groups[i].Scopes = append(groups[i].Scopes, scopeChoice{scopeWord: scopeWord{s.Name, text}, Chosen: slices.Contains(chosen, s.Name)})
	}
	return groups
}

// plural returns a number and its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
