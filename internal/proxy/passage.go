package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// A passage is one allowed request on its way to the upstream and back: what
// arrived, what Cardea changes about it, and how far it came. A passage belongs to
// one goroutine.
type passage struct {
	w  http.ResponseWriter
	r  *http.Request
	up *upstream

	target  string        // request target, forwarded byte for byte behind the prefix
	names   *nameSet      // which request headers stay behind
	own     []field       // what the upstream is told, in exact spelling
	replies *nameSet      // which response headers of the upstream stay behind
	reply   []field       // headers of every answer to the client, in exact spelling
	timeout time.Duration // until the upstream's response header
	maxBody int64         // bytes of request body; 0: no limit

	shared  bool  // somebody else may still hold it when the passage is over
	started bool  // the client has been sent a final status
	status  int   // that status
	written int64 // bytes of body sent to the client
}

// The ways a passage fails. While it has not started, the client can still be told.
var (
	errUpstream = errors.New("proxy: the upstream failed or answered garbage")
	errTimeout  = errors.New("proxy: the upstream took too long")
	errTooLarge = errors.New("proxy: the request body is larger than the route allows")
	errBody     = errors.New("proxy: the request body could not be read")
	errGone     = errors.New("proxy: the client went away")
)

// decorate sets Cardea's own headers of a response. Assigning map keys keeps their
// case; Vary is a list that the upstream may have begun.
//
// After a chunked request of HTTP/1 the connection is closed. It may have stated a
// length as well: net/http then rightly believes the coding and forgets the length,
// so that it cannot be seen here, but whoever stands in front may have believed the
// length, and sees the next request begin elsewhere (RFC 9112 §6.1 demands the close).
func (p *passage) decorate(h http.Header) {
	if p.r.ContentLength < 0 && p.r.ProtoMajor == 1 {
		h["Connection"] = []string{"close"}
	}
	values := make([]string, len(p.reply))
	for i, f := range p.reply {
		if f.name == "Vary" {
			h["Vary"] = append(h["Vary"], f.value)
			continue
		}
		values[i] = f.value
		h[f.name] = values[i : i+1 : i+1]
	}
}

// A failure is a way a passage fails together with what exactly happened, for the log.
type failure struct {
	kind  error // one of the errors above
	cause error
}

func (f *failure) Error() string   { return f.kind.Error() + ": " + f.cause.Error() }
func (f *failure) Unwrap() []error { return []error{f.kind, f.cause} }

// fail wraps what happened; a nil cause gives the kind alone.
func fail(kind, cause error) error {
	if cause == nil {
		return kind
	}
	return &failure{kind, cause}
}

// bodyError says why reading the client's body failed: too much of it, a client that
// is gone, or one that broke its own framing.
func bodyError(ctx context.Context, err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return errTooLarge
	case ctx.Err() != nil || errors.Is(err, io.ErrUnexpectedEOF):
		return fail(errGone, err)
	}
	return fail(errBody, err)
}

// idempotent reports whether a method may be sent again when nobody knows whether the
// first attempt arrived (RFC 9110 §9.2.2).
func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
