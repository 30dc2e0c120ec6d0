package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
	"github.com/cardea-dev/cardea/internal/webhook"
)

func TestAMessageIsSignedAndComplete(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w, rc := newWorld(t, cfg), newReceiver(t)
		e := w.endpoint(rc.URL + "/in?token=x")
		w.key("key_1")
		if n := w.Drain(t.Context()); n != 1 {
			t.Fatalf("%d attempts", n)
		}
		calls := rc.got()
		if len(calls) != 1 {
			t.Fatalf("%d calls", len(calls))
		}
		c, d := calls[0], w.delivery(e.Endpoint.ID)
		if !c.verify(t, e.Secret.Reveal()) || c.header.Get("Content-Type") != "application/json" || c.header.Get("webhook-id") != d.Message {
			t.Errorf("call %+v", c)
		}
		at, err := strconv.ParseInt(c.header.Get("webhook-timestamp"), 10, 64)
		if err != nil || time.Since(time.Unix(at, 0)).Abs() > time.Minute {
			t.Errorf("the timestamp %q is not of this moment", c.header.Get("webhook-timestamp"))
		}
		var m struct {
			Type      string
			Timestamp time.Time
			Data      map[string]any
		}
		if err := json.Unmarshal([]byte(c.body), &m, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		if m.Type != "credential.created" || !m.Timestamp.Equal(w.clock()) || m.Data["credential"] != "key_1" || m.Data["name"] != "Key key_1" ||
			m.Data["organization"] != "org_1" || m.Data["status"] != "active" || c.body != string(d.Payload) {
			t.Errorf("message %s", c.body)
		}
		if d.Status != webhook.DeliveryDelivered || len(d.Attempts) != 1 || d.Attempts[0].Status != 204 || !d.NextAttemptAt.IsZero() || d.FinishedAt.IsZero() {
			t.Errorf("delivery %+v", d)
		}
		if w.Drain(t.Context()) != 0 {
			t.Error("it is delivered twice")
		}
	})
}

// The attempts are made at the times of the specification's example, with the same id and
// body and a fresh timestamp and signature, and then no more.
func TestFailedDeliveriesAreTriedAgainOnSchedule(t *testing.T) {
	w, rc := sqlite(t), newReceiver(t)
	rc.status(http.StatusInternalServerError)
	e := w.endpoint(rc.URL)
	w.key("key_1")
	begin := w.clock()
	ids, bodies := map[string]bool{}, map[string]bool{}
	for i, wait := range append(webhook.Retries(), 0) {
		if n := w.Drain(t.Context()); n != 1 {
			t.Fatalf("attempt %d: %d were made", i+1, n)
		}
		for _, c := range rc.got() {
			if !c.verify(t, e.Secret.Reveal()) {
				t.Errorf("attempt %d is not signed", i+1)
			}
			ids[c.header.Get("webhook-id")], bodies[c.body] = true, true
		}
		d := w.delivery(e.Endpoint.ID)
		if wait == 0 {
			if d.Status != webhook.DeliveryFailed || !d.NextAttemptAt.IsZero() || len(d.Attempts) != 10 {
				t.Errorf("after the last attempt %+v", d)
			}
			break
		}
		if after := d.NextAttemptAt.Sub(w.clock()); after < wait || after > wait+wait/10 || d.Status != webhook.DeliveryPending {
			t.Errorf("attempt %d is followed by one after %v, want %v and a tenth at most", i+1, after, wait)
		}
		w.advance(wait - time.Second)
		if w.Drain(t.Context()) != 0 {
			t.Errorf("attempt %d was made early", i+2)
		}
		w.advance(wait/10 + time.Second)
	}
	if len(ids) != 1 || len(bodies) != 1 {
		t.Errorf("%d ids, %d bodies", len(ids), len(bodies))
	}
	if took := w.clock().Sub(begin); took < 75*time.Hour || took > 84*time.Hour {
		t.Errorf("it was tried for %v", took)
	}
	w.advance(48 * time.Hour)
	if w.Drain(t.Context()) != 0 {
		t.Error("it is tried for ever")
	}
	if v := must(w.Endpoint(t.Context(), operator, access.ID{ID: e.Endpoint.ID}))(t); v.Status != webhook.StatusFailing || !v.FailingSince.Equal(begin) {
		t.Errorf("endpoint %+v", v)
	}
}

