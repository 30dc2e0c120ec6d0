package api

import (
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
)

// A problem is the body of every error answer (RFC 9457).
type problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail,omitzero"`
	Errors    []fieldError `json:"errors,omitzero"`
	RequestID string       `json:"request_id"`
}

// A fieldError says what is wrong with one member of the input.
type fieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// problemType is the start of every problem's type. The rest is one of the names in
// kinds and of the transport errors; clients decide by it, or by the status.
const problemType = "urn:cardea:problem:"

// kinds holds status, name and title by kind of error.
var kinds = map[cardea.Kind]struct {
	status      int
	name, title string
}{
	cardea.KindInternal:     {http.StatusInternalServerError, "internal", "Internal error"},
	cardea.KindInvalid:      {http.StatusBadRequest, "invalid", "Invalid request"},
	cardea.KindUnauthorized: {http.StatusUnauthorized, "unauthorized", "Not authenticated"},
	cardea.KindForbidden:    {http.StatusForbidden, "forbidden", "Not allowed"},
	cardea.KindNotFound:     {http.StatusNotFound, "not_found", "Not found"},
	cardea.KindConflict:     {http.StatusConflict, "conflict", "Conflict with the current state"},
	cardea.KindUnavailable:  {http.StatusServiceUnavailable, "unavailable", "Temporarily unavailable"},
	cardea.KindStorageFull:  {http.StatusInsufficientStorage, "storage_full", "No room left to write"},
}

// A transportError is a fault of the HTTP request that no use case knows of.
type transportError struct {
	status       int
	name, detail string
}

// Error returns the text for the log.
func (e *transportError) Error() string { return e.detail }

// problemOf returns what to answer for an error. Whatever nobody classified becomes
// a 500 without a text.
func problemOf(err error) problem {
	var te *transportError
	var throttled *manage.ThrottledError
	switch {
	case errors.As(err, &throttled):
		return problem{Type: problemType + "too_many_attempts", Title: http.StatusText(http.StatusTooManyRequests),
			Status: http.StatusTooManyRequests, Detail: throttled.Error()}
	case errors.As(err, &te):
		return problem{Type: problemType + te.name, Title: http.StatusText(te.status), Status: te.status, Detail: te.detail}
	}
	found := manage.Problems(err)
	if len(found) == 0 {
		found = []*cardea.Error{{Kind: cardea.KindInternal}}
	}
	kind := kinds[found[0].Kind]
	p := problem{Type: problemType + kind.name, Title: kind.title, Status: kind.status, Detail: found[0].Public}
	for _, e := range found {
		if e.Field != "" {
			p.Errors = append(p.Errors, fieldError{Field: e.Field, Detail: e.Public})
		}
	}
	if len(p.Errors) > 0 {
		p.Detail = "The request has members that cannot be accepted."
	}
	return p
}

// fail answers with an error, and logs it when it is Cardea's own or somebody without a
// token that works.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	p.RequestID = idOf(r)
	header := w.Header()
	var throttled *manage.ThrottledError
	switch {
	case p.Status == http.StatusUnauthorized:
		header.Set("WWW-Authenticate", `Bearer realm="cardea management"`)
	case p.Status == http.StatusServiceUnavailable:
		header.Set("Retry-After", "1")
	case errors.As(err, &throttled):
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(throttled.Wait.Seconds()))))
	}
	h.log(r, p, err)
	body, err := json.Marshal(p)
	if err != nil { // cannot be: strings and numbers only
		body = []byte(`{}`)
	}
	header.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client is gone; nobody is left to tell
}

// log logs failures that concern the operator: those inside Cardea, with their cause,
// and failed attempts to authenticate, without what was presented.
func (h *Handler) log(r *http.Request, p problem, err error) {
	level, message := slog.LevelError, "management request failed"
	switch {
	case p.Status == http.StatusUnauthorized, p.Status == http.StatusTooManyRequests:
		level, message = slog.LevelWarn, "management authentication failed"
	case p.Status < 500:
		return
	}
	h.logger.LogAttrs(r.Context(), level, message,
		slog.String("request_id", p.RequestID), slog.String("operation", r.Pattern), slog.Int("status", p.Status),
		slog.String("client", peerOf(r).String()), slog.Any("error", err))
}
