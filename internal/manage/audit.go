package manage

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea/internal/store"
)

// A difference is the detail of an audit event: the members that a change touched, as
// they were and as they are. It is made from views, which never hold a secret.
type difference struct {
	Before map[string]jsontext.Value `json:"before,omitzero"`
	After  map[string]jsontext.Value `json:"after,omitzero"`
}

// diff compares two views of an object; nil stands for one that does not exist. The
// time of the change is in the event, so updated_at is left out.
func diff(before, after any) difference {
	b, a := members(before), members(after)
	for name := range b {
		if name == "updated_at" || bytes.Equal(b[name], a[name]) {
			delete(b, name)
			delete(a, name)
		}
	}
	delete(a, "updated_at")
	return difference{Before: b, After: a}
}

// empty reports whether nothing differs.
func (d difference) empty() bool { return len(d.Before) == 0 && len(d.After) == 0 }

// members returns a view's JSON members.
func members(view any) map[string]jsontext.Value {
	if view == nil {
		return nil
	}
	text, err := json.Marshal(view, json.Deterministic(true))
	if err != nil {
		panic("manage: a view is no JSON: " + err.Error()) // views are our own structs
	}
	m := map[string]jsontext.Value{}
	if err := json.Unmarshal(text, &m); err != nil {
		panic("manage: a view is no JSON object: " + err.Error())
	}
	return m
}

// audit records a change of an object, from before to after.
func audit(tx *store.Tx, action, targetType, targetID, organization string, before, after any) {
	record(tx, action, targetType, targetID, organization, diff(before, after))
}

// record records an event with a detail of its own.
func record(tx *store.Tx, action, targetType, targetID, organization string, detail any) {
	tx.Audit(store.Event{
		Action: action, TargetType: targetType, TargetID: targetID, Organization: organization, Detail: detail,
	})
}
