package webhook_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/fetch"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
	"github.com/cardea-dev/cardea/internal/webhook"
)

// strict returns webhooks over the world's store as a server has them: nothing private may
// be reached.
func (w *world) strict(f *fetch.Client) *webhook.Webhooks {
	c := w.config
	c.Private, c.Fetch = false, f
	return webhook.New(c)
}

func TestURLsThatNoMessageMayGoToAreRefused(t *testing.T) {
	w := sqlite(t)
	strict := w.strict(fetch.New(fetch.Config{}))
	for _, url := range []string{
		"", "hooks.example.com", "http://hooks.example.com", "ftp://hooks.example.com", "https://", "https:///x", "https://user:pass@hooks.example.com",
		"https://hooks.example.com/#x", "https://hooks.example.com/\r\nX-Injected: 1", "https://hooks.example.com/a b", "https://hooks.example.com\\@10.0.0.1/",
		"https://127.0.0.1/", "https://127.0.0.1:8443/", "https://10.0.0.1/", "https://192.168.1.1/", "https://172.16.0.1/", "https://169.254.169.254/latest/meta-data",
		"https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1]/", "https://[fd00:ec2::254]/", "https://[fe80::1%25eth0]/", "https://0.0.0.0/",
		"https://localhost/", "https://LOCALHOST./", "https://x.localhost/", "https://hooks.example.com/" + strings.Repeat("x", 3000), "javascript:alert(1)",
		"https://hooks.example.com/\x00", "https://hooks.exämple.com/",
	} {
		_, err := strict.CreateEndpoint(t.Context(), operator, webhook.CreateEndpoint{Organization: "org_1", URL: url})
		wantKind(t, fmt.Sprintf("%.60q", url), err, cardea.KindInvalid)
		if err != nil && len(url) > 20 && strings.Contains(err.Error(), url) {
			t.Errorf("the error quotes %.60q", url)
		}
	}
	e := must(strict.CreateEndpoint(t.Context(), operator, webhook.CreateEndpoint{Organization: "org_1", URL: "https://hooks.example.com/"}))(t)
	bad := "https://10.0.0.1/"
	_, err := strict.UpdateEndpoint(t.Context(), operator, webhook.UpdateEndpoint{ID: e.Endpoint.ID, URL: &bad})
	wantKind(t, "changed to a private address", err, cardea.KindInvalid)
	_, err = strict.CreateEndpoint(t.Context(), operator, webhook.CreateEndpoint{Organization: "org_1", URL: "https://hooks.example.com", Events: []string{"everything"}})
	wantKind(t, "unknown events", err, cardea.KindInvalid)
}

// Some receivers know who may write to them by the path of the URL alone, so it is for
// those who could change it.
func TestURLsAreWholeForThoseWhoMayChangeThem(t *testing.T) {
	w := sqlite(t)
	const whole, host = "https://hooks.example.com/T1/s3cret?k=v", "https://hooks.example.com/…"
	e := must(w.CreateEndpoint(t.Context(), operator, webhook.CreateEndpoint{Organization: "org_1", URL: whole}))(t)
	for who, c := range map[string]struct {
		actor cardea.Actor
		want  string
	}{
		"an operator": {operator, whole}, "an owner": {cardea.Actor{Type: access.TypeMember, ID: "usr_owner"}, whole}, "an admin": {cardea.Actor{Type: access.TypeMember, ID: "usr_admin"}, whole},
		"a developer": {cardea.Actor{Type: access.TypeMember, ID: "usr_developer"}, host}, "a viewer": {cardea.Actor{Type: access.TypeMember, ID: "usr_viewer"}, host},
		"an observer": {cardea.Actor{Type: access.TypeObserver, ID: "usr_staff"}, host},
	} {
		if one := must(w.Endpoint(t.Context(), c.actor, access.ID{ID: e.Endpoint.ID}))(t); one.URL != c.want {
			t.Errorf("%s sees %q, want %q", who, one.URL, c.want)
		}
		list := must(w.Endpoints(t.Context(), c.actor, webhook.EndpointFilter{Organization: "org_1"}))(t)
		if len(list.Items) != 1 || list.Items[0].URL != c.want {
			t.Errorf("%s lists %+v, want %q", who, list.Items, c.want)
		}
	}
}

