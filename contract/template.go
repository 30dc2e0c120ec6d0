package contract

import (
	"encoding/json"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A template is a JSON body with holes. Rendering it is appending bytes: everything
// but the variables' values was encoded when the contract was loaded.
type template []part

// A part is literal JSON, or a variable.
type part struct {
	literal  string // encoded JSON; used when variable is ""
	variable string // without the dollar sign

	// alone: the variable is a whole value of the document, so that its value decides
	// the JSON type. Otherwise it stands inside a JSON string.
	alone bool
}

// A templateBuilder encodes a YAML tree as a template.
type templateBuilder struct {
	r     *reporter
	known []string // the variables that may be used
	parts template
	text  strings.Builder
}

// compileTemplate turns a piece of the contract into a template. Members keep the
// order of the file. Unknown variables and values JSON does not have are reported.
func compileTemplate(r *reporter, n *yaml.Node, known []string) template {
	b := &templateBuilder{r: r, known: known}
	b.node(n)
	b.flush()
	return b.parts
}

// compileText turns one line of text into the inside of a JSON string.
func compileText(r *reporter, at pos, s string, known []string) template {
	b := &templateBuilder{r: r, known: known}
	b.inside(at, s)
	b.flush()
	return b.parts
}

// flush ends the current piece of literal JSON.
func (b *templateBuilder) flush() {
	if b.text.Len() > 0 {
		b.parts = append(b.parts, part{literal: b.text.String()})
		b.text.Reset()
	}
}

// node encodes a tree. Aliases are nothing here: the inspector has refused them.
func (b *templateBuilder) node(n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		b.text.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b.text.WriteByte(',')
			}
			b.text.WriteString(jsonString(n.Content[i].Value))
			b.text.WriteByte(':')
			b.node(n.Content[i+1])
		}
		b.text.WriteByte('}')
	case yaml.SequenceNode:
		b.text.WriteByte('[')
		for i, child := range n.Content {
			if i > 0 {
				b.text.WriteByte(',')
			}
			b.node(child)
		}
		b.text.WriteByte(']')
	case yaml.ScalarNode:
		b.scalar(n)
	}
}

// scalar encodes a value with the type YAML gives it, so that 30 stays a number and
// "30" a string.
func (b *templateBuilder) scalar(n *yaml.Node) {
	switch n.Tag {
	case "!!null":
		b.text.WriteString("null")
	case "!!bool":
		b.text.WriteString(strings.ToLower(n.Value))
	case "!!int", "!!float":
		if !json.Valid([]byte(n.Value)) {
			b.r.Errorf(nodePos(n), "JSON has no such number").Suggest("put it in quotes if it is text")
		}
		b.text.WriteString(n.Value)
	default:
		if name, ok := wholeVariable(n.Value); ok {
			b.variable(nodePos(n), name, true)
			return
		}
		b.text.WriteByte('"')
		b.inside(nodePos(n), n.Value)
		b.text.WriteByte('"')
	}
}

// wholeVariable returns the variable a text consists of, if it is nothing else.
func wholeVariable(s string) (string, bool) {
	if !strings.HasPrefix(s, "$") {
		return "", false
	}
	name := variableName(s[1:])
	return name, name != "" && len(name) == len(s)-1
}

// inside adds text with variables to a JSON string. "$$" is a dollar sign, and so is
// one that no name follows.
func (b *templateBuilder) inside(at pos, s string) {
	for s != "" {
		i := strings.IndexByte(s, '$')
		if i < 0 {
			break
		}
		b.text.WriteString(jsonInside(s[:i]))
		s = s[i+1:]
		if rest, ok := strings.CutPrefix(s, "$"); ok {
			b.text.WriteByte('$')
			s = rest
			continue
		}
		name := variableName(s)
		if name == "" {
			b.text.WriteByte('$')
			continue
		}
		b.variable(at, name, false)
		s = s[len(name):]
	}
	b.text.WriteString(jsonInside(s))
}

// variable adds a hole for a variable that may be used here.
func (b *templateBuilder) variable(at pos, name string, alone bool) {
	if _, ok := find(b.known, name); !ok {
		with := make([]string, len(b.known))
		for i, k := range b.known {
			with[i] = "$" + k
		}
		b.r.Errorf(at, "unknown variable %s", quote("$"+name)).DidYouMean("$"+name, with)
		return
	}
	b.flush()
	b.parts = append(b.parts, part{variable: name, alone: alone})
}

// variableName returns the variable name s begins with: words of letters, digits and
// "_", joined by dots.
func variableName(s string) string {
	end := 0
	for end < len(s) {
		c := s[end]
		word := 'a' <= c && c <= 'z' || c == '_' || end > 0 && '0' <= c && c <= '9'
		dot := c == '.' && end > 0 && end+1 < len(s) && 'a' <= s[end+1] && s[end+1] <= 'z'
		if !word && !dot {
			break
		}
		end++
	}
	return s[:end]
}

// jsonString encodes s as a JSON string.
func jsonString(s string) string { return string(appendJSONString(nil, s)) }

// jsonInside encodes s for the inside of a JSON string.
func jsonInside(s string) string { return string(appendJSONInside(nil, s)) }

// appendJSONString appends s as a JSON string.
func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = appendJSONInside(dst, s)
	return append(dst, '"')
}

// appendJSONInside appends s escaped for a JSON string (RFC 8259 §7). Bytes that are
// not UTF-8 become U+FFFD.
func appendJSONInside(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	start := 0
	for i, c := range s {
		var escape string
		switch {
		case c == '"':
			escape = `\"`
		case c == '\\':
			escape = `\\`
		case c == '\n':
			escape = `\n`
		case c == '\t':
			escape = `\t`
		case c == '\r':
			escape = `\r`
		case c < ' ' || c == 0x7f:
			escape = `\u00` + string(hex[c>>4]) + string(hex[c&15])
		case c == 0x2028 || c == 0x2029: // line ends in old JavaScript
			escape = `\u` + strconv.FormatInt(int64(c), 16)
		case c == 0xfffd && s[i] != 0xef: // an invalid byte
			dst = append(append(dst, s[start:i]...), "\ufffd"...)
			start = i + 1
			continue
		default:
			continue
		}
		dst = append(append(dst, s[start:i]...), escape...)
		start = i + len(string(c))
	}
	return append(dst, s[start:]...)
}

// An Answer is a response that Cardea gives itself, filled in from the caller: status
// 200, application/json.
type Answer struct{ body template }

// Render appends the body to dst. value returns the value of a variable by its name,
// without the dollar sign: see [AnswerVariables]. A variable that is a whole JSON
// value and has no text becomes null.
func (a *Answer) Render(dst []byte, value func(name string) string) []byte {
	for _, p := range a.body {
		switch {
		case p.variable == "":
			dst = append(dst, p.literal...)
		case !p.alone:
			dst = appendJSONInside(dst, value(p.variable))
		default:
			text := value(p.variable)
			if text == "" {
				dst = append(dst, "null"...)
			} else {
				dst = appendJSONString(dst, text)
			}
		}
	}
	return dst
}

// AnswerVariables are the variables an answer may use: the caller, the organization,
// and the request.
var answerVariables = []string{
	"member.id", "member.email", "member.name", "member.role", "organization.id", "organization.name",
	"credential.id", "credential.name", "credential.kind", "subject", "scopes", "plan", "environment", "request_id",
}

// AnswerVariables returns the names of the variables an answer may use.
func AnswerVariables() []string { return answerVariables }
