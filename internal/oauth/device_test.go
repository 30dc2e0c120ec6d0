package oauth

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// deviceRequest asks for a device code as a public client.
func (w *world) deviceRequest(c registered, pairs ...string) answered {
	w.t.Helper()
	return w.post("/oauth/device", append([]string{"client_id", c.id(), "scope", "read"}, pairs...)...)
}

// TestDeviceFlow walks RFC 8628 from the device's first request to its token, on both
// engines.
func TestDeviceFlow(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := newWorldOn(t, acme(t), cfg)
		c, m := w.register(public), w.member()
		started := w.deviceRequest(c).want(http.StatusOK, "")
		code := started.text("user_code")
		if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(code) {
			t.Fatalf("user code %q", code)
		}
		page := started.text("verification_uri")
		if !strings.HasSuffix(page, "/device") || started.text("verification_uri_complete") != page+"?user_code="+code ||
			started.json["expires_in"] != 600.0 || started.json["interval"] != 5.0 {
			t.Errorf("answered %s", started.body)
		}
		poll := func() answered { return w.as(c, "grant_type", deviceGrant, "device_code", started.text("device_code")) }
		poll().want(400, "authorization_pending")

		q := w.stranger().get("/device?user_code=" + code).goesTo("/signin")
		b := w.signedIn(m)
		entry := b.get(q.Get("continue"))
		if !strings.Contains(entry.body, `value="`+code+`"`) || strings.Contains(entry.body, `value="allow"`) {
			t.Errorf("the page does not hold the code for the person to compare\n%s", entry.body)
		}
		ask := b.submit("/device", "user_code", code).asks()
		for _, want := range []string{code, "Read data", "App", m.Email} {
			if !strings.Contains(ask.body, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
		w.advance(5 * time.Second)
		poll().want(400, "authorization_pending")
		if done := b.submit("/device", "request", ask.field("request"), "decision", "allow"); done.status != http.StatusOK ||
			!strings.Contains(done.body, "connected") {
			t.Fatalf("answered %d\n%s", done.status, done.body)
		}
		w.advance(5 * time.Second)
		got := poll().want(http.StatusOK, "")
		if got.text("access_token") == "" || got.text("scope") != "read" {
			t.Errorf("answered %s", got.body)
		}
		w.advance(5 * time.Second)
		poll().want(400, "invalid_grant")
		if w.events("device.start") != 1 || w.events("device.approve") != 1 || w.events("consent.give") != 1 {
			t.Error("the audit log tells something else")
		}
	})
}

// TestDevicesAreAlwaysAskedAbout holds RFC 8628 §5.4: whoever sent the link may not be
// who opens it, so neither an earlier consent nor a code in the address is an answer.
func TestDevicesAreAlwaysAskedAbout(t *testing.T) {
	w := full(t)
	c, m := w.register(public), w.member()
	w.consent(c, m, "read", "write", "delete")
	b := w.signedIn(m)
	code := w.deviceRequest(c).text("user_code")
	if p := b.get("/device?user_code=" + code); strings.Contains(p.body, "connected") || strings.Contains(p.body, `value="allow"`) {
		t.Error("a link is enough")
	}
	b.submit("/device", "user_code", code).asks()
}

// TestUserCodesAreReadAsPeopleType holds RFC 8628 §6.1: case, spaces and dashes make no
// difference, and everything else does.
func TestUserCodesAreReadAsPeopleType(t *testing.T) {
	for typed, want := range map[string]string{
		"BCDF-GHJK": "BCDFGHJK", "bcdf-ghjk": "BCDFGHJK", " bcdf ghjk ": "BCDFGHJK", "BCDFGHJK": "BCDFGHJK", "b.c_d-f g h j k": "BCDFGHJK",
		"": "", "BCDF-GHJ": "", "BCDF-GHJKL": "", "BCDF-GHJA": "", "BCDF-GHJ0": "", "BCDF–GHJK": "", "BCDFGHJſ": "",
		strings.Repeat("B", 100): "", "BCDF-GHJK'": "", "BCDF\x00GHJK": "",
	} {
		got, ok := readUserCode(typed)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%q is read as %q, %v", typed, got, ok)
		}
	}
	for range 100 {
		code := newUserCode()
		if back, ok := readUserCode(showUserCode(code)); !ok || back != code {
			t.Fatalf("%q is not read back", code)
		}
	}
	seen := map[byte]int{}
	for b := range 256 {
		if letter, ok := userLetter(byte(b)); ok {
			seen[letter]++
		}
	}
	for _, letter := range []byte(userCodeAlphabet) {
		if seen[letter] != 12 {
			t.Errorf("%c is the letter of %d bytes, another one of 12", letter, seen[letter])
		}
	}
}

// TestUserCodesCannotBeGuessed holds RFC 8628 §5.1: few tries in a session, and few from
// an address, whatever sessions it has; and the answer never tells why.
func TestUserCodesCannotBeGuessed(t *testing.T) {
	w := full(t)
	c, m := w.register(public), w.member()
	expired := w.deviceRequest(c).text("user_code")
	w.advance(deviceLifetime)
	b := w.signedIn(m)
	denied := w.deviceRequest(c).text("user_code")
	p := b.submit("/device", "user_code", denied).asks()
	b.submit("/device", "request", p.field("request"), "decision", "deny")
	w.advance(time.Minute)
	wrong := b.submit("/device", "user_code", "BBBB-BBBB")
	for _, code := range []string{expired, denied, "x", "", "BBBB-BBBC"} {
		if p := b.submit("/device", "user_code", code); p.status != wrong.status || p.body != wrong.body {
			t.Errorf("%q is answered %d, a wrong code %d", code, p.status, wrong.status)
		}
	}
	good := w.deviceRequest(c).text("user_code")
	for range userCodesPerMinute {
		b.submit("/device", "user_code", "BBBB-BBBB")
	}
	if p := b.submit("/device", "user_code", good); p.status != http.StatusTooManyRequests {
		t.Errorf("an eleventh try is answered %d", p.status)
	}
	if p := w.signedIn(w.member()).submit("/device", "user_code", good); p.status != http.StatusTooManyRequests {
		t.Errorf("another session of the same address is answered %d", p.status)
	}
	w.advance(time.Minute)
	b.submit("/device", "user_code", good).asks()
}

