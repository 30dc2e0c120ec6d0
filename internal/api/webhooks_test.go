package api_test

import (
	"strings"
	"testing"

	"github.com/cardea-dev/cardea/admin"
)

// webhooks goes through the life of a webhook, which nothing is delivered to here, and
// reports a leak.
func (w *world) webhooks(t *testing.T, o admin.Organization, k admin.KeySecret) {
	ctx, c := t.Context(), w.client
	made := must(c.CreateWebhook(ctx, admin.CreateWebhook{Organization: o.ID, URL: "https://hooks.example.com/in", Events: []string{"credential.leaked"}, Description: "SIEM"}))(t)
	id := made.Webhook.ID
	if !strings.HasPrefix(made.Secret.Reveal(), "whsec_") {
		t.Errorf("the client received %v", made.Secret)
	}
	if again := must(c.RevealWebhookSecret(ctx, id))(t); again.Secret.Reveal() != made.Secret.Reveal() {
		t.Errorf("another secret is revealed")
	}
	if next := must(c.RotateWebhookSecret(ctx, id))(t); next.Secret.Reveal() == made.Secret.Reveal() || next.Webhook.PreviousSecretUntil.IsZero() {
		t.Errorf("rotated %+v", next)
	}
	must(c.GetWebhook(ctx, id))(t)
	test := must(c.TestWebhook(ctx, id))(t)
	must(c.GetWebhookDelivery(ctx, test.ID))(t)
	must(c.RedeliverWebhook(ctx, test.ID))(t)

	report := admin.ReportLeak{Secrets: []string{k.Secret.Reveal(), "nobody's"}, Source: "a public repository"}
	if r := must(c.ReportLeak(ctx, report))(t); len(r.Items) != 1 || r.Items[0].Key.ID != k.Key.ID || r.Items[0].Reported || r.Unknown != 1 {
		t.Errorf("report %+v", r)
	}
	if r := must(c.ReportLeak(ctx, report))(t); len(r.Items) != 1 || !r.Items[0].Reported {
		t.Errorf("reported again: %+v", r)
	}
	count(t, "deliveries of the leak", c.ListWebhookDeliveries(ctx, admin.WebhookDeliveryFilter{Webhook: id, Status: "pending", Credential: k.Key.ID}), 1)
	count(t, "deliveries", c.ListWebhookDeliveries(ctx, admin.WebhookDeliveryFilter{Organization: o.ID, Page: admin.Page{Limit: 1}}), 2)

	if v := must(c.UpdateWebhook(ctx, admin.UpdateWebhook{ID: id, Events: []string{}, Disabled: ptr(true)}))(t); v.Status != "disabled" || len(v.Events) != 0 {
		t.Errorf("disabled %+v", v)
	}
	must(c.UpdateWebhook(ctx, admin.UpdateWebhook{ID: id, URL: ptr("https://hooks.example.com/other"), Disabled: ptr(false)}))(t)
	count(t, "webhooks", c.ListWebhooks(ctx, admin.WebhookFilter{Organization: o.ID}), 1)
	must(c.DeleteWebhook(ctx, id))(t)
	count(t, "webhooks", c.ListWebhooks(ctx, admin.WebhookFilter{}), 0)
}