// What the receiver answers decides, and nothing else of what it does.
func TestAnswersDecide(t *testing.T) {
	w, rc, trap := sqlite(t), newReceiver(t), newReceiver(t)
	e := w.endpoint(rc.URL)
	w.SetTimeout(300 * time.Millisecond)
	flood := strings.Repeat("x", 1<<20)
	for i, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request)
		status int
		class  string
	}{
		{"200 with a body", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "thanks") }, 200, ""},
		{"299", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(299) }, 299, ""},
		{"404", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, 404, "status"},
		{"a redirect into the house", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, trap.URL, http.StatusTemporaryRedirect)
		}, 307, "redirect"},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 0, "timeout"},
		{"a connection that breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, "connection"},
		{"gigabytes, announced", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1073741824")
			io.WriteString(w, flood)
		}, 200, ""},
		{"gigabytes without end", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, flood); err != nil {
					return
				}
			}
		}, 200, ""},
		{"a compressed answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "\x1f\x8b")
		}, 200, ""},
		{"a header without end", func(w http.ResponseWriter, _ *http.Request) {
			for i := range 1000 {
				w.Header().Set("X-"+strconv.Itoa(i), flood[:1000])
			}
		}, 0, "connection"},
	} {
		rc.answers(c.answer)
		w.key(fmt.Sprintf("key_%d", i))
		w.advance(time.Second)
		w.Drain(t.Context())
		var d webhook.Delivery
		for _, found := range w.deliveries(e.Endpoint.ID) {
			if found.Credential == fmt.Sprintf("key_%d", i) {
				d = found
			}
		}
		if len(d.Attempts) != 1 || d.Attempts[0].Status != c.status || d.Attempts[0].Error != c.class {
			t.Errorf("%s: %+v", c.name, d.Attempts)
		}
		if d.Attempts[0].LatencyUS > (2 * time.Second).Microseconds() {
			t.Errorf("%s took %d µs", c.name, d.Attempts[0].LatencyUS)
		}
	}
	if n := len(trap.got()); n > 0 {
		t.Errorf("%d requests went where the redirect led", n)
	}
	rc.Close()
	w.key("key_refused")
	w.Drain(t.Context())
	if d := w.deliveries(e.Endpoint.ID)[0]; d.Attempts[0].Error != "refused" {
		t.Errorf("nobody listens: %+v", d)
	}
}

