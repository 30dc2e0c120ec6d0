package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
)

// What has become of a device code.
const (
	DevicePending  = "pending"
	DeviceApproved = "approved"
	DeviceDenied   = "denied"
	DeviceUsed     = "used"
)

// A DeviceCode lets a device ask for tokens that a person approves elsewhere (RFC 8628).
type DeviceCode struct {
	Hash         secret.Hash // of the device_code
	UserCode     string      // what the person types, as compared
	Client       string
	Environment  string
	Scopes       []string
	Resource     string
	Status       string
	Member       string // who has decided; "" before
	Organization string
	Consent      string
	AuthTime     time.Time
	Interval     int64     // seconds between polls
	PolledAt     time.Time // zero: never
	CreatedAt    time.Time
	ExpiresAt    time.Time
	Family       string // of the tokens that it was exchanged for

	tooSoon bool // the last poll came before its time
}

var deviceCodes = newTable("device_code", "device code", "hash, user_code, client, environment, scopes, resource, status, "+
	"member, organization, consent, auth_time, poll_interval, polled_at, created_at, expires_at, family, too_soon", (*DeviceCode).fields)

func (d *DeviceCode) fields() []any {
	return []any{
		(*hashBytes)(&d.Hash), &d.UserCode, &d.Client, &d.Environment, (*words)(&d.Scopes), &d.Resource, &d.Status,
		(*text)(&d.Member), (*text)(&d.Organization), (*text)(&d.Consent), (*stamp)(&d.AuthTime), &d.Interval,
		(*stamp)(&d.PolledAt), (*stamp)(&d.CreatedAt), (*stamp)(&d.ExpiresAt), (*text)(&d.Family), (*flag)(&d.tooSoon),
	}
}

// Device returns one device code, or a KindNotFound error.
func (r Reader) Device(ctx context.Context, hash secret.Hash) (DeviceCode, error) {
	return deviceCodes.one(ctx, r, deviceCodes.where("hash = ?", hash[:]))
}

// DeviceByUserCode returns the device code that a person's code belongs to, or a
// KindNotFound error.
func (r Reader) DeviceByUserCode(ctx context.Context, userCode string) (DeviceCode, error) {
	return deviceCodes.one(ctx, r, deviceCodes.where("user_code = ?", userCode))
}

// InsertDevice stores a new device code; Status "" means pending. KindConflict when the
// user code is taken: choose another.
func (tx *Tx) InsertDevice(ctx context.Context, d DeviceCode) error {
	tx.fill(&d.CreatedAt)
	if d.Status == "" {
		d.Status = DevicePending
	}
	return deviceCodes.put(ctx, tx, &d)
}

// DecideDevice stores what a person has decided about a pending code: Status is
// [DeviceApproved] or [DeviceDenied], and Member, Organization, Consent, Scopes and
// AuthTime are taken over. The code is found by its UserCode. KindNotFound when none is
// pending, or its time is over.
func (tx *Tx) DecideDevice(ctx context.Context, d DeviceCode) (DeviceCode, error) {
	decided, found, err := deviceCodes.returning(ctx, tx, `UPDATE device_code
		SET status = $1, member = $2, organization = $3, consent = $4, scopes = $5, auth_time = $6
		WHERE user_code = $7 AND status = $8 AND expires_at > $9`,
		d.Status, text(d.Member), text(d.Organization), text(d.Consent), words(d.Scopes), stamp(d.AuthTime),
		d.UserCode, DevicePending, stamp(tx.now))
	if err == nil && !found {
		err = cardea.Errorf(cardea.KindNotFound, "no such %s", deviceCodes.noun)
	}
	return decided, err
}

// PollDevice notes that a device has asked what became of its code, and reports whether
// it asked too soon; the interval has then grown by 5 seconds (RFC 8628 §3.5). It is not
// a part of [DB.Update] because it decides nothing and needs no audit event. KindNotFound
// when there is no such code.
func (db *DB) PollDevice(ctx context.Context, hash secret.Hash) (d DeviceCode, slowDown bool, err error) {
	err = db.write(ctx, func(q querier) error {
		tx := &Tx{Reader: Reader{q: q, db: db}}
		polled, found, err := deviceCodes.returning(ctx, tx, `UPDATE device_code SET
			too_soon = CASE WHEN status = $1 AND polled_at > $2 - poll_interval * 1000000 THEN 1 ELSE 0 END,
			poll_interval = CASE WHEN status = $1 AND polled_at > $2 - poll_interval * 1000000
				THEN poll_interval + 5 ELSE poll_interval END,
			polled_at = $2 WHERE hash = $3`, DevicePending, stamp(db.Now()), hash[:])
		if err == nil && !found {
			err = cardea.Errorf(cardea.KindNotFound, "no such %s", deviceCodes.noun)
		}
		d = polled
		return err
	})
	return d, d.tooSoon, err
}

// ConsumeDevice uses an approved code for the tokens of a family. The first call gets
// first = true; every later one, and one for a code that is not approved, gets the code
// as it is. KindNotFound when there is none.
func (tx *Tx) ConsumeDevice(ctx context.Context, hash secret.Hash, family string) (d DeviceCode, first bool, err error) {
	return deviceCodes.consume(ctx, tx, hash[:],
		`UPDATE device_code SET status = $1, family = $2 WHERE hash = $3 AND status = $4`,
		DeviceUsed, text(family), hash[:], DeviceApproved)
}
