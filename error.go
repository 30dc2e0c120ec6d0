package cardea

import (
	"errors"
	"fmt"
)

// Kind classifies an [Error]; doors turn it into a status or an exit code.
type Kind uint8

// The kinds of error.
const (
	KindInternal     Kind = iota // anything unclassified: 500, no text
	KindInvalid                  // the request is wrong: 400
	KindUnauthorized             // the caller is unknown: 401
	KindForbidden                // the caller may not: 403
	KindNotFound                 // no such object: 404
	KindConflict                 // the object's state forbids it: 409
	KindUnavailable              // try again later: 503
	KindStorageFull              // no room left to write: 507
)

// Error is a failure with a text for the caller and a cause for the log. Its text
// never quotes input.
type Error struct {
	Kind Kind

	// Public is what the caller may read; "" for KindInternal.
	Public string

	// Field names the member of the input at fault, or "".
	Field string

	// Cause is for the log; it may be nil.
	Cause error
}

// Error returns the text for the log: public text and cause.
func (e *Error) Error() string {
	switch {
	case e.Cause == nil:
		return e.Public
	case e.Public == "":
		return e.Cause.Error()
	}
	return e.Public + ": " + e.Cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf returns an Error of the given kind whose public text is formatted from
// constants and names of the program's own, never from input.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Public: fmt.Sprintf(format, args...)}
}

// Invalid returns a KindInvalid error about one member of the input.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Field: field, Public: fmt.Sprintf(format, args...)}
}

// KindOf returns the kind of the first [Error] in err's chain, KindInternal when there
// is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindInternal
}
