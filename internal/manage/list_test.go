package manage_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
)

// names reads a list of keys to its end, three at a time, and returns their names.
func (w *world) names(actor cardea.Actor, f manage.KeyFilter) []string {
	w.t.Helper()
	var names []string
	f.Limit = 3
	for range 100 {
		list := must(w.Keys(w.ctx, actor, f))(w.t)
		for _, k := range list.Items {
			names = append(names, k.Name)
		}
		if f.Cursor = list.Next; f.Cursor == "" {
			return names
		}
	}
	w.t.Fatal("the list has no end")
	return nil
}

// Each order shows every key once, page by page, also while keys are made and used in
// between, and those without a value last.
func TestEveryOrderShowsEveryKeyOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		w.key(w.organization("Other").ID, "not ours")
		for i := range 10 {
			w.advance(time.Second)
			in := manage.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: fmt.Sprintf("%c key", "jAbZcDyEfg"[i])}
			if i%2 == 0 {
				in.ExpiresAt = w.clock().Add(time.Duration(i*7%10+1) * time.Hour)
			} else {
				in.NeverExpires = true
			}
			must(w.CreateKey(w.ctx, operator, in))(t)
		}
		newest := w.names(operator, manage.KeyFilter{Organization: o.ID})
		if len(newest) != 10 || newest[0] != "g key" || newest[9] != "j key" {
			t.Errorf("newest first: %v", newest)
		}
		sort := func(by string) []string {
			return w.names(operator, manage.KeyFilter{Organization: o.ID, Narrow: manage.Narrow{Sort: by}})
		}
		if got := sort(manage.SortName); !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) }) || len(got) != 10 {
			t.Errorf("by name: %v", got)
		}
		if got := sort(manage.SortExpires); len(got) != 10 || !slices.Equal(got[:5], []string{"j key", "y key", "b key", "f key", "c key"}) {
			t.Errorf("by end: %v", got)
		}
		for _, by := range []string{manage.SortNewest, manage.SortName, manage.SortLastUsed, manage.SortExpires} {
			got := sort(by)
			slices.Sort(got)
			if len(slices.Compact(got)) != 10 {
				t.Errorf("%s: %v", by, got)
			}
		}
		// A cursor belongs to its order and filter.
		first := must(w.Keys(w.ctx, operator, manage.KeyFilter{Organization: o.ID, Narrow: manage.Narrow{Sort: manage.SortName}, Page: manage.Page{Limit: 2}}))(t)
		for _, narrow := range []manage.Narrow{{}, {Sort: manage.SortExpires}, {Sort: manage.SortName, Search: "key"}, {Sort: manage.SortName, Status: manage.StatusActive}} {
			_, err := w.Keys(w.ctx, operator, manage.KeyFilter{Organization: o.ID, Narrow: narrow, Page: manage.Page{Cursor: first.Next}})
			wantField(t, err, "cursor")
		}
		// The longest names that there may be have cursors too.
		for range 3 {
			w.key(o.ID, strings.Repeat("\U0001F511", 100))
		}
		if got := sort(manage.SortName); len(got) != 13 {
			t.Errorf("with long names: %d keys", len(got))
		}
	})
}

// A search looks for what was typed, as text: no character of it is a pattern, a quote or
// too much.
func TestSearchesLookForText(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		for _, name := range []string{"100% sure", "snake_case", `say "hi"`, "it's", `back\slash`, "bang!", "Ünïcode", "plain"} {
			w.key(o.ID, name)
		}
		k := w.key(o.ID, "hinted").Key
		find := func(text string) []string {
			return w.names(operator, manage.KeyFilter{Organization: o.ID, Narrow: manage.Narrow{Search: text}})
		}
		for text, want := range map[string][]string{
			"%": {"100% sure"}, "_case": {"snake_case"}, `"hi"`: {`say "hi"`}, "'": {"it's"}, `\`: {`back\slash`}, "!": {"bang!"}, "ÜNÏ": {"Ünïcode"},
			" PLAIN ": {"plain"}, "a%n": nil, "pl_in": nil, "' OR 1=1 --": nil, "!!": nil, "%%": nil,
			k.Hint: {"hinted"}, k.Hint[len(k.Hint)-4:]: {"hinted"}, k.ID: {"hinted"},
		} {
			if diff := cmp.Diff(want, find(text)); diff != "" {
				t.Errorf("search for %q (-want +got):\n%s", text, diff)
			}
		}
		for _, bad := range []string{strings.Repeat("x", 10<<10), "a\x00b", "a\nb", "\xff", "\u202e"} {
			narrow := manage.Narrow{Search: bad}
			_, err := w.Keys(w.ctx, operator, manage.KeyFilter{Organization: o.ID, Narrow: narrow})
			wantField(t, err, "search")
			_, err = w.KeyCounts(w.ctx, operator, manage.KeyFilter{Organization: o.ID, Narrow: narrow})
			wantField(t, err, "search")
			_, err = w.Clients(w.ctx, operator, manage.ClientFilter{Organization: o.ID, Narrow: narrow})
			wantField(t, err, "search")
			_, err = w.Members(w.ctx, operator, manage.MemberFilter{Organization: o.ID, Search: bad})
			wantField(t, err, "search")
			_, err = w.Organizations(w.ctx, operator, manage.OrganizationFilter{Search: bad})
			wantField(t, err, "search")
		}
		for field, narrow := range map[string]manage.Narrow{
			"status": {Status: "gone"}, "sort": {Sort: "folded; DROP TABLE credential"}, "scope": {Scope: `a"b`},
		} {
			_, err := w.Keys(w.ctx, operator, manage.KeyFilter{Organization: o.ID, Narrow: narrow})
			wantField(t, err, field)
		}
		_, err := w.Keys(w.ctx, operator, manage.KeyFilter{Narrow: manage.Narrow{Sort: manage.SortName}})
		wantField(t, err, "sort")
	})
}

