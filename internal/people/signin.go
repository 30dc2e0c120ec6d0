package people

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// An Attempt is somebody trying to sign in with a password.
type Attempt struct {
	Organization string // its id or name; "" when the person belongs to one only
	Email        string
	Password     string
	Address      netip.Addr
	UserAgent    string
	RequestID    string
}

func (a Attempt) from() From { return From{a.Address, a.UserAgent, a.RequestID} }

// SignIn starts a session for whoever proves to be a member with their password. Every
// attempt that does not work gets the same error of kind Unauthorized after the same
// work, whoever it named; a [*ThrottledError] or a KindUnavailable error (too many at
// once) says nothing about the account either.
func (p *People) SignIn(ctx context.Context, a Attempt) (secret.Secret, Session, error) {
	if !p.offers(MethodPassword) {
		return secret.Secret{}, Session{}, errRefused()
	}
	// First, since it costs nothing: whoever tries without a pause is told to wait before
	// anything is looked up.
	back, err := p.admit(a)
	if err != nil {
		return secret.Secret{}, Session{}, err
	}
	found, err := p.whom(ctx, a)
	if err != nil {
		back()
		return secret.Secret{}, Session{}, err
	}
	giveBack, err := p.admitAccount(ctx, a, found.member, back)
	if err != nil {
		return secret.Secret{}, Session{}, err
	}
	ok, err := p.hasher.Verify(ctx, found.hash, a.Password)
	switch {
	case err != nil:
		giveBack()
		return secret.Secret{}, Session{}, busy(err)
	case !ok:
		p.failed(ctx, found.member, MethodPassword, a.from())
		return secret.Secret{}, Session{}, errRefused()
	}
	token, session, err := p.enter(ctx, a, found)
	if err == nil {
		giveBack()
	}
	return token, session, err
}

// found is whom an attempt is about; hash is "" unless there is exactly one member who
// may come in and has a password.
type found struct {
	member store.Member
	hash   string
}

// nobodyID is what is looked up for somebody who does not exist, so that an attempt takes
// the same statements whoever it names.
const nobodyID = "nobody"

// whom looks up the member that an attempt names.
func (p *People) whom(ctx context.Context, a Attempt) (found, error) {
	organization, named, err := p.named(ctx, a.Organization)
	if err != nil {
		return found{}, err
	}
	email := strings.TrimSpace(a.Email)
	if !askable(email) {
		email = nobodyID
	}
	members, err := p.store.MembersByEmail(ctx, email)
	if err != nil {
		return found{}, err
	}
	staff, err := p.store.Staff(ctx)
	if unlessMissing(err) != nil {
		return found{}, err
	}
	if named || p.contract().SignIn().OrganizationFirst {
		members = slices.DeleteFunc(members, func(m store.Member) bool { return m.Organization != organization.ID })
	}
	// Staff before customers, who may invite any address and would shut them out with it.
	ofStaff := func(m store.Member) bool { return m.Organization == staff.ID }
	if slices.ContainsFunc(members, ofStaff) {
		members = slices.DeleteFunc(members, func(m store.Member) bool { return !ofStaff(m) })
	}
	if exact := slices.DeleteFunc(slices.Clone(members), func(m store.Member) bool { return m.Email != email }); len(exact) == 1 {
		members = exact
	}
	// Of several nobody is picked: trying each would take longer for those who exist.
	member := store.Member{ID: nobodyID, Organization: nobodyID}
	if len(members) == 1 {
		member = members[0]
	}
	o, err := p.store.Organization(ctx, member.Organization)
	if unlessMissing(err) != nil {
		return found{}, err
	}
	stored, err := p.store.Password(ctx, member.ID)
	if unlessMissing(err) != nil {
		return found{}, err
	}
	if member.ID == nobodyID {
		return found{}, nil
	}
	if o.ID == "" || !o.SuspendedAt.IsZero() || !member.DisabledAt.IsZero() {
		return found{member: member}, nil
	}
	return found{member, stored.Hash}, nil
}

