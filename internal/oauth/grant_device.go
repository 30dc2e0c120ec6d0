package oauth

import (
	"context"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// Errors of device codes: RFC 8628 §3.5.
var (
	errNoDevice      = refuse(codeInvalidRequest, "device_code is missing")
	errDevice        = refuse(codeInvalidGrant, "the device_code is not good")
	errDevicePending = refuse(codeAuthorizationPending, "nobody has decided yet")
	errDeviceSlow    = refuse(codeSlowDown, "ask less often: the interval has grown by 5 seconds")
	errDeviceDenied  = refuse(codeAccessDenied, "the request was denied")
	errDeviceExpired = refuse(codeExpiredToken, "the device_code has expired")
)

// findDevice exchanges a device code once somebody has approved it: RFC 8628 §3.4.
func (s *Server) findDevice(ctx context.Context, r *request) (*ticket, error) {
	text := r.params.get("device_code")
	if text == "" {
		return nil, errNoDevice
	}
	hash := secret.HashOf(text)
	d, err := s.store.Device(ctx, hash)
	if err := s.known(r, text, err, errDevice); err != nil {
		return nil, err
	}
	if err := s.own(ctx, r, d.Client, errDevice); err != nil {
		return nil, err
	}
	if !r.now.Before(d.ExpiresAt) {
		return nil, errDeviceExpired
	}
	d, tooSoon, err := s.store.PollDevice(ctx, hash)
	if err != nil {
		return nil, err
	}
	if tooSoon {
		return nil, errDeviceSlow
	}
	switch d.Status {
	case store.DevicePending:
		return nil, errDevicePending
	case store.DeviceDenied:
		return nil, errDeviceDenied
	case store.DeviceApproved:
	default:
		return nil, errDevice
	}
	t, err := s.personal(ctx, r, personal{
		member: d.Member, organization: d.Organization, environment: d.Environment, consent: d.Consent,
		scopes: d.Scopes, resource: d.Resource, authTime: d.AuthTime,
	}, errDevice)
	if err != nil {
		return nil, err
	}
	t.fixed, t.refresh = true, r.refreshes()
	t.spend = func(ctx context.Context, tx *store.Tx, i *issued) (outcome, error) {
		_, first, err := tx.ConsumeDevice(ctx, hash, i.family)
		if err == nil && !first {
			return outcome{answer: errDevice}, nil
		}
		return outcome{}, err
	}
	return t, nil
}
