package admin

import (
	"encoding/json"
	"net/http"
	"strings"
)

// An Error is an answer of the API that is not a success: problem details as in RFC
// 9457. Get it with [errors.As].
type Error struct {
	// Status is the HTTP status: 400 for a bad input, 401 for a bad token, 403, 404,
	// 409, 413, 415, 429, 503 when trying again later may help, 507 when the server has
	// no room left to write.
	Status int `json:"status"`

	// Type names the sort of problem: "urn:cardea:problem:not_found".
	Type string `json:"type"`

	Title  string `json:"title"`
	Detail string `json:"detail"`

	// Errors says what is wrong with which member of the input.
	Errors []FieldError `json:"errors"`

	// RequestID finds the request in the server's log.
	RequestID string `json:"request_id"`
}

// A FieldError says what is wrong with one member of the input.
type FieldError struct {
	Field  string `json:"field"` // "name", "addresses[3]", "limits.per_day"
	Detail string `json:"detail"`
}

// Error returns one line that says what is wrong.
func (e *Error) Error() string {
	if len(e.Errors) > 0 {
		parts := make([]string, len(e.Errors))
		for i, f := range e.Errors {
			parts[i] = f.Field + ": " + f.Detail
		}
		return strings.Join(parts, "; ")
	}
	if e.Detail != "" {
		return e.Detail
	}
	if e.Title != "" {
		return e.Title
	}
	return http.StatusText(e.Status)
}

// errorOf reads the error of an answer. One whose body is no problem document, as from a
// proxy in between, keeps its status.
func errorOf(status int, body []byte) *Error {
	e := &Error{}
	if json.Unmarshal(body, e) != nil || e.Title == "" {
		e = &Error{Title: http.StatusText(status)}
	}
	e.Status = status
	return e
}
