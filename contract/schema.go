package contract

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
)

// Schema returns the JSON Schema (2020-12) of contracts, for editors and other tools.
// It is made from the same description of the document that [Load] reads by. What a
// schema cannot say, such as that a scope must be declared, only Load knows.
func Schema() []byte { return append([]byte(nil), schemaText()...) }

var schemaText = sync.OnceValue(func() []byte {
	b := schemaBuilder{defs: schemaNode{}}
	root := b.object(reflect.TypeFor[document]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "urn:cardea:contract:1"
	root["title"] = "Cardea contract"
	root["description"] = "What a product's Authentication page promises."
	root["$defs"] = b.defs
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // maps, strings and numbers always encode
	}
	return append(text, '\n')
})

// A schemaNode is a JSON Schema.
type schemaNode map[string]any

// A schemaBuilder collects the schemas of document structs under their names.
type schemaBuilder struct{ defs schemaNode }

// of returns the schema of a document type.
func (b *schemaBuilder) of(t reflect.Type) schemaNode {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if own, ok := reflect.New(t).Interface().(interface {
		schema(*schemaBuilder) schemaNode
	}); ok {
		return own.schema(b)
	}
	return b.ref(t)
}

// ref returns a reference to a struct's schema, which is defined once.
func (b *schemaBuilder) ref(t reflect.Type) schemaNode {
	name := strings.TrimSuffix(t.Name(), "Doc")
	if b.defs[name] == nil {
		b.defs[name] = b.object(t)
	}
	return schemaNode{"$ref": "#/$defs/" + name}
}

// object returns the schema of a struct's mapping.
func (b *schemaBuilder) object(t reflect.Type) schemaNode {
	fields := fieldsOf(t)
	properties := schemaNode{}
	var required []string
	for _, name := range fields.names {
		f := fields.byName[name]
		node := b.of(t.Field(f.index).Type)
		if f.enum != nil {
			restrict(node, f.enum)
		}
		node["description"] = f.doc
		properties[name] = node
		if f.required {
			required = append(required, name)
		}
	}
	node := schemaNode{"type": "object", "additionalProperties": false, "properties": properties}
	if required != nil {
		node["required"] = required
	}
	return node
}

// restrict adds the words a text, or every text of a list, may be.
func restrict(node schemaNode, words []string) {
	if items, ok := node["items"].(schemaNode); ok {
		node = items
	}
	delete(node, "minLength")
	delete(node, "pattern")
	node["enum"] = words
}

func (*text) schema(*schemaBuilder) schemaNode {
	return schemaNode{"type": "string", "minLength": 1, "pattern": `^[^\n\t]*$`}
}

func (*prose) schema(*schemaBuilder) schemaNode { return schemaNode{"type": "string"} }

func (*source) schema(*schemaBuilder) schemaNode { return schemaNode{"type": "string"} }

func (*number) schema(*schemaBuilder) schemaNode { return schemaNode{"type": "integer", "minimum": 0} }

func (*flag) schema(*schemaBuilder) schemaNode { return schemaNode{"type": "boolean"} }

func (*length) schema(*schemaBuilder) schemaNode {
	return schemaNode{"type": "string", "pattern": `^([0-9]+(ms|s|mo|m|h|d|w|y))+$`, "examples": []string{"15m", "1h", "30d", "3mo", "1y"}}
}

func (*size) schema(*schemaBuilder) schemaNode {
	return schemaNode{"type": []string{"string", "integer"}, "pattern": `^[0-9]+ *(B|kB|KB|MB|GB|KiB|MiB|GiB)?$`, "minimum": 0}
}

func (*raw) schema(*schemaBuilder) schemaNode { return schemaNode{} }

func (*list[T]) schema(b *schemaBuilder) schemaNode {
	return schemaNode{"type": "array", "items": b.of(reflect.TypeFor[T]())}
}

func (*mapping[T]) schema(b *schemaBuilder) schemaNode {
	return schemaNode{"type": "object", "additionalProperties": b.of(reflect.TypeFor[T]())}
}

func (*perEnvironment) schema(b *schemaBuilder) schemaNode {
	one := (*text)(nil).schema(b)
	each := schemaNode{"type": "object", "additionalProperties": one}
	return schemaNode{"anyOf": []schemaNode{one, each}}
}

func (*formatDoc) schema(b *schemaBuilder) schemaNode {
	shapes := schemaNode{"enum": []Shape{ShapeUUID, ShapeHex}}
	return schemaNode{"anyOf": []schemaNode{shapes, b.ref(reflect.TypeFor[formatDoc]())}}
}

func (*scopeDoc) schema(b *schemaBuilder) schemaNode {
	return schemaNode{"anyOf": []schemaNode{{"type": "string"}, b.ref(reflect.TypeFor[scopeDoc]())}}
}

func (*errorsDoc) schema(b *schemaBuilder) schemaNode {
	properties := schemaNode{"body": schemaNode{"description": "The JSON body of every refusal; $code, $message, $status, $request_id and $retry_after are filled in."}}
	for _, name := range reasonNames() {
		properties[name] = b.ref(reflect.TypeFor[errorDoc]())
	}
	return schemaNode{"type": "object", "additionalProperties": false, "properties": properties}
}

func (*forwardingDoc) schema(b *schemaBuilder) schemaNode {
	properties := schemaNode{}
	for _, fact := range forwardFacts {
		properties[string(fact)] = (*text)(nil).schema(b)
	}
	return schemaNode{"type": "object", "additionalProperties": false, "properties": properties}
}

func (*claimsDoc) schema(*schemaBuilder) schemaNode {
	return schemaNode{"type": "object", "additionalProperties": schemaNode{"enum": forwardFacts}}
}
