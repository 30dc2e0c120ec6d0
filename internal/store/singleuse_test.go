package store_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
	"github.com/cardea-dev/cardea/internal/store/storetest"
)

// A use is one way to use something up: prepare stores it, use reports whether this was
// the first time.
type use struct {
	prepare func(tx *store.Tx, name string) error
	use     func(tx *store.Tx, name string) (bool, error)
}

func uses(ctx context.Context) map[string]use {
	return map[string]use{
		"code": {
			func(tx *store.Tx, name string) error {
				c := theCode
				c.Hash = secret.HashOf(name)
				return tx.InsertCode(ctx, c)
			},
			func(tx *store.Tx, name string) (bool, error) {
				_, first, err := tx.ConsumeCode(ctx, secret.HashOf(name), "fam")
				return first, err
			},
		},
		"refresh token": {
			func(tx *store.Tx, name string) error {
				return tx.InsertRefresh(ctx, store.RefreshToken{Hash: secret.HashOf(name), Family: "fam_1"})
			},
			func(tx *store.Tx, name string) (bool, error) {
				_, first, err := tx.ConsumeRefresh(ctx, secret.HashOf(name), []byte("next"))
				return first, err
			},
		},
		"device code": {
			func(tx *store.Tx, name string) error {
				d := theDevice
				d.Hash, d.UserCode, d.Status = secret.HashOf(name), name, store.DeviceApproved
				return tx.InsertDevice(ctx, d)
			},
			func(tx *store.Tx, name string) (bool, error) {
				_, first, err := tx.ConsumeDevice(ctx, secret.HashOf(name), "fam")
				return first, err
			},
		},
		"pushed request": {
			func(tx *store.Tx, name string) error {
				p := thePushed
				p.Hash = secret.HashOf(name)
				return tx.InsertPushed(ctx, p)
			},
			func(tx *store.Tx, name string) (bool, error) {
				_, first, err := tx.ConsumePushed(ctx, secret.HashOf(name))
				return first, err
			},
		},
		"link": {
			func(tx *store.Tx, name string) error {
				l := theLink
				l.Hash = secret.HashOf(name)
				return tx.InsertLink(ctx, l)
			},
			func(tx *store.Tx, name string) (bool, error) {
				_, first, err := tx.ConsumeLink(ctx, secret.HashOf(name), "reset")
				return first, err
			},
		},
		"assertion": {
			func(*store.Tx, string) error { return nil },
			func(tx *store.Tx, name string) (bool, error) {
				return tx.Remember(ctx, "assertion", name, theAccess.ExpiresAt)
			},
		},
	}
}

// racers is how many use something at the same time.
const racers = 16

// raceRounds is the variable that says how often; a dozen times unless it does.
const raceRounds = "CARDEA_TEST_RACE_ROUNDS"

// race uses one thing up in many goroutines and returns how many were the first. A loser
// reads before it gives up, as a token endpoint does, so that its change is no shorter.
func race(ctx context.Context, db *store.DB, u use, name string) (int64, error) {
	var first, failed atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range racers {
		wg.Go(func() {
			<-start
			won := false
			_, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) (err error) {
				tx.Audit(store.Event{Action: "test.use", TargetType: "test", TargetID: name})
				if won, err = u.use(tx, name); err == nil && !won {
					_, err = tx.Family(ctx, "fam_1")
				}
				return err
			})
			switch {
			case err != nil:
				failed.Add(1)
			case won:
				first.Add(1)
			}
		})
	}
	close(start)
	wg.Wait()
	if n := failed.Load(); n > 0 {
		return 0, fmt.Errorf("%d changes failed", n)
	}
	return first.Load(), nil
}

// races repeats a race and returns an error unless each has one winner.
func races(ctx context.Context, db *store.DB, u use, times int) error {
	for i := range times {
		name := fmt.Sprintf("race %d", i)
		if _, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) error {
			tx.Audit(store.Event{Action: "test.prepare"})
			return u.prepare(tx, name)
		}); err != nil {
			return err
		}
		if n, err := race(ctx, db, u, name); n != 1 || err != nil {
			return fmt.Errorf("round %d: %d of %d were the first: %w", i, n, racers, err)
		}
	}
	return nil
}

func TestWhatIsForOneUseIsUsedOnceByManyAtOnce(t *testing.T) {
	times := 12
	if n, err := strconv.Atoi(os.Getenv(raceRounds)); err == nil {
		times = n
	}
	var wg sync.WaitGroup // the races wait more than they work, each for its own database
	for engine, target := range map[string]func() store.Config{
		"sqlite":   func() store.Config { return store.Config{Dir: t.TempDir()} },
		"postgres": func() store.Config { return store.Config{DSN: storetest.Postgres(t)} },
	} {
		if engine == "postgres" && !storetest.HasPostgres(t) {
			continue
		}
		for what, u := range uses(t.Context()) {
			db := storetest.OpenConfig(t, storetest.Slow(target()))
			parties(t, db)
			wg.Go(func() {
				if err := races(t.Context(), db, u, times); err != nil {
					t.Errorf("%s of %s: %v", what, engine, err)
				}
			})
		}
	}
	wg.Wait()
}

