package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// standard carries the passage by net/http's own reverse proxy and transport: upgrades,
// Expect, trailers, bodies that are large or of unknown length, and https upstreams.
// It always uses Rewrite: with Director, a client's Connection header could remove
// the headers we set (threats D2).
func (f *forwarder) standard(p *passage) error {
	s := &standard{f: f, p: p}
	p.shared = true // with a goroutine of the transport
	s.ctx, s.cancel = context.WithCancelCause(p.r.Context())
	defer s.cancel(nil)
	s.slow = time.AfterFunc(p.timeout, func() { s.cancel(errTimeout) })
	defer s.answered()
	proxy := &httputil.ReverseProxy{
		Rewrite:        s.rewrite,
		Transport:      f.transportTo(p.up),
		FlushInterval:  -1,
		BufferPool:     buffers{},
		ErrorLog:       discard,
		ModifyResponse: s.modify,
		ErrorHandler:   func(_ http.ResponseWriter, _ *http.Request, err error) { s.err = err },
	}
	r := p.r.WithContext(s.ctx)
	s.body = &clientBody{s: s, src: p.r.Body, client: http.NewResponseController(p.w)}
	if r.ContentLength != 0 {
		if p.maxBody > 0 {
			s.body.src = http.MaxBytesReader(p.w, p.r.Body, p.maxBody)
		}
		r.Body = s.body
	}
	w := &replyWriter{ResponseWriter: p.w, f: f, p: p}
	proxy.ServeHTTP(w, r)
	if w.tunnel != nil {
		p.written = w.tunnel.sent.Load()
	}
	if s.err == nil {
		return nil
	}
	return s.classify()
}

// discard is where the reverse proxy's own log goes: its messages may quote input.
// Failures are recorded with the request.
var discard = log.New(io.Discard, "", 0)

// A standard is the state of one passage on the standard path.
type standard struct {
	f      *forwarder
	p      *passage
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   *clientBody
	err    error // what the reverse proxy met

	mu   sync.Mutex
	slow *time.Timer // strikes when the response's head takes too long
	head bool        // it has come
}

// pause stops the wait for the response's head, renew starts it anew, and answered
// ends it. The request's body is read by a goroutine of the transport.
func (s *standard) pause() { s.slow.Stop() }

func (s *standard) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.head {
		s.slow.Reset(s.p.timeout)
	}
}

func (s *standard) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head = true
	s.slow.Stop()
}

// rewrite makes the outbound request: same bytes of target, headers by the same rules
// as on the fast path.
func (s *standard) rewrite(pr *httputil.ProxyRequest) {
	p, out := s.p, pr.Out
	h := make(http.Header, len(p.r.Header)+len(p.own))
	named := connectionNames(p.r.Header["Connection"])
	for name, values := range p.r.Header {
		if p.names.request(name) == fatePass && !slices.Contains(named, name) {
			if values = passing(name, values); len(values) > 0 {
				h[name] = values
			}
		}
	}
	if hasToken(p.r.Header["Te"], "trailers") {
		h["Te"] = []string{"trailers"}
	}
	if e := p.r.Header["Expect"]; e != nil {
		h["Expect"] = e
	}
	if isWebSocket(p.r) {
		h["Connection"], h["Upgrade"] = []string{"Upgrade"}, []string{"websocket"}
	}
	for _, o := range p.own {
		h[o.name] = append(h[o.name], o.value)
	}
	out.Header = h
	out.Host = p.host()
	out.URL = &url.URL{Scheme: p.up.scheme, Host: p.up.host, Opaque: p.up.prefix + p.target}
	out.Trailer = s.body.announce(p)
}

// isWebSocket reports whether the request asks for the one upgrade that is let
// through (RFC 6455 §4.1). Any other, "h2c" above all, would open a tunnel through
// which further requests reach the upstream unjudged.
func isWebSocket(r *http.Request) bool {
	u := r.Header["Upgrade"]
	return r.Method == http.MethodGet && r.ProtoMajor == 1 && len(u) == 1 &&
		strings.EqualFold(u[0], "websocket") && hasToken(r.Header["Connection"], "upgrade") &&
		r.ContentLength == 0
}

