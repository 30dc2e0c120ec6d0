package activity

import (
	"context"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// webhookPage is the data of the page of one webhook.
type webhookPage struct {
	webhookRow
	At       address
	Because  string // why it is disabled
	Boxes    []eventChoice
	Items    []deliveryRow
	Next     string
	Behind   bool
	Statuses []web.Option
	Types    []web.Option
	Status   string
	Type     string
	Problem  string
	Snippets []snippet
}

// A deliveryRow is a message as it is shown.
type deliveryRow struct {
	webhook.Delivery
	Path         string
	Tone, Stands string
	Caller       credential
	Last         string // how the last attempt ended, "" before the first
}

// deliveryStandings are the states of a delivery in words.
var deliveryStandings = map[string][2]string{
	webhook.DeliveryPending:   {"warn", "on its way"},
	webhook.DeliveryDelivered: {"good", "delivered"},
	webhook.DeliveryFailed:    {"danger", "given up"},
}

// attemptWords say why an attempt failed.
var attemptWords = map[string]string{
	"redirect":    "answered with a redirect, which is not followed",
	"gone":        "answered 410: it wants no more",
	"timeout":     "no answer within 15 seconds",
	"refused":     "the connection was refused",
	"name":        "the host’s name could not be found",
	"address":     "the host’s address is private",
	"certificate": "its certificate does not hold",
	"connection":  "the connection broke",
	"disabled":    "the webhook was disabled",
}

// attempt returns how an attempt ended, in words.
func attempt(a webhook.Attempt) string {
	switch {
	case a.Error == "":
		return "taken with " + strconv.Itoa(a.Status)
	case attemptWords[a.Error] != "":
		return attemptWords[a.Error]
	case a.Status > 0:
		return "answered " + strconv.Itoa(a.Status)
	}
	return "failed"
}

// showWebhook serves the page of a webhook: what it is, and what was sent to it.
func showWebhook(v *web.Visit) {
	e, ok := endpoint(v)
	if !ok {
		return
	}
	a := here(v, "status", "type", "cursor")
	if settle(v, a) {
		return
	}
	n := newNames(v)
	page := webhookPage{
		webhookRow: webhookOf(v, n, e), At: a, Because: disabledBecause[e.DisabledReason], Boxes: choices(e.Events), Snippets: snippets,
		Behind: a.Get("cursor") != "",
		Statuses: []web.Option{
			{Text: "Any outcome"}, {Value: webhook.DeliveryPending, Text: "On their way"},
			{Value: webhook.DeliveryDelivered, Text: "Delivered"}, {Value: webhook.DeliveryFailed, Text: "Given up"},
		},
		Types: []web.Option{{Text: "Any event"}},
	}
	for _, t := range webhook.EventTypes {
		page.Types = append(page.Types, web.Option{Value: t, Text: t})
	}
	page.Types = append(page.Types, web.Option{Value: testEvent, Text: testEvent})
	page.Status, page.Type = known(a.Get("status"), page.Statuses), known(a.Get("type"), page.Types)
	list, err := v.Webhooks.Deliveries(v.R.Context(), v.Actor, webhook.DeliveryFilter{
		Organization: e.Organization, Webhook: e.ID, Status: page.Status, Type: page.Type,
		Page: manage.Page{Cursor: a.Get("cursor"), Limit: 20},
	})
	problems, mendable := v.Problems(err)
	if err != nil && !mendable {
		v.Fail(err)
		return
	}
	page.Problem = requestFilter{Problems: problems}.Problem()
	for _, d := range list.Items {
		page.Items = append(page.Items, deliveryOf(v, n, d))
	}
	if list.Next != "" {
		page.Next = a.with("cursor", list.Next).String()
	}
	v.Render(status(v, problems), web.View{
		Title: "Webhook", Template: "webhook", Block: "deliveries", Data: page, Crumbs: back(v, webhook.Endpoint{}),
	})
}

// testEvent is the type of a message that somebody sends to try a webhook out.
const testEvent = "webhook.test"

// deliveryOf returns a message as it is shown.
func deliveryOf(v *web.Visit, n *names, d webhook.Delivery) deliveryRow {
	row := deliveryRow{
		Delivery: d, Path: v.Base + "/webhooks/" + d.Webhook + "/deliveries/" + d.ID, Caller: n.credential(d.Credential),
		Tone: deliveryStandings[d.Status][0], Stands: deliveryStandings[d.Status][1],
	}
	if last := len(d.Attempts) - 1; last >= 0 {
		row.Last = attempt(d.Attempts[last])
	}
	return row
}

// deliveryPage is the data of the page of one message.
type deliveryPage struct {
	deliveryRow
	Describe string
	Payload  string
	Attempts []attemptRow
	Back     string
	Post     string // where the form goes that sends it again
}

// An attemptRow is an attempt as it is shown.
type attemptRow struct {
	webhook.Attempt
	Text, Took string
}

// delivery returns the message that a visit is about, or answers.
func delivery(v *web.Visit) (webhook.Delivery, bool) {
	e, ok := endpoint(v)
	if !ok {
		return webhook.Delivery{}, false
	}
	d, err := v.Webhooks.Delivery(v.R.Context(), v.Actor, idOf(v.Path("delivery")))
	if err == nil && d.Webhook != e.ID {
		err = notFound("message")
	}
	if err != nil {
		v.Fail(err)
		return webhook.Delivery{}, false
	}
	return d, true
}

// showDelivery serves a message: what was sent, and how each attempt ended.
func showDelivery(v *web.Visit) {
	d, ok := delivery(v)
	if !ok {
		return
	}
	page := deliveryPage{
		deliveryRow: deliveryOf(v, newNames(v), d), Describe: describe(d.Type),
		Back: v.Base + "/webhooks/" + d.Webhook,
	}
	page.Post = page.Path + "/redeliver"
	payload := d.Payload.Clone()
	if payload.Indent(jsontext.WithIndent("  ")) == nil {
		page.Payload = string(payload)
	}
	for _, a := range d.Attempts {
		page.Attempts = append(page.Attempts, attemptRow{Attempt: a, Text: attempt(a), Took: took(a.LatencyUS)})
	}
	v.Render(http.StatusOK, web.View{
		Title: "Message " + d.Type, Template: "delivery", Block: "drawer", Data: page,
		Crumbs: back(v, webhook.Endpoint{ID: d.Webhook, URL: "Webhook"}),
	})
}

// redeliver sends a message again.
func redeliver(v *web.Visit) {
	d, ok := delivery(v)
	if !ok {
		return
	}
	if _, err := v.Webhooks.Redeliver(v.R.Context(), v.Actor, idOf(d.ID)); err != nil {
		v.Fail(err)
		return
	}
	v.See("/webhooks/"+d.Webhook, "The message is on its way again, with the same id.")
}

// secretOf does what gives a webhook's secret, and shows it.
func secretOf(v *web.Visit, title, why string, get func(context.Context, cardea.Actor, access.ID) (webhook.EndpointSecret, error)) {
	e, ok := endpoint(v)
	if !ok {
		return
	}
	made, err := get(v.R.Context(), v.Actor, idOf(e.ID))
	if err != nil {
		v.Fail(err)
		return
	}
	showSecret(v, title, why, made)
}
