package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxBody bounds what is read of a form, in bytes: a contract to compare is the largest.
const maxBody = 1 << 20

// read reads a form, or answers. Members may come several times: check boxes.
func (v *Visit) read() bool {
	if v.R.Method != http.MethodPost {
		return true
	}
	if got, _, err := mime.ParseMediaType(v.R.Header.Get("Content-Type")); err != nil || got != "application/x-www-form-urlencoded" {
		v.refuse(http.StatusUnsupportedMediaType, "This request cannot be read", "It is not of the type that this page sends.")
		return false
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.W, v.R.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status = http.StatusRequestEntityTooLarge
		}
		v.refuse(status, "This request cannot be read", "It is too large, or was cut off.")
		return false
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || !isText(form) {
		v.refuse(http.StatusBadRequest, "This request cannot be read", "Go back, reload the page and try again.")
		return false
	}
	v.Form = form
	return true
}

// isText reports whether a form holds text and nothing else.
func isText(form url.Values) bool {
	for name, values := range form {
		for _, value := range values {
			if !utf8.ValidString(name) || !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
				return false
			}
		}
	}
	return true
}

// Value returns a member of the form without the space around it, "" when it is not
// there.
func (v *Visit) Value(name string) string { return strings.TrimSpace(v.Form.Get(name)) }

// Lines returns the lines of a member of the form that are not empty, without the space
// around them: addresses, redirect URIs.
func (v *Visit) Lines(name string) []string {
	lines := []string{}
	for line := range strings.Lines(v.Form.Get(name)) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
