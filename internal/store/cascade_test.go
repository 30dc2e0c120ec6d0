package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// told returns what changes tell caches, without their numbers and hashes.
func told(changes store.Changes) []string {
	list := []string{}
	for _, c := range changes {
		list = append(list, c.Kind+" "+c.Target)
	}
	slices.Sort(list)
	return list
}

func TestTakingBackTellsCachesWhatToForget(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		live := db.Now().Add(time.Hour)
		for _, step := range []struct {
			name string
			want []string
			fn   func(tx *store.Tx) error
		}{
			{"one opaque token", []string{"token tok_1"}, func(tx *store.Tx) error { return tx.RevokeAccessToken(ctx, "tok_1") }},
			{"it again", nil, func(tx *store.Tx) error { return tx.RevokeAccessToken(ctx, "tok_1") }},
			{"one JWT", []string{"token jti"}, func(tx *store.Tx) error { return tx.RevokeToken(ctx, "jti", live) }},
			{"family", []string{"token fam_1", "token jti_new"}, func(tx *store.Tx) error {
				if err := tx.InsertRefresh(ctx, store.RefreshToken{
					Hash: secret.HashOf("rt_2"), Family: "fam_1", ExpiresAt: live, AccessID: "jti_new", AccessExpiresAt: live,
				}); err != nil {
					return err
				}
				return tx.RevokeFamily(ctx, "fam_1", "replay")
			}},
			{"family again", nil, func(tx *store.Tx) error { return tx.RevokeFamily(ctx, "fam_1", "other") }},
			{"consent", []string{"member usr_1", "token grt_1"}, func(tx *store.Tx) error { return tx.RevokeConsent(ctx, "grt_1") }},
			{"consent given", []string{"token grt_1"}, func(tx *store.Tx) error { _, err := tx.SaveConsent(ctx, theConsent); return err }},
			{"tokens of a client", []string{"credential client_1"}, func(tx *store.Tx) error { return tx.EndTokens(ctx, "client_1") }},
			{"tokens of a member", []string{"member usr_1"}, func(tx *store.Tx) error { return tx.EndMemberTokens(ctx, "usr_1") }},
			{"client", []string{"credential client_1"}, func(tx *store.Tx) error {
				c := theClient
				c.Credential.RevokedAt = tx.Now()
				return tx.UpdateClient(ctx, c)
			}},
			{"key of a service account", []string{"credential sa_1"}, func(tx *store.Tx) error { return tx.UpdateAccountKey(ctx, theAccountKey) }},
			{"signing key", []string{"keys sig_1"}, func(tx *store.Tx) error { return tx.UpdateSigningKey(ctx, theSigningKey) }},
			{"issuer", []string{"issuer org_1/live"}, func(tx *store.Tx) error { _, err := tx.SaveIssuer(ctx, theIssuer); return err }},
			{"no issuer", []string{"issuer org_1/live"}, func(tx *store.Tx) error { return tx.DeleteIssuer(ctx, "org_1", "live") }},
		} {
			equal(t, step.name, told(storetest.Change(t, db, step.fn)), step.want)
		}
	})
}

func TestFamilyTakesItsTokensWithIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		live := db.Now().Add(time.Hour)
		all(t, db,
			func(tx *store.Tx) error {
				f := theFamily
				f.ID, f.AccessID, f.AccessExpiresAt = "fam_2", "jti_a", live
				return tx.InsertFamily(ctx, f)
			},
			func(tx *store.Tx) error {
				return tx.InsertRefresh(ctx, store.RefreshToken{Hash: secret.HashOf("rt_a"), Family: "fam_2", AccessID: "jti_b", AccessExpiresAt: live})
			},
			func(tx *store.Tx) error {
				return tx.InsertRefresh(ctx, store.RefreshToken{Hash: secret.HashOf("rt_b"), Family: "fam_2", AccessID: "jti_old", AccessExpiresAt: tx.Now()})
			},
			func(tx *store.Tx) error { // an opaque one has a time and no id
				return tx.InsertRefresh(ctx, store.RefreshToken{Hash: secret.HashOf("rt_c"), Family: "fam_2", AccessExpiresAt: live})
			},
			func(tx *store.Tx) error { return tx.RevokeFamily(ctx, "fam_2", "replay") },
		)
		equal(t, "revoked JWTs", must(db.RevokedTokens(ctx, "", 10))(t), []string{"jti_a", "jti_b", "jti_revoked"})
		if l := must(db.LookupToken(ctx, theAccess.Hash))(t); l.TokenRevoked {
			t.Error("a token of another family was revoked")
		}
		all(t, db, func(tx *store.Tx) error {
			return tx.RevokeFamilies(ctx, store.FamilyFilter{Member: "usr_1", Client: "client_1", Live: true}, "signed out")
		})
		if f := must(db.Family(ctx, "fam_1"))(t); f.RevokedAt.IsZero() || f.RevokedReason != "signed out" {
			t.Errorf("family: %+v", f)
		}
		if f := must(db.Family(ctx, "fam_2"))(t); f.RevokedReason != "replay" {
			t.Errorf("a family was revoked twice: %+v", f)
		}
		if l := must(db.LookupToken(ctx, theAccess.Hash))(t); !l.TokenRevoked || l.FamilyRevokedAt.IsZero() {
			t.Errorf("a token of a revoked family: %+v", l)
		}
		// A filter that somebody forgot to fill in is not a wish to sign out everybody.
		all(t, db, func(tx *store.Tx) error {
			f := theFamily
			f.ID = "fam_3"
			return tx.InsertFamily(ctx, f)
		}, func(tx *store.Tx) error {
			return errors.Join(tx.RevokeFamilies(ctx, store.FamilyFilter{Live: true}, "all"), tx.RevokeAccessTokensOf(ctx, store.TokenOwner{}))
		})
		if f := must(db.Family(ctx, "fam_3"))(t); !f.RevokedAt.IsZero() {
			t.Error("an empty filter revoked everything")
		}
	})
}

func TestRevokingVeryManyFamiliesTellsCachesToForgetEverything(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		live := db.Now().Add(time.Hour)
		all(t, db, func(tx *store.Tx) error {
			for i := range 600 {
				f := theFamily
				f.ID, f.AccessID, f.AccessExpiresAt = fmt.Sprint("fam ", i), fmt.Sprint("jti ", i), live
				if err := tx.InsertFamily(ctx, f); err != nil {
					return err
				}
			}
			return nil
		})
		changes := all(t, db, func(tx *store.Tx) error {
			return tx.RevokeFamilies(ctx, store.FamilyFilter{Client: "client_1"}, "gone")
		})
		equal(t, "changes", told(changes), []string{"all "})
		if n := len(must(db.RevokedTokens(ctx, "", 1000))(t)); n != 601 {
			t.Errorf("%d tokens are revoked by id, want 601", n)
		}
		list, _, err := db.Families(ctx, store.FamilyFilter{Live: true}, store.Page{})
		if err != nil || len(list) != 0 {
			t.Errorf("live families: %d, %v", len(list), err)
		}
	})
}

func TestWithdrawnConsentLeavesNothingThatCouldComeBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		all(t, db,
			func(tx *store.Tx) error {
				d := theDevice
				d.Status, d.Member, d.Organization = store.DeviceApproved, "usr_1", "org_1"
				_, err := tx.DecideDevice(ctx, d)
				return err
			},
			func(tx *store.Tx) error { return tx.RevokeConsent(ctx, "grt_1") },
		)
		withdrawn := db.Now()
		// Given again, under the same id: what was issued before stays worthless.
		all(t, db, func(tx *store.Tx) error {
			again := theConsent
			again.ID, again.Scopes = "grt_2", []string{"read", "write"}
			c, err := tx.SaveConsent(ctx, again)
			if c.ID != "grt_1" || !c.RevokedAt.IsZero() || len(c.Scopes) != 2 || c.TokensNotBefore.IsZero() || c.TokensNotBefore.After(withdrawn) {
				t.Errorf("given again: %+v", c)
			}
			return err
		})
		if _, err := db.Code(ctx, theCode.Hash); err == nil {
			t.Error("a code outlived the consent")
		}
		if d := must(db.Device(ctx, theDevice.Hash))(t); d.Status != store.DeviceDenied {
			t.Errorf("an approved device code outlived the consent: %s", d.Status)
		}
		if f := must(db.Family(ctx, "fam_1"))(t); f.RevokedAt.IsZero() {
			t.Error("a family outlived the consent")
		}
		if l := must(db.LookupToken(ctx, theAccess.Hash))(t); !l.TokenRevoked {
			t.Error("an opaque token outlived the consent")
		}
		l := must(db.LookupPrincipal(ctx, store.PrincipalQuery{Credential: "client_1", Member: "usr_1", Environment: "live"}))(t)
		if l.Consent != "grt_1" || l.ConsentNotBefore.IsZero() || !l.ConsentRevokedAt.IsZero() {
			t.Errorf("look-up: %+v", l)
		}
	})
}

