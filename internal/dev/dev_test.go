package dev

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/examples"
)

// run starts a Dev that ends with the test.
func run(t *testing.T, c Config) *Dev {
	t.Helper()
	c.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	d, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ran; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return d
}

// contracts returns the built-in contract and every example, by name.
func contracts(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{"built in": contract.DefaultText()}
	for _, name := range examples.Names() {
		all[name], _ = examples.Contract(name)
	}
	return all
}

// TestBannerShowsCallsThatWork holds that every curl line a newcomer may see is answered
// 200, whichever contract runs.
func TestBannerShowsCallsThatWork(t *testing.T) {
	for name, text := range contracts(t) {
		t.Run(name, func(t *testing.T) {
			d := run(t, Config{ContractText: text})
			all := calls(d.server.Contract(), d.Ready().Secrets)
			if len(all) == 0 {
				t.Log("no secret of this contract opens a GET route by itself")
				return
			}
			req, err := http.NewRequest(http.MethodGet, d.Ready().API+all[0].path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if name, value, found := strings.Cut(all[0].header, ": "); found {
				req.Header.Set(name, value)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("%s: %s %s, %v", all[0].curl(d.Ready().API), resp.Status, body, err)
			}
		})
	}
}

// TestOneSecretOfEveryKindAndEnvironment holds what the ready file promises.
func TestOneSecretOfEveryKindAndEnvironment(t *testing.T) {
	for name, text := range contracts(t) {
		t.Run(name, func(t *testing.T) {
			d := run(t, Config{ContractText: text})
			c := d.server.Contract()
			for _, k := range c.Kinds() {
				for _, e := range c.Environments() {
					if got := d.Ready().Secrets[k.Name][e.Name]; (got != "") != k.Environments[e.Index] {
						t.Errorf("%s in %s: secret %v, want %v", k.Name, e.Name, got != "", k.Environments[e.Index])
					}
				}
			}
		})
	}
}

// Every client, the service account and the issuer that the ready file names can be used
// as they are, whichever contract runs.
func TestWhatTheReadyFileNamesWorks(t *testing.T) {
	for name, text := range contracts(t) {
		t.Run(name, func(t *testing.T) {
			d := run(t, Config{ContractText: text})
			r, c := d.Ready(), d.server.Contract()
			if len(r.Users) != 4 || r.Users[0].Password == "" {
				t.Errorf("users %+v", r.Users)
			}
			if (c.ServiceAccounts() != nil) != (r.ServiceAccountFile != "") {
				t.Errorf("service account file %q", r.ServiceAccountFile)
			}
			if r.ServiceAccountFile != "" {
				if info, err := os.Stat(r.ServiceAccountFile); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("key file: %v, %v", info, err)
				}
			}
			if trusts := len(c.TrustedIssuers()) > 0 || c.OrganizationIssuers() != nil; trusts != (r.Issuer != "") {
				t.Errorf("issuer %q", r.Issuer)
			}
			if r.Issuer != "" {
				resp, err := http.Post(r.Issuer+"/token", "application/json", strings.NewReader(`{"sub":"jo","n":9007199254740993}`))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				if err = errors.Join(err, resp.Body.Close()); err != nil || !strings.Contains(string(body), `"token":"ey`) {
					t.Errorf("issuer: %s, %v", body, err)
				}
			}
			client, ok := r.Clients["client_credentials"]
			if !ok {
				return
			}
			req, err := http.NewRequest(http.MethodPost, r.Auth+c.Endpoints().Token[0].Path, strings.NewReader("grant_type=client_credentials"))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if c.Endpoints().Token[0].JSON {
				req.Body = io.NopCloser(strings.NewReader(`{"grant_type":"client_credentials"}`))
				req.ContentLength = -1
				req.Header.Set("Content-Type", "application/json")
			}
			req.SetBasicAuth(client.ClientID, client.ClientSecret)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			if err = errors.Join(err, resp.Body.Close()); err != nil || !strings.HasPrefix(string(body), `{"access_token":"`) {
				t.Errorf("token endpoint: %d %s, %v", resp.StatusCode, body, err)
			}
		})
	}
}

// Clients that compare the issuer with where they found its metadata, as they must, find
// the built-in contract's on whatever port was asked for.
func TestTheBuiltInIssuerIsWhereTheServerListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	ready := run(t, Config{Listen: address}).Ready()
	resp, err := http.Get(ready.Auth + "/.well-known/oauth-authorization-server")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var metadata struct{ Issuer string }
	if err := json.NewDecoder(resp.Body).Decode(&metadata); err != nil || metadata.Issuer != ready.Auth {
		t.Errorf("the issuer is %q at %s: %v", metadata.Issuer, ready.Auth, err)
	}
}

// A contract whose issuer is another port of this machine is told so.
func TestBannerTellsOfAnIssuerElsewhere(t *testing.T) {
	var said strings.Builder
	d := run(t, Config{ContractText: contract.DefaultText()})
	d.banner(&said)
	if want := "The contract's issuer is http://127.0.0.1:8080"; !strings.Contains(said.String(), want) {
		t.Errorf("the banner does not say %q:\n%s", want, &said)
	}
}

