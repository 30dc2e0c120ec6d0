package manage_test

import (
	"sync"
	"testing"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/manage"
)

// parallel calls f n times at once and returns how many calls succeeded. Every other
// must have failed with a conflict.
func parallel(t *testing.T, n int, f func() error) int {
	t.Helper()
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = f() })
	}
	all.Wait()
	succeeded := 0
	for _, err := range errs {
		switch {
		case err == nil:
			succeeded++
		case cardea.KindOf(err) != cardea.KindConflict:
			t.Errorf("a call failed: %v", err)
		}
	}
	return succeeded
}

// Of twenty rotations at once one happens: the others would each cut off the secret
// that the one before had just handed out.
func TestOneOfManyRotationsAtOnceHappens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		for range 5 {
			k := w.key(o.ID, "k").Key
			n := parallel(t, 20, func() error {
				_, err := w.RotateKey(w.ctx, operator, manage.RotateKey{ID: k.ID})
				return err
			})
			if n != 1 {
				t.Errorf("%d of 20 rotations happened", n)
			}
		}
	})
}

// However many regenerations run at once, one secret works in the end.
func TestRegenerationsAtOnceLeaveOneSecret(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		k := w.key(w.organization("Acme").ID, "k").Key
		parallel(t, 20, func() error {
			_, err := w.RegenerateKey(w.ctx, operator, manage.ID{ID: k.ID})
			return err
		})
		working := 0
		for _, s := range must(w.store.Secrets(w.ctx, k.ID))(t) {
			if s.ExpiresAt.IsZero() || s.ExpiresAt.After(w.clock()) {
				working++
			}
		}
		if working != 1 {
			t.Errorf("%d secrets work", working)
		}
	})
}

// The most keys an owner may have is the most also when all are asked for at once.
func TestTheBoundOfKeysHoldsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		n := parallel(t, 20, func() error {
			_, err := w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "space_token", Environment: "live", Organization: o.ID, Name: "k"})
			return err
		})
		if n != 2 {
			t.Errorf("%d keys were created, the most is 2", n)
		}
	})
}

// Offboarding and creating at once leave no working key behind.
func TestNothingIsCreatedIntoAnOffboardedOrganization(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		o := w.organization("Acme")
		var creating sync.WaitGroup
		for range 10 {
			creating.Go(func() {
				_, err := w.CreateKey(w.ctx, operator, manage.CreateKey{Kind: "api_key", Environment: "live", Organization: o.ID, Name: "k"})
				if err != nil && cardea.KindOf(err) != cardea.KindConflict {
					t.Errorf("create: %v", err)
				}
			})
		}
		must(w.OffboardOrganization(w.ctx, operator, manage.Offboard{ID: o.ID}))(t)
		creating.Wait()
		for _, k := range must(w.Keys(w.ctx, operator, manage.KeyFilter{Organization: o.ID}))(t).Items {
			if k.Status != manage.StatusRevoked {
				t.Errorf("key %s is %s", k.ID, k.Status)
			}
		}
	})
}
