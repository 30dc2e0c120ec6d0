package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The receivers that docs/webhooks.md shows, in three languages, take what Cardea sends and
// refuse what it did not send: a forged message, one that was kept for too long, one whose
// body was changed.
func TestReceiversOfTheDocumentVerify(t *testing.T) {
	w := open(t)
	text, err := os.ReadFile("../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	python, err := filepath.Abs("python/.venv/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	for language, command := range map[string]func(program string) *exec.Cmd{
		"python": func(program string) *exec.Cmd { return fromInput("python", program, python, "-") },
		"js":     func(program string) *exec.Cmd { return fromInput("js", program, "node", "--input-type=module", "-") },
		"go": func(program string) *exec.Cmd {
			dir := t.TempDir()
			name, built := filepath.Join(dir, "main.go"), filepath.Join(dir, "receiver")
			if err := os.WriteFile(name, []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("go", "build", "-o", built, name).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			return exec.Command(built)
		},
	} {
		t.Run(language, func(t *testing.T) {
			blocks := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(text, -1)
			if len(blocks) != 1 {
				t.Fatalf("%d programs in the document", len(blocks))
			}
			receive(t, w, command(string(blocks[0][1])))
		})
	}
}

// fromInput returns a command that reads its program from standard input, in a folder whose
// packages it finds.
func fromInput(dir, program, command string, args ...string) *exec.Cmd {
	c := exec.Command(command, args...)
	c.Dir, c.Stdin = dir, strings.NewReader(program)
	return c
}

// manage calls the management API and decodes its answer.
func (w *world) manage(t *testing.T, method, path string, in, out any) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if in == nil {
		body = nil
	}
	r, err := http.NewRequestWithContext(t.Context(), method, w.Management+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.Token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode > 299 {
		t.Fatalf("%s %s: %d %s %v", method, path, answer.StatusCode, text, err)
	}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
}

// receive runs a receiver and sends it what it must take, and what it must not.
func receive(t *testing.T, w *world, receiver *exec.Cmd) {
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	url := "http://127.0.0.1:" + port
	var made struct {
		Webhook struct{ ID string }
		Secret  string
	}
	w.manage(t, http.MethodPost, "/v1/webhooks", map[string]any{"organization": w.Org, "url": url, "events": []string{"credential.created"}}, &made)
	var output bytes.Buffer
	receiver.Env = append(os.Environ(), "PORT="+port, "WEBHOOK_SECRET="+made.Secret, "NODE_NO_WARNINGS=1")
	receiver.Stdout, receiver.Stderr = &output, &output
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop := func() string {
		if !stopped {
			stopped = true
			_ = receiver.Process.Kill()
			_ = receiver.Wait() // it was killed
		}
		return output.String()
	}
	defer stop()
	awaitReceiver(t, url, stop)

	type delivery struct {
		ID, Message, Status string
		Payload             json.RawMessage
		Attempts            []struct{ Status int }
	}
	settle := func(d delivery, attempts int) delivery {
		for deadline := time.Now().Add(20 * time.Second); len(d.Attempts) < attempts && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			w.manage(t, http.MethodGet, "/v1/webhook-deliveries/"+d.ID, nil, &d)
		}
		if d.Status != "delivered" || d.Attempts[attempts-1].Status != http.StatusNoContent {
			t.Fatalf("delivery %+v\n%s", d, stop())
		}
		return d
	}
	var sent delivery
	w.manage(t, http.MethodPost, "/v1/webhooks/"+made.Webhook.ID+"/test", struct{}{}, &sent)
	sent = settle(sent, 1)
	w.manage(t, http.MethodPost, "/v1/webhook-deliveries/"+sent.ID+"/redeliver", struct{}{}, &sent)
	settle(sent, 2)
	var next struct{ Secret string }
	w.manage(t, http.MethodPost, "/v1/webhooks/"+made.Webhook.ID+"/rotate", struct{}{}, &next)
	w.manage(t, http.MethodPost, "/v1/webhooks/"+made.Webhook.ID+"/test", struct{}{}, &sent)
	settle(sent, 1) // the receiver has the old secret still

	now := time.Now().Unix()
	for what, header := range map[string]map[string]string{
		"no headers":      {},
		"no signature":    {"webhook-id": "msg_1", "webhook-timestamp": strconv.FormatInt(now, 10), "webhook-signature": ""},
		"a forgery":       {"webhook-id": "msg_1", "webhook-timestamp": strconv.FormatInt(now, 10), "webhook-signature": "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="},
		"a changed body":  signed(made.Secret, "msg_1", now, `{"type":"webhook.test","data":{"n":2}}`),
		"another secret":  signed(next.Secret, "msg_1", now, forged),
		"an old message":  signed(made.Secret, "msg_1", now-400, forged),
		"one from later":  signed(made.Secret, "msg_1", now+400, forged),
		"an id exchanged": with(signed(made.Secret, "msg_1", now, forged), "webhook-id", "msg_2"),
	} {
		if status := post(t, url, header); status < 400 {
			t.Errorf("%s: %d", what, status)
		}
	}
	if status := post(t, url, signed(made.Secret, "msg_1", now, forged)); status != http.StatusNoContent {
		t.Errorf("what proves that the others were refused for their faults: %d", status)
	}
	var deleted struct{}
	w.manage(t, http.MethodDelete, "/v1/webhooks/"+made.Webhook.ID, nil, &deleted)
	if out := stop(); strings.Count(out, "webhook.test") != 2+1 {
		t.Errorf("a message that came twice was taken twice, or one was not taken:\n%s", out)
	}
}

// awaitReceiver waits until somebody listens.
func awaitReceiver(t *testing.T, url string, stop func() string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		answer, err := http.Post(url, "application/json", strings.NewReader("{}"))
		if err == nil {
			answer.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the receiver does not listen\n%s", stop())
		}
	}
}

// forged is the body of the messages that the test makes itself.
const forged = `{"type":"webhook.test","timestamp":"2026-11-22T10:00:00Z","data":{"n":1}}`

// post sends forged with headers and returns the status.
func post(t *testing.T, url string, header map[string]string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(forged))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// with returns headers with one of them changed.
func with(header map[string]string, name, value string) map[string]string {
	header[name] = value
	return header
}

// signed returns the headers of a message, made with openssl: nobody's code but theirs.
func signed(secret, id string, at int64, body string) map[string]string {
	stamp := strconv.FormatInt(at, 10)
	c := exec.Command("sh", "-c", `key=$(printf %s "$SECRET" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
printf %s "$CONTENT" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A`)
	c.Env = append(os.Environ(), "SECRET="+strings.TrimPrefix(secret, "whsec_"), "CONTENT="+id+"."+stamp+"."+body)
	out, err := c.Output()
	if err != nil {
		panic(fmt.Sprintf("openssl: %v", err))
	}
	return map[string]string{"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": "v1," + string(out)}
}