// rebinding is a resolver whose answer for every name is this machine, as that of a name
// is that was public when it was checked.
func rebinding(t *testing.T) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			q := buf[:n]
			end := 12
			for end < n && q[end] != 0 {
				end += int(q[end]) + 1
			}
			end += 5
			answers := byte(0)
			tail := []byte{}
			if end <= n && q[end-3] == 1 { // A
				answers, tail = 1, []byte{0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1}
			}
			out := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0}, q[12:end]...)
			_, _ = server.WriteTo(append(out, tail...), from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// Whatever an endpoint's name leads to when the message is sent, no request reaches this
// machine or its network.
func TestNoMessageReachesAPrivateAddress(t *testing.T) {
	w := sqlite(t)
	hits := make(chan string, 100)
	inside := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hits <- r.URL.Path }))
	t.Cleanup(inside.Close)
	_, port, _ := strings.Cut(inside.Listener.Addr().String(), ":")
	strict := w.strict(fetch.New(fetch.Config{Resolver: rebinding(t)}))
	// The name passes, the address does not. The literal is put past the check by hand.
	named := must(strict.CreateEndpoint(t.Context(), operator, webhook.CreateEndpoint{Organization: "org_1", URL: "https://rebound.example.com:" + port}))(t)
	literal := must(w.CreateEndpoint(t.Context(), operator, webhook.CreateEndpoint{Organization: "org_1", URL: inside.URL}))(t)
	plain := must(w.CreateEndpoint(t.Context(), operator, webhook.CreateEndpoint{Organization: "org_1", URL: "http://127.0.0.1:" + port}))(t)
	w.key("key_1")
	strict.Drain(t.Context())
	for _, id := range []string{named.Endpoint.ID, literal.Endpoint.ID, plain.Endpoint.ID} {
		if d := w.delivery(id); len(d.Attempts) != 1 || d.Attempts[0].Error != "address" {
			t.Errorf("%+v", d.Attempts)
		}
	}
	if len(hits) > 0 {
		t.Errorf("%d requests came through", len(hits))
	}
}

