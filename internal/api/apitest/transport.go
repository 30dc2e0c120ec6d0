package apitest

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A Transport sends requests on and holds both sides to the document:
//
//   - a response has a documented status and media type and matches its schema;
//   - a request that the document refuses is never accepted by the server;
//   - a request that needs a token and has none is answered 401.
//
// It is safe for concurrent use.
type Transport struct {
	t    testing.TB
	doc  *Document
	next http.RoundTripper

	mu   sync.Mutex
	seen map[string]int // :: operation id → successful calls
}

// Transport returns a transport that reports to t.
func (d *Document) Transport(t testing.TB, next http.RoundTripper) *Transport {
	return &Transport{t: t, doc: d, next: next, seen: map[string]int{}}
}

// Unused returns the ids of the operations that no successful call has used.
func (tr *Transport) Unused() []string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var ids []string
	for _, op := range tr.doc.Operations {
		if tr.seen[op.ID] == 0 {
			ids = append(ids, op.ID)
		}
	}
	return ids
}

// RoundTrip implements [http.RoundTripper].
func (tr *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := drain(&r.Body)
	if err != nil {
		return nil, err
	}
	resp, err := tr.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer, err := drain(&resp.Body)
	if err != nil {
		return nil, err
	}
	op, values := tr.doc.Find(r.Method, r.URL.Path)
	if op == nil {
		if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed && resp.StatusCode != http.StatusForbidden {
			tr.t.Errorf("%s %s is in no document and was answered %d", r.Method, r.URL.Path, resp.StatusCode)
		}
		return resp, nil
	}
	if err := tr.checkResponse(op, resp, answer); err != nil {
		tr.t.Errorf("%s: response %d breaks the document: %v\n%s", op.ID, resp.StatusCode, err, answer)
	}
	if resp.StatusCode/100 != 2 {
		return resp, nil
	}
	if err := tr.checkRequest(op, r, values, body); err != nil {
		tr.t.Errorf("%s: the document refuses this request, the server does not: %v\n%s", op.ID, err, body)
	}
	if !op.Open && r.Header.Get("Authorization") == "" {
		tr.t.Errorf("%s: succeeded without a token", op.ID)
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.seen[op.ID]++
	return resp, nil
}

// drain reads a body and puts it back.
func drain(body *io.ReadCloser) ([]byte, error) {
	if *body == nil {
		return nil, nil
	}
	text, err := io.ReadAll(*body)
	if err != nil {
		return nil, err
	}
	if err := (*body).Close(); err != nil {
		return nil, err
	}
	*body = io.NopCloser(bytes.NewReader(text))
	return text, nil
}

// checkRequest holds a request to its operation.
func (tr *Transport) checkRequest(op *Operation, r *http.Request, values map[string]string, body []byte) error {
	for name, all := range r.URL.Query() {
		p, ok := op.parameters[name]
		if !ok || p.in != "query" || len(all) != 1 {
			return fmt.Errorf("query parameter %s", name)
		}
		values[name] = all[0]
	}
	for name, text := range values {
		var value any = text
		if op.parameters[name].integer {
			n, err := strconv.Atoi(text)
			if err != nil {
				return fmt.Errorf("parameter %s is no integer", name)
			}
			value = n
		}
		if err := tr.doc.check(op.parameters[name].pointer, value); err != nil {
			return fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	if len(body) == 0 {
		if op.required {
			return fmt.Errorf("no body")
		}
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	if op.body == "" {
		if object, ok := value.(map[string]any); ok && len(object) == 0 {
			return nil // {} says nothing
		}
		return fmt.Errorf("the operation takes no body")
	}
	return tr.doc.check(op.body, value)
}

// checkResponse holds a response to its operation.
func (tr *Transport) checkResponse(op *Operation, resp *http.Response, body []byte) error {
	media, ok := op.responses[strconv.Itoa(resp.StatusCode)]
	if !ok && resp.StatusCode >= 400 {
		media, ok = op.responses["default"]
	}
	if !ok {
		return fmt.Errorf("the status is not documented")
	}
	if got := resp.Header.Get("Cache-Control"); got != "no-store" {
		return fmt.Errorf("Cache-Control is %q", got)
	}
	if resp.Header.Get("X-Request-Id") == "" {
		return fmt.Errorf("no X-Request-Id")
	}
	for name := range resp.Header {
		if len(name) > 15 && name[:15] == "Access-Control-" {
			return fmt.Errorf("the header %s invites browsers", name)
		}
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	pointer, ok := media[kind].(string)
	if !ok {
		return fmt.Errorf("the media type %s is not documented", kind)
	}
	if pointer == "" {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return tr.doc.check(pointer, value)
}
