package activity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/dashboard/dashtest"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// attackRow is a request whose path is an attack.
func attackRow(path string) store.RequestRow {
	return store.RequestRow{Method: "GET", Path: "/" + path, Route: "-", Status: 404, Reason: cardea.ReasonNoRoute, Step: cardea.StepRoute, Detail: path}
}

// create makes a webhook by the form and returns where its page is and its secret.
func create(t *testing.T, b *dashtest.Browser, base string, form url.Values) (path, secret string) {
	t.Helper()
	a := b.Post(base+"/webhooks", form)
	says(t, a, http.StatusOK, "Webhook created", "whsec_", "WEBHOOK_SECRET=whsec_", "Verify messages", "webhook-signature", "Python", "Node.js", "Go")
	_, rest, _ := strings.Cut(a.Body, `<code id="webhook-secret"`)
	_, rest, _ = strings.Cut(rest, ">")
	secret, _, _ = strings.Cut(rest, "<")
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Error("a page with a secret is kept")
	}
	return link(t, a, "Done"), strings.ReplaceAll(secret, "&#43;", "+")
}

// A webhook lives from its form to its end on pages, and its secret is only ever the
// answer to a form.
func TestAWebhooksLife(t *testing.T) {
	w := newWorld(t, "cohera-api")
	owner := w.As(w.One, cardea.RoleOwner)
	says(t, owner.Get("/dashboard/webhooks"), http.StatusOK, "No webhook yet", "Create webhook")
	says(t, owner.Get("/dashboard/webhooks/new"), http.StatusOK, "Address", "What it is told", "Everything", "credential.created", "A credential was created",
		"credential.leaked", "credential.expiring", "A credential expires in 30, 7 or 1 days", "credential.new_address")
	for _, c := range []struct {
		form url.Values
		want string
	}{
		{url.Values{"url": {"ftp://example.com"}, "which": {"all"}}, "https URL"},
		{url.Values{"url": {""}, "which": {"all"}}, "https URL"},
		{url.Values{"url": {"https://example.com/in"}, "which": {"some"}}, "Choose at least one"},
		{url.Values{"url": {"https://example.com/in"}, "which": {"some"}, "events": {"credential.eaten"}}, "must be of these"},
	} {
		says(t, owner.Post("/dashboard/webhooks", c.form), http.StatusUnprocessableEntity, "New webhook", c.want)
	}
	path, secret := create(t, owner, "/dashboard", url.Values{
		"url": {"https://example.com/in"}, "description": {"Chat"}, "which": {"some"}, "events": {"credential.leaked", "credential.revoked"},
	})
	says(t, owner.Get("/dashboard/webhooks"), http.StatusOK, "https://example.com/in", "Chat", "2 kinds of events", "active")
	says(t, owner.Get(path), http.StatusOK, "https://example.com/in", "Send a test message", "Chat", "credential.leaked", "Show signing secret", "Messages", "Nothing was sent to it yet")

	says(t, owner.Get(path+"/edit"), http.StatusOK, "Change webhook", "https://example.com/in", "Save changes")
	says(t, owner.Post(path, url.Values{"url": {"nothing"}, "which": {"all"}}), http.StatusUnprocessableEntity, "Change webhook", "https URL")
	says(t, owner.Follow(owner.Post(path, url.Values{"url": {"https://example.com/other"}, "which": {"all"}})), http.StatusOK, "Webhook changed.", "https://example.com/other", "everything")

	says(t, owner.Follow(owner.Post(path+"/test", url.Values{})), http.StatusOK, "A test message is on its way", "webhook.test", "on its way")
	says(t, owner.Get(path+"?type=webhook.test&status=pending"), http.StatusOK, "/deliveries/whd_")
	says(t, owner.Get(path+"?status=failed"), http.StatusOK, "No message like this")
	delivery := firstDelivery(t, w, owner, path)
	says(t, owner.Get(delivery), http.StatusOK, "webhook.test", "What is sent", `"type": "webhook.test"`, "Attempts", "None yet", "Send it again")
	says(t, owner.Follow(owner.Post(delivery+"/redeliver", url.Values{})), http.StatusOK, "on its way again")

	if shown := owner.Post(path+"/reveal", url.Values{}); !strings.Contains(strings.ReplaceAll(shown.Body, "&#43;", "+"), secret) {
		t.Error("the secret is not shown again")
	}
	says(t, owner.Get(path+"/rotate"), http.StatusOK, "24 hours with the old one too", "Make a new secret")
	turned := owner.Post(path+"/rotate", url.Values{})
	says(t, turned, http.StatusOK, "New signing secret", "messages are signed with the old one too", "whsec_")
	if strings.Contains(strings.ReplaceAll(turned.Body, "&#43;", "+"), secret) {
		t.Error("the new secret is the old one")
	}
	says(t, owner.Follow(owner.Post(path+"/disable", url.Values{})), http.StatusOK, "Nothing is sent", "Enable", "Somebody here disabled it")
	says(t, owner.Follow(owner.Post(path+"/enable", url.Values{})), http.StatusOK, "Webhook enabled", "Old secret")
	for _, get := range []string{"/dashboard/webhooks", path, path + "/edit", path + "/rotate", path + "/delete", delivery, "/dashboard/audit", "/dashboard/audit/export?format=json"} {
		saysNot(t, owner.Get(get), "whsec_+", secret, strings.TrimPrefix(secret, "whsec_"))
	}
	says(t, owner.Get(path+"/delete"), http.StatusOK, "Delete webhook", "disable it instead")
	says(t, owner.Follow(owner.Post(path+"/delete", url.Values{})), http.StatusOK, "Webhook deleted.", "No webhook yet")
	if a := owner.Get(path); a.Status != http.StatusNotFound {
		t.Errorf("a deleted webhook: %d", a.Status)
	}
	says(t, owner.Get("/dashboard/audit?action=webhook."), http.StatusOK, "deleted the webhook", "gave a new secret to the webhook", "looked at the secret", "tried out the webhook", "created the webhook")
}

