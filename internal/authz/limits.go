package authz

import (
	"context"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/limit"
	"github.com/cardea-dev/cardea/internal/store"
)

// limit is step 10, the only one that charges: the organization's limits and the
// credential's own, all or none.
func (j *judgement) limit(ctx context.Context) (cardea.Reason, error) {
	// A bucket can be swept between finding and using it; a second miss in a row
	// means that the table is far too small, and fails closed.
	for range 3 {
		outer, outerRule, inner, innerRule := j.buckets()
		result := limit.Take(j.now, outer, outerRule, inner, innerRule)
		if result.Gone {
			if err := j.renewBuckets(ctx); err != nil {
				return cardea.ReasonUnavailable, err
			}
			continue
		}
		j.Limit = result.Limit
		if result.Allowed {
			j.NoteUse = j.entry.touch(j.now, writeEvery(j.view.table.count.Load(), j.entry.profile.kind.Idle))
		}
		return limited(&result), nil
	}
	return cardea.ReasonUnavailable, unavailable(nil)
}

// limited returns the reason that limits have to refuse.
func limited(r *limit.Result) cardea.Reason {
	switch {
	case r.Allowed:
		return pass
	case r.Limit.Window == limit.WindowDay:
		return cardea.ReasonQuota
	}
	return cardea.ReasonRateLimited
}

// spent refuses, before a hook is asked, a caller with no request left: a hook is
// somebody's service, and answers so many questions at a time. Who is refused anyway must
// not keep it from answering about others. Nothing is charged.
func (j *judgement) spent() cardea.Reason {
	if !j.concerned(j.view.hooks) {
		return pass
	}
	outer, outerRule, inner, innerRule := j.buckets()
	result := limit.Check(j.now, outer, outerRule, inner, innerRule)
	if result.Gone || result.Allowed {
		return pass
	}
	j.Limit = result.Limit
	return limited(&result)
}

// peek describes the limits of a caller who is refused for another reason.
func (j *judgement) peek() {
	outer, outerRule, inner, innerRule := j.buckets()
	j.Limit = limit.Peek(j.now, outer, outerRule, inner, innerRule).Limit
}

// buckets returns what limits the caller. Limits are counted for the organization,
// with the credential's own on top, or for the credential alone: then its one bucket
// is held to the stricter of both rules.
func (j *judgement) buckets() (outer *limit.Bucket, outerRule limit.Rule, inner *limit.Bucket, innerRule limit.Rule) {
	e := j.entry
	if j.view.contract.LimitsPer() == contract.LimitsPerCredential {
		return nil, limit.Rule{}, e.bucket.Load(), stricter(e.account.rule, e.profile.rule)
	}
	if !e.profile.ruled {
		return e.account.bucket.Load(), e.account.rule, nil, limit.Rule{}
	}
	return e.account.bucket.Load(), e.account.rule, e.bucket.Load(), e.profile.rule
}

// stricter returns the rule that admits only what both admit.
func stricter(a, b limit.Rule) limit.Rule {
	return limit.Rule{
		PerMinute: least(a.PerMinute, b.PerMinute),
		Burst:     least(a.Burst, b.Burst),
		PerDay:    least(a.PerDay, b.PerDay),
	}
}

// least returns the smaller limit, where 0 or less is none.
func least(a, b int64) int64 {
	switch {
	case a <= 0:
		return b
	case b <= 0:
		return a
	}
	return min(a, b)
}

// renewBuckets finds the buckets again after one was swept. Where a day is limited its
// count is read again, and without it nobody is admitted: a quota must not start again
// because memory was short.
func (j *judgement) renewBuckets(ctx context.Context) error {
	_, outerRule, _, innerRule := j.buckets()
	var l store.Lookup
	if outerRule.PerDay > 0 || innerRule.PerDay > 0 {
		var err error
		if l, err = j.entry.lookup(ctx, j.a.cfg.Store); err != nil {
			return unavailable(err)
		}
	}
	j.a.fillBuckets(j.view, j.entry, &l, j.now)
	return nil
}

// lookup reads the entry's record again.
func (e *entry) lookup(ctx context.Context, db *store.DB) (store.Lookup, error) {
	t := e.token()
	switch {
	case t == nil:
		return db.LookupSecret(ctx, e.hash)
	case t.origin == fromDatabase:
		return db.LookupToken(ctx, e.hash)
	}
	return db.LookupPrincipal(ctx, t.query)
}