// Members manage their organization's, in their role; of others they hear that there is
// nothing. Operators manage all, observers look.
func TestWhoMayDoWhat(t *testing.T) {
	w := sqlite(t)
	ctx := t.Context()
	of1, of2 := w.endpoint("https://hooks.example.com/1"), must(w.CreateEndpoint(ctx, operator, webhook.CreateEndpoint{Organization: "org_2", URL: "https://hooks.example.com/2"}))(t)
	all := must(w.CreateEndpoint(ctx, operator, webhook.CreateEndpoint{URL: "https://hooks.example.com/all"}))(t)
	w.key("key_1")
	delivery := w.delivery(of1.Endpoint.ID)
	foreign := map[string]string{} // :: webhook that is no member's of org_1 → a delivery to it
	for _, id := range []string{all.Endpoint.ID, of2.Endpoint.ID} {
		foreign[id] = must(w.Test(ctx, operator, access.ID{ID: id}))(t).ID
	}
	calls := map[string]func(a cardea.Actor, id, delivery string) error{
		"read one":      func(a cardea.Actor, id, _ string) error { _, err := w.Endpoint(ctx, a, access.ID{ID: id}); return err },
		"read delivery": func(a cardea.Actor, _, d string) error { _, err := w.Delivery(ctx, a, access.ID{ID: d}); return err },
		"update": func(a cardea.Actor, id, _ string) error {
			_, err := w.UpdateEndpoint(ctx, a, webhook.UpdateEndpoint{ID: id, Description: new(string)})
			return err
		},
		"rotate": func(a cardea.Actor, id, _ string) error {
			_, err := w.RotateSecret(ctx, a, access.ID{ID: id})
			return err
		},
		"reveal": func(a cardea.Actor, id, _ string) error {
			_, err := w.RevealSecret(ctx, a, access.ID{ID: id})
			return err
		},
		"test":      func(a cardea.Actor, id, _ string) error { _, err := w.Test(ctx, a, access.ID{ID: id}); return err },
		"redeliver": func(a cardea.Actor, _, d string) error { _, err := w.Redeliver(ctx, a, access.ID{ID: d}); return err },
		"create": func(a cardea.Actor, _, _ string) error {
			made, err := w.CreateEndpoint(ctx, a, webhook.CreateEndpoint{Organization: "org_1", URL: "https://hooks.example.com/new"})
			if err == nil {
				_, err = w.DeleteEndpoint(ctx, a, access.ID{ID: made.Endpoint.ID})
			}
			return err
		},
	}
	none := cardea.Kind(255)
	observer := cardea.Actor{Type: access.TypeObserver, ID: "usr_staff"}
	for name, call := range calls {
		reads := strings.HasPrefix(name, "read")
		for _, c := range []struct {
			actor       cardea.Actor
			read, write cardea.Kind
		}{
			{operator, none, none}, {person("usr_owner"), none, none}, {person("usr_admin"), none, none},
			{person("usr_developer"), none, cardea.KindForbidden}, {person("usr_viewer"), none, cardea.KindForbidden},
			{person("usr_other"), cardea.KindNotFound, cardea.KindNotFound}, {observer, none, cardea.KindForbidden},
			{cardea.Actor{Type: "guest", ID: "x"}, cardea.KindForbidden, cardea.KindForbidden},
		} {
			want, err := c.write, call(c.actor, of1.Endpoint.ID, delivery.ID)
			if reads {
				want = c.read
			}
			if want == none && err != nil || want != none && cardea.KindOf(err) != want {
				t.Errorf("%s by %s %s: %v", name, c.actor.Type, c.actor.ID, err)
			}
		}
		// The operators' own, and those of others, do not exist for members.
		for _, id := range []string{all.Endpoint.ID, of2.Endpoint.ID} {
			if name != "create" {
				wantKind(t, name+" of "+id, call(person("usr_owner"), id, foreign[id]), cardea.KindNotFound)
			}
		}
	}
	for _, a := range []cardea.Actor{person("usr_viewer"), person("usr_other")} {
		for _, e := range must(w.Endpoints(ctx, a, webhook.EndpointFilter{}))(t).Items {
			if (e.Organization == "org_1") != (a.ID == "usr_viewer") {
				t.Errorf("%s sees %+v", a.ID, e)
			}
		}
		for _, d := range must(w.Deliveries(ctx, a, webhook.DeliveryFilter{Webhook: of1.Endpoint.ID}))(t).Items {
			if a.ID == "usr_other" {
				t.Errorf("%s sees %+v", a.ID, d)
			}
		}
		_, err := w.Deliveries(ctx, a, webhook.DeliveryFilter{Organization: map[string]string{"usr_viewer": "org_2", "usr_other": "org_1"}[a.ID]})
		wantKind(t, "deliveries of another organization", err, cardea.KindNotFound)
	}
	_, err := w.CreateEndpoint(ctx, person("usr_owner"), webhook.CreateEndpoint{Organization: "org_2", URL: "https://hooks.example.com"})
	wantKind(t, "created for others", err, cardea.KindNotFound)
	made := must(w.CreateEndpoint(ctx, person("usr_owner"), webhook.CreateEndpoint{URL: "https://hooks.example.com"}))(t)
	if made.Endpoint.Organization != "org_1" {
		t.Errorf("a member's webhook is of %q", made.Endpoint.Organization)
	}
}

