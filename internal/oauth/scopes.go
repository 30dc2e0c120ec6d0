package oauth

import (
	"strings"

	"github.com/cardea-dev/cardea/contract"
)

// errScope refuses scopes that do not exist or that are more than may be had. It does
// not tell the two apart: what others may have is nobody's business.
var errScope = refuse(codeInvalidScope, "a scope is unknown or more than may be granted")

// A grantedScopes is a set of scopes, with the spelling that the caller is told.
type grantedScopes struct {
	set  contract.ScopeSet
	text string // as asked for, without repetitions: RFC 6749 §5.1
}

// chooseScopes returns the scopes that the text of a scope parameter asks for, which
// must be within most; fallback, within most, when it asks for nothing. A scope that
// most implies may be had by itself: narrower than what was granted is always possible.
func chooseScopes(c *contract.Contract, asked string, most, fallback contract.ScopeSet) (grantedScopes, error) {
	if asked == "" {
		set := fallback.Intersect(c.Expand(most))
		return grantedScopes{set: set, text: strings.Join(c.ScopeNames(set), " ")}, nil
	}
	set, text, ok := parseScopes(c, asked)
	if !ok || !c.Expand(most).Contains(set) {
		return grantedScopes{}, errScope
	}
	return grantedScopes{set: set, text: text}, nil
}

// parseScopes reads a scope parameter: names with one space or more between them. It
// returns their set, and their text in the order and spelling they came in, each once.
func parseScopes(c *contract.Contract, asked string) (set contract.ScopeSet, text string, ok bool) {
	names := strings.Fields(asked)
	if len(names) == 0 || len(names) > contract.MaxScopes {
		return contract.ScopeSet{}, "", false
	}
	kept := names[:0]
	for _, name := range names {
		one, unknown := c.ScopeSet(name)
		if len(unknown) > 0 {
			return contract.ScopeSet{}, "", false
		}
		if !set.Contains(one) {
			set = set.Union(one)
			kept = append(kept, name)
		}
	}
	return set, strings.Join(kept, " "), true
}
