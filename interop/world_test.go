package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A world is a running Cardea with clients to try.
type world struct {
	Base       string `json:"api"` // issuer, endpoints and API are all there
	Management string `json:"management"`
	Token      string `json:"management_token"`
	Org        string `json:"organization"`
	Users      []struct {
		Email        string `json:"email"`
		Password     string `json:"password"`
		Organization string `json:"organization"`
	} `json:"users"`
	AccountFile string `json:"service_account_file"`
	CA          string `json:"ca"`
	TLS         string `json:"tls"`
	Clients     map[string]struct {
		ID       string `json:"client_id"`
		Secret   string `json:"client_secret"`
		Redirect string `json:"redirect_uri"`
	} `json:"clients"`

	browser string // base URL of the person's browser
}

var (
	scratch string
	mu      sync.Mutex
	running []*exec.Cmd
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "cardea-interop-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	scratch = dir
	code := m.Run()
	for _, r := range running {
		_ = r.Process.Signal(syscall.SIGTERM) // its end is not what is tested
		_ = r.Wait()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// open returns the one world of all tests.
func open(t *testing.T) *world {
	t.Helper()
	w, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var start = sync.OnceValues(func() (*world, error) { return launch("world") })

// program builds the program once. CARDEA_PROGRAM names one that is built.
var program = sync.OnceValues(func() (string, error) {
	if name := os.Getenv("CARDEA_PROGRAM"); name != "" {
		return name, nil
	}
	name := filepath.Join(scratch, "cardea")
	build := exec.Command("go", "build", "-o", name, "./cmd/cardea")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return name, nil
})

// launch starts a world of its own, with more flags for `cardea dev`.
func launch(name string, flags ...string) (*world, error) {
	program, err := program()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(scratch, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	contract := filepath.Join(dir, "cardea.yaml")
	if err := writeContract(contract, "http://127.0.0.1:"+port); err != nil {
		return nil, err
	}
	return run(program, dir, contract, port, flags...)
}

// run runs `cardea dev` on a contract and returns when it is ready.
func run(program, dir, contract, port string, flags ...string) (*world, error) {
	readyFile := filepath.Join(dir, "ready.json")
	var output bytes.Buffer
	dev := exec.Command(program, append([]string{"dev", "-c", contract, "--listen", "127.0.0.1:" + port,
		"--management-listen", "127.0.0.1:0", "--ready-file", readyFile, "--data", filepath.Join(dir, "data")}, flags...)...)
	dev.Stdout, dev.Stderr = &output, &output
	if err := dev.Start(); err != nil {
		return nil, err
	}
	mu.Lock()
	running = append(running, dev)
	mu.Unlock()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(readyFile)
		if err == nil {
			w := &world{}
			if err := json.Unmarshal(text, w); err != nil {
				return nil, err
			}
			return w, w.openBrowser()
		}
		if !errors.Is(err, os.ErrNotExist) || time.Now().After(deadline) {
			return nil, fmt.Errorf("cardea dev is not ready: %w\n%s", err, output.String())
		}
	}
}

// freePort returns a port that was free a moment ago: the issuer's URL is written into
// the contract before anything listens there.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// writeContract writes the contract for one origin: issuer, audience and every endpoint
// are there.
func writeContract(name, origin string) error {
	text, err := os.ReadFile("../examples/conformance/cardea.yaml")
	if err != nil {
		return err
	}
	var out strings.Builder
	skip := false
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "hosts:"):
			skip = true // and the indented lines below
			continue
		case skip && (strings.HasPrefix(line, " ") || strings.TrimSpace(line) == ""):
			continue
		}
		skip = false
		switch {
		case strings.HasPrefix(line, "issuer:"):
			line = "issuer: " + origin + "\n"
		case strings.HasPrefix(line, "audience:"):
			line = "audience: " + origin + "\n"
		}
		out.WriteString(strings.ReplaceAll(line, "host: auth, ", ""))
	}
	return os.WriteFile(name, []byte(out.String()), 0o600)
}

// A registration is the input of POST /v1/clients.
type registration struct {
	Organization   string          `json:"organization"`
	Environment    string          `json:"environment"`
	Name           string          `json:"name"`
	Grants         []string        `json:"grants,omitempty"`
	Authentication []string        `json:"authentication,omitempty"`
	Public         bool            `json:"public,omitempty"`
	RedirectURIs   []string        `json:"redirect_uris,omitempty"`
	Scopes         []string        `json:"scopes,omitempty"`
	JWKS           json.RawMessage `json:"jwks,omitempty"`
}

// redirect is registered for every client; any port of it will do (RFC 8252 §7.3).
const redirect = "http://127.0.0.1/callback"

// register creates a client and returns its id and secret.
func (w *world) register(t *testing.T, r registration) (id, secret string) {
	t.Helper()
	r.Organization, r.Environment = w.Org, "live"
	if r.Name == "" {
		r.Name = t.Name()
	}
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, w.Management+"/v1/clients", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var made struct {
		Client struct {
			ID string `json:"id"`
		} `json:"client"`
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal(text, &made); err != nil || made.Client.ID == "" {
		t.Fatalf("no client: %s", text)
	}
	return made.Client.ID, made.Secret
}
