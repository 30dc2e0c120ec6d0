package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
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
	return m.asKeySecret(m.rotate(ctx, actor, keyNoun, in))
}

// rotate gives a credential a new secret, with an overlap.
func (m *Manager) rotate(ctx context.Context, actor cardea.Actor, n noun, in RotateKey) (keyRow, error) {
	if s := in.OverlapSeconds; s != nil && (*s < 0 || *s > int64(maxOverlap/time.Second)) {
		return keyRow{}, cardea.Invalid("overlap_seconds", "must be from 0 to %d", int64(maxOverlap/time.Second))
	}
	return m.renew(ctx, actor, n, in.ID, "rotate", func(kind *contract.KeyKind, row *keyRow, now time.Time) (time.Time, error) {
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
			expires, invalid := rules.Expiry(kind, now, now, in.ExpiresAt, false)
			if invalid != nil {
				return end, invalid
			}
			cr.ExpiresAt = expires
		case !cr.ExpiresAt.IsZero() && !now.Before(cr.ExpiresAt):
			return end, cardea.Errorf(cardea.KindConflict, "the %s has expired: give it a new expires_at, or regenerate it", n.text)
		}
		return end, nil
	})
}

// RegenerateKey gives a key a new secret and a new lifetime; the old secret, and the
// access tokens made from it, are refused from the moment it returns. It is for secrets that may have leaked, and for personal
// tokens that ran out. The new lifetime is the kind's default, else its maximum, else as
// long as the last one was.
func (m *Manager) RegenerateKey(ctx context.Context, actor cardea.Actor, in ID) (KeySecret, error) {
	return m.asKeySecret(m.regenerate(ctx, actor, keyNoun, in))
}

// regenerate gives a credential a new secret and ends the old one.
func (m *Manager) regenerate(ctx context.Context, actor cardea.Actor, n noun, in ID) (keyRow, error) {
	return m.renew(ctx, actor, n, in.ID, "regenerate", func(kind *contract.KeyKind, row *keyRow, now time.Time) (time.Time, error) {
		cr := &row.credential
		switch {
		case !kind.DefaultLifetime.IsZero():
			cr.ExpiresAt = kind.DefaultLifetime.After(now)
		case !kind.MaxLifetime.IsZero() && !kind.ExpiryRequired:
			cr.ExpiresAt = kind.MaxLifetime.After(now)
		case !cr.ExpiresAt.IsZero():
			cr.ExpiresAt = now.Add(cr.ExpiresAt.Sub(row.madeAt()))
		}
		return now, nil
	})
}

// renew gives a credential a new secret. next may change row.credential and returns when
// the present secrets end; those that end now take the tokens made from them along.
func (m *Manager) renew(ctx context.Context, actor cardea.Actor, n noun, id, verb string,
	next func(kind *contract.KeyKind, row *keyRow, now time.Time) (time.Time, error)) (keyRow, error) {
	var text secret.Secret
	row, err := m.edit(ctx, actor, n, id, keyEdit{
		verb: verb, need: access.Secrets,
		change: func(tx *store.Tx, c *contract.Contract, kind *contract.KeyKind, row *keyRow) error {
			env := c.Environment(row.credential.Environment)
			switch {
			case kind == nil || env == nil || !kind.Environments[env.Index]:
				return errNoKind
			case n != keyNoun && !hasSecret(&row.client):
				return cardea.Errorf(cardea.KindConflict, "the client does not authenticate with a secret")
			case kind.RevealAlways && m.sealer == nil:
				return errNoMasterKey
			}
			end, err := next(kind, row, tx.Now())
			if err != nil {
				return err
			}
			row.ends = !end.After(tx.Now())
			if err := tx.EndSecrets(ctx, row.credential.ID, end); err != nil {
				return err
			}
			text = newSecret(kind, env)
			return tx.InsertSecret(ctx, m.storedSecret(kind, row.credential.ID, text, tx.Now()))
		},
	})
	if err != nil {
		return keyRow{}, err
	}
	row.secret = text
	return row, nil
}

// FinishKeyRotation ends a rotation's overlap: from the moment it returns only the new
// secret works. Without a rotation under way it changes nothing.
func (m *Manager) FinishKeyRotation(ctx context.Context, actor cardea.Actor, in ID) (Key, error) {
	return m.asKey(m.finishRotation(ctx, actor, keyNoun, in))
}

// finishRotation ends the overlap of a rotation.
func (m *Manager) finishRotation(ctx context.Context, actor cardea.Actor, n noun, in ID) (keyRow, error) {
	return m.edit(ctx, actor, n, in.ID, keyEdit{
		verb: "finish_rotation", need: access.Keys,
		change: func(tx *store.Tx, _ *contract.Contract, _ *contract.KeyKind, row *keyRow) error {
			if row.old(tx.Now()) == nil {
				return nil
			}
			return tx.EndOverlap(ctx, row.credential.ID, tx.Now())
		},
	})
}
