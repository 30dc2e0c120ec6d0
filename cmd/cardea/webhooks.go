package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cardea-dev/cardea/admin"
)

var webhookColumns = []column[admin.Webhook]{
	{"id", func(w admin.Webhook) string { return w.ID }},
	{"organization", func(w admin.Webhook) string { return firstOf(w.Organization, "every one") }},
	{"url", func(w admin.Webhook) string { return w.URL }},
	{"events", func(w admin.Webhook) string { return firstOf(list(w.Events), "all") }},
	{"status", func(w admin.Webhook) string { return w.Status }},
}

var webhookDetails = append(webhookColumns[:len(webhookColumns):len(webhookColumns)], []column[admin.Webhook]{
	{"description", func(w admin.Webhook) string { return w.Description }},
	{"failing since", func(w admin.Webhook) string { return when(w.FailingSince) }},
	{"disabled", func(w admin.Webhook) string { return when(w.DisabledAt) }},
	{"because", func(w admin.Webhook) string { return w.DisabledReason }},
	{"old secret signs until", func(w admin.Webhook) string { return when(w.PreviousSecretUntil) }},
	{"created", func(w admin.Webhook) string { return when(w.CreatedAt) }},
}...)

var deliveryColumns = []column[admin.WebhookDelivery]{
	{"id", func(d admin.WebhookDelivery) string { return d.ID }},
	{"at", func(d admin.WebhookDelivery) string { return when(d.CreatedAt) }},
	{"webhook", func(d admin.WebhookDelivery) string { return d.Webhook }},
	{"type", func(d admin.WebhookDelivery) string { return d.Type }},
	{"credential", func(d admin.WebhookDelivery) string { return d.Credential }},
	{"status", func(d admin.WebhookDelivery) string { return d.Status }},
	{"attempts", func(d admin.WebhookDelivery) string { return attemptsText(d) }},
	{"next", func(d admin.WebhookDelivery) string { return when(d.NextAttemptAt) }},
}

// attemptsText says how often a delivery was tried, and how the last attempt went.
func attemptsText(d admin.WebhookDelivery) string {
	if len(d.Attempts) == 0 {
		return "0"
	}
	last := d.Attempts[len(d.Attempts)-1]
	outcome := last.Error
	if last.Status > 0 {
		outcome = strings.TrimSpace(fmt.Sprint(last.Status, " ", last.Error))
	}
	return fmt.Sprintf("%d (%s, %.0f ms)", len(d.Attempts), outcome, float64(last.LatencyUS)/1000)
}

// webhooksCommand is `cardea webhooks`.
func webhooksCommand() *cobra.Command {
	return group("webhooks", "Webhooks: URLs that are told what happens to credentials",
		webhooksCreate(), webhooksList(),
		action("show", "Show a webhook", func(s *session, c *cobra.Command, id string) error {
			w, err := s.GetWebhook(c.Context(), id)
			return webhookResult(s, w, err, "")
		}),
		webhooksUpdate(), webhooksSwitch("disable", "Stop sending, and give up what waits", true), webhooksSwitch("enable", "Send again", false),
		action("rotate", "Give a webhook a new secret; the old one signs along for 24 hours", func(s *session, c *cobra.Command, id string) error {
			w, err := s.RotateWebhookSecret(c.Context(), id)
			return webhookSecret(s, w, err, "has a new secret")
		}),
		action("secret", "Show the secret that a webhook's receiver verifies with", func(s *session, c *cobra.Command, id string) error {
			w, err := s.RevealWebhookSecret(c.Context(), id)
			if err == nil {
				s.say("The audit log says that it was shown.")
			}
			return webhookSecret(s, w, err, "")
		}),
		action("test", "Send a message of the type webhook.test and say what the receiver answered", webhooksTest),
		webhooksDeliveries(),
		action("redeliver", "Send a delivery once more", func(s *session, c *cobra.Command, id string) error {
			d, err := s.RedeliverWebhook(c.Context(), id)
			if err != nil {
				return err
			}
			return deliveryOutcome(s, c.Context(), d)
		}),
		action("delete", "Delete a webhook and its log of deliveries", func(s *session, c *cobra.Command, id string) error {
			w, err := s.DeleteWebhook(c.Context(), id)
			return webhookResult(s, w, err, "deleted")
		}),
	)
}

