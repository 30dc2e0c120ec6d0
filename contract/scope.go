package contract

import (
	"math/bits"
	"slices"

	"github.com/cardea-dev/cardea"
)

// A Scope is a permission a credential may carry (RFC 6749 §3.3).
type Scope struct {
	Name        string
	Description string
	Aliases     []string      // other spellings that mean this scope
	GrantedBy   []cardea.Role // who may grant it to a client that asks; nil: everybody
	Index       int           // its bit in a [ScopeSet]
	Line        int
}

// A Permission is how a key's scopes are shown to people: "Read" for [read].
type Permission struct {
	Label       string
	Description string
	Scopes      ScopeSet
}

// MaxScopes is how many scopes a contract may have.
const MaxScopes = 256

// A ScopeSet is a set of scopes of one contract. The zero value is empty. It is
// comparable and cheap to copy.
type ScopeSet struct{ bits [MaxScopes / 64]uint64 }

// Contains reports whether every scope of want is in s.
func (s ScopeSet) Contains(want ScopeSet) bool {
	for i, w := range want.bits {
		if s.bits[i]&w != w {
			return false
		}
	}
	return true
}

// Union returns the scopes of either set.
func (s ScopeSet) Union(other ScopeSet) ScopeSet {
	for i := range s.bits {
		s.bits[i] |= other.bits[i]
	}
	return s
}

// Intersect returns the scopes of both sets.
func (s ScopeSet) Intersect(other ScopeSet) ScopeSet {
	for i := range s.bits {
		s.bits[i] &= other.bits[i]
	}
	return s
}

// Without returns the scopes of s that are not in other.
func (s ScopeSet) Without(other ScopeSet) ScopeSet {
	for i := range s.bits {
		s.bits[i] &^= other.bits[i]
	}
	return s
}

// IsEmpty reports whether the set has no scope.
func (s ScopeSet) IsEmpty() bool { return s == ScopeSet{} }

// Len returns the number of scopes.
func (s ScopeSet) Len() int {
	n := 0
	for _, w := range s.bits {
		n += bits.OnesCount64(w)
	}
	return n
}

// Has reports whether the scope with the given index is in the set.
func (s ScopeSet) Has(index int) bool {
	return index >= 0 && index < MaxScopes && s.bits[index/64]&(1<<(index%64)) != 0
}

// add puts the scope with the given index in the set.
func (s *ScopeSet) add(index int) { s.bits[index/64] |= 1 << (index % 64) }

// Scopes returns the scopes in the file's order.
func (c *Contract) Scopes() []*Scope { return c.scopes }

// Scope returns the scope with the given name or alias, or nil.
func (c *Contract) Scope(name string) *Scope {
	if i, ok := c.scopeIndex[name]; ok {
		return c.scopes[i]
	}
	return nil
}

// GrantableBy returns the scopes that a member with the given role may grant to a
// client: those that neither are nor imply one that the role may not grant.
func (c *Contract) GrantableBy(role cardea.Role) ScopeSet {
	var withheld, grantable ScopeSet
	for i, s := range c.scopes {
		if s.GrantedBy != nil && !slices.Contains(s.GrantedBy, role) {
			withheld.add(i)
		}
	}
	for i := range c.scopes {
		if c.implied[i].Intersect(withheld).IsEmpty() {
			grantable.add(i)
		}
	}
	return grantable
}

// Permissions returns how key scopes are shown to people, in the file's order.
func (c *Contract) Permissions() []Permission { return c.permissions }

// ScopeSet returns the set of the named scopes, aliases resolved, and the names the
// contract does not know. Implied scopes are not added: see [Contract.Expand].
func (c *Contract) ScopeSet(names ...string) (set ScopeSet, unknown []string) {
	for _, name := range names {
		if i, ok := c.scopeIndex[name]; ok {
			set.add(i)
		} else {
			unknown = append(unknown, name)
		}
	}
	return set, unknown
}

// AllScopes returns the set of all scopes.
func (c *Contract) AllScopes() ScopeSet {
	var set ScopeSet
	for i := range c.scopes {
		set.add(i)
	}
	return set
}

// Expand adds the scopes that those of the set imply, directly or through others.
// What is checked against a route must be expanded; what a route needs must not.
func (c *Contract) Expand(set ScopeSet) ScopeSet {
	expanded := set
	for i := range c.scopes {
		if set.Has(i) {
			expanded = expanded.Union(c.implied[i])
		}
	}
	return expanded
}

// ScopeNames returns the names of the scopes in the set, in the contract's order.
func (c *Contract) ScopeNames(set ScopeSet) []string {
	if set.IsEmpty() {
		return nil
	}
	names := make([]string, 0, set.Len())
	for i, s := range c.scopes {
		if set.Has(i) {
			names = append(names, s.Name)
		}
	}
	return names
}