// firstDelivery returns where the page of a webhook's newest message is.
func firstDelivery(t *testing.T, w *world, b *dashtest.Browser, path string) string {
	t.Helper()
	page := b.Get(path)
	_, rest, found := strings.Cut(page.Body, `href="`+path+"/deliveries/")
	id, _, _ := strings.Cut(rest, `"`)
	if !found {
		t.Fatalf("no message on %s: %s", path, words(page))
	}
	return path + "/deliveries/" + id
}

// A viewer reads everything and changes nothing, and one of the staff who only looks
// likewise.
func TestWhoOnlyLooksChangesNothing(t *testing.T) {
	w := newWorld(t, "cohera-api")
	owner, operator := w.As(w.One, cardea.RoleOwner), w.AsStaff(cardea.RoleOwner)
	path, _ := create(t, owner, "/dashboard", url.Values{"url": {"https://example.com/in"}})
	create(t, operator, "/dashboard/console", url.Values{"url": {"https://example.com/all"}})
	owner.Post(path+"/test", url.Values{})
	delivery := firstDelivery(t, w, owner, path)
	as := strings.Replace(path, "/dashboard", "/dashboard/as/"+w.One.ID, 1)
	before := state(t, w)
	for _, c := range []struct {
		who  *dashtest.Browser
		path string
	}{{w.viewer(), path}, {w.As(w.One, cardea.RoleDeveloper), path}, {w.AsStaff(cardea.RoleViewer), as}} {
		base := c.path[:strings.Index(c.path, "/webhooks")]
		for _, page := range []string{"/usage", "/limits", "/errors", "/requests", "/audit", "/webhooks"} {
			if a := c.who.Get(base + page); a.Status != http.StatusOK {
				t.Errorf("%s: %d", page, a.Status)
			}
		}
		page := c.who.Get(c.path)
		says(t, page, http.StatusOK, "https://example.com/…")
		saysNot(t, page, "https://example.com/in", "Send a test message", "Show signing secret", `method="post" action="/dashboard`, ">Delete<")
		for _, get := range []string{base + "/webhooks/new", c.path + "/edit", c.path + "/rotate", c.path + "/delete"} {
			if a := c.who.Get(get); a.Status != http.StatusForbidden {
				t.Errorf("%s: %d", get, a.Status)
			}
		}
		for _, post := range []string{"", "/test", "/reveal", "/rotate", "/disable", "/enable", "/delete", strings.TrimPrefix(delivery, path) + "/redeliver"} {
			a := c.who.Post(c.path+post, url.Values{"url": {"https://evil.example/"}, "which": {"all"}})
			if a.Status != http.StatusForbidden || strings.Contains(a.Body, "whsec_") {
				t.Errorf("POST %s: %d", post, a.Status)
			}
		}
		if a := c.who.Post(base+"/webhooks", url.Values{"url": {"https://evil.example/"}}); a.Status != http.StatusForbidden {
			t.Errorf("creating one: %d", a.Status)
		}
	}
	if after := state(t, w); after != before {
		t.Errorf("somebody who only looks changed something:\n%s\n%s", before, after)
	}
}

