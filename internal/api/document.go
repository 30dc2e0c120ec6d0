package api

import (
	_ "embed" // openapi.yaml
	"net/http"
	"sync"

	"github.com/go-json-experiment/json"
	"go.yaml.in/yaml/v4"

	"github.com/cardea-dev/cardea"
)

//go:embed openapi.yaml
var documentYAML []byte

// Document returns the OpenAPI document as JSON. It is the same value on every call
// and must not be changed.
var Document = sync.OnceValue(func() []byte {
	var tree any
	if err := yaml.Load(documentYAML, &tree); err != nil {
		panic("api: the embedded document is broken: " + err.Error()) // a test loads it
	}
	text, err := json.Marshal(tree, json.Deterministic(true))
	if err != nil {
		panic("api: the embedded document is no JSON: " + err.Error())
	}
	return text
})

// document answers with the OpenAPI document.
func document(_ *Handler, w http.ResponseWriter, _ *http.Request, _ cardea.Actor) error {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(Document()) // the client is gone; nobody is left to tell
	return nil
}