func TestWhatWasUsedStaysUsedAfterARestart(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		for round, want := range []bool{true, false} {
			db, err := store.Open(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			if round == 0 {
				parties(t, db)
			}
			for what, u := range uses(t.Context()) {
				all(t, db, func(tx *store.Tx) error {
					if round == 0 {
						if err := u.prepare(tx, "again "+what); err != nil {
							return err
						}
					}
					first, err := u.use(tx, "again "+what)
					if err == nil && first != want {
						t.Errorf("%s after %d restarts: first is %t", what, round, first)
					}
					return err
				})
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestWhoeverComesLateSeesWhatTheFirstHasLeft(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		all(t, db, func(tx *store.Tx) error {
			_, first, err := tx.ConsumeCode(ctx, theCode.Hash, "fam_first")
			_, also, err2 := tx.ConsumeRefresh(ctx, theRefresh.Hash, []byte("sealed"))
			if !first || !also {
				t.Error("the first use is not the first")
			}
			if err == nil {
				err = err2
			}
			return err
		})
		// A change that only finds out that it came late leaves no trace and needs none.
		if _, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) error {
			c, first, err := tx.ConsumeCode(ctx, theCode.Hash, "fam_second")
			if first || err != nil || c.Family != "fam_first" || c.UsedAt.IsZero() || c.Member != "usr_1" {
				t.Errorf("the second use of a code: %+v, %t, %v", c, first, err)
			}
			r, first, err := tx.ConsumeRefresh(ctx, theRefresh.Hash, []byte("other"))
			if first || err != nil || string(r.SuccessorSealed) != "sealed" || r.UsedAt.IsZero() || r.Family != "fam_1" {
				t.Errorf("the second use of a refresh token: %+v, %t, %v", r, first, err)
			}
			again, err := tx.Remember(ctx, "assertion", "jti", hour(23))
			if again || err != nil {
				t.Errorf("remembered twice: %t, %v", again, err)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		all(t, db, func(tx *store.Tx) error {
			l, first, err := tx.ConsumeLink(ctx, theLink.Hash, "invite")
			if first || !l.UsedAt.IsZero() {
				t.Error("a link was used for what it is not for")
			}
			return err
		}, func(tx *store.Tx) error {
			d, first, err := tx.ConsumeDevice(ctx, theDevice.Hash, "fam")
			if first || d.Status != store.DevicePending {
				t.Error("a code was used that nobody has approved")
			}
			return err
		}, func(tx *store.Tx) error {
			other, err := tx.Remember(ctx, "proof", "jti", hour(23))
			if !other {
				t.Error("one purpose knows the ids of another")
			}
			return err
		})
	})
}

func TestUseWithoutAnAuditEventIsRefused(t *testing.T) {
	ctx, db := t.Context(), storetest.Open(t)
	parties(t, db)
	for what, u := range uses(ctx) {
		all(t, db, func(tx *store.Tx) error { return u.prepare(tx, "unseen "+what) })
		_, err := db.Update(ctx, storetest.Actor, func(tx *store.Tx) error {
			_, err := u.use(tx, "unseen "+what)
			return err
		})
		if err == nil {
			t.Errorf("%s: used without a trace", what)
		}
	}
}

func TestUndoneUseCanBeRepeated(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		ctx, db := t.Context(), open()
		parties(t, db)
		_ = inside(t, db, func(tx *store.Tx) error {
			if _, first, err := tx.ConsumeCode(ctx, theCode.Hash, "fam"); !first || err != nil {
				t.Errorf("first use: %t, %v", first, err)
			}
			return context.Canceled // what a failed check after the use does
		})(db.Reader)
		if c := must(db.Code(ctx, theCode.Hash))(t); !c.UsedAt.IsZero() || c.Family != "" {
			t.Errorf("an undone use left a trace: %+v", c)
		}
	})
}

func TestDeviceThatPollsTooSoonIsSlowedDown(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		now := hour(2)
		cfg.Now = func() time.Time { return now }
		ctx, db := t.Context(), storetest.OpenConfig(t, cfg)
		parties(t, db)
		for i, step := range []struct {
			after    time.Duration
			slow     bool
			interval int64
		}{
			{0, false, 5}, {5 * time.Second, false, 5}, {4 * time.Second, true, 10},
			{6 * time.Second, true, 15}, {15 * time.Second, false, 15},
		} {
			now = now.Add(step.after)
			d, slow, err := db.PollDevice(ctx, theDevice.Hash)
			if err != nil || slow != step.slow || d.Interval != step.interval || !d.PolledAt.Equal(now) {
				t.Errorf("poll %d: slow %t, %+v, %v", i, slow, d, err)
			}
		}
		all(t, db, func(tx *store.Tx) error {
			d := theDevice
			d.Status, d.Member, d.Organization, d.Consent, d.AuthTime = store.DeviceApproved, "usr_1", "org_1", "grt_1", hour(1)
			d.Scopes = []string{"less"}
			got, err := tx.DecideDevice(ctx, d)
			if got.Member != "usr_1" || got.Scopes[0] != "less" || !got.AuthTime.Equal(hour(1)) {
				t.Errorf("decided: %+v", got)
			}
			return err
		})
		if d, slow, err := db.PollDevice(ctx, theDevice.Hash); err != nil || slow || d.Status != store.DeviceApproved {
			t.Errorf("a poll at once after the decision: %t, %+v, %v", slow, d, err)
		}
		denied := theDevice
		denied.Status = store.DeviceDenied
		if err := inside(t, db, func(tx *store.Tx) error { _, err := tx.DecideDevice(ctx, denied); return err })(db.Reader); err == nil {
			t.Error("a decision was taken back")
		}
	})
}
