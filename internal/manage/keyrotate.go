package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// maxOverlap is the longest an old secret may go on working: 90 days. Two secrets for
// ever would be two keys.
const maxOverlap = 90 * 24 * time.Hour

// RotateKey gives a key a new secret, returned once. The old one works until the
// overlap ends, at most as long as it would have without the rotation.
//
// While an overlap lasts a further rotation is refused, so that a call repeated after
// a lost answer cannot cut off the secret that is in use; with an overlap of 0 it is
// accepted, and ends all earlier ones.
func (m *Manager) RotateKey(ctx context.Context, actor cardea.Actor, in RotateKey) (KeySecret, error) {
	if s := in.OverlapSeconds; s != nil && (*s < 0 || *s > int64(maxOverlap/time.Second)) {
		return KeySecret{}, cardea.Invalid("overlap_seconds", "must be from 0 to %d", int64(maxOverlap/time.Second))
	}
	return m.renewKey(ctx, actor, in.ID, "key.rotate", func(kind *contract.KeyKind, row *keyRow, now time.Time) (time.Time, error) {
		overlap := min(kind.Overlap, maxOverlap)
		if in.OverlapSeconds != nil {
			overlap = time.Duration(*in.OverlapSeconds) * time.Second
		}
		cr := &row.credential
		end := now.Add(overlap)
		if !cr.ExpiresAt.IsZero() && cr.ExpiresAt.Before(end) {
			end = cr.ExpiresAt
		}
		if old := row.old(now); old != nil && overlap > 0 {
			return end, cardea.Errorf(cardea.KindConflict,
				"a rotation is under way until %s: finish it first, or rotate with an overlap of 0", old.ExpiresAt.Format(time.RFC3339))
		}
		switch {
		case !in.ExpiresAt.IsZero():
			expires, invalid := chooseExpiry(kind, now, now, in.ExpiresAt, false)
			if invalid != nil {
				return end, invalid
			}
			cr.ExpiresAt = expires
		case !cr.ExpiresAt.IsZero() && !now.Before(cr.ExpiresAt):
			return end, cardea.Errorf(cardea.KindConflict, "the key has expired: give it a new expires_at, or regenerate it")
		}
		return end, nil
	})
}

// RegenerateKey gives a key a new secret and a new lifetime; the old secret is refused
// from the moment it returns. It is for secrets that may have leaked, and for personal
// tokens that ran out. The new lifetime is the kind's default, else its maximum, else as
// long as the last one was.
func (m *Manager) RegenerateKey(ctx context.Context, actor cardea.Actor, in ID) (KeySecret, error) {
	return m.renewKey(ctx, actor, in.ID, "key.regenerate", func(kind *contract.KeyKind, row *keyRow, now time.Time) (time.Time, error) {
		cr := &row.credential
		switch {
		case !kind.DefaultLifetime.IsZero():
			cr.ExpiresAt = kind.DefaultLifetime.After(now)
		case !kind.MaxLifetime.IsZero() && !kind.ExpiryRequired:
			cr.ExpiresAt = kind.MaxLifetime.After(now)
		case !cr.ExpiresAt.IsZero():
			cr.ExpiresAt = now.Add(cr.ExpiresAt.Sub(row.current().CreatedAt))
		}
		return now, nil
	})
}

// renewKey gives a key a new secret. renew may change row.credential and returns when
// the present secrets end.
func (m *Manager) renewKey(ctx context.Context, actor cardea.Actor, id, action string,
	renew func(kind *contract.KeyKind, row *keyRow, now time.Time) (time.Time, error)) (KeySecret, error) {
	var text secret.Secret
	key, err := m.editKey(ctx, actor, id, keyEdit{
		action: action, need: maySecrets,
		change: func(tx *store.Tx, c *contract.Contract, kind *contract.KeyKind, row *keyRow) error {
			env := c.Environment(row.credential.Environment)
			if kind == nil || env == nil || !kind.Environments[env.Index] {
				return errNoKind
			}
			if kind.RevealAlways && m.sealer == nil {
				return errNoMasterKey
			}
			end, err := renew(kind, row, tx.Now())
			if err != nil {
				return err
			}
			if err := tx.EndSecrets(ctx, row.credential.ID, end); err != nil {
				return err
			}
			text = newSecret(kind, env)
			return tx.InsertSecret(ctx, m.storedSecret(kind, row.credential.ID, text, tx.Now()))
		},
	})
	if err != nil {
		return KeySecret{}, err
	}
	return KeySecret{Key: key, Secret: text}, nil
}

// FinishKeyRotation ends a rotation's overlap: from the moment it returns only the new
// secret works. Without a rotation under way it changes nothing.
func (m *Manager) FinishKeyRotation(ctx context.Context, actor cardea.Actor, in ID) (Key, error) {
	return m.editKey(ctx, actor, in.ID, keyEdit{
		action: "key.finish_rotation", need: mayKeys,
		change: func(tx *store.Tx, _ *contract.Contract, _ *contract.KeyKind, row *keyRow) error {
			if row.old(tx.Now()) == nil {
				return nil
			}
			return tx.EndOverlap(ctx, row.credential.ID, tx.Now())
		},
	})
}
