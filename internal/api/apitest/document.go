// Package apitest holds clients of the management API to its OpenAPI document: its
// [Document.Transport] checks every request and response that passes through it.
//
// It checks what tests can get wrong: that paths, methods, parameters, bodies and
// statuses are the documented ones, with their schemas (JSON Schema 2020-12, which is
// what OpenAPI 3.1 uses). It is no general OpenAPI implementation; it reads what this
// project's document uses and fails on anything else.
package apitest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// location is the name under which the document's schemas are compiled.
const location = "openapi.json"

// A Document is a loaded OpenAPI document.
type Document struct {
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema // :: JSON pointer → compiled schema

	// Operations lists the operations in no order.
	Operations []*Operation
}

// An Operation is one method of one path.
type Operation struct {
	ID     string
	Method string
	Path   string // template: "/v1/keys/{id}"
	Open   bool   // needs no token

	pointer    string // of the operation in the document
	parameters map[string]parameter
	body       string // pointer to the schema of the request body, "" for none
	required   bool   // the body is
	responses  map[string]map[string]any
	doc        map[string]any
}

// A parameter is in the path or the query.
type parameter struct {
	in      string
	pointer string // of its schema
	integer bool
}

// Load reads a document and compiles every schema in it.
func Load(t testing.TB, text []byte) *Document {
	t.Helper()
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("the document is no JSON: %v", err)
	}
	d := &Document{compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(location, tree); err != nil {
		t.Fatalf("the document cannot hold schemas: %v", err)
	}
	root := tree.(map[string]any)
	for name := range member(root, "components", "schemas") {
		d.schema(t, "/components/schemas/"+name)
	}
	for path, item := range member(root, "paths") {
		item := item.(map[string]any)
		for method, op := range item {
			if method != "parameters" {
				d.operation(t, root, path, strings.ToUpper(method), item, op.(map[string]any))
			}
		}
	}
	return d
}

// operation reads one operation.
func (d *Document) operation(t testing.TB, root map[string]any, path, method string, item, doc map[string]any) {
	t.Helper()
	id, _ := doc["operationId"].(string)
	pointer := "/paths/" + escape(path) + "/" + strings.ToLower(method)
	op := &Operation{ID: id, Method: method, Path: path, pointer: pointer, doc: doc,
		parameters: map[string]parameter{}, responses: map[string]map[string]any{}}
	if security, given := doc["security"].([]any); given && len(security) == 0 {
		op.Open = true
	}
	for base, list := range map[string]any{"/paths/" + escape(path): item["parameters"], pointer: doc["parameters"]} {
		parameters, _ := list.([]any)
		for i, p := range parameters {
			d.parameter(t, root, op, fmt.Sprintf("%s/parameters/%d", base, i), p.(map[string]any))
		}
	}
	if body := member(doc, "requestBody"); body != nil {
		op.required, _ = body["required"].(bool)
		op.body = pointer + "/requestBody/content/application~1json/schema"
		d.schema(t, op.body)
	}
	for status, response := range member(doc, "responses") {
		d.response(t, root, op, status, response.(map[string]any))
	}
	d.Operations = append(d.Operations, op)
}

// parameter reads one parameter, which may be a reference.
func (d *Document) parameter(t testing.TB, root map[string]any, op *Operation, pointer string, p map[string]any) {
	t.Helper()
	if ref, ok := p["$ref"].(string); ok {
		pointer = strings.TrimPrefix(ref, "#")
		p = member(root, strings.Split(pointer, "/")[1:]...)
	}
	name, _ := p["name"].(string)
	in, _ := p["in"].(string)
	schema, _ := p["schema"].(map[string]any)
	if name == "" || in != "path" && in != "query" || schema == nil {
		t.Fatalf("%s: a parameter is incomplete", op.ID)
	}
	d.schema(t, pointer+"/schema")
	op.parameters[name] = parameter{in: in, pointer: pointer + "/schema", integer: schema["type"] == "integer"}
}

// response reads one response, which may be a reference.
func (d *Document) response(t testing.TB, root map[string]any, op *Operation, status string, r map[string]any) {
	t.Helper()
	pointer := op.pointer + "/responses/" + status
	if ref, ok := r["$ref"].(string); ok {
		pointer = strings.TrimPrefix(ref, "#")
		r = member(root, strings.Split(pointer, "/")[1:]...)
	}
	media := map[string]any{}
	for name, content := range member(r, "content") {
		media[name] = ""
		if _, ok := content.(map[string]any)["schema"]; ok {
			media[name] = pointer + "/content/" + escape(name) + "/schema"
			d.schema(t, media[name].(string))
		}
	}
	op.responses[status] = media
}

// schema compiles the schema at a pointer.
func (d *Document) schema(t testing.TB, pointer string) {
	t.Helper()
	s, err := d.compiler.Compile(location + "#" + pointer)
	if err != nil {
		t.Fatalf("schema %s: %v", pointer, err)
	}
	d.schemas[pointer] = s
}

// check validates a value against the schema at a pointer.
func (d *Document) check(pointer string, value any) error { return d.schemas[pointer].Validate(value) }

// Find returns the operation of a method and a path with the path's parameters, or
// nil.
func (d *Document) Find(method, path string) (*Operation, map[string]string) {
	parts := strings.Split(path, "/")
	var found *Operation
	var values map[string]string
	for _, op := range d.Operations {
		if v, ok := match(strings.Split(op.Path, "/"), parts); ok && op.Method == method {
			if found == nil || len(v) < len(values) { // the template with fewer wildcards
				found, values = op, v
			}
		}
	}
	return found, values
}

// match matches the parts of a path with those of a template.
func match(template, parts []string) (map[string]string, bool) {
	if len(template) != len(parts) {
		return nil, false
	}
	values := map[string]string{}
	for i, part := range template {
		switch {
		case strings.HasPrefix(part, "{"):
			values[strings.Trim(part, "{}")] = parts[i]
		case part != parts[i]:
			return nil, false
		}
	}
	return values, true
}

// Names returns "METHOD path" of every operation by its id, sorted.
func (d *Document) Names() []string {
	var names []string
	for _, op := range d.Operations {
		names = append(names, op.ID+": "+op.Method+" "+op.Path)
	}
	slices.Sort(names)
	return names
}

// member walks into nested objects; nil when there is none.
func member(tree map[string]any, path ...string) map[string]any {
	for _, name := range path {
		next, ok := tree[name].(map[string]any)
		if !ok {
			return nil
		}
		tree = next
	}
	return tree
}

// escape returns a name as a token of a JSON pointer in a URL fragment (RFC 6901 §6).
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(name)
}
