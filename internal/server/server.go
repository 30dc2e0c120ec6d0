package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/api"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/oauth"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/people"
	"github.com/cardea-dev/cardea/internal/proxy"
	"github.com/cardea-dev/cardea/internal/record"
	"github.com/cardea-dev/cardea/internal/signing"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// Config is what [New] needs.
type Config struct {
	// Settings are the operator's; they are validated.
	Settings Settings

	// ContractText, when not nil, is the contract itself: Settings.Contract is then
	// only its name in messages, and no file is read or watched.
	ContractText []byte

	// Adapt, when not nil, changes every contract before it comes into force. It is
	// how `cardea dev` sends all routes to its sandbox.
	Adapt func(*contract.Contract) *contract.Contract

	// Reloaded, when not nil, is called after a contract came into force, the first one
	// excepted.
	Reloaded func(*contract.Contract)

	// AnyHost lets host names that the contract does not know serve the API.
	AnyHost bool

	// Certificate, when not nil, stands in for the certificate files of the settings.
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)

	// Fetch says whom Cardea may reach when it fetches other issuers' keys and asks
	// hooks; the zero value, public addresses alone, is what is safe.
	Fetch fetch.Config

	// Passwords is what a hash of a password costs. Zero: what package password takes, which
	// is for people's passwords.
	Passwords password.Params

	// Beside, when not nil, returns handlers that stand beside the management API on
	// its listener, by pattern. It is called once.
	Beside func(*api.Handler) map[string]http.Handler

	// Now tells the time to everything that Cardea decides; nil: [time.Now].
	Now cardea.Clock

	// Logger receives what happens; nil: standard error, as the settings say.
	Logger *slog.Logger
}

// A Server is one running Cardea. Its methods are safe for concurrent use.
type Server struct {
	settings Settings
	log      *slog.Logger
	now      cardea.Clock

	lock     *os.File      // held while the data directory is in use
	taken    chan struct{} // closed when another server has taken the database
	contract *contractFile
	store    *store.DB
	recorder *record.Recorder
	manager  *manage.Manager
	insight  *insight.Insight
	started  time.Time

	authorizer *authz.Authorizer
	keys       *signing.Keys
	webhooks   *webhook.Webhooks
	delivering sync.WaitGroup // its attempts under way
	people     *people.People
	oauth      *oauth.Server
	front      *proxy.Handler
	metrics    *metrics
	reloaded   func(*contract.Contract) // may be nil

	certificate          *certificateFile // nil without certificate files
	api, tls, management *door            // nil when not listening; management never is
	draining             atomic.Bool
	closing              sync.Once
	closed               error
}

// New opens and binds everything, and serves nothing yet: connections wait in the
// listeners' queues until [Server.Run]. After an error nothing stays open. The caller
// ends with [Server.Close] if it never calls Run.
func New(ctx context.Context, c Config) (_ *Server, err error) {
	if c.Certificate != nil && c.Settings.TLSCert == "" {
		// The settings ask for files that the caller stands in for.
		c.Settings.TLSCert, c.Settings.TLSKey = "-", "-"
	}
	if err := c.Settings.Validate(); err != nil {
		return nil, err
	}
	s := &Server{settings: c.Settings, log: c.Logger, now: c.Now, reloaded: c.Reloaded, metrics: newMetrics()}
	if s.now == nil {
		s.now = time.Now
	}
	s.started = s.now()
	if s.log == nil {
		if s.log, err = NewLogger(os.Stderr, c.Settings.LogFormat, c.Settings.LogLevel); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.contract, err = openContract(c, s.log); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.settings.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if s.lock, err = lockData(s.settings.Data); err != nil {
		return nil, err
	}
	if err := s.assemble(ctx, c); err != nil {
		return nil, err
	}
	return s, nil
}

// Manager returns the use cases, for callers that manage without going through HTTP.
func (s *Server) Manager() *manage.Manager { return s.manager }

// Insight returns the use cases that tell what happened, for callers that do not go
// through HTTP.
func (s *Server) Insight() *insight.Insight { return s.insight }

// Contract returns the contract in force.
func (s *Server) Contract() *contract.Contract { return s.contract.get() }

// Addresses are where a [Server] listens: "host:port", "" for what is off.
type Addresses struct{ API, TLS, Management string }

// Addresses returns where the server listens, with the ports that were bound when the
// settings asked for port 0.
func (s *Server) Addresses() Addresses {
	return Addresses{API: s.api.address(), TLS: s.tls.address(), Management: s.management.address()}
}

// Run serves until ctx ends or a listener fails, then drains and closes. It reloads the
// contract and the certificate when their files change and on SIGHUP.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var background sync.WaitGroup
	for _, d := range []*door{s.api, s.tls, s.management} {
		if d == nil {
			continue
		}
		s.log.Info("listening", slog.String("door", d.name), slog.String("address", d.address()))
		background.Go(func() { cancel(d.serve()) })
	}
	s.offerSetup(ctx)
	background.Go(func() { s.follow(ctx) })
	background.Go(func() { s.maintain(ctx) })
	s.deliver(ctx)
	s.keys.Start(ctx)
	background.Go(func() {
		select {
		case <-ctx.Done():
		case <-s.taken:
			cancel(errTaken)
		}
	})

	<-ctx.Done()
	failure := context.Cause(ctx)
	if errors.Is(failure, context.Canceled) || errors.Is(failure, context.DeadlineExceeded) {
		failure = nil
	}
	s.log.Info("stopping: requests in flight are finished, new ones refused", slog.Duration("at_most", s.settings.DrainTimeout))
	err := s.Close()
	background.Wait()
	s.log.Info("stopped")
	return errors.Join(failure, err)
}

