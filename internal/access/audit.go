package access

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea/internal/store"
)

// A Difference is the detail of an audit event: the members that a change touched, as
// they were and as they are. It is made from views, which never hold a secret.
type Difference struct {
	Before map[string]jsontext.Value `json:"before,omitzero"`
	After  map[string]jsontext.Value `json:"after,omitzero"`
}

// Diff compares two views of an object; nil stands for one that does not exist. The
// time of the change is in the event, so updated_at is left out.
func Diff(before, after any) Difference {
	b, a := members(before), members(after)
	for name := range b {
		if name == "updated_at" || bytes.Equal(b[name], a[name]) {
			delete(b, name)
			delete(a, name)
		}
	}
	delete(a, "updated_at")
	return Difference{Before: b, After: a}
}

// Empty reports whether nothing differs.
func (d Difference) Empty() bool { return len(d.Before) == 0 && len(d.After) == 0 }

// members returns a view's JSON members.
func members(view any) map[string]jsontext.Value {
	if view == nil {
		return nil
	}
	text, err := json.Marshal(view, json.Deterministic(true))
	if err != nil {
		panic("access: a view is no JSON: " + err.Error()) // views are our own structs
	}
	m := map[string]jsontext.Value{}
	if err := json.Unmarshal(text, &m); err != nil {
		panic("access: a view is no JSON object: " + err.Error())
	}
	return m
}

// Audit records a change of an object, from before to after.
func Audit(tx *store.Tx, action, targetType, targetID, organization string, before, after any) {
	Record(tx, action, targetType, targetID, organization, Diff(before, after))
}

// Record records an event with a detail of its own.
func Record(tx *store.Tx, action, targetType, targetID, organization string, detail any) {
	tx.Audit(store.Event{
		Action: action, TargetType: targetType, TargetID: targetID, Organization: organization, Detail: detail,
	})
}
