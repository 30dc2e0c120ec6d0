package oauth

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of a request's parameters.
const (
	maxBody   = 64 << 10
	maxParams = 100
)

// params are the parameters of a request, each at most once but for those of
// repeatable. The zero value has none.
type params struct{ list []param }

type param struct{ name, value string }

// get returns a parameter, "" when it is absent or empty, which is the same: RFC 6749
// §3.2. Of a repeatable one it returns the first.
func (p params) get(name string) string {
	for i := range p.list {
		if p.list[i].name == name {
			return p.list[i].value
		}
	}
	return ""
}

// all returns every value of a repeatable parameter.
func (p params) all(name string) []string {
	var out []string
	for i := range p.list {
		if p.list[i].name == name {
			out = append(out, p.list[i].value)
		}
	}
	return out
}

// repeatable says which parameters may come more than once: RFC 8707 §2, RFC 8693 §2.1.
func repeatable(name string) bool { return name == "resource" || name == "audience" }

// Errors of parameters.
var (
	errParameters = refuse(codeInvalidRequest, "the parameters are not well formed")
	errRepeated   = refuse(codeInvalidRequest, "a parameter is repeated")
	errTooLarge   = &Error{Code: codeInvalidRequest, Description: "the request is too large", status: http.StatusRequestEntityTooLarge}
	errFormType   = refuse(codeInvalidRequest, "the content type must be application/x-www-form-urlencoded")
	errJSONType   = refuse(codeInvalidRequest, "the content type must be application/json")
)

// readParams reads the body once, as a form or as a JSON object of texts. The query
// string is never looked at: what is in a URL is in logs and histories (RFC 6749 §2.3.1).
func readParams(hr *http.Request, asJSON bool) (params, error) {
	want, wrong := "application/x-www-form-urlencoded", errFormType
	if asJSON {
		want, wrong = "application/json", errJSONType
	}
	kinds := hr.Header["Content-Type"]
	if len(kinds) != 1 {
		return params{}, wrong
	}
	if kind, _, err := mime.ParseMediaType(kinds[0]); err != nil || kind != want {
		return params{}, wrong
	}
	body, err := io.ReadAll(io.LimitReader(hr.Body, maxBody+1))
	if err != nil {
		return params{}, errParameters // the client went away, or framed it badly
	}
	if len(body) > maxBody {
		return params{}, errTooLarge
	}
	if asJSON {
		return parseJSON(body)
	}
	return parseForm(string(body))
}

// parseForm parses application/x-www-form-urlencoded parameters. Curl's -d sends a space
// of a scope as it is; that means a space, like "+" and "%20".
func parseForm(text string) (params, error) {
	var p params
	for text != "" {
		var pair string
		pair, text, _ = strings.Cut(text, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := unescape(name)
		if err != nil {
			return params{}, errParameters
		}
		if value, err = unescape(value); err != nil {
			return params{}, errParameters
		}
		if err := p.add(name, value); err != nil {
			return params{}, err
		}
	}
	return p, nil
}

var errEscape = errors.New("not well formed")

// unescape decodes one part of a form, which must be UTF-8 (RFC 6749 appendix B) and
// printable: no parameter has a use for control characters.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '%') >= 0 || strings.IndexByte(s, '+') >= 0 {
		var err error
		if s, err = url.QueryUnescape(s); err != nil {
			return "", errEscape
		}
	}
	return s, checkText(s)
}

// checkText refuses what is not UTF-8 and control characters.
func checkText(s string) error {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return errEscape
		}
	}
	if !utf8.ValidString(s) {
		return errEscape
	}
	return nil
}

// add adds a parameter unless it is there already. An empty one counts as absent but
// may not be repeated either.
func (p *params) add(name, value string) error {
	if len(p.list) >= maxParams {
		return errTooLarge
	}
	if !repeatable(name) {
		for i := range p.list {
			if p.list[i].name == name {
				return errRepeated
			}
		}
	}
	p.list = append(p.list, param{name, value})
	return nil
}

// parseJSON parses a JSON object whose members are texts. A null counts as absent, and
// names are compared exactly: "Scope" is not "scope".
func parseJSON(body []byte) (params, error) {
	var p params
	d := jsontext.NewDecoder(bytes.NewReader(body)) // refuses names that repeat and bad UTF-8
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return params{}, errParameters
	}
	for {
		t, err := d.ReadToken()
		if err != nil {
			return params{}, errParameters
		}
		if t.Kind() == '}' {
			break
		}
		name := t.String()
		value, err := d.ReadToken()
		if err != nil || value.Kind() != '"' && value.Kind() != 'n' || checkText(name) != nil {
			return params{}, errParameters
		}
		text := ""
		if value.Kind() == '"' {
			text = value.String()
		}
		if checkText(text) != nil {
			return params{}, errParameters
		}
		if err := p.add(name, text); err != nil {
			return params{}, err
		}
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return params{}, errParameters
	}
	return p, nil
}
