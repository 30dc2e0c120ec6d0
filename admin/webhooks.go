package admin

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"time"
)

// A Webhook is a URL that is told what happens to credentials.
type Webhook struct {
	ID           string   `json:"id"`
	Organization string   `json:"organization,omitzero"` // whose credentials; "": everybody's
	URL          string   `json:"url"`
	Events       []string `json:"events"` // types; empty: all
	Description  string   `json:"description,omitzero"`

	Status         string    `json:"status"`                   // "active", "failing" or "disabled"
	FailingSince   time.Time `json:"failing_since,omitzero"`   // nothing was taken since
	DisabledAt     time.Time `json:"disabled_at,omitzero"`     //
	DisabledReason string    `json:"disabled_reason,omitzero"` // "by_hand", "gone" or "failing"

	// PreviousSecretUntil is until when messages are signed with the secret before the
	// last rotation too.
	PreviousSecretUntil time.Time `json:"previous_secret_until,omitzero"`

	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// A WebhookSecret is a webhook with the secret that its receiver verifies with.
type WebhookSecret struct {
	Webhook Webhook `json:"webhook"`
	Secret  Secret  `json:"secret"`
}

// WebhookFilter says which webhooks [Client.ListWebhooks] lists; "" is any.
type WebhookFilter struct {
	Organization string `json:"organization,omitzero"`
	Page
}

// CreateWebhook is the input of [Client.CreateWebhook].
type CreateWebhook struct {
	// Organization is whose credentials it is told about. "": for a person, their own; for
	// an operator, everybody's.
	Organization string `json:"organization,omitzero"`

	URL         string   `json:"url"`
	Events      []string `json:"events,omitzero"` // empty: all, those to come included
	Description string   `json:"description,omitzero"`
}

// UpdateWebhook is the input of [Client.UpdateWebhook]; nil members stay as they are. An
// empty list of events is a change: all.
type UpdateWebhook struct {
	ID          string   `json:"-"`
	URL         *string  `json:"url,omitzero"`
	Events      []string `json:"events,omitzero"`
	Description *string  `json:"description,omitzero"`

	// Disabled stops deliveries, and gives up those that wait, or starts them again.
	Disabled *bool `json:"disabled,omitzero"`
}

// A WebhookDelivery is a message to one webhook and what became of it.
type WebhookDelivery struct {
	ID           string           `json:"id"`
	Message      string           `json:"message"` // the webhook-id
	Webhook      string           `json:"webhook"`
	Organization string           `json:"organization,omitzero"`
	Type         string           `json:"type"`
	Credential   string           `json:"credential,omitzero"`
	Status       string           `json:"status"` // "pending", "delivered" or "failed"
	Payload      json.RawMessage  `json:"payload"`
	Attempts     []WebhookAttempt `json:"attempts"` // oldest first, the last 20

	NextAttemptAt time.Time `json:"next_attempt_at,omitzero"`
	CreatedAt     time.Time `json:"created_at"`
	FinishedAt    time.Time `json:"finished_at,omitzero"`
}

// A WebhookAttempt is one try to deliver.
type WebhookAttempt struct {
	At        time.Time `json:"at"`
	Status    int       `json:"status,omitzero"` // of HTTP; 0: there was no answer
	Error     string    `json:"error,omitzero"`  // why it was not taken; "": it was
	LatencyUS int64     `json:"latency_us"`
}

// WebhookDeliveryFilter says which deliveries [Client.ListWebhookDeliveries] lists; "" is
// any.
type WebhookDeliveryFilter struct {
	Organization string `json:"organization,omitzero"`
	Webhook      string `json:"webhook,omitzero"`
	Status       string `json:"status,omitzero"`
	Type         string `json:"type,omitzero"`
	Credential   string `json:"credential,omitzero"`
	Page
}

// ReportLeak is the input of [Client.ReportLeak].
type ReportLeak struct {
	// Secrets are the texts that were found, at most 100.
	Secrets []string `json:"secrets"`

	// Source says where they were found, for those whose secrets they are.
	Source string `json:"source,omitzero"`

	// Revoke ends the credentials at once.
	Revoke bool `json:"revoke,omitzero"`
}

// A LeakReport is what a report found.
type LeakReport struct {
	Items   []Leaked `json:"items"`
	Unknown int      `json:"unknown"` // texts that no credential has or had for a secret
}

// A Leaked is a credential whose secret was found.
type Leaked struct {
	Index    int  `json:"index"` // of the secret in the report, from 0
	Key      Key  `json:"key"`
	Reported bool `json:"reported"` // it was known before; nobody is told again
}

// ListWebhooks iterates over the webhooks, newest first.
func (c *Client) ListWebhooks(ctx context.Context, filter WebhookFilter) iter.Seq2[Webhook, error] {
	return all(filter.Page, func(p Page) (List[Webhook], error) {
		filter.Page = p
		return c.WebhooksPage(ctx, filter)
	})
}

// WebhooksPage returns one page of the webhooks.
func (c *Client) WebhooksPage(ctx context.Context, filter WebhookFilter) (List[Webhook], error) {
	return get[List[Webhook]](ctx, c, "/v1/webhooks", filter)
}

// CreateWebhook has a URL told what happens to credentials, and returns the secret that
// its receiver verifies with.
func (c *Client) CreateWebhook(ctx context.Context, in CreateWebhook) (WebhookSecret, error) {
	return call[WebhookSecret](ctx, c, http.MethodPost, "/v1/webhooks", in)
}

// GetWebhook returns a webhook.
func (c *Client) GetWebhook(ctx context.Context, id string) (Webhook, error) {
	return call[Webhook](ctx, c, http.MethodGet, path("/v1/webhooks/", id), nil)
}

// UpdateWebhook changes, disables or enables a webhook.
func (c *Client) UpdateWebhook(ctx context.Context, in UpdateWebhook) (Webhook, error) {
	return call[Webhook](ctx, c, http.MethodPatch, path("/v1/webhooks/", in.ID), in)
}

// DeleteWebhook deletes a webhook with its log of deliveries, and returns what it was.
func (c *Client) DeleteWebhook(ctx context.Context, id string) (Webhook, error) {
	return call[Webhook](ctx, c, http.MethodDelete, path("/v1/webhooks/", id), nil)
}

// RotateWebhookSecret gives a webhook a new secret. Messages are signed with the old one
// too for 24 hours.
func (c *Client) RotateWebhookSecret(ctx context.Context, id string) (WebhookSecret, error) {
	return act[WebhookSecret](ctx, c, path("/v1/webhooks/", id, "/rotate"))
}

// RevealWebhookSecret shows the secret of a webhook.
func (c *Client) RevealWebhookSecret(ctx context.Context, id string) (WebhookSecret, error) {
	return act[WebhookSecret](ctx, c, path("/v1/webhooks/", id, "/reveal"))
}

// TestWebhook sends a webhook a message of the type webhook.test. The delivery is yet to be
// made: [Client.GetWebhookDelivery] tells what became of it.
func (c *Client) TestWebhook(ctx context.Context, id string) (WebhookDelivery, error) {
	return act[WebhookDelivery](ctx, c, path("/v1/webhooks/", id, "/test"))
}

// ListWebhookDeliveries iterates over deliveries, newest first.
func (c *Client) ListWebhookDeliveries(ctx context.Context, filter WebhookDeliveryFilter) iter.Seq2[WebhookDelivery, error] {
	return all(filter.Page, func(p Page) (List[WebhookDelivery], error) {
		filter.Page = p
		return c.WebhookDeliveriesPage(ctx, filter)
	})
}

// WebhookDeliveriesPage returns one page of the deliveries.
func (c *Client) WebhookDeliveriesPage(ctx context.Context, filter WebhookDeliveryFilter) (List[WebhookDelivery], error) {
	return get[List[WebhookDelivery]](ctx, c, "/v1/webhook-deliveries", filter)
}

// GetWebhookDelivery returns a delivery and its attempts.
func (c *Client) GetWebhookDelivery(ctx context.Context, id string) (WebhookDelivery, error) {
	return call[WebhookDelivery](ctx, c, http.MethodGet, path("/v1/webhook-deliveries/", id), nil)
}

// RedeliverWebhook sends a message once more, under the same webhook-id.
func (c *Client) RedeliverWebhook(ctx context.Context, id string) (WebhookDelivery, error) {
	return act[WebhookDelivery](ctx, c, path("/v1/webhook-deliveries/", id, "/redeliver"))
}

// ReportLeak says that secrets were found where they should not be. Their owners are told,
// and the credentials revoked if that is asked for.
func (c *Client) ReportLeak(ctx context.Context, in ReportLeak) (LeakReport, error) {
	return call[LeakReport](ctx, c, http.MethodPost, "/v1/leaks", in)
}
