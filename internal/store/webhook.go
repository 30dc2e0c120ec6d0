package store

import (
	"context"
	"time"
)

// A WebhookEndpoint is an address that an organization, or the operators, want to be told
// at about what happens to credentials.
type WebhookEndpoint struct {
	ID           string
	Organization string // "": the operators', told about every organization
	URL          string
	Events       []string // types that it is told about; empty: all
	Description  string

	// Sealed is the secret that messages are signed with, sealed by the caller. Previous is
	// the one that a rotation replaced, good until PreviousUntil.
	Sealed        []byte
	Previous      []byte
	PreviousUntil time.Time

	FailingSince   time.Time // since when no attempt succeeded; zero: the last one did
	DisabledAt     time.Time // zero: not disabled
	DisabledReason string
	CreatedBy      string
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

var webhookEndpoints = newTable("webhook_endpoint", "webhook", "id, organization, url, events, description, sealed, "+
	"previous_sealed, previous_until, failing_since, disabled_at, disabled_reason, created_by, created_at, updated_at",
	(*WebhookEndpoint).fields)

func init() {
	webhookEndpoints.place = func(e *WebhookEndpoint) (time.Time, string) { return e.CreatedAt, e.ID }
}

func (e *WebhookEndpoint) fields() []any {
	return []any{
		&e.ID, (*text)(&e.Organization), &e.URL, (*words)(&e.Events), &e.Description, &e.Sealed,
		&e.Previous, (*stamp)(&e.PreviousUntil), (*stamp)(&e.FailingSince), (*stamp)(&e.DisabledAt), &e.DisabledReason,
		&e.CreatedBy, (*stamp)(&e.CreatedAt), (*stamp)(&e.UpdatedAt),
	}
}

// WebhookEndpoint returns one endpoint, or a KindNotFound error.
func (r Reader) WebhookEndpoint(ctx context.Context, id string) (WebhookEndpoint, error) {
	return webhookEndpoints.one(ctx, r, webhookEndpoints.where("id = ?", id))
}

// WebhookEndpoints lists the endpoints of an organization, of all with "", and returns the
// cursor of the next page.
func (r Reader) WebhookEndpoints(ctx context.Context, organization string, p Page) ([]WebhookEndpoint, string, error) {
	return webhookEndpoints.page(ctx, r, sel(webhookEndpoints.head).and("organization = ?", organization), p)
}

// OperatorWebhooks returns the operators' own endpoints, oldest first and at most 500.
func (r Reader) OperatorWebhooks(ctx context.Context) ([]WebhookEndpoint, error) {
	s := sel(webhookEndpoints.head).and("organization IS NULL")
	return webhookEndpoints.all(ctx, r, s.add(" ORDER BY created_at, id LIMIT ?", maxPage))
}

// InsertWebhookEndpoint stores a new endpoint. KindNotFound when its organization does not
// exist.
func (tx *Tx) InsertWebhookEndpoint(ctx context.Context, e WebhookEndpoint) error {
	tx.fill(&e.CreatedAt, &e.UpdatedAt)
	return webhookEndpoints.put(ctx, tx, &e)
}

// UpdateWebhookEndpoint stores what may change about an endpoint: all but its id, whose it
// is and how it was made. KindNotFound when there is none.
func (tx *Tx) UpdateWebhookEndpoint(ctx context.Context, e WebhookEndpoint) error {
	return tx.change(ctx, webhookEndpoints.noun, `UPDATE webhook_endpoint
		SET url = $1, events = $2, description = $3, sealed = $4, previous_sealed = $5, previous_until = $6,
		    failing_since = $7, disabled_at = $8, disabled_reason = $9, updated_at = $10
		WHERE id = $11`,
		e.URL, words(e.Events), e.Description, e.Sealed, e.Previous, stamp(e.PreviousUntil), stamp(e.FailingSince),
		stamp(e.DisabledAt), e.DisabledReason, stamp(tx.now), e.ID)
}

// DeleteWebhookEndpoint deletes an endpoint and its deliveries. KindNotFound when there is
// none.
func (tx *Tx) DeleteWebhookEndpoint(ctx context.Context, id string) error {
	if _, err := tx.exec(ctx, `DELETE FROM webhook_delivery WHERE endpoint = $1`, id); err != nil {
		return err
	}
	return tx.change(ctx, webhookEndpoints.noun, `DELETE FROM webhook_endpoint WHERE id = $1`, id)
}

// The states of a delivery.
const (
	DeliveryPending   = "pending"   // to be tried, again perhaps
	DeliveryDelivered = "delivered" // the receiver took it
	DeliveryFailed    = "failed"    // given up
)

// A WebhookDelivery is a message to one endpoint and what became of it.
type WebhookDelivery struct {
	ID           string
	Message      string // the same for every endpoint and every attempt: the webhook-id
	Endpoint     string
	Organization string // the endpoint's
	Type         string
	Credential   string // whom it is about; "" for a test
	Payload      string // exactly what is signed and sent
	Status       string
	Tries        int64            // since it was last put in the queue
	Attempts     []WebhookAttempt // oldest first; the caller bounds them
	DueAt        time.Time        // of the next attempt; zero: none will be made
	Claim        string           // who makes that attempt now, until DueAt; "": nobody
	CreatedAt    time.Time
	FinishedAt   time.Time // zero while it is pending
}

// A WebhookAttempt is one try to deliver. Nothing of what the receiver wrote is in it.
type WebhookAttempt struct {
	At      time.Time `json:"at"`
	Status  int       `json:"status,omitzero"` // of HTTP; 0 when there was no answer
	Error   string    `json:"error,omitzero"`  // a class, "timeout"; "" when it was taken
	Latency int64     `json:"latency_us"`      // microseconds
}

var webhookDeliveries = newTable("webhook_delivery", "delivery", "id, message, endpoint, organization, type, credential, "+
	"payload, status, tries, attempts, due_at, claim, created_at, finished_at", (*WebhookDelivery).fields)

func init() {
	webhookDeliveries.place = func(d *WebhookDelivery) (time.Time, string) { return d.CreatedAt, d.ID }
}

func (d *WebhookDelivery) fields() []any {
	if d.Attempts == nil {
		d.Attempts = []WebhookAttempt{}
	}
	return []any{
		&d.ID, &d.Message, &d.Endpoint, (*text)(&d.Organization), &d.Type, &d.Credential,
		&d.Payload, &d.Status, &d.Tries, asJSON(&d.Attempts), (*stamp)(&d.DueAt), (*text)(&d.Claim),
		(*stamp)(&d.CreatedAt), (*stamp)(&d.FinishedAt),
	}
}

// WebhookDelivery returns one delivery, or a KindNotFound error.
func (r Reader) WebhookDelivery(ctx context.Context, id string) (WebhookDelivery, error) {
	return webhookDeliveries.one(ctx, r, webhookDeliveries.where("id = ?", id))
}

// WebhookDeliveryFilter narrows a list of deliveries; zero members do not.
type WebhookDeliveryFilter struct {
	Organization string
	Endpoint     string
	Status       string
	Type         string
	Credential   string
}

// WebhookDeliveries lists deliveries and returns the cursor of the next page.
func (r Reader) WebhookDeliveries(ctx context.Context, f WebhookDeliveryFilter, p Page) ([]WebhookDelivery, string, error) {
	s := sel(webhookDeliveries.head).and("organization = ?", f.Organization).and("endpoint = ?", f.Endpoint)
	s.and("status = ?", f.Status).and("type = ?", f.Type).and("credential = ?", f.Credential)
	return webhookDeliveries.page(ctx, r, s, p)
}

// RequeueWebhook puts a delivery into the queue again, to be tried at once and from the
// start of the schedule. KindNotFound when there is none.
func (tx *Tx) RequeueWebhook(ctx context.Context, id string) error {
	tx.queued = true
	return tx.change(ctx, webhookDeliveries.noun, `UPDATE webhook_delivery
		SET status = $1, tries = 0, due_at = $2, claim = NULL, finished_at = NULL WHERE id = $3`,
		DeliveryPending, stamp(tx.now), id)
}

// EndWebhooks gives up every delivery to an endpoint that is not made yet.
func (tx *Tx) EndWebhooks(ctx context.Context, endpoint string) error {
	_, err := tx.exec(ctx, `UPDATE webhook_delivery SET status = $1, due_at = NULL, claim = NULL, finished_at = $2
		WHERE endpoint = $3 AND due_at IS NOT NULL`, DeliveryFailed, stamp(tx.now), endpoint)
	return err
}
