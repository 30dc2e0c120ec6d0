package store_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// A movable is a clock that tests move.
type movable struct {
	mu  sync.Mutex
	now time.Time
}

func (m *movable) clock() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *movable) advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

// endpoint is a webhook of an organization for all events.
func endpoint(id, organization string, events ...string) store.WebhookEndpoint {
	return store.WebhookEndpoint{ID: id, Organization: organization, URL: "https://hooks.example.com", Events: events, Sealed: []byte{1}}
}

// add inserts endpoints.
func add(t *testing.T, db *store.DB, endpoints ...store.WebhookEndpoint) {
	t.Helper()
	storetest.Change(t, db, func(tx *store.Tx) error {
		for _, e := range endpoints {
			if err := tx.InsertWebhookEndpoint(t.Context(), e); err != nil {
				return err
			}
		}
		return nil
	})
}

// deliveries returns what waits for an endpoint, oldest first, as "type credential extra".
func deliveries(t *testing.T, db *store.DB, endpoint string) []string {
	t.Helper()
	list, _, err := db.WebhookDeliveries(t.Context(), store.WebhookDeliveryFilter{Endpoint: endpoint}, store.Page{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range slices.Backward(list) {
		var m struct {
			Type      string                  `json:"type"`
			Timestamp time.Time               `json:"timestamp"`
			Data      store.CredentialMessage `json:"data"`
		}
		if err := json.Unmarshal([]byte(d.Payload), &m, json.RejectUnknownMembers(true)); err != nil {
			t.Fatalf("%s: %v", d.Payload, err)
		}
		if m.Type != d.Type || m.Data.Credential != d.Credential || !m.Timestamp.Equal(d.CreatedAt) {
			t.Errorf("payload %s of %+v", d.Payload, d)
		}
		line := d.Type + " " + d.Credential
		if m.Data.Days > 0 {
			line += fmt.Sprintf(" %d", m.Data.Days)
		}
		for _, extra := range append(m.Data.Changed, m.Data.Address, m.Data.Reason, m.Data.Source) {
			if extra != "" {
				line += " " + extra
			}
		}
		out = append(out, line)
	}
	return out
}

func TestWebhooksComeBackAsTheyWereStored(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		people(t, db)
		e := store.WebhookEndpoint{
			ID: "we_a", Organization: "org_1", URL: "https://hooks.example.com/x?y=z", Events: []string{store.EventCreated}, Description: "d",
			Sealed: []byte{0, 255}, Previous: []byte{1}, PreviousUntil: hour(3), FailingSince: hour(1), DisabledAt: hour(4),
			DisabledReason: "gone", CreatedBy: "operator:x", CreatedAt: hour(2), UpdatedAt: hour(2),
		}
		everybody := endpoint("we_b", "")
		everybody.CreatedAt, everybody.UpdatedAt = hour(1), hour(1)
		add(t, db, e, everybody)
		equal(t, "endpoint", must(db.WebhookEndpoint(ctx, "we_a"))(t), e)
		list, _, err := db.WebhookEndpoints(ctx, "", store.Page{})
		equal(t, "endpoints", must(list, err)(t), []store.WebhookEndpoint{e, everybody})
		list, _, err = db.WebhookEndpoints(ctx, "org_1", store.Page{})
		equal(t, "endpoints of one", must(list, err)(t), []store.WebhookEndpoint{e})
		equal(t, "operators'", must(db.OperatorWebhooks(ctx))(t), []store.WebhookEndpoint{everybody})
		e.URL, e.Events, e.DisabledAt, e.DisabledReason, e.Previous = "https://other.example.com", nil, time.Time{}, "", nil
		storetest.Change(t, db, func(tx *store.Tx) error {
			e.UpdatedAt = tx.Now()
			return tx.UpdateWebhookEndpoint(ctx, e)
		})
		equal(t, "changed", must(db.WebhookEndpoint(ctx, "we_a"))(t), e)
		storetest.Change(t, db, func(tx *store.Tx) error { return tx.DeleteWebhookEndpoint(ctx, "we_a") })
		_, err = db.WebhookEndpoint(ctx, "we_a")
		wantKind(t, "deleted", err, cardea.KindNotFound)
	})
}

