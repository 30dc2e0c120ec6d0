package oauth

import (
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

const tenMinutes = 10 * time.Minute

// poll asks what became of a device code.
func (w *world) poll(c registered, text string) answered {
	w.t.Helper()
	return w.as(c, "grant_type", deviceGrant, "device_code", text)
}

// TestDeviceWaitsForAPerson: RFC 8628 §3.5, word for word.
func TestDeviceWaitsForAPerson(t *testing.T) {
	w := newWorld(t, acme(t))
	c, m := w.register(public), w.member()
	text := w.device(c, store.Member{})
	w.poll(c, text).want(400, "authorization_pending")
	w.advance(4 * time.Second)
	w.poll(c, text).want(400, "slow_down") // the interval is now 10 seconds
	w.advance(6 * time.Second)
	w.poll(c, text).want(400, "slow_down") // 15
	w.advance(15 * time.Second)
	w.poll(c, text).want(400, "authorization_pending")
	w.poll(w.register(public), text).want(400, "invalid_grant") // another client's
	w.poll(c, text+"x").want(400, "invalid_grant")
	w.poll(c, "").want(400, "invalid_request")

	d, err := w.db.Device(t.Context(), secret.HashOf(text))
	if err != nil {
		t.Fatal(err)
	}
	w.change(func(tx *store.Tx) error {
		_, err := tx.DecideDevice(t.Context(), store.DeviceCode{UserCode: d.UserCode, Status: store.DeviceDenied})
		return err
	})
	w.advance(20 * time.Second)
	w.poll(c, text).want(400, "access_denied")

	late := w.device(c, store.Member{})
	w.advance(tenMinutes)
	w.poll(c, late).want(400, "expired_token")

	approved := w.device(c, m)
	a := w.poll(c, approved).want(200, "")
	if a.text("scope") != "read write" || a.text("refresh_token") == "" {
		t.Errorf("answer %s", a.body)
	}
	w.poll(c, approved).want(400, "invalid_grant")
	w.renew(c, a.text("refresh_token")).want(200, "")
}
