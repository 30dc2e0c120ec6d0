package webhook

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/hook"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Bounds of endpoints.
const (
	maxEndpoints   = 20 // of one organization, and of the operators
	secretSize     = 32 // bytes; Standard Webhooks wants 24 to 64
	secretOverlap  = 24 * time.Hour
	endpointPrefix = "we_"
	noun           = "webhook"
)

// Why an endpoint is disabled.
const (
	reasonByHand  = "by_hand"
	reasonGone    = "gone"    // it answered 410
	reasonFailing = "failing" // it took nothing for [disableAfter]
)

// errNoMasterKey: nothing can be sealed.
var errNoMasterKey = cardea.Errorf(cardea.KindUnavailable, "the server has no master key to keep secrets with")

// Endpoints lists endpoints, newest first, as [Webhooks.Endpoint] shows each.
func (w *Webhooks) Endpoints(ctx context.Context, actor cardea.Actor, in EndpointFilter) (access.List[Endpoint], error) {
	organization, err := w.access.Scope(ctx, actor, in.Organization)
	if err != nil {
		return access.List[Endpoint]{}, err
	}
	viewed, err := w.viewFor(ctx, actor, organization)
	if err != nil {
		return access.List[Endpoint]{}, err
	}
	return access.Paged(in.Page, []string{"webhooks", organization}, func(p store.Page) ([]store.WebhookEndpoint, string, error) {
		return w.store.WebhookEndpoints(ctx, organization, p)
	}, viewed)
}

// view is [view] at this moment.
func (w *Webhooks) view(e store.WebhookEndpoint) Endpoint { return view(e, w.now()) }

// viewFor returns how actor sees the endpoints of an organization. Some URLs carry a secret
// in their path: who may not change an endpoint sees where it leads, and no more.
func (w *Webhooks) viewFor(ctx context.Context, actor cardea.Actor, organization string) (func(store.WebhookEndpoint) Endpoint, error) {
	err := w.access.Allow(ctx, w.store.Reader, actor, organization, noun, access.Admin)
	switch {
	case err == nil:
		return w.view, nil
	case cardea.KindOf(err) != cardea.KindForbidden:
		return nil, err
	}
	return func(e store.WebhookEndpoint) Endpoint {
		v := w.view(e)
		v.URL = hostOf(e.URL)
		return v
	}, nil
}

// hostOf returns a URL of which "…" is left of what follows the host.
func hostOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "…"
	}
	origin := u.Scheme + "://" + u.Host
	if u.RequestURI() == "/" {
		return origin + "/"
	}
	return origin + "/…"
}

// Endpoint returns one endpoint: with the whole of its URL to those who may change it, to
// others with as much of it as says where it leads.
func (w *Webhooks) Endpoint(ctx context.Context, actor cardea.Actor, in access.ID) (Endpoint, error) {
	e, err := w.find(ctx, w.store.Reader, actor, in.ID, access.Read)
	if err != nil {
		return Endpoint{}, err
	}
	viewed, err := w.viewFor(ctx, actor, e.Organization)
	if err != nil {
		return Endpoint{}, err
	}
	return viewed(e), nil
}

// find returns an endpoint that actor has a right over. The operators' own are theirs.
func (w *Webhooks) find(ctx context.Context, r store.Reader, actor cardea.Actor, id string, need access.Right) (store.WebhookEndpoint, error) {
	if !rules.ValidID(id) {
		return store.WebhookEndpoint{}, access.NotFound(noun)
	}
	e, err := r.WebhookEndpoint(ctx, id)
	if err != nil {
		return store.WebhookEndpoint{}, err
	}
	if err := w.access.Allow(ctx, r, actor, e.Organization, noun, need); err != nil {
		return store.WebhookEndpoint{}, err
	}
	return e, nil
}

// CreateEndpoint creates an endpoint and returns its secret. Nothing is sent to it yet:
// see [Webhooks.Test].
func (w *Webhooks) CreateEndpoint(ctx context.Context, actor cardea.Actor, in CreateEndpoint) (EndpointSecret, error) {
	organization, err := w.access.Scope(ctx, actor, in.Organization)
	if err != nil {
		return EndpointSecret{}, err
	}
	var p rules.Problems
	p.Add(w.checkURL(in.URL))
	p.Add(checkEvents(in.Events))
	p.Add(rules.Line("description", in.Description, rules.MaxReason))
	if err := p.Err(); err != nil {
		return EndpointSecret{}, err
	}
	e := store.WebhookEndpoint{
		ID: secret.NewID(endpointPrefix), Organization: organization, URL: in.URL, Events: sorted(in.Events),
		Description: in.Description, CreatedBy: actor.Type + ":" + actor.ID,
	}
	key, err := w.newSecret(&e)
	if err != nil {
		return EndpointSecret{}, err
	}
	err = w.change(ctx, actor, func(tx *store.Tx) error {
		if err := w.access.Allow(ctx, tx.Reader, actor, organization, "organization", access.Admin); err != nil {
			return err
		}
		if err := room(ctx, tx, organization); err != nil {
			return err
		}
		e.CreatedAt, e.UpdatedAt = tx.Now(), tx.Now()
		access.Audit(tx, "webhook.create", noun, e.ID, organization, nil, recorded(e))
		return tx.InsertWebhookEndpoint(ctx, e)
	})
	if err != nil {
		return EndpointSecret{}, err
	}
	return EndpointSecret{Endpoint: w.view(e), Secret: key}, nil
}

