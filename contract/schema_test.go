package contract

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("contract.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("contract.json")
	if err != nil {
		t.Fatalf("the schema is not valid: %v", err)
	}
	return schema
}

// asJSON decodes YAML into the values a JSON Schema validator takes.
func asJSON(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	v, err = jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func exampleFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../examples/*/cardea.yaml")
	if err != nil || len(files) < 6 {
		t.Fatalf("examples: %v, %v", files, err)
	}
	return append(files, "default.yaml")
}

// Editors must not flag a contract that loads.
func TestSchemaTakesTheExamples(t *testing.T) {
	schema := compiledSchema(t)
	for _, file := range exampleFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(asJSON(t, text)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// What is wrong with a document's form, the schema finds as Load does.
func TestSchemaRefusesWrongForms(t *testing.T) {
	schema := compiledSchema(t)
	const start = "cardea: 1\nproduct: P\nenvironments: {live: {}}\nroutes: [{match: /, public: true}]\n"
	if err := schema.Validate(asJSON(t, []byte(start))); err != nil {
		t.Fatalf("the start itself is refused: %v", err)
	}
	for _, wrong := range []string{
		"nonsense: 1",
		"product: 7",
		"routes: {}",
		"plans: {free: {per_minute: many}}",
		"plans: {free: {per_minute: -1}}",
		"keys: {k: {format: {prefix: k_}, present: [{header: A}], reveal: sometimes}}",
		"keys: {k: {format: {prefix: k_}}}",
		"scopes: {a: {implies: b}}",
		"errors: {nonsense: {status: 400}}",
		"forwarding: {nonsense: X-A}",
		"tokens: {access: {lifetime: 3 days}}",
		"clients: {grants: [password]}",
		"max_body: lots",
	} {
		name, _, _ := strings.Cut(wrong, ":")
		lines := strings.Split(start, "\n")
		kept := make([]string, 0, len(lines))
		for _, line := range lines {
			if !strings.HasPrefix(line, name+":") {
				kept = append(kept, line)
			}
		}
		text := strings.Join(kept, "\n") + wrong + "\n"
		if err := schema.Validate(asJSON(t, []byte(text))); err == nil {
			t.Errorf("the schema takes %q", wrong)
		}
		if _, err := Load("wrong.yaml", []byte(text)); err == nil {
			t.Errorf("Load takes %q", wrong)
		}
	}
}

// Every field of the document is in the schema, with a description.
func TestSchemaDescribesEveryField(t *testing.T) {
	schema := string(Schema())
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			f := typ.Field(i)
			walk(f.Type)
			tag, ok := f.Tag.Lookup("yaml")
			if !ok {
				continue
			}
			name, _, _ := strings.Cut(tag, ",")
			doc, err := json.Marshal(f.Tag.Get("doc"))
			if err != nil || len(doc) < 10 {
				t.Errorf("%s.%s has no description", typ.Name(), f.Name)
			}
			if !strings.Contains(schema, `"`+name+`": {`) || !strings.Contains(schema, string(doc)) {
				t.Errorf("%s.%s is not in the schema", typ.Name(), f.Name)
			}
		}
	}
	walk(reflect.TypeFor[document]())
	if len(seen) < 30 {
		t.Errorf("only %d types were looked at", len(seen))
	}
}
