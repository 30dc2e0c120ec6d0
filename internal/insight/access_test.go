package insight_test

import (
	"io"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/insight"
	"github.com/cardea-dev/cardea/internal/store"
)

// A look is a call of a use case about an organization and a key of it, as somebody.
type look func(w *world, who cardea.Actor, organization, key string) error

// looks are the use cases that members have. TestEveryUseCaseIsKnown holds both tables
// complete.
var looks = map[string]look{
	"Requests": func(w *world, who cardea.Actor, o, _ string) error {
		return second2(w.Requests(w.ctx, who, insight.RequestFilter{Organization: o}))
	},
	"Groups": func(w *world, who cardea.Actor, o, _ string) error {
		return second2(w.Groups(w.ctx, who, insight.RequestFilter{Organization: o}))
	},
	"Explain": func(w *world, who cardea.Actor, _, _ string) error {
		return second2(w.Explain(w.ctx, who, access.ID{ID: "req_theirs"}))
	},
	"Usage": func(w *world, who cardea.Actor, o, _ string) error {
		return second2(w.Usage(w.ctx, who, insight.UsageQuery{Organization: o}))
	},
	"Series": func(w *world, who cardea.Actor, o, _ string) error {
		return second2(w.Series(w.ctx, who, insight.UsageQuery{Organization: o}))
	},
	"LimitsNow": func(w *world, who cardea.Actor, o, key string) error {
		if err := second2(w.LimitsNow(w.ctx, who, insight.LimitsQuery{Organization: o})); err != nil {
			return err
		}
		return second2(w.LimitsNow(w.ctx, who, insight.LimitsQuery{Key: key}))
	},
	"AuditEvents": func(w *world, who cardea.Actor, o, _ string) error {
		return second2(w.AuditEvents(w.ctx, who, insight.AuditFilter{Organization: o}))
	},
	"ExportAudit": func(w *world, who cardea.Actor, o, _ string) error {
		return w.ExportAudit(w.ctx, who, insight.AuditFilter{Organization: o}, "csv", io.Discard)
	},
}

// forOperators are the use cases that members do not have, and whether observers do.
var forOperators = map[string]struct {
	observers bool
	look      look
}{
	"AuditCheckpoint": {false, func(w *world, who cardea.Actor, _, _ string) error {
		return second2(w.AuditCheckpoint(w.ctx, who, access.None{}))
	}},
	"VerifyAudit": {true, func(w *world, who cardea.Actor, _, _ string) error {
		return second2(w.VerifyAudit(w.ctx, who, insight.VerifyAudit{}))
	}},
	"Impact": {true, func(w *world, who cardea.Actor, _, _ string) error {
		return second2(w.Impact(w.ctx, who, insight.ImpactInput{Contract: acme}))
	}},
	"Health": {true, func(w *world, who cardea.Actor, _, _ string) error {
		return second2(w.Health(w.ctx, who, access.None{}))
	}},
}

// others are the methods that have no actor, or narrow by leaving out; see their tests.
var others = []string{"LastUsedAccuracy", "Sparks"}

func TestEveryUseCaseIsKnown(t *testing.T) {
	known := slices.Concat(slices.Collect(maps.Keys(looks)), slices.Collect(maps.Keys(forOperators)), others)
	slices.Sort(known)
	var methods []string
	for m := range reflect.TypeFor[*insight.Insight]().Methods() {
		methods = append(methods, m.Name)
	}
	slices.Sort(methods)
	if diff := cmp.Diff(known, methods); diff != "" {
		t.Errorf("methods of Insight that no test of access knows (-known +methods):\n%s", diff)
	}
}

// Whoever asks: members in every role see their organization's and hear of others' that
// they do not exist, observers see what operators see, and nobody else sees anything.
func TestWhoMaySeeWhat(t *testing.T) {
	w := sqlite(t)
	theirs, other := w.organization("Theirs"), w.organization("Other")
	key := w.key(theirs.ID, "CI").Key
	w.log(store.RequestRow{RequestID: "req_theirs", Credential: key.ID, Organization: theirs.ID, Reason: cardea.ReasonScope, Step: cardea.StepScope, Status: 403})
	stranger := w.member(other.ID, "s@example.com", cardea.RoleOwner)
	gone := w.member(theirs.ID, "gone@example.com", cardea.RoleOwner)
	must(w.manager.DisableMember(w.ctx, operator, access.ID{ID: gone.ID}))(t)
	check := func(name string, c look, who cardea.Actor, want cardea.Kind, ok bool) {
		t.Helper()
		if err := c(w, who, theirs.ID, key.ID); (err == nil) != ok || err != nil && cardea.KindOf(err) != want {
			t.Errorf("%s by %s %s: %v", name, who.Type, who.ID, err)
		}
	}
	nobody := []cardea.Actor{gone, {Type: "member", ID: "usr_none"}, {Type: "", ID: "x"}, {Type: "Operator", ID: "x"}, {Type: "client", ID: key.ID}}
	for name, c := range looks {
		for _, role := range []cardea.Role{cardea.RoleViewer, cardea.RoleDeveloper, cardea.RoleAdmin, cardea.RoleOwner} {
			check(name, c, w.member(theirs.ID, string(role)+name+"@example.com", role), 0, true)
		}
		check(name, c, operator, 0, true)
		check(name, c, observer, 0, true)
		check(name, c, stranger, cardea.KindNotFound, false)
		for _, who := range nobody {
			check(name, c, who, cardea.KindForbidden, false)
		}
	}
	owner := w.member(theirs.ID, "o@example.com", cardea.RoleOwner)
	for name, c := range forOperators {
		check(name, c.look, operator, 0, true)
		check(name, c.look, cardea.Actor{Type: "system", ID: "server"}, 0, true)
		check(name, c.look, observer, cardea.KindForbidden, c.observers)
		check(name, c.look, owner, cardea.KindForbidden, false)
		for _, who := range nobody {
			check(name, c.look, who, cardea.KindForbidden, false)
		}
	}
}

