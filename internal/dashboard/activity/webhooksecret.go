package activity

import (
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/web"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// errAdmin is what somebody is told who asks for a form that would be refused.
var errAdmin = cardea.Errorf(cardea.KindForbidden, "your role does not allow this")

// webhookSecretPage is the data of the page with a webhook's secret.
type webhookSecretPage struct {
	webhook.Endpoint
	Secret   string
	Why      string // "created", "rotated" or "revealed"
	Path     string // of the webhook's page
	Snippets []snippet
}

// showSecret answers with a webhook's secret: only ever the answer to a form.
func showSecret(v *web.Visit, title, why string, made webhook.EndpointSecret) {
	v.Render(http.StatusOK, web.View{
		Title: title, Template: "webhooksecret", Secret: true,
		Data: webhookSecretPage{
			Endpoint: made.Endpoint, Secret: made.Secret.Reveal(), Why: why, Path: v.Base + "/webhooks/" + made.Endpoint.ID, Snippets: snippets,
		},
	})
}

// askRotateWebhook asks before a webhook gets a new secret, rotateWebhook gives it one.
func askRotateWebhook(v *web.Visit) {
	if e, ok := endpoint(v); ok {
		ask(v, e, question{
			Title: "New signing secret", Action: "rotate", Verb: "Make a new secret",
			Text: "Messages are signed with the new secret at once, and for 24 hours with the old one too: time to change it at the receiver.",
		})
	}
}

func rotateWebhook(v *web.Visit) {
	secretOf(v, "New signing secret", "rotated", v.Webhooks.RotateSecret)
}

// revealWebhook shows the secret of a webhook again.
func revealWebhook(v *web.Visit) {
	secretOf(v, "Signing secret", "revealed", v.Webhooks.RevealSecret)
}

// testWebhook sends a webhook a message to try it out.
func testWebhook(v *web.Visit) {
	e, ok := endpoint(v)
	if !ok {
		return
	}
	if _, err := v.Webhooks.Test(v.R.Context(), v.Actor, idOf(e.ID)); err != nil {
		v.Fail(err)
		return
	}
	v.See("/webhooks/"+e.ID, "A test message is on its way. What becomes of it is shown below.")
}

// capital returns a text that begins with a capital letter.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}
