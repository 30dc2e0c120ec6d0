package api

import (
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// telling lists the operations on webhooks, and on what is told through them.
func telling(m *manage.Manager, w *webhook.Webhooks) []operation {
	return []operation{
		op("listWebhooks", "GET /v1/webhooks", ok, w.Endpoints),
		op("createWebhook", "POST /v1/webhooks", created, w.CreateEndpoint),
		op("getWebhook", "GET /v1/webhooks/{id}", ok, w.Endpoint),
		op("updateWebhook", "PATCH /v1/webhooks/{id}", ok, w.UpdateEndpoint),
		op("deleteWebhook", "DELETE /v1/webhooks/{id}", ok, w.DeleteEndpoint),
		op("rotateWebhookSecret", "POST /v1/webhooks/{id}/rotate", ok, w.RotateSecret),
		op("revealWebhookSecret", "POST /v1/webhooks/{id}/reveal", ok, w.RevealSecret),
		op("testWebhook", "POST /v1/webhooks/{id}/test", ok, w.Test),
		op("listWebhookDeliveries", "GET /v1/webhook-deliveries", ok, w.Deliveries),
		op("getWebhookDelivery", "GET /v1/webhook-deliveries/{id}", ok, w.Delivery),
		op("redeliverWebhook", "POST /v1/webhook-deliveries/{id}/redeliver", ok, w.Redeliver),

		op("reportLeak", "POST /v1/leaks", ok, m.ReportLeak),
	}
}
