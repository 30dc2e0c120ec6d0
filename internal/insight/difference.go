package insight

import (
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea/internal/access"
)

// A Difference is a member of an object that a change touched, for people.
type Difference struct {
	Member string

	// Before and After are the values as text, "" where there was or is none. A text is
	// itself, everything else is JSON.
	Before, After string
}

// Differences returns what an event changed, in the order of names. An event that
// changed no members, or tells something else in its detail, has none.
func (e *AuditEvent) Differences() []Difference {
	var d access.Difference
	if len(e.Detail) == 0 || json.Unmarshal(e.Detail, &d) != nil {
		return nil
	}
	names := map[string]bool{}
	for name := range d.Before {
		names[name] = true
	}
	for name := range d.After {
		names[name] = true
	}
	list := make([]Difference, 0, len(names))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		list = append(list, Difference{Member: name, Before: plain(d.Before[name]), After: plain(d.After[name])})
	}
	return list
}

// plain returns a JSON value for people.
func plain(v jsontext.Value) string {
	if v.Kind() == '"' {
		var text string
		if json.Unmarshal(v, &text) == nil {
			return text
		}
	}
	return string(v)
}
