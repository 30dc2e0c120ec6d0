package authz

import (
	"context"
	"time"
)

// askIssuers is how often, in seconds, an issuer's keys are asked for again on behalf of a
// token that was verified with them: a key that its issuer withdraws is noticed within
// that time and the age that the key set may have (see [token.Cache]).
const askIssuers = 30

// vouched reports whether the keys still stand that a token's signature was verified
// with. Whoever else an entry depends on is not its business: see [Authorizer.stale].
func (a *Authorizer) vouched(ctx context.Context, e *entry, now time.Time) bool {
	t := e.token()
	if t == nil {
		return true
	}
	switch t.origin {
	case fromUs:
		return a.cfg.Keys.Generation() == t.generation.Load() && !a.broken(t.guards[guardKey])
	case fromOrganization:
		if a.broken(t.guards[guardKey]) {
			return false // the organization's trust has changed
		}
		return a.issuerStands(ctx, t.verified, now)
	case fromIssuer:
		return a.issuerStands(ctx, t.verified, now)
	}
	// An opaque token has no signature, and a service account's keys never change: that
	// one was revoked shows in the account's standing.
	return true
}

// issuerStands reports whether an issuer still has the keys it had. An issuer that cannot
// be asked keeps them as long as the cache of key sets keeps them.
func (a *Authorizer) issuerStands(ctx context.Context, t *verified, now time.Time) bool {
	last, generation := t.checked.Load(), a.cfg.Issuers.Generation()
	if age := now.Unix() - last; age >= 0 && age < askIssuers && generation == t.generation.Load() {
		return true
	}
	set, err := a.cfg.Issuers.Keys(ctx, t.source, "")
	if err != nil || set != t.set {
		return false
	}
	t.generation.Store(generation)
	t.checked.CompareAndSwap(last, now.Unix())
	return true
}
