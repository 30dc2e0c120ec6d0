package contract

import (
	"strings"

	"github.com/cardea-dev/cardea"
)

// scopes compiles the scopes: names and aliases first, then what implies what.
func (k *compiler) scopes() {
	k.c.scopeIndex = map[string]int{}
	lines := map[string]int{}
	entries := k.d.Scopes.entries
	if len(entries) > MaxScopes {
		k.r.Errorf(entries[MaxScopes].key.pos, "more than %d scopes", MaxScopes)
		for _, e := range entries[MaxScopes:] {
			k.c.scopeIndex[e.key.value] = 0 // known: only there are too many
		}
		entries = entries[:MaxScopes]
	}
	for i, e := range entries {
		s := &Scope{Name: e.key.value, Description: e.value.Description.value, Index: i, Line: e.key.Line}
		k.c.scopes = append(k.c.scopes, s)
		k.nameScope(e.key, i, lines)
	}
	for i, e := range entries {
		for _, alias := range e.value.Aliases.items {
			if alias.given {
				k.nameScope(alias, i, lines)
				k.c.scopes[i].Aliases = append(k.c.scopes[i].Aliases, alias.value)
			}
		}
	}
	k.closeImplied()
	for i, e := range entries {
		s, v := k.c.scopes[i], e.value
		s.GrantedBy = roles(v.GrantedBy)
		if _, all := find(texts(v.Implies), "*"); all && !v.GrantedBy.given {
			s.GrantedBy = []cardea.Role{cardea.RoleOwner, cardea.RoleAdmin}
		}
		if v.GrantedBy.given && len(v.GrantedBy.items) == 0 {
			k.r.Errorf(v.GrantedBy.pos, "nobody could grant it").Suggest("remove the line for everybody")
		}
	}
}

// nameScope gives a scope a name, unless another has it.
func (k *compiler) nameScope(name text, index int, lines map[string]int) {
	switch line, taken := lines[name.value]; {
	case !scopeToken(name.value):
		k.r.Errorf(name.pos, "%s cannot be a scope", quote(name.value)).
			Suggest("a scope has no spaces, quotes or backslashes (RFC 6749 §3.3)")
	case name.value == "*":
		k.r.Errorf(name.pos, "%s cannot be a scope", quote("*")).Suggest("it stands for all scopes, under implies")
	case taken:
		k.r.Errorf(name.pos, "two scopes are called %s", quote(name.value)).Suggest("the other is on line %d", line)
	default:
		lines[name.value], k.c.scopeIndex[name.value] = name.Line, index
	}
}

// scopeToken reports whether s is a scope-token: RFC 6749 §3.3.
func scopeToken(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// closeImplied computes what each scope implies through any number of steps. Cycles
// are fine: two scopes that imply each other are worth the same.
func (k *compiler) closeImplied() {
	c := k.c
	c.implied = make([]ScopeSet, len(c.scopes))
	for i := range c.scopes {
		c.implied[i].add(i)
		for _, name := range k.d.Scopes.entries[i].value.Implies.items {
			if name.given && name.value == "*" {
				c.implied[i] = c.AllScopes()
				continue
			}
			c.implied[i] = c.implied[i].Union(k.scopeSet(list[text]{items: []text{name}}))
		}
	}
	for changed := true; changed; {
		changed = false
		for i := range c.implied {
			if wider := c.Expand(c.implied[i]); wider != c.implied[i] {
				c.implied[i], changed = wider, true
			}
		}
	}
}

// scopeSet returns the set a list names, reporting names that are not declared.
func (k *compiler) scopeSet(l list[text]) ScopeSet {
	var set ScopeSet
	for _, name := range l.items {
		if !name.given {
			continue
		}
		i, ok := k.c.scopeIndex[name.value]
		if !ok {
			k.r.Errorf(name.pos, "the scope %s is not declared", quote(name.value)).
				DidYouMean(name.value, k.scopeNames())
			continue
		}
		if set.Has(i) {
			k.r.Warnf(name.pos, "the scope %s is named twice", quote(name.value))
		}
		set.add(i)
	}
	return set
}

// scopeSetOr is scopeSet with a set for when the list is not given.
func (k *compiler) scopeSetOr(l list[text], fallback ScopeSet) ScopeSet {
	if !l.given {
		return fallback
	}
	return k.scopeSet(l)
}

// within reports scopes of a list that are not among those that may be granted.
func (k *compiler) within(l list[text], granted ScopeSet, what string) {
	for _, name := range l.items {
		if i, ok := k.c.scopeIndex[name.value]; ok && name.given && !granted.Has(i) {
			k.r.Errorf(name.pos, "%s is not among the scopes %s may be given", quote(name.value), what).
				Suggest("those are: %s", strings.Join(k.c.ScopeNames(granted), ", "))
		}
	}
}

// scopeNames returns every spelling of every scope, for suggestions.
func (k *compiler) scopeNames() []string {
	names := make([]string, 0, len(k.c.scopeIndex))
	for _, s := range k.c.scopes {
		names = append(append(names, s.Name), s.Aliases...)
	}
	return names
}

// permissions compiles the names under which people see scopes.
func (k *compiler) permissions() {
	for _, e := range k.d.Permissions.entries {
		p := Permission{Label: e.key.value, Description: e.value.Description.value, Scopes: k.scopeSet(e.value.Scopes)}
		if e.value.Scopes.given && len(e.value.Scopes.items) == 0 {
			k.r.Errorf(e.value.Scopes.pos, "the permission %s stands for no scope", quote(e.key.value))
		}
		k.c.permissions = append(k.c.permissions, p)
	}
}
