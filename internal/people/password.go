package people

import (
	"context"
	"errors"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/password"
	"github.com/cardea-dev/cardea/internal/store"
)

// choose checks a password that somebody chose and returns its hash.
func (p *People) choose(ctx context.Context, m store.Member, o store.Organization, chosen string) (string, error) {
	if err := password.Check(chosen, m.Email, m.Name, o.Name, p.contract().Product()); err != nil {
		return "", err
	}
	hash, err := p.hasher.Hash(ctx, chosen)
	return hash, busy(err)
}

// SetPassword gives the person another password, and ends every other session they have.
// Who has a password must tell it; who has none must have proved who they are lately
// ([ErrProveAgain]).
func (p *People) SetPassword(ctx context.Context, by Session, current, chosen string, from From) error {
	if !p.offers(MethodPassword) {
		return cardea.Errorf(cardea.KindForbidden, "There are no passwords here.")
	}
	stored, err := p.store.Password(ctx, by.Member.ID)
	if unlessMissing(err) != nil {
		return err
	}
	if err := p.prove(ctx, by, stored.Hash, current, from); err != nil {
		return err
	}
	hash, err := p.choose(ctx, by.Member, by.Organization, chosen)
	if err != nil {
		return err
	}
	return p.change(ctx, from.member(by.Member.ID), func(tx *store.Tx) error {
		now, err := tx.Password(ctx, by.Member.ID)
		if unlessMissing(err) != nil {
			return err
		}
		if now.Hash != stored.Hash {
			return cardea.Errorf(cardea.KindConflict, "The password was changed in the meantime.")
		}
		tx.Audit(event("member.set_password", by.Member, nil))
		if err := tx.SetPassword(ctx, store.Password{Member: by.Member.ID, Hash: hash}); err != nil {
			return err
		}
		if err := endLinks(ctx, tx, by.Member.ID); err != nil {
			return err
		}
		return tx.EndSessions(ctx, by.Member.ID, by.ID)
	})
}

// prove checks the present password of somebody who is signed in: whoever finds an open
// browser has the session, and not the password.
func (p *People) prove(ctx context.Context, by Session, hash, current string, from From) error {
	if hash == "" {
		return p.lately(by)
	}
	giveBack, wait := p.attempts.take(p.now(), claim{"member " + by.Member.ID, perAccountNetwork})
	if wait > 0 {
		return &ThrottledError{Wait: wait}
	}
	ok, err := p.hasher.Verify(ctx, hash, current)
	if err != nil {
		giveBack()
		return busy(err)
	}
	if !ok {
		p.failed(ctx, by.Member, MethodPassword, from)
		return cardea.Invalid("current", "The current password is not right.")
	}
	giveBack()
	return nil
}

// HasPassword reports whether the person has a password.
func (p *People) HasPassword(ctx context.Context, by Session) (bool, error) {
	_, err := p.store.Password(ctx, by.Member.ID)
	return err == nil, unlessMissing(err)
}

// ErrProveAgain asks a signed-in person to sign in again before a change to how they
// sign in.
var ErrProveAgain = cardea.Errorf(cardea.KindForbidden, "Sign in again before you change how you sign in.")

// authAge is how long ago somebody may have proved who they are for a change to how they
// sign in.
const authAge = 15 * time.Minute

// lately returns ErrProveAgain when the person last proved who they are too long ago.
func (p *People) lately(by Session) error {
	if p.now().Sub(by.AuthTime) > authAge {
		return ErrProveAgain
	}
	return nil
}

// busy gives the error of too many hashes at once its kind and its words.
func busy(err error) error {
	if errors.Is(err, password.ErrBusy) {
		return &cardea.Error{Kind: cardea.KindUnavailable, Public: "Too many people are signing in. Try again in a moment.", Cause: err}
	}
	return err
}
