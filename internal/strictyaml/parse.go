package strictyaml

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Bounds of a contract's text. They are far above any real contract and low enough
// that a hostile one costs little.
const (
	MaxSize  = 1 << 20 // bytes
	MaxDepth = 32      // mappings and lists inside each other
	MaxNodes = 50_000
)

// Parse turns text into a tree of nodes that is safe to walk: one document, no
// anchors, aliases, merge keys or tags, no duplicate keys, no characters that
// deceive a reader. It returns nil after it has reported why not.
func Parse(r *Reporter, text string) *yaml.Node {
	if !checkSize(r, text) || !checkCharacters(r, text) {
		return nil
	}
	root := load(r, text)
	if root == nil {
		return nil
	}
	in := inspector{r: r, told: map[string]int{}}
	in.node(root, 1)
	if in.stop {
		return nil
	}
	return root
}

// checkSize reports text with more lines or values than a contract has, before the
// parser, whose time grows with their square, sees it.
func checkSize(r *Reporter, text string) bool {
	if len(r.lines) > MaxNodes {
		r.Errorf(Pos{Line: MaxNodes}, "more than %d lines", MaxNodes)
		return false
	}
	if strings.Count(text, ",") > 2*MaxNodes {
		r.Errorf(Pos{}, "more than %d values in one contract", MaxNodes)
		return false
	}
	markers := 0
	for i, line := range r.lines {
		if rest, ok := strings.CutPrefix(line, "---"); ok && (rest == "" || strings.ContainsAny(rest[:1], " \t\r")) {
			if markers++; markers == 2 {
				r.Errorf(Pos{Line: i + 1, Column: 1, Width: 3}, "a second document starts here").Suggest("one file holds one contract")
				return false
			}
		}
	}
	return true
}

// load runs the YAML parser and returns the root of the only document.
func load(r *Reporter, text string) *yaml.Node {
	loader, err := yaml.NewLoader(strings.NewReader(text), yaml.WithUniqueKeys(false), yaml.WithPlugin(limits{}))
	if err != nil {
		r.Errorf(Pos{}, "the YAML parser could not be set up")
		return nil
	}
	var document, second yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF), err == nil && len(document.Content) == 0:
		r.Errorf(Pos{}, "the contract is empty").Suggest("start it with %s", Quote("cardea: 1"))
		return nil
	case err != nil:
		reportSyntax(r, err)
		return nil
	}
	switch err := loader.Load(&second); {
	case err == nil:
		r.Errorf(NodePos(&second), "a second document starts here").Suggest("one file holds one contract")
		return nil
	case !errors.Is(err, io.EOF):
		reportSyntax(r, err)
		return nil
	}
	return document.Content[0]
}

// reportSyntax reports the parser's error at its place. Only the library's own words
// are used, none of which quote more than a name.
func reportSyntax(r *Reporter, err error) {
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		r.Errorf(Pos{}, "this is not YAML")
		return
	}
	where := Pos{Line: le.Mark.Line, Column: le.Mark.Column, Width: 1}
	message := PrintableText(le.Message)
	if errors.Is(err, errDepth) {
		r.Errorf(where, "%s", errDepth.Error())
		return
	}
	p := r.Errorf(where, "%s", message)
	switch {
	case strings.Contains(message, "cannot start any token"):
		if r.charAt(where) == '\t' {
			p.Suggest("indent with spaces: YAML takes no tabs")
		} else {
			p.Suggest("put the value in quotes")
		}
	case strings.Contains(message, "mapping values are not allowed"):
		p.Suggest("a value with %s in it needs quotes; or the indentation is off", Quote(": "))
	case le.ContextMsg != "" && le.ContextMark.Line > 0:
		p.Suggest("%s that starts at line %d, column %d", PrintableText(le.ContextMsg),
			le.ContextMark.Line, le.ContextMark.Column)
	case strings.Contains(message, "incompatible YAML document"):
		p.Suggest("remove the %s line", Quote("%YAML"))
	}
}

// charAt returns the character at a place, 0 outside the text.
func (r *Reporter) charAt(p Pos) rune {
	if p.Line < 1 || p.Line > len(r.lines) {
		return 0
	}
	column := 1
	for _, c := range r.lines[p.Line-1] {
		if column == p.Column {
			return c
		}
		column++
	}
	return 0
}

// PrintableText makes text of the YAML library, which may repeat some of the file, safe
// to print.
func PrintableText(s string) string { return strings.Map(Printable, s) }

// limits is the YAML library's guard against deep nesting, which it meets while
// parsing; aliases it never expands, because only nodes are built.
type limits struct{}

var errDepth = fmt.Errorf("nested more than %d levels deep", MaxDepth)

// CheckDepth refuses more than MaxDepth levels.
func (limits) CheckDepth(depth int, _ *yaml.DepthContext) error {
	if depth > MaxDepth {
		return errDepth
	}
	return nil
}

// CheckAlias refuses every expansion.
func (limits) CheckAlias(count, _ int) error {
	if count > 0 {
		return errors.New("aliases are not allowed")
	}
	return nil
}

