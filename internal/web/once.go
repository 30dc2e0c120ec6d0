package web

import (
	"crypto/rand"
	"net/http"
	"sync"
)

// mostSent is how many sent forms are remembered: of the last hours, as a rule.
const mostSent = 4096

// A sent remembers forms that must not be sent twice: those whose answer is a new secret.
// A browser that reloads such an answer offers to send its form again, which would make
// another one. It is kept in memory: what a restart forgets was shown before it. It is
// safe for concurrent use.
type sent struct {
	mu    sync.Mutex
	known map[string]bool
	order []string // oldest first
}

// again reports whether a form was sent before. Its mark is the session's and the form's
// own random text; "" is never known.
func (s *sent) again(mark string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known[mark]
}

// add remembers a form.
func (s *sent) add(mark string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]bool{}
	}
	if s.known[mark] {
		return
	}
	s.known[mark], s.order = true, append(s.order, mark)
	if len(s.order) > mostSent {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
}

// Once returns the value of the part "once" of a form.
func (f Frame) Once() string { return rand.Text() }

// mark returns what a form is remembered by, "" for one that may be sent again.
func (v *Visit) mark() string {
	once := v.Form.Get("once")
	if once == "" || len(once) > 64 {
		return ""
	}
	return v.Session.ID + " " + once
}

// fresh refuses a form that was sent before and answered with a secret.
func (v *Visit) fresh() bool {
	if v.R.Method != http.MethodPost || !v.portal.sent.again(v.mark()) {
		return true
	}
	v.refuse(http.StatusConflict, "This was done already",
		"The form was sent a second time, perhaps by reloading the page. Nothing was made or changed again. What was shown is not shown twice.")
	return false
}