// room refuses one endpoint more than there may be.
func room(ctx context.Context, tx *store.Tx, organization string) error {
	var have []store.WebhookEndpoint
	var err error
	if organization == "" {
		have, err = tx.OperatorWebhooks(ctx)
	} else {
		have, _, err = tx.WebhookEndpoints(ctx, organization, store.Page{Limit: maxEndpoints})
	}
	if err == nil && len(have) >= maxEndpoints {
		return cardea.Errorf(cardea.KindConflict, "there are %d webhooks already, which is the most: delete one first", len(have))
	}
	return err
}

// UpdateEndpoint changes an endpoint.
func (w *Webhooks) UpdateEndpoint(ctx context.Context, actor cardea.Actor, in UpdateEndpoint) (Endpoint, error) {
	var p rules.Problems
	if in.URL != nil {
		p.Add(w.checkURL(*in.URL))
	}
	p.Add(checkEvents(in.Events))
	if in.Description != nil {
		p.Add(rules.Line("description", *in.Description, rules.MaxReason))
	}
	if err := p.Err(); err != nil {
		return Endpoint{}, err
	}
	e, err := w.edit(ctx, actor, in.ID, "webhook.update", func(tx *store.Tx, e *store.WebhookEndpoint) error {
		if in.URL != nil {
			e.URL = *in.URL
		}
		if in.Events != nil {
			e.Events = sorted(in.Events)
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		switch {
		case in.Disabled == nil:
		case *in.Disabled && e.DisabledAt.IsZero():
			e.DisabledAt, e.DisabledReason = tx.Now(), reasonByHand
			return tx.EndWebhooks(ctx, e.ID)
		case !*in.Disabled:
			e.DisabledAt, e.DisabledReason, e.FailingSince = time.Time{}, "", time.Time{}
		}
		return nil
	})
	if err != nil {
		return Endpoint{}, err
	}
	return w.view(e), nil
}

// edit changes an endpoint and records what differs.
func (w *Webhooks) edit(ctx context.Context, actor cardea.Actor, id, action string, fn func(tx *store.Tx, e *store.WebhookEndpoint) error) (e store.WebhookEndpoint, err error) {
	err = w.change(ctx, actor, func(tx *store.Tx) error {
		if e, err = w.find(ctx, tx.Reader, actor, id, access.Admin); err != nil {
			return err
		}
		before := recorded(e)
		if err := fn(tx, &e); err != nil {
			return err
		}
		after := recorded(e)
		if access.Diff(before, after).Empty() {
			return nil
		}
		e.UpdatedAt = tx.Now()
		access.Audit(tx, action, noun, id, e.Organization, before, after)
		return tx.UpdateWebhookEndpoint(ctx, e)
	})
	return e, err
}

// DeleteEndpoint deletes an endpoint with its log of deliveries and returns what it was. A
// delivery that is under way may still arrive.
func (w *Webhooks) DeleteEndpoint(ctx context.Context, actor cardea.Actor, in access.ID) (Endpoint, error) {
	var e store.WebhookEndpoint
	err := w.change(ctx, actor, func(tx *store.Tx) (err error) {
		if e, err = w.find(ctx, tx.Reader, actor, in.ID, access.Admin); err != nil {
			return err
		}
		access.Audit(tx, "webhook.delete", noun, e.ID, e.Organization, recorded(e), nil)
		return tx.DeleteWebhookEndpoint(ctx, e.ID)
	})
	if err != nil {
		return Endpoint{}, err
	}
	return w.view(e), nil
}

// RotateSecret gives an endpoint a new secret and returns it. Messages are signed with the
// old one too for 24 hours, so that the receiver can change over without losing any.
func (w *Webhooks) RotateSecret(ctx context.Context, actor cardea.Actor, in access.ID) (EndpointSecret, error) {
	var key secret.Secret
	e, err := w.edit(ctx, actor, in.ID, "webhook.rotate", func(tx *store.Tx, e *store.WebhookEndpoint) (err error) {
		e.Previous, e.PreviousUntil = e.Sealed, tx.Now().Add(secretOverlap)
		key, err = w.newSecret(e)
		return err
	})
	if err != nil {
		return EndpointSecret{}, err
	}
	return EndpointSecret{Endpoint: w.view(e), Secret: key}, nil
}

// RevealSecret shows an endpoint's secret. It leaves an audit event; if that cannot be
// written the secret is not shown.
func (w *Webhooks) RevealSecret(ctx context.Context, actor cardea.Actor, in access.ID) (EndpointSecret, error) {
	var e store.WebhookEndpoint
	err := w.change(ctx, actor, func(tx *store.Tx) (err error) {
		if e, err = w.find(ctx, tx.Reader, actor, in.ID, access.Admin); err != nil {
			return err
		}
		access.Record(tx, "webhook.reveal", noun, e.ID, e.Organization, nil)
		return nil
	})
	if err != nil {
		return EndpointSecret{}, err
	}
	key, err := w.open(e.ID, e.Sealed)
	if err != nil {
		return EndpointSecret{}, err
	}
	return EndpointSecret{Endpoint: w.view(e), Secret: shown(key)}, nil
}

// newSecret gives an endpoint that is not stored yet a secret.
func (w *Webhooks) newSecret(e *store.WebhookEndpoint) (secret.Secret, error) {
	if w.sealer == nil {
		return secret.Secret{}, errNoMasterKey
	}
	key := make([]byte, secretSize)
	_, _ = rand.Read(key) // never fails: it stops the process instead
	e.Sealed = w.sealer.Seal(place(e.ID), key)
	return shown(key), nil
}

// open returns a sealed secret of an endpoint.
func (w *Webhooks) open(id string, sealed []byte) ([]byte, error) {
	if w.sealer == nil {
		return nil, errNoMasterKey
	}
	key, err := w.sealer.Open(place(id), sealed)
	if err != nil {
		return nil, &cardea.Error{Kind: cardea.KindUnavailable,
			Public: "the secret cannot be opened with this server's master key", Cause: err}
	}
	return key, nil
}

// place ties a sealed secret to its endpoint.
func place(id string) string { return secret.AAD("webhook_endpoint", id, 1) }

// shown returns a key as receivers' libraries take it.
func shown(key []byte) secret.Secret { return secret.Known(hook.SecretPrefix, hook.SecretText(key)) }

// checkURL refuses what no message can be sent to. Names are looked up, and addresses
// checked, when a message is sent; here is only what can be said at once.
func (w *Webhooks) checkURL(text string) *cardea.Error {
	invalid := cardea.Invalid("url", "must be an https URL without a user and a fragment, of at most %d bytes", rules.MaxURL)
	plain := w.private && strings.HasPrefix(text, "http://") && rules.IsHTTPS("https://"+strings.TrimPrefix(text, "http://"))
	if !rules.IsHTTPS(text) && !plain {
		return invalid
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || fetch.Check(text, plain) != nil {
		return invalid
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	addr, err := netip.ParseAddr(host)
	if !w.private && (err == nil && !fetch.Admits(addr, false) || host == "localhost" || strings.HasSuffix(host, ".localhost")) {
		return cardea.Invalid("url", "must lead to a public address")
	}
	return nil
}

// checkEvents refuses types that there are not.
func checkEvents(events []string) *cardea.Error {
	for _, e := range events {
		if !slices.Contains(EventTypes, e) {
			return cardea.Invalid("events", "must be of these: %s", strings.Join(EventTypes, ", "))
		}
	}
	return nil
}

// sorted returns types without repetition, in the order of EventTypes.
func sorted(events []string) []string {
	return slices.DeleteFunc(slices.Clone(EventTypes), func(t string) bool { return !slices.Contains(events, t) })
}

// A record is what the audit log, which is kept for ever, says of an endpoint: of the URL
// only where it leads, since some carry a secret in their path.
type record struct {
	Host           string    `json:"host"`
	Events         []string  `json:"events"`
	Description    string    `json:"description,omitzero"`
	DisabledAt     time.Time `json:"disabled_at,omitzero"`
	DisabledReason string    `json:"disabled_reason,omitzero"`
	SecretUntil    time.Time `json:"previous_secret_until,omitzero"`
	Mark           string    `json:"url_mark"` // of the whole URL: another one has another mark
}

func recorded(e store.WebhookEndpoint) record {
	sum := sha256.Sum256([]byte(e.ID + e.URL))
	r := record{
		Events: e.Events, Description: e.Description, DisabledAt: e.DisabledAt, DisabledReason: e.DisabledReason,
		SecretUntil: e.PreviousUntil, Mark: hex.EncodeToString(sum[:6]),
	}
	if u, err := url.Parse(e.URL); err == nil {
		r.Host = u.Host
	}
	if r.Events == nil {
		r.Events = []string{}
	}
	return r
}
