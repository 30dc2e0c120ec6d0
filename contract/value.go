package contract

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/cardea-dev/cardea/internal/strictyaml"
)

// Values of the document: each knows where it stands and whether it was given.

// A scalar is one value. Given is false when the file does not have it.
type scalar[T any] struct {
	pos
	value T
	given bool
}

// or returns the value, or the fallback when it was not given.
func (s scalar[T]) or(fallback T) T {
	if s.given {
		return s.value
	}
	return fallback
}

// text is one line of text.
type text struct{ scalar[string] }

// newText returns a text that stands at a place.
func newText(at pos, value string) text { return text{scalar[string]{at, value, true}} }

// decode takes text only: YAML would silently make a number of 1984 and a date of
// 2026-11-22, and somebody meant a name.
func (t *text) decode(d *decoder, n *yaml.Node) {
	t.pos = nodePos(n)
	if !d.isText(n) {
		return
	}
	if strings.ContainsAny(n.Value, "\n\t") {
		d.r.Errorf(t.pos, "this must be one line, without tabs")
		return
	}
	if strings.TrimSpace(n.Value) == "" {
		d.r.Errorf(t.pos, "this text is empty")
		return
	}
	t.value, t.given = n.Value, true
}

// isText reports whether a node is text, and what it is when it is not.
func (d *decoder) isText(n *yaml.Node) bool {
	if n.Kind == yaml.ScalarNode && (n.Tag == "!!str" || n.Style&yaml.TaggedStyle != 0) {
		return true
	}
	p := d.wrong(n, "text")
	if n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		p.Suggest("put it in quotes")
	}
	return false
}

// prose is text that may have several lines.
type prose struct{ scalar[string] }

// decode takes text of any number of lines.
func (t *prose) decode(d *decoder, n *yaml.Node) {
	t.pos = nodePos(n)
	if !d.isText(n) {
		return
	}
	t.value, t.given = strings.TrimRight(n.Value, "\n"), true
}

// source is text in another language, whose mistakes have places of their own.
type source struct {
	prose
	node *yaml.Node
}

// decode takes text of any number of lines.
func (s *source) decode(d *decoder, n *yaml.Node) {
	s.node = n
	s.prose.decode(d, n)
}

// at returns the place in the file of a character of the text, counted from 0. Where
// YAML joins lines into one, it is the place where the text begins.
func (s source) at(r *reporter, offset int) pos {
	before := string([]rune(s.value)[:min(offset, utf8.RuneCountInString(s.value))])
	line, column := strings.Count(before, "\n"), utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:])
	style := s.node.Style
	switch {
	case style&yaml.LiteralStyle != 0:
		first := r.LineText(s.node.Line + 1)
		indent := len(first) - len(strings.TrimLeft(first, " "))
		return pos{Line: s.node.Line + 1 + line, Column: indent + 1 + column, Width: 1}
	case style&yaml.FoldedStyle != 0 || line > 0:
		return s.pos
	case style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		column++
		column += escapes(r.LineText(s.node.Line), s.node.Column, column, style&yaml.DoubleQuotedStyle != 0)
	}
	return pos{Line: s.node.Line, Column: s.node.Column + column, Width: 1}
}

// escapes counts the characters that quoting added before a column of quoted text.
func escapes(line string, start, column int, double bool) int {
	mark := byte('\'')
	if double {
		mark = '\\'
	}
	added := 0
	raw := []rune(line)
	for i := start; i < min(start+column-1+added, len(raw)-1); i++ {
		if raw[i] == rune(mark) {
			added++
			i++
		}
	}
	return added
}

// number is a whole number, not negative.
type number struct{ scalar[int64] }

// decode takes decimal digits only: YAML's 0777 and 1_000 mean different things to
// different readers.
func (v *number) decode(d *decoder, n *yaml.Node) {
	v.pos = nodePos(n)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" {
		d.wrong(n, "a whole number")
		return
	}
	value, err := strconv.ParseInt(n.Value, 10, 64)
	switch {
	case err != nil:
		d.r.Errorf(v.pos, "this must be a whole number in plain digits")
	case value < 0:
		d.r.Errorf(v.pos, "this number is negative")
	case value > math.MaxInt32:
		d.r.Errorf(v.pos, "this number is too large; the largest is %d", math.MaxInt32)
	default:
		v.value, v.given = value, true
	}
}

// flag is true or false.
type flag struct{ scalar[bool] }

// decode takes true and false; yes, on and their like are text in YAML 1.2.
func (v *flag) decode(d *decoder, n *yaml.Node) {
	v.pos = nodePos(n)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		d.r.Errorf(v.pos, "this must be true or false")
		return
	}
	v.value, v.given = n.Value == "true", true
	if n.Value != "true" && n.Value != "false" {
		d.r.Errorf(v.pos, "this must be true or false").Suggest("write it in lower case")
	}
}

