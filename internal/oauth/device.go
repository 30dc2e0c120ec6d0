package oauth

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Figures of device authorization.
const (
	deviceLifetime = 10 * time.Minute // RFC 8628 §3.2
	deviceInterval = 5                // seconds between polls, §3.2
	devicesPerAddr = 30               // requests of one address in a minute
	userCodeTries  = 4                // draws, when a code is taken
)

// userCodeAlphabet has no vowels, so that no words come out, and no two characters that
// are hard to tell apart: RFC 8628 §6.1. Eight of its letters are 34 bits, against which
// stand ten minutes and few guesses.
const userCodeAlphabet = "BCDFGHJKLMNPQRSTVWXZ"

// userCodeLen is the number of letters of a user code.
const userCodeLen = 8

// startDevice serves the device authorization endpoint: RFC 8628 §3.1.
func (s *Server) startDevice(w http.ResponseWriter, r *request) {
	ctx := r.Context()
	if err := s.readForm(ctx, r); err != nil {
		s.fail(w, r, err)
		return
	}
	d, text, err := s.newDevice(ctx, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	page := r.contract.EndpointURL(r.contract.Endpoints().DevicePage, r.origin)
	s.answer(w, r, http.StatusOK, object{
		{"device_code", text.Reveal()},
		{"user_code", showUserCode(d.UserCode)},
		{"verification_uri", page},
		{"verification_uri_complete", page + "?user_code=" + showUserCode(d.UserCode)},
		{"expires_in", int(deviceLifetime / time.Second)},
		{"interval", deviceInterval},
	})
}

// newDevice checks the request and stores a device code.
func (s *Server) newDevice(ctx context.Context, r *request) (store.DeviceCode, secret.Secret, error) {
	none := secret.Secret{}
	c := r.caller.client
	if c == nil || c.MetadataURL != "" || !c.may(contract.GrantDeviceCode) {
		return store.DeviceCode{}, none, errNotForClient
	}
	if !s.starts.take("device "+addressKey(r.address), devicesPerAddr, r.now) {
		return store.DeviceCode{}, none, errThrottled
	}
	scopes, err := chooseScopes(r.contract, r.params.get("scope"), c.scopes, c.defaults)
	if err == nil && scopes.set.IsEmpty() {
		err = errScope
	}
	if err != nil {
		return store.DeviceCode{}, none, err
	}
	resource, err := checkResource(r.contract, r.origin, r.params.all("resource"))
	if err != nil {
		return store.DeviceCode{}, none, err
	}
	text := secret.New(secret.ShapePrefix, devicePrefix)
	d := store.DeviceCode{
		Hash: text.Hash(), Client: c.id(), Environment: c.env.Name, Scopes: r.contract.ScopeNames(scopes.set),
		Resource: resource, Interval: deviceInterval, ExpiresAt: r.now.Add(deviceLifetime),
	}
	for range userCodeTries {
		d.UserCode = newUserCode()
		if err = s.insertDevice(ctx, r, d); cardea.KindOf(err) != cardea.KindConflict || err == nil {
			break
		}
	}
	return d, text, err
}

// devicePrefix begins device codes, so that scanners of logs know one.
const devicePrefix = "dc_"

// insertDevice stores a device code and its audit event.
func (s *Server) insertDevice(ctx context.Context, r *request, d store.DeviceCode) error {
	changes, err := s.store.Update(ctx, r.actor("client", d.Client), func(tx *store.Tx) error {
		tx.Audit(store.Event{
			Action: "device.start", TargetType: "client", TargetID: d.Client, Organization: r.caller.organization(),
			Detail: consentDetail{Client: d.Client, Scopes: d.Scopes},
		})
		return tx.InsertDevice(ctx, d)
	})
	if err == nil {
		s.apply(changes)
	}
	return err
}

// newUserCode returns a fresh user code, as it is stored.
func newUserCode() string {
	var code, b [userCodeLen]byte
	for n := 0; n < userCodeLen; {
		_, _ = rand.Read(b[:]) // never fails: it stops the process instead
		for _, random := range b {
			if letter, ok := userLetter(random); ok && n < userCodeLen {
				code[n] = letter
				n++
			}
		}
	}
	return string(code[:])
}

// userLetter returns the letter of a random byte. Bytes from 240 on have none: there are
// not enough of them for every letter to be as likely.
func userLetter(random byte) (letter byte, ok bool) {
	if random >= 240 {
		return 0, false
	}
	return userCodeAlphabet[int(random)%len(userCodeAlphabet)], true
}

// showUserCode returns a user code as people read it: XXXX-XXXX.
func showUserCode(code string) string { return code[:userCodeLen/2] + "-" + code[userCodeLen/2:] }

// readUserCode returns what somebody typed as it is stored, false when it cannot be a
// code. Case, spaces and dashes make no difference: RFC 8628 §6.1.
func readUserCode(typed string) (string, bool) {
	if len(typed) > 64 {
		return "", false
	}
	var b strings.Builder
	for i := range len(typed) {
		c := typed[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A' // not strings.ToUpper, for which "ſ" is an "S" too
		}
		switch {
		case c == ' ' || c == '-' || c == '.' || c == '_':
		case strings.IndexByte(userCodeAlphabet, c) >= 0:
			b.WriteByte(c)
		default:
			return "", false
		}
	}
	return b.String(), b.Len() == userCodeLen
}
