package store

import (
	"context"
	"time"
)

// sweepStep is how many rows are deleted while others wait for the writer.
const sweepStep = 500

// familyMemory is how long an ended family is remembered with all its refresh tokens, so
// that one that turns up late is known for what it is.
const familyMemory = 30 * 24 * time.Hour

// deliveryMemory is how long the log of webhooks' deliveries reaches back.
const deliveryMemory = 30 * 24 * time.Hour

// A leftover is rows that a statement deletes, at most $2 at a time, once they have ended
// before $1.
type leftover struct {
	query string
	age   time.Duration // how long ago
}

// leftovers are what tokens and sign-ins leave behind. The order matters: what refers to
// a family goes before it. Most stay for a day after their end, so that whoever comes late
// hears what was wrong; revocations by id outlive what they revoke by more than any clock
// is wrong.
var leftovers = []leftover{
	{`DELETE FROM code WHERE hash IN (SELECT hash FROM code WHERE expires_at < $1 LIMIT $2)`, 24 * time.Hour},
	{`DELETE FROM device_code WHERE hash IN (SELECT hash FROM device_code WHERE expires_at < $1 LIMIT $2)`, 24 * time.Hour},
	{`DELETE FROM pushed_request WHERE hash IN (SELECT hash FROM pushed_request WHERE expires_at < $1 LIMIT $2)`, 24 * time.Hour},
	{`DELETE FROM access_token WHERE hash IN (SELECT hash FROM access_token WHERE expires_at < $1 LIMIT $2)`, 24 * time.Hour},
	{`DELETE FROM refresh_token WHERE hash IN (SELECT t.hash FROM token_family f
		JOIN refresh_token t ON t.family = f.id WHERE f.ends_at < $1 LIMIT $2)`, familyMemory},
	{`DELETE FROM access_token WHERE hash IN (SELECT t.hash FROM token_family f
		JOIN access_token t ON t.family = f.id WHERE f.ends_at < $1 LIMIT $2)`, familyMemory},
	{`DELETE FROM token_family WHERE id IN (SELECT id FROM token_family WHERE ends_at < $1 LIMIT $2)`, familyMemory},
	{`DELETE FROM revoked_token WHERE id IN (SELECT id FROM revoked_token WHERE expires_at < $1 LIMIT $2)`, time.Hour},
	{`DELETE FROM seen WHERE hash IN (SELECT hash FROM seen WHERE expires_at < $1 LIMIT $2)`, time.Hour},
	{`DELETE FROM session WHERE hash IN (SELECT hash FROM session WHERE expires_at < $1 LIMIT $2)`, 24 * time.Hour},
	{`DELETE FROM one_time_link WHERE hash IN (SELECT hash FROM one_time_link WHERE expires_at < $1 LIMIT $2)`, 24 * time.Hour},
	{`DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM webhook_delivery WHERE finished_at < $1 LIMIT $2)`, deliveryMemory},
	{`DELETE FROM credential_address WHERE (credential, address) IN (
		SELECT credential, address FROM credential_address WHERE seen_at < $1 LIMIT $2)`, sightingMemory},
	{`DELETE FROM signing_key WHERE id IN (SELECT id FROM signing_key WHERE expires_at < $1 LIMIT $2)`, familyMemory},
}

// sweep deletes the leftovers, in transactions short enough for others to get in between.
func (db *DB) sweep(ctx context.Context) error {
	now := db.Now()
	for _, l := range leftovers {
		for {
			var n int64
			err := db.write(ctx, func(q querier) error {
				res, err := q.ExecContext(ctx, l.query, stamp(now.Add(-l.age)), sweepStep)
				if err != nil {
					return err
				}
				n, err = res.RowsAffected()
				return err
			})
			if err != nil {
				return err
			}
			if n < sweepStep {
				break
			}
		}
	}
	return nil
}
