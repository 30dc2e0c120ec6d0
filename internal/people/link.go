package people

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// What a one-time link is for.
const (
	LinkInvite = "invite" // the first sign-in of a new member
	LinkReset  = "reset"  // a new password in place of a forgotten one
)

// A Link is a one-time link that is still good.
type Link struct {
	Purpose      string
	Member       store.Member
	Organization store.Organization
	ExpiresAt    time.Time
}

// Link returns what a link is about, false when it is not good, or not any more. It does
// not use it up: programs that look at links before people do must not.
func (p *People) Link(ctx context.Context, text string, from From) (Link, bool, error) {
	giveBack, err := p.admitAddress(from)
	if err != nil {
		return Link{}, false, err
	}
	row, err := p.store.Link(ctx, secret.HashOf(text))
	if err != nil {
		return Link{}, false, unlessMissing(err)
	}
	giveBack()
	return p.good(ctx, p.store.Reader, row)
}

// good reports whether a link may be used now.
func (p *People) good(ctx context.Context, r store.Reader, row store.OneTimeLink) (Link, bool, error) {
	if row.Purpose != LinkInvite && row.Purpose != LinkReset || !row.UsedAt.IsZero() || !p.now().Before(row.ExpiresAt) {
		return Link{}, false, nil
	}
	m, o, ok, err := standing(ctx, r, row.Member)
	return Link{row.Purpose, m, o, row.ExpiresAt}, ok, err
}

// errLink says nothing about which of the ways not to be good it was.
func errLink() error {
	return cardea.Errorf(cardea.KindNotFound, "This link is not good any more. Ask for a new one.")
}

// UseLink uses a link up: it stores the password that the member chose, ends every
// session they had, and starts one here. Where the contract offers no passwords, chosen
// is not looked at. The error of kind NotFound is the same for every link that is not
// good; a KindInvalid error is about the password, and the link stays good.
func (p *People) UseLink(ctx context.Context, text, chosen string, from From) (token secret.Secret, s Session, err error) {
	link, ok, err := p.Link(ctx, text, from)
	if err == nil && !ok {
		err = errLink()
	}
	if err != nil {
		return secret.Secret{}, Session{}, err
	}
	hash := ""
	if p.offers(MethodPassword) {
		if hash, err = p.choose(ctx, link.Member, link.Organization, chosen); err != nil {
			return secret.Secret{}, Session{}, err
		}
	}
	err = p.change(ctx, from.member(link.Member.ID), func(tx *store.Tx) error {
		row, first, err := tx.ConsumeLink(ctx, secret.HashOf(text), link.Purpose)
		if err != nil || !first {
			return orElse(unlessMissing(err), errLink())
		}
		m, o, ok, err := standing(ctx, tx.Reader, row.Member)
		if err != nil || !ok || !tx.Now().Before(row.ExpiresAt) {
			return orElse(err, errLink())
		}
		if err := tx.EndSessions(ctx, m.ID, ""); err != nil {
			return err
		}
		if hash != "" {
			tx.Audit(event("member.set_password", m, sessionDetail{Method: MethodLink}))
			if err := tx.SetPassword(ctx, store.Password{Member: m.ID, Hash: hash}); err != nil {
				return err
			}
		}
		token, s, err = p.start(ctx, tx, m, o, MethodLink, tx.Now(), from)
		return err
	})
	if err != nil {
		return secret.Secret{}, Session{}, err
	}
	return token, s, nil
}

// orElse returns the first error that is one.
func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// admitAddress counts a use of something nobody should have to guess, per address.
func (p *People) admitAddress(from From) (giveBack func(), err error) {
	back, wait := p.attempts.take(p.now(), claim{"address " + household(from.Address).String(), perAddress})
	if wait > 0 {
		return nil, &ThrottledError{Wait: wait}
	}
	return back, nil
}
