package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

func TestMaintainDeletesWhatHasEnded(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		now := hour(2)
		cfg.Now = func() time.Time { return now }
		ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
		parties(t, db)
		reads := map[string]func() error{
			"code":           func() error { _, err := db.Code(ctx, theCode.Hash); return err },
			"device code":    func() error { _, err := db.Device(ctx, theDevice.Hash); return err },
			"pushed request": func() error { _, err := db.Pushed(ctx, thePushed.Hash); return err },
			"family":         func() error { _, err := db.Family(ctx, "fam_1"); return err },
			"refresh token":  func() error { _, err := db.Refresh(ctx, theRefresh.Hash); return err },
			"access token":   func() error { _, err := db.AccessTokenByID(ctx, "tok_1"); return err },
			"session":        func() error { _, err := db.Session(ctx, "ses_1"); return err },
			"link":           func() error { _, err := db.Link(ctx, theLink.Hash); return err },
			"signing key":    func() error { _, err := db.SigningKey(ctx, "sig_1"); return err },
		}
		gone := func() map[string]bool {
			if err := db.Maintain(ctx); err != nil {
				t.Fatal(err)
			}
			list := map[string]bool{}
			for what, read := range reads {
				if err := read(); cardea.KindOf(err) == cardea.KindNotFound {
					list[what] = true
				} else if err != nil {
					t.Fatal(err)
				}
			}
			return list
		}
		short := map[string]bool{"code": true, "pushed request": true, "link": true}
		now = hour(3).Add(23 * time.Hour)
		equal(t, "within a day", gone(), map[string]bool{})
		now = hour(3).Add(25 * time.Hour)
		equal(t, "after a day", gone(), short)
		now, short["signing key"] = hour(5).Add(store.FamilyMemory), true
		equal(t, "after a month", gone(), short)
		now = theFamily.ExpiresAt.Add(25 * time.Hour)
		for _, what := range []string{"access token", "session", "device code"} {
			short[what] = true
		}
		equal(t, "a day after the rest has ended", gone(), short)
		equal(t, "revoked ids", must(db.RevokedTokens(ctx, "", 10))(t), []string{})
		all(t, db, func(tx *store.Tx) error {
			first, err := tx.Remember(ctx, "assertion", "jti", now.Add(time.Hour))
			if !first {
				t.Error("an id is remembered for ever")
			}
			return err
		})
		now = theFamily.ExpiresAt.Add(store.FamilyMemory - time.Second)
		equal(t, "while a replay would be noticed", gone(), short)
		now = now.Add(2 * time.Second)
		short["family"], short["refresh token"] = true, true
		equal(t, "at last", gone(), short)
	})
}

func TestUsedRefreshTokenIsKnownAsLongAsItsFamilyLives(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		now := hour(2)
		cfg.Now = func() time.Time { return now }
		ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
		parties(t, db)
		forever, sliding := theFamily, theFamily
		forever.ID, forever.ExpiresAt = "fam_ever", time.Time{}
		sliding.ID, sliding.ExpiresAt = "fam_slide", time.Time{}
		all(t, db,
			func(tx *store.Tx) error {
				return errors.Join(tx.InsertFamily(ctx, forever), tx.InsertFamily(ctx, sliding))
			},
			func(tx *store.Tx) error {
				return tx.InsertRefresh(ctx, store.RefreshToken{Hash: secret.HashOf("ever"), Family: "fam_ever"})
			},
			func(tx *store.Tx) error {
				return tx.InsertRefresh(ctx, store.RefreshToken{Hash: secret.HashOf("slide 0"), Family: "fam_slide", ExpiresAt: now.Add(24 * time.Hour)})
			},
		)
		known := func(text string) bool {
			if err := db.Maintain(ctx); err != nil {
				t.Fatal(err)
			}
			_, err := db.Refresh(ctx, secret.HashOf(text))
			return err == nil
		}
		for day := range 60 { // each day a new one, good for a day
			now = now.Add(24*time.Hour - time.Minute)
			all(t, db, func(tx *store.Tx) error {
				if _, first, err := tx.ConsumeRefresh(ctx, secret.HashOf(fmt.Sprint("slide ", day)), nil); err != nil || !first {
					return fmt.Errorf("day %d: first %t, %w", day, first, err)
				}
				return tx.InsertRefresh(ctx, store.RefreshToken{
					Hash: secret.HashOf(fmt.Sprint("slide ", day+1)), Family: "fam_slide", ExpiresAt: now.Add(24 * time.Hour),
				})
			})
		}
		if !known("slide 0") {
			t.Error("the first token of a family that lives was forgotten")
		}
		now = now.Add(24*time.Hour + store.FamilyMemory - time.Minute)
		if !known("slide 0") {
			t.Error("the first token was forgotten too early")
		}
		now = now.Add(2 * time.Minute)
		if known("slide 0") || !known("ever") {
			t.Error("a family that ended is kept, or one without end is not")
		}
		all(t, db, func(tx *store.Tx) error { return tx.RevokeFamily(ctx, "fam_ever", "test") })
		now = now.Add(store.FamilyMemory + time.Minute)
		if known("ever") {
			t.Error("a revoked family is kept for ever")
		}
	})
}

func TestMaintainWorksOffALongBacklogInSteps(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		now := hour(2)
		cfg.Now = func() time.Time { return now }
		ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
		parties(t, db)
		all(t, db, func(tx *store.Tx) error {
			for i := range 2*store.SweepStep + 1 {
				if err := tx.InsertRefresh(ctx, store.RefreshToken{Hash: secret.HashOf(fmt.Sprint(i)), Family: "fam_1", ExpiresAt: hour(3)}); err != nil {
					return err
				}
			}
			return tx.RevokeFamily(ctx, "fam_1", "test")
		})
		now = now.Add(store.FamilyMemory + time.Hour)
		if err := db.Maintain(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Family(ctx, "fam_1"); cardea.KindOf(err) != cardea.KindNotFound {
			t.Errorf("the family is still there: %v", err)
		}
	})
}
