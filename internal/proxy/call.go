package proxy

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/authz"
	"github.com/cardea-dev/cardea/internal/record"
)

// statusGone is recorded for a client that left before it was answered. It is never
// sent.
const statusGone = 499

// A call is one request in this door, from arrival to record. It belongs to one
// goroutine, and is used again for another request unless the standard path had it,
// whose transport may look at a request a moment longer than the handler runs.
type call struct {
	passage
	h        *Handler
	rules    *rules
	request  cardea.Request
	decision authz.Decision
	start    time.Time // real time
	at       time.Time // by the configured clock

	reason cardea.Reason
	step   cardea.Step
	detail string

	client, credential string // clientText and credentialID, once asked for
}

var calls = sync.Pool{New: func() any { return new(call) }}

// begin takes note of what arrived.
func (h *Handler) begin(w http.ResponseWriter, r *http.Request) *call {
	c := calls.Get().(*call)
	c.h, c.w, c.r = h, w, r
	c.start = time.Now()
	c.at = c.start
	if h.cfg.Now != nil {
		c.at = h.now()
	}
	c.target = r.RequestURI
	c.request = cardea.Request{
		ID: h.cfg.Contract().NewRequestID(), Method: r.Method, Host: r.Host,
		Target: r.RequestURI, Header: r.Header, Peer: peer(r.RemoteAddr), TLS: r.TLS != nil,
	}
	return c
}

// peer returns the address of the connection's other end, invalid when there is none.
func peer(remote string) netip.Addr {
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		return ap.Addr()
	}
	return netip.Addr{}
}

// serve has the request judged and acts on the decision.
func (c *call) serve() {
	d, err := c.h.cfg.Authorizer.Authorize(c.r.Context(), &c.request)
	c.decision = d
	c.reason, c.step = d.Reason, d.Step
	c.rules = c.h.rulesOf(d.Contract)
	c.setReply()
	switch {
	case err != nil:
		c.h.warn(c.r.Context(), "no decision possible", slog.String("request_id", c.request.ID),
			slog.String("error", err.Error()))
		c.write(d.Denial)
	case !d.Allowed:
		c.write(d.Denial)
	case d.Preflight && !d.Route.CORS.Pass:
		c.preflight(d.Route.CORS)
	case d.Route.Answer != nil:
		c.answer()
	case c.r.Method == http.MethodTrace || c.r.Method == http.MethodConnect:
		// TRACE would show the caller what the upstream is told; CONNECT opens tunnels.
		c.deny(cardea.ReasonMethodNotAllowed, cardea.StepRoute)
	default:
		c.pass()
	}
}

// pass carries the request to its upstream.
func (c *call) pass() {
	route := c.decision.Route
	up, err := c.h.forward.upstreams.get(c.decision.Upstream())
	if err != nil {
		c.fail(err)
		return
	}
	c.up = up
	c.names = c.rules.names
	c.maxBody, c.timeout = route.MaxBody, or(route.Timeout, c.h.forward.timeout)
	c.facts()
	if err := c.h.forward.forward(&c.passage); err != nil {
		c.fail(err)
	}
}

// fail answers for an upstream that did not, in the contract's shape. Once the client
// has been sent a status its connection is broken instead: half an answer must not
// pass for a whole one.
func (c *call) fail(err error) {
	c.detail = describe(err)
	switch {
	case errors.Is(err, errGone):
		if !c.started {
			c.status = statusGone
		}
		panic(http.ErrAbortHandler)
	case errors.Is(err, errTooLarge):
		c.deny(cardea.ReasonTooLarge, cardea.StepRoute)
		return
	case errors.Is(err, errBody):
		c.deny(cardea.ReasonBadRequest, cardea.StepRoute)
		return
	}
	reason := cardea.ReasonUpstream
	if errors.Is(err, errTimeout) {
		reason = cardea.ReasonUpstreamTimeout
	}
	c.h.warn(c.r.Context(), "upstream failed", slog.String("request_id", c.request.ID),
		slog.String("route", c.decision.Route.Pattern), slog.String("environment", c.decision.Environment),
		slog.String("detail", c.detail))
	c.deny(reason, cardea.StepUpstream)
}

