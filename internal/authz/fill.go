package authz

import (
	"net/netip"
	"strings"
	"time"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/limit"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// fill turns what the store found into an entry, and keeps it if nothing has changed
// since the store read it. It returns nil for a secret that does not exist or that the
// contract has no kind or environment for.
func (a *Authorizer) fill(v *view, hash *secret.Hash, l *store.Lookup, now time.Time) *entry {
	var kind *contract.KeyKind
	var env *contract.Environment
	if l.Found {
		kind, env = v.kind(l.Credential.Kind), v.contract.Environment(l.Credential.Environment)
	}
	if kind == nil || env == nil || l.Secret.Hash != *hash {
		// A kind or environment that the contract no longer has: nothing says what
		// such a credential may do, so it may do nothing.
		v.unknown.add(hash, l.Seq, now, sound)
		return nil
	}
	a.mu.Lock()
	// The fill guard. An older snapshot may lack a change that was applied already;
	// keeping it would undo that change. The request that asked may still use it.
	keep := l.Seq >= a.applied.Load() && a.view.Load() == v
	until, flags := standingOf(l)
	// Scopes that the contract no longer has grant nothing.
	granted, _ := v.contract.ScopeSet(l.Credential.Scopes...)
	e := &entry{
		hash:    *hash,
		account: a.account(v, l, env, l.Organization.ID, "", keep),
		profile: v.profile(&l.Credential, kind, env, flags, v.contract.Expand(granted), keep),
		until:   until,
	}
	e.setID(l.Credential.ID)
	if mark := latest(l.Credential.TokensNotBefore, l.MemberNotBefore); l.Credential.Member != "" || !mark.IsZero() {
		e.holder = &holder{member: l.Credential.Member, guard: a.guardOf(l.Credential.Member), mark: mark}
	}
	e.setUse(lastUse(l), seconds(l.Secret.LastUsedAt))
	// Before others can find the entry: without its buckets nothing limits it.
	a.fillBuckets(v, e, l, now)
	if keep {
		v.table.put(e)
	}
	a.mu.Unlock()
	return e
}

// fillBuckets gives an entry its buckets and tells them of the day's requests so far,
// so that day limits outlive a restart.
func (a *Authorizer) fillBuckets(v *view, e *entry, l *store.Lookup, now time.Time) {
	day := limit.Day(now)
	if v.contract.LimitsPer() != contract.LimitsPerCredential && !e.account.rule.IsZero() {
		b, _ := a.limits.Bucket(e.account.owner, now)
		b.Restore(day, l.OrganizationDay)
		e.account.bucket.Store(b)
	}
	if v.contract.LimitsPer() == contract.LimitsPerCredential || e.profile.ruled {
		b, _ := a.limits.Bucket(e.owner(), now)
		b.Restore(day, l.CredentialDay)
		e.bucket.Store(b)
	}
}

// account returns the organization in an environment, shared with the other entries
// of it while it is current. payer is whose requests are counted, as a rule the
// organization's id; plan is the name of the plan that counts in place of its own, or "".
// The caller holds the lock.
func (a *Authorizer) account(v *view, l *store.Lookup, env *contract.Environment, payer, plan string, keep bool) *account {
	owner := LimitOwner(payer, env.Name)
	name := owner
	if plan != "" {
		name += "/" + plan
	}
	if acc := v.accounts[name]; keep && acc != nil && !a.broken(acc.guard) {
		return acc
	}
	acc := &account{
		owner:     owner,
		suspended: !l.Organization.SuspendedAt.IsZero(),
		addresses: normalize(l.Addresses),
		limited:   l.Addresses != nil,
		guard:     a.guardOf(l.Organization.ID),
	}
	acc.organization = owner[:len(l.Organization.ID)] // one text for both
	o := l.Organization
	if plan != "" {
		o.Plan, o.Limits = plan, nil
	}
	acc.plan, acc.rule = planOf(v.contract, &o)
	if keep {
		if len(v.accounts) >= maxInterned {
			clear(v.accounts)
		}
		v.accounts[name] = acc
	}
	return acc
}

// maxInterned bounds the accounts and the profiles that can be found again; entries
// keep theirs.
const maxInterned = 1 << 17

// planOf returns the plan of an organization and the rule it is held to. A plan that
// the contract no longer has, and a custom plan whose figures nobody has set, count as
// the default plan: no organization is without limits by accident.
func planOf(c *contract.Contract, o *store.Organization) (*contract.Plan, limit.Rule) {
	plan := c.Plan(o.Plan)
	if plan == nil {
		plan = c.DefaultPlan()
	}
	if o.Limits != nil {
		return plan, limit.Rule{PerMinute: o.Limits.PerMinute, Burst: o.Limits.Burst, PerDay: o.Limits.PerDay}
	}
	if plan == nil {
		return nil, limit.Rule{} // the contract has no plans
	}
	rule := ruleOf(plan)
	if plan.Custom && rule.IsZero() && c.DefaultPlan() != nil {
		rule = ruleOf(c.DefaultPlan())
	}
	return plan, rule
}

func ruleOf(p *contract.Plan) limit.Rule {
	return limit.Rule{PerMinute: p.PerMinute, Burst: p.Burst, PerDay: p.PerDay}
}

// profileKey is what tells profiles apart.
type profileKey struct {
	kind      *contract.KeyKind
	env       *contract.Environment
	flags     flags
	scopes    contract.ScopeSet
	rule      limit.Rule
	limited   bool
	addresses string
	idPrefix  string
}

// profile returns the profile of a credential with these scopes, implied ones included,
// shared where the id can be packed. The caller holds the lock.
func (v *view) profile(c *store.Credential, kind *contract.KeyKind, env *contract.Environment, flags flags, scopes contract.ScopeSet, keep bool) *profile {
	key := profileKey{
		kind: kind, env: env, flags: flags, scopes: scopes,
		limited: c.Addresses != nil, addresses: spell(c.Addresses),
		idPrefix: c.ID[:strings.LastIndexByte(c.ID, '_')+1],
	}
	if c.Limits != nil {
		key.rule = limit.Rule{PerMinute: c.Limits.PerMinute, Burst: c.Limits.Burst, PerDay: c.Limits.PerDay}
	}
	_, packs := secret.PackID(c.ID, key.idPrefix)
	if p := v.profiles[key]; p != nil && packs {
		return p
	}
	p := &profile{
		kind: kind, env: env, flags: flags, scopes: key.scopes, ruled: !key.rule.IsZero(), rule: key.rule,
		addresses: normalize(c.Addresses), limited: key.limited, idPrefix: key.idPrefix,
	}
	if !packs {
		p.idText = c.ID
		return p
	}
	if keep {
		if len(v.profiles) >= maxInterned {
			clear(v.profiles)
		}
		v.profiles[key] = p
	}
	return p
}

// spell writes a list so that two lists are spelled alike only if they are alike.
func spell(list []netip.Prefix) string {
	if len(list) == 0 {
		return ""
	}
	var b []byte
	for _, p := range list {
		b = append(p.AppendTo(b), ' ')
	}
	return string(b)
}

// standingOf returns what a record says about a secret's standing: until when it is
// good, 0 for ever, and the rest in flags.
func standingOf(l *store.Lookup) (until int64, f flags) {
	until = microseconds(l.Credential.ExpiresAt)
	if !l.Credential.RevokedAt.IsZero() {
		f |= revoked
	}
	if !l.Credential.DisabledAt.IsZero() || !l.MemberDisabledAt.IsZero() {
		f |= disabled
	}
	if !l.Secret.ExpiresAt.IsZero() {
		f |= oldSecret
		if end := microseconds(l.Secret.ExpiresAt); until == 0 || end < until {
			until, f = end, f|superseded
		}
	}
	return until, f
}

// lastUse returns when a credential was last used, created or given this secret, as
// Unix seconds: one that nobody ever used is idle from then on.
func lastUse(l *store.Lookup) uint32 {
	last := l.Credential.CreatedAt
	for _, t := range []time.Time{l.Credential.LastUsedAt, l.Secret.CreatedAt} {
		if t.After(last) {
			last = t
		}
	}
	return seconds(last)
}

// seconds returns t in seconds of Unix time, 0 for the zero time.
func seconds(t time.Time) uint32 { return uint32(max(0, t.Unix())) }

// microseconds returns t as the database has it, 0 for the zero time.
func microseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
