package rules

import (
	"fmt"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
)

// What a kind of key allows. These functions are pure: contract and input in, value
// or problem out.

// MaxNames bounds lists of scopes and permissions.
const MaxNames = contract.MaxScopes

// Kind returns the key kind that an input names, the only one when it names none.
func Kind(c *contract.Contract, name string) (*contract.KeyKind, *cardea.Error) {
	if kind := c.Kind(name); kind != nil {
		return kind, nil
	}
	kinds := c.Kinds()
	if name == "" && len(kinds) == 1 {
		return kinds[0], nil
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Name
	}
	return nil, cardea.Invalid("kind", "must be a key kind of the contract: %s", strings.Join(names, ", "))
}

// Environment returns the environment that an input names, the kind's only one
// when it names none.
func Environment(c *contract.Contract, kind *contract.KeyKind, name string) (*contract.Environment, *cardea.Error) {
	var names []string
	var only *contract.Environment
	for _, e := range c.Environments() {
		if !kind.Environments[e.Index] {
			continue
		}
		if e.Name == name {
			return e, nil
		}
		names, only = append(names, e.Name), e
	}
	if name == "" && len(names) == 1 {
		return only, nil
	}
	return nil, cardea.Invalid("environment", "must be an environment of this kind of key: %s", strings.Join(names, ", "))
}

// Grant returns the scopes that scopes and permissions name together, of those that
// the kind may have; its default ones when both are nil.
func Grant(c *contract.Contract, kind *contract.KeyKind, scopes, permissions []string) ([]string, Problems) {
	if scopes == nil && permissions == nil {
		return c.ScopeNames(kind.DefaultScopes), nil
	}
	var p Problems
	var set contract.ScopeSet
	if len(scopes) > MaxNames || len(permissions) > MaxNames {
		p.Add(cardea.Invalid("scopes", "must have at most %d entries", MaxNames))
		return nil, p
	}
	for i, name := range scopes {
		one, unknown := c.ScopeSet(name)
		set = set.Union(one)
		if len(unknown) > 0 || !kind.Scopes.Contains(one) {
			p.Add(cardea.Invalid(fmt.Sprintf("scopes[%d]", i), "is no scope that this kind of key may have; those are: %s",
				OrNone(c.ScopeNames(kind.Scopes))))
		}
	}
	for i, label := range permissions {
		one, ok := permission(c, label)
		set = set.Union(one)
		if !ok || !kind.Scopes.Contains(one) {
			p.Add(cardea.Invalid(fmt.Sprintf("permissions[%d]", i), "is no permission that this kind of key may have; those are: %s",
				OrNone(permissionLabels(c, kind))))
		}
	}
	return c.ScopeNames(set), p
}

// permission returns the scopes of a permission by its label.
func permission(c *contract.Contract, label string) (contract.ScopeSet, bool) {
	for _, p := range c.Permissions() {
		if p.Label == label {
			return p.Scopes, true
		}
	}
	return contract.ScopeSet{}, false
}

// permissionLabels returns the labels of the permissions a kind may have.
func permissionLabels(c *contract.Contract, kind *contract.KeyKind) []string {
	var labels []string
	for _, p := range c.Permissions() {
		if kind.Scopes.Contains(p.Scopes) {
			labels = append(labels, p.Label)
		}
	}
	return labels
}

// OrNone joins names for a message.
func OrNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Expiry returns when a key ends whose secret is made at start; zero is never.
//
// Nothing chosen means the kind's default lifetime, else its maximum, else never; a
// kind that requires a choice accepts none of that. A time chosen must lie after now
// and within the maximum, counted from start on the calendar.
func Expiry(kind *contract.KeyKind, start, now, chosen time.Time, never bool) (time.Time, *cardea.Error) {
	var last time.Time // zero: no maximum
	if !kind.MaxLifetime.IsZero() {
		last = kind.MaxLifetime.After(start)
	}
	switch {
	case never && !chosen.IsZero():
		return time.Time{}, cardea.Invalid("never_expires", "contradicts expires_at")
	case never && !last.IsZero():
		return time.Time{}, cardea.Invalid("never_expires", "this kind of key lives at most %s", Words(kind.MaxLifetime))
	case never && kind.ExpiryRequired:
		return time.Time{}, cardea.Invalid("never_expires", "this kind of key needs an expiry")
	case never:
		return time.Time{}, nil
	case chosen.IsZero():
		return defaultExpiry(kind, start, last)
	}
	chosen = chosen.UTC().Truncate(time.Microsecond) // as the store keeps it
	switch {
	case !chosen.After(now):
		return time.Time{}, cardea.Invalid("expires_at", "must be in the future")
	case !last.IsZero() && chosen.After(last):
		return time.Time{}, cardea.Invalid("expires_at", "this kind of key lives at most %s: not after %s",
			Words(kind.MaxLifetime), last.UTC().Format(time.RFC3339))
	}
	return chosen, nil
}

// defaultExpiry is the expiry of a key for which none was chosen.
func defaultExpiry(kind *contract.KeyKind, start, last time.Time) (time.Time, *cardea.Error) {
	switch {
	case kind.ExpiryRequired && !last.IsZero():
		return time.Time{}, cardea.Invalid("expires_at", "is required for this kind of key: at most %s from now", Words(kind.MaxLifetime))
	case kind.ExpiryRequired:
		return time.Time{}, cardea.Invalid("expires_at", "is required for this kind of key")
	case kind.DefaultLifetime.IsZero():
		return last, nil
	}
	return kind.DefaultLifetime.After(start), nil
}

// words returns a period as people say it: "3 months", "30 days".
func Words(p contract.Period) string {
	const day = 24 * time.Hour
	switch {
	case p.Duration == 0 && p.Months%12 == 0:
		return plural(p.Months/12, "year")
	case p.Duration == 0:
		return plural(p.Months, "month")
	case p.Months == 0 && p.Duration%day == 0:
		return plural(int(p.Duration/day), "day")
	case p.Months == 0 && p.Duration%time.Hour == 0:
		return plural(int(p.Duration/time.Hour), "hour")
	}
	return p.String()
}

func plural(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
