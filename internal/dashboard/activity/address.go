package activity

import (
	"net/url"
	"strings"

	"github.com/cardea-dev/cardea/internal/web"
)

// An address is where a page is and what it is narrowed to. Its zero members narrow
// nothing and are not in it.
type address struct {
	Path   string
	values url.Values
}

// here returns the address of a visit with those of its parameters that a page knows.
func here(v *web.Visit, known ...string) address {
	a := address{Path: v.R.URL.Path, values: url.Values{}}
	for _, name := range known {
		if value := strings.TrimSpace(v.Query(name)); value != "" {
			a.values.Set(name, value)
		}
	}
	return a
}

// at returns the address of another page: names and values in turn.
func at(path string, pairs ...string) address {
	a := address{Path: path, values: url.Values{}}
	return a.with(pairs...)
}

// Get returns a parameter, "" when it is not there.
func (a address) Get(name string) string { return a.values.Get(name) }

// with returns the address with other parameters, names and values in turn; "" takes one
// away. The place in a list belongs to what it was narrowed to, and goes.
func (a address) with(pairs ...string) address {
	next := address{Path: a.Path, values: url.Values{}}
	for name, values := range a.values {
		if name != "cursor" {
			next.values[name] = values
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			next.values.Del(pairs[i])
			continue
		}
		next.values.Set(pairs[i], pairs[i+1])
	}
	return next
}

// With is [address.with] for templates.
func (a address) With(pairs ...string) string { return a.with(pairs...).String() }

// Except returns the address without some parameters.
func (a address) Except(names ...string) string {
	next := a.with()
	for _, name := range names {
		next.values.Del(name)
	}
	return next.String()
}

// Narrowed reports whether any of some parameters is there.
func (a address) Narrowed(names ...string) bool {
	for _, name := range names {
		if a.values.Has(name) {
			return true
		}
	}
	return false
}

// String returns the address as a link has it.
func (a address) String() string {
	if len(a.values) == 0 {
		return a.Path
	}
	return a.Path + "?" + a.values.Encode()
}

// settle gives the browser the short form of an address that a form has sent, empty
// fields and all. It reports whether the visit is answered by that.
func settle(v *web.Visit, a address) bool {
	if v.Partial() {
		if strings.HasPrefix(v.R.Header.Get("HX-Source"), "form") {
			v.W.Header().Set("HX-Replace-Url", a.String())
		}
		return false
	}
	for _, values := range v.R.URL.Query() {
		for _, value := range values {
			if value == "" {
				v.See(strings.TrimPrefix(a.String(), v.Base), "")
				return true
			}
		}
	}
	return false
}

// status returns the status of a page that says what is wrong with a filter. htmx shows
// no answer with another status than 200.
func status(v *web.Visit, problems map[string]string) int {
	if len(problems) > 0 && !v.Partial() {
		return 422
	}
	return 200
}
