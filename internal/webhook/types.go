package webhook

import (
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// EventTypes are the types that an endpoint can choose from, in the order of a life.
var EventTypes = slices.Clone(store.CredentialEvents)

// descriptions say when an event happens, for people who choose.
var descriptions = map[string]string{
	store.EventCreated:    "a credential was created",
	store.EventUpdated:    "its name, scopes, addresses, limits, expiry, keys or settings changed",
	store.EventRotated:    "it got a new secret",
	store.EventDisabled:   "it was disabled",
	store.EventEnabled:    "it was enabled again",
	store.EventLeaked:     "somebody reported its secret as found",
	store.EventRevoked:    "it was revoked, for good",
	store.EventExpiring:   "it expires in 30, 7 or 1 days",
	store.EventNewAddress: "it was used from an address for the first time",
	store.EventTest:       "somebody tried the webhook out",
}

// Describe says in a few words when events of a type happen, "" for an unknown one.
func Describe(eventType string) string { return descriptions[eventType] }

// The states of an endpoint.
const (
	StatusActive   = "active"
	StatusFailing  = "failing" // the last attempt failed
	StatusDisabled = "disabled"
)

// An Endpoint is an address that is told what happens to credentials.
type Endpoint struct {
	ID string `json:"id"`

	// Organization is whose credentials it is told about; "": everybody's, for operators.
	Organization string `json:"organization,omitzero"`

	// URL is where messages go. For those who may not change the endpoint it ends with
	// "/…" after the host.
	URL         string   `json:"url"`
	Events      []string `json:"events"` // types; empty: all
	Description string   `json:"description,omitzero"`

	Status         string    `json:"status"`                   // "active", "failing" or "disabled"
	FailingSince   time.Time `json:"failing_since,omitzero"`   // nothing was taken since
	DisabledAt     time.Time `json:"disabled_at,omitzero"`     //
	DisabledReason string    `json:"disabled_reason,omitzero"` // "by_hand", "gone" or "failing"

	// PreviousSecretUntil is until when messages are signed with the secret before the
	// last rotation too; zero: they are not.
	PreviousSecretUntil time.Time `json:"previous_secret_until,omitzero"`

	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// An EndpointSecret is an endpoint with the secret that its receiver verifies with, in the
// only answers that hold one.
type EndpointSecret struct {
	Endpoint Endpoint      `json:"webhook"`
	Secret   secret.Secret `json:"secret"`
}

// EndpointFilter says which endpoints [Webhooks.Endpoints] lists; "" is any.
type EndpointFilter struct {
	Organization string `json:"organization,omitzero"`
	access.Page
}

// CreateEndpoint is the input of [Webhooks.CreateEndpoint].
type CreateEndpoint struct {
	// Organization is whose credentials it is told about. "": for a member, their own; for
	// operators, everybody's.
	Organization string `json:"organization,omitzero"`

	URL         string   `json:"url"`
	Events      []string `json:"events,omitzero"` // empty: all, those to come included
	Description string   `json:"description,omitzero"`
}

// UpdateEndpoint is the input of [Webhooks.UpdateEndpoint]; nil members stay as they are.
// An empty list of events is a change: all.
type UpdateEndpoint struct {
	ID          string   `json:"id"`
	URL         *string  `json:"url,omitzero"`
	Events      []string `json:"events,omitzero"`
	Description *string  `json:"description,omitzero"`

	// Disabled stops deliveries, and gives up those that wait, or starts them again.
	Disabled *bool `json:"disabled,omitzero"`
}

// DeliveryFilter says which deliveries [Webhooks.Deliveries] lists; "" is any.
type DeliveryFilter struct {
	Organization string `json:"organization,omitzero"` // the endpoint's
	Webhook      string `json:"webhook,omitzero"`
	Status       string `json:"status,omitzero"`
	Type         string `json:"type,omitzero"`
	Credential   string `json:"credential,omitzero"`
	access.Page
}

// The states of a delivery.
const (
	DeliveryPending   = store.DeliveryPending
	DeliveryDelivered = store.DeliveryDelivered
	DeliveryFailed    = store.DeliveryFailed
)

// A Delivery is a message to one endpoint and what became of it. Deliveries are kept for 30
// days after their end.
type Delivery struct {
	ID           string         `json:"id"`
	Message      string         `json:"message"` // the webhook-id: the same for every endpoint and attempt
	Webhook      string         `json:"webhook"`
	Organization string         `json:"organization,omitzero"`
	Type         string         `json:"type"`
	Credential   string         `json:"credential,omitzero"`
	Status       string         `json:"status"`   // "pending", "delivered" or "failed"
	Payload      jsontext.Value `json:"payload"`  // exactly what is sent
	Attempts     []Attempt      `json:"attempts"` // oldest first, the last 20

	// NextAttemptAt is when it is tried, again perhaps; zero: it is not.
	NextAttemptAt time.Time `json:"next_attempt_at,omitzero"`
	CreatedAt     time.Time `json:"created_at"`
	FinishedAt    time.Time `json:"finished_at,omitzero"`
}

// An Attempt is one try to deliver.
type Attempt struct {
	At     time.Time `json:"at"`
	Status int       `json:"status,omitzero"` // of HTTP; 0: there was no answer

	// Error is why it was not taken, "" when it was: "status", "redirect", "gone",
	// "timeout", "refused", "name", "address", "certificate", "connection" or "disabled".
	Error     string `json:"error,omitzero"`
	LatencyUS int64  `json:"latency_us"`
}

// view returns what is shown of an endpoint.
func view(e store.WebhookEndpoint, now time.Time) Endpoint {
	v := Endpoint{
		ID: e.ID, Organization: e.Organization, URL: e.URL, Events: e.Events, Description: e.Description, Status: StatusActive,
		FailingSince: e.FailingSince, DisabledAt: e.DisabledAt, DisabledReason: e.DisabledReason,
		CreatedBy: e.CreatedBy, CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt,
	}
	if v.Events == nil {
		v.Events = []string{}
	}
	if e.Previous != nil && now.Before(e.PreviousUntil) {
		v.PreviousSecretUntil = e.PreviousUntil
	}
	switch {
	case !e.DisabledAt.IsZero():
		v.Status = StatusDisabled
	case !e.FailingSince.IsZero():
		v.Status = StatusFailing
	}
	return v
}

// viewDelivery returns what is shown of a delivery.
func viewDelivery(d store.WebhookDelivery) Delivery {
	v := Delivery{
		ID: d.ID, Message: d.Message, Webhook: d.Endpoint, Organization: d.Organization, Type: d.Type, Credential: d.Credential,
		Status: d.Status, Payload: jsontext.Value(d.Payload), Attempts: make([]Attempt, len(d.Attempts)),
		NextAttemptAt: d.DueAt, CreatedAt: d.CreatedAt, FinishedAt: d.FinishedAt,
	}
	for i, a := range d.Attempts {
		v.Attempts[i] = Attempt{At: a.At, Status: a.Status, Error: a.Error, LatencyUS: a.Latency}
	}
	return v
}
