package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cardea-dev/cardea/internal/dev"
)

// TestScripts runs the command line's scripts: each reads as a page of a manual.
func TestScripts(t *testing.T) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("EXAMPLES", examples)
			e.Values[running{}] = &process{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"dev": devScript, "serve": serveScript, "stop": stopScript, "signal": signalScript, "logged": loggedScript,
			"exits": exitsScript, "call": callScript, "clock": clockScript, "capture": captureScript, "receive": receiveScript,
		},
	})
}

// running is the key under which a script keeps its server.
type running struct{}

// serverOf returns the script's server.
func serverOf(ts *testscript.TestScript) *process { return ts.Value(running{}).(*process) }

// devScript is `dev [flag…]`: starts `cardea dev` on free ports and waits until it is
// ready. It sets API, CARDEA_URL, CARDEA_TOKEN, ORG, CA and TLS, and for every secret a
// variable such as API_KEY_LIVE.
func devScript(ts *testscript.TestScript, _ bool, args []string) {
	readyFile := ts.MkAbs("ready.json")
	p := serverOf(ts)
	p.start(ts, append([]string{"dev", "--listen", "127.0.0.1:0", "--ready-file", readyFile}, args...))
	p.await(ts, "Stop with Ctrl-C")

	text, err := os.ReadFile(readyFile)
	ts.Check(err)
	var r dev.Ready
	ts.Check(json.Unmarshal(text, &r))
	for name, value := range map[string]string{
		"API": r.API, "CARDEA_URL": r.Management, "CARDEA_TOKEN": r.ManagementToken, "ORG": r.Organization, "CA": r.CA, "TLS": r.TLS,
	} {
		ts.Setenv(name, value)
	}
	for kind, byEnvironment := range r.Secrets {
		for environment, secret := range byEnvironment {
			ts.Setenv(strings.ToUpper(kind+"_"+environment), secret)
		}
	}
}

// serveScript is `serve [flag…]`: starts `cardea serve` on free ports with the data
// directory $WORK/data and waits until it listens. It sets API, TLS, CARDEA_URL and
// CARDEA_TOKEN.
func serveScript(ts *testscript.TestScript, _ bool, args []string) {
	p := serverOf(ts)
	p.start(ts, append([]string{
		"serve", "--listen", "127.0.0.1:0", "--management-listen", "127.0.0.1:0", "--data", ts.MkAbs("data"),
	}, args...))
	for _, line := range p.await(ts, `"door":"management"`) {
		var entry struct{ Msg, Door, Address string }
		if json.Unmarshal([]byte(line), &entry) != nil || entry.Msg != "listening" {
			continue
		}
		switch entry.Door {
		case "api":
			ts.Setenv("API", "http://"+entry.Address)
		case "api-tls":
			ts.Setenv("TLS", entry.Address)
		case "management":
			ts.Setenv("CARDEA_URL", "http://"+entry.Address)
		}
	}
	token, err := os.ReadFile(ts.MkAbs("data/management.token"))
	ts.Check(err)
	ts.Setenv("CARDEA_TOKEN", strings.TrimSpace(string(token)))
}

// stopScript is `stop`: asks the server to end and waits for it.
func stopScript(ts *testscript.TestScript, _ bool, _ []string) { serverOf(ts).stop(ts) }

// signalScript is `signal HUP`: sends the server a signal.
func signalScript(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(serverOf(ts).command.Process.Signal(map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM}[args[0]]))
}

// loggedScript is `logged TEXT…`: waits until the server has written a line with the
// text since the last `logged`.
func loggedScript(ts *testscript.TestScript, _ bool, args []string) {
	serverOf(ts).await(ts, strings.Join(args, " "))
}

// exitsScript is `exits CODE COMMAND…`: runs a command that must end with the code.
func exitsScript(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var failed *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &failed) {
		got = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// callScript is `call METHOD URL [HEADER…]`: sends a request and writes status line,
// headers with their exact case, and body to standard output.
func callScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: call METHOD URL [HEADER…]")
	}
	text, err := rawCall(args[0], args[1], args[2:])
	ts.Check(err)
	_, err = ts.Stdout().Write([]byte(text))
	ts.Check(err)
}

// clockScript is `clock DURATION`: moves the server's clock.
func clockScript(ts *testscript.TestScript, _ bool, args []string) {
	body := strings.NewReader(fmt.Sprintf(`{"advance": %q}`, args[0]))
	req, err := http.NewRequest(http.MethodPost, ts.Getenv("CARDEA_URL")+"/v1/dev/clock", body)
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+ts.Getenv("CARDEA_TOKEN"))
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		ts.Fatalf("clock: %s", resp.Status)
	}
}

// captureScript is `capture VARIABLE MEMBER…`: sets a variable to a member of the JSON
// object, or of the first object of the JSON array, that the last command printed. With
// "header NAME" in place of members it takes a response header.
func captureScript(ts *testscript.TestScript, _ bool, args []string) {
	out := ts.ReadFile("stdout")
	if args[1] == "header" {
		for line := range strings.Lines(out) {
			if name, value, _ := strings.Cut(line, ": "); strings.EqualFold(name, args[2]) {
				ts.Setenv(args[0], strings.TrimSpace(value))
				return
			}
		}
		ts.Fatalf("capture: no header %s", args[2])
	}
	var v any
	ts.Check(json.Unmarshal([]byte(out), &v))
	if all, ok := v.([]any); ok && len(all) > 0 {
		v = all[0]
	}
	for _, member := range args[1:] {
		object, _ := v.(map[string]any)
		v = object[member]
	}
	text, ok := v.(string)
	if !ok {
		ts.Fatalf("capture: no text at %v", args[1:])
	}
	ts.Setenv(args[0], text)
}
