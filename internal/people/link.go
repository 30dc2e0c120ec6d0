package people

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// What a one-time link is for.
const (
	LinkInvite = "invite" // the first sign-in of a new member
	LinkReset  = "reset"  // a new password in place of a forgotten one

	LinkHandoff = "handoff" // the product's own application knows who it is
	LinkSetup   = access.PurposeSetup
)

// A Link is a one-time link that is still good.
type Link struct {
	Purpose      string
	Member       store.Member
	Organization store.Organization
	Onward       string // the path it leads to; "": none
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

// good reports whether a link may be used now. One that sets Cardea up is good while
// there is nobody of staff, and a hand-off never is for one of them: whoever can ask for
// hand-offs would be an operator in their name.
func (p *People) good(ctx context.Context, r store.Reader, row store.OneTimeLink) (Link, bool, error) {
	if !row.UsedAt.IsZero() || !p.now().Before(row.ExpiresAt) {
		return Link{}, false, nil
	}
	link := Link{Purpose: row.Purpose, Onward: row.Onward, ExpiresAt: row.ExpiresAt}
	switch row.Purpose {
	case LinkSetup:
		err := access.NoStaff(ctx, r)
		if cardea.KindOf(err) == cardea.KindConflict {
			return Link{}, false, nil
		}
		return link, err == nil, err
	case LinkInvite, LinkReset, LinkHandoff:
	default:
		return Link{}, false, nil
	}
	m, o, ok, err := standing(ctx, r, row.Member)
	link.Member, link.Organization = m, o
	return link, ok && fits(row.Purpose, m, o), err
}

// fits reports whether a link of a purpose is for a member. A hand-off is for customers
// only; an invitation for who has never come: whoever made it would be them afterwards.
func fits(purpose string, m store.Member, o store.Organization) bool {
	return !(purpose == LinkHandoff && o.Staff) && !(purpose == LinkInvite && !m.SignedInAt.IsZero())
}

// errLink says nothing about which of the ways not to be good it was.
func errLink() error {
	return cardea.Errorf(cardea.KindNotFound, "This link is not good any more. Ask for a new one.")
}

// UseLink uses an invitation or a reset link up: it stores the password that the member chose, ends every
// session they had, and starts one here. Where the contract offers no passwords, chosen
// is not looked at. The error of kind NotFound is the same for every link that is not
// good; a KindInvalid error is about the password, and the link stays good.
func (p *People) UseLink(ctx context.Context, text, chosen string, from From) (token secret.Secret, s Session, err error) {
	link, err := p.linkFor(ctx, text, from, LinkInvite, LinkReset)
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
		m, o, err := p.consume(ctx, tx, text, link.Purpose)
		if err != nil {
			return err
		}
		if err := tx.EndSessions(ctx, m.ID, ""); err != nil {
			return err
		}
		if err := endLinks(ctx, tx, m.ID); err != nil {
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

// linkFor returns a link that is good for one of some purposes.
func (p *People) linkFor(ctx context.Context, text string, from From, purposes ...string) (Link, error) {
	link, ok, err := p.Link(ctx, text, from)
	if err == nil && (!ok || !slices.Contains(purposes, link.Purpose)) {
		err = errLink()
	}
	return link, err
}

// consume uses a link up and returns whose it is, if they may come in.
func (p *People) consume(ctx context.Context, tx *store.Tx, text, purpose string) (store.Member, store.Organization, error) {
	row, first, err := tx.ConsumeLink(ctx, secret.HashOf(text), purpose)
	if err != nil || !first {
		return store.Member{}, store.Organization{}, orElse(unlessMissing(err), errLink())
	}
	m, o, ok, err := standing(ctx, tx.Reader, row.Member)
	if err != nil || !ok || !tx.Now().Before(row.ExpiresAt) || !fits(purpose, m, o) {
		return m, o, orElse(err, errLink())
	}
	return m, o, nil
}

// endLinks makes every link that lies around for a member worthless.
func endLinks(ctx context.Context, tx *store.Tx, member string) error {
	for _, purpose := range []string{LinkInvite, LinkReset, LinkHandoff} {
		if err := tx.EndLinks(ctx, member, purpose); err != nil {
			return err
		}
	}
	return nil
}

// handoffLasts is how long a session lasts that a hand-off began, whatever its person
// does.
const handoffLasts = 24 * time.Hour

// UseHandoff uses a hand-off up and starts a session for its member, whom somebody else
// knows: nobody proved anything here, so its AuthTime is zero and it changes nothing about
// how the person signs in. The error of kind NotFound is the same for every link that is
// not good.
func (p *People) UseHandoff(ctx context.Context, text string, from From) (token secret.Secret, s Session, onward string, err error) {
	link, err := p.linkFor(ctx, text, from, LinkHandoff)
	if err != nil {
		return secret.Secret{}, Session{}, "", err
	}
	err = p.change(ctx, from.member(link.Member.ID), func(tx *store.Tx) error {
		m, o, err := p.consume(ctx, tx, text, LinkHandoff)
		if err != nil {
			return err
		}
		token, s, err = p.start(ctx, tx, m, o, MethodHandoff, time.Time{}, from)
		return err
	})
	if err != nil {
		return secret.Secret{}, Session{}, "", err
	}
	return token, s, link.Onward, nil
}

// A Founder is the first of the company's own people, as they name themselves.
type Founder struct {
	Name     string
	Email    string
	Password string // not looked at where the contract offers no passwords
}

// UseSetup uses the link that sets Cardea up: it makes the staff organization with this
// person as its owner, and starts their session. The error of kind NotFound is the same
// for every link that is not good, also when somebody else was faster; a KindInvalid error
// is about what was chosen, and the link stays good.
func (p *People) UseSetup(ctx context.Context, text string, who Founder, from From) (token secret.Secret, s Session, err error) {
	if _, err := p.linkFor(ctx, text, from, LinkSetup); err != nil {
		return secret.Secret{}, Session{}, err
	}
	c := p.contract()
	first := access.FirstStaff{Name: strings.TrimSpace(who.Name), Email: strings.TrimSpace(who.Email)}
	if err := first.Check(); err != nil {
		return secret.Secret{}, Session{}, err
	}
	if p.offers(MethodPassword) {
		m := store.Member{Name: first.Name, Email: first.Email}
		if first.Hash, err = p.choose(ctx, m, store.Organization{Name: access.StaffName(c)}, who.Password); err != nil {
			return secret.Secret{}, Session{}, err
		}
	}
	err = p.change(ctx, from.actor(actorSystem, LinkSetup), func(tx *store.Tx) error {
		row, used, err := tx.ConsumeLink(ctx, secret.HashOf(text), LinkSetup)
		if err != nil || !used || !tx.Now().Before(row.ExpiresAt) {
			return orElse(unlessMissing(err), errLink())
		}
		m, o, err := first.Make(ctx, tx, c)
		if cardea.KindOf(err) == cardea.KindConflict {
			return errLink()
		}
		if err != nil {
			return err
		}
		token, s, err = p.start(ctx, tx, m, o, MethodSetup, tx.Now(), from)
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
