package server

import (
	"context"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// Webhooks returns what tells organizations about their credentials, for callers that
// manage without going through HTTP.
func (s *Server) Webhooks() *webhook.Webhooks { return s.webhooks }

// openWebhooks makes the part that delivers webhooks; deliver runs it.
func (s *Server) openWebhooks(c Config, issuing *issuing, sealer *secret.Sealer) {
	s.webhooks = webhook.New(webhook.Config{
		Store: s.store, Sealer: sealer, Fetch: issuing.fetch, Private: c.Fetch.AllowPrivate, Now: s.now, Logger: s.log,
	})
	for name, c := range map[string]struct {
		help string
		read func(webhook.Stats) uint64
	}{
		"cardea_webhooks_delivered_total": {"Webhook messages that their receivers took.", func(s webhook.Stats) uint64 { return s.Delivered }},
		"cardea_webhooks_failed_total":    {"Attempts to deliver a webhook message that failed.", func(s webhook.Stats) uint64 { return s.Failed }},
	} {
		s.metrics.counter(name, c.help, nil, func() float64 { return float64(c.read(s.webhooks.Stats())) })
	}
	s.metrics.gauge("cardea_webhooks_running", "Webhook messages that are being delivered.", func() float64 { return float64(s.webhooks.Stats().Running) })
	s.metrics.gauge("cardea_webhooks_due", "Webhook messages that wait for their turn; -1 when the store does not answer.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), pingTimeout)
		defer cancel()
		n, err := s.store.CountDueWebhooks(ctx)
		if err != nil {
			return -1
		}
		return float64(n)
	})
}

// deliver delivers webhooks until ctx ends. [Server.Close] waits for the attempts under way,
// which have their outcome to store.
func (s *Server) deliver(ctx context.Context) {
	s.delivering.Go(func() { s.webhooks.Run(ctx) })
}
