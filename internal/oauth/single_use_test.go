package oauth

import (
	"net/http"
	"sync"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// parallel sends a request many times at once, over connections of their own, and returns
// the answers.
func parallel(w *world, n int, build func() *http.Request) []answered {
	w.t.Helper()
	requests, answers := make([]*http.Request, n), make([]answered, n)
	for i := range requests {
		requests[i] = build()
	}
	begin := make(chan struct{})
	var all sync.WaitGroup
	for i := range requests {
		all.Go(func() {
			<-begin
			answers[i] = w.do(requests[i])
		})
	}
	close(begin)
	all.Wait()
	return answers
}

// won returns the answers that hold tokens; the others must be refusals.
func won(t *testing.T, answers []answered) []answered {
	t.Helper()
	var winners []answered
	for _, a := range answers {
		switch {
		case a.status == 200:
			winners = append(winners, a)
		case a.status != 400 || a.text("error") != "invalid_grant":
			t.Errorf("answered %d %s", a.status, a.body)
		}
	}
	return winners
}

// slowly runs a test on every engine with 2 ms for each statement: that is where other
// systems let several requests redeem one code.
func slowly(t *testing.T, contractChanges []string, test func(w *world)) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		test(newWorldOn(t, acme(t, contractChanges...), storetest.Slow(cfg)))
	})
}

const rounds = 4 // of 16 requests each

// TestOneCodeIsRedeemedOnce: 16 redemptions of one code at once, on a slow database:
// exactly one gets tokens, always; and since the others are replays, nobody keeps them.
func TestOneCodeIsRedeemedOnce(t *testing.T) {
	slowly(t, nil, func(w *world) {
		c, m := w.register(), w.member()
		for range rounds {
			code := w.code(c, m)
			winners := won(w.t.(*testing.T), parallel(w, 16, func() *http.Request {
				return w.form("/oauth/token", "grant_type", "authorization_code", "code", code, "redirect_uri", callback,
					"code_verifier", verifier, "client_id", c.id(), "client_secret", c.secret.Reveal())
			}))
			if len(winners) != 1 {
				w.t.Fatalf("%d of 16 redemptions of one code succeeded", len(winners))
			}
			if got := w.reason(winners[0].text("access_token")); got != cardea.ReasonRevoked {
				w.t.Errorf("the token of a code that was replayed: %v", got)
			}
			w.renew(c, winners[0].text("refresh_token")).want(400, "invalid_grant")
		}
	})
}

// refreshing builds a refresh request.
func (w *world) refreshing(c registered, text string) func() *http.Request {
	return func() *http.Request {
		return w.form("/oauth/token", "grant_type", "refresh_token", "refresh_token", text, "client_id", c.id(), "client_secret", c.secret.Reveal())
	}
}

// TestOneRefreshTokenIsUsedOnce: without a grace, exactly one of 16 requests gets a
// successor.
func TestOneRefreshTokenIsUsedOnce(t *testing.T) {
	slowly(t, []string{"refresh: {lifetime: 30d}", "refresh: {lifetime: 30d, reuse_grace: 0s}"}, func(w *world) {
		c, m := w.register(), w.member()
		for range rounds {
			first := w.redeem(c, w.code(c, m)).want(200, "")
			winners := won(w.t.(*testing.T), parallel(w, 16, w.refreshing(c, first.text("refresh_token"))))
			if len(winners) != 1 {
				w.t.Fatalf("%d of 16 uses of one refresh token succeeded", len(winners))
			}
			w.renew(c, winners[0].text("refresh_token")).want(400, "invalid_grant") // the others were replays
		}
	})
}

// TestOneRefreshTokenHasOneSuccessor: within the grace, all 16 get the same successor and
// the same access token, and there is one of each.
func TestOneRefreshTokenHasOneSuccessor(t *testing.T) {
	slowly(t, nil, func(w *world) {
		c, m := w.register(), w.member()
		last := w.redeem(c, w.code(c, m)).want(200, "")
		for range rounds {
			issued := w.events("token.issue")
			answers := parallel(w, 16, w.refreshing(c, last.text("refresh_token")))
			for _, a := range answers {
				if a.status != 200 || a.text("refresh_token") != answers[0].text("refresh_token") || a.text("access_token") != answers[0].text("access_token") {
					w.t.Fatalf("answered %d %s\nand       %s", a.status, a.body, answers[0].body)
				}
			}
			if n := w.events("token.issue") - issued; n != 1 {
				w.t.Fatalf("%d tokens were issued", n)
			}
			last = answers[0]
		}
		if got := w.reason(last.text("access_token")); got != cardea.ReasonAllowed {
			w.t.Errorf("the token at the end: %v", got)
		}
	})
}

// TestOneDeviceCodeIsRedeemedOnce: the same for device codes.
func TestOneDeviceCodeIsRedeemedOnce(t *testing.T) {
	slowly(t, nil, func(w *world) {
		c, m := w.register(), w.member()
		for range rounds {
			text := w.device(c, m)
			winners := won(w.t.(*testing.T), parallel(w, 16, func() *http.Request {
				return w.form("/oauth/token", "grant_type", deviceGrant, "device_code", text, "client_id", c.id(), "client_secret", c.secret.Reveal())
			}))
			if len(winners) != 1 {
				w.t.Fatalf("%d of 16 redemptions of one device code succeeded", len(winners))
			}
			if got := w.reason(winners[0].text("access_token")); got != cardea.ReasonAllowed {
				w.t.Errorf("the token: %v", got)
			}
		}
	})
}

// TestOneAssertionIsUsedOnce: 16 requests with one client assertion, at once and after a
// restart: one is authenticated.
func TestOneAssertionIsUsedOnce(t *testing.T) {
	slowly(t, nil, func(w *world) {
		t := w.t.(*testing.T)
		s := newSigner(t)
		c := w.register(func(c *store.Client) { c.PublicKeys = s.jwks })
		assertion := s.sign(t, "JWT", assertionClaims(w, c.id())...)
		build := func() *http.Request {
			return w.form("/oauth/token", "grant_type", "client_credentials", "client_assertion_type", assertionType, "client_assertion", assertion)
		}
		good := 0
		for _, a := range parallel(w, 16, build) {
			if a.status == 200 {
				good++
			} else {
				a.want(401, "invalid_client")
			}
		}
		if good != 1 {
			t.Fatalf("%d of 16 uses of one assertion succeeded", good)
		}
		restarted := New(w.cfg)
		w.http.Config.Handler = restarted.Handler()
		w.do(build()).want(401, "invalid_client")
	})
}

// deviceGrant is the grant_type of device codes on the wire.
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// device makes a device code that a member has approved; nobody, when m has no id.
func (w *world) device(c registered, m store.Member) string {
	w.t.Helper()
	text := secret.New(secret.ShapePrefix, "dc_").Reveal()
	d := store.DeviceCode{
		Hash: secret.HashOf(text), UserCode: secret.NewID(""), Client: c.id(), Environment: c.Credential.Environment,
		Scopes: []string{"read", "write"}, Interval: 5, ExpiresAt: w.now().Add(tenMinutes),
	}
	w.change(func(tx *store.Tx) error { return tx.InsertDevice(w.t.Context(), d) })
	if m.ID == "" {
		return text
	}
	d.Status, d.Member, d.Organization, d.AuthTime = store.DeviceApproved, m.ID, m.Organization, w.now()
	d.Consent = w.consent(c, m, d.Scopes...).ID
	w.change(func(tx *store.Tx) error {
		_, err := tx.DecideDevice(w.t.Context(), d)
		return err
	})
	return text
}
