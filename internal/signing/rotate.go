package signing

import (
	"context"
	"slices"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/store"
)

// State is where a key is in its life.
type State string

// The states, in order. A revoked key is in none of the others.
const (
	StatePending   State = "pending"   // published, signs soon
	StateSigning   State = "signing"   // signs
	StateVerifying State = "verifying" // signs no more, what it signed is still good
	StateGone      State = "gone"      // verifies no more
	StateRevoked   State = "revoked"   // compromised
)

// Info describes a key to people.
type Info struct {
	ID, Environment, Algorithm string
	State                      State

	// CreatedAt and SignsAt are always set; zero stands for "not decided" in the others.
	CreatedAt, SignsAt, RetiredAt, ExpiresAt, RevokedAt time.Time
}

// most is how many keys of one purpose may be alive at once, so that their document
// stays one that others accept.
const most = 8

// List returns all keys, newest first.
func (k *Keys) List(ctx context.Context) ([]Info, error) {
	v, err := k.Verification(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Info, len(v.rows))
	for i, row := range v.rows {
		out[i] = k.info(v, row)
	}
	return out, nil
}

// info returns what people may know of a key.
func (k *Keys) info(v *Verification, row store.SigningKey) Info {
	now := k.now()
	out := Info{
		ID: row.ID, Environment: row.Environment, Algorithm: row.Algorithm,
		CreatedAt: row.CreatedAt, SignsAt: row.SignsAt, RetiredAt: row.RetiredAt,
		ExpiresAt: row.ExpiresAt, RevokedAt: row.RevokedAt,
	}
	signing := v.signs(purpose{row.Environment, row.Algorithm}, now)
	switch {
	case !row.RevokedAt.IsZero():
		out.State = StateRevoked
	case past(row.ExpiresAt, now):
		out.State = StateGone
	case signing != nil && signing.row.ID == row.ID:
		out.State = StateSigning
	case !past(row.SignsAt, now):
		out.State = StatePending
	default:
		out.State = StateVerifying
	}
	return out
}