func TestRetryAfterIsHeeded(t *testing.T) {
	w, rc := sqlite(t), newReceiver(t)
	rc.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "900")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	e := w.endpoint(rc.URL)
	w.key("key_1")
	w.Drain(t.Context())
	if after := w.delivery(e.Endpoint.ID).NextAttemptAt.Sub(w.clock()); after != 15*time.Minute {
		t.Errorf("tried again after %v", after)
	}
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "-1": 0, "soon": 0, "0": 0, "60": time.Minute, "99999999999999999999": 0, "2147483647": 24 * time.Hour,
		"Sun, 22 Nov 2026 10:01:00 GMT": time.Minute, "Sun, 22 Nov 2020 10:01:00 GMT": 0, "Sun, 22 Nov 2099 10:01:00 GMT": 24 * time.Hour,
	} {
		if got := webhook.RetryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// A receiver that says that it is gone is left alone at once, one that takes nothing after
// five days, and the audit log says so. Enabled again, it hears of what happens from then
// on.
func TestAnEndpointThatIsGoneIsDisabled(t *testing.T) {
	w, gone, dead := sqlite(t), newReceiver(t), newReceiver(t)
	gone.status(http.StatusGone)
	dead.status(http.StatusBadGateway)
	g, d := w.endpoint(gone.URL), w.endpoint(dead.URL)
	w.key("key_1", "key_2")
	w.Drain(t.Context())
	state := func(id string) webhook.Endpoint { return must(w.Endpoint(t.Context(), operator, access.ID{ID: id}))(t) }
	if v := state(g.Endpoint.ID); v.Status != webhook.StatusDisabled || v.DisabledReason != "gone" {
		t.Errorf("%+v", v)
	}
	for day := range 6 {
		w.key(fmt.Sprintf("key_day_%d", day))
		w.Drain(t.Context())
		if v := state(d.Endpoint.ID); (v.Status == webhook.StatusDisabled) != (day >= 5) {
			t.Errorf("day %d: %+v", day, v)
		}
		w.advance(24 * time.Hour)
	}
	if v := state(d.Endpoint.ID); v.DisabledReason != "failing" {
		t.Errorf("%+v", v)
	}
	for _, d := range append(w.deliveries(g.Endpoint.ID), w.deliveries(d.Endpoint.ID)...) {
		if d.Status != webhook.DeliveryFailed {
			t.Errorf("something waits for a disabled webhook: %+v", d)
		}
	}
	events, _, err := w.store.AuditEvents(t.Context(), store.AuditFilter{Action: "webhook.disable"}, store.Page{})
	if err != nil || len(events) != 2 || events[0].Actor != (cardea.Actor{Type: "system", ID: "webhooks"}) || events[0].Organization != "org_1" {
		t.Errorf("audit events %+v, %v", events, err)
	}
	dead.got()
	dead.status(http.StatusOK)
	w.key("key_unheard")
	enabled := false
	must(w.UpdateEndpoint(t.Context(), operator, webhook.UpdateEndpoint{ID: d.Endpoint.ID, Disabled: &enabled}))(t)
	w.key("key_heard")
	w.Drain(t.Context())
	if calls := dead.got(); len(calls) != 1 || !strings.Contains(calls[0].body, "key_heard") {
		t.Errorf("after enabling it got %+v", calls)
	}
	if v := state(d.Endpoint.ID); v.Status != webhook.StatusActive {
		t.Errorf("%+v", v)
	}
}

// While a secret is rotated both sign; then the new one alone.
func TestBothSecretsSignForADay(t *testing.T) {
	w, rc := sqlite(t), newReceiver(t)
	e := w.endpoint(rc.URL)
	next := must(w.RotateSecret(t.Context(), operator, access.ID{ID: e.Endpoint.ID}))(t)
	if shown := must(w.RevealSecret(t.Context(), operator, access.ID{ID: e.Endpoint.ID}))(t); shown.Secret.Reveal() != next.Secret.Reveal() {
		t.Error("another secret is revealed")
	}
	for _, both := range []bool{true, false} {
		w.key(fmt.Sprintf("key_%v", both))
		w.Drain(t.Context())
		for _, c := range rc.got() {
			if !c.verify(t, next.Secret.Reveal()) || c.verify(t, e.Secret.Reveal()) != both {
				t.Errorf("both %v: signed %q", both, c.header.Get("webhook-signature"))
			}
		}
		w.advance(24 * time.Hour)
	}
}

// Those who never answer delay nobody, although they are more than there are places and
// have messages waiting.
func TestADeadEndpointDelaysNoOther(t *testing.T) {
	w, dead, quick := sqlite(t), newReceiver(t), newReceiver(t)
	dead.answers(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	w.SetTimeout(time.Hour)
	w.SetPlaces(8)
	for range 10 {
		w.endpoint(dead.URL, store.EventCreated)
	}
	q := w.endpoint(quick.URL, store.EventCreated)
	var ids []string
	for i := range 40 {
		ids = append(ids, fmt.Sprintf("key_%03d", i))
	}
	got := make(chan string, 2*len(ids))
	quick.answers(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Get("webhook-id") })
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	w.key(ids...)
	late := time.After(60 * time.Second)
	for n := range ids {
		select {
		case <-got:
		case <-late:
			t.Fatalf("%d of %d came through", n, len(ids))
		}
	}
	if n := w.Stats().Running; n < 10 {
		t.Errorf("%d attempts are under way: those at the dead ones should be", n)
	}
	cancel()
	running.Wait()
	for _, d := range w.deliveries(q.Endpoint.ID) {
		if len(d.Attempts) > 1 {
			t.Errorf("%s was tried %d times", d.ID, len(d.Attempts))
		}
	}
}

// Two workers on one database deliver each message once, and never the same at the same
// time.
func TestTwoWorkersDeliverEachMessageOnce(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w, rc := newWorld(t, cfg), newReceiver(t)
		other := w.config
		if cfg.DSN != "" {
			cfg.Now = w.clock
			other.Store = storetest.OpenConfig(t, cfg)
		}
		const n = 60
		times, all, mu := map[string]int{}, make(chan struct{}), sync.Mutex{}
		rc.answers(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if times[r.Header.Get("webhook-id")]++; len(times) == n {
				select {
				case <-all:
				default:
					close(all)
				}
			}
		})
		e := w.endpoint(rc.URL)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for _, worker := range []*webhook.Webhooks{w.Webhooks, webhook.New(other)} {
			running.Go(func() { worker.Run(ctx) })
		}
		for i := range n {
			w.key(fmt.Sprintf("key_%d", i))
		}
		select {
		case <-all:
		case <-time.After(60 * time.Second):
			t.Error("not all came through")
		}
		cancel()
		running.Wait()
		for id, k := range times {
			if k != 1 {
				t.Errorf("%s was delivered %d times", id, k)
			}
		}
		if list := w.deliveries(e.Endpoint.ID); list[0].Status != webhook.DeliveryDelivered {
			t.Errorf("%+v", list[0])
		}
	})
}

