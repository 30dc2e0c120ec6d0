package oauth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// read parses a body of a type.
func read(kind, body string, asJSON bool) (params, error) {
	r := httptest.NewRequest(http.MethodPost, "/oauth/token?grant_type=stolen&scope=all", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	return readParams(r, asJSON)
}

const formType = "application/x-www-form-urlencoded"

// TestSpaceInAForm: curl's -d sends the space of a scope as it is, libraries as "+" or
// "%20"; all three are one space (C0-17).
func TestSpaceInAForm(t *testing.T) {
	for _, scope := range []string{"entities:read entities:write", "entities:read+entities:write", "entities:read%20entities:write", "entities%3Aread%20entities%3Awrite"} {
		p, err := read(formType, "grant_type=client_credentials&scope="+scope, false)
		if err != nil || p.get("scope") != "entities:read entities:write" {
			t.Errorf("%q: %q, %v", scope, p.get("scope"), err)
		}
	}
}

// TestQueryStringIsNotRead: what is in a URL is in logs, so nothing there counts.
func TestQueryStringIsNotRead(t *testing.T) {
	p, err := read(formType, "code=x", false)
	if err != nil || p.get("grant_type") != "" || p.get("scope") != "" || p.get("code") != "x" {
		t.Errorf("parameters %v, %v", p, err)
	}
}

// TestParametersThatAreRefused: a parameter that comes twice, in whatever form, is never
// silently one of the two.
func TestParametersThatAreRefused(t *testing.T) {
	many := strings.Repeat("a=1&", 1) + strings.Repeat("resource=x&", maxParams)
	for _, c := range []struct {
		name, kind, body string
		json             bool
		want             error
	}{
		{"twice", formType, "scope=a&scope=b", false, errRepeated},
		{"twice, escaped", formType, "scope=a&%73cope=b", false, errRepeated},
		{"twice, the first empty", formType, "scope=&scope=b", false, errRepeated},
		{"twice, no values", formType, "scope&scope", false, errRepeated},
		{"broken escape", formType, "scope=%zz", false, errParameters},
		{"broken escape in a name", formType, "%=1", false, errParameters},
		{"no UTF-8", formType, "scope=%ff", false, errParameters},
		{"raw bytes that are no UTF-8", formType, "scope=\xff", false, errParameters},
		{"a zero byte", formType, "client_id=a%00b", false, errParameters},
		{"a line break", formType, "client_id=a%0ab", false, errParameters},
		{"too many", formType, many, false, errTooLarge},
		{"too large", formType, "a=" + strings.Repeat("x", maxBody), false, errTooLarge},
		{"JSON to a form", "application/json", `{"grant_type":"x"}`, false, errFormType},
		{"multipart", "multipart/form-data; boundary=x", "--x--", false, errFormType},
		{"no type", "", "a=1", false, errFormType},
		{"nonsense type", ";;", "a=1", false, errFormType},
		{"form to JSON", formType, "grant_type=x", true, errJSONType},
		{"JSON twice", "application/json", `{"a":"1","a":"2"}`, true, errParameters},
		{"JSON number", "application/json", `{"a":1}`, true, errParameters},
		{"JSON nested", "application/json", `{"a":{"b":"c"}}`, true, errParameters},
		{"JSON array", "application/json", `["a"]`, true, errParameters},
		{"JSON and more", "application/json", `{"a":"1"}{}`, true, errParameters},
		{"JSON cut", "application/json", `{"a":"1"`, true, errParameters},
		{"JSON with a zero byte", "application/json", `{"a":"\u0000"}`, true, errParameters},
		{"JSON lone surrogate", "application/json", `{"a":"\ud800"}`, true, errParameters},
		{"nothing", "application/json", ``, true, errParameters},
	} {
		if p, err := read(c.kind, c.body, c.json); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, p, err, c.want)
		}
	}
}

// TestParametersThatPass: what standards and clients do.
func TestParametersThatPass(t *testing.T) {
	for _, c := range []struct {
		name, kind, body string
		json             bool
		want             string // of the parameter a
	}{
		{"a charset", formType + "; charset=UTF-8", "a=1", false, "1"},
		{"type in capitals", "Application/X-WWW-Form-Urlencoded", "a=1", false, "1"},
		{"empty is absent", formType, "a=&b=1", false, ""},
		{"no value", formType, "a&b=1", false, ""},
		{"unknown ones", formType, "zzz=1&a=1&&", false, "1"},
		{"an equals sign", formType, "a=b=c", false, "b=c"},
		{"UTF-8", formType, "a=%C3%A4", false, "ä"},
		{"a body without parameters", formType, "", false, ""},
		{"JSON", "application/json", `{"a": "1"}`, true, "1"},
		{"JSON with a charset", "application/json; charset=utf-8", `{"a": "1"}`, true, "1"},
		{"JSON null", "application/json", `{"a": null}`, true, ""},
		{"JSON other case", "application/json", `{"A": "1"}`, true, ""},
		{"no JSON members", "application/json", `{}`, true, ""},
	} {
		p, err := read(c.kind, c.body, c.json)
		if err != nil || p.get("a") != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, p.get("a"), err, c.want)
		}
	}
	p, err := read(formType, "resource=a&resource=b", false)
	if err != nil || len(p.all("resource")) != 2 {
		t.Errorf("resource may come more than once: %v, %v", p, err)
	}
}

// FuzzForm: parsing never panics, and whatever passes reads as url.ParseQuery reads it,
// each name once.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"a=1&b=2", "scope=a b+c%20d", "a=%", "a&b&=", "%61=1&a=2", "a=1;b=2", "\x00=\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p, err := parseForm(body)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, one := range p.list {
			if seen[one.name] && !repeatable(one.name) {
				t.Fatalf("%q twice", one.name)
			}
			seen[one.name] = true
			if !utf8.ValidString(one.name+one.value) || strings.ContainsAny(one.name+one.value, "\x00\r\n") {
				t.Fatalf("control characters in %q", one)
			}
		}
		if strings.Contains(body, ";") {
			return // the standard library refuses these, which are plain characters
		}
		values, err := url.ParseQuery(body)
		if err != nil {
			t.Fatalf("passed, and url.ParseQuery says %v", err)
		}
		for name := range values {
			if got := p.get(name); got != values.Get(name) {
				t.Fatalf("%q is %q, url.ParseQuery has %q", name, got, values.Get(name))
			}
		}
	})
}

// FuzzJSONParameters: parsing never panics, and every member is a text that came once.
func FuzzJSONParameters(f *testing.F) {
	for _, seed := range []string{`{"grant_type":"x"}`, `{"a":null,"b":""}`, `{"a":1}`, `{"a":"\ud83d\ude00"}`, `[]`, `{"a":"1","\u0061":"2"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := parseJSON(body)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, one := range p.list {
			if seen[one.name] {
				t.Fatalf("%q twice", one.name)
			}
			seen[one.name] = true
		}
	})
}
