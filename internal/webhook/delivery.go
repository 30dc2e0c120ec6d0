package webhook

import (
	"context"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// errDisabled: nothing is sent to a disabled endpoint.
var errDisabled = cardea.Errorf(cardea.KindConflict, "the webhook is disabled: enable it first")

// Deliveries lists deliveries, newest first.
func (w *Webhooks) Deliveries(ctx context.Context, actor cardea.Actor, in DeliveryFilter) (access.List[Delivery], error) {
	var p rules.Problems
	p.Add(rules.Filter("webhook", in.Webhook))
	p.Add(rules.Filter("status", in.Status))
	p.Add(rules.Filter("type", in.Type))
	p.Add(rules.Filter("credential", in.Credential))
	if err := p.Err(); err != nil {
		return access.List[Delivery]{}, err
	}
	organization, err := w.access.Scope(ctx, actor, in.Organization)
	if err != nil {
		return access.List[Delivery]{}, err
	}
	filter := store.WebhookDeliveryFilter{Organization: organization, Endpoint: in.Webhook, Status: in.Status, Type: in.Type, Credential: in.Credential}
	scope := []string{"webhook-deliveries", organization, in.Webhook, in.Status, in.Type, in.Credential}
	return access.Paged(in.Page, scope, func(p store.Page) ([]store.WebhookDelivery, string, error) {
		return w.store.WebhookDeliveries(ctx, filter, p)
	}, viewDelivery)
}

// Delivery returns one delivery.
func (w *Webhooks) Delivery(ctx context.Context, actor cardea.Actor, in access.ID) (Delivery, error) {
	d, err := w.delivery(ctx, w.store.Reader, actor, in.ID, access.Read)
	if err != nil {
		return Delivery{}, err
	}
	return viewDelivery(d), nil
}

// delivery returns a delivery to an endpoint that actor has a right over.
func (w *Webhooks) delivery(ctx context.Context, r store.Reader, actor cardea.Actor, id string, need access.Right) (store.WebhookDelivery, error) {
	if !rules.ValidID(id) {
		return store.WebhookDelivery{}, access.NotFound("delivery")
	}
	d, err := r.WebhookDelivery(ctx, id)
	if err != nil {
		return store.WebhookDelivery{}, err
	}
	if err := w.access.Allow(ctx, r, actor, d.Organization, "delivery", need); err != nil {
		return store.WebhookDelivery{}, err
	}
	return d, nil
}

// Redeliver sends a message once more, now, under the same webhook-id, whatever became of
// it; if that fails it is tried again as a new one would be.
func (w *Webhooks) Redeliver(ctx context.Context, actor cardea.Actor, in access.ID) (Delivery, error) {
	var d store.WebhookDelivery
	err := w.change(ctx, actor, func(tx *store.Tx) (err error) {
		if d, err = w.delivery(ctx, tx.Reader, actor, in.ID, access.Admin); err != nil {
			return err
		}
		e, err := tx.WebhookEndpoint(ctx, d.Endpoint)
		switch {
		case err != nil:
			return err
		case !e.DisabledAt.IsZero():
			return errDisabled
		case d.Claim != "" && d.DueAt.After(tx.Now()):
			return cardea.Errorf(cardea.KindConflict, "it is being delivered at this moment")
		}
		access.Record(tx, "webhook.redeliver", noun, e.ID, e.Organization, map[string]string{"delivery": d.ID})
		if err := tx.RequeueWebhook(ctx, d.ID); err != nil {
			return err
		}
		d, err = tx.WebhookDelivery(ctx, d.ID)
		return err
	})
	if err != nil {
		return Delivery{}, err
	}
	return viewDelivery(d), nil
}

// Test sends an endpoint a message of the type webhook.test. It returns the delivery as it
// is put into the queue; [Webhooks.Delivery] tells what became of it. It is tried once.
func (w *Webhooks) Test(ctx context.Context, actor cardea.Actor, in access.ID) (Delivery, error) {
	var d store.WebhookDelivery
	err := w.change(ctx, actor, func(tx *store.Tx) error {
		e, err := w.find(ctx, tx.Reader, actor, in.ID, access.Admin)
		if err != nil {
			return err
		}
		if !e.DisabledAt.IsZero() {
			return errDisabled
		}
		access.Record(tx, "webhook.test", noun, e.ID, e.Organization, nil)
		d, err = tx.SendTestWebhook(ctx, e)
		return err
	})
	if err != nil {
		return Delivery{}, err
	}
	return viewDelivery(d), nil
}