// A worker that dies between sending and noting leaves a delivery that is made again, with
// the same id.
func TestWhatADeadWorkerHeldIsDelivered(t *testing.T) {
	w, rc := sqlite(t), newReceiver(t)
	e := w.endpoint(rc.URL)
	w.key("key_1")
	if n := w.Claim(t.Context(), e.Endpoint.ID); n != 1 {
		t.Fatalf("%d claimed", n)
	}
	w.advance(59 * time.Second)
	if w.Drain(t.Context()) != 0 {
		t.Error("it was taken from a worker that may live")
	}
	_, err := w.Redeliver(t.Context(), operator, access.ID{ID: w.delivery(e.Endpoint.ID).ID})
	wantKind(t, "redelivered while it is delivered", err, cardea.KindConflict)
	w.advance(2 * time.Second)
	if w.Drain(t.Context()) != 1 || rc.got()[0].header.Get("webhook-id") != w.delivery(e.Endpoint.ID).Message {
		t.Error("it was lost")
	}
}

// Redelivering sends the same message under the same id, from the start of the schedule; a
// test is tried once.
func TestRedeliverAndTest(t *testing.T) {
	w, rc := sqlite(t), newReceiver(t)
	e := w.endpoint(rc.URL)
	w.key("key_1")
	w.Drain(t.Context())
	first := rc.got()
	d := w.delivery(e.Endpoint.ID)
	rc.status(http.StatusInternalServerError)
	if again := must(w.Redeliver(t.Context(), operator, access.ID{ID: d.ID}))(t); again.Status != webhook.DeliveryPending {
		t.Errorf("%+v", again)
	}
	w.Drain(t.Context())
	second := rc.got()
	if len(second) != 1 || second[0].body != first[0].body || second[0].header.Get("webhook-id") != first[0].header.Get("webhook-id") {
		t.Errorf("sent again %+v", second)
	}
	if d = w.delivery(e.Endpoint.ID); len(d.Attempts) != 2 || d.Status != webhook.DeliveryPending {
		t.Errorf("%+v", d)
	}
	test := must(w.Test(t.Context(), operator, access.ID{ID: e.Endpoint.ID}))(t)
	w.Drain(t.Context())
	if got := must(w.Delivery(t.Context(), operator, access.ID{ID: test.ID}))(t); got.Status != webhook.DeliveryFailed || len(got.Attempts) != 1 || got.Type != "webhook.test" {
		t.Errorf("%+v", got)
	}
	off := true
	must(w.UpdateEndpoint(t.Context(), operator, webhook.UpdateEndpoint{ID: e.Endpoint.ID, Disabled: &off}))(t)
	_, err := w.Test(t.Context(), operator, access.ID{ID: e.Endpoint.ID})
	wantKind(t, "a test of a disabled one", err, cardea.KindConflict)
	_, err = w.Redeliver(t.Context(), operator, access.ID{ID: d.ID})
	wantKind(t, "redelivery to a disabled one", err, cardea.KindConflict)
	for i := range 30 {
		on := false
		must(w.UpdateEndpoint(t.Context(), operator, webhook.UpdateEndpoint{ID: e.Endpoint.ID, Disabled: &on}))(t)
		must(w.Redeliver(t.Context(), operator, access.ID{ID: d.ID}))(t)
		w.Drain(t.Context())
		if got := must(w.Delivery(t.Context(), operator, access.ID{ID: d.ID}))(t); len(got.Attempts) > 20 {
			t.Fatalf("after %d attempts %d are kept", i, len(got.Attempts))
		}
	}
}

// A worker that runs tells of credentials that expire soon by itself, also when the clock
// jumps, and ends when it is told to although a receiver never answers.
func TestTheWorkerWatchesAndEnds(t *testing.T) {
	w, rc := sqlite(t), newReceiver(t)
	w.SetTimeout(time.Hour)
	w.endpoint(rc.URL, store.EventExpiring)
	got := make(chan struct{}, 10)
	rc.answers(func(_ http.ResponseWriter, r *http.Request) {
		got <- struct{}{}
		<-r.Context().Done()
	})
	if err := w.store.TellExpiring(t.Context()); err != nil { // a server that ran before
		t.Fatal(err)
	}
	storetest.Change(t, w.store, func(tx *store.Tx) error {
		return tx.InsertCredential(t.Context(), store.Credential{
			ID: "key_1", Kind: "api_key", Environment: "live", Organization: "org_1", ExpiresAt: tx.Now().Add(40 * 24 * time.Hour),
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		w.Run(ctx)
		close(ended)
	}()
	w.advance(11 * 24 * time.Hour)
	for _, c := range []<-chan struct{}{got, ended} {
		select {
		case <-c:
		case <-time.After(30 * time.Second):
			t.Fatal("it did not come to that")
		}
		cancel()
	}
	w.advance(2 * time.Minute)
	rc.status(http.StatusOK)
	if w.Drain(t.Context()) != 1 {
		t.Error("what was cut off is lost")
	}
}
