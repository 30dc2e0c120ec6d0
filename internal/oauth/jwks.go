package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// jwksAge is how long a key set may be kept: as long as a new key is published before it
// signs, so that nobody meets a token whose key they cannot know.
const jwksAge = "public, max-age=900"

// serveJWKS answers with the public keys of every environment: RFC 7517 §5.
func (s *Server) serveJWKS(w http.ResponseWriter, r *request) {
	if s.cfg.Keys == nil {
		s.fail(w, r, errUnavailable)
		return
	}
	// A set that is not whole yet must not be kept by anybody.
	if err := s.cfg.Keys.Ensure(r.Context()); err != nil {
		s.fail(w, r, &Error{
			Code: codeTemporarilyUnavailable, Description: "try again in a moment", status: http.StatusServiceUnavailable, after: retryAfter, cause: err,
		})
		return
	}
	s.publishText(w, r, s.cfg.Keys.JWKS(), jwksAge)
}

// publishText answers with a JSON text that everybody may read and keep for a while, or
// with 304 when the reader has it (RFC 9110 §13.1.2).
func (s *Server) publishText(w http.ResponseWriter, r *request, body []byte, age string) {
	sum := sha256.Sum256(body)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	h := w.Header()
	h["Content-Type"] = jsonType
	h["X-Content-Type-Options"] = noSniff
	h.Set("Cache-Control", age)
	h.Set("ETag", tag)
	s.allowOrigin(h, r)
	if knows(r.Header["If-None-Match"], tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the reader is gone, or it is not
	}
}

// knows reports whether a list of entity tags holds one, weakly compared.
func knows(lines []string, tag string) bool {
	for _, line := range lines {
		list := strings.Split(line, ",")
		if slices.ContainsFunc(list, func(one string) bool {
			one = strings.TrimSpace(one)
			return one == "*" || strings.TrimPrefix(one, "W/") == tag
		}) {
			return true
		}
	}
	return false
}