// state is what must not change.
func state(t *testing.T, w *world) string {
	t.Helper()
	list, err := w.Webhooks.Endpoints(t.Context(), dashtest.Operator, webhook.EndpointFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, e := range list.Items {
		out.WriteString(e.ID + " " + e.URL + " " + e.Status + " " + e.UpdatedAt.String() + " " + e.PreviousSecretUntil.String() + "\n")
	}
	return out.String()
}

// Webhooks of another organization, and the operators' own, are not there: neither for
// members nor for the staff on the pages of somebody else.
func TestWebhooksOfOthersAreNotThere(t *testing.T) {
	w := newWorld(t, "cohera-api")
	owner, operator := w.As(w.One, cardea.RoleOwner), w.AsStaff(cardea.RoleOwner)
	own, _ := create(t, owner, "/dashboard", url.Values{"url": {"https://example.com/one"}})
	foreign, _ := create(t, w.As(w.Two, cardea.RoleOwner), "/dashboard", url.Values{"url": {"https://example.com/two"}})
	everybody, _ := create(t, operator, "/dashboard/console", url.Values{"url": {"https://example.com/everybody"}})
	w.As(w.Two, cardea.RoleOwner).Post(foreign+"/test", url.Values{})
	delivery := strings.TrimPrefix(firstDelivery(t, w, w.As(w.Two, cardea.RoleOwner), foreign), foreign)
	foreignID, everybodyID := strings.TrimPrefix(foreign, "/dashboard"), strings.TrimPrefix(everybody, "/dashboard/console")
	before := state(t, w)
	try := func(who *dashtest.Browser, path string) {
		t.Helper()
		for _, get := range []string{"", "/edit", "/rotate", "/delete", delivery} {
			if a := who.Get(path + get); a.Status != http.StatusNotFound {
				t.Errorf("GET %s%s: %d", path, get, a.Status)
			}
		}
		for _, post := range []string{"", "/test", "/reveal", "/rotate", "/disable", "/enable", "/delete", delivery + "/redeliver"} {
			if a := who.Post(path+post, url.Values{"url": {"https://evil.example/"}}); a.Status != http.StatusNotFound {
				t.Errorf("POST %s%s: %d", path, post, a.Status)
			}
		}
	}
	try(owner, "/dashboard"+foreignID)
	try(owner, "/dashboard"+everybodyID)
	try(operator, "/dashboard/as/"+w.One.ID+foreignID)
	try(operator, "/dashboard/as/"+w.One.ID+everybodyID)
	if a := owner.Get(own + delivery); a.Status != http.StatusNotFound {
		t.Errorf("another webhook's message on the page of one's own: %d", a.Status)
	}
	if after := state(t, w); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
	second, _ := create(t, owner, "/dashboard", url.Values{"url": {"https://example.com/second"}})
	owner.Post(second+"/test", url.Values{})
	message := strings.TrimPrefix(firstDelivery(t, w, owner, second), second)
	if a := owner.Get(own + message); a.Status != http.StatusNotFound {
		t.Errorf("one's other webhook's message: %d", a.Status)
	}
	saysNot(t, owner.Get("/dashboard/webhooks"), "https://example.com/two", "https://example.com/everybody")
	says(t, operator.Get("/dashboard/console/webhooks"), http.StatusOK, "https://example.com/everybody", "every organization")
	says(t, operator.Get("/dashboard/console/webhooks"), http.StatusOK, "https://example.com/two", "Two Corp")
	says(t, operator.Get("/dashboard/as/"+w.Two.ID+foreignID), http.StatusOK, "https://example.com/two", "Send a test message")
}

// What happens to a key is in the list of the messages about it, by its name.
func TestMessagesNameTheirCredential(t *testing.T) {
	w := newWorld(t, "cohera-api")
	owner := w.As(w.One, cardea.RoleOwner)
	path, _ := create(t, owner, "/dashboard", url.Values{"url": {"https://example.com/in"}})
	if _, err := w.Manage.RevokeKey(t.Context(), w.as(w.One, cardea.RoleOwner), manage.RevokeKey{ID: w.Import.Key.ID, Reason: "done"}); err != nil {
		t.Fatal(err)
	}
	says(t, owner.Get(path), http.StatusOK, "credential.revoked", "Nightly import", "on its way")
	says(t, owner.Part(firstDelivery(t, w, owner, path)), http.StatusOK, "drawer-content", "credential.revoked", "A credential was revoked, for good", "Nightly import", w.Import.Key.ID)
}
