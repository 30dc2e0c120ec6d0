package store_test

import (
	"testing"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

func TestLookupFindsSecretAndEverythingAboutIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		h := secret.HashOf("x")
		storetest.Change(t, db, func(tx *store.Tx) error {
			ctx := t.Context()
			if err := tx.InsertOrganization(ctx, store.Organization{ID: "org_1", Name: "Acme", Plan: "free"}); err != nil {
				return err
			}
			if err := tx.InsertCredential(ctx, store.Credential{ID: "key_1", Organization: "org_1", Kind: "api_key", Environment: "live", Scopes: []string{"read"}}); err != nil {
				return err
			}
			return tx.InsertSecret(ctx, store.CredentialSecret{Hash: h, Credential: "key_1", Hint: "ck…"})
		})
		l, err := db.LookupSecret(t.Context(), h)
		t.Log(l, err)
		cs, n, err := db.Credentials(t.Context(), store.CredentialFilter{Status: store.StatusActive, Contains: "KEY_"}, store.Page{})
		t.Log(cs, n, err)
		if err := db.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Log(db.VerifyAudit(t.Context()))
		t.Log(db.SignCheckpoint(t.Context()))
		t.Log(db.VerifyAudit(t.Context()))
	})
}
