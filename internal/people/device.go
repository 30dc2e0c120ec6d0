package people

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// CommandLine is the client id of Cardea's own command line, whose device codes end in a
// session and never in an OAuth token.
const CommandLine = "cardea-cli"

// Of device codes of the command line.
const (
	deviceLifetime = 10 * time.Minute
	deviceInterval = 5 // seconds
	deviceToken    = "cdc_"
)

// userCodeLetters are those of RFC 8628 §6.1: no vowels, so no words, and none that look
// like a digit. Eight of them are 34 bits, guarded by the throttle.
const userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"

// A DeviceRequest is what a command line gets when it asks to be signed in.
type DeviceRequest struct {
	DeviceCode secret.Secret
	UserCode   string // as shown: "WDJB-MJHT"
	ExpiresIn  time.Duration
	Interval   time.Duration
}

// BeginDevice begins to sign a command line in (RFC 8628 §3.1).
func (p *People) BeginDevice(ctx context.Context, from From) (DeviceRequest, error) {
	if _, err := p.admitAddress(from); err != nil { // it makes a row: every one counts
		return DeviceRequest{}, err
	}
	for {
		code := secret.New(secret.ShapePrefix, deviceToken)
		shown := userCode()
		err := p.change(ctx, from.nobody(), func(tx *store.Tx) error {
			tx.Audit(store.Event{Action: "device.ask", TargetType: "client", TargetID: CommandLine})
			return tx.InsertDevice(ctx, store.DeviceCode{
				Hash: code.Hash(), UserCode: FoldUserCode(shown), Client: CommandLine, Interval: deviceInterval,
				Resource:  from.address() + "\n" + from.agent(), // whom people are shown as the asker
				ExpiresAt: tx.Now().Add(deviceLifetime),
			})
		})
		if cardea.KindOf(err) == cardea.KindConflict {
			continue // the user code is taken
		}
		return DeviceRequest{code, shown, deviceLifetime, deviceInterval * time.Second}, err
	}
}

// userCode returns a fresh user code, each letter uniform.
func userCode() string {
	const most = 256 - 256%len(userCodeLetters)
	out := make([]byte, 0, 9)
	var b [1]byte
	for len(out) < 9 {
		if len(out) == 4 {
			out = append(out, '-')
		}
		_, _ = rand.Read(b[:]) // never fails: it stops the process instead
		if int(b[0]) < most {
			out = append(out, userCodeLetters[int(b[0])%len(userCodeLetters)])
		}
	}
	return string(out)
}

// FoldUserCode returns a user code as it is compared: people type it in any case, with or
// without what separates its halves.
func FoldUserCode(typed string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, bounded(typed, 64))
}

// A Device is a command line that waits for a person to sign it in.
type Device struct {
	UserCode       string // as shown
	Address, Agent string // of the asker
}

// errUserCode says nothing about which of the ways not to be good it was.
func errUserCode() error {
	return cardea.Invalid("user_code", "This code is not right, or its time is over. Check it, or ask for a new one.")
}

// Device returns the command line that waits with a user code; the error is the same for
// every code that none waits with. Guessing is bounded per person and per address.
func (p *People) Device(ctx context.Context, by Session, typed string, from From) (Device, error) {
	giveBack, wait := p.attempts.take(p.now(),
		claim{"codes of " + by.Member.ID, perAccountNetwork}, claim{"address " + household(from.Address).String(), perAddress})
	if wait > 0 {
		return Device{}, &ThrottledError{Wait: wait}
	}
	row, err := p.waiting(ctx, p.store.Reader, typed)
	if err != nil {
		return Device{}, err
	}
	giveBack()
	address, agent, _ := strings.Cut(row.Resource, "\n")
	shown := row.UserCode
	if len(shown) == 8 {
		shown = shown[:4] + "-" + shown[4:]
	}
	return Device{UserCode: shown, Address: address, Agent: agent}, nil
}

