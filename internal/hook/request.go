package hook

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/fetch"
)

// maxAnswer bounds what a service may answer.
const maxAnswer = 64 << 10

// message is the question as it goes over the wire.
type message struct {
	Type      string          `json:"type"` // "request.authorize"
	Timestamp string          `json:"timestamp"`
	Request   messageRequest  `json:"request"`
	Principal *messageSubject `json:"principal,omitzero"` // absent: no credential was sent
}

type messageRequest struct {
	ID          string              `json:"id"`
	Method      string              `json:"method"`
	Host        string              `json:"host"`
	Path        string              `json:"path"`
	Query       map[string][]string `json:"query"`
	Headers     map[string]string   `json:"headers"` // names in lower case
	Address     string              `json:"address"`
	Environment string              `json:"environment"`
	Route       string              `json:"route"`
}

type messageSubject struct {
	Subject      string   `json:"subject"`
	Organization string   `json:"organization"`
	Credential   string   `json:"credential"`
	Kind         string   `json:"kind"`
	Plan         string   `json:"plan"`
	Scopes       []string `json:"scopes"`
}

// post asks a service by HTTP.
func (a *Asker) post(ctx context.Context, h *contract.Hook, q Question) (Answer, error) {
	now := a.config.Now()
	// A stranger's header may hold any bytes; that must not keep the question back.
	body, err := json.Marshal(q.message(now), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return Answer{}, fmt.Errorf("hook: encode the question: %w", err)
	}
	response, err := a.config.Fetch.Post(ctx, h.URL, "application/json", body, Sign("msg_"+rand.Text(), now, body, a.config.Sign), fetch.Options{
		MaxBytes: maxAnswer, Timeout: h.Timeout, Accept: "application/json",
		// The contract names the address, and its text is trusted: a hook usually runs
		// beside the API. Plain http it names on loopback only.
		AllowPrivate: true, AllowHTTP: strings.HasPrefix(h.URL, "http://"),
	})
	if err != nil {
		return Answer{}, fmt.Errorf("hook: ask: %w", err)
	}
	answer, err := parse(response)
	if err != nil {
		a.config.Logger.WarnContext(ctx, "a hook's answer is not understood",
			slog.String("hook", h.Match), slog.String("request_id", q.RequestID), slog.Any("error", err))
		return Answer{}, err
	}
	return answer, nil
}

// message returns the question as it goes over the wire.
func (q *Question) message(now time.Time) message {
	m := message{
		Type: "request.authorize", Timestamp: now.UTC().Format(time.RFC3339Nano),
		Request: messageRequest{
			ID: q.RequestID, Method: q.Method, Host: q.Host, Path: q.Path, Query: q.Query, Headers: flat(q.Header),
			Address: q.ClientAddress, Environment: q.Environment, Route: q.Route,
		},
	}
	if m.Request.Query == nil {
		m.Request.Query = url.Values{}
	}
	if p := q.Principal; p != nil {
		m.Principal = &messageSubject{p.Subject, p.Organization, p.Credential, p.Kind, p.Plan, p.Scopes}
	}
	return m
}

// secretHeaders are never sent on: they carry credentials, of Cardea or of others.
var secretHeaders = map[string]bool{
	"Authorization": true, "Proxy-Authorization": true, "Cookie": true, "Set-Cookie": true, "Dpop": true,
	"X-Api-Key": true, "X-Apikey": true, "X-Admintoken": true, "X-Auth-Token": true, "X-Access-Token": true,
	"X-Csrf-Token": true, "X-Amz-Security-Token": true, "Www-Authenticate": true, "Proxy-Authenticate": true,
}

// flat returns a header with names in lower case and one value for each, without what
// carries credentials.
func flat(h http.Header) map[string]string {
	out := make(map[string]string, len(h))
	for name, values := range h {
		if !secretHeaders[http.CanonicalHeaderKey(name)] {
			out[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	return out
}
