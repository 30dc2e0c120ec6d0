package store

import (
	"context"
	"time"
)

// liveStep is how many credentials are read at a time.
const liveStep = 1000

// EachLiveCredential calls fn for every credential that is neither revoked nor disabled,
// oldest first. Those that come or go meanwhile may be missed.
func (r Reader) EachLiveCredential(ctx context.Context, fn func(Credential)) error {
	for at, id := int64(-1<<62), ""; ; {
		s := sel(`SELECT `+credentialColumns+` FROM credential`).and("(created_at, id) > (?, ?)", at, id)
		s.and("revoked_at IS NULL AND disabled_at IS NULL").add(" ORDER BY created_at, id LIMIT ?", liveStep)
		list, err := collect(ctx, r, s, (*Credential).scan)
		if err != nil {
			return err
		}
		for _, c := range list {
			fn(c)
		}
		if len(list) < liveStep {
			return nil
		}
		last := &list[len(list)-1]
		at, id = last.CreatedAt.UnixMicro(), last.ID
	}
}

// EachLiveClient is [Reader.EachLiveCredential] for clients, with what is kept beside.
func (r Reader) EachLiveClient(ctx context.Context, fn func(Client)) error {
	for at, id := int64(-1<<62), ""; ; {
		s := clients.where("kind = 'client' AND (created_at, id) > (?, ?)", at, id)
		s.and("revoked_at IS NULL AND disabled_at IS NULL").add(" ORDER BY created_at, id LIMIT ?", liveStep)
		list, err := clients.all(ctx, r, s)
		if err != nil {
			return err
		}
		for _, c := range list {
			fn(c)
		}
		if len(list) < liveStep {
			return nil
		}
		last := &list[len(list)-1]
		at, id = last.Credential.CreatedAt.UnixMicro(), last.Credential.ID
	}
}

// CountPlans returns how many organizations that are not suspended are held to the limits
// of each plan: those without limits of their own.
func (r Reader) CountPlans(ctx context.Context) (map[string]int64, error) {
	type count struct {
		plan string
		n    int64
	}
	s := sel(`SELECT plan, count(*) FROM organization`).add(" AND limits IS NULL AND suspended_at IS NULL AND staff IS NULL GROUP BY plan")
	list, err := collect(ctx, r, s, func(c *count) []any { return []any{&c.plan, &c.n} })
	counts := map[string]int64{}
	for _, c := range list {
		counts[c.plan] = c.n
	}
	return counts, err
}

// CountOwnIssuers returns how many organizations have named an issuer.
func (r Reader) CountOwnIssuers(ctx context.Context) (n int, err error) {
	err = r.q.QueryRowContext(ctx, `SELECT count(DISTINCT organization) FROM organization_issuer`).Scan(&n)
	return n, r.db.classify(err)
}

// EachUse calls fn for every credential, "" for callers that none was known of, that was let
// through to one of some routes since an instant. It reads all usage since then.
func (db *DB) EachUse(ctx context.Context, routes []string, since time.Time, fn func(route, credential string) error) error {
	type use struct{ route, credential string }
	s := sel(`SELECT DISTINCT route, credential FROM usage_hourly`).between("hour", since, time.Time{})
	s.and("reason IN ('allowed', 'upstream_failed', 'upstream_timeout')")
	list, err := collect(ctx, Reader{q: db.usage, db: db}, s.in("route", routes), func(u *use) []any { return []any{&u.route, &u.credential} })
	for _, u := range list {
		if err == nil {
			err = fn(u.route, u.credential)
		}
	}
	return err
}