// A page of another site cannot have the issuer sign something: without JSON's content
// type, which takes a preflight that nobody answers, it signs nothing.
func TestIssuerSignsForProgramsAlone(t *testing.T) {
	text, _ := examples.Contract("conformance")
	d := run(t, Config{ContractText: text})
	resp, err := http.Post(d.Ready().Issuer+"/token", "text/plain", strings.NewReader(`{"sub":"jo"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// TestReadyFile holds the members that other programs read, and that nobody else can.
func TestReadyFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ready.json")
	banner := make(chan string, 1)
	r, w := io.Pipe()
	go func() {
		text, _ := io.ReadAll(io.LimitReader(r, 64))
		banner <- string(text)
		io.Copy(io.Discard, r)
	}()
	d := run(t, Config{ReadyFile: name, TLSListen: "127.0.0.1:0", Banner: w})
	if got := <-banner; !strings.Contains(got, "Cardea runs Example for development.") {
		t.Errorf("banner begins %q", got)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{"api", "auth", "app", "management", "management_token", "ca", "organization", "secrets"} {
		if got[member] == nil || got[member] == "" {
			t.Errorf("%s is missing", member)
		}
	}
	if got["api"] != d.Ready().API {
		t.Errorf("api %v, want %s", got["api"], d.Ready().API)
	}
}

// TestEditBringsNewSecrets holds that a kind which an edit adds gets its demo secret, and
// that the ready file tells.
func TestEditBringsNewSecrets(t *testing.T) {
	dir := t.TempDir()
	file, ready := filepath.Join(dir, "cardea.yaml"), filepath.Join(dir, "ready.json")
	text := string(contract.DefaultText())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d := run(t, Config{Contract: file, ReadyFile: ready})
	kept := d.Ready().Secrets["api_key"]["live"]
	edited := strings.Replace(text, "keys:\n", "keys:\n  second:\n    owner: organization\n    format: {prefix: {live: nd_live_}}\n    present: [{header: X-Second}]\n", 1)
	if err := os.WriteFile(file, []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for d.Ready().Secrets["second"]["live"] == "" {
		if time.Now().After(deadline) {
			t.Fatal("the new kind got no secret")
		}
		if err := d.server.Reload(); err != nil { // as SIGHUP does; the watcher may be first
			t.Fatal(err)
		}
	}
	if d.Ready().Secrets["api_key"]["live"] != kept {
		t.Error("the edit replaced a secret that still works")
	}
}

// TestLoopbackOnly holds that what shows secrets and moves time cannot be reached from
// elsewhere.
func TestLoopbackOnly(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:0": true, "[::1]:0": true, "localhost:0": true, "127.8.9.1:80": true,
		":0": false, "0.0.0.0:0": false, "[::]:0": false, "192.0.2.1:80": false, "example.com:80": false, "127.0.0.1": false,
	} {
		if got := loopback(address); got != want {
			t.Errorf("%s: %v", address, got)
		}
		if want {
			continue
		}
		for _, c := range []Config{{Listen: address}, {TLSListen: address}, {Management: address}} {
			if d, err := New(t.Context(), c); err == nil {
				d.Close()
				t.Errorf("%+v was accepted", c)
			}
		}
	}
}

// TestClockStandsAndRuns holds what the clock shows: it runs, stands, moves by what it
// is told, and never goes back.
func TestClockStandsAndRuns(t *testing.T) {
	var c clock
	stop, run := true, false
	if err := c.advance(time.Hour, nil); err != nil || time.Until(c.now()) < 59*time.Minute {
		t.Errorf("advanced: %v, %v", c.now(), err)
	}
	if err := c.advance(0, &stop); err != nil {
		t.Fatal(err)
	}
	first := c.now()
	if second := c.now(); !second.Equal(first) {
		t.Error("a stopped clock ran")
	}
	if err := c.advance(time.Minute, nil); err != nil || !c.now().Equal(first.Add(time.Minute)) {
		t.Errorf("moved by a minute: %v, %v", c.now().Sub(first), err)
	}
	if err := c.advance(0, &run); err != nil || c.now().Before(first.Add(time.Minute)) {
		t.Errorf("let run: %v, %v", c.now().Sub(first), err)
	}
	for _, by := range []time.Duration{-time.Second, maxAdvance + 1} {
		if err := c.advance(by, nil); err == nil {
			t.Errorf("%v was accepted", by)
		}
	}
}

// TestAuthorityIsKept holds that a second start signs with the same CA, so that trust
// once given lasts.
func TestAuthorityIsKept(t *testing.T) {
	dir := t.TempDir()
	first, err := openAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := openAuthority(dir)
	if err != nil || !second.cert.Equal(first.cert) {
		t.Errorf("another CA: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, "ca-key.pem")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", info.Mode(), err)
	}
	one, err := first.certificate([]string{"api.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := first.certificate([]string{"api.example.com"}); again != one {
		t.Error("a new leaf for the same names")
	}
	if other, _ := first.certificate([]string{"api.example.org"}); other == one {
		t.Error("the same leaf for other names")
	}
	for asked, want := range map[string]string{
		"": "api.example.com", "localhost": "localhost", "API.example.com": "api.example.com", "127.0.0.1": "127.0.0.1",
		"project.example.net": "project.example.net",
	} {
		pair, err := first.forClient(&tls.ClientHelloInfo{ServerName: asked}, []string{"api.example.com"})
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := leaf.VerifyHostname(want); err != nil {
			t.Errorf("asked for %q: %v", asked, err)
		}
	}
	for i := range 3 * maxLeaves {
		if _, err := first.certificate([]string{strconv.Itoa(i)}); err != nil || len(first.leaves) > maxLeaves {
			t.Fatalf("%d certificates kept, %v", len(first.leaves), err)
		}
	}
}