// checkCharacters reports bytes that are not UTF-8 and characters which a reader of
// the file cannot see or which change the direction of the text.
func checkCharacters(r *Reporter, text string) bool {
	line, column := 1, 1
	for i, c := range text {
		if r.Full() {
			return false
		}
		switch {
		case c == utf8.RuneError && !strings.HasPrefix(text[i:], "�"):
			r.Errorf(Pos{Line: line, Column: column}, "invalid UTF-8")
			return false // columns are guesswork after this
		case c == '\r' && !strings.HasPrefix(text[i:], "\r\n"):
			r.Errorf(Pos{Line: line, Column: column}, "a carriage return without a line feed")
		case c != '\n' && c != '\t' && c != '\r' && forbidden(c):
			r.Errorf(Pos{Line: line, Column: column}, "the character U+%04X is not allowed", c).
				Suggest("it is invisible or changes the direction of the text")
		}
		column++
		if c == '\n' {
			line, column = line+1, 1
		}
	}
	return !r.Failed()
}

// forbidden reports whether c may not be in a contract at all: control characters,
// line separators that editors do not count, direction marks (UAX #9), other
// invisible ones and non-characters.
func forbidden(c rune) bool {
	switch {
	case c < 0x20, c >= 0x7f && c <= 0x9f: // C0, DEL, C1
		return true
	case c >= 0x200b && c <= 0x200f, c >= 0x2028 && c <= 0x202e, c >= 0x2060 && c <= 0x206f:
		return true
	case c == 0x061c, c == 0xfeff, c >= 0xfff0 && c <= 0xfffb, c&0xfffe == 0xfffe:
		return true
	case c >= 0xe0000 && c <= 0xe0fff: // tags and variation selectors
		return true
	}
	return false
}

// An inspector walks the raw tree once, before anything is read from it.
type inspector struct {
	r     *Reporter
	nodes int
	told  map[string]int // how often each feature was reported
	stop  bool
}

// node inspects a node and what it holds. Depth and number are bounded here as well as
// in the parser: the two count differently.
func (in *inspector) node(n *yaml.Node, depth int) {
	if in.stop {
		return
	}
	in.nodes++
	switch {
	case in.nodes > MaxNodes:
		in.r.Errorf(NodePos(n), "more than %d values in one contract", MaxNodes)
		in.stop = true
		return
	case depth > MaxDepth:
		in.r.Errorf(NodePos(n), "%s", errDepth.Error())
		in.stop = true
		return
	}
	in.features(n)
	if n.Kind == yaml.MappingNode {
		in.mapping(n)
	}
	for _, child := range n.Content {
		in.node(child, depth+1)
	}
}

// features reports the parts of YAML that contracts do without.
func (in *inspector) features(n *yaml.Node) {
	at := NodePos(n)
	if n.Kind == yaml.AliasNode {
		in.feature(at, "aliases", "write the value out")
		return
	}
	if n.Anchor != "" {
		in.feature(at, "anchors", "remove "+Quote("&"+n.Anchor))
	}
	if n.Style&yaml.TaggedStyle != 0 {
		in.feature(at, "tags", "remove "+Quote(n.Tag))
	}
	if n.Kind != yaml.ScalarNode {
		return
	}
	for _, c := range n.Value {
		if c != '\n' && c != '\t' && forbidden(c) {
			in.r.Errorf(at, "the text holds the character U+%04X, which is not allowed", c)
			return
		}
	}
}

// feature reports a part of YAML, the first few times it is met.
func (in *inspector) feature(at Pos, name, mend string) {
	const enough = 3
	switch in.told[name]++; {
	case in.told[name] < enough:
		in.r.Errorf(at, "%s are not allowed", name).Suggest("%s", mend)
	case in.told[name] == enough:
		in.r.Errorf(at, "%s are not allowed; there may be more of them", name).Suggest("%s", mend)
	}
}

// mapping reports keys that are no names and names that are there twice. The parser's own
// check would stop at the first.
func (in *inspector) mapping(n *yaml.Node) {
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		at := NodePos(key)
		switch {
		case key.Kind == yaml.AliasNode: // reported as one
		case key.Kind != yaml.ScalarNode:
			in.r.Errorf(at, "a key must be text")
		case key.Tag == "!!merge":
			in.r.Errorf(at, "merge keys are not allowed").Suggest("write the fields out")
		default:
			if line, twice := seen[key.Value]; twice {
				in.r.Errorf(at, "%s is given twice", Quote(key.Value)).Suggest("it is also on line %d", line)
				continue
			}
			seen[key.Value] = key.Line
		}
	}
}

// NodePos returns where a node is and how wide it is on its line.
func NodePos(n *yaml.Node) Pos {
	p := Pos{Line: n.Line, Column: n.Column, Width: 1}
	if n.Kind != yaml.ScalarNode || strings.Contains(n.Value, "\n") {
		return p
	}
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		p.Width = utf8.RuneCountInString(n.Value) + 2
	default:
		p.Width = max(1, utf8.RuneCountInString(n.Value))
	}
	return p
}