// errTaken ends a server whose memory can no longer be trusted.
var errTaken = errors.New("another Cardea works with this database: stopped, since what it revokes would still be accepted here")

// follow reloads contract and certificate when they may have changed.
func (s *Server) follow(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	var files []string
	if s.contract.watched {
		files = append(files, s.contract.name)
	}
	if s.certificate != nil {
		files = append(files, s.certificate.cert, s.certificate.key)
	}
	changed := make(chan struct{}, 1)
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() {
		notify := func() {
			select {
			case changed <- struct{}{}:
			default: // a reload is due already
			}
		}
		if err := watch(ctx, s.log, notify, files...); err != nil {
			s.log.Warn("files are not watched; send SIGHUP after a change", slog.String("error", err.Error()))
		}
	})
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		case <-changed:
		}
		s.Reload()
	}
}

// Reload reads contract and certificate again if their files changed. The error says
// why the contract did not take; the old one is then in force.
func (s *Server) Reload() error {
	if s.certificate != nil {
		s.certificate.reload()
	}
	if !s.contract.watched {
		return nil
	}
	took, err := s.contract.reload(s.now())
	if took && s.reloaded != nil {
		s.reloaded(s.contract.get())
	}
	return err
}

// How often old records are deleted and checkpoints of the audit log are signed.
const (
	maintenance  = 10 * time.Minute
	checkpointed = time.Minute
)

// maintain deletes old records and signs checkpoints from time to time.
func (s *Server) maintain(ctx context.Context) {
	old, checkpoint := time.NewTicker(maintenance), time.NewTicker(checkpointed)
	defer old.Stop()
	defer checkpoint.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-old.C:
			s.sweep(ctx)
			if err := s.keys.Maintain(ctx); err != nil {
				s.log.Warn("signing keys not looked after", slog.String("error", err.Error()))
			}
		case <-checkpoint.C:
			s.signCheckpoint(ctx)
		}
	}
}

// Close drains and closes everything. Requests in flight get DrainTimeout; what is then
// left is cut off. Records are written and the store is closed last. Calling it again
// returns the same error.
func (s *Server) Close() error {
	s.closing.Do(func() { s.closed = s.close() })
	return s.closed
}

func (s *Server) close() error {
	s.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), s.settings.DrainTimeout)
	defer cancel()
	var failures []error
	// The management door goes last: until then it tells that the server drains.
	for _, doors := range [][]*door{{s.api, s.tls}, {s.management}} {
		failures = append(failures, shut(ctx, doors...))
	}
	if s.front != nil {
		s.front.Close()
	}
	s.delivering.Wait()
	if s.recorder != nil {
		failures = append(failures, s.recorder.Close())
	}
	if s.store != nil {
		failures = append(failures, s.store.Close())
	}
	if s.lock != nil {
		failures = append(failures, s.lock.Close())
	}
	return errors.Join(failures...)
}

// shut shuts doors at the same time, gently until ctx ends.
func shut(ctx context.Context, doors ...*door) error {
	failures := make([]error, len(doors))
	var all sync.WaitGroup
	for i, d := range doors {
		if d == nil {
			continue
		}
		all.Go(func() {
			err := d.server.Shutdown(ctx)
			if errors.Is(err, context.DeadlineExceeded) {
				err = d.server.Close() // cut off what took too long
			}
			// A server that never served does not know its listener.
			d.listener.Close()
			failures[i] = err
		})
	}
	all.Wait()
	return errors.Join(failures...)
}
