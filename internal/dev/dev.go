package dev

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/api"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/server"
)

// Config says what to run. Its zero value runs the built-in contract on a port that
// is free.
type Config struct {
	// Contract is the contract file; ContractText, when not nil, is the contract itself.
	// Neither: the built-in one, [contract.DefaultText].
	Contract     string
	ContractText []byte

	// Listen, TLSListen and Management are addresses on loopback. "" means 127.0.0.1:0
	// for Listen and Management, and no TLS for TLSListen.
	Listen, TLSListen, Management string

	// Data is the directory to keep data in; "" is a temporary one, removed at the end.
	Data string

	// Upstream is the base URL of a real API that stands in for the sandboxes.
	Upstream string

	// ReadyFile is written once everything answers; "": none.
	ReadyFile string

	// Banner receives what a person wants to know; nil: nobody does.
	Banner io.Writer

	// Logger receives what happens; nil: nobody.
	Logger *slog.Logger
}

// A Dev is one running `cardea dev`. Its methods are safe for concurrent use.
type Dev struct {
	cfg     Config
	dir     string
	server  *server.Server
	clock   clock
	sandbox sandboxes
	issuer  issuer
	ca      *authority // nil without TLS

	mu    sync.Mutex // guards what follows, which reloads replace
	ready Ready
}

