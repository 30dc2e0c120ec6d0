package store

import (
	"context"
	"time"
)

func date(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

// Maintain throws away what has grown old: days of the request log beyond
// [Config.RequestLog], usage after 13 months, day counts after 8 days and the change
// log after 7; and what has ended of tokens, codes, sessions and links (see leftovers). Run it every few minutes; it does nothing when there is nothing to do.
func (db *DB) Maintain(ctx context.Context) error {
	if err := db.trimRequests(ctx); err != nil {
		return db.classify(err)
	}
	now := db.Now()
	oldest := date(now.Year(), int(now.Month())-usageMonths, 1)
	for _, text := range []string{
		`DELETE FROM usage_hourly WHERE hour < $1`, `DELETE FROM usage_total WHERE hour < $1`, `DELETE FROM usage_daily WHERE day < $1`,
		`DELETE FROM usage_total_daily WHERE day < $1`,
	} {
		if _, err := db.usage.ExecContext(ctx, text, stamp(oldest)); err != nil {
			return db.classify(err)
		}
	}
	if err := db.sweep(ctx); err != nil {
		return err
	}
	return db.write(ctx, func(q querier) error {
		if _, err := q.ExecContext(ctx, `DELETE FROM day_count WHERE day < $1`, Day(now)-8); err != nil {
			return err
		}
		// The newest change stays, so that a reader can tell a log that was cut from
		// one in which nothing happened.
		_, err := q.ExecContext(ctx, `DELETE FROM change_log WHERE at < $1
			AND seq < (SELECT seq FROM change_head WHERE id = 1)`, stamp(now.Add(-changeLogAge)))
		return err
	})
}

// trimRequests drops whole days of the request log, oldest first, until both bounds are
// met. Today's stays, whatever its size.
func (db *DB) trimRequests(ctx context.Context) error {
	days, err := db.requests.days(ctx)
	if err != nil {
		return err
	}
	today := Day(db.now())
	var sum int64
	for _, day := range days { // newest first
		n, err := db.requests.size(ctx, day)
		if err != nil {
			return err
		}
		sum += n
		if day >= today || (day >= today-int64(db.cfg.RequestLog.Days) && sum <= db.cfg.RequestLog.Bytes) {
			continue
		}
		if err := db.requests.drop(ctx, day); err != nil {
			return err
		}
		sum -= n
	}
	return nil
}
