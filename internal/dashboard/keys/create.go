package keys

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// A creation is the data of the form for a new key.
type creation struct {
	fields
	Kind            *contract.KeyKind
	Kinds           []tab // to the forms of other kinds; nil when there is one
	Action          string
	Environments    []environmentChoice
	EnvironmentWord string
	Ignored         string // what of the address meant nothing
	Submit          string
	Back            string
}

// An environmentChoice is an environment with what its keys look like.
type environmentChoice struct {
	Name, Label, Text string
	On                bool
}

// newKey answers the form, filled in from the address.
func newKey(v *web.Visit) {
	d := newCreation(v, v.Query("kind"))
	if d == nil {
		return
	}
	f, ignored := prefilled(v, d.Kind)
	d.Ignored = ignored
	d.show(v, http.StatusOK, f)
}

// newCreation returns the form of a kind, nil when there is none that the visitor may
// make and that was answered.
func newCreation(v *web.Visit, name string) *creation {
	kinds := slices.DeleteFunc(slices.Clone(kindsOf(v.Contract)), func(k *contract.KeyKind) bool { return !mayCreate(v, k) })
	if len(kinds) == 0 {
		v.Render(http.StatusForbidden, web.View{Title: "You may not create one", Template: "none", Data: none{MayNot: true}})
		return nil
	}
	d := &creation{Kind: kinds[0], EnvironmentWord: environmentWord(v)}
	for _, k := range kinds {
		if k.Name == name {
			d.Kind = k
		}
	}
	if len(kinds) > 1 {
		for _, k := range kinds {
			d.Kinds = append(d.Kinds, tab{k.Label, v.Base + "/keys/new?" + url.Values{"kind": {k.Name}}.Encode(), k == d.Kind})
		}
	}
	d.Action = v.Base + "/keys/new"
	d.Submit = createText(v, d.Kind)
	return d
}

// show renders the form as filled in.
func (d *creation) show(v *web.Visit, status int, f form) {
	problems := d.Problems
	d.fields = newFields(v, d.Kind, f)
	if problems != nil {
		d.Problems = problems
	}
	now := v.Now()
	d.Expiry = newExpiryField(d.Kind, now, now, required(v.Contract, "expires"), false)
	d.Environments = nil
	for _, e := range environmentsOf(v.Contract, d.Kind) {
		text := ""
		if prefix := d.Kind.Prefixes[e.Index]; prefix != "" {
			text = prefix + "…"
		}
		d.Environments = append(d.Environments, environmentChoice{e.Name, e.Label, text, e.Name == f.Environment})
	}
	d.Back = v.Base + "/keys" + asQuery(back(v, d.Kind, f.Environment))
	v.Render(status, web.View{
		Title: d.Submit, Template: "new", Data: d,
		Crumbs: []web.Crumb{{Text: v.PageTitle(page, d.Kind.Plural), Path: "/keys" + asQuery(back(v, d.Kind, f.Environment))}},
	})
}

// back returns the parameters of the list that a kind of key is in.
func back(v *web.Visit, kind *contract.KeyKind, environment string) url.Values {
	q := url.Values{}
	if kind == nil {
		return q
	}
	if kinds := kindsOf(v.Contract); len(kinds) > 0 && kinds[0] != kind {
		q.Set("kind", kind.Name)
	}
	if kind.Owner == contract.OwnerEnvironment && environment != "" {
		q.Set("environment", environment)
	}
	return q
}

