package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// With statistics from an empty database an engine may do anything; SQLite's plan without
// statistics shows whether there is an index to go by. PostgreSQL has the same ones: see
// TestBothEnginesHaveTheSameIndexes.
func TestNoStatementOnTokensReadsAWholeTable(t *testing.T) {
	ctx, db := t.Context(), storetest.Open(t)
	texts := map[string]bool{}
	for _, text := range store.LookupTexts {
		texts[text] = true
	}
	db.Record(func(query string) { texts[query] = true })
	parties(t, db)
	none, page := secret.HashOf("none"), store.Page{}
	p := func(_ any, _ string, err error) error { return err }
	found := func(err error) {
		if err != nil && cardea.KindOf(err) != cardea.KindNotFound {
			t.Error(err)
		}
	}
	for _, f := range []store.FamilyFilter{{}, {Client: "x"}, {Member: "x"}, {Organization: "x", Live: true}, {Consent: "x"}} {
		found(p(db.Families(ctx, f, page)))
	}
	for _, f := range []store.ConsentFilter{{}, {Client: "x"}, {Member: "x"}, {Organization: "x", Live: true}} {
		found(p(db.Consents(ctx, f, page)))
	}
	for _, f := range []store.CredentialFilter{{}, {Organization: "x"}, {Kind: store.KindServiceAccount}} {
		found(p(db.Credentials(ctx, f, page)))
		found(p(db.Clients(ctx, f, page)))
	}
	found(p(db.OrganizationIssuers(ctx, store.IssuerFilter{}, page)))
	for what, read := range map[string]func() error{
		"refresh":   func() error { _, err := db.Refresh(ctx, none); return err },
		"code":      func() error { _, err := db.Code(ctx, none); return err },
		"by id":     func() error { _, err := db.AccessTokenByID(ctx, "x"); return err },
		"by hash":   func() error { _, err := db.AccessTokenByHash(ctx, none); return err },
		"device":    func() error { _, err := db.DeviceByUserCode(ctx, "x"); return err },
		"poll":      func() error { _, _, err := db.PollDevice(ctx, none); return err },
		"link":      func() error { _, err := db.Link(ctx, none); return err },
		"pushed":    func() error { _, err := db.Pushed(ctx, none); return err },
		"session":   func() error { _, err := db.SessionByHash(ctx, none); return err },
		"sessions":  func() error { _, err := db.Sessions(ctx, "x"); return err },
		"passkeys":  func() error { _, err := db.Passkeys(ctx, "x"); return err },
		"password":  func() error { _, err := db.Password(ctx, "x"); return err },
		"email":     func() error { _, err := db.MembersByEmail(ctx, "x"); return err },
		"in one":    func() error { _, err := db.MemberByEmail(ctx, "o", "x"); return err },
		"name":      func() error { _, err := db.OrganizationByName(ctx, "x"); return err },
		"issuers":   func() error { _, err := db.IssuersFor(ctx, "x"); return err },
		"metadata":  func() error { _, err := db.ClientByMetadata(ctx, "x", "y", "z"); return err },
		"client":    func() error { _, err := db.Client(ctx, "x"); return err },
		"key":       func() error { _, err := db.AccountKeys(ctx, "x"); return err },
		"consenter": func() error { _, err := db.ConsentMembers(ctx, "x"); return err },
		"revoked":   func() error { _, err := db.RevokedTokens(ctx, "", 10); return err },
		"sealed":    func() error { _, err := db.HasSealed(ctx); return err },
		"maintain":  func() error { return db.Maintain(ctx) },
	} {
		if err := read(); err != nil && cardea.KindOf(err) != cardea.KindNotFound {
			t.Errorf("%s: %v", what, err)
		}
	}
	all(t, db, func(tx *store.Tx) error {
		_, _, code := tx.ConsumeCode(ctx, theCode.Hash, "f")
		_, _, refresh := tx.ConsumeRefresh(ctx, theRefresh.Hash, nil)
		_, _, device := tx.ConsumeDevice(ctx, theDevice.Hash, "f")
		_, _, pushed := tx.ConsumePushed(ctx, thePushed.Hash)
		_, _, link := tx.ConsumeLink(ctx, theLink.Hash, "reset")
		return errors.Join(code, refresh, device, pushed, link, tx.RevokeConsent(ctx, "grt_1"), tx.EndTokens(ctx, "client_1"),
			tx.EndMemberTokens(ctx, "usr_1"), tx.RevokeFamilies(ctx, store.FamilyFilter{Client: "client_1"}, ""),
			tx.RevokeAccessTokensOf(ctx, store.TokenOwner{Family: "fam_1"}), tx.RevokeAccessToken(ctx, "tok_1"),
			tx.EndSessions(ctx, "usr_1", ""), tx.EndLinks(ctx, "usr_1", "reset"))
	})
	for text := range texts {
		steps, err := db.Plan(ctx, text)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		for _, step := range steps {
			if bad(step, text) {
				t.Errorf("%s:\n%s", step, text)
			}
		}
	}
	if len(texts) < 90 {
		t.Errorf("only %d statements were seen", len(texts))
	}
}

// bad reports a step that reads a whole table, or sorts a list before it takes a page off
// it. Pages of everything walk along their index and stop; signing keys are few.
func bad(step, text string) bool {
	switch {
	case strings.HasPrefix(step, "USE TEMP B-TREE"):
		return strings.Contains(text, "DESC LIMIT")
	case !strings.HasPrefix(step, "SCAN") || strings.Contains(text, "FROM signing_key"):
		return false
	}
	return !strings.HasSuffix(step, "_newest") || !strings.Contains(text, "DESC LIMIT")
}
