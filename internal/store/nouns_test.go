package store_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// sameAddresses compares addresses and ranges, whose fields are not exported.
var sameAddresses = cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{})

// equal fails the test unless got is want.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, sameAddresses, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// wantKind fails the test unless err is of a kind.
func wantKind(t *testing.T, what string, err error, kind cardea.Kind) {
	t.Helper()
	if err == nil || cardea.KindOf(err) != kind {
		t.Errorf("%s: got error %v of kind %d, want kind %d", what, err, cardea.KindOf(err), kind)
	}
}

// must returns v, or fails the test.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// hour is an instant with microseconds, as the database keeps it.
func hour(n int) time.Time {
	return time.Date(2026, 11, 22, n, 30, 0, 123456000, time.UTC)
}

// people stores an organization with a member and a key, and returns the key's hash.
func people(t *testing.T, db *store.DB) secret.Hash {
	t.Helper()
	h := secret.HashOf("a secret")
	storetest.Change(t, db, func(tx *store.Tx) error {
		for _, err := range []error{
			tx.InsertOrganization(t.Context(), store.Organization{ID: "org_1", Name: "Acme", Plan: "free"}),
			tx.InsertMember(t.Context(), store.Member{ID: "usr_1", Organization: "org_1", Email: "ann@example.com", Role: cardea.RoleOwner}),
			tx.InsertCredential(t.Context(), store.Credential{ID: "key_1", Kind: "api_key", Environment: "live", Organization: "org_1", Member: "usr_1"}),
			tx.InsertSecret(t.Context(), store.CredentialSecret{Hash: h, Credential: "key_1", Hint: "ck_live_…abcd"}),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	return h
}

func TestNounsComeBackAsTheyWereStored(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		org := store.Organization{
			ID: "org_a", Name: "Ärger & Söhne", Plan: "scale", Limits: &store.Limits{PerMinute: 5, PerDay: 7},
			SuspendedAt: hour(1), CreatedAt: hour(2), UpdatedAt: hour(3),
		}
		member := store.Member{
			ID: "usr_a", Organization: "org_a", Email: "a@example.com", Name: "A", Role: cardea.RoleAdmin,
			DisabledAt: hour(1), CreatedAt: hour(2), UpdatedAt: hour(3),
		}
		cred := store.Credential{
			ID: "key_a", Kind: "api_key", Environment: "live", Organization: "org_a", Member: "usr_a", Name: "ci",
			Scopes: []string{"read", "write"}, Limits: &store.Limits{Burst: 3},
			Addresses: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")},
			ExpiresAt: hour(4), LastUsedAt: hour(5), DisabledAt: hour(6), RevokedAt: hour(7), RevokedReason: "leaked",
			CreatedBy: "operator:tok_1", CreatedAt: hour(2), UpdatedAt: hour(3),
		}
		sec := store.CredentialSecret{
			Hash: secret.HashOf("s"), Credential: "key_a", Hint: "ck_…zzzz", Sealed: []byte{0, 1, 255},
			CreatedAt: hour(2), ExpiresAt: hour(8), LastUsedAt: hour(3),
		}
		token := store.ManagementToken{
			ID: "mtok_a", Name: "deploy", Hash: secret.HashOf("m"), Hint: "cm_…yyyy", CreatedBy: "system:init",
			CreatedAt: hour(2), ExpiresAt: hour(4), RevokedAt: hour(5), LastUsedAt: hour(3),
		}
		list := store.AddressList{Organization: "org_a", Environment: "live", Prefixes: cred.Addresses}
		storetest.Change(t, db, func(tx *store.Tx) error {
			list.UpdatedAt = tx.Now()
			for _, err := range []error{
				tx.InsertOrganization(ctx, org), tx.InsertMember(ctx, member), tx.InsertCredential(ctx, cred),
				tx.InsertSecret(ctx, sec), tx.InsertManagementToken(ctx, token), tx.SetAddressList(ctx, list),
				tx.SetSetting(ctx, "master", "f1"), tx.SetSetting(ctx, "master", "f2"),
			} {
				if err != nil {
					return err
				}
			}
			got, err := tx.Organization(ctx, "org_a") // its own change is visible to it
			equal(t, "organization inside the change", got, org)
			return err
		})
		equal(t, "organization", must(db.Organization(ctx, "org_a"))(t), org)
		equal(t, "member", must(db.Member(ctx, "usr_a"))(t), member)
		equal(t, "credential", must(db.Credential(ctx, "key_a"))(t), cred)
		equal(t, "secrets", must(db.Secrets(ctx, "key_a"))(t), []store.CredentialSecret{sec})
		equal(t, "token", must(db.ManagementToken(ctx, "mtok_a"))(t), token)
		equal(t, "token by hash", must(db.ManagementTokenByHash(ctx, token.Hash))(t), token)
		equal(t, "address lists", must(db.AddressLists(ctx, "org_a"))(t), []store.AddressList{list})
		equal(t, "address list", must(db.AddressList(ctx, "org_a", "live"))(t), list)
		equal(t, "setting", must(db.Setting(ctx, "master"))(t), "f2")
		equal(t, "missing setting", must(db.Setting(ctx, "other"))(t), "")
		equal(t, "plans", must(db.CountOrganizations(ctx))(t), map[string]int64{"scale": 1})
	})
}

func TestUpdatesReplaceWhatMayChangeAndNothingElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		people(t, db)
		storetest.Change(t, db, func(tx *store.Tx) error {
			c, err := tx.Credential(ctx, "key_1")
			if err != nil {
				return err
			}
			c.Name, c.Scopes, c.RevokedAt, c.RevokedReason = "renamed", []string{"x"}, hour(1), "gone"
			c.Organization, c.LastUsedAt, c.CreatedAt = "org_other", hour(9), hour(9) // not to be stored
			if err := tx.UpdateCredential(ctx, c); err != nil {
				return err
			}
			o, err := tx.Organization(ctx, "org_1")
			if err != nil {
				return err
			}
			o.Plan, o.SuspendedAt = "scale", hour(2)
			if err := tx.UpdateOrganization(ctx, o); err != nil {
				return err
			}
			return tx.UpdateMember(ctx, store.Member{ID: "usr_1", Organization: "org_1", Email: "b@example.com", Role: cardea.RoleViewer})
		})
		c := must(db.Credential(ctx, "key_1"))(t)
		if c.Name != "renamed" || c.RevokedReason != "gone" || !c.RevokedAt.Equal(hour(1)) || c.Scopes[0] != "x" {
			t.Errorf("not changed: %+v", c)
		}
		if c.Organization != "org_1" || !c.LastUsedAt.IsZero() || c.CreatedAt.Equal(hour(9)) {
			t.Errorf("changed what may not change: %+v", c)
		}
		if o := must(db.Organization(ctx, "org_1"))(t); o.Plan != "scale" || !o.SuspendedAt.Equal(hour(2)) {
			t.Errorf("not changed: %+v", o)
		}
		if m := must(db.Member(ctx, "usr_1"))(t); m.Email != "b@example.com" || m.Role != cardea.RoleViewer {
			t.Errorf("not changed: %+v", m)
		}
	})
}