// An event reaches the organization's own endpoints that want it and the operators', none
// of another organization and none that is disabled; a change that fails tells nothing.
func TestEventsReachTheirOwnListenersOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		people(t, db)
		storetest.Change(t, db, func(tx *store.Tx) error {
			return tx.InsertOrganization(ctx, store.Organization{ID: "org_2", Name: "Other", Plan: "free"})
		})
		off := endpoint("we_off", "org_1")
		off.DisabledAt = hour(1)
		add(t, db, endpoint("we_1", "org_1"), endpoint("we_some", "org_1", store.EventLeaked), endpoint("we_2", "org_2"), endpoint("we_all", ""), off)
		revoke := func(tx *store.Tx) error {
			c, err := tx.Credential(ctx, "key_1")
			if err != nil {
				return err
			}
			c.RevokedAt, c.RevokedReason = tx.Now(), "spring cleaning"
			return tx.UpdateCredential(ctx, c)
		}
		_, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) error {
			tx.Audit(store.Event{Action: "x", TargetType: "y", TargetID: "z"})
			if err := revoke(tx); err != nil {
				return err
			}
			return fmt.Errorf("changed my mind")
		})
		if err == nil || len(deliveries(t, db, "")) > 0 {
			t.Fatalf("a change that failed (%v) told %v", err, deliveries(t, db, ""))
		}
		select {
		case <-db.Queued():
			t.Error("the worker was woken for nothing")
		default:
		}
		storetest.Change(t, db, revoke)
		select {
		case <-db.Queued():
		default:
			t.Error("the worker was not woken")
		}
		want := []string{"credential.revoked key_1 spring cleaning"}
		for id, want := range map[string][]string{"we_1": want, "we_all": want, "we_some": nil, "we_2": nil, "we_off": nil} {
			equal(t, id, deliveries(t, db, id), want)
		}
		list, _, err := db.WebhookDeliveries(ctx, store.WebhookDeliveryFilter{}, store.Page{})
		if err != nil || len(list) != 2 || list[0].Message != list[1].Message || list[0].ID == list[1].ID {
			t.Errorf("one event has one id for all who hear of it: %+v, %v", list, err)
		}
		for _, d := range list {
			if strings.Contains(d.Payload, "a secret") || !strings.Contains(d.Payload, `"hint":"ck_live_…abcd"`) || !strings.Contains(d.Payload, `"actor":{"type":"system","id":"test"}`) {
				t.Errorf("payload %s", d.Payload)
			}
		}
		storetest.Change(t, db, func(tx *store.Tx) error { // a credential of nobody who listens but the operators
			return tx.InsertCredential(ctx, store.Credential{ID: "key_2", Kind: "api_key", Environment: "live", Organization: "org_2"})
		})
		equal(t, "of org_2", deliveries(t, db, "we_2"), []string{"credential.created key_2"})
		equal(t, "of org_1", deliveries(t, db, "we_1"), want)
	})
}

// expiring inserts a key that ends after some time.
func expiring(t *testing.T, db *store.DB, id string, after time.Duration) {
	t.Helper()
	storetest.Change(t, db, func(tx *store.Tx) error {
		return tx.InsertCredential(t.Context(), store.Credential{
			ID: id, Kind: "api_key", Environment: "live", Organization: "org_1", ExpiresAt: tx.Now().Add(after),
		})
	})
}

const day = 24 * time.Hour