// describe says what happened in words of our own and the system's; what the other
// side sent is not quoted.
func describe(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Op + ": " + op.Err.Error()
	}
	for _, known := range []error{errGarbage, errTimeout, errTooLarge, errGone, errBody, errUpstreamURL} {
		if errors.Is(err, known) {
			return strings.TrimPrefix(known.Error(), "proxy: ")
		}
	}
	return strings.TrimPrefix(errUpstream.Error(), "proxy: ")
}

// deny refuses for a reason that came up after the decision.
func (c *call) deny(reason cardea.Reason, step cardea.Step) {
	c.reason, c.step = reason, step
	if c.started {
		panic(http.ErrAbortHandler)
	}
	c.write(c.decision.Contract.Denial(reason, contract.Vars{RequestID: c.request.ID}))
}

// write answers with a denial.
func (c *call) write(d *cardea.Denial) {
	h := c.w.Header()
	clear(h) // what a failed passage may have left
	for name, values := range d.Header {
		h[name] = values
	}
	c.decorate(h)
	c.send(d.Status, d.Body)
}

// answer answers a route of Cardea's own.
func (c *call) answer() {
	body, err := c.h.cfg.Authorizer.Answer(c.r.Context(), &c.decision)
	if err != nil {
		c.detail = "the store did not answer"
		c.h.warn(c.r.Context(), "no answer possible", slog.String("request_id", c.request.ID),
			slog.String("error", err.Error()))
		c.deny(cardea.ReasonUnavailable, cardea.StepNone)
		return
	}
	h := c.w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Cache-Control"] = []string{"no-store"}
	c.decorate(h)
	c.send(http.StatusOK, body)
}

// send sends a whole answer.
func (c *call) send(status int, body []byte) {
	c.started, c.status = true, status
	c.w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.h.forward.patience(c.w, time.Now())
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		n, _ := c.w.Write(body) // a client that is gone needs no answer
		c.written = int64(n)
	}
}

// end records the request. It runs whatever happened, a panic included.
func (c *call) end() {
	took := time.Since(c.start)
	if c.status == 0 {
		c.status = http.StatusInternalServerError
	}
	if c.h.cfg.Recorder != nil {
		c.h.cfg.Recorder.Add(c.event(took))
	}
	if c.h.cfg.Observe != nil {
		window := ""
		if !c.decision.Allowed {
			window = c.decision.Limit.Window
		}
		c.h.cfg.Observe(c.reason, window, c.status, took)
	}
	if c.shared {
		return
	}
	own, reply := c.own, c.reply
	clear(own)
	clear(reply)
	*c = call{passage: passage{own: own[:0], reply: reply[:0]}}
	calls.Put(c)
}

// event is the request as it is recorded.
func (c *call) event(took time.Duration) record.Event {
	d := &c.decision
	long := len(c.r.Method)+len(c.target) > maxHeld
	e := record.Event{
		At: c.at, RequestID: c.request.ID, Credential: c.credentialID(), Organization: d.Organization(),
		Environment: d.Environment, Secret: d.SecretHash(), OldSecret: d.OldSecret, NoteUse: d.NoteUse,
		AccountKey: d.AccountKey(),
		Method:     keep(c.r.Method, long), Host: keep(c.r.Host, false), Path: keep(scrub(pathOf(c.target), d.Contract), long),
		Status: c.status, Reason: c.reason,
		Step: c.step, Client: d.Client, Latency: took, BytesOut: c.written, Detail: c.detail,
	}
	if d.Route != nil {
		e.Route, e.ContractLine = d.Route.Pattern, d.Route.Line
	}
	if d.Contract != nil && !d.Allowed {
		x := d.Explain()
		e.ContractLine, e.Detail = x.Line, x.Detail
	}
	return e
}

// maxKept is how much of a text that the client chose is recorded, at least what the
// request log stores; maxHeld is how large a request line a waiting record may hold.
const (
	maxKept = 256
	maxHeld = 1 << 10
)

// keep returns as much of a text as is recorded, copied when it is part of something
// large: records wait for the store, longest when it fails.
func keep(s string, part bool) string {
	if len(s) > maxKept {
		s, part = s[:maxKept], true
	}
	if part {
		return strings.Clone(s)
	}
	return s
}

// pathOf returns a target without its query, which may hold secrets.
func pathOf(target string) string {
	if i := strings.IndexByte(target, '?'); i >= 0 {
		return target[:i]
	}
	return target
}
