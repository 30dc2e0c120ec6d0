package access

import (
	"strings"
	"testing"
)

func FuzzCursor(f *testing.F) {
	f.Add("eyJ", "keys", "org_1")
	f.Add(encodeCursor("position", "keys", "org_1"), "keys", "org_1")
	f.Add("", "a", "b")
	f.Fuzz(func(t *testing.T, cursor, list, filter string) {
		position, err := decodeCursor(cursor, list, filter)
		if err == nil && cursor != "" && encodeCursor(position, list, filter) != cursor {
			t.Errorf("a cursor has two spellings")
		}
		back, err := decodeCursor(encodeCursor(cursor, list, filter), list, filter)
		if len(cursor) < 200 && (err != nil || back != cursor) {
			t.Errorf("a position does not come back")
		}
	})
}

func TestCursorsBelongToTheirListAndFilter(t *testing.T) {
	cursor := encodeCursor("position", "keys", "org_1")
	for name, c := range map[string]struct {
		cursor string
		scope  []string
	}{
		"another filter":          {cursor, []string{"keys", "org_2"}},
		"another list":            {cursor, []string{"members", "org_1"}},
		"parts moved":             {cursor, []string{"keysorg_1"}},
		"cut":                     {cursor[:len(cursor)-1], []string{"keys", "org_1"}},
		"another first character": {"B" + cursor[1:], []string{"keys", "org_1"}},
		"garbage":                 {"!!!", []string{"keys", "org_1"}},
		"line break":              {cursor + "\n", []string{"keys", "org_1"}},
		"long":                    {strings.Repeat("A", 1000), []string{"keys", "org_1"}},
	} {
		if _, err := decodeCursor(c.cursor, c.scope...); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
