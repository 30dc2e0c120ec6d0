package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"
)

// A table says how the objects of one noun are kept: the columns, and for each the field
// that it is read into and stored from.
type table[T any] struct {
	noun    string // what is missing when it is not found
	columns string
	head    string // SELECT up to, not including, WHERE
	insert  string
	fields  func(*T) []any               // in the order of columns
	place   func(*T) (time.Time, string) // where a list's next page goes on; nil: never paged
}

// newTable describes the table of a name.
func newTable[T any](name, noun, columns string, fields func(*T) []any) *table[T] {
	return &table[T]{
		noun: noun, columns: columns, fields: fields,
		head: "SELECT " + columns + " FROM " + name, insert: insertText(name, columns),
	}
}

// insertText returns the statement that inserts a row of the given columns.
func insertText(name, columns string) string {
	numbers := make([]string, strings.Count(columns, ",")+1)
	for i := range numbers {
		numbers[i] = "$" + strconv.Itoa(i+1)
	}
	return "INSERT INTO " + name + " (" + columns + ") VALUES (" + strings.Join(numbers, ", ") + ")"
}

// where starts a selection of whole objects with a condition that always holds.
func (t *table[T]) where(condition string, args ...any) *selection {
	return sel(t.head).add(" AND "+condition, args...)
}

// one returns the object that a selection finds, or a KindNotFound error.
func (t *table[T]) one(ctx context.Context, r Reader, s *selection) (T, error) {
	return one(ctx, r, s, t.noun, t.fields)
}

// all returns every object that a selection finds.
func (t *table[T]) all(ctx context.Context, r Reader, s *selection) ([]T, error) {
	return collect(ctx, r, s, t.fields)
}

// page returns a page of what a selection finds, newest first, and the next cursor.
func (t *table[T]) page(ctx context.Context, r Reader, s *selection, p Page) ([]T, string, error) {
	s, err := s.page(p, "created_at", "id")
	if err != nil {
		return nil, "", err
	}
	list, err := t.all(ctx, r, s)
	list, next := cut(list, p.size(), t.place)
	return list, next, err
}

// put stores a new object.
func (t *table[T]) put(ctx context.Context, tx *Tx, v *T) error {
	_, err := tx.exec(ctx, t.insert, t.fields(v)...)
	return err
}

// returning runs a statement that changes at most one row and returns the row as it is
// now; found is false when there was none to change, which needs no audit event.
func (t *table[T]) returning(ctx context.Context, tx *Tx, update string, args ...any) (v T, found bool, err error) {
	err = tx.q.QueryRowContext(ctx, update+" RETURNING "+t.columns, args...).Scan(t.fields(&v)...)
	if errors.Is(err, sql.ErrNoRows) {
		return *new(T), false, nil
	}
	tx.wrote = true
	return v, err == nil, tx.db.classify(err)
}

// consume uses an object up: the update, one statement that looks for an unused one,
// succeeds once however many try it at the same time. Whoever comes later gets the
// object as the first has left it, and first is false.
func (t *table[T]) consume(ctx context.Context, tx *Tx, hash []byte, update string, args ...any) (v T, first bool, err error) {
	v, first, err = t.returning(ctx, tx, update, args...)
	if err != nil || first {
		return v, first, err
	}
	v, err = t.one(ctx, tx.Reader, t.where("hash = ?", hash))
	return v, false, err
}
