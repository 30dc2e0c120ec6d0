package insight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
)

// credential counts a live credential with the changes that concern it.
func (c *comparison) credential(live store.Credential) {
	if live.Status(c.now) == store.StatusExpired {
		return
	}
	for _, name := range live.Scopes {
		if c.loses(live.Scopes, name) {
			c.note(Breaks, "scope", name, c.scopeLine(name), c.scopeEffect(name)).concerns(live.Name)
		}
	}
	old, now := kindIn(c.old, live.Kind), kindIn(c.new, live.Kind)
	env := c.new.Environment(live.Environment)
	switch {
	case old == nil || c.old.Environment(live.Environment) == nil: // it is refused as it is
	case now == nil:
		c.note(Breaks, "kind", live.Kind, 0, effectNoKind).concerns(live.Name)
	case env == nil:
		c.note(Breaks, "environment", live.Environment, 0, effectNoEnvironment).concerns(live.Name)
	default:
		c.keyOf(live, old, now)
	}
}

// loses reports whether a credential with some scopes loses any for what becomes of one of
// them: what another of its scopes still grants it keeps.
func (c *comparison) loses(scopes []string, name string) bool {
	if len(c.lost[name]) == 0 {
		return false
	}
	key := name + "\x00" + strings.Join(scopes, " ")
	loses, known := c.losers[key] // a hundred thousand keys have a handful of grants
	if !known {
		set, _ := c.new.ScopeSet(scopes...)
		kept := c.new.ScopeNames(c.new.Expand(set))
		loses = slices.ContainsFunc(c.lost[name], func(lost string) bool { return !slices.Contains(kept, lost) })
		c.losers[key] = loses
	}
	return loses
}

// kindIn returns what a contract says about credentials of a stored kind, nil for nothing.
func kindIn(c *contract.Contract, name string) *contract.KeyKind {
	switch name {
	case store.KindClient:
		if c.Clients() == nil {
			return nil
		}
		return c.ClientKind()
	case store.KindServiceAccount:
		if c.ServiceAccounts() == nil {
			return nil
		}
		return c.AccountKind()
	}
	return c.Kind(name)
}

// keyOf counts a credential whose kind is in both contracts.
func (c *comparison) keyOf(live store.Credential, old, now *contract.KeyKind) {
	place := live.Kind + " in " + live.Environment
	for key, n := range c.notes {
		switch {
		case key.what != "kind" || key.where != live.Kind && key.where != place:
		case key.effect == effectIdle:
			if last := latest(live.LastUsedAt, live.CreatedAt); c.now.Sub(last) >= now.Idle && (old.Idle == 0 || c.now.Sub(last) < old.Idle) {
				n.concerns(live.Name)
			}
		case key.effect == effectLifetime:
			if end := now.MaxLifetime.After(live.CreatedAt); live.ExpiresAt.IsZero() || live.ExpiresAt.After(end) {
				n.concerns(live.Name)
			}
		case n.Credentials >= 0:
			n.concerns(live.Name)
		}
	}
}

// organizations counts the organizations whose limits become lower, and those with an
// issuer of their own.
func (c *comparison) organizations(ctx context.Context, db *store.DB) error {
	counts, err := db.CountPlans(ctx) // without limits of their own
	if err != nil {
		return err
	}
	for name, n := range counts {
		was, is := limitsOf(c.old, name), limitsOf(c.new, name)
		lower := lowered(was, is)
		switch {
		case len(lower) > 0:
			c.plan(Breaks, name, "the limits become lower: "+strings.Join(lower, ", ")).Organizations = int(n)
		case c.old.Plan(name) != nil && c.new.Plan(name) == nil:
			c.plan(Warns, name, "the plan is gone: its organizations are held to the default plan").Organizations = int(n)
		}
	}
	for _, p := range c.old.Plans() {
		if c.new.Plan(p.Name) == nil && counts[p.Name] == 0 {
			c.plan(Warns, p.Name, "the plan is gone")
		}
	}
	if c.notes[noteKey{"organization_issuers", "", effectNoOwnIssuers}] == nil {
		return nil
	}
	n, err := db.CountOwnIssuers(ctx)
	c.note(Breaks, "organization_issuers", "", 0, effectNoOwnIssuers).Organizations = n
	return err
}

func (c *comparison) plan(worst Severity, name, effect string) *note {
	line := 0
	if p := c.new.Plan(name); p != nil {
		line = p.Line
	}
	return c.note(worst, "plan", name, line, effect)
}

// limitsOf returns the limits that organizations of a plan are held to: those of the
// default plan where the contract has none of that name, or a custom one without figures.
func limitsOf(c *contract.Contract, name string) store.Limits {
	p := c.Plan(name)
	if p == nil || p.Custom && p.PerMinute == 0 && p.Burst == 0 && p.PerDay == 0 {
		p = c.DefaultPlan()
	}
	if p == nil {
		return store.Limits{}
	}
	return store.Limits{PerMinute: p.PerMinute, Burst: p.Burst, PerDay: p.PerDay}
}

// lowered says which limits become lower; 0 is none.
func lowered(was, is store.Limits) []string {
	var lower []string
	for _, l := range []struct {
		was, is int64
		text    string
	}{{was.PerMinute, is.PerMinute, "a minute"}, {was.Burst, is.Burst, "at once"}, {was.PerDay, is.PerDay, "a day"}} {
		if l.is > 0 && (l.was == 0 || l.is < l.was) {
			before := "no limit"
			if l.was > 0 {
				before = fmt.Sprint(l.was)
			}
			lower = append(lower, fmt.Sprintf("%d %s (%s now)", l.is, l.text, before))
		}
	}
	return lower
}

// clients counts clients whose grants or authentication are no longer offered.
func (c *comparison) clients(ctx context.Context, db *store.DB) error {
	if c.new.Clients() == nil || c.old.Clients() == nil {
		return nil // they are counted as credentials
	}
	return db.EachLiveClient(ctx, func(client store.Client) {
		if client.Credential.Status(c.now) == store.StatusExpired {
			return
		}
		for _, g := range client.Grants {
			if n := c.notes[noteKey{"grant", g, effectNoGrant}]; n != nil {
				n.concerns(client.Credential.Name)
			}
		}
		left := func(way string) bool {
			return slices.Contains(c.new.Clients().Authentication, contract.ClientAuthentication(way))
		}
		for _, way := range client.Authentication {
			n := c.notes[noteKey{"client authentication", way, effectNoAuthentication}]
			if n != nil && !slices.ContainsFunc(client.Authentication, left) {
				n.concerns(client.Credential.Name)
			}
		}
	})
}
