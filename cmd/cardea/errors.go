package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/cardea-dev/cardea/admin"
)

// The exit codes; the package comment says what they mean.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitUnknown = 4
)

// A codedError is an error with an exit code of its own.
type codedError struct {
	code int
	err  error // nil: everything has been said already
}

// Error returns the error's text, "" when everything has been said.
func (e *codedError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// Unwrap returns the error.
func (e *codedError) Unwrap() error { return e.err }

// usagef returns an error about how the program was called.
func usagef(format string, args ...any) error {
	return &codedError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// errSaid ends the program with exit code 1 and no further words.
var errSaid = &codedError{code: exitFailed}

// exitCode returns the exit code for what a command returned.
func exitCode(err error) int {
	var coded *codedError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &coded):
		return coded.code
	}
	switch status(err) {
	case http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden:
		return exitUnknown
	}
	return exitFailed
}

// status returns the HTTP status that the management API refused with, 0 when err is
// about something else.
func status(err error) int {
	var refused *admin.Error
	if errors.As(err, &refused) {
		return refused.Status
	}
	return 0
}

// notFoundf returns an error about something that is not there.
func notFoundf(format string, args ...any) error {
	return &codedError{code: exitUnknown, err: fmt.Errorf(format, args...)}
}
