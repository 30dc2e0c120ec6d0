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
}

// deliver delivers webhooks until ctx ends. [Server.Close] waits for the attempts under way,
// which have their outcome to store.
func (s *Server) deliver(ctx context.Context) {
	s.delivering.Go(func() { s.webhooks.Run(ctx) })
}