// TestUserCodesOfOneSession holds that a session with many addresses has no more tries.
func TestUserCodesOfOneSession(t *testing.T) {
	w := full(t)
	w.Server.cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	b := w.signedIn(w.member())
	for i := range userCodesPerMinute + 1 {
		b.header.Set("X-Forwarded-For", netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}).String())
		want := http.StatusOK
		if i == userCodesPerMinute {
			want = http.StatusTooManyRequests
		}
		if p := b.submit("/device", "user_code", "BBBB-BBBB"); p.status != want {
			t.Errorf("try %d is answered %d", i+1, p.status)
		}
	}
}

// TestDeviceAnswersAreOfWhoWasAsked holds what a forged answer runs into.
func TestDeviceAnswersAreOfWhoWasAsked(t *testing.T) {
	w := full(t)
	c, m := w.register(public), w.member()
	b := w.signedIn(m)
	started := w.deviceRequest(c)
	mine := b.submit("/device", "user_code", started.text("user_code")).asks().field("request")
	r := w.form("/device", "request", mine, "decision", "allow")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	b.send(r).refuses(http.StatusForbidden)
	w.signedIn(w.member()).submit("/device", "request", mine, "decision", "allow").refuses(http.StatusBadRequest)
	w.signedIn(m).submit("/device", "request", mine, "decision", "allow").refuses(http.StatusBadRequest)
	w.stranger().submit("/device", "request", mine, "decision", "allow").goesTo("/signin")
	b.submit("/device", "request", mine+"x", "decision", "allow").refuses(http.StatusBadRequest)
	b.submit("/device", "request", mine, "decision", "").refuses(http.StatusBadRequest)
	b.submit("/oauth/authorize/decision", "request", mine, "decision", "allow").refuses(http.StatusBadRequest)
	if p := b.get("/device?request=" + mine + "&decision=allow"); strings.Contains(p.body, "connected") {
		t.Error("a link is an answer")
	}
	b.submit("/device", "request", mine, "decision", "deny")
	if p := b.submit("/device", "request", mine, "decision", "allow"); strings.Contains(p.body, "connected") {
		t.Error("a second answer changes the first")
	}
	w.as(c, "grant_type", deviceGrant, "device_code", started.text("device_code")).want(400, "access_denied")
	if w.events("device.deny") != 1 || w.events("device.approve") != 0 || w.events("consent.give") != 0 {
		t.Error("the audit log tells something else")
	}
}

// TestOneDeviceOneAnswer holds that many answers at once are one.
func TestOneDeviceOneAnswer(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		w := newWorldOn(t, acme(t), storetest.Slow(cfg))
		c := w.register(public)
		b := w.signedIn(w.member())
		mine := b.submit("/device", "user_code", w.deviceRequest(c).text("user_code")).asks().field("request")
		var group sync.WaitGroup
		for i := range 16 {
			decision := "allow"
			if i%2 == 0 {
				decision = "deny"
			}
			group.Go(func() { b.submit("/device", "request", mine, "decision", decision) })
		}
		group.Wait()
		if n := w.events("device.approve") + w.events("device.deny"); n != 1 {
			t.Errorf("%d answers", n)
		}
	})
}

// TestDeviceRequestsAreChecked holds what the endpoint refuses.
func TestDeviceRequestsAreChecked(t *testing.T) {
	w := full(t)
	c := w.register(public)
	w.deviceRequest(c, "scope", "everything").want(400, "invalid_request") // scope came twice
	w.post("/oauth/device", "client_id", c.id(), "scope", "everything").want(400, "invalid_scope")
	w.post("/oauth/device", "client_id", c.id(), "resource", "https://evil.example").want(400, "invalid_target")
	w.post("/oauth/device", "client_id", "client_0000000000000000000000").want(401, "invalid_client")
	w.post("/oauth/device").want(400, "invalid_request")
	w.post("/oauth/device", "client_id", w.register().id()).want(401, "invalid_client") // it has a secret
	other := w.register(public, func(c *store.Client) { c.Grants = []string{"authorization_code"} })
	w.deviceRequest(other).want(400, "unauthorized_client")
	w.advance(time.Minute)
	for range devicesPerAddr {
		w.deviceRequest(c).want(http.StatusOK, "")
	}
	w.deviceRequest(c).want(http.StatusTooManyRequests, "temporarily_unavailable")
}

// TestRevokedClientsHaveNoDevices holds that the code of a client which may do nothing any
// more cannot be approved.
func TestRevokedClientsHaveNoDevices(t *testing.T) {
	w := full(t)
	b := w.signedIn(w.member())
	revoked := w.register(public)
	code := w.deviceRequest(revoked).text("user_code")
	w.change(func(tx *store.Tx) error {
		revoked.Credential.RevokedAt = w.now()
		return tx.UpdateClient(t.Context(), revoked.Client)
	})
	if p := b.submit("/device", "user_code", code); strings.Contains(p.body, `value="allow"`) {
		t.Error("a revoked client is asked about")
	}
}
