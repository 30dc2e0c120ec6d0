package browser

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
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

// A world is a running `cardea dev` on one contract.
type world struct {
	name string // its folder under examples/
	app  string // the host name of its pages

	API          string                       `json:"api"`
	Management   string                       `json:"management"`
	Token        string                       `json:"management_token"`
	TLS          string                       `json:"tls"`
	Organization string                       `json:"organization"`
	IssuerTLS    string                       `json:"issuer_tls"` // that signs any token it is asked for
	Users        []person                     `json:"users"`
	Staff        person                       `json:"staff"`
	Secrets      map[string]map[string]string `json:"secrets"` // :: kind → environment → secret
	Clients      map[string]struct {
		ID       string `json:"client_id"`
		Secret   string `json:"client_secret"`
		Redirect string `json:"redirect_uri"`
	} `json:"clients"`

	proxy   *proxy
	process *os.Process
	ended   chan struct{}
	data    string // its data directory
}

// A person can sign in.
type person struct {
	Email        string `json:"email"`
	Password     string `json:"password"`
	Organization string `json:"organization"`
}

// apps are the host names of the products' pages. A contract that names no host gets one.
var apps = map[string]string{
	"cohera-api":  "app.cohera.io",
	"cohera-sdk":  "app.cohera.io",
	"coherence":   "app.getcoherence.io",
	"codehooks":   "app.codehooks.example",
	"coactive":    "app.coactive.ai",
	"conformance": "app.example.com",
}

// products are the five contracts whose pages are held to their word.
var products = []string{"cohera-api", "cohera-sdk", "coherence", "codehooks", "coactive"}

var worlds sync.Map // :: name → func() (*world, error)

// open returns the world of a contract under examples/, which all tests share.
func open(t testing.TB, name string) *world {
	t.Helper()
	start, _ := worlds.LoadOrStore(name, sync.OnceValues(func() (*world, error) {
		return launch(name, filepath.Join("../../examples", name, "cardea.yaml"))
	}))
	w, err := start.(func() (*world, error))()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// user returns the member of the demo organization with a role.
func (w *world) user(t testing.TB, role string) person {
	t.Helper()
	for _, u := range w.Users {
		if strings.HasPrefix(u.Email, role+"@") {
			return u
		}
	}
	t.Fatalf("%s has no %s to sign in as", w.name, role)
	return person{}
}

// url returns the address of a page.
func (w *world) url(path string) string { return "https://" + w.app + path }

// program builds the program once. CARDEA_PROGRAM names one that is built.
var program = sync.OnceValues(func() (string, error) {
	if name := os.Getenv("CARDEA_PROGRAM"); name != "" {
		return name, nil
	}
	name := filepath.Join(scratch, "cardea")
	build := exec.Command("go", "build", "-o", name, "./cmd/cardea")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return name, nil
})

// launch runs `cardea dev` on a contract, with a data directory of its own, and returns
// when it is ready.
func launch(name, contract string, flags ...string) (*world, error) {
	dir, err := os.MkdirTemp(scratch, name+"-")
	if err != nil {
		return nil, err
	}
	ca, err := authority()
	if err != nil {
		return nil, err
	}
	if err := ca.write(filepath.Join(dir, "data")); err != nil {
		return nil, err
	}
	return run(name, contract, filepath.Join(dir, "data"), flags...)
}

// run runs `cardea dev` on a contract and a data directory.
func run(name, contract, data string, flags ...string) (*world, error) {
	program, err := program()
	if err != nil {
		return nil, err
	}
	ready := data + ".ready.json"
	_ = os.Remove(ready) // of a run before
	var output bytes.Buffer
	dev := exec.Command(program, append([]string{
		"dev", "-c", contract, "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0",
		"--management-listen", "127.0.0.1:0", "--ready-file", ready, "--data", data,
	}, flags...)...)
	dev.Stdout, dev.Stderr = &output, &output
	dev.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := dev.Start(); err != nil {
		return nil, err
	}
	w := &world{name: name, app: apps[name], process: dev.Process, data: data, ended: make(chan struct{})}
	go func() { _ = dev.Wait(); close(w.ended) }()
	atEnd(func() {
		_ = dev.Process.Kill() // its end is not what is tested, and draining takes a while
		<-w.ended
	})
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(ready)
		if err == nil {
			if err := json.Unmarshal(text, w); err != nil {
				return nil, err
			}
			w.proxy, err = openProxy(w.TLS)
			return w, err
		}
		select {
		case <-w.ended:
			return nil, fmt.Errorf("cardea dev -c %s has ended:\n%s", contract, output.String())
		default:
		}
		if !errors.Is(err, os.ErrNotExist) || time.Now().After(deadline) {
			return nil, fmt.Errorf("cardea dev is not ready: %w", err)
		}
	}
}

// stop ends a world in good order.
func (w *world) stop() {
	_ = w.process.Signal(syscall.SIGTERM) // it may have ended
	<-w.ended
}

// An issuer is the certificate authority of every world, which `cardea dev` finds in its
// data directory.
type issuer struct {
	cert *x509.Certificate
	key  []byte // PEM
}

var authority = sync.OnceValues(func() (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Cardea browser tests"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}, &x509.Certificate{Subject: pkix.Name{CommonName: "Cardea browser tests"}}, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalECPrivateKey(key)
	return &issuer{cert, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded})}, err
})

// write puts the authority into a data directory.
func (i *issuer) write(dir string) error {
	return errors.Join(os.Mkdir(dir, 0o700),
		os.WriteFile(filepath.Join(dir, "ca-key.pem"), i.key, 0o600),
		os.WriteFile(filepath.Join(dir, "ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.cert.Raw}), 0o600))
}

// client returns an HTTP client that finds every host name at this world, as curl with
// --connect-to would. It follows no redirects and keeps no cookies.
func (w *world) client() *http.Client {
	roots := x509.NewCertPool()
	ca, err := authority()
	if err == nil { // else nothing is trusted
		roots.AddCert(ca.cert)
	}
	return &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, w.TLS)
			},
		},
	}
}

// ownerName is what the demo organization's owner is called.
func (w *world) ownerName() string { return "Demo Owner" }
