package examples_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSecretsStayOutOfLogs holds that whatever is done with a secret, well or badly, at
// the most talkative level, neither the log nor the data directory has it afterwards.
func TestSecretsStayOutOfLogs(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	d := runDev(t, "cohera-api", "--log-level", "debug", "--data", data)
	made := d.create(t)
	secret := made.Secret
	auth := "Authorization: Bearer " + secret
	for _, request := range []string{
		lines("GET /v1/entities HTTP/1.1", host, auth),
		lines("GET /v1/entities?key="+secret+" HTTP/1.1", host, auth),
		lines("GET /v1/"+secret+" HTTP/1.1", host, auth),
		lines("GET /v1/entities/"+secret+"/x HTTP/1.1", host),
		lines("GET /v1/entities HTTP/1.1", host, auth, auth),
		lines("GET /v1/entities HTTP/1.1", host, "Authorization: Basic "+secret),
		lines("GET /v1/entities HTTP/1.1", host, auth+"x"),
		lines("GET /v1/entities HTTP/1.1", host, "X-Request-Id: "+secret, auth),
		lines("GET /v1/entities HTTP/1.1", host, "Cookie: k="+secret, "Referer: https://a/?k="+secret, "User-Agent: "+secret),
		lines("DELETE /v1/entities/1 HTTP/1.1", host, auth),
	} {
		d.raw(t, request)
	}
	d.manage(t, http.MethodPost, "/v1/identify", `{"secret":"`+secret+`"}`)
	d.manage(t, http.MethodPost, "/v1/identify", `{"secret":"`+secret+`","unknown":"`+secret+`"}`)
	d.manage(t, http.MethodGet, "/v1/keys/"+secret, "")
	d.manage(t, http.MethodGet, "/v1/keys?cursor="+secret, "")
	d.manage(t, http.MethodPost, "/v1/keys/"+made.Key.ID+"/revoke", `{}`)
	if err := d.stop(); err != nil {
		t.Fatal(err)
	}
	// The middle of the secret: hints show its ends.
	part := secret[10:30]
	if strings.Contains(d.output.String(), part) {
		t.Errorf("the log has the secret:\n%s", d.output)
	}
	files, err := regularFiles(data)
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(content, []byte(part)); n > 0 {
			t.Errorf("%s has the secret %d times", name, n)
		}
	}
}

// A madeKey is a key as the management API answers its creation.
type madeKey struct {
	Key    struct{ ID string }
	Secret string
}

// create creates a live key that may read entities.
func (d *dev) create(t *testing.T) madeKey {
	t.Helper()
	status, body := d.manage(t, http.MethodPost, "/v1/keys",
		`{"organization":"`+d.Organization+`","environment":"live","name":"test","scopes":["entities:read"]}`)
	var made madeKey
	if err := json.Unmarshal([]byte(body), &made); status != http.StatusCreated || err != nil {
		t.Fatalf("create: %d %v %s", status, err, body)
	}
	return made
}

// TestKilledProcessLosesNothingItAcknowledged kills Cardea, as a power cut would, while
// keys are created and revoked without a pause. After the next start every key whose
// creation was answered works, and every one whose revocation was answered does not.
func TestKilledProcessLosesNothingItAcknowledged(t *testing.T) {
	t.Parallel()
	contract, err := filepath.Abs("cohera-api/cardea.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var live, revoked []string // secrets
	for round := range 3 {
		d, err := startDev(dir, contract, "--data", filepath.Join(dir, "data"))
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		generous(t, d)
		d.check(t, live, http.StatusOK)
		d.check(t, revoked, http.StatusUnauthorized)
		newLive, newRevoked := d.churn(t)
		live, revoked = append(live, newLive...), append(revoked, newRevoked...)
	}
	if len(live) == 0 || len(revoked) == 0 {
		t.Fatalf("%d keys and %d revoked ones are no test", len(live), len(revoked))
	}
	d, err := startDev(dir, contract, "--data", filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	generous(t, d)
	d.check(t, live, http.StatusOK)
	d.check(t, revoked, http.StatusUnauthorized)
	if err := d.stop(); err != nil {
		t.Error(err)
	}
	t.Logf("%d keys live, %d revoked", len(live), len(revoked))
}

// check holds that every secret is answered with a status.
func (d *dev) check(t *testing.T, secrets []string, status int) {
	t.Helper()
	client, err := d.client()
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	for i, secret := range secrets {
		v := &volley{client: client, url: "https://api.cohera.io/v1/entities", key: secret}
		if got, err := v.get(); got != status || err != nil {
			t.Errorf("key %d of %d: %d %v, want %d", i, len(secrets), got, err, status)
		}
	}
}

// churn creates keys and revokes every other one, in several loops, kills the process
// amid that, and returns the secrets whose creation and revocation were acknowledged. A
// key whose revocation was under way is in neither: it may have become either.
func (d *dev) churn(t *testing.T) (live, revoked []string) {
	t.Helper()
	var mu sync.Mutex
	var loops sync.WaitGroup
	enough := make(chan struct{}, 1000)
	for range 4 {
		loops.Go(func() {
			for n := 0; ; n++ {
				made, err := d.tryCreate()
				if err != nil {
					return // killed
				}
				if n%2 == 0 {
					mu.Lock()
					live = append(live, made.Secret)
					mu.Unlock()
				} else {
					if err := d.try("/v1/keys/"+made.Key.ID+"/revoke", `{}`, http.StatusOK, nil); err != nil {
						return
					}
					mu.Lock()
					revoked = append(revoked, made.Secret)
					mu.Unlock()
				}
				select {
				case enough <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 60 {
		<-enough
	}
	if err := d.kill(); err != nil {
		t.Error(err)
	}
	loops.Wait()
	return live, revoked
}

func (d *dev) tryCreate() (made madeKey, err error) {
	err = d.try("/v1/keys", `{"organization":"`+d.Organization+`","environment":"live","name":"test","scopes":["entities:read"]}`, http.StatusCreated, &made)
	return made, err
}

// try posts to the management API; any answer but the wanted one is an error.
func (d *dev) try(path, body string, status int, into any) error {
	req, err := http.NewRequest(http.MethodPost, d.Management+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+d.ManagementToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Timeout: 20 * time.Second}).Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != status {
		return errors.New(resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
