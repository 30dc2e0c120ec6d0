package store

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cardea-dev/cardea"
)

// Sizes of a page.
const (
	defaultPage = 50
	maxPage     = 500
	maxCursor   = 600 // bytes: a name of 100 characters is in some
)

// A Page says which part of a list is wanted. Lists are newest first and stable:
// what is created while somebody pages does not move what they have yet to see.
type Page struct {
	// After is the cursor that the previous page returned, "" for the first page.
	// It is opaque and never trusted: a damaged one is a KindInvalid error.
	After string

	// Limit is how many items to return; 0 means 50, and 500 is the most.
	Limit int
}

func (p Page) size() int {
	switch {
	case p.Limit <= 0:
		return defaultPage
	case p.Limit > maxPage:
		return maxPage
	}
	return p.Limit
}

// A cursor is the place of the last item of a page: its time and its id.
type cursor struct {
	at int64 // microseconds
	id string
}

// newest is the cursor before the first item.
var newest = cursor{at: 1<<63 - 1}

func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(c.at, 36) + "." + c.id))
}

// cursor parses the page's After.
func (p Page) cursor() (cursor, error) {
	if p.After == "" {
		return newest, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.After)
	if err != nil || len(raw) > maxCursor {
		return cursor{}, cardea.Invalid("after", "the page cursor is not one that Cardea gave out")
	}
	head, id, ok := strings.Cut(string(raw), ".")
	at, err := strconv.ParseInt(head, 36, 64)
	if !ok || err != nil || strings.ContainsRune(id, 0) || !utf8.ValidString(id) {
		return cursor{}, cardea.Invalid("after", "the page cursor is not one that Cardea gave out")
	}
	return cursor{at, id}, nil
}

// cut trims a list that was read with one item too many, and returns the cursor of
// the next page, "" when there is none.
func cut[T any](items []T, size int, place func(*T) (time.Time, string)) ([]T, string) {
	if len(items) <= size {
		return items, ""
	}
	items = items[:size]
	at, id := place(&items[size-1])
	return items, cursor{at.UnixMicro(), id}.String()
}

// A selection builds a SELECT with optional conditions. Placeholders are numbered as
// they are added, so they come in order of first appearance by construction.
type selection struct {
	text strings.Builder
	args []any
}

// sel starts a selection with everything up to, not including, WHERE.
func sel(head string) *selection {
	s := &selection{}
	s.text.WriteString(head)
	s.text.WriteString(" WHERE 1 = 1")
	return s
}

// and adds a condition in which each "?" stands for the next of args. When the first
// of args is an empty string the condition is left out: the filter is not set.
func (s *selection) and(condition string, args ...any) *selection {
	if len(args) > 0 && args[0] == "" {
		return s
	}
	s.text.WriteString(" AND ")
	s.add(condition, args...)
	return s
}

// in adds the condition that a column is one of a list of ids, which is not empty.
func (s *selection) in(column string, ids []string) *selection {
	s.add(" AND "+column+" IN (?", ids[0])
	for _, id := range ids[1:] {
		s.add(", ?", id)
	}
	return s.add(")")
}

// since and until bound a column of times; a zero time is no bound.
func (s *selection) between(column string, since, until time.Time) *selection {
	if !since.IsZero() {
		s.and(column+" >= ?", since.UnixMicro())
	}
	if !until.IsZero() {
		s.and(column+" < ?", until.UnixMicro())
	}
	return s
}

// add appends a piece of text in which each "?" stands for the next of args.
func (s *selection) add(piece string, args ...any) *selection {
	for _, arg := range args {
		before, after, _ := strings.Cut(piece, "?")
		s.args = append(s.args, arg)
		s.text.WriteString(before + "$" + strconv.Itoa(len(s.args)))
		piece = after
	}
	s.text.WriteString(piece)
	return s
}

// page adds the keyset condition, the order and the limit, one item more than the
// page so that cut can tell whether there is another.
func (s *selection) page(p Page, atColumn, idColumn string) (*selection, error) {
	c, err := p.cursor()
	if err != nil {
		return nil, err
	}
	s.and("("+atColumn+", "+idColumn+") < (?, ?)", c.at, c.id)
	s.add(" ORDER BY "+atColumn+" DESC, "+idColumn+" DESC LIMIT ?", p.size()+1)
	return s, nil
}

// fold returns the form of names that searches compare: lower case by Unicode's
// simple mapping. The engines disagree on what lower case is, so Go does it.
func fold(names ...string) string { return strings.ToLower(strings.Join(names, "\n")) }

// contains returns the LIKE pattern, escaped with "!", of texts that contain part;
// "" when part is empty.
func contains(part string) string {
	if part == "" {
		return ""
	}
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(fold(part)) + "%"
}
