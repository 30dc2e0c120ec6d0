package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// receiveScript is `receive`: starts a receiver of webhooks, which takes every message and
// appends its body, a line, to $WORK/received; its URL is in RECEIVER. `receive TEXT…` waits
// until a message with the text has come.
func receiveScript(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs("received")
	if len(args) == 0 {
		receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			defer f.Close()
			_, _ = f.Write(append(body, '\n'))
		}))
		ts.Defer(receiver.Close)
		ts.Setenv("RECEIVER", receiver.URL)
		return
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		text, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(text), strings.Join(args, " ")) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("receive: nothing came with %q, but:\n%s", strings.Join(args, " "), text)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
