package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/secret"
)

// An operation is one entry of the API.
type operation struct {
	ID      string // operationId in the document
	Pattern string // method and path, in the syntax of [http.ServeMux]
	Open    bool   // needs no token

	run func(h *Handler, w http.ResponseWriter, r *http.Request, actor cardea.Actor) error
}

// op returns the operation that decodes an input, calls a use case and encodes its
// output with the given status; 204 for one that returns [manage.None].
func op[In, Out any](id, pattern string, status int, use func(context.Context, cardea.Actor, In) (Out, error)) operation {
	wildcards := wildcardsOf(pattern)
	run := func(_ *Handler, w http.ResponseWriter, r *http.Request, actor cardea.Actor) error {
		var in In
		if err := decode(w, r, wildcards, &in); err != nil {
			return err
		}
		out, err := use(r.Context(), actor, in)
		if err != nil {
			return err
		}
		return respond(w, status, out)
	}
	return operation{ID: id, Pattern: pattern, run: run}
}

// serve runs one operation: who asks, then what.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, op operation) {
	var actor cardea.Actor
	if !op.Open {
		var err error
		if actor, err = h.Authenticate(r); err != nil {
			h.fail(w, r, err)
			return
		}
	}
	if err := op.run(h, w, r, actor); err != nil {
		h.fail(w, r, err)
	}
}

// reveal writes secrets out. This option is the one place of the API where a secret
// leaves the process; every other encoder prints its prefix only.
var reveal = json.WithMarshalers(json.MarshalToFunc(func(e *jsontext.Encoder, s secret.Secret) error {
	return e.WriteToken(jsontext.String(s.Reveal()))
}))

// respond writes an output.
func respond(w http.ResponseWriter, status int, out any) error {
	if _, none := out.(manage.None); none {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	body, err := json.Marshal(out, reveal, json.Deterministic(true))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone; nobody is left to tell
	return nil
}

// wildcardsOf returns the names of a pattern's wildcards.
func wildcardsOf(pattern string) []string {
	var names []string
	for _, part := range strings.Split(pattern, "/") {
		if strings.HasPrefix(part, "{") {
			names = append(names, strings.Trim(part, "{}"))
		}
	}
	return names
}