// modify edits the response before the reverse proxy copies it: what the upstream may
// not say is removed, and our own headers are set on the writer, whose keys keep
// their case.
func (s *standard) modify(res *http.Response) error {
	s.answered()
	p, switching := s.p, res.StatusCode == http.StatusSwitchingProtocols
	if res.StatusCode < 100 || res.StatusCode > 599 || len(res.Header) > maxFields ||
		res.ProtoMajor != 1 && res.TLS == nil ||
		switching && !(isWebSocket(p.r) && hasToken(res.Header["Upgrade"], "websocket")) {
		return errGarbage
	}
	for name, values := range res.Header {
		if !validName(name) || slices.ContainsFunc(values, func(v string) bool { return !validValue(v) }) {
			return errGarbage
		}
		if !p.replies.reply(name) {
			delete(res.Header, name)
		}
	}
	if switching {
		res.Header["Upgrade"], res.Header["Connection"] = []string{"websocket"}, []string{"Upgrade"}
	}
	if !switching {
		res.Body = &trailerFilter{ReadCloser: res.Body, res: res, replies: p.replies}
		filterTrailers(res.Trailer, p.replies)
	}
	h := p.w.Header()
	if vary, ok := res.Header["Vary"]; ok {
		h["Vary"] = vary
		delete(res.Header, "Vary")
	}
	p.decorate(h)
	if _, ok := res.Header["Content-Type"]; !ok && !switching {
		h["Content-Type"] = nil // net/http is not to guess one
	}
	return nil
}

// A trailerFilter is a response body after which the trailers that do not pass are
// gone: the transport fills them in at the end of the body, asked for or not.
type trailerFilter struct {
	io.ReadCloser
	res     *http.Response
	replies *nameSet
}

// Close implements [io.Closer]. The reverse proxy looks at the trailers after it.
func (f *trailerFilter) Close() error {
	err := f.ReadCloser.Close()
	filterTrailers(f.res.Trailer, f.replies)
	return err
}

func filterTrailers(trailer http.Header, replies *nameSet) {
	for name := range trailer {
		if !trailerPasses(name, replies) {
			delete(trailer, name)
		}
	}
}

// classify says which kind of failure the reverse proxy met.
func (s *standard) classify() error {
	client := s.p.r.Context()
	if err := s.body.err.Load(); err != nil {
		return bodyError(client, *err)
	}
	switch {
	case client.Err() != nil:
		return fail(errGone, s.err)
	case errors.Is(context.Cause(s.ctx), errTimeout), isTimeout(s.err):
		return fail(errTimeout, s.err)
	}
	return fail(errUpstream, s.err)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// A clientBody is the client's body on its way to the upstream. While it flows, the
// upstream is not expected to answer, so the wait for its head starts anew with each
// read; a client that stops sending is given up.
type clientBody struct {
	s      *standard
	src    io.ReadCloser
	client *http.ResponseController
	out    http.Header           // trailers announced to the upstream
	ended  bool                  // src has been read to its end
	err    atomic.Pointer[error] // why reading failed; nil at the end
}

// Read implements [io.Reader]. At the end it passes on the trailers that were
// announced, which net/http has read by then.
func (b *clientBody) Read(buf []byte) (int, error) {
	if b.ended {
		return 0, io.EOF // the transport asks again, when net/http may have closed src
	}
	b.s.pause()
	_ = b.client.SetReadDeadline(time.Now().Add(b.s.f.bodyIdle))
	n, err := b.src.Read(buf)
	b.s.renew()
	switch {
	case err == io.EOF:
		b.ended = true
		_ = b.client.SetReadDeadline(time.Time{})
		for name := range b.out {
			b.out[name] = b.s.p.r.Trailer[name]
		}
	case err != nil:
		b.err.Store(&err)
	}
	return n, err
}

// Close implements [io.Closer].
func (b *clientBody) Close() error { return b.src.Close() }

// announce returns the trailers of the request that the upstream may be sent, by the
// rules for headers: a server may merge trailers into headers.
func (b *clientBody) announce(p *passage) http.Header {
	for name := range p.r.Trailer {
		if p.names.request(name) != fatePass {
			continue
		}
		if b.out == nil {
			b.out = make(http.Header)
		}
		b.out[name] = nil
	}
	return b.out
}

// buffers hands the reverse proxy the same buffers that the fast path uses.
type buffers struct{}

// Get implements [httputil.BufferPool].
func (buffers) Get() []byte { return scratches.Get().(*[scratchSize]byte)[:] }

// Put implements [httputil.BufferPool].
func (buffers) Put(b []byte) { scratches.Put((*[scratchSize]byte)(b)) }

// transportTo returns the transport to an upstream. Connections without TLS are used
// once: net/http hands an idle connection out again before it has looked whether the
// upstream sent more than it was asked for, and would give those bytes to the next
// request, of another client. The fast path, which looks first, is where reuse counts.
func (f *forwarder) transportTo(up *upstream) *http.Transport {
	if up.fast {
		return f.once
	}
	return f.transport
}

// newTransport returns the transport of the standard path.
func newTransport(f *forwarder, tlsConfig *tls.Config) *http.Transport {
	return &http.Transport{
		DialContext:            f.dialer.DialContext,
		TLSClientConfig:        tlsConfig,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // bodies pass as they are
		MaxIdleConns:           4 * maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idleTimeout,
		TLSHandshakeTimeout:    f.dialer.Timeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxResponseHead,
		WriteBufferSize:        scratchSize,
		ReadBufferSize:         readBuffer,
	}
}
