package manage

import (
	"context"
	"time"

	"github.com/cardea-dev/cardea"
	"github.com/cardea-dev/cardea/internal/access"
	"github.com/cardea-dev/cardea/internal/rules"
	"github.com/cardea-dev/cardea/internal/store"
)

// A Session is a place where a member is signed in.
type Session struct {
	ID        string    `json:"id"`
	Member    string    `json:"member"`
	Method    string    `json:"method"` // password, passkey, sso, device or link
	UserAgent string    `json:"user_agent"`
	Address   string    `json:"address,omitzero"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"` // to the minute
	ExpiresAt time.Time `json:"expires_at"`
}

// SessionFilter says whose sessions [Manager.Sessions] lists.
type SessionFilter struct {
	Member string `json:"member"`
}

func viewSession(s store.Session) Session {
	return Session{
		ID: s.ID, Member: s.Member, Method: s.Method, UserAgent: s.UserAgent, Address: s.Address,
		CreatedAt: s.CreatedAt, SeenAt: s.SeenAt, ExpiresAt: s.ExpiresAt,
	}
}

// Sessions lists where a member is signed in, newest first: for the member, and for
// owners and admins.
func (m *Manager) Sessions(ctx context.Context, actor cardea.Actor, in SessionFilter) (List[Session], error) {
	if _, err := m.findMember(ctx, m.store.Reader, actor, in.Member, access.ReadAdmin.OwnOr(actor, in.Member)); err != nil {
		return List[Session]{}, err
	}
	found, err := m.store.Sessions(ctx, in.Member)
	if err != nil {
		return List[Session]{}, err
	}
	out := List[Session]{Items: make([]Session, len(found))}
	for i, s := range found {
		out.Items[i] = viewSession(s)
	}
	return out, nil
}

// maySignOut says whether actor may end a session of a member: members their own, owners
// and admins others', and an owner's only owners.
func (m *Manager) maySignOut(ctx context.Context, r store.Reader, actor cardea.Actor, s *store.Session) error {
	if err := m.access.Allow(ctx, r, actor, s.Organization, "session", access.Admin.OwnOr(actor, s.Member)); err != nil {
		return err
	}
	member, err := r.Member(ctx, s.Member)
	if err != nil {
		return err
	}
	return m.overOwner(ctx, r, actor, &member)
}

// overOwner refuses whoever touches somebody else who is an owner without being one.
func (m *Manager) overOwner(ctx context.Context, r store.Reader, actor cardea.Actor, member *store.Member) error {
	if actor.ID == member.ID {
		return nil
	}
	return m.mayGrant(ctx, r, actor, member.Role)
}

// EndSession signs a member out in one place. Ending an ended one changes nothing.
func (m *Manager) EndSession(ctx context.Context, actor cardea.Actor, in ID) (Session, error) {
	if !rules.ValidID(in.ID) {
		return Session{}, access.NotFound("session")
	}
	var s store.Session
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		if s, err = tx.Session(ctx, in.ID); err != nil {
			return err
		}
		if err := m.maySignOut(ctx, tx.Reader, actor, &s); err != nil {
			return err
		}
		if !s.EndedAt.IsZero() {
			return nil
		}
		access.Record(tx, "session.end", "session", s.ID, s.Organization, nil)
		return tx.EndSession(ctx, s.ID)
	})
	if err != nil {
		return Session{}, err
	}
	return viewSession(s), nil
}

// EndOtherSessions signs the member of a session, which is named, out everywhere else.
func (m *Manager) EndOtherSessions(ctx context.Context, actor cardea.Actor, in ID) (Session, error) {
	if !rules.ValidID(in.ID) {
		return Session{}, access.NotFound("session")
	}
	var s store.Session
	err := m.change(ctx, actor, func(tx *store.Tx) (err error) {
		if s, err = tx.Session(ctx, in.ID); err != nil {
			return err
		}
		if err := m.maySignOut(ctx, tx.Reader, actor, &s); err != nil {
			return err
		}
		access.Record(tx, "member.end_other_sessions", "member", s.Member, s.Organization, nil)
		return tx.EndSessions(ctx, s.Member, s.ID)
	})
	if err != nil {
		return Session{}, err
	}
	return viewSession(s), nil
}

// EndSessions signs a member out everywhere.
func (m *Manager) EndSessions(ctx context.Context, actor cardea.Actor, in ID) (Member, error) {
	return m.saveMember(ctx, actor, func(tx *store.Tx) (store.Member, error) {
		member, err := m.findMember(ctx, tx.Reader, actor, in.ID, access.Admin.OwnOr(actor, in.ID))
		if err != nil {
			return store.Member{}, err
		}
		if err := m.overOwner(ctx, tx.Reader, actor, &member); err != nil {
			return store.Member{}, err
		}
		access.Record(tx, "member.end_sessions", "member", member.ID, member.Organization, nil)
		return member, tx.EndSessions(ctx, member.ID, "")
	})
}
