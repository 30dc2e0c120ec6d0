package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// reserved is the part of a path behind which the helpers are.
const reserved = "/__sandbox/"

// Bounds of the helpers.
const (
	maxDelay = 5 * time.Minute
	maxSize  = 1 << 30 // bytes
)

// help answers a helper:
//
//	status/{code}   answers with that status
//	delay/{ms}      answers after so many milliseconds
//	bytes/{n}       answers with n bytes; with ?chunked, without saying how many
//	count           reads the whole body and tells its length and SHA-256
//	sse             sends a server-sent event every ?ms (default 100), ?n times (default 10)
//	trailers        answers with a trailer, X-Sandbox-Trailer, and shows those received
//	ws              echoes the messages of a WebSocket
//	abort           ends the connection half-way through a body
func (s *Sandbox) help(w http.ResponseWriter, r *http.Request, path string) {
	name, argument, _ := strings.Cut(path, "/")
	n, err := strconv.Atoi(argument)
	if argument != "" && (err != nil || n < 0) {
		s.refuse(w, r, http.StatusNotFound, "no such helper")
		return
	}
	switch name {
	case "status":
		s.helpStatus(w, r, n)
	case "delay":
		if s.pause(r, time.Duration(n)*time.Millisecond) {
			s.reply(w, r, http.StatusOK, object{"delayed_ms": n})
		}
	case "bytes":
		helpBytes(w, r, min(n, maxSize))
	case "count":
		s.helpCount(w, r)
	case "sse":
		s.helpEvents(w, r)
	case "trailers":
		s.helpTrailers(w, r)
	case "ws":
		s.helpWebSocket(w, r)
	case "abort":
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"data":"half of `)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	default:
		s.refuse(w, r, http.StatusNotFound, "no such helper")
	}
}

func (s *Sandbox) helpStatus(w http.ResponseWriter, r *http.Request, code int) {
	switch {
	case code < 200 || code > 599:
		s.refuse(w, r, http.StatusBadRequest, "status must be 200 to 599")
	case code == http.StatusNoContent || code == http.StatusNotModified:
		w.WriteHeader(code)
	default:
		s.reply(w, r, code, object{"status": code})
	}
}

// pause waits, and reports whether the client still does.
func (s *Sandbox) pause(r *http.Request, d time.Duration) bool {
	t := time.NewTimer(min(d, maxDelay))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func helpBytes(w http.ResponseWriter, r *http.Request, n int) {
	w.Header().Set("Content-Type", "application/octet-stream")
	if !r.URL.Query().Has("chunked") {
		w.Header().Set("Content-Length", strconv.Itoa(n))
	}
	_, _ = io.CopyN(w, pattern{}, int64(n)) // a client that is gone needs no more
}

// pattern is an endless source of bytes.
type pattern struct{}

// Read implements [io.Reader].
func (pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'a' + byte(i%26)
	}
	return len(b), nil
}

func (s *Sandbox) helpCount(w http.ResponseWriter, r *http.Request) {
	hash := sha256.New()
	n, err := io.Copy(hash, r.Body)
	if err != nil {
		s.refuse(w, r, http.StatusBadRequest, "unreadable body")
		return
	}
	s.reply(w, r, http.StatusOK, object{"bytes": n, "sha256": hex.EncodeToString(hash.Sum(nil))})
}

func (s *Sandbox) helpEvents(w http.ResponseWriter, r *http.Request) {
	interval, count := 100, 10
	if v, err := strconv.Atoi(r.URL.Query().Get("ms")); err == nil && v >= 0 {
		interval = v
	}
	if v, err := strconv.Atoi(r.URL.Query().Get("n")); err == nil && v >= 0 {
		count = v
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w)
	for i := range count {
		if i > 0 && !s.pause(r, time.Duration(interval)*time.Millisecond) {
			return
		}
		if _, err := fmt.Fprintf(w, "id: %d\ndata: {\"event\":%d}\n\n", i, i); err != nil {
			return
		}
		if err := flush.Flush(); err != nil {
			return
		}
	}
}

func (s *Sandbox) helpTrailers(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		s.refuse(w, r, http.StatusBadRequest, "unreadable body")
		return
	}
	got := object{}
	for name, values := range r.Trailer {
		got[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	w.Header().Set("Trailer", "X-Sandbox-Trailer")
	s.reply(w, r, http.StatusOK, object{"trailers": got})
	w.Header().Set("X-Sandbox-Trailer", "sent after the body")
}