// The end of a credential is told 30, 7 and 1 days ahead, each once, in the order of their
// ends, also by the next process; after a pause only the last mark that was passed.
func TestAnEndIsToldOnceAtEachMark(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		m := &movable{now: hour(1)}
		cfg.Now = m.clock
		db := storetest.OpenConfig(t, cfg)
		people(t, db)
		expiring(t, db, "key_before", 20*day) // made before anybody looked: told at seven
		look := func(want ...string) {
			t.Helper()
			for range 2 { // the second look has nothing to tell
				if err := db.TellExpiring(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			equal(t, fmt.Sprintf("told by %v", m.clock()), deliveries(t, db, "we_1"), want)
		}
		add(t, db, endpoint("we_1", "org_1", store.EventExpiring))
		look()
		expiring(t, db, "key_year", 365*day)
		expiring(t, db, "key_short", 12*time.Hour) // its makers know
		expiring(t, db, "key_gone", 40*day)
		storetest.Change(t, db, func(tx *store.Tx) error {
			c, err := tx.Credential(t.Context(), "key_gone")
			c.RevokedAt = tx.Now()
			if err != nil {
				return err
			}
			return tx.UpdateCredential(t.Context(), c)
		})
		look()
		m.advance(13 * day)
		told := []string{"credential.expiring key_before 7"}
		look(told...)
		m.advance(6 * day)
		told = append(told, "credential.expiring key_before 1")
		look(told...)
		m.advance(315 * day) // 334 days: 31 left
		look(told...)
		m.advance(day + time.Minute)
		told = append(told, "credential.expiring key_year 30")
		look(told...)
		m.advance(25 * day) // nobody ran for so long; five days left
		told = append(told, "credential.expiring key_year 7")
		db = storetest.OpenConfig(t, reopened(t, db, cfg))
		look(told...)
		m.advance(5*day + time.Hour) // over, while nobody ran
		look(told...)
	})
}

// reopened closes a SQLite database, which one process may have; a PostgreSQL serves two.
func reopened(t *testing.T, db *store.DB, cfg store.Config) store.Config {
	t.Helper()
	if cfg.DSN == "" {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

// A key that passes several marks while nobody runs is told of once, by the nearest; and
// of many with the same end none is left out.
func TestManyEndsAreToldInSteps(t *testing.T) {
	m := &movable{now: hour(1)}
	db := storetest.OpenConfig(t, store.Config{Dir: t.TempDir(), Now: m.clock})
	people(t, db)
	add(t, db, endpoint("we_1", "org_1", store.EventExpiring))
	if err := db.TellExpiring(t.Context()); err != nil {
		t.Fatal(err)
	}
	const n = 1203
	storetest.Change(t, db, func(tx *store.Tx) error {
		for i := range n {
			c := store.Credential{ID: fmt.Sprintf("key_%04d", i), Kind: "api_key", Environment: "live", Organization: "org_1", ExpiresAt: tx.Now().Add(60 * day)}
			if err := tx.InsertCredential(t.Context(), c); err != nil {
				return err
			}
		}
		return nil
	})
	m.advance(59*day + time.Hour)
	if err := db.TellExpiring(t.Context()); err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for page := (store.Page{Limit: 500}); ; {
		list, next, err := db.WebhookDeliveries(t.Context(), store.WebhookDeliveryFilter{}, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			told[d.Credential]++
			if !strings.Contains(d.Payload, `"days":1`) {
				t.Fatalf("payload %s", d.Payload)
			}
		}
		if page.After = next; next == "" {
			break
		}
	}
	if len(told) != n {
		t.Errorf("%d of %d keys were told of", len(told), n)
	}
	for id, times := range told {
		if times != 1 {
			t.Errorf("%s was told of %d times", id, times)
		}
	}
}

// see notes uses of key_1.
func see(t *testing.T, db *store.DB, at time.Time, addresses ...string) {
	t.Helper()
	var seen []store.Sighting
	for _, a := range addresses {
		seen = append(seen, store.Sighting{Credential: "key_1", Address: store.Neighbourhood(netip.MustParseAddr(a)), At: at})
	}
	if left, err := db.See(t.Context(), seen); err != nil || len(left) > 0 {
		t.Fatalf("%d are left, %v", len(left), err)
	}
}

// The first use from a new address is told; the first use of all, and an address that was
// seen before, are not news. IPv6 addresses count by their /64.
func TestUseFromANewAddressIsToldOnce(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		m := &movable{now: hour(1)}
		cfg.Now = m.clock
		db := storetest.OpenConfig(t, cfg)
		people(t, db)
		add(t, db, endpoint("we_1", "org_1"))
		see(t, db, m.clock(), "192.0.2.1", "192.0.2.1")
		equal(t, "the first address", deliveries(t, db, "we_1"), []string{})
		see(t, db, m.clock(), "::ffff:192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::ffff:1", "192.0.2.2")
		want := []string{"credential.new_address key_1 192.0.2.2", "credential.new_address key_1 2001:db8::"}
		got := deliveries(t, db, "we_1")
		slices.Sort(got)
		equal(t, "new addresses", got, want)
		if _, err := db.See(t.Context(), []store.Sighting{{Credential: "https://client.example.com/metadata", Address: netip.MustParseAddr("192.0.2.9"), At: m.clock()}}); err != nil {
			t.Errorf("a caller who is no credential: %v", err)
		}
		m.advance(91 * day)
		see(t, db, m.clock(), "192.0.2.2")
		if err := db.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		see(t, db, m.clock(), "192.0.2.2", "192.0.2.1")
		got = deliveries(t, db, "we_1")
		slices.Sort(got)
		equal(t, "an address unseen for long is new again", got, slices.Insert(want, 0, "credential.new_address key_1 192.0.2.1"))
	})
}

