package store

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea/internal/secret"
)

// The types of events that webhook endpoints are told about.
const (
	EventCreated    = "credential.created"
	EventUpdated    = "credential.updated" // "changed" names what
	EventRotated    = "credential.rotated" // it has a new secret
	EventDisabled   = "credential.disabled"
	EventEnabled    = "credential.enabled"
	EventRevoked    = "credential.revoked"
	EventLeaked     = "credential.leaked"      // somebody reported its secret
	EventExpiring   = "credential.expiring"    // in 30, 7 or 1 days
	EventNewAddress = "credential.new_address" // its first use from an address
	EventTest       = "webhook.test"
)

// CredentialEvents are the types that are about credentials, in the order in which the
// ones of one change are sent.
var CredentialEvents = []string{
	EventCreated, EventUpdated, EventRotated, EventDisabled, EventEnabled, EventLeaked, EventRevoked,
	EventExpiring, EventNewAddress,
}

// What happens to a credential is told to the endpoints that want to hear of it, by
// deliveries in the queue that are written in the transaction of the change itself. The
// methods of Tx that change a credential note what they did (happened), and finish writes
// it: no use case can forget it.

// A happening is what one change did to one credential.
type happening struct {
	credential string
	types      []string
	changed    []string // of EventUpdated
	source     string   // of EventLeaked
}

// happened notes what a change did to a credential.
func (tx *Tx) happened(credential, eventType string, changed ...string) *happening {
	h := tx.byCredential[credential]
	if h == nil {
		if tx.byCredential == nil {
			tx.byCredential = map[string]*happening{}
		}
		h = &happening{credential: credential}
		tx.byCredential[credential] = h
		tx.happenings = append(tx.happenings, h)
	}
	if !slices.Contains(h.types, eventType) {
		h.types = append(h.types, eventType)
	}
	for _, name := range changed {
		if !slices.Contains(h.changed, name) {
			h.changed = append(h.changed, name)
		}
	}
	return h
}

// becomes notes what turns the stored credential into c.
func (tx *Tx) becomes(ctx context.Context, c *Credential) error {
	old, err := tx.Credential(ctx, c.ID)
	if err != nil {
		return err
	}
	if old.RevokedAt.IsZero() && !c.RevokedAt.IsZero() {
		tx.happened(c.ID, EventRevoked)
	}
	switch was, is := !old.DisabledAt.IsZero(), !c.DisabledAt.IsZero(); {
	case is && !was:
		tx.happened(c.ID, EventDisabled)
	case was && !is:
		tx.happened(c.ID, EventEnabled)
	}
	for name, differs := range map[string]bool{
		"name":       old.Name != c.Name,
		"scopes":     !slices.Equal(old.Scopes, c.Scopes),
		"limits":     fmt.Sprint(deref(old.Limits)) != fmt.Sprint(deref(c.Limits)),
		"addresses":  !slices.Equal(old.Addresses, c.Addresses) || (old.Addresses == nil) != (c.Addresses == nil),
		"expires_at": !old.ExpiresAt.Equal(c.ExpiresAt),
		"tokens":     c.TokensNotBefore.After(old.TokensNotBefore),
	} {
		if differs {
			tx.happened(c.ID, EventUpdated, name)
		}
	}
	return nil
}

