package webhook_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// operator is who makes most changes.
var operator = cardea.Actor{Type: "operator", ID: "mt_test", Address: "192.0.2.1", RequestID: "req_test"}

// person returns a member as an actor.
func person(id string) cardea.Actor { return cardea.Actor{Type: "member", ID: id} }

// A world is webhooks over a real store, with a clock that the test moves.
type world struct {
	*webhook.Webhooks
	t      *testing.T
	store  *store.DB
	config webhook.Config
	log    *logBuffer

	mu  sync.Mutex
	now time.Time
}

// logBuffer collects the log.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// newWorld has two organizations, with a member of each role in the first.
func newWorld(t *testing.T, cfg store.Config) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), log: &logBuffer{}}
	cfg.Now = w.clock
	w.store = storetest.OpenConfig(t, cfg)
	sealer, err := secret.NewSealer(make([]byte, secret.MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	w.config = webhook.Config{
		Store: w.store, Sealer: sealer, Fetch: fetch.New(fetch.Config{}), Private: true, Now: w.clock,
		Logger: slog.New(slog.NewTextHandler(w.log, nil)),
	}
	w.Webhooks = webhook.New(w.config)
	storetest.Change(t, w.store, func(tx *store.Tx) error {
		for _, id := range []string{"org_1", "org_2"} {
			if err := tx.InsertOrganization(t.Context(), store.Organization{ID: id, Name: id, Plan: "free"}); err != nil {
				return err
			}
		}
		for _, m := range []store.Member{
			{ID: "usr_owner", Organization: "org_1", Role: cardea.RoleOwner}, {ID: "usr_admin", Organization: "org_1", Role: cardea.RoleAdmin},
			{ID: "usr_developer", Organization: "org_1", Role: cardea.RoleDeveloper}, {ID: "usr_viewer", Organization: "org_1", Role: cardea.RoleViewer},
			{ID: "usr_other", Organization: "org_2", Role: cardea.RoleOwner},
		} {
			m.Email = m.ID + "@example.com"
			if err := tx.InsertMember(t.Context(), m); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

// sqlite returns a world on SQLite.
func sqlite(t *testing.T) *world {
	t.Helper()
	return newWorld(t, store.Config{Dir: t.TempDir()})
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// endpoint makes a webhook of org_1 at a URL.
func (w *world) endpoint(url string, events ...string) webhook.EndpointSecret {
	w.t.Helper()
	return must(w.CreateEndpoint(w.t.Context(), operator, webhook.CreateEndpoint{Organization: "org_1", URL: url, Events: events}))(w.t)
}

// key makes keys of org_1, which is what events are about here.
func (w *world) key(ids ...string) {
	w.t.Helper()
	storetest.Change(w.t, w.store, func(tx *store.Tx) error {
		for _, id := range ids {
			c := store.Credential{ID: id, Kind: "api_key", Name: "Key " + id, Environment: "live", Organization: "org_1"}
			if err := tx.InsertCredential(w.t.Context(), c); err != nil {
				return err
			}
		}
		return nil
	})
}

// deliveries returns the log of an endpoint, newest first.
func (w *world) deliveries(endpoint string) []webhook.Delivery {
	w.t.Helper()
	return must(w.Deliveries(w.t.Context(), operator, webhook.DeliveryFilter{Webhook: endpoint, Page: access.Page{Limit: 200}}))(w.t).Items
}

// delivery returns the one delivery of an endpoint.
func (w *world) delivery(endpoint string) webhook.Delivery {
	w.t.Helper()
	list := w.deliveries(endpoint)
	if len(list) != 1 {
		w.t.Fatalf("%d deliveries, want one", len(list))
	}
	return list[0]
}

// must returns v, or fails the test.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// wantKind fails the test unless err is of a kind.
func wantKind(t *testing.T, what string, err error, kind cardea.Kind) {
	t.Helper()
	if err == nil || cardea.KindOf(err) != kind {
		t.Errorf("%s: got error %v, want kind %d", what, err, kind)
	}
}

// A call is a request that a receiver got.
type call struct {
	header http.Header
	body   string
}

// A receiver is a real HTTP server that remembers what it got and answers as told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []call
	answer func(w http.ResponseWriter, r *http.Request)
}

// newReceiver answers 204 until it is told otherwise.
func newReceiver(t *testing.T) *receiver {
	t.Helper()
	rc := &receiver{}
	rc.status(http.StatusNoContent)
	rc.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		rc.mu.Lock()
		rc.calls = append(rc.calls, call{r.Header.Clone(), string(body)})
		answer := rc.answer
		rc.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(rc.Close)
	return rc
}

// status makes it answer a status.
func (rc *receiver) status(code int) {
	rc.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}

func (rc *receiver) answers(fn func(w http.ResponseWriter, r *http.Request)) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	rc.answer = fn
}

// got returns what came since the last time.
func (rc *receiver) got() []call {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	calls := rc.calls
	rc.calls = nil
	return calls
}

// verify checks a signature by the specification's text alone.
func (c call) verify(t *testing.T, key string) bool {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, raw)
	mac.Write([]byte(c.header.Get("webhook-id") + "." + c.header.Get("webhook-timestamp") + "." + c.body))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for signature := range strings.FieldsSeq(c.header.Get("webhook-signature")) {
		if hmac.Equal([]byte(signature), []byte(want)) {
			return true
		}
	}
	return false
}