// prefilled returns the form that an address fills in. What it names that there is not is
// left out, and told.
func prefilled(v *web.Visit, kind *contract.KeyKind) (f form, ignored string) {
	q, c := v.R.URL.Query(), v.Contract
	var unknown []string
	if name := q.Get("kind"); name != "" && name != kind.Name {
		unknown = append(unknown, "kind")
	}
	f.Name = strings.TrimSpace(q.Get("name"))
	environments := environmentsOf(c, kind)
	f.Environment = q.Get("environment")
	if !slices.ContainsFunc(environments, func(e *contract.Environment) bool { return e.Name == f.Environment }) {
		if f.Environment != "" {
			unknown = append(unknown, "environment")
		}
		f.Environment = ""
		if len(environments) > 0 {
			f.Environment = environments[0].Name
		}
	}
	var lost bool
	if f.Scopes, lost = askedScopes(c, kind, q); lost {
		unknown = append(unknown, "scope")
	}
	if text := q.Get("expires"); text != "" {
		var ok bool
		if f.Expires, ok = dateOf(text, v.Now()); !ok {
			if f.Never = text == "never"; !f.Never {
				unknown = append(unknown, "expiry")
			}
		}
	}
	f.Addresses = strings.Join(split(q["address"]), "\n")
	f.PerMinute, f.Burst, f.PerDay = q.Get("per_minute"), q.Get("burst"), q.Get("per_day")
	if len(unknown) > 0 {
		ignored = "The link asks for " + article(unknown[0]) + strings.Join(unknown, " and ") + " that there is not here. That was left out; look at the rest."
	}
	return f, ignored
}

// article returns "a " or "an ", whichever a noun takes.
func article(noun string) string {
	if noun != "" && strings.ContainsRune("aeiouAEIO", rune(noun[0])) {
		return "an "
	}
	return "a "
}

// split returns the words of several values: scopes come one by one or in one parameter.
func split(values []string) []string {
	var out []string
	for _, value := range values {
		out = append(out, strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\r' })...)
	}
	return out
}

// askedScopes returns the scopes that an address names, or permissions; the kind's default
// ones when it names none. lost says that some are none of the kind's.
func askedScopes(c *contract.Contract, kind *contract.KeyKind, q url.Values) (names []string, lost bool) {
	if !q.Has("scope") && !q.Has("permission") {
		return c.ScopeNames(kind.DefaultScopes), false
	}
	var set contract.ScopeSet
	for _, name := range split(q["scope"]) {
		one, unknown := c.ScopeSet(name)
		if len(unknown) > 0 || !kind.Scopes.Contains(one) {
			lost = true
			continue
		}
		set = set.Union(one)
	}
	for _, label := range q["permission"] {
		i := slices.IndexFunc(c.Permissions(), func(p contract.Permission) bool { return p.Label == label && kind.Scopes.Contains(p.Scopes) })
		if i < 0 {
			lost = true
			continue
		}
		set = set.Union(c.Permissions()[i].Scopes)
	}
	return c.ScopeNames(set), lost
}

// create makes a key, and answers with its secret.
func create(v *web.Visit) {
	d := newCreation(v, v.Value("kind"))
	if d == nil {
		return
	}
	f := readForm(v)
	d.fields = newFields(v, d.Kind, f)
	now := v.Now()
	d.Expiry = newExpiryField(d.Kind, now, now, required(v.Contract, "expires"), false)
	if d.missing(v, d.Kind) {
		d.show(v, http.StatusUnprocessableEntity, f)
		return
	}
	in := manage.CreateKey{
		Kind: d.Kind.Name, Environment: f.Environment, Organization: v.Organization.ID, Name: f.Name,
		Scopes: f.Scopes, Addresses: lines(f.Addresses), NeverExpires: f.Never && d.Expiry.Never,
	}
	if d.Kind.Owner == contract.OwnerMember {
		in.Member = v.Session.Member.ID
	}
	err := d.complete(v, &in)
	var made manage.KeySecret
	if err == nil {
		made, err = v.Manage.CreateKey(v.R.Context(), v.Actor, in)
	}
	switch {
	case err == nil:
		showSecret(v, made, reasonCreated)
	case d.refused(v, err):
		d.show(v, http.StatusUnprocessableEntity, f)
	default:
		v.Fail(err)
	}
}

// complete reads the parts of the form that are no plain text.
func (d *creation) complete(v *web.Visit, in *manage.CreateKey) error {
	if d.Form.Expires != "" && !in.NeverExpires {
		end, invalid := endOf(d.Kind, v.Now(), d.Form.Expires)
		if invalid != nil {
			return invalid
		}
		in.ExpiresAt = end
	}
	if d.HasLimits {
		limits, invalid := d.Form.limits()
		if invalid != nil {
			return invalid
		}
		in.Limits = limits
	}
	return nil
}

// A none is the data of the page that has nothing to offer.
type none struct{ MayNot bool }
