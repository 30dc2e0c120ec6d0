package authz

import (
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
)

// fillOpaque turns what the store found about an opaque access token into an entry; nil
// when there is no such token.
func (a *Authorizer) fillOpaque(v *view, q *question, l *store.Lookup) (*entry, fault) {
	k := &l.Token
	env := v.contract.Environment(k.Environment)
	if !l.Found || env == nil {
		v.unknown.add(&q.hash, l.Seq, q.now, sound)
		return nil, sound
	}
	granted, _ := v.contract.ScopeSet(k.Scopes...)
	t := &verified{
		origin: fromDatabase, kind: v.contract.TokenKind(), env: env, scopes: v.contract.Expand(granted),
		id: k.ID, subject: k.Subject, client: k.Client, jkt: k.DPoP,
		until: microseconds(k.ExpiresAt), iat: k.CreatedAt, organization: k.Organization,
		query: store.PrincipalQuery{Credential: k.Client, Member: k.Member},
	}
	for _, other := range []string{k.Member, k.Client} {
		if t.subject == "" {
			t.subject = other
		}
	}
	e, f := a.fillToken(v, q, t, l)
	if e == nil {
		v.unknown.add(&q.hash, l.Seq, q.now, f)
	}
	return e, f
}

// fillToken turns a token and how those stand whom it names into an entry, and keeps it
// if nothing has changed since they were read. No entry means that the token is about
// somebody who is not there, or contradicts what is known of them.
func (a *Authorizer) fillToken(v *view, q *question, t *verified, l *store.Lookup) (*entry, fault) {
	if f := t.fits(l); f != sound {
		return nil, f
	}
	until, flags := t.standing(l)
	c := l.Credential
	if !l.CredentialFound {
		// Somebody else's issuer, or a token that names no client: nothing limits it
		// besides its organization.
		if c = (store.Credential{ID: t.client}); c.ID == "" {
			c.ID = t.subject
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	// See [Authorizer.fill]. An assertion is no token for requests.
	keep := l.Seq >= a.applied.Load() && a.view.Load() == v && q.audiences == nil
	e := &entry{
		hash:    q.place,
		account: a.account(v, l, t.env, t.payer(l), t.plan, keep),
		profile: v.profile(&c, t.kind, t.env, flags, t.may(v.contract, l), keep),
		until:   until,
		holder:  a.holderOf(t, l),
	}
	e.setID(c.ID)
	if q.now.UnixMicro() < until {
		e.setUse(seconds(q.now), seconds(c.LastUsedAt)) // the dead are the first to be displaced
	}
	a.fillBuckets(v, e, l, q.now)
	if keep {
		table := v.tokens
		if t.text == "" {
			table = v.table
		}
		table.put(e)
	}
	return e, sound
}

// fits reports what is wrong with a token whose signature is good: everybody it names
// must exist, and be what the token says of them.
func (t *verified) fits(l *store.Lookup) fault {
	switch {
	case t.query.Member != "" && !l.MemberFound, t.query.Organization != "" && !l.OrganizationFound:
		return faultCaller
	case t.organization != "" && t.organization != l.Organization.ID, l.MemberFound && l.Member.Organization != l.Organization.ID:
		return faultClaims // a member of another organization, or who has left
	case t.external():
		return sound
	case !l.OrganizationFound:
		return faultCaller
	case l.CredentialFound:
		if l.Credential.Environment != t.env.Name {
			return faultCaller // a key of one environment speaks for no other
		}
		return sound
	case t.query.Credential == "":
		return sound // a user's token of a contract whose tokens name no client
	}
	return faultCaller
}

// may returns what the token may do: what it was given, as far as its credential still
// has it.
func (t *verified) may(c *contract.Contract, l *store.Lookup) contract.ScopeSet {
	if !l.CredentialFound {
		return t.scopes
	}
	granted, _ := c.ScopeSet(l.Credential.Scopes...)
	return t.scopes.Intersect(c.Expand(granted))
}

// standing returns until when the token is good, and what has ended it already.
func (t *verified) standing(l *store.Lookup) (until int64, f flags) {
	until = t.until
	for _, end := range []time.Time{l.Credential.ExpiresAt, l.AccountKey.ExpiresAt} {
		if at := microseconds(end); at != 0 && at < until {
			until = at
		}
	}
	before := func(mark time.Time) bool { return !mark.IsZero() && !t.iat.After(mark) }
	if l.TokenRevoked || before(l.CredentialNotBefore) || before(l.MemberNotBefore) || before(l.ConsentNotBefore) {
		f |= revoked
	}
	for _, at := range []time.Time{l.Credential.RevokedAt, l.AccountKey.RevokedAt, l.FamilyRevokedAt, l.ConsentRevokedAt} {
		if !at.IsZero() {
			f |= revoked
		}
	}
	if !l.Credential.DisabledAt.IsZero() || !l.MemberDisabledAt.IsZero() {
		f |= disabled
	}
	if !l.CredentialSuspendedAt.IsZero() {
		f |= suspended
	}
	return until, f
}

// anyKey stands for all of our signing keys, for tokens that do not say which.
const anyKey = "any signing key"

// holderOf returns what makes the entry a token. The caller holds the lock.
func (a *Authorizer) holderOf(t *verified, l *store.Lookup) *holder {
	member := ""
	if l.MemberFound {
		member = l.Member.ID
	}
	key := t.keyID
	switch {
	case t.external():
		key = t.place
	case key == "" && t.origin == fromUs:
		key = anyKey
	}
	known := &live{verified: t}
	for i, id := range []string{l.Credential.ID, l.Credential.Organization, t.query.TokenID, l.Family, l.Consent, key} {
		known.guards[i] = a.guardOf(id)
	}
	if t.origin == fromDatabase {
		known.guards[guardToken] = a.guardOf(t.id)
	}
	if t.external() {
		known.owner = t.issuer + "/" + t.subject
	}
	return &holder{
		member: member, guard: a.guardOf(member), token: known,
		mark: latest(l.CredentialNotBefore, l.MemberNotBefore, l.ConsentNotBefore),
	}
}

// payer returns whose limits count: the organization, or for somebody else's user
// without one, that user.
func (t *verified) payer(l *store.Lookup) string {
	if l.OrganizationFound {
		return l.Organization.ID
	}
	return t.issuer + "/" + t.subject
}

// latest returns the last of several instants.
func latest(instants ...time.Time) (last time.Time) {
	for _, t := range instants {
		if t.After(last) {
			last = t
		}
	}
	return last
}