// deref returns what p points to, nil when it is nil.
func deref[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

// becomesClient notes what turns the stored details of a client into c's.
func (tx *Tx) becomesClient(ctx context.Context, c *Client) error {
	old, err := tx.Client(ctx, c.Credential.ID)
	if err != nil {
		return err
	}
	was, is := old.details(), c.details()
	for i, name := range strings.Split(clientColumns, ", ") {
		if printed(was[i]) != printed(is[i]) {
			tx.happened(c.Credential.ID, EventUpdated, name)
		}
	}
	return nil
}

// printed returns the text of what a field of details points to; no list is an empty one.
func printed(field any) string { return fmt.Sprint(reflect.ValueOf(field).Elem()) }

// of returns the types that are told, in their order: an update is told alone, since the
// others say what was changed.
func (h *happening) of() []string {
	types := slices.DeleteFunc(slices.Clone(CredentialEvents), func(t string) bool { return !slices.Contains(h.types, t) })
	if slices.Contains(types, EventCreated) {
		return []string{EventCreated}
	}
	if len(types) > 1 {
		types = slices.DeleteFunc(types, func(t string) bool { return t == EventUpdated })
	}
	return types
}

// writeHappenings puts what happened to credentials into the queue.
func (tx *Tx) writeHappenings(ctx context.Context) error {
	if len(tx.happenings) == 0 {
		return nil
	}
	// Where nobody has a webhook, which is the usual case, that is all that it costs.
	some, _, err := tx.WebhookEndpoints(ctx, "", Page{Limit: 1})
	if err != nil || len(some) == 0 {
		return err
	}
	for _, h := range tx.happenings {
		for _, eventType := range h.of() {
			m := CredentialMessage{Actor: &MessageActor{tx.actor.Type, tx.actor.ID}}
			switch eventType {
			case EventUpdated:
				slices.Sort(h.changed)
				m.Changed = h.changed
			case EventLeaked:
				m.Source = h.source
			}
			if err := tx.tell(ctx, eventType, h.credential, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// A message is what is sent, as Standard Webhooks wants it: type, timestamp, data.
type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"` // of the event, not of the attempt
	Data      any       `json:"data"`
}

// A CredentialMessage is the data of an event about a credential. It holds no secret, only
// what tells one from another.
type CredentialMessage struct {
	Credential   string    `json:"credential"`
	Kind         string    `json:"kind"`
	Name         string    `json:"name"`
	Hint         string    `json:"hint,omitzero"` // prefix and last characters of its secret
	Organization string    `json:"organization"`
	Environment  string    `json:"environment"`
	Member       string    `json:"member,omitzero"`
	Status       string    `json:"status"`
	CreatedAt    time.Time `json:"created_at"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"`

	Actor   *MessageActor `json:"actor,omitzero"`   // who made the change; absent: nobody did
	Changed []string      `json:"changed,omitzero"` // credential.updated: what
	Reason  string        `json:"reason,omitzero"`  // credential.revoked: why
	Source  string        `json:"source,omitzero"`  // credential.leaked: where it was found
	Days    int           `json:"days,omitzero"`    // credential.expiring: within how many
	Address string        `json:"address,omitzero"` // credential.new_address: which
}

// A MessageActor is who made a change.
type MessageActor struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// A listener is an endpoint that a change may be told to.
type listener struct {
	id, organization string
	events           []string
}

func (l *listener) scan() []any { return []any{&l.id, (*text)(&l.organization), (*words)(&l.events)} }

// listeners returns the endpoints that hear of an organization's credentials. It asks once
// in a change.
func (tx *Tx) listeners(ctx context.Context, organization string) ([]listener, error) {
	if known, ok := tx.listening[organization]; ok {
		return known, nil
	}
	s := sel(`SELECT id, organization, events FROM webhook_endpoint`).and("(organization = ? OR organization IS NULL)", organization)
	found, err := collect(ctx, tx.Reader, s.and("disabled_at IS NULL").add(" ORDER BY id"), (*listener).scan)
	if tx.listening == nil {
		tx.listening = map[string][]listener{}
	}
	tx.listening[organization] = found
	return found, err
}

// tell puts an event about a credential into the queue of every endpoint that wants to
// hear of it.
func (tx *Tx) tell(ctx context.Context, eventType, credential string, m CredentialMessage) error {
	c, err := tx.Credential(ctx, credential)
	if err != nil {
		return err
	}
	to, err := tx.listeners(ctx, c.Organization)
	if err != nil {
		return err
	}
	to = slices.DeleteFunc(slices.Clone(to), func(l listener) bool { return len(l.events) > 0 && !slices.Contains(l.events, eventType) })
	if len(to) == 0 {
		return nil
	}
	secrets, err := tx.Secrets(ctx, c.ID)
	if err != nil {
		return err
	}
	if len(secrets) > 0 {
		m.Hint = secrets[0].Hint
	}
	m.Credential, m.Kind, m.Name, m.Organization, m.Environment = c.ID, c.Kind, c.Name, c.Organization, c.Environment
	m.Member, m.Status, m.CreatedAt, m.ExpiresAt = c.Member, c.Status(tx.now), c.CreatedAt, c.ExpiresAt
	if eventType == EventRevoked {
		m.Reason = c.RevokedReason
	}
	return tx.send(ctx, to, eventType, c.ID, m)
}

// send puts a message into the queue of some endpoints.
func (tx *Tx) send(ctx context.Context, to []listener, eventType, credential string, data any) error {
	payload, err := json.Marshal(message{Type: eventType, Timestamp: tx.now, Data: data}, json.Deterministic(true))
	if err != nil {
		return err
	}
	id := secret.NewID("msg_")
	for _, l := range to {
		tx.queued = true
		if err := webhookDeliveries.put(ctx, tx, &WebhookDelivery{
			ID: secret.NewID("whd_"), Message: id, Endpoint: l.id, Organization: l.organization, Type: eventType,
			Credential: credential, Payload: string(payload), Status: DeliveryPending, DueAt: tx.now, CreatedAt: tx.now,
		}); err != nil {
			return err
		}
	}
	return nil
}

// A TestMessage is the data of a webhook.test event.
type TestMessage struct {
	Webhook string `json:"webhook"`
}

// SendTestWebhook puts a message for trying it out into an endpoint's queue.
func (tx *Tx) SendTestWebhook(ctx context.Context, e WebhookEndpoint) (WebhookDelivery, error) {
	err := tx.send(ctx, []listener{{id: e.ID, organization: e.Organization}}, EventTest, "", TestMessage{e.ID})
	if err != nil {
		return WebhookDelivery{}, err
	}
	s := webhookDeliveries.where("endpoint = ?", e.ID).and("type = ?", EventTest)
	return webhookDeliveries.one(ctx, tx.Reader, s.add(" ORDER BY created_at DESC, id DESC LIMIT 1"))
}
