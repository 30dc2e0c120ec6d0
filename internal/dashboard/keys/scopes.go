package keys

import (
	"slices"
	"strings"

	"github.com/cardea-dev/cardea/contract"
)

// A choice is one scope as people choose it.
type choice struct {
	Name, Label, Text string // of the scope; what it is called; what it is for
	On                bool
}

// A group is the choices that are about one resource: "entities".
type group struct {
	Name    string // "" when there is nothing to group by
	Choices []choice

	key string // as the scopes spell it
}

// A preset chooses several scopes at once.
type preset struct {
	Label, Text string
	Scopes      []string
}

// scopeChoices returns the scopes that a kind of key may have. Where the contract has
// permissions and each stands for exactly one scope, the scopes are called what the
// permissions are.
func scopeChoices(c *contract.Contract, kind *contract.KeyKind) []choice {
	labels, all := permissionsByScope(c, kind)
	var out []choice
	for _, name := range c.ScopeNames(kind.Scopes) {
		one := choice{Name: name, Label: name, Text: c.Scope(name).Description}
		if p, ok := labels[name]; ok && all {
			one.Label, one.Text = p.Label, p.Description
		}
		out = append(out, one)
	}
	return out
}

// permissionsByScope returns the permissions that stand for one scope, by it, and whether
// every scope of the kind has one.
func permissionsByScope(c *contract.Contract, kind *contract.KeyKind) (map[string]contract.Permission, bool) {
	by := map[string]contract.Permission{}
	for _, p := range c.Permissions() {
		if names := c.ScopeNames(p.Scopes); len(names) == 1 {
			by[names[0]] = p
		}
	}
	for _, name := range c.ScopeNames(kind.Scopes) {
		if _, ok := by[name]; !ok {
			return by, false
		}
	}
	return by, true
}

// verbs are words that say what is done; scopes are grouped by the other word.
var verbs = []string{
	"read", "write", "create", "update", "delete", "list", "view", "get", "edit", "manage", "admin", "execute", "run",
	"send", "export", "import", "upload", "download", "invite", "approve", "publish", "full", "all",
}

// parts splits a scope into resource and action, whichever comes first in this contract:
// "entities:read", "read:entities". One without a colon has no resource.
func parts(scope string, actionFirst bool) (resource, action string) {
	before, after, found := strings.Cut(scope, ":")
	switch {
	case !found:
		return "", scope
	case actionFirst:
		return after, before
	}
	return before, after
}

// actionsFirst reports whether scopes begin with what is done: the side that has more
// verbs is it. The convention of most is the other way round.
func actionsFirst(names []string) bool {
	first, last := 0, 0
	for _, name := range names {
		before, after, found := strings.Cut(name, ":")
		if !found {
			continue
		}
		if slices.Contains(verbs, strings.ToLower(before)) {
			first++
		}
		if slices.Contains(verbs, strings.ToLower(after)) {
			last++
		}
	}
	return first > last
}

// groups returns the choices of a kind by resource, in the contract's order; what is about
// no resource comes last.
func groups(c *contract.Contract, kind *contract.KeyKind, on func(scope string) bool) []group {
	choices := scopeChoices(c, kind)
	first := actionsFirst(c.ScopeNames(kind.Scopes))
	var out []group
	var rest group
	for _, one := range choices {
		one.On = on(one.Name)
		resource, _ := parts(one.Name, first)
		i := slices.IndexFunc(out, func(g group) bool { return g.key == resource })
		switch {
		case resource == "":
			rest.Choices = append(rest.Choices, one)
		case i < 0:
			out = append(out, group{key: resource, Name: capital(strings.NewReplacer("-", " ", "_", " ").Replace(resource)), Choices: []choice{one}})
		default:
			out[i].Choices = append(out[i].Choices, one)
		}
	}
	if len(rest.Choices) > 0 {
		if len(out) > 0 {
			rest.Name = "Everything"
			if len(rest.Choices) > 1 {
				rest.Name = "General"
			}
		}
		out = append(out, rest)
	}
	return out
}

// presets returns what chooses several scopes at once: what only reads, everything,
// nothing, and the contract's permissions where each is more than one scope.
func presets(c *contract.Contract, kind *contract.KeyKind) []preset {
	all := c.ScopeNames(kind.Scopes)
	if len(all) < 2 {
		return nil
	}
	var out []preset
	if _, each := permissionsByScope(c, kind); !each {
		for _, p := range c.Permissions() {
			if !p.Scopes.IsEmpty() && kind.Scopes.Contains(p.Scopes) {
				out = append(out, preset{p.Label, p.Description, c.ScopeNames(p.Scopes)})
			}
		}
	}
	if reading := readers(all); len(out) == 0 && len(reading) > 0 && len(reading) < len(all) {
		out = append(out, preset{"Read everything", "", reading})
	}
	if !slices.ContainsFunc(out, func(p preset) bool { return len(p.Scopes) == len(all) }) {
		out = append(out, preset{"Everything", "", all})
	}
	return append(out, preset{"Nothing", "", []string{}})
}

// readers returns the scopes that only read, by their names.
func readers(names []string) []string {
	first := actionsFirst(names)
	var out []string
	for _, name := range names {
		_, action := parts(name, first)
		if slices.Contains([]string{"read", "view", "list", "get"}, strings.ToLower(action)) {
			out = append(out, name)
		}
	}
	return out
}

// opensAnything reports whether a key of a kind opens a route without any scope.
func opensAnything(c *contract.Contract) bool {
	return slices.ContainsFunc(c.Routes(), func(r *contract.Route) bool { return !r.Public && r.Scopes.IsEmpty() })
}