// Rotate replaces the keys of an environment ("" for all): for each algorithm that the
// contract needs, a new key is published now and signs CacheTime later, when the one
// before it retires; that one verifies until the last of its tokens has expired. With
// immediate it signs at once, which verifiers that remember our key set notice only
// when they fetch it again. It returns the new keys. The error is KindNotFound for an
// environment that the contract does not have, KindConflict when so many keys are alive
// already that one must wait for them to expire.
func (k *Keys) Rotate(ctx context.Context, actor cardea.Actor, environment string, immediate bool) ([]Info, error) {
	c := k.contract()
	if environment != "" && c.Environment(environment) == nil {
		return nil, cardea.Errorf(cardea.KindNotFound, "no such environment")
	}
	var fresh []store.SigningKey
	for _, p := range needed(c) {
		if environment != "" && p.environment != environment {
			continue
		}
		row, err := k.generate(p)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, row)
	}
	if len(fresh) == 0 {
		return nil, cardea.Errorf(cardea.KindConflict, "the contract has no signed tokens")
	}
	lifetime := longest(c)
	err := k.update(ctx, actor, func(tx *store.Tx) error {
		for i := range fresh {
			row := &fresh[i]
			row.CreatedAt, row.SignsAt = tx.Now(), tx.Now()
			if !immediate {
				row.SignsAt = tx.Now().Add(CacheTime)
			}
			if err := k.succeed(ctx, tx, row, lifetime); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return k.infos(ctx, fresh)
}

// infos returns what people may know of keys that were just stored.
func (k *Keys) infos(ctx context.Context, rows []store.SigningKey) ([]Info, error) {
	v, err := k.Verification(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Info, len(rows))
	for i, row := range rows {
		out[i] = k.info(v, row)
	}
	return out, nil
}

// succeed stores a new key and retires those before it when it begins to sign.
func (k *Keys) succeed(ctx context.Context, tx *store.Tx, row *store.SigningKey, lifetime time.Duration) error {
	before, err := alive(ctx, tx, purpose{row.Environment, row.Algorithm})
	if err != nil {
		return err
	}
	if len(before) >= most {
		return cardea.Errorf(cardea.KindConflict, "too many keys are alive; wait until the retired ones have expired")
	}
	for _, old := range before {
		if !old.RetiredAt.IsZero() && !old.RetiredAt.After(row.SignsAt) {
			continue
		}
		if err := retire(ctx, tx, old, row.SignsAt, lifetime); err != nil {
			return err
		}
	}
	audit(tx, "signing_key.rotate", *row)
	return insert(ctx, tx, *row)
}

// alive returns the keys of a purpose that verify at the time of the change.
func alive(ctx context.Context, tx *store.Tx, p purpose) ([]store.SigningKey, error) {
	rows, err := tx.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(r store.SigningKey) bool {
		return r.Environment != p.environment || r.Algorithm != p.algorithm || !r.RevokedAt.IsZero() || past(r.ExpiresAt, tx.Now())
	}), nil
}

// retire stores that a key signs no more from a time on, and verifies for as long as
// its tokens may live after it.
func retire(ctx context.Context, tx *store.Tx, row store.SigningKey, at time.Time, lifetime time.Duration) error {
	row.RetiredAt, row.ExpiresAt = at, at.Add(lifetime+margin)
	audit(tx, "signing_key.retire", row)
	return tx.UpdateSigningKey(ctx, row)
}

// Revoke ends a key that got into wrong hands: it verifies nothing from now on, and
// another signs at once, the one already published if there is one. Every node refuses
// its tokens as soon as it has heard of the change; this one has when Revoke returns.
// KindNotFound when there is no such key, KindConflict when it is revoked already.
func (k *Keys) Revoke(ctx context.Context, actor cardea.Actor, kid string) (Info, error) {
	row, err := k.store.SigningKey(ctx, kid)
	if err != nil {
		return Info{}, err
	}
	p := purpose{row.Environment, row.Algorithm}
	// Made before the change, because it takes time; not stored when it is not needed.
	spare, err := k.generate(p)
	if err != nil {
		return Info{}, err
	}
	err = k.update(ctx, actor, func(tx *store.Tx) error {
		row, err = tx.SigningKey(ctx, kid)
		if err != nil {
			return err
		}
		if !row.RevokedAt.IsZero() {
			return cardea.Errorf(cardea.KindConflict, "the key is revoked already")
		}
		row.RevokedAt = tx.Now()
		audit(tx, "signing_key.revoke", row)
		if err := tx.UpdateSigningKey(ctx, row); err != nil {
			return err
		}
		return k.fill(ctx, tx, p, spare)
	})
	if err != nil {
		return Info{}, err
	}
	list, err := k.infos(ctx, []store.SigningKey{row})
	if err != nil {
		return Info{}, err
	}
	return list[0], nil
}

// fill sees to it that a key signs for a purpose that the contract needs: the one that
// does, the one that was about to, or the spare one.
func (k *Keys) fill(ctx context.Context, tx *store.Tx, p purpose, spare store.SigningKey) error {
	if !slices.Contains(needed(k.contract()), p) {
		return nil
	}
	rows, err := alive(ctx, tx, p)
	if err != nil {
		return err
	}
	now := tx.Now()
	var next *store.SigningKey
	for i := range rows {
		r := &rows[i]
		if past(r.RetiredAt, now) {
			continue
		}
		if past(r.SignsAt, now) {
			return nil
		}
		if next == nil || r.SignsAt.Before(next.SignsAt) {
			next = r
		}
	}
	if next == nil {
		spare.CreatedAt, spare.SignsAt = now, now
		return insert(ctx, tx, spare)
	}
	next.SignsAt = now
	audit(tx, "signing_key.rotate", *next)
	return tx.UpdateSigningKey(ctx, *next)
}

// Maintain is called from time to time: it reads what others changed, retires keys that
// the contract needs no more, and makes those that it needs.
func (k *Keys) Maintain(ctx context.Context) error {
	v, err := k.load(ctx, true)
	if err != nil {
		return err
	}
	c := k.contract()
	want, now := needed(c), k.now()
	idle := func(r store.SigningKey) bool {
		return r.RevokedAt.IsZero() && r.RetiredAt.IsZero() && !slices.Contains(want, purpose{r.Environment, r.Algorithm})
	}
	if slices.ContainsFunc(v.rows, idle) {
		if err := k.retireIdle(ctx, idle, longest(c)); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(want, func(p purpose) bool { return v.signs(p, now) == nil }) {
		k.Start(context.WithoutCancel(ctx))
	}
	return nil
}

// idleLifetime is how long a key verifies after the contract has dropped its algorithm
// or environment, at least: the lifetime that its tokens were given is no longer known.
const idleLifetime = 24 * time.Hour

// retireIdle retires the keys that nobody needs.
func (k *Keys) retireIdle(ctx context.Context, idle func(store.SigningKey) bool, lifetime time.Duration) error {
	return k.update(ctx, system, func(tx *store.Tx) error {
		rows, err := tx.SigningKeys(ctx)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if !idle(row) {
				continue
			}
			if err := retire(ctx, tx, row, tx.Now(), max(lifetime, idleLifetime)); err != nil {
				return err
			}
		}
		return nil
	})
}
