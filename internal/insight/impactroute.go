package insight

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/store"
)

// routeSpan is how far back the use of a route counts.
const routeSpan = 30 * 24 * time.Hour

// A routeChange is a route that asks for more than it did, or is gone.
type routeChange struct {
	old   *contract.Route
	now   *contract.Route // what answers its requests; nil: nothing
	note  *note
	scope bool // it is about scopes: only who lacks one is concerned
}

// findRoutes notes the routes that are gone or need more.
func (c *comparison) findRoutes() {
	for _, old := range c.old.Routes() {
		methods := old.Methods
		if methods == nil {
			methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
		}
		for _, method := range methods {
			c.route(old, method)
		}
	}
}

// route notes what becomes of the requests of one method to a route.
func (c *comparison) route(old *contract.Route, method string) {
	where := old.Pattern
	if len(old.Methods) != 1 {
		where = method + " " + where[strings.IndexByte(where, '/'):]
	}
	now := c.new.Match(method, c.sample(old.Pattern)).Route
	add := func(worst Severity, effect string, scope bool) {
		line := 0
		if now != nil {
			line = now.Line
		}
		c.routes = append(c.routes, &routeChange{old: old, now: now, note: c.note(worst, "route", where, line, effect), scope: scope})
	}
	if now == nil {
		add(Breaks, "the route is gone: its requests are refused", false)
		return
	}
	if old.Public && !now.Public {
		add(Breaks, "the route was public and now needs a credential", false)
	}
	if more := c.more(old, now); len(more) > 0 {
		add(Breaks, "the route now needs "+strings.Join(more, ", "), true)
	}
	for _, e := range c.old.Environments() {
		env := c.new.Environment(e.Name)
		if env != nil && old.Environments[e.Index] && !now.Environments[env.Index] {
			add(Breaks, "the route no longer exists in "+e.Name, false)
		}
	}
}

// more returns the scopes that a route needs and did not need.
func (c *comparison) more(old, now *contract.Route) []string {
	var more []string
	had := c.old.ScopeNames(old.Scopes)
	for _, name := range c.new.ScopeNames(now.Scopes) {
		if !slices.Contains(had, name) {
			more = append(more, name)
		}
	}
	return more
}

// sample returns a path that a pattern matches and that no other route is likely to name.
func (c *comparison) sample(pattern string) string {
	parts := strings.Split(pattern[strings.IndexByte(pattern, '/'):], "/")
	for i, part := range parts {
		switch {
		case part == "{$}":
			parts[i] = ""
		case part == "{environment}" && len(c.new.Environments()) > 0:
			parts[i] = c.new.Environments()[0].Name
		case strings.HasPrefix(part, "{"):
			parts[i] = "any-0-thing"
		}
	}
	return strings.Join(parts, "/")
}

// usedRoutes counts who used the routes that change.
func (c *comparison) usedRoutes(ctx context.Context, db *store.DB) error {
	by := map[string][]*routeChange{} // :: pattern → what becomes of it
	for _, r := range c.routes {
		by[r.old.Pattern] = append(by[r.old.Pattern], r)
	}
	if len(by) == 0 {
		return nil
	}
	var patterns []string
	for pattern := range by {
		patterns = append(patterns, pattern)
	}
	slices.Sort(patterns)
	return db.EachUse(ctx, patterns, c.now.Add(-routeSpan).Truncate(time.Hour), func(pattern, id string) error {
		return c.used(ctx, db, by[pattern], id)
	})
}

// used counts a credential, "" for callers that none was known of, that used a route.
func (c *comparison) used(ctx context.Context, db *store.DB, changed []*routeChange, id string) error {
	live, err := store.Credential{Name: "callers without a credential"}, error(nil)
	if id != "" {
		live, err = db.Credential(ctx, id)
		if cardea.KindOf(err) == cardea.KindNotFound && err != nil || err == nil && live.Status(c.now) != store.StatusActive {
			return nil // it is refused as it is
		}
		if err != nil {
			return err
		}
	}
	had, _ := c.old.ScopeSet(live.Scopes...)
	has, _ := c.new.ScopeSet(live.Scopes...)
	for _, r := range changed {
		switch {
		case !r.scope:
			r.note.concerns(live.Name)
		case id != "" && c.old.Expand(had).Contains(r.old.Scopes) && !c.new.Expand(has).Contains(r.now.Scopes):
			r.note.concerns(live.Name)
		}
	}
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
