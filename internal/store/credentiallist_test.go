package store_test

import (
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// A page of a hundred thousand credentials is found in an index that holds all that is
// asked about: nothing else is read on the way, and no whole list is sorted for a page of
// it unless something is searched for.
func TestListsOfCredentialsAreFoundInAnIndex(t *testing.T) {
	ctx, db := t.Context(), storetest.Open(t)
	for name, f := range lists {
		f.Organization = "org_1"
		var text string
		db.Record(func(query string) {
			if strings.HasPrefix(query, "SELECT id, ") && text == "" {
				text = query
			}
		})
		if _, _, err := db.Credentials(ctx, f, store.Page{}); err != nil {
			t.Fatal(err)
		}
		steps, err := db.Plan(ctx, text)
		if err != nil || len(steps) == 0 {
			t.Fatalf("%s: %v %v", name, steps, err)
		}
		searched := f.Contains != "" || f.Status != "" || f.Scope != ""
		for _, step := range steps {
			covered := strings.Contains(step, "USING COVERING INDEX credential_") || strings.Contains(step, "credential_secret_tail") ||
				f.Scope != "" && strings.Contains(step, "USING INDEX credential_list")
			if strings.Contains(step, " credential ") && !covered || strings.HasPrefix(step, "SCAN") ||
				strings.HasPrefix(step, "USE TEMP") && (!searched || f.Sort == store.SortNewest) {
				t.Errorf("%s: %s\n%s", name, step, text)
			}
		}
	}
	for _, f := range []store.CredentialFilter{{Sort: "folded"}, {Sort: store.SortName}} { // not one, and not of one organization
		_, _, err := db.Credentials(ctx, f, store.Page{})
		wantKind(t, "sort", err, cardea.KindInvalid)
	}
}

// A scope's bit says where to look, not what is there: scopes that share one are told
// apart, and what an earlier Cardea stored is found.
func TestScopesAreFoundByTheirWholeName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		people(t, db)
		find := func(scope string) (ids []string) {
			list, _, err := db.Credentials(ctx, store.CredentialFilter{Organization: "org_1", Kind: "scoped", Scope: scope}, store.Page{})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range list {
				ids = append(ids, c.ID)
			}
			return ids
		}
		storetest.Change(t, db, func(tx *store.Tx) error {
			return tx.InsertCredential(ctx, store.Credential{ID: "key_s", Kind: "scoped", Organization: "org_1", Scopes: []string{"read:all", "write"}})
		})
		for scope, want := range map[string]int{"read:all": 1, "write": 1, "read": 0, "all": 0, "Write": 0, "rit": 0, "%": 0, `"`: 0} {
			if got := find(scope); len(got) != want {
				t.Errorf("%q: %v", scope, got)
			}
		}
		for i := range 200 { // some share a bit with write
			if scope := "s" + strings.Repeat("x", i); len(find(scope)) != 0 {
				t.Errorf("%s is found", scope)
			}
		}
		storetest.Change(t, db, func(tx *store.Tx) error {
			c, err := tx.Credential(ctx, "key_s")
			if err != nil {
				return err
			}
			c.Scopes = []string{"delete"}
			return tx.UpdateCredential(ctx, c)
		})
		if len(find("write")) != 0 || len(find("delete")) != 1 {
			t.Errorf("after the change: write %v, delete %v", find("write"), find("delete"))
		}
	})
}