// New opens and binds everything and creates the demo. After an error nothing stays.
// The caller ends with [Dev.Close] if it never calls [Dev.Run].
func New(ctx context.Context, c Config) (_ *Dev, err error) {
	d := &Dev{cfg: c, dir: c.Data}
	d.sandbox.upstream = strings.TrimSuffix(c.Upstream, "/")
	d.issuer.now, d.issuer.ca = d.clock.now, func() *authority { return d.ca }
	if err := d.check(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if d.dir == "" {
		d.dir, err = os.MkdirTemp("", "cardea-dev-")
	} else {
		err = os.MkdirAll(d.dir, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if c.TLSListen != "" {
		if d.ca, err = openAuthority(d.dir); err != nil {
			return nil, err
		}
	}
	if err := d.open(ctx); err != nil {
		return nil, err
	}
	return d, d.prepare(ctx)
}

// check refuses what is not for development.
func (d *Dev) check() error {
	for _, address := range []*string{&d.cfg.Listen, &d.cfg.Management} {
		if *address == "" {
			*address = "127.0.0.1:0"
		}
	}
	if d.cfg.Logger == nil {
		d.cfg.Logger = slog.New(slog.DiscardHandler)
	}
	for _, address := range []string{d.cfg.Listen, d.cfg.TLSListen, d.cfg.Management} {
		if address != "" && !loopback(address) {
			return fmt.Errorf("cardea dev listens on loopback only, such as 127.0.0.1:8080: it shows secrets and moves its clock. For other addresses there is cardea serve")
		}
	}
	if u, err := url.Parse(d.cfg.Upstream); d.cfg.Upstream != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("the upstream must be the base URL of an API, such as http://127.0.0.1:9000")
	}
	return nil
}

// loopback reports whether an address can be reached from this machine alone.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// open starts the server's parts.
func (d *Dev) open(ctx context.Context) (err error) {
	settings := server.DefaultSettings()
	settings.Contract = cmp.Or(d.cfg.Contract, contract.DefaultName)
	settings.Listen, settings.TLSListen, settings.ManagementListen = d.cfg.Listen, d.cfg.TLSListen, d.cfg.Management
	settings.Data, settings.LogFormat, settings.DrainTimeout = d.dir, "text", 2*time.Second

	text := d.cfg.ContractText
	if text == nil && d.cfg.Contract == "" {
		text = builtIn(d.cfg.Listen)
	}
	c := server.Config{
		Settings: settings, ContractText: text, AnyHost: true,
		Adapt: d.adapt, Now: d.clock.now, Logger: d.cfg.Logger,
		Reloaded: d.reloaded, Fetch: fetch.Config{AllowPrivate: true}, Passwords: demoCost,
		Beside: func(management *api.Handler) map[string]http.Handler {
			clock := d.clock.handler(management)
			return map[string]http.Handler{"GET /v1/dev/clock": clock, "POST /v1/dev/clock": clock}
		},
	}
	if d.ca != nil {
		c.Fetch.Roots = d.ca.pool()
		c.Certificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return d.ca.forClient(hello, hostNames(d.server.Contract()))
		}
	}
	d.server, err = server.New(ctx, c)
	return err
}

// builtIn returns the built-in contract, whose issuer is where this server listens: clients
// refuse metadata that names another (RFC 8414 §3.3). A port that is not chosen yet leaves
// it as it is.
func builtIn(listen string) []byte {
	text := contract.DefaultText()
	host, port, err := net.SplitHostPort(listen)
	if err != nil || port == "0" {
		return text
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	return bytes.ReplaceAll(text, []byte("http://127.0.0.1:8080"), []byte("http://"+net.JoinHostPort(host, port)))
}

// adapt sends the contract's routes to the sandboxes and lets it trust the issuer here in
// place of those it names.
func (d *Dev) adapt(c *contract.Contract) *contract.Contract {
	c, err := d.issuer.adapt(d.sandbox.adapt(c))
	if err != nil {
		d.cfg.Logger.Error("no issuer of tokens to try", slog.String("error", err.Error()))
	}
	return c
}

// hostNames returns every host name of a contract, once.
func hostNames(c *contract.Contract) []string {
	h := c.Hosts()
	names := []string{h.API, h.Auth, h.App}
	for _, e := range c.Environments() {
		names = append(names, e.Host)
	}
	var distinct []string
	seen := map[string]bool{"": true}
	for _, name := range names {
		if !seen[name] {
			distinct = append(distinct, name)
		}
		seen[name] = true
	}
	return distinct
}

// prepare creates the demo and fills in what ready tells.
func (d *Dev) prepare(ctx context.Context) error {
	demo, err := seed(ctx, d.server.Manager(), d.server.Contract(), d.dir, d.clock.now())
	if err != nil {
		return err
	}
	token, err := d.server.ManagementToken()
	if err != nil {
		return err
	}
	at := d.server.Addresses()
	base := "http://" + at.API
	r := Ready{
		API: base, Auth: base, App: base, Management: "http://" + at.Management, TLS: at.TLS,
		ManagementToken: token, Organization: demo.Organization, Secrets: demo.Secrets,
		Users: demo.users(), Staff: demo.operator(access.StaffName(d.server.Contract())),
		Clients: demo.Clients, ServiceAccountFile: demo.AccountFile,
	}
	r.Issuer, r.IssuerTLS = d.issuer.urls()
	if d.ca != nil {
		r.CA = d.ca.file
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready = r
	return nil
}

// reloaded follows a new contract: kinds and environments that it brought get their
// secrets, and the ready file tells them.
func (d *Dev) reloaded(*contract.Contract) {
	if err := d.prepare(context.Background()); err != nil {
		d.cfg.Logger.Error("demo data not completed", slog.String("error", err.Error()))
		return
	}
	if err := d.announce(); err != nil {
		d.cfg.Logger.Error("ready file not written", slog.String("error", err.Error()))
	}
}

// announce writes the ready file.
func (d *Dev) announce() error {
	if d.cfg.ReadyFile == "" {
		return nil
	}
	r := d.Ready()
	return r.write(d.cfg.ReadyFile)
}

// Ready returns what a program that uses this Dev needs to know.
func (d *Dev) Ready() Ready {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ready
}

// Advance moves Cardea's clock forward.
func (d *Dev) Advance(by time.Duration) error { return d.clock.advance(by, nil) }

// StopClock stops Cardea's clock, or lets it run on from what it shows.
func (d *Dev) StopClock(stop bool) {
	_ = d.clock.advance(0, &stop) // moving by nothing is never refused
}

// Now tells the time on Cardea's clock.
func (d *Dev) Now() time.Time { return d.clock.now() }

// Run serves until ctx ends, then cleans up.
func (d *Dev) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan error, 1)
	// The listeners are bound: whoever connects from here on is served.
	go func() { done <- d.server.Run(ctx) }()
	if err := d.announce(); err != nil {
		cancel(fmt.Errorf("ready file: %w", err))
	}
	if d.cfg.Banner != nil {
		d.banner(d.cfg.Banner)
	}
	return errors.Join(<-done, d.Close())
}

// Close stops everything and removes a temporary data directory. Calling it again does
// no harm.
func (d *Dev) Close() error {
	var failures []error
	if d.server != nil {
		failures = append(failures, d.server.Close())
	}
	failures = append(failures, d.sandbox.close(), d.issuer.close())
	if d.cfg.Data == "" && d.dir != "" {
		failures = append(failures, os.RemoveAll(d.dir))
	}
	return errors.Join(failures...)
}
