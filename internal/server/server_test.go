package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/contract"
)

// testContract has a public route to an upstream, so that tests need no key.
const testContract = `cardea: 1
product: Test
hosts: {api: api.example.com, auth: auth.example.com}
environments:
  live: {upstream: "UPSTREAM", host: live.example.com}
errors:
  body: {error: {code: $code, request_id: $request_id}}
  not_found: {status: 404, code: nothing_here}
routes:
  - {match: "GET /v1/{path...}", public: true, environments: [live]}
`

// testServer returns a server in front of an upstream, not running yet.
func testServer(t *testing.T, upstream http.Handler) *Server {
	t.Helper()
	up := httptest.NewServer(upstream)
	t.Cleanup(up.Close)
	settings := DefaultSettings()
	settings.Listen, settings.ManagementListen, settings.Data = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
	s, err := New(t.Context(), Config{
		Settings: settings, ContractText: []byte(strings.Replace(testContract, "UPSTREAM", up.URL, 1)), AnyHost: true,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDrainFinishesWhatIsInFlight holds that a stop loses no request: what has begun is
// finished, and nothing new is taken.
func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s := testServer(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		io.WriteString(w, "done")
	}))
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	type outcome struct {
		body string
		err  error
	}
	answered := make(chan outcome, 1)
	target := "http://" + s.Addresses().API + "/v1/x"
	go func() {
		resp, err := http.Get(target)
		if err != nil {
			answered <- outcome{err: err}
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		answered <- outcome{string(body), err}
	}()
	<-entered
	stop()
	for {
		// The listener shuts a moment after the stop; from then on nobody gets in.
		resp, err := (&http.Client{Transport: &http.Transport{}}).Head(target + "/probe")
		if err != nil {
			break
		}
		resp.Body.Close()
	}
	close(release)
	if got := <-answered; got.err != nil || got.body != "done" {
		t.Errorf("in flight: %q, %v", got.body, got.err)
	}
	if err := <-ran; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// TestOneServerPerPort holds that a second server on a port says so instead of serving
// half of what it should.
func TestOneServerPerPort(t *testing.T) {
	s := testServer(t, http.NotFoundHandler())
	defer s.Close()
	settings := s.settings
	settings.Data, settings.Listen = t.TempDir(), s.Addresses().API
	_, err := New(t.Context(), Config{Settings: settings, ContractText: []byte(strings.Replace(testContract, "UPSTREAM", "http://127.0.0.1:1", 1))})
	if err == nil || !strings.Contains(err.Error(), "api listener: "+settings.Listen+" is in use by another program") {
		t.Errorf("got %v", err)
	}
}

// TestOneServerPerDataDirectory holds that no second server trusts its memory while the
// first one revokes.
func TestOneServerPerDataDirectory(t *testing.T) {
	first := testServer(t, http.NotFoundHandler())
	c := Config{Settings: first.settings, ContractText: []byte(strings.Replace(testContract, "UPSTREAM", "http://127.0.0.1:1", 1))}
	if second, err := New(t.Context(), c); err == nil || !strings.Contains(err.Error(), "another server uses the data directory") {
		second.Close()
		t.Errorf("second server: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := New(t.Context(), c)
	if err != nil {
		t.Fatalf("after the first one ended: %v", err)
	}
	if err := third.Close(); err != nil {
		t.Error(err)
	}
}

// TestReloadLosesNoRequest holds that requests go on while contracts are swapped, bad
// ones among them.
func TestReloadLosesNoRequest(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }))
	t.Cleanup(up.Close)
	good := strings.Replace(testContract, "UPSTREAM", up.URL, 1)
	settings := DefaultSettings()
	settings.Listen, settings.ManagementListen, settings.Data = "127.0.0.1:0", "127.0.0.1:0", t.TempDir()
	settings.Contract = filepath.Join(t.TempDir(), "cardea.yaml")
	write := func(text string) {
		if err := WritePrivate(settings.Contract, []byte(text)); err != nil {
			t.Error(err)
		}
	}
	write(good)
	s, err := New(t.Context(), Config{Settings: settings, AnyHost: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()

	var callers sync.WaitGroup
	reloads := make(chan struct{})
	for range 2 {
		callers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-reloads:
					return
				default:
				}
				resp, err := http.Get("http://" + s.Addresses().API + "/v1/x")
				if err != nil {
					t.Errorf("request %d: %v", n, err)
					return
				}
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("request %d: %s", n, resp.Status)
				}
			}
		})
	}
	for i := range 10 {
		write("cardea: 1\nproduct: Broken\n")
		if err := s.Reload(); err == nil {
			t.Error("a contract with problems was taken")
		}
		write(good + "# " + strings.Repeat("x", i) + "\n")
		if err := s.Reload(); err != nil {
			t.Error(err)
		}
	}
	close(reloads)
	callers.Wait()
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

// TestHosts holds which host name leads where, with whatever case, port and final dot.
func TestHosts(t *testing.T) {
	c, err := contract.Load("test", []byte(strings.Replace(testContract, "UPSTREAM", "http://127.0.0.1:1", 1)))
	if err != nil {
		t.Fatal(err)
	}
	api := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, tt := range []struct {
		host string
		any  bool
		want int
	}{
		{"api.example.com", false, http.StatusTeapot},
		{"API.Example.COM.:443", false, http.StatusTeapot},
		{"live.example.com", false, http.StatusTeapot},
		{"auth.example.com", false, http.StatusNotFound},
		{"auth.example.com", true, http.StatusNotFound},
		{"evil.example", false, http.StatusMisdirectedRequest},
		{"", false, http.StatusMisdirectedRequest},
		{"evil.example", true, http.StatusTeapot},
		{"127.0.0.1:8080", true, http.StatusTeapot},
		{"[::1]:8080", true, http.StatusTeapot},
	} {
		h := &hosts{contract: func() *contract.Contract { return c }, api: api, any: tt.any}
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/v1/x", nil)
		r.Host = tt.host
		h.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("host %q, any %v: %d, want %d", tt.host, tt.any, w.Code, tt.want)
		}
		if w.Code != http.StatusTeapot && !strings.Contains(w.Body.String(), `"code":"nothing_here","request_id":"`) {
			t.Errorf("host %q: not in the contract's shape: %s", tt.host, w.Body)
		}
	}
}

// TestCertificateRenewal holds that a renewed certificate is taken up, and that a broken
// one leaves the old one in use.
func TestCertificateRenewal(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, 1)
	c, err := newCertificateFile(cert, key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.SerialNumber.Int64()
	}
	writeCertificate(t, cert, key, 2)
	c.reload()
	if got := serial(); got != 2 {
		t.Errorf("after the renewal: certificate %d", got)
	}
	if err := os.WriteFile(cert, []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.reload()
	if got := serial(); got != 2 {
		t.Errorf("after a broken file: certificate %d", got)
	}
}

// writeCertificate writes a self-signed certificate with a serial number.
func writeCertificate(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