func TestMissingAndDoubleObjectsHaveTheirKinds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		h := people(t, db)
		_, err := db.Organization(ctx, "org_none")
		wantKind(t, "missing organization", err, cardea.KindNotFound)
		_, err = db.ManagementTokenByHash(ctx, secret.HashOf("none"))
		wantKind(t, "missing token", err, cardea.KindNotFound)
		_, err = db.Request(ctx, "req_none")
		wantKind(t, "missing request", err, cardea.KindNotFound)
		change := func(fn func(tx *store.Tx) error) error {
			_, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) error {
				tx.Audit(store.Event{Action: "test"})
				return fn(tx)
			})
			return err
		}
		wantKind(t, "same organization", change(func(tx *store.Tx) error {
			return tx.InsertOrganization(ctx, store.Organization{ID: "org_1"})
		}), cardea.KindConflict)
		wantKind(t, "same address", change(func(tx *store.Tx) error {
			return tx.InsertMember(ctx, store.Member{ID: "usr_2", Organization: "org_1", Email: "ann@example.com"})
		}), cardea.KindConflict)
		wantKind(t, "same secret", change(func(tx *store.Tx) error {
			return tx.InsertSecret(ctx, store.CredentialSecret{Hash: h, Credential: "key_1"})
		}), cardea.KindConflict)
		wantKind(t, "nobody's credential", change(func(tx *store.Tx) error {
			return tx.InsertCredential(ctx, store.Credential{ID: "key_2", Organization: "org_none"})
		}), cardea.KindNotFound)
		wantKind(t, "update of nothing", change(func(tx *store.Tx) error {
			return tx.UpdateCredential(ctx, store.Credential{ID: "key_none"})
		}), cardea.KindNotFound)
		wantKind(t, "deletion of nothing", change(func(tx *store.Tx) error {
			return tx.DeleteAddressList(ctx, "org_1", "live")
		}), cardea.KindNotFound)
	})
}