// length is a length of time: 15m, 1h, 30d, 3mo.
type length struct{ scalar[Period] }

// decode takes a length with its unit, see [ParsePeriod].
func (v *length) decode(d *decoder, n *yaml.Node) {
	v.pos = nodePos(n)
	if n.Kind != yaml.ScalarNode {
		d.wrong(n, "a length of time such as 15m, 1h, 30d or 3mo")
		return
	}
	value, err := ParsePeriod(n.Value)
	if err != nil {
		p := d.r.Errorf(v.pos, "%s is not a length of time", quote(n.Value))
		if n.Tag == "!!int" {
			p.Suggest("add a unit: %ss, %sm, %sh or %sd", n.Value, n.Value, n.Value, n.Value)
		} else {
			p.Suggest("write one such as 500ms, 30s, 15m, 1h, 30d, 3mo or 1y")
		}
		return
	}
	v.value, v.given = value, true
}

// size is a number of bytes: 512, 64KiB, 10MB.
type size struct{ scalar[int64] }

var sizeUnits = []struct {
	suffix string
	bytes  int64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1},
}

// decode takes bytes with or without a unit.
func (v *size) decode(d *decoder, n *yaml.Node) {
	v.pos = nodePos(n)
	if n.Kind != yaml.ScalarNode {
		d.wrong(n, "a number of bytes such as 64KiB or 10MB")
		return
	}
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(n.Value, u.suffix)
		if !ok {
			continue
		}
		count, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 40)
		if err == nil && count == 0 {
			d.r.Errorf(v.pos, "0 would refuse every body").Suggest("remove the line for no limit")
			return
		}
		if err == nil && int64(count) <= math.MaxInt64/u.bytes {
			v.value, v.given = int64(count)*u.bytes, true
			return
		}
	}
	d.r.Errorf(v.pos, "%s is not a size", quote(n.Value)).Suggest("write one such as 64KiB, 10MB or 1GiB")
}

// raw is a piece of the file that is kept as nodes: a template.
type raw struct {
	pos
	node *yaml.Node
}

// decode keeps the node as it is.
func (v *raw) decode(_ *decoder, n *yaml.Node) { v.pos, v.node = nodePos(n), n }

// given reports whether the file has it.
func (v raw) given() bool { return v.node != nil }

// list is a list of T.
type list[T any] struct {
	pos
	items []T
	given bool
}

// decode takes a list only: one value without brackets is a slip more often than a
// short form.
func (l *list[T]) decode(d *decoder, n *yaml.Node) {
	l.pos = nodePos(n)
	if n.Kind != yaml.SequenceNode {
		p := d.wrong(n, "a list")
		if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
			p.Suggest("write [%s]", strictyaml.PrintableText(n.Value))
		}
		return
	}
	l.given = true
	for _, child := range n.Content {
		var item T
		d.into(child, &item)
		l.items = append(l.items, item)
	}
}

// mapping is a mapping of names to T in the order of the file.
type mapping[T any] struct {
	pos
	entries []entry[T]
	given   bool
}

// An entry is a name and what it is mapped to.
type entry[T any] struct {
	key   text
	value T
}

// decode keeps the file's order, which pages print.
func (m *mapping[T]) decode(d *decoder, n *yaml.Node) {
	m.pos = nodePos(n)
	if n.Kind != yaml.MappingNode {
		d.wrong(n, "a mapping of names")
		return
	}
	m.given = true
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !plainKey(n.Content[i]) || seen[n.Content[i].Value] {
			continue // the inspector has reported it
		}
		var e entry[T]
		e.key.decode(d, n.Content[i])
		if !e.key.given {
			continue
		}
		seen[e.key.value] = true
		if v := n.Content[i+1]; v.Kind == yaml.ScalarNode && v.Tag == "!!null" {
			d.r.Errorf(e.key.pos, "%s has no value", quote(e.key.value)).Suggest("give it one, or remove the line")
			continue
		}
		d.into(n.Content[i+1], &e.value)
		m.entries = append(m.entries, e)
	}
}

// names returns the mapping's keys in order.
func (m mapping[T]) names() []string {
	names := make([]string, len(m.entries))
	for i, e := range m.entries {
		names[i] = e.key.value
	}
	return names
}

// perEnvironment is one text for all environments or one for each.
type perEnvironment struct {
	all text
	by  mapping[text]
}

// decode takes one text, or a mapping of environments to texts.
func (v *perEnvironment) decode(d *decoder, n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		v.by.decode(d, n)
		return
	}
	v.all.decode(d, n)
}

// given reports whether the file has it, in either form.
func (v perEnvironment) given() bool { return v.all.given || v.by.given }

// at returns where it stands.
func (v perEnvironment) at() pos {
	if v.by.given {
		return v.by.pos
	}
	return v.all.pos
}
