package store

import (
	"context"
	"time"
)

// The queue of deliveries. A delivery that is due is claimed for a while: DueAt moves to
// the end of the claim, so that it becomes due again by itself when whoever claimed it dies
// before telling the outcome. Claims are made one after the other on both engines, so no
// two workers hold one at the same time.

// Queued returns a channel that receives when a change of this process left something to
// deliver. Of several changes it may tell once.
func (db *DB) Queued() <-chan struct{} { return db.queued }

// maxDue is how many endpoints DueWebhooks returns.
const maxDue = 5000

// DueWebhooks returns the endpoints, at most 5,000, that have deliveries due. It reads what
// is due and nothing of what waits: the empty text keeps SQLite from walking along the
// index that is sorted by endpoint.
func (r Reader) DueWebhooks(ctx context.Context) ([]string, error) {
	s := sel(`SELECT DISTINCT endpoint || '' FROM webhook_delivery`).and("due_at <= ?", stamp(r.db.Now()))
	return collect(ctx, r, s.add(" LIMIT ?", maxDue), func(id *string) []any { return []any{id} })
}

// CountDueWebhooks returns how many deliveries are due.
func (r Reader) CountDueWebhooks(ctx context.Context) (n int64, err error) {
	s := sel(`SELECT count(*) FROM webhook_delivery`).and("due_at <= ?", stamp(r.db.Now()))
	err = r.q.QueryRowContext(ctx, s.text.String(), s.args...).Scan(&n)
	return n, r.db.classify(err)
}

// ClaimWebhooks takes up to n deliveries to an endpoint that are due, oldest first, and
// keeps everybody else from them until a time. Nobody but the holder of claim, a random
// text, can note their outcome.
func (db *DB) ClaimWebhooks(ctx context.Context, endpoint, claim string, until time.Time, n int) (taken []WebhookDelivery, err error) {
	err = db.write(ctx, func(q querier) (err error) {
		r := Reader{q: q, db: db}
		s := &selection{}
		s.add(`UPDATE webhook_delivery SET due_at = ?, claim = ? WHERE id IN (SELECT id FROM webhook_delivery
			WHERE endpoint = ? AND due_at <= ? ORDER BY due_at LIMIT ?) RETURNING `+webhookDeliveries.columns,
			stamp(until), claim, endpoint, stamp(db.Now()), n)
		taken, err = webhookDeliveries.all(ctx, r, s)
		return err
	})
	return taken, err
}

// NoteWebhook stores the outcome of an attempt: the delivery's Status, Tries, Attempts,
// DueAt and FinishedAt. kept is false when the claim had run out and somebody else has the
// delivery, or it is gone. The endpoint's FailingSince is set or ended along with it.
func (db *DB) NoteWebhook(ctx context.Context, d WebhookDelivery) (kept bool, err error) {
	err = db.write(ctx, func(q querier) error {
		res, err := q.ExecContext(ctx, `UPDATE webhook_delivery
			SET status = $1, tries = $2, attempts = $3, due_at = $4, claim = NULL, finished_at = $5
			WHERE id = $6 AND claim = $7`,
			d.Status, d.Tries, asJSON(&d.Attempts), stamp(d.DueAt), stamp(d.FinishedAt), d.ID, d.Claim)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if kept = n == 1; err != nil || !kept {
			return err
		}
		failing := `UPDATE webhook_endpoint SET failing_since = $1 WHERE id = $2 AND failing_since IS NULL`
		since := db.Now()
		if d.Status == DeliveryDelivered {
			failing, since = `UPDATE webhook_endpoint SET failing_since = $1 WHERE id = $2 AND failing_since IS NOT NULL`, time.Time{}
		}
		_, err = q.ExecContext(ctx, failing, stamp(since), d.Endpoint)
		return err
	})
	return kept, err
}
