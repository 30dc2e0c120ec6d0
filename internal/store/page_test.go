package store

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/cardea-dev/cardea"
)

// A cursor comes from outside: whatever it is, it is refused or read as exactly what
// Cardea would have written.
func FuzzCursor(f *testing.F) {
	for _, c := range []cursor{newest, {0, ""}, {-1, "key_1"}, {1763821800123456, "key_0123456789ABCDEFGHIJKL"}} {
		f.Add(c.String())
	}
	f.Add("not a cursor")
	f.Add("MS5h\x00")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Page{After: text}.cursor()
		switch {
		case err != nil && cardea.KindOf(err) != cardea.KindInvalid:
			t.Errorf("%q: error %v is not of the caller's making", text, err)
		case err != nil || text == "":
		case strings.ContainsRune(c.id, 0), !utf8.ValidString(c.id):
			t.Errorf("%q has an id that PostgreSQL cannot compare with: %q", text, c.id)
		default:
			again, err := Page{After: c.String()}.cursor()
			if err != nil || again != c {
				t.Errorf("%q is read as %v and then as %v, %v", text, c, again, err)
			}
		}
	})
}

func TestPageSizesAreBounded(t *testing.T) {
	for limit, want := range map[int]int{-1: 50, 0: 50, 1: 1, 500: 500, 501: 500, 1 << 40: 500} {
		if got := (Page{Limit: limit}).size(); got != want {
			t.Errorf("limit %d gives pages of %d, want %d", limit, got, want)
		}
	}
}

func TestDaysAreCountedInUTCAndDownwards(t *testing.T) {
	for text, want := range map[string]int64{
		"1970-01-01": 0, "1970-01-02": 1, "1969-12-31": -1, "2026-11-22": 20779,
	} {
		var year, month, day int
		for i, part := range strings.Split(text, "-") {
			n := 0
			for _, c := range part {
				n = n*10 + int(c-'0')
			}
			*[]*int{&year, &month, &day}[i] = n
		}
		start := date(year, month, day)
		if got, late := Day(start), Day(start.Add(86399e9)); got != want || late != want {
			t.Errorf("%s is day %d until %d, want %d", text, got, late, want)
		}
	}
}