// waiting returns the device code that waits with a user code.
func (p *People) waiting(ctx context.Context, r store.Reader, typed string) (store.DeviceCode, error) {
	code := FoldUserCode(typed)
	if code == "" {
		return store.DeviceCode{}, errUserCode()
	}
	row, err := r.DeviceByUserCode(ctx, code)
	if err != nil {
		return row, orElse(unlessMissing(err), errUserCode())
	}
	if row.Client != CommandLine || row.Status != store.DevicePending || !p.now().Before(row.ExpiresAt) {
		return row, errUserCode()
	}
	return row, nil
}

// DecideDevice approves or denies a command line.
func (p *People) DecideDevice(ctx context.Context, by Session, typed string, approve bool, from From) error {
	if _, err := p.Device(ctx, by, typed, from); err != nil {
		return err
	}
	if approve && by.Method == MethodHandoff { // it would outlive the day that a hand-off lasts
		return ErrProveAgain
	}
	return p.change(ctx, from.member(by.Member.ID), func(tx *store.Tx) error {
		row, err := p.waiting(ctx, tx.Reader, typed)
		if err != nil {
			return err
		}
		row.Status, row.Member, row.Organization, row.AuthTime = store.DeviceDenied, by.Member.ID, by.Organization.ID, by.AuthTime
		action := "device.deny"
		if approve {
			row.Status, action = store.DeviceApproved, "device.approve"
		}
		tx.Audit(event(action, by.Member, consentDetail{CommandLine}))
		_, err = tx.DecideDevice(ctx, row)
		return err
	})
}

// A DeviceError says what became of a command line's request, as RFC 8628 §3.5 spells it.
type DeviceError string

// What may become of it, besides a session.
const (
	DevicePending  DeviceError = "authorization_pending"
	DeviceSlowDown DeviceError = "slow_down"
	DeviceDenied   DeviceError = "access_denied"
	DeviceExpired  DeviceError = "expired_token"
	DeviceUnknown  DeviceError = "invalid_grant"
)

// Error returns the code.
func (e DeviceError) Error() string { return string(e) }

// PollDevice returns the session that a person has approved, once; or a [DeviceError].
func (p *People) PollDevice(ctx context.Context, deviceCode string, from From) (token secret.Secret, s Session, err error) {
	if !secret.CheckPrefixed(deviceCode, deviceToken) {
		return secret.Secret{}, Session{}, DeviceUnknown
	}
	hash := secret.HashOf(deviceCode)
	row, slowDown, err := p.store.PollDevice(ctx, hash)
	switch {
	case err != nil:
		return secret.Secret{}, Session{}, orElse(unlessMissing(err), DeviceUnknown)
	case row.Client != CommandLine || row.Status == store.DeviceUsed:
		return secret.Secret{}, Session{}, DeviceUnknown
	case !p.now().Before(row.ExpiresAt):
		return secret.Secret{}, Session{}, DeviceExpired
	case row.Status == store.DeviceDenied:
		return secret.Secret{}, Session{}, DeviceDenied
	case slowDown:
		return secret.Secret{}, Session{}, DeviceSlowDown
	case row.Status != store.DeviceApproved:
		return secret.Secret{}, Session{}, DevicePending
	}
	err = p.change(ctx, from.member(row.Member), func(tx *store.Tx) error {
		used, first, err := tx.ConsumeDevice(ctx, hash, "")
		if err != nil || !first {
			return orElse(unlessMissing(err), DeviceUnknown)
		}
		m, o, ok, err := standing(ctx, tx.Reader, used.Member)
		if err != nil || !ok {
			return orElse(err, DeviceDenied)
		}
		token, s, err = p.start(ctx, tx, m, o, MethodDevice, used.AuthTime, from)
		return err
	})
	if err != nil {
		return secret.Secret{}, Session{}, err
	}
	return token, s, nil
}