// webhookResult prints a webhook.
func webhookResult(s *session, w admin.Webhook, err error, done string) error {
	if err != nil {
		return err
	}
	if done != "" {
		s.say("%s %s", w.ID, done)
	}
	return printOne(s.printer, webhookDetails, w)
}

// webhookSecret prints a webhook with its secret.
func webhookSecret(s *session, made admin.WebhookSecret, err error, done string) error {
	if err != nil {
		return err
	}
	if done != "" {
		s.say("%s %s. Its receiver verifies with the secret: see docs/webhooks.md.", made.Webhook.ID, done)
	}
	type shown struct {
		Webhook admin.Webhook `json:"webhook"`
		Secret  string        `json:"secret"`
	}
	columns := []column[shown]{{"secret", func(m shown) string { return m.Secret }}}
	for _, c := range webhookDetails {
		columns = append(columns, column[shown]{c.title, func(m shown) string { return c.text(m.Webhook) }})
	}
	return printOne(s.printer, columns, shown{made.Webhook, made.Secret.Reveal()})
}

func webhooksCreate() *cobra.Command {
	var in admin.CreateWebhook
	c := &cobra.Command{
		Use: "create URL", Short: "Have a URL told what happens to credentials", Args: cobra.ExactArgs(1),
		Example: "  cardea webhooks create https://example.com/hooks --org org_1 --event credential.leaked --event credential.expiring",
	}
	c.Flags().StringVar(&in.Organization, "org", "", "`ID` of the organization whose credentials it hears of (default: a member's own; for operators, every one)")
	c.Flags().StringArrayVar(&in.Events, "event", nil, "`TYPE` it hears of; repeat for more (default: all)")
	c.Flags().StringVar(&in.Description, "description", "", "what it is for")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in.URL = args[0]
		made, err := s.CreateWebhook(c.Context(), in)
		return webhookSecret(s, made, err, "created")
	})
	return c
}

func webhooksList() *cobra.Command {
	var filter admin.WebhookFilter
	c := &cobra.Command{Use: "list", Short: "List webhooks"}
	c.Flags().StringVar(&filter.Organization, "org", "", "only of the organization with this `ID`")
	pageFlag(c)
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := collect(s, c, s.ListWebhooks(c.Context(), filter))
		if err != nil {
			return err
		}
		return printList(s.printer, webhookColumns, all)
	})
	return c
}

func webhooksUpdate() *cobra.Command {
	var url, description string
	var events []string
	var all bool
	c := &cobra.Command{Use: "update ID", Short: "Change a webhook", Args: cobra.ExactArgs(1)}
	f := c.Flags()
	f.StringVar(&url, "url", "", "where messages go")
	f.StringArrayVar(&events, "event", nil, "`TYPE` it hears of, in place of those it does; repeat for more")
	f.BoolVar(&all, "all-events", false, "it hears of everything")
	f.StringVar(&description, "description", "", "what it is for")
	c.MarkFlagsMutuallyExclusive("event", "all-events")
	c.RunE = with(func(s *session, c *cobra.Command, args []string) error {
		in := admin.UpdateWebhook{ID: args[0], Events: events}
		if all {
			in.Events = []string{}
		}
		if f.Changed("url") {
			in.URL = &url
		}
		if f.Changed("description") {
			in.Description = &description
		}
		w, err := s.UpdateWebhook(c.Context(), in)
		return webhookResult(s, w, err, "")
	})
	return c
}

// webhooksSwitch is `cardea webhooks disable` and `enable`.
func webhooksSwitch(name, short string, off bool) *cobra.Command {
	return action(name, short, func(s *session, c *cobra.Command, id string) error {
		w, err := s.UpdateWebhook(c.Context(), admin.UpdateWebhook{ID: id, Disabled: &off})
		return webhookResult(s, w, err, name+"d")
	})
}