// Somebody who comes from ever new addresses fills neither the table nor the queue.
func TestACallerOnTheMoveIsBounded(t *testing.T) {
	m := &movable{now: hour(1)}
	db := storetest.OpenConfig(t, store.Config{Dir: t.TempDir(), Now: m.clock})
	people(t, db)
	add(t, db, endpoint("we_1", "org_1"))
	for i := range 400 {
		m.advance(time.Second)
		see(t, db, m.clock(), fmt.Sprintf("10.0.%d.%d", i/256, i%256))
	}
	if n := len(deliveries(t, db, "we_1")); n != 19 {
		t.Errorf("%d were told of in a day", n)
	}
	if n := must(db.CountRows(t.Context(), "credential_address"))(t); n != 256 {
		t.Errorf("%d addresses are remembered", n)
	}
	m.advance(25 * time.Hour)
	see(t, db, m.clock(), "192.0.2.1")
	if n := len(deliveries(t, db, "we_1")); n != 20 {
		t.Errorf("%d were told of on the next day", n)
	}
}

// Two workers never hold one delivery at the same time, and what a dead one held comes
// back.
func TestADeliveryIsClaimedByOneAtATime(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		m := &movable{now: hour(1)}
		cfg = storetest.Slow(cfg)
		cfg.Now = m.clock
		one := storetest.OpenConfig(t, cfg)
		two := one
		if cfg.DSN != "" {
			two = storetest.OpenConfig(t, cfg)
		}
		people(t, one)
		add(t, one, endpoint("we_1", "org_1"))
		const n = 40
		storetest.Change(t, one, func(tx *store.Tx) error {
			for range n {
				if _, err := tx.SendTestWebhook(t.Context(), endpoint("we_1", "org_1")); err != nil {
					return err
				}
			}
			return nil
		})
		equal(t, "due", must(one.DueWebhooks(t.Context()))(t), []string{"we_1"})
		claimAll := func() map[string]int {
			var mu sync.Mutex
			var all sync.WaitGroup
			held := map[string]int{}
			for i, db := range []*store.DB{one, two, one, two} {
				all.Go(func() {
					for {
						taken, err := db.ClaimWebhooks(t.Context(), "we_1", fmt.Sprint("claim", i), m.clock().Add(time.Minute), 3)
						if err != nil || len(taken) == 0 {
							if err != nil {
								t.Error(err)
							}
							return
						}
						mu.Lock()
						for _, d := range taken {
							held[d.ID]++
						}
						mu.Unlock()
					}
				})
			}
			all.Wait()
			return held
		}
		for round := range 2 {
			held := claimAll()
			if len(held) != n {
				t.Errorf("round %d: %d of %d were claimed", round, len(held), n)
			}
			for id, times := range held {
				if times != 1 {
					t.Errorf("round %d: %s was held by %d", round, id, times)
				}
			}
			m.advance(61 * time.Second) // they died
		}
		taken, err := one.ClaimWebhooks(t.Context(), "we_1", "late", m.clock().Add(time.Minute), 1)
		if err != nil || len(taken) != 1 {
			t.Fatal(taken, err)
		}
		d := taken[0]
		d.Status, d.DueAt, d.FinishedAt = store.DeliveryDelivered, time.Time{}, m.clock()
		m.advance(2 * time.Minute)
		again, err := two.ClaimWebhooks(t.Context(), "we_1", "other", m.clock().Add(time.Minute), n)
		if err != nil || len(again) != n {
			t.Fatal(len(again), err)
		}
		if kept, err := one.NoteWebhook(t.Context(), d); err != nil || kept {
			t.Errorf("an outcome was noted by somebody who had lost the delivery: %v, %v", kept, err)
		}
		d.Claim = "other"
		if kept, err := two.NoteWebhook(t.Context(), d); err != nil || !kept {
			t.Errorf("noted: %v, %v", kept, err)
		}
		m.advance(29 * day)
		if err := one.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(deliveriesRaw(t, one)); n != 40 {
			t.Errorf("%d after 29 days", n)
		}
		m.advance(2 * day)
		if err := one.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(deliveriesRaw(t, one)); n != 39 {
			t.Errorf("%d after 31 days, want those that are not finished", n)
		}
	})
}

