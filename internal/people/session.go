package people

import (
	"context"
	"slices"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/contract"
	"github.com/cardea-dev/cardea/internal/secret"
	"github.com/cardea-dev/cardea/internal/store"
)

// A Session is a person signed in on one browser or command line.
type Session struct {
	ID           string
	Member       store.Member
	Organization store.Organization
	Method       string    // how they signed in: one of the Method constants
	AuthTime     time.Time // when they last proved who they are
	CreatedAt    time.Time
	SeenAt       time.Time // to the minute
	ExpiresAt    time.Time // whatever they do
	UserAgent    string
	Address      string
}

// The ways to sign in. The first three are what a contract may offer.
const (
	MethodPassword = "password"
	MethodPasskey  = "passkey"
	MethodSSO      = "sso"
	MethodDevice   = "device"  // a command line, by a signed-in person's approval
	MethodLink     = "link"    // an invitation or a reset link
	MethodHandoff  = "handoff" // a link of the product's own application
	MethodSetup    = "setup"   // the link that makes the first of staff
)

// Prefixes of a session's token, which authenticates, and of its id, which does not.
const (
	sessionToken = "cst_"
	sessionID    = "ses_"
)

// seenStep is how exactly it is noted when a session was last seen.
const seenStep = time.Minute

// Session returns the session of a token, false when it is none, has ended, was idle for
// too long, or its person may not be there any more. It is read from the store each
// time, so that a session ended on any node is ended on every node at once.
func (p *People) Session(ctx context.Context, token string) (Session, bool, error) {
	if !secret.CheckPrefixed(token, sessionToken) {
		return Session{}, false, nil
	}
	hash := secret.HashOf(token)
	row, err := p.store.SessionByHash(ctx, hash)
	if err != nil || !row.Hash.Equal(&hash) {
		return Session{}, false, unlessMissing(err)
	}
	now := p.now()
	if !live(row, p.contract().SignIn(), now) {
		return Session{}, false, nil
	}
	member, organization, ok, err := standing(ctx, p.store.Reader, row.Member)
	if err != nil || !ok || organization.ID != row.Organization {
		return Session{}, false, err
	}
	if now.Sub(row.SeenAt) >= seenStep {
		p.touch(ctx, row.ID, now)
		row.SeenAt = now
	}
	return view(row, member, organization), true, nil
}

// live reports whether a session has not ended by itself. The contract in force counts,
// also for sessions that began under another.
func live(s store.Session, rules contract.SignIn, now time.Time) bool {
	return s.EndedAt.IsZero() && now.Before(s.ExpiresAt) &&
		now.Before(s.CreatedAt.Add(rules.SessionMax)) && now.Before(s.SeenAt.Add(rules.SessionIdle))
}

// standing returns a member and their organization, ok when both may come in.
func standing(ctx context.Context, r store.Reader, id string) (m store.Member, o store.Organization, ok bool, err error) {
	if m, err = r.Member(ctx, id); err != nil {
		return m, o, false, unlessMissing(err)
	}
	if o, err = r.Organization(ctx, m.Organization); err != nil {
		return m, o, false, unlessMissing(err)
	}
	return m, o, m.DisabledAt.IsZero() && o.SuspendedAt.IsZero(), nil
}

// unlessMissing returns err unless it says that something does not exist.
func unlessMissing(err error) error {
	if cardea.KindOf(err) == cardea.KindNotFound {
		return nil
	}
	return err
}

// touch notes that a session was seen. That it could not be noted is no reason to turn
// the person away.
func (p *People) touch(ctx context.Context, id string, now time.Time) {
	if err := p.store.Touch(ctx, &store.Touch{Sessions: map[string]time.Time{id: now}}); err != nil {
		p.log.LogAttrs(ctx, levelWarn, "when a session was seen could not be noted", errorAttr(err))
	}
}

func view(s store.Session, m store.Member, o store.Organization) Session {
	return Session{
		ID: s.ID, Member: m, Organization: o, Method: s.Method, AuthTime: s.AuthTime, CreatedAt: s.CreatedAt,
		SeenAt: s.SeenAt, ExpiresAt: s.ExpiresAt, UserAgent: s.UserAgent, Address: s.Address,
	}
}

// start begins a session in a change: always a new one, with a token never seen before.
// The caller has checked in the same change that the person may come in.
func (p *People) start(ctx context.Context, tx *store.Tx, m store.Member, o store.Organization, method string, authTime time.Time, from From) (secret.Secret, Session, error) {
	lasts := p.contract().SignIn().SessionMax
	if method == MethodHandoff {
		lasts = min(lasts, handoffLasts)
	}
	token := secret.New(secret.ShapePrefix, sessionToken)
	row := store.Session{
		Hash: token.Hash(), ID: secret.NewID(sessionID), Member: m.ID, Organization: o.ID, Method: method,
		UserAgent: from.agent(), Address: from.address(), AuthTime: authTime, CreatedAt: tx.Now(), SeenAt: tx.Now(),
		ExpiresAt: tx.Now().Add(lasts),
	}
	tx.Audit(sessionEvent("session.start", row.ID, m, sessionDetail{Method: method}))
	return token, view(row, m, o), tx.InsertSession(ctx, row)
}

// sessionDetail is what the audit log keeps of how somebody proved who they are.
type sessionDetail struct {
	Method string `json:"method"`
}

// sessionEvent is an audit event about a session.
func sessionEvent(action, id string, m store.Member, detail any) store.Event {
	return store.Event{Action: action, TargetType: "session", TargetID: id, Organization: m.Organization, Detail: detail}
}

// SignOut ends the session of a token; a token of none is fine.
func (p *People) SignOut(ctx context.Context, token string, from From) error {
	s, ok, err := p.Session(ctx, token)
	if err != nil || !ok {
		return err
	}
	return p.EndSession(ctx, s, s.ID, from)
}

// Sessions returns the live sessions of a member, newest first.
func (p *People) Sessions(ctx context.Context, by Session) ([]Session, error) {
	rows, err := p.store.Sessions(ctx, by.Member.ID)
	if err != nil {
		return nil, err
	}
	rules, now := p.contract().SignIn(), p.now()
	rows = slices.DeleteFunc(rows, func(s store.Session) bool { return !live(s, rules, now) })
	list := make([]Session, len(rows))
	for i, row := range rows {
		list[i] = view(row, by.Member, by.Organization)
	}
	return list, nil
}

// EndSession ends one session of the person; KindNotFound when it is not theirs. It works
// nowhere from the moment this returns.
func (p *People) EndSession(ctx context.Context, by Session, id string, from From) error {
	return p.change(ctx, from.member(by.Member.ID), func(tx *store.Tx) error {
		if !askable(id) {
			return errNoSession()
		}
		row, err := tx.Session(ctx, id)
		switch {
		case cardea.KindOf(err) == cardea.KindNotFound, err == nil && row.Member != by.Member.ID:
			return errNoSession()
		case err != nil:
			return err
		case !row.EndedAt.IsZero():
			return nil
		}
		tx.Audit(sessionEvent("session.end", id, by.Member, nil))
		return tx.EndSession(ctx, id)
	})
}

func errNoSession() error { return cardea.Errorf(cardea.KindNotFound, "There is no such session.") }

// EndSessions signs the person out everywhere, here included.
func (p *People) EndSessions(ctx context.Context, by Session, from From) error {
	return p.change(ctx, from.member(by.Member.ID), func(tx *store.Tx) error {
		tx.Audit(event("session.end_all", by.Member, nil))
		return tx.EndSessions(ctx, by.Member.ID, "")
	})
}
