package activity

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea/internal/insight"
)

// A difference is what a change did to one member of a thing, for people.
type difference struct{ Name, Before, After string }

// told are members that the event says already, or that say nothing to people.
var told = map[string]bool{"id": true, "organization": true, "created_at": true, "created_by": true, "updated_at": true, "seq": true}

// memberWords are members whose names are not their words.
var memberWords = map[string]string{
	"addresses": "IP addresses", "redirect_uris": "redirect URIs", "url": "address", "jwks_url": "JWKS address", "hint": "secret ends with",
	"ip_list": "IP list", "dpop_required": "DPoP required",
}

// differences returns what an event changed. made reports that there was nothing before:
// of what is new, only what is not empty is told.
func differences(e *insight.AuditEvent) (list []difference, made bool) {
	all := e.Differences()
	made = len(all) > 0
	for _, d := range all {
		made = made && d.Before == ""
	}
	made = made && strings.HasSuffix(e.Action, ".create")
	for _, d := range all {
		before, after := value(d.Before), value(d.After)
		if told[d.Member] || made && (after == "" || after == "no") || before == after {
			continue
		}
		name := memberWords[d.Member]
		if name == "" {
			name = strings.ReplaceAll(d.Member, "_", " ")
		}
		list = append(list, difference{Name: capital(name), Before: before, After: after})
	}
	return list, made
}

// value returns a value as people read it: lists with commas, times without a T.
func value(text string) string {
	switch text {
	case "true":
		return "yes"
	case "false":
		return "no"
	case "null", "[]", "{}":
		return ""
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at.UTC().Format("2 Jan 2006, 15:04:05 UTC")
	}
	var items []string
	if strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &items) == nil {
		return strings.Join(items, ", ")
	}
	var members map[string]any
	if strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &members) == nil {
		return object(members)
	}
	return text
}

// object returns the members of an object as people read them.
func object(members map[string]any) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		text, err := json.Marshal(members[name])
		if err != nil {
			continue // what was read can be written
		}
		parts = append(parts, strings.ReplaceAll(name, "_", " ")+" "+value(strings.Trim(string(text), `"`)))
	}
	return strings.Join(parts, ", ")
}
