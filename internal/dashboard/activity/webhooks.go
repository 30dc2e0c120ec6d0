package activity

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/web"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// webhooksPage is the data of the list of webhooks.
type webhooksPage struct {
	Items []webhookRow
	Next  string
	All   bool // of all organizations
}

// A webhookRow is a webhook as it is shown.
type webhookRow struct {
	webhook.Endpoint
	Path         string // of its page
	Tone, Stands string
	Chosen       string // what it is told, in words
	Organization credential
}

// standings are the states of a webhook in words.
var standings = map[string][2]string{
	webhook.StatusActive:   {"good", "active"},
	webhook.StatusFailing:  {"warn", "failing"},
	webhook.StatusDisabled: {"plain", "disabled"},
}

// reasons are why a webhook was disabled, in words.
var disabledBecause = map[string]string{
	"by_hand": "Somebody here disabled it.",
	"gone":    "Its receiver answered 410: it wants no more.",
	"failing": "Its receiver took nothing for five days.",
}

// webhooks serves the list.
func webhooks(v *web.Visit) {
	n := newNames(v)
	list, err := v.Webhooks.Endpoints(v.R.Context(), v.Actor, webhook.EndpointFilter{
		Organization: v.Organization.ID, Page: manage.Page{Cursor: v.Query("cursor")},
	})
	if err != nil {
		v.Fail(err)
		return
	}
	page := webhooksPage{All: console(v)}
	for _, e := range list.Items {
		page.Items = append(page.Items, webhookOf(v, n, e))
	}
	if list.Next != "" {
		page.Next = at(v.R.URL.Path, "cursor", list.Next).String()
	}
	v.Render(http.StatusOK, web.View{Title: v.PageTitle("webhooks", "Webhooks"), Template: "webhooks", Data: page})
}

// webhookOf returns a webhook as it is shown.
func webhookOf(v *web.Visit, n *names, e webhook.Endpoint) webhookRow {
	row := webhookRow{Endpoint: e, Path: v.Base + "/webhooks/" + e.ID, Chosen: "everything"}
	row.Tone, row.Stands = standings[e.Status][0], standings[e.Status][1]
	if len(e.Events) > 0 {
		row.Chosen = plural(len(e.Events), "kind of event", "kinds of events")
	}
	if console(v) && e.Organization != "" {
		row.Path = portalOf(v, e.Organization) + "/webhooks/" + e.ID
		row.Organization = credential{ID: e.Organization, Name: n.organization(e.Organization), Path: portalOf(v, e.Organization)}
	}
	return row
}

// plural returns a number with the word for one or for several.
func plural(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(int64(n)) + " " + several
}

// endpoint returns the webhook that a visit is about, or answers. What belongs to another
// organization than the page is not there, whoever asks.
func endpoint(v *web.Visit) (webhook.Endpoint, bool) {
	e, err := v.Webhooks.Endpoint(v.R.Context(), v.Actor, idOf(v.Path("webhook")))
	if err == nil && !console(v) && e.Organization != v.Organization.ID {
		err = notFound("webhook")
	}
	if err != nil {
		v.Fail(err)
		return webhook.Endpoint{}, false
	}
	return e, true
}

// back leads from the pages of webhooks to the list, and to the one that they are about.
func back(v *web.Visit, e webhook.Endpoint) []web.Crumb {
	crumbs := []web.Crumb{{Text: v.PageTitle("webhooks", "Webhooks"), Path: "/webhooks"}}
	if e.ID != "" {
		crumbs = append(crumbs, web.Crumb{Text: e.URL, Path: "/webhooks/" + e.ID})
	}
	return crumbs
}

// A webhookForm is the data of the form that makes or changes a webhook.
type webhookForm struct {
	Action           string // where the form goes
	Verb             string // what its button says
	Back             string
	URL, Description string
	All              bool
	Events           []eventChoice
	Problems         map[string]string
	Everybody        bool // it is told about every organization
}

// An eventChoice is a box to tick.
type eventChoice struct {
	Type, Text string
	Chosen     bool
}

// choices returns the boxes of a form.
func choices(chosen []string) []eventChoice {
	boxes := make([]eventChoice, 0, len(webhook.EventTypes))
	for _, t := range webhook.EventTypes {
		boxes = append(boxes, eventChoice{Type: t, Text: describe(t), Chosen: slices.Contains(chosen, t)})
	}
	return boxes
}

// describe says when events of a type happen, in a sentence that stands by itself.
func describe(eventType string) string {
	text := webhook.Describe(eventType)
	if rest, ok := strings.CutPrefix(text, "it "); ok {
		text = "a credential " + rest
	} else if rest, ok := strings.CutPrefix(text, "its "); ok {
		text = "a credential’s " + rest
	}
	return capital(text)
}

// newWebhook serves the form for a new webhook. What it shall hold can be in the address.
func newWebhook(v *web.Visit) {
	if !v.May(access.Admin) {
		v.Fail(errAdmin)
		return
	}
	form := webhookForm{
		Action: v.Base + "/webhooks", Verb: "Create webhook", Back: v.Base + "/webhooks", URL: v.Query("url"), All: true,
		Events: choices(nil), Everybody: console(v),
	}
	formOf(v, http.StatusOK, "New webhook", form, webhook.Endpoint{})
}

// formOf answers with the form.
func formOf(v *web.Visit, status int, title string, form webhookForm, e webhook.Endpoint) {
	v.Render(status, web.View{Title: title, Template: "webhookform", Data: form, Crumbs: back(v, e)})
}

