package store

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A DayCount is how many requests an owner, an organization or a credential by its id,
// made on a UTC day.
type DayCount struct {
	Owner string
	Day   int64 // see [Day]
	N     int64
}

// DayCounts returns every count of a day.
func (r Reader) DayCounts(ctx context.Context, day int64) ([]DayCount, error) {
	s := sel(`SELECT owner, day, n FROM day_count`).and("day = ?", day)
	return collect(ctx, r, s, func(c *DayCount) []any { return []any{&c.Owner, &c.Day, &c.N} })
}

// A Touch is what use leaves behind in the control data. All of it is additive or
// monotonic, so that several nodes may report.
type Touch struct {
	Days        []DayCount                // N is added to what is stored
	Credentials map[string]time.Time      // by id: last used, when later than what is stored
	Secrets     map[secret.Hash]time.Time // likewise
	Tokens      map[string]time.Time      // management tokens, likewise
}

// touchStep is how many rows are written while others wait for the writer.
const touchStep = 500

// Touch stores t. It needs no audit event: nobody decided anything. What was written is
// removed from t, so that after an error t is what to try again; nothing is counted
// twice.
func (db *DB) Touch(ctx context.Context, t *Touch) error {
	for len(t.Days) > 0 {
		part := t.Days[:min(touchStep, len(t.Days))]
		if err := db.write(ctx, func(q querier) error { return addDays(ctx, q, part) }); err != nil {
			return err
		}
		t.Days = t.Days[len(part):]
	}
	if err := touch(ctx, db, t.Credentials, strings.Compare, func(id string) any { return id },
		`UPDATE credential SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)`,
	); err != nil {
		return err
	}
	if err := touch(ctx, db, t.Secrets, compareHashes, func(h secret.Hash) any { return h[:] },
		`UPDATE credential_secret SET last_used_at = $1 WHERE hash = $2 AND (last_used_at IS NULL OR last_used_at < $1)`,
	); err != nil {
		return err
	}
	return touch(ctx, db, t.Tokens, strings.Compare, func(id string) any { return id },
		`UPDATE management_token SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)`)
}

func addDays(ctx context.Context, q querier, days []DayCount) error {
	slices.SortFunc(days, func(a, b DayCount) int { return strings.Compare(a.Owner, b.Owner) })
	for _, d := range days {
		if _, err := q.ExecContext(ctx, `INSERT INTO day_count (owner, day, n) VALUES ($1, $2, $3)
			ON CONFLICT (owner, day) DO UPDATE SET n = day_count.n + excluded.n`, d.Owner, d.Day, d.N); err != nil {
			return err
		}
	}
	return nil
}

// touch runs an update of a last use for every key of uses, in order, so that two nodes
// never wait for each other crosswise. What is written leaves uses.
func touch[K comparable](ctx context.Context, db *DB, uses map[K]time.Time, order func(a, b K) int, arg func(K) any, query string) error {
	keys := slices.SortedFunc(maps.Keys(uses), order)
	for part := range slices.Chunk(keys, touchStep) {
		err := db.write(ctx, func(q querier) error {
			for _, key := range part {
				if _, err := q.ExecContext(ctx, query, stamp(uses[key]), arg(key)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, key := range part {
			delete(uses, key)
		}
	}
	return nil
}

func compareHashes(a, b secret.Hash) int { return bytes.Compare(a[:], b[:]) }
