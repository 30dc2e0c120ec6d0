package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/hook"
	"github.com/cardea-dev/cardea/internal/store"
)

// Bounds of attempts.
const (
	attemptTimeout = 15 * time.Second // from the first byte of DNS to the answer's header
	disableAfter   = 5 * 24 * time.Hour
	maxAttempts    = 20 // that are kept of a delivery
	longestWait    = 24 * time.Hour
)

// Retries returns how long after each failed attempt the next one is made: the schedule
// that Standard Webhooks gives, three days together. Up to a tenth is added at random, so
// that what failed together is not tried again together.
func Retries() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// The classes of failure, as [Attempt.Error] has them.
const (
	failStatus      = "status"
	failRedirect    = "redirect"
	failGone        = "gone"
	failTimeout     = "timeout"
	failRefused     = "refused"
	failName        = "name"
	failAddress     = "address"
	failCertificate = "certificate"
	failConnection  = "connection"
	failDisabled    = "disabled"
	failSecret      = "secret"
)

// An outcome is how an attempt went.
type outcome struct {
	store.WebhookAttempt
	after time.Duration // the receiver asks to wait so long
}

// deliver makes one attempt and notes its outcome. ctx ends when the process must.
func (w *Webhooks) deliver(ctx context.Context, d store.WebhookDelivery, s *seat) {
	e, err := w.store.WebhookEndpoint(ctx, d.Endpoint)
	if err != nil { // deleted a moment ago, or no database: the claim runs out by itself
		return
	}
	lingers := time.AfterFunc(slowAttempt, func() { w.lanes.linger(s) })
	o := w.attempt(ctx, e, d)
	lingers.Stop()
	if o.Error != "" && ctx.Err() != nil { // cut off by the end of the process: the claim runs out
		return
	}
	w.lanes.found(s, o.Error != "" || o.Latency > slowAttempt.Microseconds())
	if o.Error == "" {
		w.delivered.Add(1)
	} else {
		w.failed.Add(1)
	}
	// What came is noted even if the process must end now, if that can be done soon.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTimeout)
	defer cancel()
	w.note(ctx, e, d, o)
}

// attempt sends a message to an endpoint.
func (w *Webhooks) attempt(ctx context.Context, e store.WebhookEndpoint, d store.WebhookDelivery) (o outcome) {
	o.At = w.now().UTC()
	if !e.DisabledAt.IsZero() {
		o.Error = failDisabled
		return o
	}
	keys, err := w.keys(e)
	if err != nil {
		w.log.ErrorContext(ctx, "a webhook's secret cannot be opened", slog.String("webhook", e.ID), slog.Any("error", err))
		o.Error = failSecret
		return o
	}
	body, begin := []byte(d.Payload), time.Now()
	answer, err := w.fetch.Post(ctx, e.URL, "application/json", body, hook.Sign(d.Message, begin, body, keys...), fetch.Options{
		Timeout: w.timeout, AllowPrivate: w.private, AllowHTTP: w.private && strings.HasPrefix(e.URL, "http://"), NoBody: true,
	})
	o.Latency = time.Since(begin).Microseconds()
	if err != nil {
		o.Error = classOf(err)
		return o
	}
	o.Status = answer.Status
	switch s := answer.Status; {
	case s >= 200 && s <= 299:
	case s >= 300 && s <= 399:
		o.Error = failRedirect
	case s == http.StatusGone:
		o.Error = failGone
	default:
		o.Error = failStatus
		o.after = retryAfter(answer.Header.Get("Retry-After"), begin)
	}
	return o
}

// keys returns the keys that messages to an endpoint are signed with, the current first.
func (w *Webhooks) keys(e store.WebhookEndpoint) ([][]byte, error) {
	current, err := w.open(e.ID, e.Sealed)
	if err != nil {
		return nil, err
	}
	if e.Previous == nil || !w.now().Before(e.PreviousUntil) {
		return [][]byte{current}, nil
	}
	previous, err := w.open(e.ID, e.Previous)
	if err != nil {
		return nil, err
	}
	return [][]byte{current, previous}, nil
}

// retryAfter reads a Retry-After header (RFC 9110 §10.2.3), 0 for none that is understood.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longestWait)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longestWait)
}

// classOf returns the class of an error of the network. The error's own text is not kept:
// it names addresses.
func classOf(err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var host x509.HostnameError
	var timeout net.Error
	switch {
	case errors.Is(err, fetch.ErrAddress), errors.Is(err, fetch.ErrURL):
		return failAddress
	case errors.As(err, &timeout) && timeout.Timeout():
		return failTimeout
	case errors.As(err, &name):
		return failName
	case errors.As(err, &certificate), errors.As(err, &host):
		return failCertificate
	case errors.Is(err, syscall.ECONNREFUSED):
		return failRefused
	}
	return failConnection
}

// note stores the outcome of an attempt and disables an endpoint that has had its chances.
func (w *Webhooks) note(ctx context.Context, e store.WebhookEndpoint, d store.WebhookDelivery, o outcome) {
	d.Tries++
	d.Attempts = append(d.Attempts, o.WebhookAttempt)
	d.Attempts = d.Attempts[max(0, len(d.Attempts)-maxAttempts):]
	now, retries := w.now(), Retries()
	last := d.Tries > int64(len(retries)) || d.Type == store.EventTest || o.Error == failGone || o.Error == failDisabled
	switch {
	case o.Error == "":
		d.Status, d.DueAt, d.FinishedAt = DeliveryDelivered, time.Time{}, now
	case last:
		d.Status, d.DueAt, d.FinishedAt = DeliveryFailed, time.Time{}, now
	default:
		wait := retries[d.Tries-1]
		wait += rand.N(wait/10 + 1)
		d.DueAt = now.Add(max(wait, o.after))
	}
	kept, err := w.store.NoteWebhook(ctx, d)
	if err != nil {
		w.log.WarnContext(ctx, "a webhook's outcome cannot be noted; it will be sent again", slog.String("delivery", d.ID), slog.Any("error", err))
		return
	}
	if !kept || o.Error == "" || o.Error == failDisabled {
		return
	}
	switch {
	case o.Error == failGone:
		err = w.disable(ctx, e.ID, reasonGone)
	case !e.FailingSince.IsZero() && now.Sub(e.FailingSince) >= disableAfter:
		err = w.disable(ctx, e.ID, reasonFailing)
	}
	if err != nil {
		w.log.WarnContext(ctx, "a webhook cannot be disabled", slog.String("webhook", e.ID), slog.Any("error", err))
	}
}

// self is who disables endpoints.
var self = cardea.Actor{Type: access.TypeSystem, ID: "webhooks"}

// disable stops deliveries to an endpoint, unless somebody has already or an attempt
// succeeded meanwhile.
func (w *Webhooks) disable(ctx context.Context, id, reason string) error {
	e, err := w.edit(ctx, self, id, "webhook.disable", func(tx *store.Tx, e *store.WebhookEndpoint) error {
		if !e.DisabledAt.IsZero() || e.FailingSince.IsZero() {
			return nil
		}
		e.DisabledAt, e.DisabledReason = tx.Now(), reason
		return tx.EndWebhooks(ctx, e.ID)
	})
	if err == nil && e.DisabledReason == reason {
		w.log.WarnContext(ctx, "a webhook is disabled", slog.String("webhook", id), slog.String("reason", reason))
	}
	return err
}
