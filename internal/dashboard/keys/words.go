package keys

import (
	"strconv"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
)

// kindsOf returns the kinds of key that these pages list, in the contract's order: those
// of the organization and of its environments. Keys of persons are on the page of
// credentials; they are here when the contract has none.
func kindsOf(c *contract.Contract) []*contract.KeyKind {
	personal := len(c.Page("credentials").Path) == 0
	var kinds []*contract.KeyKind
	for _, k := range c.Kinds() {
		if k.Owner != contract.OwnerMember || personal {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// kindLabel returns the name of a key's kind; one that the contract no longer has is
// called what it was stored as.
func kindLabel(c *contract.Contract, name string) string {
	if kind := c.Kind(name); kind != nil {
		return kind.Label
	}
	return name
}

// environmentLabel returns the name of an environment as people know it.
func environmentLabel(c *contract.Contract, name string) string {
	if e := c.Environment(name); e != nil {
		return e.Label
	}
	return name
}

// environmentsOf returns the environments that a kind exists in.
func environmentsOf(c *contract.Contract, kind *contract.KeyKind) []*contract.Environment {
	var out []*contract.Environment
	for _, e := range c.Environments() {
		if kind.Environments[e.Index] {
			out = append(out, e)
		}
	}
	return out
}

// environmentWord returns what the product calls an environment: the page's label, or the
// word of its command line, such as "Space".
func environmentWord(v *web.Visit) string {
	word := "environment"
	if cli := v.Contract.CLI(); cli != nil && cli.EnvironmentFlag != "" && cli.EnvironmentFlag != "env" {
		word = cli.EnvironmentFlag
	}
	return v.Label(page, "environment", capital(word))
}

// revokeText returns the text of the button that ends a key. Products call it by
// different names, and each has one of them.
func revokeText(v *web.Visit) string {
	return v.Label(page, "revoke", v.Label(page, "remove", v.Label(page, "delete", "Revoke")))
}

// createText returns the text of the button that leads to a new key of a kind. The page's
// label is about its first kind; others are called by their names.
func createText(v *web.Visit, kind *contract.KeyKind) string {
	if kinds := kindsOf(v.Contract); len(kinds) > 0 && kinds[0] == kind {
		return v.Label(page, "create", "Create "+kind.Label)
	}
	return "Create " + lower(kind.Label)
}

// mayCreate reports whether the visitor may make keys of a kind. Keys of persons are made
// by themselves.
func mayCreate(v *web.Visit, kind *contract.KeyKind) bool {
	return v.May(access.Roles(kind.CreatedBy)) && (kind.Owner != contract.OwnerMember || !v.Staff())
}

// A badge is a standing, for the part "badge".
type badge struct{ Kind, Text string }

// statuses are the words and tones of what a key can be.
var statuses = map[manage.Status]badge{
	manage.StatusActive:   {"good", "Active"},
	manage.StatusExpiring: {"warn", "Expiring"},
	manage.StatusDisabled: {"plain", "Disabled"},
	manage.StatusExpired:  {"danger", "Expired"},
	manage.StatusIdle:     {"danger", "Unused too long"},
	manage.StatusRevoked:  {"danger", "Revoked"},
}

// An expiry is a key's end as it is shown.
type expiry struct {
	Badge badge
	At    time.Time // zero: never
	Left  string    // "3 days"; "" for never and for what is over
}

// expiryOf returns how a key's end is shown.
func expiryOf(k *manage.Key, now time.Time) expiry {
	left := k.ExpiresAt.Sub(now)
	switch {
	case !k.RevokedAt.IsZero(): // it has ended
		return expiry{}
	case k.ExpiresAt.IsZero():
		return expiry{Badge: badge{"plain", "Never"}}
	case left <= 0:
		return expiry{Badge: badge{"danger", "Expired"}, At: k.ExpiresAt}
	case k.Status == manage.StatusExpiring:
		return expiry{badge{"warn", "In " + span(left)}, k.ExpiresAt, span(left)}
	}
	return expiry{badge{"", "In " + span(left)}, k.ExpiresAt, span(left)}
}

// span returns a time that is left, in the largest unit that is worth telling.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return plural(int(d/time.Minute), "minute")
	case d < 2*day:
		return plural(int(d/time.Hour), "hour")
	case d < 90*day:
		return plural(int(d/day), "day")
	case d < 730*day:
		return plural(int(d/(30*day)), "month")
	}
	return plural(int(d/(365*day)), "year")
}

// accuracy says how exact the times of last uses are.
func accuracy(v *web.Visit) string {
	if d := v.Insight.LastUsedAccuracy(); d > time.Minute {
		return "to " + span(d)
	}
	return "to the minute"
}

// permissionsShown returns what a key may do as people read it: the contract's labels
// where they say exactly what was granted, else the scopes' names. A label that another
// one includes is left out.
func permissionsShown(c *contract.Contract, k *manage.Key) []string {
	literal, _ := c.ScopeSet(k.Scopes...)
	granted := c.Expand(literal)
	var sum contract.ScopeSet
	var shown []contract.Permission
	for _, p := range c.Permissions() {
		if !p.Scopes.IsEmpty() && granted.Contains(p.Scopes) {
			shown, sum = append(shown, p), sum.Union(p.Scopes)
		}
	}
	if len(shown) == 0 || !c.Expand(sum).Contains(granted) {
		return k.Scopes
	}
	var labels []string
	for i, p := range shown {
		included := false
		for j, q := range shown {
			wider := c.Expand(q.Scopes).Contains(p.Scopes)
			same := wider && c.Expand(p.Scopes).Contains(q.Scopes)
			included = included || i != j && wider && (!same || j < i)
		}
		if !included {
			labels = append(labels, p.Label)
		}
	}
	return labels
}

// ownerOf returns whose a key is.
func ownerOf(v *web.Visit, k *manage.Key, people web.Names) string {
	kind := v.Contract.Kind(k.Kind)
	switch {
	case k.Member != "" && k.OwnerName != "" && k.Member != v.Session.Member.ID:
		return k.OwnerName
	case k.Member != "":
		return people.Of(k.Member)
	case kind != nil && kind.Owner == contract.OwnerEnvironment:
		return environmentWord(v) + " " + environmentLabel(v.Contract, k.Environment)
	}
	return v.Organization.Name
}

// plural returns a number and its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// capital returns a text with a capital first letter.
func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// lower returns a name as it is within a sentence: "Admin token" is "admin token" there,
// and "API key" stays.
func lower(name string) string {
	if len(name) < 2 || name[1] < 'a' || name[1] > 'z' {
		return name
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// sentence returns what is wrong with a field as a sentence: texts of errors go on from
// the name of the field.
func sentence(label, text string) string {
	first, _, _ := strings.Cut(text, " ")
	switch first {
	case "is", "must", "has", "mixes", "needs", "contradicts":
		text = label + " " + text
	}
	if text = capital(text); text != "" && !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
