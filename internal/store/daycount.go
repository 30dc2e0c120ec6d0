package store

import (
	"bytes"
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
)

// A DayCount is how many requests an owner of limits made on a UTC day. Owners are
// credentials, by id, and organizations in an environment, "org_…/live": environments
// are walls, and a test key never eats into a live quota.
type DayCount struct {
	Owner string
	Day   int64 // see [Day]
	N     int64
}

// DayCounts returns the counts of a day: of the given owners, or of all when none is
// given. Owners without a count are left out.
func (r Reader) DayCounts(ctx context.Context, day int64, owners ...string) ([]DayCount, error) {
	if len(owners) == 0 {
		return r.dayCounts(ctx, sel(`SELECT owner, day, n FROM day_count`).and("day = ?", day))
	}
	all := []DayCount{}
	for _, owner := range owners {
		s := sel(`SELECT owner, day, n FROM day_count`).and("day = ?", day).add(" AND owner = ?", owner)
		counts, err := r.dayCounts(ctx, s)
		if err != nil {
			return nil, err
		}
		all = append(all, counts...)
	}
	return all, nil
}

func (r Reader) dayCounts(ctx context.Context, s *selection) ([]DayCount, error) {
	return collect(ctx, r, s, func(c *DayCount) []any { return []any{&c.Owner, &c.Day, &c.N} })
}

// AddDayCounts adds N to what is stored for each owner and day: several nodes may
// report. All of it is stored or, with an error, nothing. It needs no audit event:
// nobody decided anything. Changes wait while it runs, so give it some hundreds of
// counts at a time.
func (db *DB) AddDayCounts(ctx context.Context, counts []DayCount) error {
	// In order, so that two nodes never wait for each other crosswise.
	counts = slices.SortedFunc(slices.Values(counts), func(a, b DayCount) int { return strings.Compare(a.Owner, b.Owner) })
	return db.write(ctx, func(q querier) error {
		for _, c := range counts {
			if _, err := q.ExecContext(ctx, `INSERT INTO day_count (owner, day, n) VALUES ($1, $2, $3)
				ON CONFLICT (owner, day) DO UPDATE SET n = day_count.n + excluded.n`, c.Owner, c.Day, c.N); err != nil {
				return err
			}
		}
		return nil
	})
}

// A Touch is when things were last used. Only later instants than those stored are
// taken over, so that several nodes may report.
type Touch struct {
	Credentials map[string]Use            // by id
	Secrets     map[secret.Hash]time.Time // by hash
	Tokens      map[string]time.Time      // management tokens by id
	AccountKeys map[string]time.Time      // keys of service accounts by id
	Sessions    map[string]time.Time      // by id; last seen
}

// A Use is when, from where and for what a credential was used.
type Use struct {
	At    time.Time
	From  netip.Addr // the client's address; the zero one: not known
	Route string     // the contract's pattern, "" when it is not known
}

// touchStep is how many rows are written while others wait for the writer.
const touchStep = 500

// Touch stores t. It needs no audit event: nobody decided anything. What was written is
// removed from t, so that after an error t is what to try again.
func (db *DB) Touch(ctx context.Context, t *Touch) error {
	if err := touch(ctx, db, t.Credentials, strings.Compare, func(id string, u Use) []any {
		from := ""
		if u.From.IsValid() {
			from = u.From.String()
		}
		return []any{stamp(u.At), text(from), text(clean(u.Route)), id}
	}, `UPDATE credential SET last_used_at = $1, last_used_from = $2, last_used_route = $3
		WHERE id = $4 AND (last_used_at IS NULL OR last_used_at < $1)`,
	); err != nil {
		return err
	}
	if err := touch(ctx, db, t.Secrets, compareHashes, at(func(h secret.Hash) any { return h[:] }),
		`UPDATE credential_secret SET last_used_at = $1 WHERE hash = $2 AND (last_used_at IS NULL OR last_used_at < $1)`,
	); err != nil {
		return err
	}
	byID := func(id string) any { return id }
	if err := touch(ctx, db, t.Tokens, strings.Compare, at(byID),
		`UPDATE management_token SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)`,
	); err != nil {
		return err
	}
	if err := touch(ctx, db, t.AccountKeys, strings.Compare, at(byID),
		`UPDATE account_key SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)`,
	); err != nil {
		return err
	}
	return touch(ctx, db, t.Sessions, strings.Compare, at(byID),
		`UPDATE session SET seen_at = $1 WHERE id = $2 AND seen_at < $1 AND ended_at IS NULL`)
}

// at returns the parameters of an update that notes the time alone.
func at[K comparable](id func(K) any) func(K, time.Time) []any {
	return func(key K, t time.Time) []any { return []any{stamp(t), id(key)} }
}

// touch runs an update of a last use for every key of uses, in order, so that two nodes
// never wait for each other crosswise. What is written leaves uses.
func touch[K comparable, U any](ctx context.Context, db *DB, uses map[K]U, order func(a, b K) int, args func(K, U) []any, query string) error {
	keys := slices.SortedFunc(maps.Keys(uses), order)
	for part := range slices.Chunk(keys, touchStep) {
		err := db.write(ctx, func(q querier) error {
			for _, key := range part {
				if _, err := q.ExecContext(ctx, query, args(key, uses[key])...); err != nil {
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