func TestListsPageNewestFirstWithoutGapsOrRepeats(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		people(t, db)
		insert := func(from, to int) {
			storetest.Change(t, db, func(tx *store.Tx) error {
				for i := from; i < to; i++ {
					// Several of one instant, so that the id has to decide.
					c := store.Credential{ID: fmt.Sprintf("key_p%02d", i), Kind: "page", Organization: "org_1", CreatedAt: hour(i / 5)}
					if err := tx.InsertCredential(ctx, c); err != nil {
						return err
					}
				}
				return nil
			})
		}
		insert(0, 25)
		var ids []string
		page := store.Page{Limit: 4}
		for {
			list, next, err := db.Credentials(ctx, store.CredentialFilter{Kind: "page"}, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list {
				ids = append(ids, c.ID)
			}
			if len(ids) == 8 {
				insert(30, 40) // newer ones do not disturb whoever is paging
			}
			if page.After = next; next == "" {
				break
			}
		}
		var want []string
		for i := 24; i >= 0; i-- {
			want = append(want, fmt.Sprintf("key_p%02d", i))
		}
		equal(t, "pages", ids, want)
		for _, bad := range []string{"!", "AAAA", "MS4A", "eA"} {
			_, _, err := db.Credentials(ctx, store.CredentialFilter{}, store.Page{After: bad})
			wantKind(t, "cursor "+bad, err, cardea.KindInvalid)
		}
	})
}

func TestListsFilter(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		people(t, db)
		past, future := db.Now().Add(-time.Hour), db.Now().Add(time.Hour)
		storetest.Change(t, db, func(tx *store.Tx) error {
			if err := tx.InsertOrganization(ctx, store.Organization{ID: "org_2", Name: "100%_Übung!", Plan: "scale", SuspendedAt: past}); err != nil {
				return err
			}
			for _, c := range []store.Credential{
				{ID: "key_revoked", RevokedAt: past, DisabledAt: past, ExpiresAt: past},
				{ID: "key_expired", ExpiresAt: past},
				{ID: "key_disabled", ExpiresAt: past, DisabledAt: past},
				{ID: "key_active", ExpiresAt: future, Environment: "test", Name: "Nightly Build"},
			} {
				c.Kind, c.Organization = "filtered", "org_2"
				if err := tx.InsertCredential(ctx, c); err != nil {
					return err
				}
			}
			return nil
		})
		for _, status := range []string{store.StatusRevoked, store.StatusExpired, store.StatusDisabled, store.StatusActive} {
			list, _, err := db.Credentials(ctx, store.CredentialFilter{Organization: "org_2", Status: status}, store.Page{})
			if err != nil || len(list) != 1 || list[0].ID != "key_"+status || list[0].Status(db.Now()) != status {
				t.Errorf("status %s: %v, %v", status, list, err)
			}
		}
		for name, f := range map[string]store.CredentialFilter{
			"environment":        {Environment: "test"},
			"part of the name":   {Contains: "nightly b"},
			"id in capitals":     {Contains: "KEY_ACTIVE"},
			"everything at once": {Organization: "org_2", Kind: "filtered", Environment: "test", Status: "active", Contains: "build"},
		} {
			list, _, err := db.Credentials(ctx, f, store.Page{})
			if err != nil || len(list) != 1 || list[0].ID != "key_active" {
				t.Errorf("%s: %v, %v", name, list, err)
			}
		}
		for part, want := range map[string]int{"%_Ü": 1, "übung!": 1, "_": 2, "%": 1, "acme": 1, "!": 1, "\\": 0, "'": 0} {
			list, _, err := db.Organizations(ctx, store.OrganizationFilter{Contains: part}, store.Page{})
			if err != nil || len(list) != want {
				t.Errorf("organizations that contain %q: %v, %v; want %d", part, list, err, want)
			}
		}
		yes, no := true, false
		for want, f := range map[string]store.OrganizationFilter{"org_2": {Suspended: &yes}, "org_1": {Suspended: &no}} {
			list, _, err := db.Organizations(ctx, f, store.Page{})
			if err != nil || len(list) != 1 || list[0].ID != want {
				t.Errorf("suspended: %v, %v", list, err)
			}
		}
		list, _, err := db.Members(ctx, store.MemberFilter{Organization: "org_1", Role: cardea.RoleOwner, Contains: "ANN@"}, store.Page{})
		if err != nil || len(list) != 1 {
			t.Errorf("members: %v, %v", list, err)
		}
	})
}

func TestLookupTellsEverythingInOneAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		h := people(t, db)
		l := must(db.LookupSecret(ctx, h))(t)
		if !l.Found || l.Seq == 0 || l.Addresses != nil || !l.MemberDisabledAt.IsZero() || l.OrganizationDay != 0 {
			t.Errorf("fresh key: %+v", l)
		}
		day := store.Day(db.Now())
		for range 2 {
			if err := db.AddDayCounts(ctx, []store.DayCount{
				{Owner: "org_1/live", Day: day, N: 20},
				{Owner: "org_1/test", Day: day, N: 1},
				{Owner: "key_1", Day: day, N: 3},
				{Owner: "key_1", Day: day - 1, N: 99},
			}); err != nil {
				t.Fatal(err)
			}
		}
		changes := storetest.Change(t, db, func(tx *store.Tx) error {
			if err := tx.SetAddressList(ctx, store.AddressList{Organization: "org_1", Environment: "live"}); err != nil {
				return err
			}
			return tx.UpdateMember(ctx, store.Member{ID: "usr_1", Organization: "org_1", DisabledAt: hour(1)})
		})
		l = must(db.LookupSecret(ctx, h))(t)
		if l.Seq != changes.Seq() || l.Addresses == nil || len(l.Addresses) != 0 || !l.MemberDisabledAt.Equal(hour(1)) {
			t.Errorf("after changes: %+v", l)
		}
		if l.OrganizationDay != 40 || l.CredentialDay != 6 {
			t.Errorf("counts of the day: %d and %d, want 40 and 6", l.OrganizationDay, l.CredentialDay)
		}
		equal(t, "credential", l.Credential, must(db.Credential(ctx, "key_1"))(t))
		equal(t, "organization", l.Organization, must(db.Organization(ctx, "org_1"))(t))
		equal(t, "secret", []store.CredentialSecret{l.Secret}, must(db.Secrets(ctx, "key_1"))(t))
		if l := must(db.LookupSecret(ctx, secret.HashOf("unknown")))(t); l.Found || l.Seq != changes.Seq() {
			t.Errorf("unknown secret: %+v", l)
		}
		equal(t, "one owner's count", must(db.DayCounts(ctx, day, "key_1"))(t), []store.DayCount{{Owner: "key_1", Day: day, N: 6}})
	})
}

func TestRotationKeepsTheOldSecretUntilItsTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		old, next := people(t, db), secret.HashOf("the next")
		end := db.Now().Add(time.Hour)
		changes := storetest.Change(t, db, func(tx *store.Tx) error {
			if err := tx.EndSecrets(ctx, "key_1", end); err != nil {
				return err
			}
			return tx.InsertSecret(ctx, store.CredentialSecret{Hash: next, Credential: "key_1", Sealed: []byte("sealed")})
		})
		if len(changes) != 1 || len(changes[0].Hashes) != 2 {
			t.Errorf("a cache keyed by hash must hear of both secrets: %+v", changes)
		}
		if l := must(db.LookupSecret(ctx, old))(t); !l.Found || !l.Secret.ExpiresAt.Equal(end) {
			t.Errorf("old secret: %+v", l.Secret)
		}
		if l := must(db.LookupSecret(ctx, next))(t); !l.Found || !l.Secret.ExpiresAt.IsZero() {
			t.Errorf("new secret: %+v", l.Secret)
		}
		storetest.Change(t, db, func(tx *store.Tx) error { return tx.EndOverlap(ctx, "key_1", tx.Now()) })
		if l := must(db.LookupSecret(ctx, old))(t); l.Secret.ExpiresAt.After(db.Now()) {
			t.Errorf("old secret after the overlap was ended: %+v", l.Secret)
		}
		if l := must(db.LookupSecret(ctx, next))(t); !l.Secret.ExpiresAt.IsZero() || l.Secret.Sealed == nil {
			t.Errorf("the current secret must stay as it is: %+v", l.Secret)
		}
	})
}

func TestTouchOnlyMovesForward(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		h := people(t, db)
		for _, at := range []time.Time{hour(5), hour(3)} {
			touch := store.Touch{
				Credentials: map[string]store.Use{"key_1": {At: at, From: netip.MustParseAddr("192.0.2.7"), Route: "GET /v1/items"}, "key_gone": {At: at}},
				Secrets:     map[secret.Hash]time.Time{h: at},
			}
			if err := db.Touch(ctx, &touch); err != nil {
				t.Fatal(err)
			}
			if len(touch.Credentials)+len(touch.Secrets) != 0 {
				t.Errorf("what is written must leave the Touch: %+v", touch)
			}
		}
		l := must(db.LookupSecret(ctx, h))(t)
		if !l.Credential.LastUsedAt.Equal(hour(5)) || !l.Secret.LastUsedAt.Equal(hour(5)) {
			t.Errorf("last used %v and %v, want %v", l.Credential.LastUsedAt, l.Secret.LastUsedAt, hour(5))
		}
		if c := must(db.Credential(ctx, "key_1"))(t); c.LastUsedFrom != "192.0.2.7" || c.LastUsedRoute != "GET /v1/items" {
			t.Errorf("last used from %q for %q", c.LastUsedFrom, c.LastUsedRoute)
		}
	})
}
