package bench

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// scopeCount is how many scopes the contract has: with 2¹² combinations of them hardly any
// token is the same as one before.
const scopeCount = 12

// issuingContract returns a contract that issues tokens with an algorithm and whose limits
// nobody reaches.
func issuingContract(algorithm string) string {
	var scopes strings.Builder
	for i := range scopeCount {
		fmt.Fprintf(&scopes, "  s%d: Scope %d\n", i, i)
	}
	return fmt.Sprintf(`cardea: 1
product: Bench
issuer: https://auth.example.com
audience: https://api.example.com
environments:
  live: {label: Live, upstream: "http://127.0.0.1:9"}
scopes:
%splans:
  large: {label: Large, per_minute: 100000000, burst: 10000000}
keys:
  api_key: {label: API key, format: {prefix: {live: bk_live_}}, present: [{header: Authorization, scheme: Bearer}], scopes: [s0]}
clients: {label: Client, grants: [client_credentials], authentication: [client_secret_post]}
tokens: {access: {format: jwt, lifetime: 1h, algorithm: %s}}
endpoints:
  token: [{path: /oauth/token, grants: {client_credentials: client_credentials}}]
  jwks: {}
sign_in: {}
routes:
  - {match: GET /v1/things, scopes: [s0]}
`, scopes.String(), algorithm)
}

// A developed is a running `cardea dev`, which makes its own clients and keys.
type developed struct {
	process
	Base    string                       `json:"api"`
	Secrets map[string]map[string]string `json:"secrets"`
	Clients map[string]struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	} `json:"clients"`
	Users []struct{ Email, Password string } `json:"users"`
}

// develop starts `cardea dev` on a contract.
func develop(b *testing.B, text string) *developed {
	b.Helper()
	dir := b.TempDir()
	file, ready := filepath.Join(dir, "cardea.yaml"), filepath.Join(dir, "ready.json")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	d := &developed{}
	d.cmd = exec.Command(build(b), "dev", "-c", file, "--listen", "127.0.0.1:0", "--management-listen", "127.0.0.1:0", "--ready-file", ready)
	d.cmd.Stderr = os.Stderr
	if err := d.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = d.cmd.Process.Signal(syscall.SIGTERM)
		_ = d.cmd.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(ready)
		if err == nil {
			if err := json.Unmarshal(text, d); err != nil {
				b.Fatal(err)
			}
			d.addr = strings.TrimPrefix(d.Base, "http://")
			return d
		}
		if !errors.Is(err, os.ErrNotExist) || time.Now().After(deadline) {
			b.Fatalf("cardea dev is not ready: %v", err)
		}
	}
}

// scopesOf returns the n-th combination of scopes, s0 always among them.
func scopesOf(n int) string {
	list := []string{"s0"}
	for i := 1; i < scopeCount; i++ {
		if n>>(i-1)&1 == 1 {
			list = append(list, fmt.Sprintf("s%d", i))
		}
	}
	return strings.Join(list, " ")
}

// token asks for a token. A full queue of signatures is an answer too: 503.
func (d *developed) token(client *http.Client, scope string) error {
	c := d.Clients["client_credentials"]
	resp, err := client.PostForm(d.Base+"/oauth/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.ID}, "client_secret": {c.Secret}, "scope": {scope},
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err == nil && resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable {
		err = fmt.Errorf("token endpoint: %s", resp.Status)
	}
	return err
}

// newClient returns a client that keeps its connections and goes nowhere by itself.
func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// BenchmarkToken reports the server's processor time for a token by client credentials:
// one that has to be signed, and one that was asked for in the same second before. Beside
// it stands the bare signature in this process.
func BenchmarkToken(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("signature/RS256", func(b *testing.B) {
		digest := sha256.Sum256([]byte("token"))
		for b.Loop() {
			if _, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, algorithm := range []string{"RS256", "ES256"} {
		d := develop(b, issuingContract(algorithm))
		client := newClient()
		if err := d.token(client, "s0"); err != nil {
			b.Fatal(err)
		}
		next := 0
		for _, c := range []struct {
			name  string
			n     int
			scope func() string
		}{
			{"first", 2000, func() string { next++; return scopesOf(next) }},
			{"remembered", 20000, func() string { return "s0" }},
		} {
			b.Run(c.name+"/"+algorithm, func(b *testing.B) {
				d.settle(b)
				before := d.cpu(b)
				for range c.n {
					if err := d.token(client, c.scope()); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64((d.cpu(b)-before).Microseconds())/float64(c.n), "cpu-µs/token")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// calm is how long requests are counted, undisturbed and disturbed.
const calm = 6 * time.Second

// BenchmarkStarving reports what is left of the rate of requests with a key, and how much
// longer the slowest hundredth takes, while others ask for tokens that must be signed, or
// sign in with a password, without a pause. 32 of them do; keys come over four connections.
func BenchmarkStarving(b *testing.B) {
	d := develop(b, issuingContract("RS256"))
	key := d.Secrets["api_key"]["live"]
	quietRate, quietLast := d.requests(b, key)
	for name, disturb := range map[string]func(client *http.Client, i int) error{
		"tokens":    func(client *http.Client, i int) error { return d.token(client, scopesOf(i)) },
		"passwords": d.password,
	} {
		b.Run(name, func(b *testing.B) {
			var stop atomic.Bool
			var all sync.WaitGroup
			var done atomic.Int64
			for w := range 32 {
				all.Go(func() {
					client := newClient()
					for i := w; !stop.Load(); i += 32 {
						if err := disturb(client, i); err != nil {
							b.Error(err)
							return
						}
						done.Add(1)
					}
				})
			}
			time.Sleep(500 * time.Millisecond) // the queue is full from here on
			rate, last := d.requests(b, key)
			stop.Store(true)
			all.Wait()
			b.ReportMetric(100*rate/quietRate, "%-of-quiet")
			b.ReportMetric(last.Seconds()/quietLast.Seconds(), "p99/quiet")
			b.ReportMetric(quietRate, "quiet-req/s")
			b.ReportMetric(float64(done.Load())/calm.Seconds(), "others/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// password signs in. The password is right: wrong ones are soon refused unseen, and cost
// nothing any more. Being told to come back is an answer too.
func (d *developed) password(client *http.Client, _ int) error {
	form := url.Values{"step": {"password"}, "email": {d.Users[0].Email}, "password": {d.Users[0].Password}}
	req, err := http.NewRequest(http.MethodPost, d.Base+"/signin", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusTooManyRequests {
		time.Sleep(time.Second) // Retry-After asks for more
	}
	return err
}

// requests sends requests with a key over four connections for a while, and returns their
// rate and the time that the slowest hundredth took at least.
func (d *developed) requests(b *testing.B, key string) (rate float64, p99 time.Duration) {
	b.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			client := newClient()
			var own []time.Duration
			for end := time.Now().Add(calm); time.Now().Before(end); {
				req, err := http.NewRequest(http.MethodGet, d.Base+"/v1/things", nil)
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+key)
				start := time.Now()
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, err = io.Copy(io.Discard, resp.Body)
				if err = errors.Join(err, resp.Body.Close()); err != nil || resp.StatusCode != http.StatusOK {
					b.Errorf("%s: %v", resp.Status, err)
					return
				}
				own = append(own, time.Since(start))
			}
			mu.Lock()
			took = append(took, own...)
			mu.Unlock()
		})
	}
	all.Wait()
	if b.Failed() || len(took) == 0 {
		b.FailNow()
	}
	slices.Sort(took)
	return float64(len(took)) / calm.Seconds(), took[len(took)*99/100]
}
