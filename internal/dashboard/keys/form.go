package keys

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// A form is what people fill in about a key, as text: of an address that fills it in
// beforehand, of a key that is changed, or of a form that was sent.
type form struct {
	Name, Environment, Expires string
	Never                      bool
	Scopes                     []string
	Addresses                  string // one in each line
	PerMinute, Burst, PerDay   string
}

// A fields is a form as it is shown.
type fields struct {
	Form     form
	Problems map[string]string // :: field → sentence; "" for the whole

	Groups     []group
	Presets    []preset
	ScopesName string // what the product calls them
	ScopesText string // the label of the choice

	Expiry       expiryField
	ExpiresLabel string

	HasAddresses bool // keys of this product have lists of addresses
	Addresses    string
	HasLimits    bool // the visitor may set a key's own limits
	Plan         string
}

// newFields returns the form for a kind of key, as filled in.
func newFields(v *web.Visit, kind *contract.KeyKind, f form) fields {
	c := v.Contract
	out := fields{Form: f, Problems: map[string]string{}, Presets: presets(c, kind), Plan: planText(v), HasLimits: v.May(access.Nobody)}
	out.Groups = groups(c, kind, func(scope string) bool { return slices.Contains(f.Scopes, scope) })
	word := "scopes"
	if _, all := permissionsByScope(c, kind); all {
		word = "permissions"
	}
	out.ScopesName = word
	out.ScopesText = v.Label(page, word, v.Label(page, "scopes", capital(word)))
	out.ExpiresLabel = v.Label(page, "expires", "Expiration date")
	out.HasAddresses = c.IPListPer() == contract.IPListPerCredential || c.IPListPer() == contract.IPListPerBoth
	out.Addresses = v.Label(page, "addresses", "Allowed IP addresses")
	return out
}

// required reports whether the product's page requires a field.
func required(c *contract.Contract, field contract.PageLabel) bool {
	return slices.Contains(c.Page(page).Required, field)
}

// readForm reads the form that was sent.
func readForm(v *web.Visit) form {
	return form{
		Name: v.Value("name"), Environment: v.Value("environment"), Expires: v.Value("expires"), Never: v.Value("never") != "",
		Scopes: append([]string{}, v.Form["scope"]...), Addresses: strings.ReplaceAll(v.Form.Get("addresses"), "\r\n", "\n"),
		PerMinute: v.Value("per_minute"), Burst: v.Value("burst"), PerDay: v.Value("per_day"),
	}
}

// lines returns the lines of a text that are not empty, without the space around them.
func lines(text string) []string {
	out := []string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// limits reads a key's own limits, nil when none is given.
func (f *form) limits() (*manage.Limits, *cardea.Error) {
	if f.PerMinute+f.Burst+f.PerDay == "" {
		return nil, nil
	}
	l := &manage.Limits{}
	for _, one := range []struct {
		field, text string
		to          *int64
	}{{"per_minute", f.PerMinute, &l.PerMinute}, {"burst", f.Burst, &l.Burst}, {"per_day", f.PerDay, &l.PerDay}} {
		if one.text == "" {
			continue
		}
		n, err := strconv.ParseInt(one.text, 10, 64)
		if err != nil {
			return nil, cardea.Invalid("limits."+one.field, "must be a whole number")
		}
		*one.to = n
	}
	return l, nil
}

// labels name the members of inputs to people.
func (f *fields) label(v *web.Visit, field string) string {
	switch field {
	case "name":
		return v.Label(page, "name", "Name")
	case "environment":
		return environmentWord(v)
	case "scopes":
		return capital(f.ScopesName)
	case "expires":
		return "The date"
	case "addresses":
		return "An address"
	case "per_minute":
		return "Requests a minute"
	case "burst":
		return "The burst"
	case "per_day":
		return "Requests a day"
	}
	return "This"
}

// refused puts what manage says about an input to the fields of the form. It reports
// whether people can mend it there.
func (f *fields) refused(v *web.Visit, err error) bool {
	problems, ok := v.Problems(err)
	for member, text := range problems {
		field, index, listed := strings.Cut(member, "[")
		field = strings.TrimPrefix(field, "limits.")
		switch field {
		case "permissions":
			field = "scopes"
		case "expires_at", "never_expires":
			field = "expires"
		case "name", "environment", "scopes", "addresses", "per_minute", "burst", "per_day":
		default: // of the organization, the kind, or of everything
			f.Problems[""] = strings.TrimSpace(f.Problems[""] + " " + sentence(capital(strings.ReplaceAll(field, "_", " ")), text))
			continue
		}
		if field == "scopes" && listed {
			f.Problems[field] = "One of those chosen is none that this kind of key may have. Choose from these."
			continue
		}
		label := f.label(v, field)
		if n, err := strconv.Atoi(strings.TrimSuffix(index, "]")); listed && err == nil && field == "addresses" {
			label = "Address " + strconv.Itoa(n+1)
		}
		f.Problems[field] = sentence(label, text)
	}
	if ok && f.Problems[""] == "" {
		f.Problems[""] = "Nothing was saved: look at what is marked below."
	}
	return ok
}

// missing finds what the product's page requires and the API does not, or what would be
// of no use. It reports whether something is missing.
func (f *fields) missing(v *web.Visit, kind *contract.KeyKind) bool {
	if f.Expiry.Required && f.Form.Expires == "" {
		f.Problems["expires"] = "Choose a date."
	}
	noScopes := len(f.Form.Scopes) == 0 && !kind.Scopes.IsEmpty()
	if noScopes && (required(v.Contract, "scopes") || required(v.Contract, "permissions") || !opensAnything(v.Contract)) {
		f.Problems["scopes"] = "Choose at least one: without any, the " + lower(kind.Label) + " opens nothing."
	}
	if f.HasAddresses && required(v.Contract, "addresses") && len(lines(f.Form.Addresses)) == 0 {
		f.Problems["addresses"] = "Name at least one address."
	}
	if len(f.Problems) > 0 {
		f.Problems[""] = "Nothing was saved: look at what is marked below."
	}
	return len(f.Problems) > 0
}

// planText says what the organization's plan allows, "" without plans.
func planText(v *web.Visit) string {
	plan := v.Contract.Plan(v.Organization.Plan)
	if plan == nil {
		if plan = v.Contract.DefaultPlan(); plan == nil {
			return ""
		}
	}
	limits := manage.Limits{PerMinute: plan.PerMinute, Burst: plan.Burst, PerDay: plan.PerDay}
	own := v.Organization.Limits
	if own != nil {
		limits = *own
	}
	text := plan.Label
	switch figures := limitsText(limits); {
	case figures != "":
		text += ": " + figures
	case plan.Note != "":
		text += ": " + plan.Note
	}
	if v.Contract.LimitsPer() == contract.LimitsPerCredential {
		return text + ". Each key has these limits for itself."
	}
	return text + ". All keys of the organization share these limits."
}

// limitsText returns limits in words, "" for none.
func limitsText(l manage.Limits) string {
	var out []string
	if l.PerMinute > 0 {
		out = append(out, thousands(l.PerMinute)+" requests a minute")
	}
	if l.Burst > 0 {
		out = append(out, "bursts of "+thousands(l.Burst))
	}
	if l.PerDay > 0 {
		out = append(out, thousands(l.PerDay)+" requests a day")
	}
	return strings.Join(out, ", ")
}

// thousands returns a number with its thousands apart.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