// Statuses, scopes and counts agree with each other and with what is shown.
func TestStatusesAndCountsAgree(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		make := func(name string, lasts time.Duration, scopes ...string) string {
			w.advance(time.Second)
			return must(w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: name,
				ExpiresAt: w.clock().Add(lasts), Scopes: scopes}))(t).Key.ID
		}
		make("expired", time.Hour, "read")
		w.advance(2 * time.Hour)
		make("active", 100*24*time.Hour, "read", "write")
		make("in a week", 6*24*time.Hour, "write")
		make("in two", 13*24*time.Hour, "read")
		must(w.DisableKey(w.ctx, operator, manage.ID{ID: make("disabled", 24*time.Hour, "read")}))(t)
		must(w.RevokeKey(w.ctx, operator, manage.RevokeKey{ID: make("revoked", 24*time.Hour, "read")}))(t)
		for narrow, want := range map[manage.Narrow][]string{
			{Status: manage.StatusActive}:                 {"in two", "in a week", "active"},
			{Status: manage.StatusExpiring}:               {"in two", "in a week"},
			{Status: manage.StatusDisabled}:               {"disabled"},
			{Status: manage.StatusExpired}:                {"expired"},
			{Status: manage.StatusRevoked}:                {"revoked"},
			{Scope: "write"}:                              {"in a week", "active"},
			{Scope: "write", Status: manage.StatusActive}: {"in a week", "active"},
			{Scope: "writ"}:                               nil,
			{Scope: "WRITE"}:                              nil,
		} {
			if diff := cmp.Diff(want, w.names(operator, manage.KeyFilter{Organization: o.ID, Narrow: narrow})); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", narrow, diff)
			}
		}
		want := manage.Counts{Active: 3, Disabled: 1, Expired: 1, Revoked: 1, Expiring7d: 1}
		if got := must(w.KeyCounts(w.ctx, operator, manage.KeyFilter{Organization: o.ID, Narrow: manage.Narrow{Status: manage.StatusRevoked}}))(t); got != want {
			t.Errorf("counts %+v, want %+v", got, want)
		}
		other := actorOf(w.member(w.organization("Other").ID, "o@example.com", cardea.RoleOwner))
		if got := must(w.KeyCounts(w.ctx, other, manage.KeyFilter{}))(t); got != (manage.Counts{}) {
			t.Errorf("another organization counts %+v", got)
		}
	})
}

// Members and organizations are found by what people type.
func TestPeopleAndOrganizationsAreFound(t *testing.T) {
	w := sqlite(t)
	o := w.organization("Äcme Ltd")
	late := w.organization("Late Ltd")
	must(w.SuspendOrganization(w.ctx, operator, manage.ID{ID: late.ID}))(t)
	ada, bob := w.member(o.ID, "ada@example.com", cardea.RoleOwner), w.member(o.ID, "bob@example.com", cardea.RoleViewer)
	must(w.DisableMember(w.ctx, operator, manage.ID{ID: bob.ID}))(t)
	members := func(f manage.MemberFilter) (ids []string) {
		f.Organization = o.ID
		for _, m := range must(w.Members(w.ctx, operator, f))(t).Items {
			ids = append(ids, m.ID)
		}
		return ids
	}
	for f, want := range map[manage.MemberFilter][]string{
		{Search: "ADA@"}: {ada.ID}, {Role: cardea.RoleViewer}: {bob.ID}, {Status: manage.MemberDisabled}: {bob.ID},
		{Status: manage.MemberInvited}: {ada.ID}, {Status: manage.MemberActive}: nil, {Search: "_@"}: nil,
	} {
		if diff := cmp.Diff(want, members(f)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", f, diff)
		}
	}
	organizations := func(f manage.OrganizationFilter) (ids []string) {
		for _, o := range must(w.Organizations(w.ctx, operator, f))(t).Items {
			ids = append(ids, o.ID)
		}
		return ids
	}
	for f, want := range map[manage.OrganizationFilter][]string{
		{Search: "äcme"}: {o.ID}, {Status: manage.OrganizationSuspended}: {late.ID}, {Search: "ltd", Status: manage.OrganizationActive}: {o.ID},
		{Plan: "pro"}: nil, {Search: o.ID}: {o.ID},
	} {
		if diff := cmp.Diff(want, organizations(f)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", f, diff)
		}
	}
	_, err := w.Members(w.ctx, operator, manage.MemberFilter{Status: "gone"})
	wantField(t, err, "status")
	_, err = w.Members(w.ctx, operator, manage.MemberFilter{Role: "root"})
	wantField(t, err, "role")
	_, err = w.Organizations(w.ctx, operator, manage.OrganizationFilter{Status: "gone"})
	wantField(t, err, "status")
}
