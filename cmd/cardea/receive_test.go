package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// An inbox is what a script's receiver of webhooks got.
type inbox struct {
	mu      sync.Mutex
	text    strings.Builder
	arrived chan struct{}
}

// inboxes are those of the running scripts, by their work directory.
var inboxes sync.Map

// receiveScript is `receive`: starts a receiver of webhooks, which takes every message and
// writes the bodies, a line each, to $WORK/received; its URL is in RECEIVER. `receive TEXT…`
// waits until a message with the text has come.
func receiveScript(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		in := &inbox{arrived: make(chan struct{}, 1)}
		inboxes.Store(ts.MkAbs("."), in)
		receiver := httptest.NewServer(in.handler(ts.MkAbs("received")))
		ts.Defer(receiver.Close)
		ts.Setenv("RECEIVER", receiver.URL)
		return
	}
	found, ok := inboxes.Load(ts.MkAbs("."))
	if !ok {
		ts.Fatalf("receive: there is no receiver yet")
	}
	in, late := found.(*inbox), time.After(20*time.Second)
	for {
		in.mu.Lock()
		text := in.text.String()
		in.mu.Unlock()
		if strings.Contains(text, strings.Join(args, " ")) {
			return
		}
		select {
		case <-in.arrived:
		case <-late:
			ts.Fatalf("receive: nothing came with %q, but:\n%s", strings.Join(args, " "), text)
		}
	}
}

// handler takes messages.
func (in *inbox) handler(file string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		in.mu.Lock()
		defer in.mu.Unlock()
		in.text.Write(append(body, '\n'))
		if err != nil || os.WriteFile(file, []byte(in.text.String()), 0o600) != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		select {
		case in.arrived <- struct{}{}:
		default:
		}
	})
}
