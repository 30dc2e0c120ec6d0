// Package proxy is the door that callers use: a streaming reverse proxy in front of
// the API. It holds no policy. It translates what arrives into a [cardea.Request],
// has it judged, and then either writes the denial or carries the request to its
// upstream, changing nothing but headers.
//
// What it changes is the point. Requests lose the credential, everything that speaks
// about one connection, and every header by which a client could claim to be somebody
// else or from somewhere else; then Cardea's own are set (strip, decide, set: threats
// T1 and T3). Responses lose what only Cardea may say.
//
// Ordinary requests take the fast path (exchange.go): one goroutine, a pooled
// connection, one write. Everything unusual takes the standard path (standard.go),
// net/http's own. Both follow the same rules, which a test compares.
package proxy

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/record"
)

// Config is what a [Handler] works with.
type Config struct {
	// Authorizer judges the requests.
	Authorizer *authz.Authorizer

	// Contract returns the contract in force, as in [authz.Config]. Request ids are
	// made by it.
	Contract func() *contract.Contract

	// Recorder takes an event for every request; nil records nothing.
	Recorder *record.Recorder

	// Now tells the time that events are dated by; nil means time.Now. Durations are
	// always measured in real time.
	Now cardea.Clock

	// Logger is told about upstreams that fail, at most once a second; nil means that
	// nobody is.
	Logger *slog.Logger

	// Observe, when not nil, is called at the end of every request: why it was decided
	// as it was, the window of the limit that refused it ("" for other reasons), the
	// status, and how long it took.
	Observe func(reason cardea.Reason, window string, status int, took time.Duration)

	// TrustedProxies are the peers whose X-Forwarded-Proto and -Port are believed;
	// none by default. Client addresses are the Authorizer's business.
	TrustedProxies []netip.Prefix

	// UpstreamTLS is used for https upstreams; nil means the system's roots.
	UpstreamTLS *tls.Config

	// DialTimeout bounds connecting to an upstream; 0 means 5 s.
	DialTimeout time.Duration

	// Timeout is how long an upstream may take for its response header unless the
	// route says otherwise; 0 means 30 s.
	Timeout time.Duration

	// StreamIdle is how long a response body or a WebSocket may be silent; 0 means
	// 5 min.
	StreamIdle time.Duration

	// BodyIdle is how long a client may be silent while it sends its body; 0 means
	// 10 s.
	BodyIdle time.Duration

	// StandardOnly sends every request the standard way. It is slower and otherwise
	// the same; for comparison.
	StandardOnly bool
}

// A Handler is the door. It is safe for concurrent use.
type Handler struct {
	cfg     Config
	now     cardea.Clock
	log     *slog.Logger
	forward *forwarder
	rules   atomic.Pointer[rules]

	quiet atomic.Int64 // Unix time, in seconds, of the latest line about a failing upstream
}

// New returns a Handler. Close it to close its idle connections.
func New(cfg Config) *Handler {
	h := &Handler{cfg: cfg, now: cfg.Now, log: cfg.Logger, forward: newForwarder(cfg)}
	if h.now == nil {
		h.now = time.Now
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	return h
}

// Close closes idle connections to upstreams. Requests under way end by themselves.
func (h *Handler) Close() { h.forward.close() }

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := h.begin(w, r)
	defer c.end()
	c.serve()
}

// newForwarder returns a forwarder with the Config's times.
func newForwarder(cfg Config) *forwarder {
	f := &forwarder{
		idle:     or(cfg.StreamIdle, 5*time.Minute),
		bodyIdle: or(cfg.BodyIdle, 10*time.Second),
		timeout:  or(cfg.Timeout, 30*time.Second),
		noFast:   cfg.StandardOnly,
	}
	f.dialer.Timeout = or(cfg.DialTimeout, 5*time.Second)
	f.transport = newTransport(f, cfg.UpstreamTLS)
	f.once = newTransport(f, nil)
	f.once.DisableKeepAlives = true
	return f
}

func or(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// warn logs a failing upstream, but no more than once a second.
func (h *Handler) warn(ctx context.Context, text string, attrs ...slog.Attr) {
	now := time.Now().Unix()
	if last := h.quiet.Load(); last != now && h.quiet.CompareAndSwap(last, now) {
		h.log.LogAttrs(ctx, slog.LevelWarn, text, attrs...)
	}
}