func webhooksTest(s *session, c *cobra.Command, id string) error {
	d, err := s.TestWebhook(c.Context(), id)
	if err != nil {
		return err
	}
	return deliveryOutcome(s, c.Context(), d)
}

// outcomeWait is how long commands wait for the outcome of an attempt, which takes 15
// seconds at most and may have to wait for its turn.
const outcomeWait = 20 * time.Second

// deliveryOutcome waits for the next attempt of a delivery and prints what came of it. It
// fails when the receiver did not take the message.
func deliveryOutcome(s *session, ctx context.Context, d admin.WebhookDelivery) error {
	ctx, cancel := context.WithTimeout(ctx, outcomeWait)
	defer cancel()
	before := len(d.Attempts)
	for d.Status == "pending" && len(d.Attempts) <= before {
		select {
		case <-ctx.Done():
			s.say("no attempt was made yet: cardea webhooks deliveries --webhook %s", d.Webhook)
			return printOne(s.printer, deliveryColumns, d)
		case <-time.After(100 * time.Millisecond):
		}
		var err error
		if d, err = s.GetWebhookDelivery(ctx, d.ID); err != nil {
			return err
		}
	}
	if err := printOne(s.printer, deliveryColumns, d); err != nil {
		return err
	}
	if d.Status != "delivered" {
		return fmt.Errorf("the receiver did not take it")
	}
	return nil
}

func webhooksDeliveries() *cobra.Command {
	var filter admin.WebhookDeliveryFilter
	c := &cobra.Command{Use: "deliveries", Short: "List deliveries and how they went, newest first"}
	f := c.Flags()
	f.StringVar(&filter.Organization, "org", "", "only to webhooks of the organization with this `ID`")
	f.StringVar(&filter.Webhook, "webhook", "", "only to the webhook with this `ID`")
	f.StringVar(&filter.Status, "status", "", "only pending, delivered or failed ones")
	f.StringVar(&filter.Type, "type", "", "only of this `TYPE`")
	f.StringVar(&filter.Credential, "credential", "", "only about the credential with this `ID`")
	pageFlag(c)
	c.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		all, err := collect(s, c, s.ListWebhookDeliveries(c.Context(), filter))
		if err != nil {
			return err
		}
		return printList(s.printer, deliveryColumns, all)
	})
	return c
}

// leaksCommand is `cardea leaks`.
func leaksCommand() *cobra.Command {
	var in admin.ReportLeak
	report := &cobra.Command{
		Use: "report", Short: "Report secrets on standard input, one a line, that were found where they should not be",
		Long: `Reads secrets from standard input, one a line, marks the credentials that they belong
to and tells their owners' webhooks (credential.leaked). A secret is never an argument:
every user of a machine can read those.`,
		Example: "  pbpaste | cardea leaks report --source https://github.com/acme/app/commit/1a2b3c --revoke",
		Args: func(_ *cobra.Command, given []string) error {
			if len(given) > 0 {
				return usagef("the secrets go to standard input, never into an argument: others can read those\nUsage: cardea leaks report < FILE")
			}
			return nil
		},
	}
	report.Flags().StringVar(&in.Source, "source", "", "where they were found; their owners read it")
	report.Flags().BoolVar(&in.Revoke, "revoke", false, "revoke the credentials at once")
	report.RunE = with(func(s *session, c *cobra.Command, _ []string) error {
		text, err := io.ReadAll(io.LimitReader(c.InOrStdin(), 1<<17))
		if err != nil {
			return err
		}
		in.Secrets = strings.Fields(string(text))
		r, err := s.ReportLeak(c.Context(), in)
		if err != nil {
			return err
		}
		keys := make([]admin.Key, len(r.Items))
		for i, item := range r.Items {
			keys[i] = item.Key
		}
		s.say("%d of %d belong to a credential", len(r.Items), len(in.Secrets))
		if s.json {
			return s.encode(r)
		}
		return printList(s.printer, keyColumns, keys)
	})
	return group("leaks", "Leaks: secrets found where they should not be", report)
}