// No secret, of a credential or of an endpoint, is in a message, the log, the audit log or
// the database; nor is what a URL may carry.
func TestSecretsAreNowhere(t *testing.T) {
	w, rc := sqlite(t), newReceiver(t)
	rc.status(http.StatusInternalServerError)
	e := w.endpoint(rc.URL + "/T0KEN-in-path?key=in-query")
	next := must(w.RotateSecret(t.Context(), operator, access.ID{ID: e.Endpoint.ID}))(t)
	key := secret.New(secret.ShapePrefix, "ck_live_")
	storetest.Change(t, w.store, func(tx *store.Tx) error {
		c := store.Credential{ID: "key_1", Kind: "api_key", Environment: "live", Organization: "org_1"}
		if err := tx.InsertCredential(t.Context(), c); err != nil {
			return err
		}
		return tx.InsertSecret(t.Context(), store.CredentialSecret{Hash: key.Hash(), Credential: "key_1", Hint: key.Hint(), Sealed: []byte("sealed")})
	})
	w.Drain(t.Context())
	rc.Close()
	w.advance(webhook.Retries()[0] * 2)
	w.Drain(t.Context())
	var sent strings.Builder
	for _, c := range rc.got() {
		fmt.Fprintln(&sent, c)
	}
	if !strings.Contains(sent.String(), key.Hint()) {
		t.Fatal("the test has nothing to look at")
	}
	events, _, err := w.store.AuditEvents(t.Context(), store.AuditFilter{}, store.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var audit strings.Builder
	for _, v := range events {
		fmt.Fprintf(&audit, "%+v %s\n", v, v.Detail)
	}
	var backup strings.Builder
	if err := w.store.WriteBackup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}
	stored := fmt.Sprintf("%+v", must(w.store.WebhookEndpoint(t.Context(), e.Endpoint.ID))(t))
	for where, text := range map[string]string{"a message": sent.String(), "the log": w.log.String(), "the audit log": audit.String(), "the database": stored} {
		for what, hidden := range map[string]string{
			"the key": key.Reveal(), "an endpoint's secret": e.Secret.Reveal()[len("whsec_"):], "the new secret": next.Secret.Reveal()[len("whsec_"):],
			"what is sealed": "sealed", "a URL's path": "T0KEN-in-path", "a URL's query": "in-query",
		} {
			if strings.HasPrefix(what, "a URL's") && where == "the database" {
				continue // it is needed
			}
			if strings.Contains(text, hidden) {
				t.Errorf("%s holds %s:\n%s", where, what, text)
			}
		}
	}
}

// One organization has so many webhooks and no more.
func TestWebhooksAreBounded(t *testing.T) {
	w := sqlite(t)
	for i := range 20 {
		w.endpoint(fmt.Sprintf("https://hooks.example.com/%d", i))
	}
	_, err := w.CreateEndpoint(t.Context(), operator, webhook.CreateEndpoint{Organization: "org_1", URL: "https://hooks.example.com"})
	wantKind(t, "one more", err, cardea.KindConflict)
	must(w.CreateEndpoint(t.Context(), operator, webhook.CreateEndpoint{Organization: "org_2", URL: "https://hooks.example.com"}))(t)
}

// Hundreds of events at once, as when an organization is offboarded, all arrive.
func TestManyEventsAtOnceArrive(t *testing.T) {
	w, rc := sqlite(t), newReceiver(t)
	w.endpoint(rc.URL)
	const n = 200
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("key_%d", i)
	}
	w.key(ids...)
	if attempts := w.Drain(t.Context()); attempts != n {
		t.Errorf("%d attempts for %d events", attempts, n)
	}
	got := map[string]bool{}
	for _, c := range rc.got() {
		got[c.header.Get("webhook-id")] = true
	}
	if len(got) != n {
		t.Errorf("%d of %d arrived", len(got), n)
	}
}