func deliveriesRaw(t *testing.T, db *store.DB) []store.WebhookDelivery {
	t.Helper()
	list, _, err := db.WebhookDeliveries(t.Context(), store.WebhookDeliveryFilter{}, store.Page{Limit: 500})
	return must(list, err)(t)
}

// However long the queue and the log are, nothing about webhooks reads a whole table.
func TestNoStatementOnWebhooksReadsAWholeTable(t *testing.T) {
	ctx, db := t.Context(), storetest.Open(t)
	people(t, db)
	add(t, db, endpoint("we_1", "org_1"))
	texts := map[string]bool{}
	db.Record(func(query string) { texts[query] = true })
	storetest.Change(t, db, func(tx *store.Tx) error {
		_, err := tx.SendTestWebhook(ctx, endpoint("we_1", "org_1"))
		return err
	})
	d := deliveriesRaw(t, db)[0]
	see(t, db, time.Now(), "192.0.2.1", "192.0.2.2")
	for _, f := range []store.WebhookDeliveryFilter{{Organization: "org_1"}, {Endpoint: "we_1", Status: "failed"}, {Credential: "key_1"}, {Type: "x"}} {
		if _, _, err := db.WebhookDeliveries(ctx, f, store.Page{}); err != nil {
			t.Fatal(err)
		}
	}
	for what, do := range map[string]func() error{
		"due":      func() error { _, err := db.DueWebhooks(ctx); return err },
		"count":    func() error { _, err := db.CountDueWebhooks(ctx); return err },
		"claim":    func() error { _, err := db.ClaimWebhooks(ctx, "we_1", "x", time.Now(), 3); return err },
		"note":     func() error { _, err := db.NoteWebhook(ctx, d); return err },
		"expiring": func() error { return db.TellExpiring(ctx) },
		"maintain": func() error { return db.Maintain(ctx) },
		"list":     func() error { _, _, err := db.WebhookEndpoints(ctx, "", store.Page{}); return err },
		"list one": func() error { _, _, err := db.WebhookEndpoints(ctx, "org_1", store.Page{}); return err },
		"theirs":   func() error { _, err := db.OperatorWebhooks(ctx); return err },
		"leaks":    func() error { _, err := db.Leaks(ctx, "key_1"); return err },
	} {
		if err := do(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	storetest.Change(t, db, func(tx *store.Tx) error {
		if _, err := tx.ReportLeak(ctx, store.Leak{Credential: "key_1"}); err != nil {
			return err
		}
		if err := tx.RequeueWebhook(ctx, d.ID); err != nil {
			return err
		}
		if err := tx.EndWebhooks(ctx, "we_1"); err != nil {
			return err
		}
		return tx.DeleteWebhookEndpoint(ctx, "we_1")
	})
	for text := range texts {
		if !strings.Contains(text, "webhook") && !strings.Contains(text, "credential_") && !strings.Contains(text, "expires_at, id") {
			continue
		}
		steps, err := db.Plan(ctx, text)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		for _, step := range steps {
			if bad(step, text) {
				t.Errorf("%s:\n%s", step, text)
			}
		}
	}
	if len(texts) < 30 {
		t.Errorf("only %d statements were seen", len(texts))
	}
}
