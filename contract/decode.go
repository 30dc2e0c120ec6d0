package contract

import (
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/cardea-dev/cardea/internal/strictyaml"
)

// A decoder fills the document from a tree of nodes. It reports everything that does
// not fit and goes on, so that one run finds every problem.
type decoder struct{ r *reporter }

// A decodable is a document type that reads itself; structs are read by their tags.
type decodable interface {
	decode(d *decoder, n *yaml.Node)
}

// into reads a node into the document value v points to.
func (d *decoder) into(n *yaml.Node, v any) {
	if n.Kind == yaml.AliasNode {
		return // the inspector has reported it
	}
	if own, ok := v.(decodable); ok {
		own.decode(d, n)
		return
	}
	value := reflect.ValueOf(v).Elem()
	if value.Kind() == reflect.Pointer { // an optional section
		value.Set(reflect.New(value.Type().Elem()))
		d.into(n, value.Interface())
		return
	}
	d.structure(n, value)
}

// fields reads a mapping into the struct v points to, although it is decodable: for
// types that only add a short form.
func (d *decoder) fields(n *yaml.Node, v any) { d.structure(n, reflect.ValueOf(v).Elem()) }

// structure reads a mapping into a struct, by the struct's tags.
func (d *decoder) structure(n *yaml.Node, v reflect.Value) {
	fields := fieldsOf(v.Type())
	if at, ok := v.Addr().Interface().(interface{ place(pos) }); ok {
		at.place(nodePos(n))
	}
	if n.Kind != yaml.MappingNode {
		p := d.wrong(n, "a mapping")
		if len(fields.names) <= strictyaml.FewNames {
			p.Suggest("with %s", strings.Join(fields.names, ", "))
		}
		return
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !plainKey(key) || seen[key.Value] {
			continue // the inspector has reported it
		}
		seen[key.Value] = true
		f, ok := fields.byName[key.Value]
		if !ok {
			d.r.Errorf(nodePos(key), "unknown field %s", quote(key.Value)).DidYouMean(key.Value, fields.names)
			continue
		}
		if value.Kind == yaml.ScalarNode && value.Tag == "!!null" {
			d.r.Errorf(nodePos(key), "%s has no value", quote(key.Value)).Suggest("give it one, or remove the line")
			continue
		}
		target := v.Field(f.index).Addr().Interface()
		d.into(value, target)
		d.oneOf(target, f.enum)
	}
	for _, name := range fields.names {
		if fields.byName[name].required && !seen[name] {
			d.r.Errorf(nodePos(n), "%s is missing", quote(name))
		}
	}
}

// oneOf reports a text, or a text of a list, that is not one of the words a field takes.
func (d *decoder) oneOf(target any, words []string) {
	if words == nil {
		return
	}
	switch v := target.(type) {
	case *text:
		if !v.given {
			return
		}
		if _, ok := find(words, v.value); !ok {
			p := d.r.Errorf(v.pos, "%s is not one of %s", quote(v.value), strings.Join(words, ", "))
			if strings.HasPrefix(v.value, "HS") || strings.EqualFold(v.value, "none") && words[0] == "RS256" {
				p.Suggest("whoever can check such a signature can forge it; use RS256")
			} else {
				p.Guess(v.value, words)
			}
			v.given = false
		}
	case *list[text]:
		kept := v.items[:0]
		for i := range v.items {
			if d.oneOf(&v.items[i], words); v.items[i].given {
				kept = append(kept, v.items[i])
			}
		}
		v.items = kept
	}
}

// wrong reports a node of the wrong form.
func (d *decoder) wrong(n *yaml.Node, want string) strictyaml.Mend {
	return d.r.Errorf(nodePos(n), "this is %s; it must be %s", form(n), want)
}

// form names what a node is, for messages.
func form(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "a number"
	case "!!bool":
		return "true or false"
	case "!!null":
		return "empty"
	case "!!timestamp":
		return "a date"
	}
	return "text"
}

// plainKey reports whether a mapping's key can name something.
func plainKey(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag != "!!merge" }

// A field is one documented member of a document struct.
type field struct {
	name     string
	index    int
	required bool
	doc      string
	enum     []string
}

// A fieldSet is the fields of one document struct.
type fieldSet struct {
	names  []string // in the struct's order
	byName map[string]field
}

// fieldsOf reads a document struct's tags: `yaml:"name[,required]"`, `doc:"…"` and,
// for texts and lists of texts, `enum:"a|b"`.
func fieldsOf(t reflect.Type) fieldSet {
	set := fieldSet{byName: make(map[string]field, t.NumField())}
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("yaml")
		if !ok {
			continue
		}
		name, option, _ := strings.Cut(tag, ",")
		f := field{name: name, index: i, required: option == "required", doc: t.Field(i).Tag.Get("doc")}
		if enum := t.Field(i).Tag.Get("enum"); enum != "" {
			f.enum = strings.Split(enum, "|")
		}
		set.names = append(set.names, name)
		set.byName[name] = f
	}
	return set
}

// place is embedded by document structs to remember where they stand.
type spot struct{ pos }

// at returns where the mapping starts.
func (s *spot) at() pos { return s.pos }

// where returns where an optional section starts, no place when it is not there.
func where[T any](section *T) pos {
	if section == nil {
		return pos{}
	}
	return any(section).(interface{ at() pos }).at()
}

// place remembers where the mapping starts.
func (s *spot) place(p pos) { s.pos = p }