// named returns the organization of an id or a name; named is false for "".
func (p *People) named(ctx context.Context, text string) (o store.Organization, named bool, err error) {
	text = strings.TrimSpace(text)
	named = text != ""
	if !askable(text) {
		text = nobodyID
	}
	byID, err := p.store.Organization(ctx, text)
	if unlessMissing(err) != nil {
		return o, named, err
	}
	byName, err := p.store.OrganizationByName(ctx, text)
	if byID.ID != "" {
		return byID, named, unlessMissing(err)
	}
	return byName, named, unlessMissing(err)
}

// admit counts an attempt against its address and its account there, or refuses it
// because there were too many. Counted is what was typed, not whom it was found to mean:
// attempts on nobody run out alike.
func (p *People) admit(a Attempt) (giveBack func(), err error) {
	back, wait := p.attempts.take(p.now(),
		claim{"address " + household(a.Address).String(), perAddress},
		claim{a.account() + " from " + neighbourhood(a.Address).String(), perAccountNetwork})
	if wait > 0 {
		return nil, &ThrottledError{Wait: wait}
	}
	return back, nil
}

// account names what was typed to the throttle.
func (a *Attempt) account() string { return "account " + strings.ToLower(strings.TrimSpace(a.Email)) }

// admitAccount counts an attempt, admitted by its address, against the account as a
// whole, which stops guessing from everywhere. That must not shut out the owner: where
// they have a session, or had one lately, it does not count.
func (p *People) admitAccount(ctx context.Context, a Attempt, m store.Member, back func()) (giveBack func(), err error) {
	backAll, wait := p.attempts.take(p.now(), claim{a.account(), perAccount})
	if wait == 0 {
		return func() { back(); backAll() }, nil
	}
	known, err := p.knows(ctx, m, a.Address)
	if err != nil || !known {
		back()
	}
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, &ThrottledError{Wait: wait}
	}
	return back, nil
}

// knows reports whether a member is signed in from the neighbourhood of an address.
func (p *People) knows(ctx context.Context, m store.Member, address netip.Addr) (bool, error) {
	rows, err := p.store.Sessions(ctx, m.ID)
	return slices.ContainsFunc(rows, func(s store.Session) bool {
		a, err := netip.ParseAddr(s.Address)
		return err == nil && address.IsValid() && neighbourhood(a) == neighbourhood(address)
	}), err
}

// enter starts the session of somebody whose password was right, if it still is: it may
// have been changed, or the person disabled, while it was checked.
func (p *People) enter(ctx context.Context, a Attempt, f found) (token secret.Secret, session Session, err error) {
	renewed := ""
	if p.hasher.Outdated(f.hash) {
		if renewed, err = p.hasher.Hash(ctx, a.Password); err != nil {
			renewed = "" // next time
		}
	}
	err = p.change(ctx, a.from().member(f.member.ID), func(tx *store.Tx) error {
		member, organization, ok, err := standing(ctx, tx.Reader, f.member.ID)
		if err != nil {
			return err
		}
		stored, err := tx.Password(ctx, f.member.ID)
		if unlessMissing(err) != nil {
			return err
		}
		if !ok || stored.Hash != f.hash {
			return errRefused()
		}
		if renewed != "" {
			if err := tx.SetPassword(ctx, store.Password{Member: member.ID, Hash: renewed, ChangedAt: stored.ChangedAt}); err != nil {
				return err
			}
		}
		token, session, err = p.start(ctx, tx, member, organization, MethodPassword, tx.Now(), a.from())
		return err
	})
	if err != nil {
		return secret.Secret{}, Session{}, err
	}
	return token, session, nil
}

// offers reports whether the contract lets people sign in this way.
func (p *People) offers(method string) bool {
	return slices.Contains(p.contract().SignIn().Methods, method)
}

// errRefused says nothing about which of the ways to fail it was.
func errRefused() error {
	return cardea.Errorf(cardea.KindUnauthorized, "That did not work. Check the email address and the password, and name your organization if you belong to several.")
}

// A ThrottledError refuses an attempt because there were too many before.
type ThrottledError struct {
	Wait time.Duration // until the next attempt is looked at
}

// Error says so.
func (e *ThrottledError) Error() string { return "too many attempts: try again later" }
