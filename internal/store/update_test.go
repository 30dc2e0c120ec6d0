package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// insert is a change that leaves its mark under an id.
func insert(ctx context.Context, db *store.DB, id string, after func() error) error {
	_, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) error {
		if err := tx.InsertOrganization(ctx, store.Organization{ID: id, Name: id}); err != nil {
			return err
		}
		tx.Audit(store.Event{Action: "organization.create", TargetType: "organization", TargetID: id})
		return after()
	})
	return err
}

func fine() error { return nil }

func TestNoChangeWithoutActorAndAuditEvent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		write := func(tx *store.Tx) error {
			return tx.InsertOrganization(ctx, store.Organization{ID: "org_silent"})
		}
		if _, err := db.Update(ctx, storetest.Actor, write); err == nil {
			t.Error("a change without an audit event was accepted")
		}
		if _, err := db.Update(ctx, cardea.Actor{}, write); err == nil {
			t.Error("a change without an actor was accepted")
		}
		_, err := db.Organization(ctx, "org_silent")
		wantKind(t, "the silent change", err, cardea.KindNotFound)
		if _, err := db.Update(ctx, storetest.Actor, func(*store.Tx) error { return nil }); err != nil {
			t.Errorf("a closure that writes nothing needs no event: %v", err)
		}
	})
}

func TestFailedClosureLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		head := must(db.Head(ctx))(t)
		mine := errors.New("mine")
		if err := insert(ctx, db, "org_failed", func() error { return mine }); !errors.Is(err, mine) {
			t.Errorf("got %v, want the closure's own error", err)
		}
		func() {
			defer func() {
				if v := recover(); v != "boom" {
					t.Errorf("recovered %v, want the closure's own panic", v)
				}
			}()
			_ = insert(ctx, db, "org_panicked", func() error { panic("boom") })
		}()
		done := make(chan struct{})
		go func() { // as t.Fatal in a closure does
			defer close(done)
			_ = insert(ctx, db, "org_exited", func() error { runtime.Goexit(); return nil })
		}()
		<-done
		if err := insert(ctx, db, "org_after", fine); err != nil {
			t.Errorf("a change after failed ones: %v", err)
		}
		for _, id := range []string{"org_failed", "org_panicked", "org_exited"} {
			_, err := db.Organization(ctx, id)
			wantKind(t, id, err, cardea.KindNotFound)
		}
		if now := must(db.Head(ctx))(t); now != head+1 {
			t.Errorf("change_head moved from %d to %d, want one step", head, now)
		}
		tree, err := db.VerifyAudit(ctx)
		if err != nil || tree.Size != 1 {
			t.Errorf("audit log has %d events (%v), want 1", tree.Size, err)
		}
	})
}

func TestChangesSeeEachOtherWhole(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		ctx, db := t.Context(), storetest.OpenConfig(t, storetest.Slow(cfg))
		people(t, db)
		const writers, each = 16, 4
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for range each { // reads, and writes what follows from it
					_, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) error {
						tx.Audit(store.Event{Action: "test"})
						text, err := tx.Setting(ctx, "count")
						if err != nil {
							return err
						}
						n, _ := strconv.Atoi(text) // 0 at first
						return tx.SetSetting(ctx, "count", strconv.Itoa(n+1))
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		equal(t, "count", must(db.Setting(ctx, "count"))(t), strconv.Itoa(writers*each))
	})
}

func TestWritersTogetherLoseNothingAndFailAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		const writers, each = 64, 8
		var wg sync.WaitGroup
		seqs := make([]map[int64]bool, writers)
		for w := range writers {
			seqs[w] = map[int64]bool{}
			wg.Go(func() {
				for i := range each {
					id := fmt.Sprintf("org_%d_%d", w, i)
					bad := (w+i)%5 == 0
					changes, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) error {
						tx.Audit(store.Event{Action: "organization.create", TargetID: id})
						if err := tx.InsertOrganization(ctx, store.Organization{ID: id}); err != nil {
							return err
						}
						if bad {
							return errors.New("changed my mind")
						}
						return nil
					})
					if (err != nil) != bad {
						t.Errorf("%s: %v", id, err)
					}
					if !bad {
						seqs[w][changes.Seq()] = true
					}
					if _, err := db.Organization(ctx, id); (err == nil) == bad {
						t.Errorf("%s is visible: %t, want %t", id, err == nil, !bad)
					}
				}
			})
		}
		wg.Wait()
		all := map[int64]bool{}
		for _, s := range seqs {
			for seq := range s {
				if all[seq] {
					t.Errorf("sequence number %d was given twice", seq)
				}
				all[seq] = true
			}
		}
		tree, err := db.VerifyAudit(ctx)
		if err != nil || tree.Size != int64(len(all)) || must(db.Head(ctx))(t) != int64(len(all)) {
			t.Errorf("%d changes were acknowledged, the audit log has %d events (%v)", len(all), tree.Size, err)
		}
	})
}

func TestCancelledWaiterChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx, cancel := context.WithCancel(t.Context())
		started, release, first := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			first <- insert(t.Context(), db, "org_first", func() error {
				close(started)
				<-release
				return nil
			})
		}()
		<-started
		second := make(chan error)
		go func() { second <- insert(ctx, db, "org_second", fine) }()
		cancel()
		err := <-second
		wantKind(t, "the cancelled change", err, cardea.KindUnavailable)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled in its chain", err)
		}
		close(release)
		if err := <-first; err != nil {
			t.Errorf("the running change: %v", err)
		}
		_, err = db.Organization(t.Context(), "org_second")
		wantKind(t, "the cancelled change's row", err, cardea.KindNotFound)
	})
}

func TestRunningClosureOutlivesItsContext(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		ctx, cancel := context.WithCancel(t.Context())
		_, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) error {
			cancel() // the caller is gone; what follows must still be told as it is
			tx.Audit(store.Event{Action: "test"})
			return tx.InsertOrganization(ctx, store.Organization{ID: "org_kept"})
		})
		if err != nil {
			t.Errorf("Update: %v", err)
		}
		if _, err := db.Organization(t.Context(), "org_kept"); err != nil {
			t.Errorf("a change that was called done is missing: %v", err)
		}
	})
}

func TestChangesSayWhatCachesMustForget(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		h := people(t, db)
		start := must(db.Head(ctx))(t)
		cred := store.Change{Kind: store.ChangeCredential, Target: "key_1", Hashes: []secret.Hash{h}}
		org := store.Change{Kind: store.ChangeOrganization, Target: "org_1"}
		var all store.Changes
		for _, step := range []struct {
			name string
			want store.Change
			fn   func(tx *store.Tx) error
		}{
			{"credential", cred, func(tx *store.Tx) error {
				return tx.UpdateCredential(ctx, store.Credential{ID: "key_1", RevokedAt: hour(1)})
			}},
			{"secrets", cred, func(tx *store.Tx) error { return tx.EndSecrets(ctx, "key_1", hour(1)) }},
			{"overlap", cred, func(tx *store.Tx) error { return tx.EndOverlap(ctx, "key_1", hour(1)) }},
			{"organization", org, func(tx *store.Tx) error {
				return tx.UpdateOrganization(ctx, store.Organization{ID: "org_1", Plan: "x"})
			}},
			{"member", org, func(tx *store.Tx) error {
				return tx.UpdateMember(ctx, store.Member{ID: "usr_1", Organization: "org_1"})
			}},
			{"address list", org, func(tx *store.Tx) error {
				return tx.SetAddressList(ctx, store.AddressList{Organization: "org_1", Environment: "live"})
			}},
			{"no address list", org, func(tx *store.Tx) error { return tx.DeleteAddressList(ctx, "org_1", "live") }},
			{"everything", store.Change{Kind: store.ChangeAll}, func(tx *store.Tx) error {
				tx.Changed(store.ChangeAll, "")
				tx.Changed(store.ChangeAll, "")
				return nil
			}},
		} {
			got, want := storetest.Change(t, db, step.fn), store.Changes{step.want}
			if step.name == "member" { // decisions on tokens watch the member alone
				want = append(want, store.Change{Kind: store.ChangeMember, Target: "usr_1"})
			}
			for i := range want {
				want[i].Seq = start + int64(len(all)+i) + 1
			}
			equal(t, step.name, got, want)
			all = append(all, got...)
		}
		equal(t, "changes after", must(db.ChangesAfter(ctx, start))(t), all)
		equal(t, "changes after the last", must(db.ChangesAfter(ctx, all.Seq()))(t), store.Changes{})
	})
}

func TestChangeLogThatWasCutSaysForgetEverything(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		now := hour(1)
		cfg.Now = func() time.Time { return now }
		ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
		people(t, db)
		now = now.AddDate(0, 0, 8)
		storetest.Change(t, db, func(tx *store.Tx) error {
			return tx.UpdateOrganization(ctx, store.Organization{ID: "org_1"})
		})
		if err := db.Maintain(ctx); err != nil {
			t.Fatal(err)
		}
		head := must(db.Head(ctx))(t)
		equal(t, "from long ago", must(db.ChangesAfter(ctx, 0))(t), store.Changes{{Seq: head, Kind: store.ChangeAll}})
		equal(t, "from lately", must(db.ChangesAfter(ctx, head-1))(t),
			store.Changes{{Seq: head, Kind: store.ChangeOrganization, Target: "org_1"}})
	})
}
