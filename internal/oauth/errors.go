package oauth

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea"
)

// The error codes, with the document that has them.
const (
	codeInvalidRequest          = "invalid_request"           // RFC 6749 §5.2
	codeInvalidClient           = "invalid_client"            // RFC 6749 §5.2
	codeInvalidGrant            = "invalid_grant"             // RFC 6749 §5.2
	codeUnauthorizedClient      = "unauthorized_client"       // RFC 6749 §5.2
	codeUnsupportedGrantType    = "unsupported_grant_type"    // RFC 6749 §5.2
	codeInvalidScope            = "invalid_scope"             // RFC 6749 §5.2
	codeAccessDenied            = "access_denied"             // RFC 6749 §4.1.2.1
	codeUnsupportedResponseType = "unsupported_response_type" // RFC 6749 §4.1.2.1
	codeServerError             = "server_error"              // RFC 6749 §4.1.2.1
	codeTemporarilyUnavailable  = "temporarily_unavailable"   // RFC 6749 §4.1.2.1
	codeInvalidTarget           = "invalid_target"            // RFC 8707 §2
	codeUnsupportedTokenType    = "unsupported_token_type"    // RFC 7009 §2.2.1
	codeAuthorizationPending    = "authorization_pending"     // RFC 8628 §3.5
	codeSlowDown                = "slow_down"                 // RFC 8628 §3.5
	codeExpiredToken            = "expired_token"             // RFC 8628 §3.5
	codeInvalidDPoPProof        = "invalid_dpop_proof"        // RFC 9449 §5
)

// An Error is what an endpoint answers instead of what was asked for: RFC 6749 §5.2.
// Its texts are the program's own and never quote input.
type Error struct {
	Code        string
	Description string

	status int  // 0: 400
	basic  bool // challenge for Basic, which the caller used
	after  int  // seconds, for Retry-After; 0: none
	cause  error
}

// Error returns the code and the description.
func (e *Error) Error() string { return "oauth: " + e.Code + ": " + e.Description }

// Unwrap returns the private cause, for logs.
func (e *Error) Unwrap() error { return e.cause }

// refuse returns an error with status 400.
func refuse(code, description string) error { return &Error{Code: code, Description: description} }

// retryAfter is how many seconds a caller waits after "busy".
const retryAfter = 1

// errThrottled refuses an address with too many failed attempts. It says nothing about
// the present one.
var errThrottled = &Error{
	Code: codeTemporarilyUnavailable, Description: "too many failed attempts from this address", status: http.StatusTooManyRequests, after: 60,
}

// asError returns what a caller is told of an error. Whatever is not classified is a
// server error, without its cause.
func asError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	busy := &Error{
		Code: codeTemporarilyUnavailable, Description: "try again in a moment",
		status: http.StatusServiceUnavailable, after: retryAfter, cause: err,
	}
	switch cardea.KindOf(err) {
	case cardea.KindUnavailable, cardea.KindStorageFull:
		return busy
	}
	if isBusy(err) {
		return busy
	}
	return &Error{Code: codeServerError, Description: "internal error", status: http.StatusInternalServerError, cause: err}
}

// fail answers with an error. It is the only writer of errors that go to programs.
func (s *Server) fail(w http.ResponseWriter, r *request, err error) {
	e := asError(err)
	if e.cause != nil {
		s.log.LogAttrs(r.Context(), slog.LevelError, "oauth request failed",
			slog.String("request", r.id), slog.String("code", e.Code), slog.String("error", e.cause.Error()))
	}
	status := e.status
	if status == 0 {
		status = http.StatusBadRequest
	}
	if e.basic {
		w.Header().Set("WWW-Authenticate", `Basic realm="`+realm+`", charset="UTF-8"`)
	}
	if e.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.after))
	}
	s.answer(w, r, status, object{{"error", e.Code}, {"error_description", e.Description}})
}

// realm names what callers of the token endpoint authenticate for: RFC 9110 §11.5.
const realm = "token"

// An object is a JSON object whose members keep their order: pages print one. Members
// whose value is nil are left out.
type object []member

// A member is a name and a value.
type member struct {
	name  string
	value any
}

// text returns the object as JSON.
func (o object) text() ([]byte, error) {
	var buffer []byte
	buffer = append(buffer, '{')
	for _, m := range o {
		if m.value == nil {
			continue
		}
		if len(buffer) > 1 {
			buffer = append(buffer, ',')
		}
		var err error
		if buffer, err = jsontext.AppendQuote(buffer, m.name); err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value, json.Deterministic(true))
		if err != nil {
			return nil, err
		}
		buffer = append(append(buffer, ':'), value...)
	}
	return append(buffer, '}'), nil
}

// answer writes JSON that no cache may keep: RFC 6749 §5.1.
func (s *Server) answer(w http.ResponseWriter, r *request, status int, o object) {
	body, err := o.text()
	if err != nil {
		s.log.LogAttrs(r.Context(), slog.LevelError, "an answer is no JSON", slog.String("request", r.id), slog.String("error", err.Error()))
		status, body = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	s.write(w, r, status, body)
}

// write writes a finished JSON text.
func (s *Server) write(w http.ResponseWriter, r *request, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	h["Pragma"] = noCache
	h["X-Content-Type-Options"] = noSniff
	s.allowOrigin(h, r)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone, or it has its answer
}

// Header values that every answer has. They are shared, and never changed.
var (
	jsonType = []string{"application/json"}
	noStore  = []string{"no-store"}
	noCache  = []string{"no-cache"}
	noSniff  = []string{"nosniff"}
)