// A member who names what is another organization's in a filter gets nothing of it: not
// its requests, not its usage, not a line in a sparkline.
func TestFiltersDoNotReachAnotherOrganization(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mine, theirs := w.organization("Mine"), w.organization("Theirs")
		me, k := w.member(mine.ID, "me@example.com", cardea.RoleOwner), w.key(theirs.ID, "Secret project").Key
		w.log(store.RequestRow{RequestID: "req_theirs", Credential: k.ID, Organization: theirs.ID, Reason: cardea.ReasonRateLimited, Status: 429, Route: "GET /v1/things"})
		w.used(k.ID, theirs.ID, "GET /v1/things", 0)
		for _, f := range []insight.RequestFilter{
			{}, {Key: k.ID}, {Search: "req_theirs"}, {Search: "/v1"}, {Key: k.ID, Search: "req_theirs"}, {Status: "4xx"}, {Outcome: "error"},
			{Key: k.ID, Outcome: "denied"}, {Reason: "rate_limited"},
		} {
			if list := must(w.Requests(w.ctx, me, f))(t).Items; len(list) != 0 {
				t.Errorf("requests by %+v: %+v", f, list)
			}
			if groups := must(w.Groups(w.ctx, me, f))(t).Items; len(groups) != 0 {
				t.Errorf("groups by %+v: %+v", f, groups)
			}
		}
		for _, by := range []string{"key", "route", "hour", "status"} {
			if u := must(w.Usage(w.ctx, me, insight.UsageQuery{Key: k.ID, By: by}))(t); u.Total.Requests != 0 || len(u.Rows) != 0 {
				t.Errorf("usage by %s: %+v", by, u)
			}
		}
		for _, line := range must(w.Series(w.ctx, me, insight.UsageQuery{Key: k.ID}))(t).Lines {
			if slices.Max(line.Requests) != 0 {
				t.Errorf("series: %+v", line)
			}
		}
		sparks := must(w.Sparks(w.ctx, me, []string{k.ID, "key_none"}, 30))(t)
		if len(sparks) != 0 {
			t.Errorf("sparks: %v", sparks)
		}
		// The one whose key it is, and an operator, do see it.
		they := w.member(theirs.ID, "they@example.com", cardea.RoleViewer)
		for _, who := range []cardea.Actor{they, operator, observer} {
			if n := len(must(w.Requests(w.ctx, who, insight.RequestFilter{Key: k.ID}))(t).Items); n != 1 {
				t.Errorf("%s sees %d requests", who.Type, n)
			}
			if s := must(w.Sparks(w.ctx, who, []string{k.ID}, 2))(t)[k.ID]; !slices.Equal(s, []int64{0, 7}) {
				t.Errorf("%s sees %v", who.Type, s)
			}
		}
		if e := must(w.Explain(w.ctx, they, access.ID{ID: "req_theirs"}))(t); e.Contract != nil && e.Contract.Text != "" {
			t.Errorf("a member reads the contract: %q", e.Contract.Text)
		}
	})
}

// What is no filter is refused by name, before it becomes a query.
func TestBadFiltersAreRefused(t *testing.T) {
	w := sqlite(t)
	for field, f := range map[string]insight.RequestFilter{
		"key": {Key: "a b"}, "environment": {Environment: "x'y"}, "reason": {Reason: "nope"}, "method": {Method: "GET /"}, "outcome": {Outcome: "x"},
		"status": {Status: "4xxx"}, "route": {Route: "GET /\x00"}, "address": {Address: "192.0.2.0/24"}, "search": {Search: "%"}, "organization": {Organization: "%"},
		"from": {From: start, To: start.Add(-time.Hour)}, "to": {To: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)}, "limit": {Page: access.Page{Limit: 900}},
		"cursor": {Page: access.Page{Cursor: "AAAAAAAAAAAAAA"}},
	} {
		_, err := w.Requests(w.ctx, operator, f)
		wantField(t, err, field)
	}
	for _, status := range []string{"99", "600", "x", "6xx", "0xx", "4x", "+403", "1000", "40x", " 4xx", "-4xx"} {
		_, err := w.Groups(w.ctx, operator, insight.RequestFilter{Status: status})
		wantField(t, err, "status")
	}
	for field, f := range map[string]insight.AuditFilter{
		"target": {Target: "a b"}, "actor": {Actor: "%"}, "action": {Action: "key revoke"}, "address": {Address: "x"}, "from": {From: start, To: start},
	} {
		_, err := w.AuditEvents(w.ctx, operator, f)
		wantField(t, err, field)
	}
	for field, q := range map[string]insight.UsageQuery{
		"by": {By: "hour"}, "from": {From: start.AddDate(-3, 0, 0)}, "key": {Key: "*"},
	} {
		_, err := w.Series(w.ctx, operator, q)
		wantField(t, err, field)
	}
	_, err := w.Sparks(w.ctx, operator, []string{"'"}, 30)
	wantField(t, err, "ids")
	_, err = w.Sparks(w.ctx, operator, []string{"key_1"}, 4000)
	wantField(t, err, "days")
	_, err = w.LimitsNow(w.ctx, operator, insight.LimitsQuery{})
	wantField(t, err, "organization")
}
