package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
)

// MaxLimit is the most items of a page.
const MaxLimit = 200

// More sizes of a page.
const (
	defaultLimit = 50
	maxCursor    = 1200 // bytes: a name of 100 characters is in some
)

// A Page asks for one page of a list.
type Page struct {
	// Cursor continues a list where [List.Next] of the previous page said; "" starts
	// at the beginning. It belongs to the list and the filter it came from.
	Cursor string `json:"cursor,omitzero"`

	// Limit is the most items to return, 1 to 200; 0 means 50.
	Limit int `json:"limit,omitzero"`
}

// A List is one page of a list.
type List[T any] struct {
	Items []T `json:"items"`

	// Next is the cursor of the next page, "" on the last one.
	Next string `json:"next,omitzero"`
}

// size returns the number of items to ask for.
func (p Page) size() (int, *cardea.Error) {
	switch {
	case p.Limit < 0 || p.Limit > MaxLimit:
		return 0, cardea.Invalid("limit", "must be from 1 to %d", MaxLimit)
	case p.Limit == 0:
		return defaultLimit, nil
	}
	return p.Limit, nil
}

// A cursor is "<check><position>" in base64url. The check binds a position to its
// list and filter, so that a cursor altered or used elsewhere is refused instead of
// silently continuing at the wrong place. It is no signature and needs none: a position
// only ever becomes a parameter of a query whose filter the caller chose anyway.
const cursorCheck = 8

// cursorSum returns the check of a position in the list that scope names.
func cursorSum(scope []string, position string) []byte {
	h := sha256.New()
	for _, part := range append([]string{"cardea/cursor/v1", position}, scope...) {
		var size [8]byte // a length before each part: no two tuples hash alike
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write([]byte(part))
	}
	return h.Sum(nil)[:cursorCheck]
}

// encodeCursor returns the cursor of a position, "" for none.
func encodeCursor(position string, scope ...string) string {
	if position == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(cursorSum(scope, position), position...))
}

// decodeCursor returns the position a cursor stands for.
func decodeCursor(cursor string, scope ...string) (string, *cardea.Error) {
	if cursor == "" {
		return "", nil
	}
	invalid := cardea.Invalid("cursor", "is not a cursor of this list with this filter")
	if len(cursor) > maxCursor || strings.ContainsAny(cursor, "\r\n") {
		return "", invalid
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) <= cursorCheck {
		return "", invalid
	}
	position := string(raw[cursorCheck:])
	if subtle.ConstantTimeCompare(raw[:cursorCheck], cursorSum(scope, position)) != 1 {
		return "", invalid
	}
	return position, nil
}

// Paged reads one page of a list and turns its rows into views; scope names the list and
// its filter, to which cursors belong. The errors are those of read, and of kind Invalid
// for a cursor of another list and a limit out of bounds.
func Paged[Row, View any](in Page, scope []string, read func(store.Page) ([]Row, string, error), view func(Row) View) (List[View], error) {
	size, invalid := in.size()
	if invalid != nil {
		return List[View]{}, invalid
	}
	after, invalid := decodeCursor(in.Cursor, scope...)
	if invalid != nil {
		return List[View]{}, invalid
	}
	rows, next, err := read(store.Page{After: after, Limit: size})
	if err != nil {
		return List[View]{}, err
	}
	out := List[View]{Items: make([]View, len(rows)), Next: encodeCursor(next, scope...)}
	for i, row := range rows {
		out.Items[i] = view(row)
	}
	return out, nil
}

// None is the input or output of a use case that has none.
type None struct{}

// An ID names the object a use case is about.
type ID struct {
	ID string `json:"id"`
}
