package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/api"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/dashboard"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/limit"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/oauth"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/proxy"
	"github.com/cardea-dev/cardea/internal/record"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/signin"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/web"
)

// self is the actor of what Cardea does on its own.
var self = cardea.Actor{Type: "system", ID: "server"}

// assemble opens the store, puts the parts together and binds the listeners.
func (s *Server) assemble(ctx context.Context, c Config) error {
	key, created, err := loadMasterKey(s.settings.masterKeyFile())
	if err != nil {
		return err
	}
	if created {
		s.log.Info("master key made; keep a copy of it away from the backups", slog.String("file", s.settings.masterKeyFile()))
	}
	sealer, err := secret.NewSealer(key[:])
	if err != nil {
		return err
	}
	s.store, err = store.Open(ctx, store.Config{
		DSN: s.settings.Database, Dir: s.settings.Data, Now: s.now, Logger: s.log,
		RequestLog: store.Retention{Days: s.settings.keepDays(), Bytes: s.settings.KeepRequestBytes},
	})
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if err := s.checkMasterKey(ctx, sealer); err != nil {
		return err
	}
	limits := limit.NewTable(0)
	s.recorder = record.New(record.Config{Store: s.store, Limits: limits, Now: s.now, Logger: s.log})
	issuing, err := s.issuing(c, key[:], sealer)
	if err != nil {
		return err
	}
	s.authorizer = authz.New(authz.Config{
		Contract: s.contract.get, Store: s.store, Limits: limits, Now: s.now,
		TrustedProxies: s.settings.TrustedProxies, CacheSize: s.settings.CacheSize,
		Keys: s.keys, Issuers: issuing.issuers, Hooks: issuing.hooks,
	})
	s.taken = make(chan struct{})
	s.people = people.New(people.Config{
		Store: s.store, Contract: s.contract.get, Hasher: issuing.hasher, Sealer: sealer, Fetch: issuing.fetch,
		Apply: s.forget, Now: s.now, Logger: s.log,
	})
	s.oauth = oauth.New(oauth.Config{
		Store: s.store, Contract: s.contract.get, Authorizer: s.authorizer, Keys: s.keys, People: s.people,
		Issuers: issuing.issuers, Fetch: issuing.fetch, Sealer: sealer, Apply: s.forget, Now: s.now, Logger: s.log,
		TrustedProxies: s.settings.TrustedProxies, AnyHost: c.AnyHost,
	})
	if err := s.store.Hold(ctx, s.forget, func() { close(s.taken) }); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	s.manager = manage.New(manage.Config{
		Store: s.store, Contract: s.contract.get, LoadedAt: s.contract.loadedAt,
		Apply: s.forget, Sealer: sealer, Now: s.now,
		Keys: s.keys, Issuers: issuing.issuers, Hooks: issuing.hooks, Hasher: issuing.hasher,
		PrivateIssuers: c.Fetch.AllowPrivate, Origin: s.origin,
		AppOrigin: func() string { return s.appOrigin(c.AnyHost) },
	})
	s.insight = insight.New(insight.Config{
		Store: s.store, Contract: s.contract.get, Manager: s.manager, Authorizer: s.authorizer, Recorder: s.recorder,
		ContractText: s.contract.source, Process: s.process, Now: s.now,
	})
	s.openWebhooks(c, issuing, sealer)
	if err := s.firstToken(ctx); err != nil {
		return fmt.Errorf("management token: %w", err)
	}
	s.watchFigures(s.authorizer)
	s.front = proxy.New(proxy.Config{
		Authorizer: s.authorizer, Contract: s.contract.get, Recorder: s.recorder, Now: s.now, Logger: s.log,
		Observe: s.metrics.observe, TrustedProxies: s.settings.TrustedProxies,
	})
	return s.bind(c, s.front, api.New(api.Config{Manager: s.manager, Insight: s.insight, Webhooks: s.webhooks, Logger: s.log}))
}

