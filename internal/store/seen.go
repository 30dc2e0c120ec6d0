package store

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// Remember notes that something with an id was presented for a purpose, such as the jti
// of an assertion, and reports whether this is the first time. It is remembered until the
// given time at least, across restarts. Only a hash of purpose and id is kept.
func (tx *Tx) Remember(ctx context.Context, purpose, id string, until time.Time) (first bool, err error) {
	first, err = remember(ctx, tx.q, purpose, id, until)
	tx.wrote = tx.wrote || first
	return first, tx.db.classify(err)
}

// Remember is [Tx.Remember] in a change of its own, for where nothing is decided that an
// audit event could tell.
func (db *DB) Remember(ctx context.Context, purpose, id string, until time.Time) (first bool, err error) {
	err = db.write(ctx, func(q querier) (err error) {
		first, err = remember(ctx, q, purpose, id, until)
		return err
	})
	return first, err
}

func remember(ctx context.Context, q querier, purpose, id string, until time.Time) (bool, error) {
	hash := secret.HashOf(purpose + "\x00" + id)
	res, err := q.ExecContext(ctx, `INSERT INTO seen (hash, expires_at) VALUES ($1, $2)
		ON CONFLICT (hash) DO NOTHING`, hash[:], stamp(until))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}
