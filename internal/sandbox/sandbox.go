// Package sandbox is the API behind `cardea dev`: a small HTTP service that keeps JSON
// collections under any path and shows what it was sent, so that a contract can be
// tried before there is an API to protect.
//
// A path names a collection, and one segment more an item of it:
//
//	POST   /v1/notes       stores the JSON object sent, with an id: 201
//	GET    /v1/notes       lists the collection; one nobody wrote to is empty
//	GET    /v1/notes/{id}  shows an item; PUT replaces, PATCH merges, DELETE removes it
//
// Every answer is a JSON object with the members "data", "environment", and "request",
// which holds method, path, query and headers as they arrived. Two request headers
// change the answer on any path: X-Sandbox-Status sets its status, X-Sandbox-Delay
// ("2s", "150ms") makes it wait. Below "/__sandbox/",
// anywhere in a path, are helpers that misbehave on purpose; see helpers.go.
package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxBody is the largest body that is stored, in bytes.
const maxBody = 64 << 10

// A Sandbox is the API of one environment. Environments must not share one. It is
// safe for concurrent use and forgets everything with the process.
type Sandbox struct {
	environment string
	store       store
}

// New returns an empty sandbox for the named environment.
func New(environment string) *Sandbox { return &Sandbox{environment: environment} }

// answer is the shape of every response.
type answer struct {
	Data        any      `json:"data,omitempty"`
	Error       string   `json:"error,omitempty"`
	Environment string   `json:"environment"`
	Request     received `json:"request"`
}

// received is the request as the sandbox saw it.
type received struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"` // still encoded
	Query   string            `json:"query,omitempty"`
	Headers map[string]string `json:"headers"` // names in lower case, lines joined by ", "

	// Lines are the header lines one by one, "Name: value", sorted by name; names are
	// in the canonical case that net/http gives them.
	Lines []string `json:"lines"`
}

// ServeHTTP implements [http.Handler].
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, helper, ok := strings.Cut(r.URL.Path, reserved); ok {
		s.help(w, r, helper)
		return
	}
	if delay, err := time.ParseDuration(r.Header.Get("X-Sandbox-Delay")); err == nil && !s.pause(r, delay) {
		return
	}
	if code, err := strconv.Atoi(r.Header.Get("X-Sandbox-Status")); err == nil {
		s.helpStatus(w, r, code)
		return
	}
	path := strings.TrimRight(r.URL.EscapedPath(), "/")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s.get(w, r, path)
	case http.MethodPost:
		s.write(w, r, path, s.store.create)
	case http.MethodPut:
		s.write(w, r, path, s.store.replace)
	case http.MethodPatch:
		s.write(w, r, path, s.store.merge)
	case http.MethodDelete:
		s.delete(w, r, path)
	case http.MethodOptions:
		w.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
		w.Header().Set("Access-Control-Allow-Headers", "*")
		w.WriteHeader(http.StatusNoContent)
	default:
		s.refuse(w, r, http.StatusMethodNotAllowed, "method not allowed")
	}
}

func (s *Sandbox) get(w http.ResponseWriter, r *http.Request, path string) {
	item, list, found := s.store.read(path)
	switch {
	case item != nil:
		s.reply(w, r, http.StatusOK, item)
	case found:
		s.reply(w, r, http.StatusOK, list)
	default:
		s.refuse(w, r, http.StatusNotFound, "no such item")
	}
}

func (s *Sandbox) delete(w http.ResponseWriter, r *http.Request, path string) {
	if !s.store.remove(path) {
		s.refuse(w, r, http.StatusNotFound, "no such item")
		return
	}
	s.reply(w, r, http.StatusOK, object{"deleted": true})
}

// write stores the body by one of the store's ways of writing.
func (s *Sandbox) write(w http.ResponseWriter, r *http.Request, path string, put func(string, object, int) (object, bool, error)) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		s.refuse(w, r, http.StatusRequestEntityTooLarge, "body too large for the sandbox")
		return
	} else if err != nil {
		s.refuse(w, r, http.StatusBadRequest, "unreadable body")
		return
	}
	item, created, err := put(path, decode(body), len(body))
	switch {
	case errors.Is(err, errMissing):
		s.refuse(w, r, http.StatusNotFound, "no such item")
	case err != nil:
		s.refuse(w, r, http.StatusInsufficientStorage, "the sandbox is full")
	case created:
		w.Header().Set("Location", path+"/"+item["id"].(string))
		s.reply(w, r, http.StatusCreated, item)
	default:
		s.reply(w, r, http.StatusOK, item)
	}
}

// decode turns any body into an object: JSON objects as they are, other JSON and text
// as one member.
func decode(body []byte) object {
	if len(body) == 0 {
		return object{}
	}
	var o object
	if json.Unmarshal(body, &o) == nil && o != nil {
		return o
	}
	var value any
	switch {
	case json.Unmarshal(body, &value) == nil:
		return object{"value": value}
	case utf8.Valid(body):
		return object{"body": string(body)}
	}
	return object{"bytes": len(body)}
}

func (s *Sandbox) refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	s.send(w, status, answer{Error: text, Environment: s.environment, Request: receive(r)})
}

func (s *Sandbox) reply(w http.ResponseWriter, r *http.Request, status int, data any) {
	s.send(w, status, answer{Data: data, Environment: s.environment, Request: receive(r)})
}

func (s *Sandbox) send(w http.ResponseWriter, status int, a answer) {
	body, err := json.Marshal(a)
	if err != nil { // everything in it came from JSON or is a string
		status, body = http.StatusInternalServerError, []byte(`{"error":"sandbox"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that is gone reads no answer
}

// receive notes what the request looked like.
func receive(r *http.Request) received {
	headers := make(map[string]string, len(r.Header)+1)
	lines := []string{"Host: " + r.Host}
	for name, values := range r.Header {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
		for _, v := range values {
			lines = append(lines, name+": "+v)
		}
	}
	headers["host"] = r.Host
	slices.Sort(lines)
	return received{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, headers, lines}
}