// bind binds the listeners.
func (s *Server) bind(c Config, front http.Handler, management *api.Handler) (err error) {
	own := api.New(api.Config{Manager: s.manager, Insight: s.insight, Webhooks: s.webhooks, Logger: s.log, Member: s.memberOf, MembersOnly: true})
	pages := signin.New(signin.Config{
		People: s.people, Contract: s.contract.get, Now: s.now, Logger: s.log,
		TrustedProxies: s.settings.TrustedProxies, AnyHost: c.AnyHost,
	})
	portal := dashboard.New(web.Config{
		Manage: s.manager, Insight: s.insight, Webhooks: s.webhooks, People: s.people, Contract: s.contract.get, Now: s.now, Logger: s.log,
		TrustedProxies: s.settings.TrustedProxies, AnyHost: c.AnyHost,
	})
	world := &hosts{
		contract: s.contract.get, api: front, any: c.AnyHost,
		own: []finder{s.oauth.Find, pages.Find, portal.Find}, manage: s.upToDate(http.StripPrefix(managePrefix, own)),
	}
	if s.settings.Listen != "" {
		if s.api, err = openDoor("api", s.settings.Listen, world, nil, s.log); err != nil {
			return err
		}
	}
	if s.settings.TLSListen != "" {
		get := c.Certificate
		if get == nil {
			if s.certificate, err = newCertificateFile(s.settings.TLSCert, s.settings.TLSKey, s.log); err != nil {
				return err
			}
			get = s.certificate.get
		}
		if s.tls, err = openDoor("api-tls", s.settings.TLSListen, world, tlsConfig(get), s.log); err != nil {
			return err
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/", s.upToDate(management))
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", s.metrics.handler())
	if c.Beside != nil {
		for pattern, h := range c.Beside(management) {
			mux.Handle(pattern, h)
		}
	}
	if s.management, err = openDoor("management", s.settings.ManagementListen, mux, nil, s.log); err != nil {
		return err
	}
	if a, ok := s.management.listener.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		s.log.Warn("the management API can be reached from other machines, and speaks no TLS: put something in front that does",
			slog.String("address", a.String()))
	}
	return nil
}

// upToDate writes the records that wait before a request reads some, so that `cardea
// explain` knows what happened a moment ago. A record that cannot be written now is
// shown later; the request goes on.
func (s *Server) upToDate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.URL.Path == "/v1/backup" {
			ctx, cancel := context.WithTimeout(r.Context(), pingTimeout)
			if err := s.recorder.Flush(ctx); err != nil {
				s.log.Debug("records not up to date", slog.String("error", err.Error()))
			}
			cancel()
		}
		next.ServeHTTP(w, r)
	})
}

// firstToken makes a management token and writes it to its file when there is no file.
// The log gets the path, never the token.
func (s *Server) firstToken(ctx context.Context) error {
	name := s.settings.tokenFile()
	if _, err := os.Stat(name); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	made, err := s.manager.CreateManagementToken(ctx, self, manage.CreateManagementToken{Name: "first token"})
	if err != nil {
		return err
	}
	if err := WritePrivate(name, []byte(made.Secret.Reveal()+"\n")); err != nil {
		return err
	}
	s.log.Info("management token made", slog.String("file", name), slog.String("id", made.Token.ID))
	return nil
}

// ManagementToken returns the management token that the token file holds.
func (s *Server) ManagementToken() (string, error) {
	text, err := os.ReadFile(s.settings.tokenFile())
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(text)), nil
}

// watchFigures registers what other parts count, to be read when metrics are collected.
func (s *Server) watchFigures(a *authz.Authorizer) {
	m := s.metrics
	m.gauge("cardea_cache_entries", "Secrets held in memory.", func() float64 { return float64(a.Stats().Entries) })
	for name, c := range map[string]struct {
		help string
		read func() uint64
	}{
		"cardea_cache_misses_total":         {"Look-ups in the database.", func() uint64 { return a.Stats().Lookups }},
		"cardea_cache_joined_total":         {"Requests that shared another one's look-up.", func() uint64 { return a.Stats().Joined }},
		"cardea_cache_unknown_total":        {"Requests refused by the memory of unknown secrets.", func() uint64 { return a.Stats().Unknown }},
		"cardea_lookups_failed_total":       {"Look-ups in the database that failed.", func() uint64 { return a.Stats().Failed }},
		"cardea_throttled_total":            {"Requests refused because of their address's earlier attempts.", func() uint64 { return a.Stats().Throttled }},
		"cardea_recorder_dropped_total":     {"Request log entries dropped because the buffer was full.", func() uint64 { return s.recorder.Stats().Dropped }},
		"cardea_recorder_written_total":     {"Request log entries written.", func() uint64 { return s.recorder.Stats().Rows }},
		"cardea_recorder_failures_total":    {"Attempts to write records that the store refused.", func() uint64 { return s.recorder.Stats().Failures }},
		"cardea_contract_reloads_total":     {"Contracts that took effect after the first.", func() uint64 { return uint64(s.contract.snapshot().Succeeded) }},
		"cardea_contract_reloads_bad_total": {"Reloads that left the old contract in force.", func() uint64 { return uint64(s.contract.snapshot().Failed) }},
	} {
		m.counter(name, c.help, nil, func() float64 { return float64(c.read()) })
	}
	m.gauge("cardea_recorder_waiting", "Request log entries that wait to be written.", func() float64 { return float64(s.recorder.Stats().Buffered) })
	m.gauge("cardea_contract_stale", "1 while the contract on disk has problems and an older one is in force.", func() float64 {
		if s.contract.snapshot().Err != nil {
			return 1
		}
		return 0
	})
}

// sweep deletes old records.
func (s *Server) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.store.Maintain(ctx); err != nil {
		s.log.Warn("old records not deleted", slog.String("error", err.Error()))
	}
}

// signCheckpoint signs the audit log's state when there is news and logs it: once the
// log line has left this machine, nobody can change what was before it unseen.
func (s *Server) signCheckpoint(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c, news, err := s.store.SignCheckpoint(ctx)
	switch {
	case err != nil:
		s.log.Warn("audit checkpoint not signed", slog.String("error", err.Error()))
	case news:
		s.log.Info("audit checkpoint", slog.Int64("size", c.Size), slog.String("note", c.Note))
	}
}