// readWebhook reads the form, and what of it no use case checks.
func readWebhook(v *web.Visit) (form webhookForm, events []string) {
	events = []string{}
	form = webhookForm{
		URL: v.Value("url"), Description: v.Value("description"), All: v.Value("which") != "some", Events: choices(v.Form["events"]),
		Everybody: console(v),
	}
	if form.All {
		return form, events
	}
	if events = v.Form["events"]; len(events) == 0 {
		form.Problems = map[string]string{"events": "Choose at least one, or be told everything."}
	}
	return form, events
}

// createWebhook makes a webhook and shows its secret.
func createWebhook(v *web.Visit) {
	form, events := readWebhook(v)
	form.Action, form.Verb, form.Back = v.Base+"/webhooks", "Create webhook", v.Base+"/webhooks"
	var made webhook.EndpointSecret
	var err error
	if len(form.Problems) == 0 {
		made, err = v.Webhooks.CreateEndpoint(v.R.Context(), v.Actor, webhook.CreateEndpoint{
			Organization: v.Organization.ID, URL: form.URL, Events: events, Description: form.Description,
		})
	}
	if refusedForm(v, &form, err) {
		formOf(v, http.StatusUnprocessableEntity, "New webhook", form, webhook.Endpoint{})
		return
	}
	if err != nil {
		v.Fail(err)
		return
	}
	showSecret(v, "Webhook created", "created", made)
}

// refusedForm reports whether a form is to be shown again, with what is wrong with it.
func refusedForm(v *web.Visit, form *webhookForm, err error) bool {
	if problems, ok := v.Problems(err); ok {
		form.Problems = problems
	}
	return len(form.Problems) > 0
}

// editWebhook serves the form that changes a webhook.
func editWebhook(v *web.Visit) {
	e, ok := endpoint(v)
	if !ok {
		return
	}
	if !v.May(access.Admin) {
		v.Fail(errAdmin)
		return
	}
	formOf(v, http.StatusOK, "Change webhook", webhookForm{
		Action: v.Base + "/webhooks/" + e.ID, Verb: "Save changes", Back: v.Base + "/webhooks/" + e.ID, URL: e.URL,
		Description: e.Description, All: len(e.Events) == 0, Events: choices(e.Events), Everybody: e.Organization == "",
	}, e)
}

// updateWebhook changes a webhook.
func updateWebhook(v *web.Visit) {
	e, ok := endpoint(v)
	if !ok {
		return
	}
	form, events := readWebhook(v)
	form.Action, form.Verb, form.Back = v.Base+"/webhooks/"+e.ID, "Save changes", v.Base+"/webhooks/"+e.ID
	var err error
	if len(form.Problems) == 0 {
		_, err = v.Webhooks.UpdateEndpoint(v.R.Context(), v.Actor, webhook.UpdateEndpoint{
			ID: e.ID, URL: &form.URL, Events: events, Description: &form.Description,
		})
	}
	if refusedForm(v, &form, err) {
		formOf(v, http.StatusUnprocessableEntity, "Change webhook", form, e)
		return
	}
	if err != nil {
		v.Fail(err)
		return
	}
	v.See("/webhooks/"+e.ID, "Webhook changed.")
}

// disableWebhook and enableWebhook stop a webhook's messages, and start them again.
func disableWebhook(v *web.Visit) { setDisabled(v, true, "Webhook disabled. Nothing is sent to it.") }
func enableWebhook(v *web.Visit) {
	setDisabled(v, false, "Webhook enabled. It is told what happens from now on.")
}

func setDisabled(v *web.Visit, disabled bool, notice string) {
	e, ok := endpoint(v)
	if !ok {
		return
	}
	if _, err := v.Webhooks.UpdateEndpoint(v.R.Context(), v.Actor, webhook.UpdateEndpoint{ID: e.ID, Disabled: &disabled}); err != nil {
		v.Fail(err)
		return
	}
	v.See("/webhooks/"+e.ID, notice)
}

// askDeleteWebhook asks before a webhook is deleted, deleteWebhook deletes it.
func askDeleteWebhook(v *web.Visit) {
	if e, ok := endpoint(v); ok {
		ask(v, e, question{
			Title: "Delete webhook", Action: "delete", Verb: "Delete webhook", Danger: true,
			Text: "Nothing is sent to it any more, and what was sent can no longer be looked at. To stop it for a while, disable it instead.",
		})
	}
}

func deleteWebhook(v *web.Visit) {
	e, ok := endpoint(v)
	if !ok {
		return
	}
	if _, err := v.Webhooks.DeleteEndpoint(v.R.Context(), v.Actor, idOf(e.ID)); err != nil {
		v.Fail(err)
		return
	}
	v.See("/webhooks", "Webhook deleted.")
}

// A question is asked before something is done that cannot be undone.
type question struct {
	Title, Text, Verb string
	Action            string // the last part of where the form goes
	Danger            bool

	Post, Back, URL string // filled in by ask
}

// ask answers with a question about a webhook.
func ask(v *web.Visit, e webhook.Endpoint, q question) {
	if !v.May(access.Admin) {
		v.Fail(errAdmin)
		return
	}
	q.Back, q.URL = v.Base+"/webhooks/"+e.ID, e.URL
	q.Post = q.Back + "/" + q.Action
	v.Render(http.StatusOK, web.View{Title: q.Title, Template: "question", Block: "question", Data: q, Crumbs: back(v, e)})
}
