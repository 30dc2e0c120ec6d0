package manage_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea/internal/manage"
	"github.com/cardea-dev/cardea/internal/store"
)

// listen makes a webhook that hears of everything.
func (w *world) listen() {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		return tx.InsertWebhookEndpoint(w.ctx, store.WebhookEndpoint{ID: "we_all", URL: "https://hooks.example.com", Sealed: []byte{1}})
	})
}

// told returns what was told at this instant of the clock: types by credential.
func (w *world) told() map[string][]string {
	w.t.Helper()
	list, _, err := w.store.WebhookDeliveries(w.ctx, store.WebhookDeliveryFilter{}, store.Page{Limit: 500})
	if err != nil {
		w.t.Fatal(err)
	}
	told := map[string][]string{}
	for _, d := range list {
		if d.CreatedAt.Equal(w.clock()) {
			told[d.Credential] = append(told[d.Credential], d.Type)
		}
	}
	return told
}

// credentials returns all that is stored about each credential but when it was used.
func (w *world) credentials() map[string]string {
	w.t.Helper()
	found := map[string]string{}
	for _, kind := range []string{"", store.KindClient, store.KindServiceAccount} {
		list, _, err := w.store.Credentials(w.ctx, store.CredentialFilter{Kind: kind}, store.Page{Limit: 500})
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range list {
			secrets := must(w.store.Secrets(w.ctx, c.ID))(w.t)
			keys := must(w.store.AccountKeys(w.ctx, c.ID))(w.t)
			all := []any{c, secrets, keys}
			if kind == store.KindClient {
				all = append(all, must(w.store.Client(w.ctx, c.ID))(w.t))
			}
			found[c.ID] = string(must(json.Marshal(all, json.Deterministic(true)))(w.t))
		}
	}
	return found
}

// named are the events of changes that people look for by name.
var named = map[string]string{
	"CreateKey": store.EventCreated, "CreateClient": store.EventCreated, "CreateServiceAccount": store.EventCreated,
	"RevokeKey": store.EventRevoked, "RevokeClient": store.EventRevoked, "OffboardOrganization": store.EventRevoked,
	"DisableKey": store.EventDisabled, "EnableKey": store.EventEnabled, "DisableClient": store.EventDisabled,
	"RotateKey": store.EventRotated, "RegenerateKey": store.EventRotated, "RotateClientSecret": store.EventRotated,
	"UpdateKey": store.EventUpdated, "FinishKeyRotation": store.EventUpdated, "UpdateClient": store.EventUpdated,
	"CreateServiceAccountKey": store.EventUpdated, "ReportLeak": store.EventLeaked,
}

// What changes a credential is told to whoever wants to hear of it, in the change itself,
// by its name, and nothing else is. It walks every use case that there is.
func TestEveryChangeOfACredentialIsTold(t *testing.T) {
	n := 0
	for _, c := range changes {
		w := sqlite(t) // with few credentials to compare
		w.listen()
		s := newScene(w)
		before := w.credentials()
		s.advance(time.Minute)
		if _, err := c.call(s); err != nil {
			t.Fatalf("%s: %v", c.method, err)
		}
		var changed []string
		for id, now := range w.credentials() {
			if now != before[id] {
				changed = append(changed, id)
			}
		}
		if c.method == "ReportLeak" { // changes what is known about it
			changed = append(changed, s.keyID())
		}
		slices.Sort(changed)
		events := w.told()
		for id, types := range events {
			if want := named[c.method]; want != "" && !slices.Equal(types, []string{want}) {
				t.Errorf("%s: of %s was told %v, want %s", c.method, id, types, want)
			}
		}
		told := slices.Sorted(maps.Keys(events))
		if diff := cmp.Diff(changed, told); diff != "" {
			t.Errorf("%s (-changed +told):\n%s", c.method, diff)
		}
		n += len(told)
	}
	if n < 25 {
		t.Errorf("%d credentials changed in all: does the test look at the right place?", n)
	}
}

// A report with the wish to revoke ends the key and tells both.
func TestALeakedKeyCanBeRevokedAtOnce(t *testing.T) {
	w := sqlite(t)
	w.listen()
	s := newScene(w)
	s.advance(time.Minute)
	in := manage.ReportLeak{Secrets: []string{" " + s.key.Secret.Reveal() + "\n", "ck_live_nobody", s.rotating.Secret.Reveal()}, Source: "gist.example.com", Revoke: true}
	r := must(s.ReportLeak(s.ctx, operator, in))(t)
	if len(r.Items) != 2 || r.Unknown != 1 || r.Items[0].Key.Status != manage.StatusRevoked || r.Items[1].Index != 2 || r.Items[1].Key.ID != s.rotating.Key.ID {
		t.Errorf("report %+v", r)
	}
	for id, types := range w.told() {
		slices.Sort(types)
		if !slices.Equal(types, []string{store.EventLeaked, store.EventRevoked}) {
			t.Errorf("of %s was told %v", id, types)
		}
	}
	s.advance(time.Minute)
	if again := must(s.ReportLeak(s.ctx, operator, in))(t); !again.Items[0].Reported || len(w.told()) != 0 {
		t.Errorf("reported again: %+v, told %v", again, w.told())
	}
}