func TestWatermarksNeverMoveBack(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		all(t, db, func(tx *store.Tx) error { return tx.EndTokens(ctx, "client_1") },
			func(tx *store.Tx) error { return tx.EndMemberTokens(ctx, "usr_1") })
		set := must(db.Credential(ctx, "client_1"))(t).TokensNotBefore
		for _, at := range []time.Time{{}, set.Add(-time.Hour), set.Add(time.Hour)} {
			all(t, db, func(tx *store.Tx) error {
				return tx.UpdateCredential(ctx, store.Credential{ID: "client_1", TokensNotBefore: at})
			})
			want := set
			if at.After(set) {
				want = at
			}
			if got := must(db.Credential(ctx, "client_1"))(t).TokensNotBefore; !got.Equal(want) {
				t.Errorf("set to %v: %v, want %v", at, got, want)
			}
		}
		all(t, db, func(tx *store.Tx) error {
			return tx.UpdateMember(ctx, store.Member{ID: "usr_1", Organization: "org_1"})
		})
		if must(db.Member(ctx, "usr_1"))(t).TokensNotBefore.IsZero() {
			t.Error("an update of a member lost their watermark")
		}
		if l := must(db.LookupToken(ctx, theAccess.Hash))(t); !l.TokenRevoked {
			t.Error("an opaque token outlived the end of all tokens")
		}
		equal(t, "members of a client", must(db.ConsentMembers(ctx, "client_1"))(t), []string{"usr_1"})
		equal(t, "members of another", must(db.ConsentMembers(ctx, "client_2"))(t), []string{})
	})
}

func TestDisabledMemberIsSignedOutEverywhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		all(t, db, func(tx *store.Tx) error {
			s := theSession
			s.ID, s.Hash = "ses_2", secret.HashOf("ses_2")
			return tx.InsertSession(ctx, s)
		}, func(tx *store.Tx) error { return tx.EndSessions(ctx, "usr_1", "ses_2") })
		if list := must(db.Sessions(ctx, "usr_1"))(t); len(list) != 1 || list[0].ID != "ses_2" {
			t.Errorf("sessions but one: %v", list)
		}
		seen := store.Touch{
			Sessions:    map[string]time.Time{"ses_2": hour(20), "ses_1": hour(20)},
			AccountKeys: map[string]time.Time{"kid_1": hour(20)},
		}
		if err := db.Touch(ctx, &seen); err != nil || len(seen.Sessions)+len(seen.AccountKeys) != 0 {
			t.Fatalf("touch: %v, left %v", err, seen)
		}
		if s := must(db.Session(ctx, "ses_2"))(t); !s.SeenAt.Equal(hour(20)) {
			t.Errorf("last seen %v", s.SeenAt)
		}
		if s := must(db.Session(ctx, "ses_1"))(t); !s.SeenAt.Equal(hour(3)) {
			t.Errorf("an ended session was seen at %v", s.SeenAt)
		}
		if k := must(db.AccountKey(ctx, "kid_1"))(t); !k.LastUsedAt.Equal(hour(20)) {
			t.Errorf("key last used at %v", k.LastUsedAt)
		}
		all(t, db, func(tx *store.Tx) error {
			return tx.UpdateMember(ctx, store.Member{ID: "usr_1", Organization: "org_1", DisabledAt: tx.Now()})
		})
		if list := must(db.Sessions(ctx, "usr_1"))(t); len(list) != 0 {
			t.Errorf("sessions of a disabled member: %v", list)
		}
	})
}

func TestNewLinkReplacesOlderOnes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		all(t, db, func(tx *store.Tx) error { return tx.EndLinks(ctx, "usr_1", "invite") })
		if l := must(db.Link(ctx, theLink.Hash))(t); !l.UsedAt.IsZero() {
			t.Error("a link of another purpose was ended")
		}
		all(t, db, func(tx *store.Tx) error { return tx.EndLinks(ctx, "usr_1", "reset") }, func(tx *store.Tx) error {
			if _, first, err := tx.ConsumeLink(ctx, theLink.Hash, "reset"); first || err != nil {
				t.Errorf("an ended link was used: %t, %v", first, err)
			}
			return nil
		})
	})
}
