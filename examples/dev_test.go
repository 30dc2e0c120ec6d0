package examples_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// binary builds the program once for all tests and returns its path.
var binary = sync.OnceValues(func() (string, error) {
	name := filepath.Join(scratch, "cardea")
	build := exec.Command("go", "build", "-o", name, "../cmd/cardea")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	// The name under which a page's own command line is called.
	if err := os.Symlink(name, filepath.Join(scratch, "coho")); err != nil {
		return "", err
	}
	return name, lookAtSources()
})

// lookAtSources reads every directory of the module. The go command keeps a test's result
// until something changes that the test has looked at; what only the build looked at
// does not count.
func lookAtSources() error {
	return filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		return err
	})
}

// A ready is what `cardea dev --ready-file` writes.
type ready struct {
	API             string                       `json:"api"`
	Management      string                       `json:"management"`
	ManagementToken string                       `json:"management_token"`
	CA              string                       `json:"ca"`
	TLS             string                       `json:"tls"`
	Organization    string                       `json:"organization"`
	Secrets         map[string]map[string]string `json:"secrets"`
	Users           []user                       `json:"users"`
	Clients         map[string]client            `json:"clients"`
	AccountFile     string                       `json:"service_account_file"`
	Issuer          string                       `json:"issuer"`
	IssuerTLS       string                       `json:"issuer_tls"`
}

// A user is a person who can sign in.
type user struct {
	Email        string `json:"email"`
	Password     string `json:"password"`
	Organization string `json:"organization"`
}

// A client is an OAuth client.
type client struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	RedirectURI  string `json:"redirect_uri"`
}

// A dev is a running `cardea dev`.
type dev struct {
	ready
	process *exec.Cmd
	output  *bytes.Buffer // standard output and error; whole after the end
	ended   chan error
}

// startDev runs `cardea dev` with a contract on free ports and waits until it is ready.
func startDev(dir, contract string, args ...string) (*dev, error) {
	program, err := binary()
	if err != nil {
		return nil, err
	}
	readyFile := filepath.Join(dir, "ready.json")
	if err := os.Remove(readyFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	args = append([]string{
		"dev", "-c", contract, "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0", "--ready-file", readyFile,
	}, args...)
	d := &dev{process: exec.Command(program, args...), output: new(bytes.Buffer), ended: make(chan error, 1)}
	d.process.Dir = dir
	d.process.Stdout, d.process.Stderr = d.output, d.output
	if err := d.process.Start(); err != nil {
		return nil, err
	}
	go func() { d.ended <- d.process.Wait() }()
	if err := d.await(readyFile); err != nil {
		_ = d.process.Process.Kill() // already failed: the error says how
		return nil, err
	}
	return d, nil
}

// await reads the ready file once it is there. Its writer renames it into place, so what
// is there is whole.
func (d *dev) await(readyFile string) error {
	deadline := time.After(30 * time.Second)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		select {
		case err := <-d.ended:
			d.ended <- err
			return fmt.Errorf("cardea dev ended (%w) before it was ready:\n%s", errors.Join(err, errEnded), d.output)
		case <-deadline:
			return errors.New("cardea dev was not ready within 30 s")
		case <-poll.C:
			text, err := os.ReadFile(readyFile)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			return json.Unmarshal(text, &d.ready)
		}
	}
}

var errEnded = errors.New("ended")

// stop asks the process to end, as a supervisor would, and waits for it. It is an error
// if the process does not end by itself or does not report success.
func (d *dev) stop() error {
	if err := d.process.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-d.ended:
		d.ended <- err
		if err != nil {
			return fmt.Errorf("cardea dev ended with %w:\n%s", err, d.output)
		}
		return nil
	case <-time.After(20 * time.Second):
		return errors.Join(errors.New("cardea dev did not end within 20 s of SIGTERM"), d.kill())
	}
}

// kill ends the process as a power cut would.
func (d *dev) kill() error {
	err := d.process.Process.Kill()
	d.ended <- <-d.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// A clockState is the answer of dev's clock.
type clockState struct {
	Now time.Time `json:"now"`
}

// clock moves dev's clock forward and, when stopped, holds it there: a test of limits
// must not depend on how fast the machine is.
func (d *dev) clock(advance time.Duration, stopped bool) (clockState, error) {
	var state clockState
	body, err := json.Marshal(map[string]any{"advance": advance.String(), "stopped": stopped})
	if err != nil {
		return state, err
	}
	req, err := http.NewRequest(http.MethodPost, d.Management+"/v1/dev/clock", bytes.NewReader(body))
	if err != nil {
		return state, err
	}
	req.Header.Set("Authorization", "Bearer "+d.ManagementToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return state, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return state, err
	}
	if resp.StatusCode != http.StatusOK {
		return state, fmt.Errorf("dev clock: %s: %s", resp.Status, answer)
	}
	return state, json.Unmarshal(answer, &state)
}
