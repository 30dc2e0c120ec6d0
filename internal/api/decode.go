package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
)

// Bounds of a request body: bytes, and nesting, of which no input has more than three
// levels.
const (
	maxBody  = 1 << 20
	maxDepth = 16
)

// decode fills in from a request: the members named by the path's wildcards from the
// path, the others from the query when the method is GET, else from the JSON body. A
// member the input does not have, a member twice, another case, a second value: all
// are refused.
func decode(w http.ResponseWriter, r *http.Request, wildcards []string, in any) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		if err := decodeQuery(r, wildcards, in); err != nil {
			return err
		}
	} else if err := decodeBody(w, r, wildcards, in); err != nil {
		return err
	}
	return decodePath(r, wildcards, in)
}

// decodePath fills the members that the path names. It comes last and wins.
func decodePath(r *http.Request, wildcards []string, in any) error {
	values := map[string]string{}
	for _, name := range wildcards {
		values[name] = r.PathValue(name)
	}
	return decodeStrings(values, in)
}

// decodeQuery fills members from the query parameters.
func decodeQuery(r *http.Request, wildcards []string, in any) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return cardea.Errorf(cardea.KindInvalid, "the query is not well-formed")
	}
	values := map[string]string{}
	for name, all := range query {
		if len(all) != 1 {
			return cardea.Errorf(cardea.KindInvalid, "a query parameter is given more than once")
		}
		if slices.Contains(wildcards, name) {
			return unknownMember(in)
		}
		values[name] = all[0]
	}
	return decodeStrings(values, in)
}

// decodeStrings fills members from texts; numbers are written as texts there.
func decodeStrings(values map[string]string, in any) error {
	if len(values) == 0 {
		return nil
	}
	text, err := json.Marshal(values)
	if err != nil {
		return cardea.Errorf(cardea.KindInvalid, "the path and query must be valid UTF-8")
	}
	return decodeError(in, json.Unmarshal(text, in, json.RejectUnknownMembers(true), json.StringifyNumbers(true)))
}

// decodeBody fills members from the JSON body. No body at all counts as {}: the
// actions that need no input are then one curl without -d.
func decodeBody(w http.ResponseWriter, r *http.Request, wildcards []string, in any) error {
	if r.URL.RawQuery != "" {
		return cardea.Errorf(cardea.KindInvalid, "this operation has no query parameters")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &transportError{status: http.StatusRequestEntityTooLarge, name: "too_large",
			detail: "the body has more than 1 MiB"}
	case err != nil:
		return cardea.Errorf(cardea.KindInvalid, "the body could not be read")
	}
	// The listener's patience is for the body alone: a deadline that is left would end
	// an operation that takes longer.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	if len(body) == 0 {
		return nil
	}
	if !isJSON(r.Header) {
		return &transportError{status: http.StatusUnsupportedMediaType, name: "unsupported_media_type",
			detail: "send the body as Content-Type: application/json, not compressed"}
	}
	if err := checkShape(body, wildcards, in); err != nil {
		return err
	}
	return decodeError(in, json.Unmarshal(body, in, json.RejectUnknownMembers(true)))
}

// isJSON reports whether the body is declared as plain JSON.
func isJSON(header http.Header) bool {
	if len(header.Values("Content-Type")) != 1 || header.Get("Content-Encoding") != "" {
		return false
	}
	media, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	charset, given := params["charset"]
	return err == nil && media == "application/json" && (!given || strings.EqualFold(charset, "utf-8"))
}

// checkShape walks the body once before anything is filled: it must be one object,
// not nested too deep, without nulls, whose members leave the path's alone. The walk also
// finds members given twice, at any depth.
//
// A null would count as an absent member, and whoever wrote it meant something else, most
// likely to remove a value.
func checkShape(body []byte, wildcards []string, in any) error {
	if jsontext.Value(body).Kind() != '{' {
		return cardea.Errorf(cardea.KindInvalid, "the body must be a JSON object")
	}
	d := jsontext.NewDecoder(strings.NewReader(string(body)))
	for {
		token, err := d.ReadToken()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return decodeError(in, err)
		}
		switch {
		case d.StackDepth() > maxDepth:
			return cardea.Errorf(cardea.KindInvalid, "the body is nested more than %d levels deep", maxDepth)
		case token.Kind() == 'n':
			return cardea.Errorf(cardea.KindInvalid, "no member may be null: leave out what has no value")
		}
		if kind, n := d.StackIndex(d.StackDepth()); d.StackDepth() == 1 && kind == '{' && n%2 == 1 &&
			slices.Contains(wildcards, token.String()) {
			return unknownMember(in)
		}
	}
}

// decodeError translates an error of the JSON packages, whose texts quote input.
func decodeError(in any, err error) error {
	if err == nil {
		return nil
	}
	var semantic *json.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return cardea.Errorf(cardea.KindInvalid, "a member of the body is given twice")
	case errors.Is(err, json.ErrUnknownName):
		return unknownMember(in)
	case errors.As(err, &semantic):
		return cardea.Invalid(fieldName(semantic.JSONPointer), "must be %s", wanted(semantic.GoType))
	}
	return cardea.Errorf(cardea.KindInvalid, "the body is not well-formed JSON in UTF-8")
}

// unknownMember names the members an input has instead of quoting the one it has not.
func unknownMember(in any) error {
	names := memberNames(reflect.TypeOf(in).Elem())
	if len(names) == 0 {
		return cardea.Errorf(cardea.KindInvalid, "this operation takes no input")
	}
	return cardea.Errorf(cardea.KindInvalid,
		"the request has a member that this operation does not know; it knows %s", strings.Join(names, ", "))
}

// memberNames returns the JSON names of a struct's fields, embedded ones included.
func memberNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			names = append(names, memberNames(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// fieldName turns a JSON pointer (RFC 6901) into the form use cases name fields in:
// "addresses[3]", "limits.per_day". Only names of known members get here.
func fieldName(pointer jsontext.Pointer) string {
	var b strings.Builder
	for token := range pointer.Tokens() {
		switch {
		case strings.Trim(token, "0123456789") == "":
			b.WriteString("[" + token + "]")
		case b.Len() > 0:
			b.WriteString("." + token)
		default:
			b.WriteString(token)
		}
	}
	return b.String()
}

// wanted says what a Go type is called in JSON.
func wanted(t reflect.Type) string {
	if t == nil {
		return "of another type"
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[manage.Limits]():
		return "an object with per_minute, burst and per_day; 0 is no limit"
	case t == reflect.TypeFor[time.Time]():
		return "a time in RFC 3339 form, such as 2026-11-22T10:00:00Z"
	case t.Kind() == reflect.String:
		return "a string"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "an array"
	case t.Kind() == reflect.Struct:
		return "an object"
	}
	return "a whole number in range"
}
